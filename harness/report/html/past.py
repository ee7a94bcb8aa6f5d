"""The history behind a run: what the runs up to it say together."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.store.archive import NOTHING
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from harness.results import CellRecord
    from harness.store.archive import Archive
    from harness.store.compacted import RunHead


@dataclass(frozen=True, kw_only=True)
class PastRun:
    """One stored run in numbers."""

    head: RunHead
    begun: datetime
    cells: Mapping[str, CellRecord]
    """By the track that the cell continues: see `Archive.tracks`."""
    seconds: Mapping[str, float]
    """By track, what its cases took together, each from request to reply."""

    def outcomes(self, track: str) -> Counter[Outcome] | None:
        """Return how many cases had which outcome on a track; None if the run does not have it."""
        if track not in self.cells:
            return None
        return _counted(self.head.counts.get(self.cells[track].cell, {}))

    @property
    def total(self) -> Counter[Outcome]:
        """How many results of all cells had which outcome."""
        return sum((_counted(of_cell) for of_cell in self.head.counts.values()), Counter())


def _counted(counts: Mapping[str, int]) -> Counter[Outcome]:
    return Counter({Outcome(outcome): count for outcome, count in counts.items()})


@dataclass(frozen=True, kw_only=True)
class Past:
    """The stored runs, oldest first; the last is the one that is reported."""

    runs: tuple[PastRun, ...]
    tracks: Mapping[str, str] = field(default_factory=dict)
    """By cell of the last run, the track that it continues."""
    strips: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """By track and case, the letter of its outcome in each of the runs."""
    durations: Mapping[tuple[str, str], Sequence[float | None]] = field(default_factory=dict)
    """By track and case, its seconds in each of the runs; None where it is not in one."""

    def strip(self, cell: str, case: str) -> str:
        """Return the letters of a case on a cell."""
        return self.strips.get((self.tracks[cell], case), NOTHING * len(self.runs))

    def seconds(self, cell: str, case: str) -> Sequence[float | None]:
        """Return how long a case on a cell took in each run."""
        return self.durations.get((self.tracks[cell], case), (None,) * len(self.runs))


def past_of(archive: Archive, run: str) -> Past:
    """Return the history of an archive up to a run, that run included."""
    ids = [head.id for head in archive.heads]
    heads = archive.heads[: ids.index(run) + 1]
    names = [head.id for head in heads]
    together = archive.seconds(names)
    track = archive.tracks
    return Past(
        runs=tuple(
            PastRun(
                head=head,
                begun=archive.starts[head.id],
                cells={track[head.id, one.cell]: one for one in head.cells},
                seconds={
                    track[head.id, one.cell]: together.get((head.id, one.cell), 0.0)
                    for one in head.cells
                },
            )
            for head in heads
        ),
        tracks={one.cell: track[run, one.cell] for one in heads[-1].cells},
        strips=archive.strips(names),
        durations=archive.durations(names),
    )
