"""A build that tells other types of its slots than it has: what the backend makes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.worker.bindings.wrapped import WrappedBinding, WrappedSession

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.worker.bindings import Binding, Session, Slot


class DoctoredBinding(WrappedBinding):
    """A binding whose sessions declare other types of some slots, or none."""

    def __init__(self, binding: Binding, types: Mapping[str, str]) -> None:
        super().__init__(binding)
        self._types = types

    def made(self, session: Session) -> Session:
        """Return the session, doctored."""
        return DoctoredSession(session, self._types)


class DoctoredSession(WrappedSession):
    """A session that declares other types than it has."""

    def __init__(self, session: Session, types: Mapping[str, str]) -> None:
        super().__init__(session)
        self.inputs = _told(session.inputs, types)
        self.outputs = _told(session.outputs, types)


def _told(slots: tuple[Slot, ...], types: Mapping[str, str]) -> tuple[Slot, ...]:
    return tuple(replace(slot, type=types.get(slot.name, slot.type)) for slot in slots)
