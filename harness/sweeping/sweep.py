"""The same generated cases on several builds, one after another, and what changed between them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.controller.cell import THE_WORKER, CellUnderTest
from harness.results import CellState
from harness.sweeping.observing import compared, sights
from harness.triage.generated.changes import Compared, Point, Road, points, returns, to_compare
from harness.wire.generated import Pair

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from harness.controller.cell import Program
    from harness.corpus.generated.record import Packed
    from harness.environments.sources import Sources
    from harness.matrix import Cell
    from harness.results import CellRecord
    from harness.triage.generated.sights import Sight

FIRST = 100
"""Cases that go first where time is limited: they tell how many more there is time for."""

FEWEST = 50
"""Cases that are worth going over a build again."""

GROWTH = 4
"""To how many times as many cases the next ones grow: opening a build costs as much for each."""


@dataclass(frozen=True, kw_only=True)
class Stop:
    """One build on the way of a sweep."""

    label: str
    """The release, or the cell's id where two builds are compared."""
    cell: Cell
    deadline_s: float
    """For a request of many cases."""


@dataclass(kw_only=True)
class Swept:
    """What was seen so far, by label."""

    cases: Sequence[Packed]
    records: dict[str, CellRecord] = field(default_factory=dict)
    track: dict[str, list[Sight]] = field(default_factory=dict)
    """Of the usable ones: the sights of the first of `cases`, as far as was come."""
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def road(self) -> Road:
        """What was seen of the cases that have been on every usable build."""
        count = min(map(len, self.track.values()), default=0)
        return Road(
            cases=self.cases[:count],
            labels=list(self.track),
            track={label: those[:count] for label, those in self.track.items()},
        )


class Sweep:
    """Carries out generated cases on one build after another and compares neighbours."""

    def __init__(
        self,
        sources: Sources,
        folder: Path,
        tell: Callable[[str], None],
        program: Program = THE_WORKER,
    ) -> None:
        """`folder` is for reports and kept answers; whoever made it removes it."""
        self._sources = sources
        self._folder = folder
        self._tell = tell
        self._program = program

    def carry_out(
        self,
        stops: Sequence[Stop],
        swept: Swept,
        ends: float | None,
        done: Callable[[Stop], None] = lambda _: None,
    ) -> None:
        """Fill `swept` from stop to stop; a BROKEN cell is passed over.

        Where it `ends` at a moment (as time.monotonic has it), some cases go over all stops before
        the next ones do, as long as the next ones are likely to get there in time. `done` is told
        of a stop that has carried out all cases.
        """
        count = len(swept.cases)
        start, size = 0, count if ends is None else min(FIRST, count)
        while start < count:
            began, asking_s = time.monotonic(), 0.0
            for stop in stops:
                if start == 0 or stop.label in swept.track:
                    asking_s += self._carry_out(stop, swept, start, size)
                    if start + size >= count:
                        done(stop)
            start += size
            if ends is not None and start < count:
                now = time.monotonic()
                opening_s = now - began - asking_s
                size = affordable(size, asking_s, ends - now - opening_s, count - start)
                if not size:
                    self._tell(f"time is up: {count - start:,} of {count:,} cases are left out")
                    return

    def points(self, swept: Swept, stop: Stop) -> list[Point]:
        """Return what changed between neighbours; `stop` has the worker that compares answers."""
        road = swept.road
        opened = CellUnderTest.open(stop.cell, self._sources, self._program)
        try:
            unlike = self._compared(to_compare(road), road, opened, stop)
            unlike |= self._compared(returns(road, unlike), road, opened, stop)
        finally:
            opened.close()
        return points(road, unlike)

    def _carry_out(self, stop: Stop, swept: Swept, start: int, size: int) -> float:
        """Carry out some of the cases on a build; return how long that took once it was open."""
        began = time.monotonic()
        opened = CellUnderTest.open(stop.cell, self._sources, self._program)
        try:
            record = opened.record
            swept.records[stop.label] = record
            if record.state is not CellState.READY:
                self._tell(f"{stop.label} is {record.state}: {record.reason}")
                return 0.0
            opened_at = time.monotonic()
            folder = self._folder / f"{stop.label}-{start}"
            cases = swept.cases[start : start + size]
            found = sights(opened, cases, folder, deadline_s=stop.deadline_s)
            asking_s = time.monotonic() - opened_at
        finally:
            opened.close()
        swept.track.setdefault(stop.label, []).extend(found)
        took = time.monotonic() - began
        swept.seconds[stop.label] = swept.seconds.get(stop.label, 0.0) + took
        states = [sight.state for sight in found]
        counts = ", ".join(f"{states.count(state):,} {state}" for state in sorted(set(states)))
        self._tell(f"{stop.label}: {counts}; {took:.1f} s")
        return asking_s

    def _compared(
        self, wanted: Sequence[Compared], road: Road, opened: CellUnderTest, stop: Stop
    ) -> dict[Compared, str]:
        """Return how the newer answer of each pair differs from the older, where both were kept."""
        pairs = {}
        for at, before, after in wanted:
            pair = pair_of(road.cases[at], road.track[after][at], road.track[before][at])
            if pair is not None:
                pairs[at, before, after] = pair
        if not pairs:
            return {}
        folder = self._folder / "compared"
        texts = compared(opened, list(pairs.values()), folder, deadline_s=stop.deadline_s)
        return dict(zip(pairs, texts, strict=True))


def affordable(before: int, took_s: float, left_s: float, most: int) -> int:
    """Return how many cases are likely to be through in the time that is left; 0: too few.

    So many `before` took so long; `most` are wanted.
    """
    in_time = int(before * left_s / took_s) if took_s > 0 else most
    return min(in_time, GROWTH * before, most) if in_time >= min(FEWEST, most) else 0


def pair_of(case: Packed, got: Sight, want: Sight) -> Pair | None:
    """Return two kept answers to be compared; None where one was not kept."""
    one, other = got.seen, want.seen
    if one is None or other is None or one.outputs is None or other.outputs is None:
        return None
    return Pair(
        got=one.outputs,
        got_data=one.data,
        want=other.outputs,
        want_data=other.data,
        tolerances=case.asked.tolerances,
    )
