"""New generated cases against one build under all oracles."""

from __future__ import annotations

import contextlib
import secrets
import tempfile
import time
from argparse import ArgumentTypeError
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.arguments import (
    add_json,
    add_wheelhouse,
    command,
    show_json,
    sources_of,
    tell,
)
from harness.cli.drawing import (
    add_amount,
    drawn,
    request_deadline_s,
    usable,
)
from harness.corpus.generated.keeping import keep_case
from harness.generate.cases import check_drawn
from harness.matrix import read_matrix
from harness.report import generated as told
from harness.sweeping.fuzz import Fuzz
from harness.sweeping.known import FOLDER, read_known, reason_for
from harness.triage.generated.disagreements import Oracle, causes

if TYPE_CHECKING:
    import argparse

    from harness.corpus.generated.record import Packed
    from harness.triage.generated.disagreements import Cause
    from harness.triage.generated.sights import Sight

CASES = 4_000
"""Of one round, which takes well under a minute."""

MOST_CASES = 100_000
"""Of a night: all are kept in memory until it is told what those that fail have in common."""

SEEDS = 2**31
REGRESSIONS = "fixtures/regressions"


@dataclass(kw_only=True)
class Night:
    """What was drawn and seen."""

    seed: int
    cases: list[Packed] = field(default_factory=list)
    sights: list[Sight] = field(default_factory=list)
    new: list[Cause] = field(default_factory=list)
    known: list[Cause] = field(default_factory=list)
    refusals: list[Cause] = field(default_factory=list)


def fuzz(arguments: argparse.Namespace) -> int:
    """Carry out new generated cases on one build and show what disagrees, dies or is not set."""
    check_drawn(arguments.ops)
    matrix = read_matrix(arguments.matrix)
    sources = sources_of(arguments)
    cell = matrix.cell(arguments.cell)
    root = arguments.matrix.parent
    known = read_known(root / FOLDER / f"{cell.variant.name}.toml", cell.build.release)
    night = Night(
        seed=secrets.randbelow(SEEDS) if arguments.seed == "random" else int(arguments.seed)
    )
    tell(f"seed {night.seed}")
    with contextlib.ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="ort-matrix-fuzz-")))
        against = matrix.cell(arguments.against) if arguments.against else None
        one = Fuzz(
            opened=held.enter_context(usable(cell, sources)),
            against=held.enter_context(usable(against, sources)) if against else None,
            deadline_s=request_deadline_s(matrix, cell),
        )
        _carry_out(arguments, one, night, folder)
        for cause in causes(night.cases, night.sights, lambda a, of: reason_for(known, a, of)):
            is_refusal = cause.oracle is Oracle.REFUSAL
            (night.known if cause.known else night.refusals if is_refusal else night.new).append(
                cause
            )
        night.new = _shown_again(one, night.new, folder)
        if arguments.keep:
            for cause in night.new:
                tell(f"kept in {_kept(cause, one, root / REGRESSIONS, folder)}")
    _show(arguments, night)
    return int(bool(night.new))


def _carry_out(arguments: argparse.Namespace, one: Fuzz, night: Night, folder: Path) -> None:
    """Carry out one round, or as many rounds of new seeds as there is time for.

    The reference evaluator's answers are not kept: nobody asks for these seeds again.
    """
    ends = time.monotonic() + 60 * (arguments.minutes or 0)
    seed = night.seed
    while not night.cases or (time.monotonic() < ends and len(night.cases) < MOST_CASES):
        cases = drawn(arguments, folder, seed)
        began = time.monotonic()
        night.sights += one.sights(cases, folder / str(seed))
        night.cases += cases
        took_s = time.monotonic() - began
        tell(f"seed {seed}: {len(cases):,} cases on {one.opened.cell.id} in {took_s:.1f} s")
        seed += 1


def _shown_again(one: Fuzz, found: list[Cause], folder: Path) -> list[Cause]:
    """Return the causes whose smallest case shows the same in a fresh process; tell the others."""
    kept = []
    for cause, shows in zip(found, one.shows_again(found, folder / "again"), strict=True):
        if shows:
            kept.append(cause)
        else:
            case = cause.smallest.case.description
            tell(f"does not show again alone: {cause.oracle}: {cause.sign}: generated/{case}")
    return kept


def _kept(cause: Cause, one: Fuzz, regressions: Path, folder: Path) -> Path:
    """Write a cause's smallest case with its right answer and return where."""
    case = cause.smallest.case
    name = "".join(c if c.isalnum() else "_" for c in f"generated_{case.description}")
    outputs, data = case.asked.outputs, case.asked.data
    if outputs is None and cause.oracle is Oracle.OPTIMISATION:
        seen = one.unoptimised(case, folder).seen
        outputs, data = (seen.outputs, seen.data) if seen is not None else (None, "")
    keep_case(case, regressions / name, outputs, data)
    return regressions / name


def _show(arguments: argparse.Namespace, night: Night) -> None:
    if arguments.json:
        parts = {"new": night.new, "known": night.known, "refusals": night.refusals}
        found = {name: [told.cause_json(one) for one in those] for name, those in parts.items()}
        count = len(night.cases)
        show_json({"cell": arguments.cell, "seed": night.seed, "cases": count, **found})
        return
    for cause in night.new:
        case = cause.smallest.case.description
        print("\n".join(told.cause_lines(cause)))
        print(f"    ort-matrix reduce generated/{case} --cell {arguments.cell}")
    print(
        f"{len(night.new)} causes over {len(night.cases):,} cases; {len(night.known)} known; "
        f"{len(night.refusals)} refusals of valid cases at run, which --json shows"
    )


def _seed(text: str) -> str:
    if text != "random" and not text.isdecimal():
        raise ArgumentTypeError(f"'{text}' is no seed: a whole number, or random")
    return text


def add_to(commands: Any) -> None:
    """Add the command of the nights."""
    one = command(commands, fuzz)
    one.add_argument("--cell", required=True, help="as in cpu, cpu-1.24.4 or cpu-1.24.4-py311")
    one.add_argument("--against", metavar="CELL", help="let another cell vote as well")
    one.add_argument(
        "--seed", type=_seed, default="random", metavar="S", help="default: random, and told"
    )
    one.add_argument(
        "--keep",
        action="store_true",
        help=f"write the smallest case of each new cause into {REGRESSIONS}",
    )
    add_amount(one, CASES)
    add_wheelhouse(one)
    add_json(one)
