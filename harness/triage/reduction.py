"""The smallest case that still fails: a search that knows nothing of what its cases are.

It goes the way of shrinkray (https://github.com/DRMacIver/shrinkray): there is one current case,
passes propose others, and one is taken if it is smaller by the sort key and still interesting.
Passes run in turn until none of them gets any further.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from harness.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

Case = TypeVar("Case")


@dataclass(frozen=True, kw_only=True)
class Pass(Generic[Case]):
    """One way to make cases smaller."""

    name: str
    """What it tries, in a word or two, for the line of progress."""
    proposals: Callable[[Case], Generator[Case, bool, None]]
    """Given the current case, yields others; each yield gives back whether it was taken, and is the
    current case from then on. It only proposes: what is no smaller is not even looked at."""


@dataclass(frozen=True, kw_only=True)
class Step(Generic[Case]):
    """How far a reduction has come."""

    name: str
    """The pass that is at work."""
    case: Case
    tried: int
    """How many proposals were asked whether they are interesting."""
    taken: int


@dataclass(frozen=True, kw_only=True)
class Reduced(Generic[Case]):
    """What a reduction came to."""

    case: Case
    tried: int
    taken: int
    finished: bool
    """Whether no pass gets any further; else the time was over."""


@dataclass(frozen=True, kw_only=True)
class Search(Generic[Case]):
    """What a reduction is told of its cases."""

    passes: Sequence[Pass[Case]]
    is_interesting: Callable[[Case], bool]
    key: Callable[[Case], Any]
    """Smaller is better; two cases of one key are equally good."""
    identity: Callable[[Case], Any]
    """Equal for cases that are the same, which are asked about once."""
    is_over: Callable[[], bool] = lambda: False
    """Whether the time is over."""
    tell: Callable[[Step[Case]], None] = lambda _step: None
    """Called after each case that was looked at."""
    keep: Callable[[Case], None] = lambda _case: None
    """Called with each case that is taken, so that an interrupted reduction can go on from it."""


def reduced(start: Case, search: Search[Case]) -> Reduced[Case]:
    """Return the smallest case that the passes lead to, the same for the same start.

    Raise ConfigurationError where the start is not interesting.
    """
    if not search.is_interesting(start):
        raise ConfigurationError("what is to be reduced does not fail: there is nothing to reduce")
    return _Reduction(start, search).carried_out()


class _OverError(Exception):
    """The time is over."""


class _Reduction(Generic[Case]):
    def __init__(self, start: Case, search: Search[Case]) -> None:
        self._search = search
        self._current = start
        self._key = search.key(start)
        self._seen = {search.identity(start)}
        self._tried = 0
        self._taken = 0

    def carried_out(self) -> Reduced[Case]:
        finished = True
        try:
            while self._gets_further():
                pass
        except _OverError:
            finished = False
        return Reduced(case=self._current, tried=self._tried, taken=self._taken, finished=finished)

    def _gets_further(self) -> bool:
        before = self._key
        for one in self._search.passes:
            self._exhaust(one)
        return bool(self._key < before)

    def _exhaust(self, one: Pass[Case]) -> None:
        proposals = one.proposals(self._current)
        try:
            proposed = next(proposals)
            while True:
                proposed = proposals.send(self._takes(proposed, one.name))
        except StopIteration:
            pass
        finally:
            proposals.close()

    def _takes(self, proposed: Case, name: str) -> bool:
        """Say whether the proposal is better than the current case, and make it that."""
        search = self._search
        if search.is_over():
            raise _OverError
        key = search.key(proposed)
        if not key < self._key:
            return False
        identity = search.identity(proposed)
        if identity in self._seen:
            return False
        self._seen.add(identity)
        self._tried += 1
        is_better = search.is_interesting(proposed)
        if is_better:
            self._current, self._key = proposed, key
            self._taken += 1
            search.keep(proposed)
        search.tell(Step(name=name, case=self._current, tried=self._tried, taken=self._taken))
        return is_better
