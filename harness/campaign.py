"""What one process runs: cells and suites chosen, cases carried out ahead, results recorded."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections import Counter
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.baseline import BASELINES, Baseline
from harness.cases import Case, Worker
from harness.controller.cell import CellUnderTest
from harness.environments.interpreter import cache_root
from harness.environments.sources import Sources
from harness.matrix import Tag, read_matrix
from harness.properties.search import EXAMPLES, Profile, Search
from harness.report.summary import Judged
from harness.results import SelectionRecord
from harness.selection import select
from harness.store.run import PartWriter
from harness.suites import VERSIONS, Suites
from harness.verdicts import judge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from harness.matrix import Cell

CORPORA = "corpora"
"""Stands for every corpus of matrix.toml and of the command line."""

MOST_POISON_SEARCHES = 20
"""How often it is looked for the case that spoilt another: where a build is all flaky, no more."""

MOST_LANES = 4
"""Workers of one cell at once, at most: each may take as much memory as its limit says."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a campaign is asked to do."""

    root: Path
    """The folder with models/ and fixtures/."""
    matrix: Path
    cells: Sequence[str] = ()
    """As `Matrix.cell` takes them; empty for every variant tagged default."""
    patterns: Sequence[str] = ()
    """Case ids as a shell would match them; empty for all."""
    corpora: Sequence[Path] = ()
    wheelhouse: Path | None = None
    profile: Profile = Profile.CI
    runs: Path
    run: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Work:
    """One case to be carried out on one cell."""

    cell: Cell
    suite: str
    case: Case


class Campaign:
    """The cells and suites of one process, and its part of the run."""

    def __init__(self, settings: Settings, tell: Callable[[str], None]) -> None:
        """Read the matrix and the baselines; raise ConfigurationError for what is wrong in them.

        `tell` gets a line whenever something begins that may take long.
        """
        matrix = self._matrix = read_matrix(settings.matrix)
        self._settings = settings
        self._tell = tell
        self._sources = Sources(cache=cache_root(), wheelhouse=settings.wheelhouse)
        search = Search.of(settings.profile, settings.root / EXAMPLES)
        if settings.profile is not Profile.CI:
            tell(f"examples are drawn with seed {search.seed}")
        self._suites = Suites(matrix, settings.root, self._sources, search, settings.corpora)
        default = [one.name for one in matrix.variants.values() if Tag.DEFAULT in one.tags]
        chosen = [matrix.cell(name) for name in settings.cells or default]
        self.cells = tuple({cell.id: cell for cell in chosen}.values())
        self._baselines = {
            cell.id: Baseline.read(
                settings.root / BASELINES / f"{cell.variant.name}.toml", cell.build.release
            )
            for cell in self.cells
        }
        self._open: dict[str, CellUnderTest] = {}
        self._writer: PartWriter | None = None
        # One more than cores: a lane waits while its reply is on the way and being judged.
        self._lanes = ThreadPoolExecutor(min((os.cpu_count() or 1) + 1, MOST_LANES))
        self._alone = ThreadPoolExecutor(1)
        self._ahead: dict[Work, Future[Judged]] = {}
        self._stopping = False
        self._poison_searches = itertools.count()

    def suites_of(self, cell: Cell, suite: str) -> Iterable[str]:
        """Return the suites that a name means on a cell: itself if the variant has it."""
        if suite == CORPORA:
            return self._suites.corpora
        return [name for name in cell.variant.suites if name == suite]

    def open(self, cell: Cell) -> CellUnderTest:
        """Return the cell under test, opened once and recorded."""
        if cell.id not in self._open:
            self._tell(f"{cell.id}: making or reusing its environment")
            opened = self._open[cell.id] = CellUnderTest.open(cell, self._sources)
            self._tell(f"{cell.id}: {opened.record.state}")
            self._part.append(opened.record)
        return self._open[cell.id]

    def work(self, cell: Cell, suite: str) -> list[Work]:
        """Return what is selected of a suite on a cell.

        Raise ConfigurationError where the baseline names a case that the suite does not have.
        """
        self._tell(f"{cell.id}: reading the suite {suite}")
        cases = self._suites.cases(suite)
        self._baselines[cell.id].check(suite, [case.id for case in cases])
        chosen = select(cases, self._settings.patterns)
        return [Work(cell=cell, suite=suite, case=case) for case in chosen]

    def record_selection(self, works: Iterable[Work]) -> None:
        """Record how many cases of each suite are to be run on each cell."""
        counts = Counter((work.cell.id, work.suite) for work in works)
        for (cell, suite), count in counts.items():
            self._part.append(SelectionRecord(cell=cell, suite=suite, cases=count))

    def run_ahead(self, works: Iterable[Work]) -> None:
        """Begin with the cases, in their order, on all lanes; those that want to be alone last."""
        works = list(works)
        for work in works:
            self.open(work.cell)  # here, because two lanes would open it twice
        together = [work for work in works if not work.case.procedure.alone]
        for work in together:
            self._ahead[work] = self._lanes.submit(self._carry_out, work)
        before = [self._ahead[work] for work in together]
        for work in works:
            if work.case.procedure.alone:
                self._ahead[work] = self._alone.submit(self._carry_out_after, before, work)

    def judged(self, work: Work) -> Judged:
        """Return the judged and recorded result of a case, waiting for it."""
        future = self._ahead.pop(work, None)
        return self._carry_out(work) if future is None else future.result()

    def close(self) -> None:
        """End the workers and this process's part of the run."""
        self._stopping = True
        for executor in (self._alone, self._lanes):
            executor.shutdown(wait=False, cancel_futures=True)
        for opened in self._open.values():
            opened.close()
        self._lanes.shutdown()
        self._alone.shutdown()
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    @property
    def _part(self) -> PartWriter:
        if self._writer is None:
            runs, run = self._settings.runs, self._settings.run
            self._writer = PartWriter.open(runs, run, part=self.cells[0].id, suites=VERSIONS)
        return self._writer

    def _carry_out_after(self, before: list[Future[Judged]], work: Work) -> Judged:
        """Run a case when all of `before` have ended, whichever way."""
        for future in before:
            with contextlib.suppress(CancelledError):
                future.exception()
        return self._carry_out(work)

    def _may_look_for_poison(self) -> bool:
        return not self._stopping and next(self._poison_searches) < MOST_POISON_SEARCHES

    def _carry_out(self, work: Work) -> Judged:
        """Run a case, once more alone where the outcome is unexpected, and record the result."""
        opened = self.open(work.cell)
        limits = self._matrix.limits(work.cell, work.suite)
        expectation = self._baselines[work.cell.id].of(work.case.id)
        result = opened.execute(work.suite, work.case, limits)
        if judge(result, expectation).needs_attention and not self._stopping:
            again = opened.execute(work.suite, work.case, limits, worker=Worker.FRESH)
            result = replace(result, again=again.outcome)
            if result.goes_both_ways and self._may_look_for_poison():
                result = replace(result, poisoned_by=opened.poisoned_by(result))
        if not self._stopping:  # otherwise the worker may have died by our own hand
            self._part.append(result)
        return Judged(result=result, expectation=expectation, verdict=judge(result, expectation))
