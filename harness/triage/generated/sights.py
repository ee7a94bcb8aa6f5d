"""One generated case on one build, as it was seen."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from harness.wire.generated import Answered, Seen
    from harness.wire.messages import Evidence

NOT_THE_BUILDS = frozenset(
    {"InputError", "BackendError", "BindingLimitError", "NOT_IN_BUILD", "SILENT_FALLBACK"}
)
"""Statuses that say nothing of the build: our own backend or binding refused, or no such device."""


class State(StrEnum):
    """How a build took a case."""

    ANSWERED = "answers"
    REFUSED = "refuses"
    CRASHED = "crashes"
    HUNG = "hangs"
    UNTESTED = "untested"
    """It could not be asked: the binding cannot express it, or the device is not there."""

    @property
    def is_fatal(self) -> bool:
        """Whether no build has a reason to do so, whatever the model."""
        return self in (State.CRASHED, State.HUNG)


@dataclass(frozen=True, kw_only=True)
class Sight:
    """One generated case on one cell."""

    seen: Seen | None = None
    """None where the worker ended over it."""
    outcome: Outcome = Outcome.PASS
    """PASS, or CRASH or TIMEOUT where the worker ended over it alone."""
    ending: Evidence | None = None
    spoilt: str = ""
    """How the worker ended over it behind others, though alone it does not."""
    unlike_elsewhere: str | None = None
    """How another process with other garbage in fresh memory answers; None where none was asked."""
    unlike_against: str | None = None
    """How another cell answers."""
    against: Seen | None = None
    on_cpu: Sight | None = None
    """What the same build's CPU EP makes of the case; None where it was not asked."""
    unlike_on_cpu: str | None = None
    """How the CPU EP answers."""

    @property
    def state(self) -> State:
        """How the build took the case with its own optimisations."""
        if self.seen is None:
            return State.HUNG if self.outcome is Outcome.TIMEOUT else State.CRASHED
        return state_of(self.seen.default)

    @property
    def says(self) -> str:
        """The refusal, or how the worker ended; empty for an answer."""
        if self.seen is not None:
            answer = self.seen.default
            return f"{answer.status}: {answer.text}" if answer.is_refusal else ""
        if self.ending is None:
            return str(self.outcome)
        return self.ending.signal or self.ending.text


def state_of(answer: Answered) -> State:
    """Return how one way of asking was taken."""
    if not answer.is_refusal:
        return State.ANSWERED
    return State.UNTESTED if answer.status in NOT_THE_BUILDS else State.REFUSED


def differs(comparison: str | None) -> bool:
    """Say whether a comparison was made and found more than the tolerance allows."""
    return bool(comparison)


def agrees(comparison: str | None) -> bool:
    """Say whether a comparison was made and found nothing beyond the tolerance."""
    return comparison == ""
