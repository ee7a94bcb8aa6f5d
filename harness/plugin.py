"""The pytest side: what to run on which cells, and every result into the run's folder.

A module of tests/conformance names a suite; each cell and case of it becomes an item of its own,
without fixtures, so that thousands of them cost little.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from harness.baseline import Baseline, baselines_of
from harness.controller.cell import CellUnderTest
from harness.controller.supervisor import Worker
from harness.environments import cache_root
from harness.errors import HarnessError
from harness.matrix import Tag, read_matrix
from harness.report.summary import Judged, exit_code, summarise
from harness.report.terminal import as_text, evidence_lines, one_line, render_run
from harness.results import CellState, SelectionRecord
from harness.selection import select
from harness.sources import Sources
from harness.store import PartWriter, new_run_id, read_run, run_ids
from harness.suites import VERSIONS, Suites
from harness.verdicts import Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from harness.corpus.packing import CorpusCase
    from harness.matrix import Cell
    from harness.report.summary import CellSummary

Stage = Literal["setup", "call", "teardown"]

BASELINES = Path("fixtures", "baselines")
INTERRUPTED = 130
MOST_LANES = 4
"""Workers of one cell at once, at most: each may take as much memory as its limit says."""


@dataclass(frozen=True, kw_only=True)
class Conformance:
    """What a module of tests/conformance assigns to a name that begins with ``test``."""

    suite: str
    """``corpora`` stands for every corpus of matrix.toml and of --corpus."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of a conformance run."""
    group = parser.getgroup("ort-matrix")
    group.addoption(
        "--cell",
        action="append",
        default=[],
        help="cell to test, as in cpu, cpu-1.24.4 or cpu-1.24.4-py311; may be repeated "
        "(default: every variant tagged default)",
    )
    group.addoption(
        "--case",
        action="append",
        default=[],
        help="only cases whose id matches this pattern, as in 'onnx/node/test_cast*'; may be "
        "repeated (default: all)",
    )
    group.addoption(
        "--corpus",
        action="append",
        default=[],
        type=Path,
        help="folder in the ONNX test-data layout to run too; may be repeated",
    )
    group.addoption("--matrix", type=Path, default=None, help="default: matrix.toml in the rootdir")
    group.addoption("--runs", type=Path, default=None, help="default: runs in the rootdir")
    group.addoption("--run", default=None, help="id of the run to write (default: a new one)")
    group.addoption(
        "--wheelhouse",
        type=Path,
        default=None,
        help="folder of wheels to install from, without any index (default: the index)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Name the run: pytest-xdist's processes write to the run of the one that started them."""
    started_with = getattr(config, "workerinput", {})
    config.option.run = started_with.get("ort_matrix_run") or config.option.run or new_run_id()
    config.option.runs = config.option.runs or config.rootpath / "runs"


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a process of pytest-xdist which run it writes."""
    node.workerinput["ort_matrix_run"] = node.config.option.run


def pytest_pycollect_makeitem(
    collector: pytest.Module | pytest.Class, name: str, obj: object
) -> list[pytest.Collector] | None:
    """Make of each Conformance in a module one collector per cell."""
    del name
    if not isinstance(obj, Conformance):
        return None
    with _told_in_one_line(collector.config):
        campaign = Campaign.of(collector.config)
        return [
            CellCollector.from_parent(collector, name=cell.id, cell=cell, suite=suite)
            for cell in campaign.cells
            for suite in campaign.suites_of(obj, cell)
        ]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Record what was selected, and run ahead of pytest, which then only waits for results."""
    items = [item for item in session.items if isinstance(item, CaseItem)]
    if not items or session.config.option.collectonly:
        return
    campaign = Campaign.of(session.config)
    campaign.record_selection(items)
    if not hasattr(session.config, "workerinput"):  # pytest-xdist deals the items out itself
        campaign.run_ahead(items)


def pytest_runtest_protocol(item: pytest.Item) -> bool | None:
    """Run a case without the stages that a test with fixtures needs, and report it as usual."""
    if not isinstance(item, CaseItem):
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    stages: tuple[tuple[Stage, Callable[[], None]], ...] = (
        ("setup", lambda: None),
        ("call", item.runtest),
        ("teardown", lambda: None),
    )
    for stage, function in stages:
        stops = (pytest.exit.Exception, KeyboardInterrupt)
        call = pytest.CallInfo.from_call(function, when=stage, reraise=stops)
        report = item.ihook.pytest_runtest_makereport(item=item, call=call)
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def pytest_sessionfinish(session: pytest.Session) -> None:
    """End the workers and turn pytest's exit code into ours, where a run was written."""
    if campaign := session.config.stash.get(_CAMPAIGN, None):
        campaign.close()
    if hasattr(session.config, "workerinput"):  # pytest-xdist's processes; the first one judges
        return
    if (error := session.config.stash.get(_TOLD, None)) is not None:
        session.exitstatus = error.exit_code
        return
    if (cells := _summary(session.config)) is None:
        return
    match session.exitstatus:
        case pytest.ExitCode.INTERRUPTED:
            session.exitstatus = INTERRUPTED
        case pytest.ExitCode.INTERNAL_ERROR:
            session.exitstatus = HarnessError.exit_code
        case pytest.ExitCode.OK | pytest.ExitCode.TESTS_FAILED | pytest.ExitCode.NO_TESTS_COLLECTED:
            session.exitstatus = exit_code(cells)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table of the run, which other processes may be writing too."""
    config = terminalreporter.config
    if (cells := _summary(config)) is None:
        return
    terminalreporter.section("ort-matrix")
    parts = render_run(read_run(config.option.runs, config.option.run), cells)
    terminalreporter.write(as_text(parts, colour=terminalreporter.hasmarkup))


class Campaign:
    """What one pytest process runs: cells, suites, the part of the run that it writes."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        option = config.option
        matrix = self._matrix = read_matrix(option.matrix or config.rootpath / "matrix.toml")
        self._sources = Sources(cache=cache_root(), wheelhouse=option.wheelhouse)
        self._suites = Suites(matrix, config.rootpath, self._sources, option.corpus)
        self._patterns: list[str] = option.case
        names = option.cell or [v.name for v in matrix.variants.values() if Tag.DEFAULT in v.tags]
        cells = [matrix.cell(name) for name in names]
        self.cells: list[Cell] = list({cell.id: cell for cell in cells}.values())
        self._runs: Path = option.runs
        self._run: str = option.run
        self._baselines = {
            cell.id: Baseline.read(
                config.rootpath / BASELINES / f"{cell.variant.name}.toml", cell.build.release
            )
            for cell in self.cells
        }
        self._open: dict[str, CellUnderTest] = {}
        self._writer: PartWriter | None = None
        self._lanes = ThreadPoolExecutor(min(os.cpu_count() or 1, MOST_LANES))
        self._ahead: dict[CaseItem, Future[Judged]] = {}
        self._stopping = False

    @classmethod
    def of(cls, config: pytest.Config) -> Campaign:
        """Return the campaign of this pytest process, made when it is first asked for."""
        if (campaign := config.stash.get(_CAMPAIGN, None)) is None:
            campaign = config.stash[_CAMPAIGN] = cls(config)
        return campaign

    def suites_of(self, conformance: Conformance, cell: Cell) -> Iterable[str]:
        """Return the suites that a module means on a cell."""
        if conformance.suite == "corpora":
            return self._suites.corpora
        return [name for name in cell.variant.suites if name == conformance.suite]

    def open(self, cell: Cell) -> CellUnderTest:
        """Return the cell under test, opened once and recorded."""
        if cell.id not in self._open:
            self._tell(f"{cell.id}: making or reusing its environment")
            opened = self._open[cell.id] = CellUnderTest.open(cell, self._sources)
            self._tell(f"{cell.id}: {opened.record.state}")
            self.writer.append(opened.record)
        return self._open[cell.id]

    @property
    def writer(self) -> PartWriter:
        """What appends to this process's part of the run."""
        if self._writer is None:
            self._writer = PartWriter.open(
                self._runs, self._run, part=self.cells[0].id, suites=VERSIONS
            )
        return self._writer

    def cases(self, cell: Cell, suite: str) -> list[CorpusCase]:
        """Return the cases of a suite that are selected on a cell.

        Raise ConfigurationError where the baseline names a case that the suite does not have.
        """
        self._tell(f"{cell.id}: reading the suite {suite}")
        every = self._suites.cases(suite)
        self._baselines[cell.id].check(suite, [case.id for case in every])
        return select(every, self._patterns)

    def _tell(self, text: str) -> None:
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:  # pytest-xdist's processes have none
            reporter.ensure_newline()
            reporter.write_line(text)

    def record_selection(self, items: Iterable[CaseItem]) -> None:
        """Record how many cases of each suite are to be run on each cell."""
        counts = Counter((item.parent.cell.id, item.parent.suite) for item in items)
        for (cell, suite), count in counts.items():
            self.writer.append(SelectionRecord(cell=cell, suite=suite, cases=count))

    def run_ahead(self, items: Iterable[CaseItem]) -> None:
        """Begin with the items, in their order, on as many workers as the host has cores."""
        for item in items:
            self._ahead[item] = self._lanes.submit(self._carry_out, item)

    def judged(self, item: CaseItem) -> Judged:
        """Return the judged and recorded result of an item, waiting for it."""
        future = self._ahead.pop(item, None)
        return self._carry_out(item) if future is None else future.result()

    def _carry_out(self, item: CaseItem) -> Judged:
        """Run a case, once more alone where the outcome is unexpected, and record the result."""
        cell, suite, case = item.parent.cell, item.parent.suite, item.case
        opened = self.open(cell)
        limits = self._matrix.limits(cell, suite)
        expectation = self._baselines[cell.id].of(case.id)
        result = opened.execute(suite, case, limits)
        if judge(result, expectation).needs_attention and not self._stopping:
            again = opened.execute(suite, case, limits, worker=Worker.FRESH)
            result = replace(result, again=again.outcome)
        if not self._stopping:  # otherwise the worker may have died by our own hand
            self.writer.append(result)
        return Judged(result=result, expectation=expectation, verdict=judge(result, expectation))

    def close(self) -> None:
        """End the workers and this process's part of the run."""
        self._stopping = True
        self._lanes.shutdown(wait=False, cancel_futures=True)
        for opened in self._open.values():
            opened.close()
        self._lanes.shutdown()
        if self._writer is not None:
            self._writer.close()
            self._writer = None


_CAMPAIGN = pytest.StashKey[Campaign]()


class CellCollector(pytest.Collector):
    """One suite on one cell."""

    def __init__(self, *, cell: Cell, suite: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cell = cell
        self.suite = suite

    def collect(self) -> Iterator[pytest.Item]:
        """Return an item per case, or one that tells why the cell is broken."""
        campaign = Campaign.of(self.config)
        with _told_in_one_line(self.config):
            opened = campaign.open(self.cell)
            if opened.record.state is CellState.BROKEN:
                yield BrokenItem.from_parent(self, name="BROKEN", reason=opened.record.reason)
                return
            cases = campaign.cases(self.cell, self.suite)
        for case in cases:
            yield CaseItem.from_parent(self, name=case.id, case=case)


class BrokenItem(pytest.Item):
    """A cell whose environment cannot be used: an outage, told once."""

    def __init__(self, *, reason: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.reason = reason

    def runtest(self) -> None:
        """Fail with the reason."""
        raise UnexpectedError([f"{self.parent.name if self.parent else ''}: {self.reason}"])

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str:
        """Return the reason, without our stack."""
        del style
        return str(excinfo.value)


class CaseItem(pytest.Item):
    """One case on one cell."""

    parent: CellCollector

    def __init__(self, *, case: CorpusCase, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.case = case

    def runtest(self) -> None:
        """Carry the case out and raise what its verdict asks for."""
        with _told_in_one_line(self.config):
            judged = Campaign.of(self.config).judged(self)
        match judged.verdict:
            case Verdict.EXPECTED:
                return
            case Verdict.KNOWN_FAILURE:
                assert judged.expectation is not None
                pytest.xfail(f"{judged.result.outcome}: {judged.expectation.reason}")
            case Verdict.NOT_TESTED:
                pytest.skip(judged.result.evidence.requirement)
        raise UnexpectedError(list(_failure_lines(judged)))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return the evidence; our stack only where the error is our own."""
        if isinstance(excinfo.value, UnexpectedError | pytest.xfail.Exception):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Return where the case is said to be: the module of its suite."""
        return self.path, None, self.nodeid


class UnexpectedError(Exception):
    """A verdict that somebody must look at, with the evidence."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))


def _failure_lines(judged: Judged) -> Iterator[str]:
    yield one_line(judged)
    yield from evidence_lines(judged.result)
    if judged.verdict is Verdict.UNEXPECTED_PASS and judged.expectation:
        yield f"it passes: delete '{judged.expectation.pattern}' from {judged.expectation.place}"
    yield f"again: ort-matrix case {judged.result.case} --cell {judged.result.cell}"


_TOLD = pytest.StashKey[HarnessError]()


@contextlib.contextmanager
def _told_in_one_line(config: pytest.Config) -> Iterator[None]:
    """Let an error that a person can mend end pytest with its text and exit code only."""
    try:
        yield
    except HarnessError as error:
        config.stash[_TOLD] = error
        pytest.exit(f"ort-matrix: {error}")


def _summary(config: pytest.Config) -> list[CellSummary] | None:
    """Return the run so far, judged; None where this pytest wrote and shared no run."""
    runs, run = config.option.runs, config.option.run
    if run not in run_ids(runs):
        return None
    read = read_run(runs, run)
    return summarise(read, baselines_of(read.cells.values(), config.rootpath / BASELINES))
