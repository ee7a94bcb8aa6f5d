"""What is looked at in a result: of two that do the same, the kinds are equal; pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

from harness.cases import DIGEST
from harness.signatures import signature
from harness.triage.bisection import Seen, Skipped
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from harness.results import CaseResult
    from harness.triage.bisection import Answer


class By(StrEnum):
    """By what two releases are told apart."""

    OUTCOME = "outcome"
    SIGNATURE = "signature"
    VALUES = "values"
    """The numbers that come out, to the last bit."""
    PLACEMENT = "placement"
    """Which execution providers run nodes of the model.

    Not how many: before 1.24 a release counts what it ran, and then what it assigned.
    """
    SLOPE = "slope"
    """How much each meter of a leak case grows a cycle."""
    SPEED = "speed"

    @property
    def needs_repeats(self) -> bool:
        """Whether one reading says nothing, because the next will be another."""
        return self in (By.SLOPE, By.SPEED)


def reading(by: By, result: CaseResult) -> Answer:
    """Return what a result says of the build, by what one reading can tell."""
    if not result.outcome.is_about_the_build:
        said = result.evidence.requirement or result.evidence.text
        return Skipped(reason=f"{result.outcome}: {' '.join(said.split())}".rstrip(": "))
    if result.outcome is Outcome.UNSUPPORTED:
        return Seen(kind=str(Outcome.UNSUPPORTED), carried_out=False)
    good = result.outcome is Outcome.PASS
    match by:
        case By.OUTCOME | By.SLOPE | By.SPEED:
            return Seen(kind=str(result.outcome), good=good)
        case By.SIGNATURE:
            return Seen(kind=str(signature(result)), good=good)
        case By.VALUES:
            return _values(result)
        case By.PLACEMENT:
            ran = sorted(name for name, nodes in result.evidence.placement.items() if nodes)
            return Seen(kind=f"on {', '.join(ran)}" if ran else str(signature(result)))
    assert_never(by)


def _values(result: CaseResult) -> Answer:
    """Return the kind of the numbers that came out, and of the failure where none did."""
    if (found := result.evidence.answer.get(DIGEST)) is not None:
        return Seen(kind=f"values {found}")
    if result.evidence.stage == "compare" or result.outcome is Outcome.PASS:
        return Skipped(reason="the case does not tell the values that came out")
    return Seen(kind=str(signature(result)))
