"""What was seen: one run, what changed between two, one case over many, and the store itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.arguments import (
    add_json,
    add_runs,
    command,
    count,
    show,
    show_json,
    tell,
)
from harness.errors import NothingSelectedError
from harness.report import changes, markdown, past, summary, terminal
from harness.store import upkeep
from harness.store.archive import Archive
from harness.store.names import LATEST, new_run_id
from harness.store.run import read_run
from harness.sweeping.known import all_known_of
from harness.triage.compare import compare
from harness.triage.history import by_release, histories
from harness.triage.lookback import flaky_among, since_when
from harness.verdicts import judge

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from harness.results import CaseResult
    from harness.store.run import Run

NAMED = "an id, what it begins with, a date as in 2026-11-24, latest or latest~1"


def report(arguments: argparse.Namespace) -> int:
    """Show a finished run, by default the newest: as a table, as JSON or as a site."""
    run = read_run(arguments.runs, arguments.run)
    baselines = all_known_of(run.cells.values(), arguments.matrix.parent)
    cells = summary.summarise(run, baselines)
    if arguments.html:
        from harness.cli import site  # noqa: PLC0415 - a second, for onnx and jinja2

        for line in site.write(arguments.html, arguments.runs, run, cells):
            tell(line)
        print(arguments.html / "index.html")
    elif arguments.json:
        show_json(summary.to_json(run, cells))
    elif arguments.markdown:
        print(markdown.run_page(run, cells), end="")
    else:
        show(terminal.render_run(run, cells))
    return 0


def runs(arguments: argparse.Namespace) -> int:
    """List the runs that are stored, oldest first."""
    with Archive(arguments.runs) as archive:
        if arguments.json:
            show_json(past.runs_json(archive))
        else:
            show([past.runs_table(archive)])
            _tell_refused(archive)
    return 0


def compared(arguments: argparse.Namespace) -> int:
    """Tell what changed from one run to another, one line per cause."""
    old, new = (read_run(arguments.runs, name) for name in (arguments.old, arguments.new))
    comparison = compare(old, new)
    is_known = _is_known(arguments, new)
    with Archive(arguments.runs) as archive:
        if flaky := flaky_among(comparison, new, archive):
            comparison = compare(old, new, flaky=flaky)
        since = since_when(comparison, new, archive, is_known)
    if arguments.json:
        show_json(changes.comparison_json(comparison, is_known, since))
    elif arguments.markdown:
        print(markdown.comparison_page(comparison, is_known, since), end="")
    else:
        show(changes.comparison_parts(comparison, is_known, since))
    return 0


def history(arguments: argparse.Namespace) -> int:
    """Tell what a case did in every run, where it changed, and whether it goes both ways."""
    with Archive(arguments.runs) as archive:
        seen = archive.sightings([arguments.case], variant=arguments.variant)
        _tell_refused(archive)
    if not seen:
        on = f" on {arguments.variant}" if arguments.variant else ""
        raise NothingSelectedError(f"no stored run has seen '{arguments.case}'{on}")
    found = histories(seen)
    variants = sorted({one.variant for one in seen})
    releases = [by_release(one for one in seen if one.variant == name) for name in variants]
    if arguments.json:
        show_json(past.history_json(found, releases))
    else:
        show(past.history_parts(found, releases))
    return 0


def merge(arguments: argparse.Namespace) -> int:
    """Put the parts of several runs, shards or machines together in a new run."""
    folder = upkeep.merge(arguments.runs, arguments.names, arguments.run or new_run_id())
    print(folder.name)
    return 0


def prune(arguments: argparse.Namespace) -> int:
    """Delete all runs but the newest, and none that is being written."""
    for run in upkeep.prune(arguments.runs, arguments.keep):
        print(run)
    return 0


def add_to(commands: Any) -> None:
    """Add the commands that look at runs."""
    one = command(commands, report)
    one.add_argument("run", nargs="?", default=LATEST, metavar="RUN", help=f"{NAMED} (default)")
    add_runs(one)
    _add_formats(one).add_argument(
        "--html",
        type=Path,
        metavar="DIR",
        help="write a site that needs no server into DIR, with the history of the runs before",
    )

    one = command(commands, runs)
    add_runs(one)
    add_json(one)

    one = command(commands, compared, name="compare")
    one.add_argument(
        "old", nargs="?", default=f"{LATEST}~1", metavar="OLD", help=f"{NAMED} (default: latest~1)"
    )
    one.add_argument("new", nargs="?", default=LATEST, metavar="NEW", help="default: latest")
    add_runs(one)
    _add_formats(one)

    one = command(commands, history)
    one.add_argument("case", metavar="CASE", help="as in onnx/node/test_abs")
    one.add_argument("--variant", help="as in cpu (default: every variant)")
    add_runs(one)
    add_json(one)

    one = command(commands, merge)
    one.add_argument(
        "names", nargs="+", metavar="RUN", help=f"{NAMED}, or a folder with runs in or below it"
    )
    one.add_argument("--run", help="id of the run to make (default: a new one)")
    add_runs(one)

    one = command(commands, prune)
    one.add_argument("--keep", type=count, required=True, metavar="N", help="how many")
    add_runs(one)


def _add_formats(parser: argparse.ArgumentParser) -> argparse._MutuallyExclusiveGroup:
    group = parser.add_mutually_exclusive_group()
    add_json(group)
    group.add_argument(
        "--markdown", action="store_true", help="print Markdown that fits a CI job's summary"
    )
    return group


def _is_known(arguments: argparse.Namespace, run: Run) -> Callable[[CaseResult], bool]:
    """Return what says of a result of a run whether the baseline has it so."""
    baselines = all_known_of(run.cells.values(), arguments.matrix.parent)

    def is_known(result: CaseResult) -> bool:
        expectation = baselines[result.cell].of_result(result)
        return expectation is not None and not judge(result, expectation).needs_attention

    return is_known


def _tell_refused(archive: Archive) -> None:
    for line in archive.refused:
        tell(line)
