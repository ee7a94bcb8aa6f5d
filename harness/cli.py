"""The command line: the only module that prints errors or ends the process."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from harness.baseline import BASELINES, baselines_of
from harness.controller.cell import CellUnderTest
from harness.corpus.onnx_suite import onnx_cases
from harness.corpus.operators import operators_of
from harness.corpus.zoo import read_zoo
from harness.environments.host import why_not_runnable
from harness.environments.interpreter import cache_root, observe_host
from harness.environments.sources import Sources
from harness.environments.wheelhouse import fill_wheelhouse
from harness.errors import (
    INTERRUPTED,
    ConfigurationError,
    EnvironmentUnusableError,
    HarnessError,
)
from harness.matrix import default_python, read_matrix
from harness.properties.search import EXAMPLES, Profile, Search
from harness.report import summary, terminal
from harness.report.html import site
from harness.report.html.past import past_of
from harness.results import CellState
from harness.selection import the_case
from harness.store.archive import Archive
from harness.store.names import LATEST
from harness.store.run import read_run
from harness.suites import VERSIONS, Suites
from harness.triage.compare import compare
from harness.verdicts import judge
from harness.wire.catalogue.procedures import PROBE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from rich.table import Table
    from rich.text import Text

    from harness.matrix import Cell
    from harness.report.summary import CellSummary
    from harness.store.run import Run

PROBE_DEADLINE_S = 120.0
BUILT_AND_RUN_WITH = ("editables", "hatchling", "nox")
"""What this project needs besides its dependencies: to be installed, and to run its suites."""


def main() -> NoReturn:
    """Run the command line and end the process with the exit code that README.md lists."""
    sys.exit(run(sys.argv[1:]))


def run(argv: Sequence[str]) -> int:
    """Carry out one command and return its exit code; whatever is wrong is told in one line."""
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.command(arguments))
    except HarnessError as error:
        print(f"ort-matrix: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("ort-matrix: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        sys.stderr.close()
        return 0


def matrix(arguments: argparse.Namespace) -> int:
    """List the cells of matrix.toml and why one is not runnable here."""
    read = read_matrix(arguments.matrix)
    host = observe_host(read)
    cells = [
        {
            "cell": cell.id,
            "variant": cell.variant.name,
            "release": cell.build.release,
            "python": cell.python,
            "device": cell.variant.device,
            "tags": list(cell.variant.tags),
            "suites": list(cell.variant.suites),
            "runner": list(cell.variant.runner),
            "chosen": cell.python == default_python(cell.build),
            "not_runnable": why_not_runnable(cell, host),
        }
        for cell in read.cells()
    ]
    if arguments.json:
        print(json.dumps({"cells": cells}, indent=2))
    else:
        _show([terminal.cells_table(cells)])
    return 0


def probe(arguments: argparse.Namespace) -> int:
    """Show what a cell's build offers: providers, opsets, IR version, who owns it."""
    read = read_matrix(arguments.matrix)
    cell = read.cell(arguments.cell)
    with _usable(cell, _sources(arguments)) as opened:
        offered = opened.ask(PROBE, {}, PROBE_DEADLINE_S).evidence.answer
    found = {**opened.record.to_json(), **offered}
    if arguments.json:
        print(json.dumps(found, indent=2))
    else:
        print("\n".join(terminal.probe_lines(found)))
    return 0


def case(arguments: argparse.Namespace) -> int:
    """Run one case on one cell and show everything that was seen of it."""
    read = read_matrix(arguments.matrix)
    cell = read.cell(arguments.cell)
    sources = _sources(arguments)
    root = arguments.matrix.parent
    search = Search.of(Profile(arguments.profile), root / EXAMPLES)
    suites = Suites(read, root, sources, search, arguments.corpus)
    suite = suites.suite_of(arguments.case)
    chosen = the_case(suites.cases(suite), arguments.case)
    if arguments.example:
        chosen = replace(chosen, arguments=_example(arguments.example))
    with _usable(cell, sources) as opened:
        result = opened.execute(suite, chosen, read.limits(cell, suite))
    expectation = baselines_of([opened.record], _baselines(arguments))[cell.id].of(result.case)
    verdict = judge(result, expectation)
    if arguments.json:
        print(json.dumps({**result.to_json(), "verdict": verdict}, indent=2))
    else:
        print("\n".join(terminal.evidence_lines(result)))
        print(f"  again: {terminal.reproduction(result)}")
        print(f"  verdict: {verdict}" + (f" ({expectation.reason})" if expectation else ""))
    return summary.verdict_exit_code(verdict)


def report(arguments: argparse.Namespace) -> int:
    """Show a finished run, by default the newest: as a table, as JSON or as a site."""
    run = read_run(arguments.runs, arguments.run)
    baselines = baselines_of(run.cells.values(), _baselines(arguments))
    cells = summary.summarise(run, baselines)
    if arguments.html:
        site.write_site(arguments.html, _material(arguments.runs, run, cells))
        print(arguments.html / "index.html")
    elif arguments.json:
        print(json.dumps(summary.to_json(run, cells), indent=2))
    else:
        _show(terminal.render_run(run, cells))
    return 0


def _material(runs: Path, run: Run, cells: list[CellSummary]) -> site.Material:
    """Return what the site of a run is made of; the run before it is what it is compared with."""
    with Archive(runs) as archive:
        past = past_of(archive, run.id)
    before = past.runs[-2].head.id if len(past.runs) > 1 else None
    here, there = VERSIONS["onnx"], run.suites.get("onnx", VERSIONS["onnx"])
    why = "" if here == there else f"The run had onnx {there}, here is {here}: not the same models."
    return site.Material(
        run=run,
        cells=cells,
        past=past,
        comparison=compare(read_run(runs, before), run) if before else None,
        operators={} if why else operators_of(onnx_cases(cache_root())),
        why_no_operators=why,
    )


def wheelhouse(arguments: argparse.Namespace) -> int:
    """Fill a folder with every wheel that the cells, the suites and this project need."""
    read = read_matrix(arguments.matrix)
    cells = [read.cell(name) for name in arguments.cells]
    zoo = read_zoo(arguments.matrix.parent / "models" / "zoo.toml")
    files = sorted({f"{model.package}=={model.version}" for model in zoo.models.values()})
    own = [*(metadata.requires("ort-matrix") or ()), *BUILT_AND_RUN_WITH]
    fill_wheelhouse(cells, arguments.to, own=own, files=files)
    print(arguments.to)
    return 0


def _example(text: str) -> dict[str, Any]:
    try:
        example = json.loads(text)
    except ValueError as error:
        raise ConfigurationError(f"--example: not JSON: {error}") from error
    if not isinstance(example, dict) or not example:
        raise ConfigurationError("--example: wanted a JSON object, as a failure prints it")
    return example


@contextlib.contextmanager
def _usable(cell: Cell, sources: Sources) -> Iterator[CellUnderTest]:
    """Give the cell under test, closed afterwards; raise EnvironmentUnusableError if BROKEN."""
    opened = CellUnderTest.open(cell, sources)
    try:
        if opened.record.state is CellState.BROKEN:
            raise EnvironmentUnusableError(f"{cell.id} is BROKEN: {opened.record.reason}")
        yield opened
    finally:
        opened.close()


def _baselines(arguments: argparse.Namespace) -> Path:
    folder: Path = arguments.matrix.parent / BASELINES
    return folder


def _sources(arguments: argparse.Namespace) -> Sources:
    return Sources(cache=cache_root(), wheelhouse=arguments.wheelhouse)


def _show(parts: Iterable[Table | Text]) -> None:
    print(terminal.as_text(parts, colour=sys.stdout.isatty()), end="")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ort-matrix",
        description="Tell whether builds of ONNX Runtime still do what they promised. "
        "The suites themselves are run with nox; these commands look at cells, cases and runs.",
    )
    parser.add_argument(
        "--matrix",
        type=Path,
        default=Path("matrix.toml"),
        help="the matrix file; models and baselines stand beside it (default: matrix.toml)",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    one = _command(commands, matrix)
    _add_json(one)

    one = _command(commands, probe)
    one.add_argument("cell", metavar="CELL", help="as in cpu, cpu-1.24.4 or cpu-1.24.4-py311")
    _add_wheelhouse(one)
    _add_json(one)

    one = _command(commands, case)
    one.add_argument("case", metavar="CASE", help="as in onnx/node/test_abs")
    one.add_argument("--cell", required=True, help="as in cpu, cpu-1.24.4 or cpu-1.24.4-py311")
    one.add_argument(
        "--corpus",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="a folder in the ONNX test-data layout that holds the case; may be repeated",
    )
    one.add_argument(
        "--profile",
        choices=[str(profile) for profile in Profile],
        default=str(Profile.CI),
        help="how the examples of a property are drawn: few and fixed, or many and random "
        "(default: ci)",
    )
    one.add_argument(
        "--example",
        metavar="JSON",
        help="ask only this example of a property (default: search)",
    )
    _add_wheelhouse(one)
    _add_json(one)

    one = _command(commands, report)
    one.add_argument("run", nargs="?", default=LATEST, metavar="RUN", help="default: the newest")
    one.add_argument("--runs", type=Path, default=Path("runs"), help="default: runs")
    one.add_argument(
        "--html",
        type=Path,
        metavar="DIR",
        help="write a site that needs no server into DIR, with the history of the runs before",
    )
    _add_json(one)

    one = _command(commands, wheelhouse)
    one.add_argument("cells", nargs="+", metavar="CELL", help="as in cpu or cuda-1.31.1-py311")
    one.add_argument("--to", type=Path, required=True, metavar="DIR", help="the folder to fill")
    return parser


def _command(
    commands: Any, command: Callable[[argparse.Namespace], int]
) -> argparse.ArgumentParser:
    about = (command.__doc__ or "").strip()
    one: argparse.ArgumentParser = commands.add_parser(
        command.__name__, help=about[0].lower() + about[1:].rstrip("."), description=about
    )
    one.set_defaults(command=command)
    return one


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")


def _add_wheelhouse(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--wheelhouse",
        type=Path,
        metavar="DIR",
        help="install from this folder of wheels, without any index (default: the index)",
    )
