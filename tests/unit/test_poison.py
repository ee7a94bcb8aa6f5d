"""What spoilt a case is found among its predecessors with few tries, or nobody is blamed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.controller.poison import MOST_SUSPECTS, in_words, poison_among

if TYPE_CHECKING:
    from collections.abc import Sequence


@pytest.mark.parametrize(
    ("count", "guilty", "found"),
    [
        (1, {0}, [0]),
        (10, {0}, [0]),
        (10, {9}, [9]),
        (512, {300}, [300]),
        (10, set(), []),
        (0, set(), []),
        (9000, {8990}, [8990]),
        (9000, {5}, []),
    ],
)
def test_one_culprit_is_found(count: int, guilty: set[int], found: list[int]) -> None:
    """Halving finds the one whose presence is enough, in a bounded number of tries."""
    tries = []

    def reproduces(suspects: Sequence[int]) -> bool:
        tries.append(len(suspects))
        return bool(guilty & set(suspects))

    culprits = poison_among(range(count), reproduces)

    assert list(culprits) == found
    assert len(tries) <= 19
    assert max(tries, default=0) <= MOST_SUSPECTS


def test_two_that_are_needed_together_stay_together() -> None:
    """Where neither half alone does it, the stretch that does is returned, in its order."""
    culprits = poison_among(range(100), lambda suspects: {60, 80} <= set(suspects))

    assert list(culprits) == list(range(50, 100))


@pytest.mark.parametrize(
    ("cases", "said"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a with b"),
        (["a", "b", "c", "d"], "4 cases together, from a to d"),
    ],
)
def test_culprits_are_named(cases: list[str], said: str) -> None:
    """One or few are named, a stretch by its ends."""
    text = in_words(cases)

    assert text == said
