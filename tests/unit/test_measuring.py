"""Two cells measured in turn are told apart only where the readings tell, and cost a bound."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING

import pytest

from harness.investigation.measuring import Slope, Speed, compared
from harness.results import CaseResult
from harness.triage.confidence import Likeness
from harness.wire.messages import Evidence
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

STEADY = (1.00, 1.01, 1.02, 0.99, 0.98)
NOISY = (1.0, 1.6, 0.7, 2.4, 1.1)


def timed(seconds: Iterable[float], times: float = 1.0) -> Iterator[CaseResult]:
    """Return results that took these seconds over and over, all so many times as long."""
    for one in cycle(seconds):
        yield result({"seconds a run": one * times})


def grown(*steps: int, meter: str = "native heap") -> Iterator[CaseResult]:
    """Return results of a leak case whose meter grew by these bytes from window to window."""
    levels = [0]
    for step in steps:
        levels.append(levels[-1] + step)
    read = {"levels": levels, "smallest told": 64}
    while True:
        yield result({"cycles a window": 10, meter: read})


def result(answer: dict[str, object]) -> CaseResult:
    """Return a result with an answer."""
    evidence = Evidence(answer=answer)
    return CaseResult(
        cell="c", suite="s", case="s/a", outcome=Outcome.PASS, duration_s=9.0, evidence=evidence
    )


@pytest.mark.parametrize(
    ("seconds", "times", "likeness"),
    [
        (STEADY, 1.0, Likeness.ALIKE),
        (STEADY, 1.04, Likeness.ALIKE),
        (STEADY, 1.3, Likeness.UNLIKE),
        (STEADY, 0.7, Likeness.UNLIKE),
        (NOISY, 1.0, Likeness.CANNOT_TELL),
        (NOISY, 1.2, Likeness.CANNOT_TELL),
        (NOISY, 9.0, Likeness.UNLIKE),
    ],
)
def test_speed_is_told_where_noise_lets_it(
    seconds: tuple[float, ...], times: float, likeness: Likeness
) -> None:
    """A clear difference and a clear equality are told; a noisy machine is not guessed about."""
    found = compared(Speed(), timed(seconds), timed(seconds[::-1], times))

    assert found.likeness is likeness
    assert "times the time" in found.said


def test_a_comparison_ends() -> None:
    """However noisy, no more is asked than the last look takes."""
    asked = []

    def counted(results: Iterator[CaseResult]) -> Iterator[CaseResult]:
        for one in results:
            asked.append(one)
            yield one

    compared(Speed(), counted(timed(NOISY)), counted(timed(NOISY[::-1])))

    assert len(asked) == 2 * Speed.looks[-1]


@pytest.mark.parametrize(
    ("old", "new", "likeness"),
    [
        ((850, 860, 870, 850), (0, 0, 10, 0), Likeness.UNLIKE),
        ((850, 860, 870, 850), (860, 850, 850, 870), Likeness.ALIKE),
        ((0, 0, 0, 0), (0, 10, 0, -10), Likeness.ALIKE),
        ((0, 0, 0, 0), (4000, 9000, -4000, -9000), Likeness.CANNOT_TELL),
    ],
)
def test_slopes_are_told_by_the_growth_in_every_window(
    old: tuple[int, ...], new: tuple[int, ...], likeness: Likeness
) -> None:
    """A leak that came or went is told; windows that jump about are not guessed about."""
    found = compared(Slope(), grown(*old), grown(*new))

    assert found.likeness is likeness


def test_without_readings_nothing_is_told() -> None:
    """Two results with no meter in common say nothing of each other."""
    found = compared(Slope(), grown(1, 2), grown(1, 2, meter="descriptors"))

    assert found.likeness is Likeness.CANNOT_TELL
