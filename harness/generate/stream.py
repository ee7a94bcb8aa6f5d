"""Random numbers that are a text's digests: the same on every machine, Python and numpy.

numpy keeps the streams of its generators stable within limits only (NEP 19), and seeding one costs
more than drawing a whole case; SHAKE is a standard.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")

BLOCK = 64
"""Words that are drawn at a time for single numbers."""


class Stream:
    """Draws numbers; what was drawn depends on the text and on what was drawn before."""

    def __init__(self, text: str) -> None:
        self._key = text.encode()
        self._blocks = 0
        self._pending: list[int] = []

    def words(self, count: int) -> np.ndarray[Any, np.dtype[np.uint64]]:
        """Return `count` random unsigned 64-bit integers."""
        self._blocks += 1
        digest = hashlib.shake_128(b"%d:%b" % (self._blocks, self._key)).digest(8 * count)
        return np.frombuffer(digest, "<u8")

    def fractions(self, count: int) -> np.ndarray[Any, Any]:
        """Return `count` random floats from 0 up to, but without, 1."""
        return (self.words(count) >> np.uint64(11)) * 2.0**-53

    def below(self, bound: int) -> int:
        """Return a random integer from 0 up to, but without, `bound`."""
        if not self._pending:
            self._pending = self.words(BLOCK).tolist()
        return self._pending.pop() % bound

    def between(self, low: int, high: int) -> int:
        """Return a random integer from `low` to `high`, both included."""
        return low + self.below(high - low + 1)

    def chance(self, percent: int) -> bool:
        """Return True in so many of a hundred draws."""
        return self.below(100) < percent

    def one_of(self, choices: Sequence[T]) -> T:
        """Return one of the choices, each as likely as any other."""
        return choices[self.below(len(choices))]

    def maybe(self, *choices: T) -> T | None:
        """Return one of the choices, or None in three of ten draws."""
        return None if self.chance(30) else self.one_of(choices)

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """Return the items in random order."""
        left = list(items)
        return [left.pop(self.below(len(left))) for _ in items]

    def some(self, items: Sequence[T], count: int) -> list[T]:
        """Return `count` different ones of the items in random order."""
        return self.shuffled(items)[:count]
