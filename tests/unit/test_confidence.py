"""Two noisy series are alike, unlike, or cannot be told apart, with a stated confidence."""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
import pytest

from harness.triage import confidence as module
from harness.triage.confidence import Interval, Likeness, shift


def counted(old: int, new: int) -> list[int]:
    """Return how many orders of two samples have each U, by looking at every order."""
    found = [0] * (old * new + 1)
    for places in combinations(range(old + new), old):
        others = [at for at in range(old + new) if at not in places]
        found[sum(other > place for place in places for other in others)] += 1
    return found


@pytest.mark.parametrize(("old", "new"), [(1, 1), (3, 2), (4, 4), (2, 6)])
def test_the_distribution_of_u_is_exact(old: int, new: int) -> None:
    """It is that of all orders, counted one by one."""
    orders = module._orders(old, new)

    assert orders == counted(old, new)
    assert sum(orders) == comb(old + new, old)


def test_too_few_readings_say_nothing() -> None:
    """Three of each cannot be sure at 99 %: even the clearest order happens by chance."""
    assert shift([1, 2, 3], [11, 12, 13], confidence=0.99) is None
    assert shift([1, 2, 3], [11, 12, 13], confidence=0.80) is not None


def test_the_interval_is_that_of_the_shift() -> None:
    """Of clean samples it is narrow around the true one, and an outlier does not move it far."""
    old = [10.0 + at / 10 for at in range(12)]
    new = [at + 5 for at in old]

    clean = shift(old, new, confidence=0.99)
    spoilt = shift(old, [*new[:-1], 1e9], confidence=0.99)

    assert clean is not None
    assert spoilt is not None
    assert clean.low < 5 < clean.high
    assert clean.high - clean.low < 2
    assert spoilt.high < 7


@pytest.mark.parametrize(
    ("low", "high", "likeness"),
    [
        (-0.05, 0.05, Likeness.ALIKE),
        (0.11, 0.3, Likeness.UNLIKE),
        (-0.3, -0.11, Likeness.UNLIKE),
        (-0.05, 0.3, Likeness.CANNOT_TELL),
        (-0.3, 0.3, Likeness.CANNOT_TELL),
    ],
)
def test_only_a_whole_interval_tells(low: float, high: float, likeness: Likeness) -> None:
    """Inside what counts as the same, or outside of it; whatever reaches over says nothing."""
    assert Interval(low=low, high=high).likeness(0.1) is likeness


def test_equal_noise_is_seldom_called_unlike() -> None:
    """Of 300 pairs from one noisy source about one in a hundred may be, by a stated confidence."""
    source = np.random.default_rng(20261125)

    def sample() -> list[float]:
        return list(source.normal(size=12))

    found = [shift(sample(), sample(), confidence=0.99) for _ in range(300)]
    wrong = [one for one in found if one is None or one.likeness(0.0) is Likeness.UNLIKE]

    assert len(wrong) <= 9
