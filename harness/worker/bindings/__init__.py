"""How the backend reaches ONNX Runtime: what every binding offers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.wire.settings import SessionSettings


class BindingError(Exception):
    """What ONNX Runtime refused, with its status code by name, such as ``INVALID_GRAPH``."""

    def __init__(self, status: str, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status
        self.text = text


class BindingLimitError(Exception):
    """What this binding of this release cannot express, though the runtime may be able to."""


@dataclass(frozen=True, kw_only=True)
class Slot:
    """One input or output of a model as ONNX Runtime declares it."""

    name: str
    type: str
    """ONNX Runtime's spelling: ``tensor(float16)``, ``seq(tensor(int64))``, …"""
    shape: tuple[int | str | None, ...]


class Session(Protocol):
    """One ONNX Runtime session."""

    providers: tuple[str, ...]
    """The providers that the session was really created with, first choice first."""
    inputs: tuple[Slot, ...]
    outputs: tuple[Slot, ...]

    def run(self, feeds: Mapping[str, Any]) -> Sequence[Any]:
        """Return the outputs in the model's order."""

    def placement(self) -> Mapping[str, int]:
        """Return how many nodes each provider has run, after the last run; {} if not recorded."""


class Binding(Protocol):
    """One way to reach ONNX Runtime."""

    def available_providers(self) -> tuple[str, ...]:
        """Return the providers of this build."""

    def create(
        self,
        model: bytes | str,
        *,
        provider: str,
        options: Mapping[str, str],
        settings: SessionSettings,
    ) -> Session:
        """Return a session on one provider (and CPU behind it), without any fallback of its own.

        `model` is the file's bytes, or its path. Raise BindingError with ONNX Runtime's status.
        """
