"""What is to be tested: cells, builds, single cases, and a folder of wheels for them."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.baseline import baselines_of
from harness.cli.arguments import (
    add_json,
    add_wheelhouse,
    baselines_folder,
    command,
    show,
)
from harness.controller.cell import CellUnderTest
from harness.corpus.zoo import read_zoo
from harness.environments.host import why_not_runnable
from harness.environments.interpreter import cache_root, observe_host
from harness.environments.sources import Sources
from harness.environments.wheelhouse import fill_wheelhouse
from harness.errors import ConfigurationError, EnvironmentUnusableError
from harness.matrix import Tag, default_python, read_matrix
from harness.properties.search import EXAMPLES, Profile, Property, Search
from harness.report import summary, terminal
from harness.report.build_matrix import BUILD_MATRICES
from harness.results import CellState
from harness.selection import the_case
from harness.suites import Suites
from harness.verdicts import judge
from harness.wire.catalogue.procedures import PROBE

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from harness.matrix import Cell

PROBE_DEADLINE_S = 120.0
BUILT_AND_RUN_WITH = ("editables", "hatchling", "nox")
"""What this project needs besides its dependencies: to be installed, and to run its suites."""


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
    elif arguments.format:
        chosen = [cell for cell in cells if cell["chosen"] and _has_tag(cell, arguments.tag)]
        print(json.dumps(BUILD_MATRICES[arguments.format](chosen)))
    else:
        show([terminal.cells_table(cells)])
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
        if not isinstance(chosen, Property):
            raise ConfigurationError(f"--example: {chosen.id} draws no examples")
        chosen = replace(chosen, arguments=_example(arguments.example))
    with _usable(cell, sources) as opened:
        result = opened.execute(suite, chosen, read.limits(cell, suite))
    expectation = baselines_of([opened.record], baselines_folder(arguments))[cell.id].of(
        result.case
    )
    verdict = judge(result, expectation)
    if arguments.json:
        print(json.dumps({**result.to_json(), "verdict": verdict}, indent=2))
    else:
        print("\n".join(terminal.evidence_lines(result)))
        print(f"  again: {terminal.reproduction(result)}")
        print(f"  verdict: {verdict}" + (f" ({expectation.reason})" if expectation else ""))
    return summary.verdict_exit_code(verdict)


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


def _has_tag(cell: dict[str, Any], tag: str | None) -> bool:
    return tag is None or tag in cell["tags"]


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


def _sources(arguments: argparse.Namespace) -> Sources:
    return Sources(cache=cache_root(), wheelhouse=arguments.wheelhouse)


def add_to(commands: Any) -> None:
    """Add the commands that look at cells and cases."""
    one = command(commands, matrix)
    one.add_argument(
        "--format",
        choices=sorted(BUILD_MATRICES),
        help="print what CI makes its jobs of, in one line: a job for each variant on its runner",
    )
    one.add_argument(
        "--tag",
        choices=[str(tag) for tag in Tag],
        help="with --format: only variants with this tag (default: all)",
    )
    add_json(one)

    one = command(commands, probe)
    one.add_argument("cell", metavar="CELL", help="as in cpu, cpu-1.24.4 or cpu-1.24.4-py311")
    add_wheelhouse(one)
    add_json(one)

    one = command(commands, case)
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
    add_wheelhouse(one)
    add_json(one)

    one = command(commands, wheelhouse)
    one.add_argument("cells", nargs="+", metavar="CELL", help="as in cpu or cuda-1.31.1-py311")
    one.add_argument("--to", type=Path, required=True, metavar="DIR", help="the folder to fill")
