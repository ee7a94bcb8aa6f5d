"""A failing case made small: the smallest model that fails alike, and a folder that shows it."""

from __future__ import annotations

import contextlib
import functools
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.arguments import (
    add_json,
    add_wheelhouse,
    command,
    positive,
    show_json,
    sources_of,
    tell,
)
from harness.cli.subject import add_subject, the_subject
from harness.corpus.reference import Evaluator
from harness.errors import ConfigurationError
from harness.matrix import read_matrix
from harness.probing import Probes
from harness.reducing import written
from harness.reducing.brought import Fails
from harness.reducing.showing import shown
from harness.reducing.smallest import Smallest, reduce_from
from harness.reducing.start import Bench, of_cell, started

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from harness.environments.sources import Sources
    from harness.reducing.references import Reference
    from harness.reducing.start import Start
    from harness.triage.graph_passes.candidate import Candidate
    from harness.triage.reduction import Step

MINUTES = 5.0
EVERY_S = 2.0
"""How often progress is told where it is no terminal that it is told on."""


def reduce(arguments: argparse.Namespace) -> int:
    """Find the smallest ONNX model, inputs and attributes that fail as a case does on a cell."""
    if arguments.to:
        written.refuse_others(arguments.to)  # before minutes are spent
    sources = sources_of(arguments)
    with _bench(arguments, sources) as bench:
        subject = the_subject(arguments, bench.matrix, sources)
        cell = bench.matrix.cell(arguments.cell)
        start = started(subject, cell, bench, _against(arguments, bench))
        smallest = _reduced(arguments, sources, start)
    if arguments.to:
        written.write_smallest(smallest, arguments.to)
    found = written.reduction_json(smallest)
    if arguments.json:
        show_json(found)
    else:
        print("\n".join(_lines(found, arguments.to)))
    return 0


def repro(arguments: argparse.Namespace) -> int:
    """Write a folder that shows a failure with nothing of ours, once it was seen to show it."""
    written.refuse_others(arguments.to)
    bisected = [_read_json(file) for file in arguments.bisected]
    sources = sources_of(arguments)
    with _bench(arguments, sources) as bench:
        subject = the_subject(arguments, bench.matrix, sources)
        cell = bench.matrix.cell(arguments.cell)
        reduced = functools.partial(_reduced, arguments, sources)
        found = shown(subject, cell, bench, reduced, _against(arguments, bench))
        tell(f"running the reproducer of {subject.case.id} in a fresh environment")
        said = written.write_reproducer(found, arguments.to, sources, bisected)
    if arguments.json:
        about = {"case": subject.case.id, "cell": cell.id, **found.reduction}
        show_json({**about, "folder": str(arguments.to), "said": said})
    else:
        print(f"{arguments.to}: {said}")
    return 0


@contextlib.contextmanager
def _bench(arguments: argparse.Namespace, sources: Sources) -> Iterator[Bench]:
    matrix = read_matrix(arguments.matrix)
    with (
        tempfile.TemporaryDirectory(prefix="ort-matrix-") as files,
        Probes(matrix, sources) as probes,
        Evaluator() as evaluator,
    ):
        yield Bench(probes=probes, matrix=matrix, evaluator=evaluator, files=Path(files))


def _against(arguments: argparse.Namespace, bench: Bench) -> Reference | None:
    """Return the cell that is to be asked for right answers, where one is."""
    return of_cell(bench.matrix.cell(arguments.against), bench) if arguments.against else None


def _reduced(arguments: argparse.Namespace, sources: Sources, start: Start) -> Smallest:
    """Return what a case is reduced to, telling how it goes."""
    outcome, right = start.result.outcome, start.same.trial.right
    if arguments.fails and outcome not in Fails(arguments.fails).outcomes:
        raise ConfigurationError(
            f"{start.subject.case.id} on {start.cell.id}: --fails {arguments.fails}, but it is "
            f"{outcome}: {start.same.wanted}"
        )
    tell(f"{start.subject.case.id} on {start.cell.id}: {start.same.wanted}")
    if right is not None:
        tell(f"what is right of each smaller model is what {right.reference.name} answers")
    with _progress() as told:
        return reduce_from(start, sources.cache, seconds=60 * arguments.minutes, tell=told)


@contextlib.contextmanager
def _progress() -> Iterator[Any]:
    """Give what tells the steps of a reduction in one line on a terminal, else now and then."""
    on_terminal, last = sys.stderr.isatty(), time.monotonic()

    def told(step: Step[Candidate]) -> None:
        nonlocal last
        line = f"{step.name}: {step.case.about}; {step.tried} tried, {step.taken} taken"
        if on_terminal:
            print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)
        elif time.monotonic() - last > EVERY_S:
            last = time.monotonic()
            tell(line)

    try:
        yield told
    finally:
        if on_terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def _lines(found: dict[str, Any], to: Path | None) -> list[str]:
    sizes = f"{found['nodes_before']} nodes → {found['nodes']}"
    tensors = f"{found['tensors']} tensors of {found['elements']} elements"
    end = "" if found["finished"] else " (the time was over: ask again to go on)"
    return [
        f"{found['case']} on {found['cell']}: {found['signature']}",
        f"  {sizes}, {tensors}; {found['tried']} tried in {found['seconds']} s{end}",
        *([f"  right is what {found['right']} answers"] if found["right"] else []),
        *(f"  {line}" for line in found["text"].splitlines()),
        *([f"  {to}"] if to else []),
    ]


def _read_json(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{file}: not what bisect --json prints: {error}") from error
    if not isinstance(found, dict):
        raise ConfigurationError(f"{file}: not what bisect --json prints: wanted an object")
    return found


def _add_reduction(one: argparse.ArgumentParser) -> None:
    add_subject(one)
    one.add_argument("--cell", required=True, help="as in cpu, cpu-1.24.4 or cpu-1.24.4-py311")
    one.add_argument(
        "--minutes",
        type=positive,
        default=MINUTES,
        metavar="M",
        help=f"stop after so long; the same command goes on from there (default: {MINUTES:g})",
    )
    add_wheelhouse(one)
    add_json(one)


def add_to(commands: Any) -> None:
    """Add the commands that make failures small."""
    one = command(commands, reduce)
    _add_reduction(one)
    one.add_argument(
        "--to", type=Path, metavar="DIR", help="write the model, its inputs and outputs into DIR"
    )

    one = command(commands, repro)
    _add_reduction(one)
    one.add_argument("--to", type=Path, required=True, metavar="DIR", help="the folder to make")
    one.add_argument(
        "--bisected",
        type=Path,
        action="append",
        default=[],
        metavar="JSON",
        help="what bisect or attribute printed with --json, for the report; may be repeated",
    )
