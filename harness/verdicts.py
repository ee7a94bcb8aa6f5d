"""The outcome judged against what was known beforehand; pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from harness.baseline import Expectation
    from harness.results import CaseResult


class Verdict(StrEnum):
    """What an outcome means."""

    EXPECTED = "EXPECTED"
    KNOWN_FAILURE = "KNOWN_FAILURE"
    UNEXPECTED_FAILURE = "UNEXPECTED_FAILURE"
    UNEXPECTED_PASS = "UNEXPECTED_PASS"  # noqa: S105 - a verdict, not a password
    FLAKY = "FLAKY"
    """The second try, alone on a fresh worker, gave another outcome."""
    POISONED = "POISONED"
    """It comes out so behind another case that is named, and only behind it."""
    NOT_TESTED = "NOT_TESTED"
    INCONCLUSIVE = "INCONCLUSIVE"
    """Our own fault: nothing is known of the build."""

    @property
    def needs_attention(self) -> bool:
        """Whether somebody must look before the run counts as expected."""
        return self in (
            Verdict.UNEXPECTED_FAILURE,
            Verdict.UNEXPECTED_PASS,
            Verdict.FLAKY,
            Verdict.POISONED,
            Verdict.INCONCLUSIVE,
        )


def judge(result: CaseResult, expectation: Expectation | None) -> Verdict:
    """Return what to think of a result, given what was known of its case (None: it passes)."""
    if result.outcome is Outcome.NOT_TESTED:
        return Verdict.NOT_TESTED
    known = {Outcome.PASS} if expectation is None else {*expectation.outcomes}
    seen = {result.outcome} if result.again is None else {result.outcome, result.again}
    if Outcome.HARNESS_FAULT in seen:
        return Verdict.INCONCLUSIVE
    passed = result.outcome is Outcome.PASS
    if seen <= known:
        return Verdict.EXPECTED if passed else Verdict.KNOWN_FAILURE
    if len(seen) > 1:
        return Verdict.POISONED if result.poisoned_by else Verdict.FLAKY
    return Verdict.UNEXPECTED_PASS if passed else Verdict.UNEXPECTED_FAILURE
