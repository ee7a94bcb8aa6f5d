"""The pytest side: what to run on which cells, and every result into the run's folder.

A module of tests/conformance names a suite; each cell and case of it becomes an item of its own,
without fixtures, so that thousands of them cost little.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import pytest

from harness.baseline import BASELINES, baselines_of
from harness.campaign import Campaign, Settings, Work
from harness.errors import INTERRUPTED, HarnessError
from harness.properties.search import Profile
from harness.report.summary import CellSummary, exit_code, summarise
from harness.report.terminal import as_text, evidence_lines, one_line, render_run, reproduction
from harness.results import CellState
from harness.store.names import new_run_id, run_ids
from harness.store.run import Run, read_run
from harness.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.matrix import Cell
from harness.report.summary import Judged


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
    group.addoption(
        "--profile",
        choices=[str(profile) for profile in Profile],
        default=str(Profile.CI),
        help="how examples are drawn: few and fixed, or many and random (default: ci)",
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
        campaign = _campaign(collector.config)
        return [
            CellCollector.from_parent(collector, name=cell.id, cell=cell, suite=suite)
            for cell in campaign.cells
            for suite in campaign.suites_of(cell, obj.suite)
        ]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Wait last for the cases that are run alone, which is when they are run."""
    items.sort(key=lambda item: isinstance(item, CaseItem) and item.work.case.procedure.alone)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Record what was selected, and run ahead of pytest, which then only waits for results."""
    works = [item.work for item in session.items if isinstance(item, CaseItem)]
    if not works or session.config.option.collectonly:
        return
    campaign = _campaign(session.config)
    campaign.record_selection(works)
    if not hasattr(session.config, "workerinput"):  # pytest-xdist deals the items out itself
        campaign.run_ahead(works)


def pytest_runtest_protocol(item: pytest.Item) -> bool | None:
    """Run a case without the stages that a test with fixtures needs, and report it as usual."""
    if not isinstance(item, CaseItem):
        return None
    hooks = item.ihook
    hooks.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    stages: tuple[tuple[Literal["call", "teardown"], Callable[[], None]], ...] = (
        ("call", item.runtest),
        ("teardown", lambda: None),  # pytest's own --junitxml writes a case when this is reported
    )
    for stage, function in stages:
        stops = (pytest.exit.Exception, KeyboardInterrupt)
        call = pytest.CallInfo.from_call(function, when=stage, reraise=stops)
        hooks.pytest_runtest_logreport(report=_report(item, call))
    hooks.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def _report(item: CaseItem, call: pytest.CallInfo[None]) -> pytest.TestReport:
    """Return what pytest would make of the call, without asking every plugin about a pass."""
    if call.excinfo is not None:
        return cast("pytest.TestReport", item.ihook.pytest_runtest_makereport(item=item, call=call))
    return pytest.TestReport(
        nodeid=item.nodeid,
        location=item.location,
        keywords={},
        outcome="passed",
        longrepr=None,
        when=call.when,  # type: ignore[arg-type]  # never "collect" here
        duration=call.duration,
        start=call.start,
        stop=call.stop,
    )


def pytest_sessionfinish(session: pytest.Session) -> None:
    """End the workers and turn pytest's exit code into ours, where a run was written."""
    if campaign := session.config.stash.get(_CAMPAIGN, None):
        campaign.close()
    if hasattr(session.config, "workerinput"):  # pytest-xdist's processes; the first one judges
        return
    if (error := session.config.stash.get(_TOLD, None)) is not None:
        session.exitstatus = error.exit_code
        return
    if (seen := _seen(session.config)) is None:
        return
    match session.exitstatus:
        case pytest.ExitCode.INTERRUPTED:
            session.exitstatus = INTERRUPTED
        case pytest.ExitCode.INTERNAL_ERROR:
            session.exitstatus = HarnessError.exit_code
        case pytest.ExitCode.OK | pytest.ExitCode.TESTS_FAILED | pytest.ExitCode.NO_TESTS_COLLECTED:
            session.exitstatus = exit_code(seen[1])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table of the run, which other processes may be writing too."""
    config = terminalreporter.config
    if (seen := _seen(config)) is not None:
        terminalreporter.section("ort-matrix")
        terminalreporter.write(as_text(render_run(*seen), colour=terminalreporter.hasmarkup))


def _campaign(config: pytest.Config) -> Campaign:
    """Return the campaign of this pytest process, made when it is first asked for."""
    if (campaign := config.stash.get(_CAMPAIGN, None)) is None:
        option = config.option
        settings = Settings(
            root=config.rootpath,
            matrix=option.matrix or config.rootpath / "matrix.toml",
            cells=option.cell,
            patterns=option.case,
            corpora=option.corpus,
            wheelhouse=option.wheelhouse,
            profile=Profile(option.profile),
            runs=option.runs,
            run=option.run,
        )
        reporter = config.pluginmanager.get_plugin("terminalreporter")

        def tell(text: str) -> None:
            if reporter is not None:  # pytest-xdist's processes have none
                reporter.ensure_newline()
                reporter.write_line(text)

        campaign = config.stash[_CAMPAIGN] = Campaign(settings, tell)
    return campaign


_CAMPAIGN = pytest.StashKey[Campaign]()


class CellCollector(pytest.Collector):
    """One suite on one cell."""

    def __init__(self, *, cell: Cell, suite: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cell = cell
        self.suite = suite

    def collect(self) -> Iterator[pytest.Item]:
        """Return an item per case, or one that tells why the cell is broken."""
        campaign = _campaign(self.config)
        with _told_in_one_line(self.config):
            opened = campaign.open(self.cell)
            if opened.record.state is CellState.BROKEN:
                yield BrokenItem.from_parent(self, name="BROKEN", reason=opened.record.reason)
                return
            works = campaign.work(self.cell, self.suite)
        for work in works:
            yield CaseItem.from_parent(self, name=work.case.id, work=work)


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

    def __init__(self, *, work: Work, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.work = work

    def runtest(self) -> None:
        """Carry the case out and raise what its verdict asks for."""
        with _told_in_one_line(self.config):
            judged = _campaign(self.config).judged(self.work)
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
    yield f"again: {reproduction(judged.result)}"


_TOLD = pytest.StashKey[HarnessError]()


@contextlib.contextmanager
def _told_in_one_line(config: pytest.Config) -> Iterator[None]:
    """Let an error that a person can mend end pytest with its text and exit code only."""
    try:
        yield
    except HarnessError as error:
        config.stash[_TOLD] = error
        pytest.exit(f"ort-matrix: {error}")


_SEEN = pytest.StashKey[tuple[Run, list[CellSummary]]]()


def _seen(config: pytest.Config) -> tuple[Run, list[CellSummary]] | None:
    """Return the run as it stands at the end, judged; None where this pytest has none."""
    runs, run = config.option.runs, config.option.run
    if _SEEN not in config.stash and run in run_ids(runs):
        read = read_run(runs, run)
        known = baselines_of(read.cells.values(), config.rootpath / BASELINES)
        config.stash[_SEEN] = (read, summarise(read, known))
    return config.stash.get(_SEEN, None)
