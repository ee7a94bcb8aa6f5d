"""Which operator cases can be generated, what they cover, and the cases themselves as files."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from harness.cli.arguments import (
    add_json,
    add_wheelhouse,
    command,
    seed,
    show,
    show_json,
    sources_of,
    tell,
)
from harness.cli.drawing import add_cases, drawn, request_deadline_s, usable
from harness.corpus.generated.keeping import keep_case
from harness.generate.cases import check_drawn
from harness.generate.description import Kind
from harness.matrix import read_matrix
from harness.sweeping.fuzz import ONCE
from harness.sweeping.observing import sights
from harness.triage.generated.coverage import LEAST_ACCEPTED, LEAST_OPERATORS, coverage

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from harness.corpus.generated.record import Packed
    from harness.triage.generated.coverage import Coverage
    from harness.triage.generated.sights import Sight

CASES = 10_000
SEED = 1
"""As `sweep` has it, which then finds the cases made already."""


def generate(arguments: argparse.Namespace) -> int:
    """Show what generated cases cover, write them out, or count what a build accepts of them."""
    check_drawn(arguments.ops)
    cache = sources_of(arguments).cache
    cases = drawn(arguments.ops, arguments.seed, arguments.cases, cache)
    if arguments.to is not None:
        for case in cases:
            keep_case(case, arguments.to / _name(case), case.asked.outputs, case.asked.data)
        tell(f"{len(cases):,} cases written to {arguments.to}")
    seen = _sights(arguments, cases) if arguments.coverage else None
    found = coverage(cases, seen)
    if arguments.json:
        show_json(
            {
                "seed": arguments.seed,
                "cases": [_case_json(case) for case in cases],
                "cell": arguments.coverage,
                "coverage": found.to_json(),
            }
        )
    else:
        show(_parts(found, asked=seen is not None))
    return int(bool(arguments.coverage) and not arguments.ops and not found.is_enough)


def _sights(arguments: argparse.Namespace, cases: Sequence[Packed]) -> list[Sight]:
    matrix = read_matrix(arguments.matrix)
    cell = matrix.cell(arguments.coverage)
    deadline_s = request_deadline_s(matrix, cell)
    with (
        usable(cell, sources_of(arguments)) as opened,
        tempfile.TemporaryDirectory(prefix="ort-matrix-generate-") as folder,
    ):
        return sights(opened, cases, Path(folder), deadline_s=deadline_s, manner=ONCE)


def _name(case: Packed) -> str:
    """Return a case's folder: its description without what a file system may refuse."""
    return "".join(c if c.isalnum() or c in ".-" else "_" for c in case.description)


def _case_json(case: Packed) -> dict[str, Any]:
    data = case.to_json()
    del data["asked"]
    return data


def _parts(found: Coverage, *, asked: bool) -> Iterator[Table | Text]:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("operator", no_wrap=True)
    for name in (*Kind, *(["accepted"] if asked else [])):
        table.add_column(name, justify="right")
    table.add_column("attributes, with how many values", overflow="fold")
    for one in found.operators:
        counts = [Text(str(one.kinds.get(kind, 0) or "·")) for kind in Kind]
        if asked:
            counts.append(_against(str(one.accepted or "·"), reached=one.accepted > 0))
        attributes = Text(", ").join(
            Text(f"{name} {values}", style="red" if name in one.never_varied else "")
            for name, values in one.values.items()
        )
        table.add_row(one.operator, *counts, attributes)
    yield table
    yield from _totals(found, asked=asked)


def _totals(found: Coverage, *, asked: bool) -> Iterator[Text]:
    if not asked:
        yield Text(f"{found.valid:,} valid cases of {len(found.operators)} operators and chains")
        return
    share = found.accepted / (found.valid or 1)
    yield _against(
        f"{found.operators_accepted} operators of ai.onnx and ai.onnx.ml have accepted valid cases "
        f"(wanted: {LEAST_OPERATORS})",
        reached=found.operators_accepted >= LEAST_OPERATORS,
    )
    yield _against(
        f"{found.accepted:,} of {found.valid:,} valid cases are accepted: {share:.0%} "
        f"(wanted: {LEAST_ACCEPTED:.0%})",
        reached=share >= LEAST_ACCEPTED,
    )
    never = ", ".join(found.never_varied) or "none"
    yield _against(f"attributes that never vary: {never}", reached=not found.never_varied)


def _against(text: str, *, reached: bool) -> Text:
    return Text(text, style="" if reached else "red")


def add_to(commands: Any) -> None:
    """Add the command that shows what is generated."""
    one = command(commands, generate)
    one.add_argument(
        "ops",
        nargs="*",
        metavar="OPERATOR",
        help="as in Conv or ai.onnx.ml.Scaler (default: all)",
    )
    one.add_argument("--seed", type=seed, default=SEED, metavar="S", help=f"default: {SEED}")
    add_cases(one, CASES)
    one.add_argument(
        "--to",
        type=Path,
        metavar="DIR",
        help="write each case as a folder in the ONNX test-data layout",
    )
    one.add_argument(
        "--coverage",
        metavar="CELL",
        help="count what this cell accepts; with all operators: fail where that is not enough",
    )
    add_wheelhouse(one)
    add_json(one)
