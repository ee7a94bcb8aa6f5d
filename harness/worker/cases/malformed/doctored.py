"""A build that tells other types of its slots than it has: what the backend makes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.worker.bindings import Binding, Session, SessionSettings, Slot


class DoctoredBinding:
    """A binding whose sessions declare other types of some slots, or none."""

    def __init__(self, binding: Binding, types: Mapping[str, str]) -> None:
        self._binding = binding
        self._types = types

    def available_providers(self) -> tuple[str, ...]:
        """Return the providers of the build."""
        return self._binding.available_providers()

    def create(
        self,
        model: bytes | str,
        *,
        provider: str,
        options: Mapping[str, str],
        settings: SessionSettings,
    ) -> Session:
        """Return a session of the build, doctored."""
        made = self._binding.create(model, provider=provider, options=options, settings=settings)
        return DoctoredSession(made, self._types)


class DoctoredSession:
    """A session that declares other types than it has."""

    def __init__(self, session: Session, types: Mapping[str, str]) -> None:
        self._session = session
        self.providers = session.providers
        self.inputs = _told(session.inputs, types)
        self.outputs = _told(session.outputs, types)

    def run(self, feeds: Mapping[str, Any]) -> Sequence[Any]:
        """Return what the session answers."""
        return self._session.run(feeds)

    def placement(self) -> Mapping[str, int]:
        """Return what the session says."""
        return self._session.placement()


def _told(slots: tuple[Slot, ...], types: Mapping[str, str]) -> tuple[Slot, ...]:
    return tuple(replace(slot, type=types.get(slot.name, slot.type)) for slot in slots)
