"""Which of the cases that a worker carried out before made a later one fail; bounded, pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Suspect = TypeVar("Suspect")

MOST_SUSPECTS = 512
"""How many of the last cases are looked at: each try carries all of them out again."""

NAMED = 3
"""How many are named where it takes several together."""


def poison_among(
    suspects: Sequence[Suspect], reproduces: Callable[[Sequence[Suspect]], bool]
) -> Sequence[Suspect]:
    """Return the fewest suspects found, in their order, behind which it happens again.

    Nothing where it does not happen again behind all of them. One culprit is found with at most 19
    tries; where it takes several together, a stretch that holds them is returned.
    """
    left = suspects[-MOST_SUSPECTS:]
    if not left or not reproduces(left):
        return ()
    while len(left) > 1:
        half = len(left) // 2
        found = next((part for part in (left[half:], left[:half]) if reproduces(part)), None)
        if found is None:
            break
        left = found
    return left


def in_words(cases: Sequence[str]) -> str:
    """Return the names of the culprits as one text; nothing for none."""
    if len(cases) <= NAMED:
        return " with ".join(cases)
    return f"{len(cases)} cases together, from {cases[0]} to {cases[-1]}"
