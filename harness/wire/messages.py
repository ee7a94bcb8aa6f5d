"""The three messages of the wire and the evidence in a reply, to and from JSON."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any, Self

from harness.wire.outcomes import Outcome
from harness.wire.providers import DeviceRequest

PROTOCOL = 2
"""Raised when a message changes so that an older peer would misread it."""


@dataclass(frozen=True, kw_only=True)
class FallbackStep:
    """One candidate that did not make the session, and why."""

    attached: str
    provider: str
    stage: str
    """``registration`` (not in this build) or ``creation`` (library, driver or device missing)."""
    status: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Mismatch:
    """Where and how far one output lies from what is right."""

    output: str
    text: str
    """What differs, for a person."""
    largest_error: float | None = None
    at: tuple[int, ...] | None = None
    rtol_needed: float | None = None
    """The smallest rtol that would have passed with the atol as given; None: no rtol would."""
    atol_needed: float | None = None
    """The smallest atol that would have passed with the rtol as given; None: no atol would."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What was seen of a case; whatever does not apply stays empty."""

    text: str = ""
    """The error or the finding in one line or few."""
    requirement: str = ""
    """What UNSUPPORTED and NOT_TESTED lack."""
    stage: str = ""
    """``open``, ``run`` or ``compare``: how far the case came."""
    status: str = ""
    """ONNX Runtime's status code by name, or the class of the exception."""
    attached: str = ""
    fallback: tuple[FallbackStep, ...] = ()
    placement: dict[str, int] = field(default_factory=dict)
    """How many of the models' nodes each execution provider ran, by ONNX Runtime's name."""
    mismatches: tuple[Mismatch, ...] = ()
    answer: dict[str, Any] = field(default_factory=dict)
    """What a case found out, by name: the label of a file, the text in a picture, readings.

    A number that is not finite travels as its name, such as ``nan``: JSON has none of them.
    """
    example: dict[str, Any] = field(default_factory=dict)
    """The smallest arguments found for which a property does not hold, or those asked for."""
    traceback: str = ""
    signal: str = ""
    exit_status: int | None = None
    log: str = ""
    """The end of what the worker wrote to stdout and stderr, native stacks included."""

    def to_json(self) -> dict[str, Any]:
        """Return the fields that are not empty."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        kept = {name: value for name, value in found.items() if value not in ("", (), {}, None)}
        if self.answer:
            kept["answer"] = _finite(self.answer)
        if self.fallback:
            kept["fallback"] = [vars(step) for step in self.fallback]
        if self.mismatches:
            kept["mismatches"] = [vars(mismatch) for mismatch in self.mismatches]
        return kept

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Return the evidence that was written."""
        found = dict(data)
        found["fallback"] = tuple(FallbackStep(**step) for step in data.get("fallback", ()))
        found["mismatches"] = tuple(
            Mismatch(**{**item, "at": None if item.get("at") is None else tuple(item["at"])})
            for item in data.get("mismatches", ())
        )
        return cls(**found)


@dataclass(frozen=True, kw_only=True)
class Hello:
    """What a worker says of itself before any case."""

    protocol: int
    release: str
    """``onnxruntime.__version__``."""
    distributions: tuple[str, ...]
    """Every distribution that owns the import package onnxruntime, as ``name==version``."""
    providers: tuple[str, ...]
    python: str
    numpy: str

    def to_json(self) -> dict[str, Any]:
        """Return what ``from_json`` reads back."""
        return dict(vars(self))

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Return the hello that was written."""
        lists = {name: tuple(data[name]) for name in ("distributions", "providers")}
        return cls(**{**data, **lists})


@dataclass(frozen=True, kw_only=True)
class Request:
    """One case asked of a worker."""

    procedure: str
    """Which function of the worker carries the case out; see wire.catalogue."""
    device: DeviceRequest
    providers: dict[str, dict[str, str]] = field(default_factory=dict)
    """Options added to a provider's own, in ONNX Runtime's spelling, from matrix.toml."""
    arguments: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    """Session settings to be turned, whatever the case sets; see wire.settings."""
    number: int = 0
    """Set by whoever sends it: a reply to another number is stale and is not taken."""

    def to_json(self) -> dict[str, Any]:
        """Return what ``from_json`` reads back."""
        return dict(vars(self))

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Return the request that was written."""
        return cls(**{**data, "device": DeviceRequest(data["device"])})


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What a worker observed of one case."""

    number: int
    outcome: Outcome
    evidence: Evidence = field(default_factory=Evidence)

    def to_json(self) -> dict[str, Any]:
        """Return what ``from_json`` reads back."""
        return {
            "number": self.number,
            "outcome": self.outcome,
            "evidence": self.evidence.to_json(),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Return the reply that was written."""
        outcome, evidence = Outcome(data["outcome"]), Evidence.from_json(data["evidence"])
        return cls(**{**data, "outcome": outcome, "evidence": evidence})


def _finite(value: Any) -> Any:
    """Return a JSON value with the name in place of each number that JSON cannot write."""
    match value:
        case float() if not math.isfinite(value):
            return str(value)
        case dict():
            return {key: _finite(item) for key, item in value.items()}
        case list() | tuple():
            return [_finite(item) for item in value]
    return value
