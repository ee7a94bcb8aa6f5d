"""Which cell and which suite of one run stand for which of another; pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.results import CellState

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from harness.results import CaseResult, CellRecord

ENOUGH_IN_COMMON = 0.8
"""What share of the cases' names two suites must share for one to be the other under a new name."""


@dataclass(frozen=True, kw_only=True)
class CellPair:
    """A cell of the old run and the one that stands in its place; None where there is none."""

    old: CellRecord | None
    new: CellRecord | None

    @property
    def differs(self) -> bool:
        """Whether another build, Python or variant stands there now."""
        if self.old is None or self.new is None:
            return False
        return _build(self.old) != _build(self.new)

    @property
    def both_ran(self) -> bool:
        """Whether each run could carry out cases on its cell."""
        if self.old is None or self.new is None:
            return False
        return CellState.BROKEN not in (self.old.state, self.new.state)


def _build(cell: CellRecord) -> tuple[str, tuple[str, ...]]:
    """Return what a cell's outcomes depend on: a build made again can have its release's name."""
    return cell.cell, cell.hello.distributions if cell.hello else ()


def pair_cells(
    olds: Mapping[str, CellRecord], news: Mapping[str, CellRecord]
) -> Iterator[CellPair]:
    """Return each cell once, with its counterpart.

    The same cell goes first, then the only one left of the variant on that Python, then the only
    one left of the variant; where each run has one cell alone, these two, whatever they are.
    """
    keys: tuple[Callable[[CellRecord], tuple[str, ...]], ...] = (
        lambda cell: (cell.cell,),
        lambda cell: (cell.variant, cell.python),
        lambda cell: (cell.variant,),
    )
    if len(olds) == len(news) == 1:
        keys = (lambda _: (),)
    old_left, new_left = dict(olds), dict(news)
    for key in keys:
        by_old, by_new = _only_ones(old_left, key), _only_ones(new_left, key)
        for one in by_old.keys() & by_new.keys():
            yield CellPair(old=old_left.pop(by_old[one]), new=new_left.pop(by_new[one]))
    yield from (CellPair(old=cell, new=None) for cell in old_left.values())
    yield from (CellPair(old=None, new=cell) for cell in new_left.values())


def _only_ones(
    cells: Mapping[str, CellRecord], key: Callable[[CellRecord], tuple[str, ...]]
) -> dict[tuple[str, ...], str]:
    counts = Counter(map(key, cells.values()))
    return {key(cell): name for name, cell in cells.items() if counts[key(cell)] == 1}


@dataclass(frozen=True, kw_only=True)
class SuitePair:
    """A suite in both runs, under one name or two; an empty name where a run does not have it."""

    old: str
    new: str
    old_version: str
    new_version: str
    count: int
    """How many cases it has, each counted once for all cells; of the new run where it is in it."""

    @property
    def in_both(self) -> bool:
        """Whether there is something to compare."""
        return bool(self.old and self.new)

    @property
    def version_differs(self) -> bool:
        """Whether the suite may ask something else now."""
        return self.in_both and self.old_version != self.new_version

    @property
    def differs(self) -> bool:
        """Whether anything is to be said of it."""
        return not self.in_both or self.old != self.new or self.version_differs

    def cases(self, olds: Collection[str], news: Collection[str]) -> Iterator[tuple[str, str]]:
        """Return the ids of each case of the suite in the old and in the new run, there or not."""
        old_tails = {case.partition("/")[2]: case for case in olds if _suite(case) == self.old}
        new_tails = {case.partition("/")[2]: case for case in news if _suite(case) == self.new}
        for tail in sorted(old_tails.keys() | new_tails.keys()):
            yield f"{self.old}/{tail}", f"{self.new}/{tail}"


def pair_suites(
    old: Iterable[CaseResult],
    new: Iterable[CaseResult],
    versions: tuple[Mapping[str, str], Mapping[str, str]],
) -> list[SuitePair]:
    """Return each suite of the results once; one under another name is known by its cases' names.

    `versions` are those of the suites in the old and in the new run.
    """
    olds, news = _tails(old), _tails(new)
    names = {suite: suite for suite in olds.keys() & news.keys()}
    left = [suite for suite in news if suite not in names]
    for gone in sorted(olds.keys() - names.keys()):
        for come in left:
            if _in_common(olds[gone], news[come]) >= ENOUGH_IN_COMMON:
                names[gone] = come
                left.remove(come)
                break
    pairs = [*names.items(), *((one, "") for one in olds if one not in names)]
    pairs += [("", one) for one in left]
    return [
        SuitePair(
            old=one,
            new=other,
            old_version=versions[0].get(one, ""),
            new_version=versions[1].get(other, ""),
            count=len(news[other] if other else olds[one]),
        )
        for one, other in sorted(pairs)
    ]


def _tails(results: Iterable[CaseResult]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for result in results:
        found[result.suite].add(result.case.partition("/")[2])
    return found


def _in_common(one: set[str], other: set[str]) -> float:
    return len(one & other) / len(one | other)


def _suite(case: str) -> str:
    return case.partition("/")[0]
