"""Whether a series of readings grows: decided by its slope over windows, never by one difference.

A leak grows in every window, and goes on as it began; a cache that fills, an allocator that rounds
up and another process on the host do not. So a leak is a slope of at least the smallest that the
meter is to tell, with at most one window in which less than half of that came (CPython's own search
for leaks allows as much: https://docs.python.org/3/library/test.html#cmdoption-regrtest-R), and
which has not faded in the second half of the windows.
"""

from __future__ import annotations

import statistics
from enum import Enum, auto
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

FEWEST_WINDOWS = 4
MOST_WINDOWS = 8
STILL_WINDOWS = 1
"""Windows without growth that a growing series may have."""
CLEARLY = 4
"""How many times the smallest leak a slope must be to be told before the last window."""


FADED = 0.75
"""What a growth that fades has at most in a window of the second half, of one in the first."""


class Trend(Enum):
    """What a series of readings does."""

    GROWS = auto()
    FLAT = auto()
    UNDECIDED = auto()
    """More windows are needed."""


def slope(levels: Sequence[float], *, cycles: int) -> float:
    """Return the growth a cycle: the median slope between any two levels, windows of `cycles`.

    An outlier cannot move it. Source: https://en.wikipedia.org/wiki/Theil%E2%80%93Sen_estimator
    """
    numbered = combinations(enumerate(levels), 2)
    slopes = [(after - before) / (n - m) for (m, before), (n, after) in numbered]
    return statistics.median(slopes) / cycles if slopes else 0.0


def trend(levels: Sequence[float], *, cycles: int, smallest: float) -> Trend:
    """Return whether levels, `cycles` cycles apart, grow by `smallest` or more in every cycle."""
    steps = [(after - before) / cycles for before, after in pairwise(levels)]
    still = sum(step < smallest / 2 for step in steps)
    if len(steps) < FEWEST_WINDOWS:
        return Trend.UNDECIDED
    if still > STILL_WINDOWS:
        return Trend.FLAT
    grows = slope(levels, cycles=cycles)
    if len(steps) >= MOST_WINDOWS:
        return Trend.GROWS if grows >= smallest and not _fades(steps) else Trend.FLAT
    clear = not still and grows >= CLEARLY * smallest
    return Trend.GROWS if clear else Trend.UNDECIDED


def _fades(steps: Sequence[float]) -> bool:
    """Say whether less came in a window of the second half than in one of the first."""
    middle = len(steps) // 2
    return statistics.median(steps[middle:]) < FADED * statistics.median(steps[:middle])
