"""All runs of a store asked at once, through DuckDB over a table beside each run; no server."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import duckdb

from harness.errors import ConfigurationError
from harness.signatures import Signature
from harness.store.compacted import FILE, RunHead, compact, compacted_heads
from harness.store.names import run_starts
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

LETTERS = dict(zip(Outcome, "PFBEUCTNH", strict=True))
"""An outcome as one letter of a strip."""
NOTHING = "."
"""The letter of a run in which a case was not."""

MEMORY = "512MB"


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """One case on one cell as one run saw it: what can be asked of many runs."""

    run: str
    started: datetime
    track: str
    """What is followed over the runs: see `Archive.tracks`."""
    cell: str
    variant: str
    release: str
    suite: str
    suite_version: str
    case: str
    outcome: Outcome
    again: Outcome | None
    signature: Signature
    duration_s: float

    @property
    def goes_both_ways(self) -> bool:
        """Whether the second try gave another outcome."""
        return self.again not in (None, self.outcome)


class Archive:
    """The runs of a store, oldest first; what has no table yet gets one when it is opened."""

    def __init__(self, runs: Path) -> None:
        """Look at every run; one that cannot be read is left out and told in `refused`."""
        self._connection = duckdb.connect(config={"threads": 2, "memory_limit": MEMORY})
        # Its bar would stand between the lines of what a command prints.
        self._connection.execute("SET enable_progress_bar = false")
        self._elsewhere = tempfile.TemporaryDirectory(prefix="ort-matrix-")
        self.heads: list[RunHead] = []
        self.starts: dict[str, datetime] = {}
        """When each run began, by its id."""
        self.refused: list[str] = []
        """Why a run is left out, each in a line."""
        self.runs = runs
        self._files: list[Path] = []
        """The table of each of the heads."""
        starts = run_starts(runs)
        known = compacted_heads(self._connection, [runs / run for run in starts])
        for run, start in starts.items():
            self._add(runs / run, start, known.get(runs / run))

    def __enter__(self) -> Self:
        """Return the archive, to be closed at the end."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Give back what it holds."""
        self._connection.close()
        self._elsewhere.cleanup()

    @cached_property
    def tracks(self) -> dict[tuple[str, str], str]:
        """What each cell of each run continues: ``cpu-py311``, whatever its release.

        Where a run has several releases of a variant, each cell is followed by its own id.
        """
        several = {
            key
            for head in self.heads
            for key, count in Counter((one.variant, one.python) for one in head.cells).items()
            if count > 1
        }
        return {
            (head.id, one.cell): one.cell
            if (one.variant, one.python) in several
            else f"{one.variant}-py{one.python.replace('.', '')}"
            for head in self.heads
            for one in head.cells
        }

    def sightings(
        self,
        cases: Collection[str] | None = None,
        *,
        runs: Collection[str] | None = None,
        variant: str | None = None,
    ) -> list[Sighting]:
        """Return how runs saw cases, oldest first; None for all, which may be millions."""
        rows = self._rows(
            'SELECT run, cell, suite, "case", outcome, again, code, line, duration_s FROM seen '
            'WHERE ($cases IS NULL OR list_contains($cases, "case"))',
            runs,
            {"cases": None if cases is None else sorted(cases)},
        )
        order = {head.id: at for at, head in enumerate(self.heads)}
        found = [self._sighting(row) for row in rows if (row[0], row[1]) in self._cells]
        kept = [one for one in found if variant in (None, one.variant)]
        return sorted(kept, key=lambda one: (order[one.run], one.case, one.cell))

    def strips(
        self, runs: Sequence[str], suites: Collection[str] | None = None
    ) -> dict[tuple[str, str], str]:
        """Return by track and case one letter per run, in the order of `runs`: see LETTERS."""
        letters = {str(outcome): letter for outcome, letter in LETTERS.items()}
        strips: dict[tuple[str, str], str] = {}
        blank = NOTHING * len(runs)
        rows = self._rows(
            'SELECT "case", cell, list(run), list(outcome) FROM seen '
            "WHERE ($suites IS NULL OR list_contains($suites, suite)) GROUP BY ALL",
            runs,
            {"suites": None if suites is None else sorted(suites)},
        )
        place = {run: at for at, run in enumerate(runs)}
        for case, cell, seen_in, outcomes in rows:
            for run, outcome in zip(seen_in, outcomes, strict=True):
                if (track := self.tracks.get((run, cell))) is not None:
                    at, strip = place[run], strips.get((track, case), blank)
                    strips[track, case] = strip[:at] + letters[outcome] + strip[at + 1 :]
        return strips

    def durations(self, runs: Sequence[str]) -> dict[tuple[str, str], list[float | None]]:
        """Return by track and case the seconds that it took in each of `runs`, in their order."""
        found: dict[tuple[str, str], list[float | None]] = {}
        rows = self._rows(
            'SELECT "case", cell, list(run), list(duration_s) FROM seen GROUP BY ALL', runs, {}
        )
        place = {run: at for at, run in enumerate(runs)}
        for case, cell, seen_in, seconds in rows:
            for run, taken in zip(seen_in, seconds, strict=True):
                if (track := self.tracks.get((run, cell))) is not None:
                    found.setdefault((track, case), [None] * len(runs))[place[run]] = taken
        return found

    def seconds(self, runs: Sequence[str]) -> dict[tuple[str, str], float]:
        """Return by run and cell the seconds that all its cases took together."""
        query = "SELECT run, cell, sum(duration_s) FROM seen GROUP BY ALL"
        return {(run, cell): together for run, cell, together in self._rows(query, runs, {})}

    @cached_property
    def _cells(self) -> dict[tuple[str, str], tuple[str, str, str]]:
        """Return variant, release and Python of each cell of each run."""
        return {
            (head.id, one.cell): (one.variant, one.release, one.python)
            for head in self.heads
            for one in head.cells
        }

    @cached_property
    def _suites(self) -> dict[tuple[str, str], str]:
        return {
            (head.id, suite): version
            for head in self.heads
            for suite, version in head.suites.items()
        }

    def _add(self, folder: Path, start: datetime, head: RunHead | None) -> None:
        file = folder / FILE
        try:
            if head is None:
                head, file = self._compacted(folder)
        except ConfigurationError as error:
            self.refused.append(f"{folder.name} is left out: {error}")
            return
        self.heads.append(head)
        self.starts[folder.name] = start
        self._files.append(file)

    def _compacted(self, folder: Path) -> tuple[RunHead, Path]:
        """Return the head of a run and its table, beside it or, where that fails, elsewhere."""
        try:
            return compact(self._connection, folder), folder / FILE
        except OSError:  # a full disk, or a store of somebody else's
            elsewhere = Path(self._elsewhere.name) / f"{folder.name}.parquet"
            return compact(self._connection, folder, elsewhere), elsewhere

    def _rows(
        self, query: str, runs: Collection[str] | None, parameters: dict[str, Any]
    ) -> list[tuple[Any, ...]]:
        """Return the rows of a query over `seen`: the tables of these runs, or of all."""
        chosen = {
            str(file): head.id
            for head, file in zip(self.heads, self._files, strict=True)
            if runs is None or head.id in runs
        }
        if not chosen:
            return []
        seen = (
            "WITH seen AS (SELECT $names[list_position($files, filename)] AS run, * "
            "FROM read_parquet($files, filename = true))"
        )
        given = {"files": list(chosen), "names": list(chosen.values()), **parameters}
        try:
            return self._connection.execute(f"{seen} {query}", given).fetchall()
        except duckdb.Error:
            if not self._mended():
                raise
        return self._rows(query, runs, parameters)

    def _mended(self) -> bool:
        """Make the tables again that cannot be read to their end; say whether there were any."""
        damaged = [at for at, file in enumerate(self._files) if not self._is_whole(file)]
        for at in damaged:
            self._files[at].unlink(missing_ok=True)
            _, self._files[at] = self._compacted(self.runs / self.heads[at].id)
        return bool(damaged)

    def _is_whole(self, file: Path) -> bool:
        query = "SELECT count(hash(COLUMNS(*))) FROM read_parquet($file)"
        try:
            self._connection.execute(query, {"file": str(file)}).fetchall()
        except duckdb.Error:
            return False
        return True

    def _sighting(self, row: Iterable[Any]) -> Sighting:
        run, cell, suite, case, outcome, again, code, line, duration_s = row
        variant, release, _ = self._cells[run, cell]
        return Sighting(
            run=run,
            started=self.starts[run],
            track=self.tracks[run, cell],
            cell=cell,
            variant=variant,
            release=release,
            suite=suite,
            suite_version=self._suites.get((run, suite), ""),
            case=case,
            outcome=Outcome(outcome),
            again=Outcome(again) if again else None,
            signature=Signature(outcome=Outcome(outcome), code=code, line=line),
            duration_s=duration_s,
        )
