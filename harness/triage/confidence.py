"""Whether two noisy series of readings are alike, unlike, or cannot be told apart; pure.

By ranks, so that no outlier and no shape of the noise matters: the Hodges-Lehmann interval for the
shift between two samples, from the exact distribution of Mann and Whitney's U.

Source: https://en.wikipedia.org/wiki/Mann%E2%80%93Whitney_U_test
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import comb
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class Likeness(StrEnum):
    """What two samples say of each other."""

    ALIKE = "ALIKE"
    UNLIKE = "UNLIKE"
    CANNOT_TELL = "CANNOT_TELL"


@dataclass(frozen=True, kw_only=True)
class Interval:
    """From where to where a shift lies, with the asked confidence."""

    low: float
    high: float

    def likeness(self, within: float) -> Likeness:
        """Return whether the shift is surely more than `within`, surely no more, or neither."""
        if self.low > within or self.high < -within:
            return Likeness.UNLIKE
        if -within <= self.low and self.high <= within:
            return Likeness.ALIKE
        return Likeness.CANNOT_TELL


def shift(old: Sequence[float], new: Sequence[float], *, confidence: float) -> Interval | None:
    """Return how much the new readings lie above the old; None where too few were taken to say."""
    differences = sorted(after - before for before in old for after in new)
    tail = (1 - confidence) / 2 * comb(len(old) + len(new), len(old))
    cut = below = 0
    for count in _orders(len(old), len(new)):
        below += count
        if below > tail:
            break
        cut += 1
    if not cut:
        return None
    return Interval(low=differences[cut - 1], high=differences[-cut])


def _orders(old: int, new: int) -> list[int]:
    """Return in how many of all orders of two samples U is 0, 1, 2 and so on.

    They are the coefficients of the Gaussian binomial: the product of (1 - x^(old+i)) / (1 - x^i).
    """
    size = old * new + 1
    counts = [1] + [0] * (size - 1)
    for i in range(1, new + 1):
        for u in range(size - 1, old + i - 1, -1):
            counts[u] -= counts[u - old - i]
        for u in range(i, size):
            counts[u] += counts[u - i]
    return counts
