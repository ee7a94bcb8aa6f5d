"""A failing case made small: the smallest model that fails alike, and a folder that shows it."""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.arguments import add_json, add_wheelhouse, command, show_json, sources_of, tell
from harness.cli.subject import add_subject, the_subject
from harness.corpus.reference import Evaluator
from harness.errors import ConfigurationError
from harness.matrix import read_matrix
from harness.probing import Probes
from harness.reducing.smallest import Smallest, reduce_from
from harness.reducing.start import Bench, of_cell, started
from harness.reducing.written import reduction_json, write_reproducer, write_smallest

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from harness.triage.graph_passes.candidate import Candidate
    from harness.triage.reduction import Step

MINUTES = 5.0
EVERY_S = 2.0
"""How often progress is told where it is no terminal that it is told on."""


def reduce(arguments: argparse.Namespace) -> int:
    """Find the smallest ONNX model, inputs and attributes that fail as a case does on a cell."""
    with _smallest(arguments) as smallest:
        if arguments.to:
            write_smallest(smallest, arguments.to)
        found = reduction_json(smallest)
    if arguments.json:
        show_json(found)
    else:
        print("\n".join(_lines(found, arguments.to)))
    return 0


def repro(arguments: argparse.Namespace) -> int:
    """Write a folder that shows a failure with nothing of ours, once it was seen to show it."""
    bisected = [_read_json(file) for file in arguments.bisected]
    sources = sources_of(arguments)
    with _smallest(arguments) as smallest:
        hello = smallest.start.opened.record.hello
        assert hello is not None, "a cell without a hello is BROKEN, and was refused"
        tell(f"running the reproducer of {smallest.candidate.about} in an environment of its own")
        said = write_reproducer(
            smallest, arguments.to, sources, numpy=hello.numpy, bisected=bisected
        )
        found = {**reduction_json(smallest), "folder": str(arguments.to), "said": said}
    if arguments.json:
        show_json(found)
    else:
        print(f"{arguments.to}: {said}")
    return 0


def _read_json(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{file}: not what bisect --json prints: {error}") from error
    if not isinstance(found, dict):
        raise ConfigurationError(f"{file}: not what bisect --json prints: wanted an object")
    return found


@contextlib.contextmanager
def _smallest(arguments: argparse.Namespace) -> Iterator[Smallest]:
    """Give what the arguments' case is reduced to, with the cells still open."""
    matrix, sources = read_matrix(arguments.matrix), sources_of(arguments)
    cell = matrix.cell(arguments.cell)
    with (
        tempfile.TemporaryDirectory(prefix="ort-matrix-") as files,
        Probes(matrix, sources) as probes,
        Evaluator() as evaluator,
    ):
        bench = Bench(probes=probes, matrix=matrix, evaluator=evaluator, files=Path(files))
        against = of_cell(matrix.cell(arguments.against), bench) if arguments.against else None
        subject = the_subject(arguments, matrix, sources)
        start = started(subject, cell, bench, against)
        right = start.same.trial.right
        tell(f"{subject.case.id} on {cell.id}: {start.same.wanted}")
        if right is not None:
            tell(f"what is right of each smaller model is what {right.reference.name} answers")
        with _progress() as told:
            yield reduce_from(start, sources.cache, seconds=60 * arguments.minutes, tell=told)


@contextlib.contextmanager
def _progress() -> Iterator[Any]:
    """Give what tells the steps of a reduction in one line on a terminal, else now and then."""
    on_terminal, last = sys.stderr.isatty(), [time.monotonic()]

    def told(step: Step[Candidate]) -> None:
        line = f"{step.name}: {step.case.about}; {step.tried} tried, {step.taken} taken"
        if on_terminal:
            print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)
        elif time.monotonic() - last[0] > EVERY_S:
            last[0] = time.monotonic()
            tell(line)

    try:
        yield told
    finally:
        if on_terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def _lines(found: dict[str, Any], to: Path | None) -> list[str]:
    sizes = f"{found['nodes_before']} nodes → {found['nodes']}"
    end = "" if found["finished"] else " (the time was over: ask again to go on)"
    tensors = f"{found['tensors']} tensors of {found['elements']} elements"
    return [
        f"{found['case']} on {found['cell']}: {found['signature']}",
        f"  {sizes}, {tensors}; {found['tried']} tried in {found['seconds']} s{end}",
        *([f"  right is what {found['right']} answers"] if found["right"] else []),
        *(f"  {line}" for line in found["text"].splitlines()),
        *([f"  {to}"] if to else []),
    ]


def _minutes(text: str) -> float:
    minutes = float(text)
    if not minutes > 0:
        raise ValueError
    return minutes


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


def _add_reduction(one: argparse.ArgumentParser) -> None:
    add_subject(one)
    one.add_argument("--cell", required=True, help="as in cpu, cpu-1.24.4 or cpu-1.24.4-py311")
    one.add_argument(
        "--minutes",
        type=_minutes,
        default=MINUTES,
        metavar="M",
        help=f"stop after so long; the same command goes on from there (default: {MINUTES:g})",
    )
    add_wheelhouse(one)
    add_json(one)
