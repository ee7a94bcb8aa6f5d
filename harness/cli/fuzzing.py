"""New generated cases against one build under all oracles."""

from __future__ import annotations

import contextlib
import secrets
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.arguments import (
    add_json,
    add_runs,
    add_wheelhouse,
    command,
    seed,
    show_json,
    sources_of,
    tell,
)
from harness.cli.drawing import MOST_CASES, add_amount, drawn, request_deadline_s, usable
from harness.corpus.generated.keeping import keep_case
from harness.generate.cases import check_drawn
from harness.matrix import read_matrix
from harness.report import generated as told
from harness.store.names import new_run_id
from harness.store.run import PartWriter
from harness.sweeping.fuzz import Fuzz
from harness.sweeping.known import known_of, reason_for
from harness.sweeping.recording import SUITE, operator_results, record, suite_version
from harness.sweeping.sweep import FIRST, affordable
from harness.triage.generated.disagreements import Oracle, causes
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    import argparse

    from harness.corpus.generated.record import Packed
    from harness.results import CaseResult
    from harness.triage.generated.disagreements import Cause
    from harness.triage.generated.sights import Sight

CASES = 4_000
"""Of one round, which takes well under a minute."""

RANDOM = "random"
SEEDS = 2**31
REGRESSIONS = "fixtures/regressions"


@dataclass(kw_only=True)
class Night:
    """What was drawn and seen."""

    seed: int
    seconds: float = 0.0
    cases: list[Packed] = field(default_factory=list)
    sights: list[Sight] = field(default_factory=list)
    new: list[Cause] = field(default_factory=list)
    fleeting: set[str] = field(default_factory=set)
    """The operators of which all that is new did not show again alone."""
    known: list[Cause] = field(default_factory=list)
    refusals: list[Cause] = field(default_factory=list)

    def results(self, cell: str) -> list[CaseResult]:
        """Return what a run keeps: what did not show again is as a second try without it."""
        results = operator_results(cell, self.cases, self.sights, self.seconds)
        gone = {f"{SUITE}/{operator}" for operator in self.fleeting}
        return [replace(one, again=Outcome.PASS) if one.case in gone else one for one in results]


def fuzz(arguments: argparse.Namespace) -> int:
    """Carry out new generated cases on one build and show what disagrees, dies or is not set."""
    ends = arguments.minutes and time.monotonic() + 60 * arguments.minutes
    check_drawn(arguments.ops)
    matrix = read_matrix(arguments.matrix)
    sources = sources_of(arguments)
    cell = matrix.cell(arguments.cell)
    against = matrix.cell(arguments.against) if arguments.against else None
    root = arguments.matrix.parent
    known = known_of(cell.variant.name, cell.build.release, root)
    night = Night(seed=arguments.seed)
    tell(f"seed {night.seed}")
    run = new_run_id()
    with contextlib.ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="ort-matrix-fuzz-")))
        one = Fuzz(
            opened=held.enter_context(usable(cell, sources)),
            against=held.enter_context(usable(against, sources)) if against else None,
            deadline_s=request_deadline_s(matrix, cell),
        )
        suites = {SUITE: suite_version(night.seed, arguments.cases, arguments.minutes)}
        part = held.enter_context(PartWriter.open(arguments.runs, run, part="fuzz", suites=suites))
        try:
            _carry_out(arguments, one, night, folder, ends)
            for cause in causes(night.cases, night.sights, lambda a, of: reason_for(known, a, of)):
                is_refusal = cause.oracle is Oracle.REFUSAL
                kind = night.known if cause.known else night.refusals if is_refusal else night.new
                kind.append(cause)
            _show_again(one, night, folder)
        finally:
            record(part, one.opened.record, night.results(one.opened.cell.id))
        if arguments.keep:
            for cause in night.new:
                tell(f"kept in {_kept(cause, one, root / REGRESSIONS, folder)}")
    tell(f"run {run}: {arguments.runs / run}")
    _show(arguments, night, run)
    return int(bool(night.new))


def _carry_out(
    arguments: argparse.Namespace, one: Fuzz, night: Night, folder: Path, ends: float | None
) -> None:
    """Carry out one round, or as many rounds of new seeds as there is likely to be time for.

    The reference evaluator's answers are not kept: nobody asks for these seeds again.
    """
    seed, count = night.seed, arguments.cases if ends is None else min(FIRST, arguments.cases)
    while count:
        began = time.monotonic()
        cases = drawn(arguments.ops, seed, count, folder)
        night.sights += one.sights(cases, folder / str(seed))
        night.cases += cases
        now = time.monotonic()
        night.seconds += now - began
        tell(f"seed {seed}: {len(cases):,} cases on {one.opened.cell.id} in {now - began:.1f} s")
        if ends is None:
            return
        most = min(arguments.cases, MOST_CASES - len(night.cases))
        count = affordable(count, now - began, ends - now, most)
        seed += 1


def _show_again(one: Fuzz, night: Night, folder: Path) -> None:
    """Leave the new causes whose smallest case shows the same in a fresh process; tell the others.

    Where nothing new of an operator is left, its result in the run goes both ways.
    """
    shown = one.shows_again(night.new, folder / "again")
    found = list(zip(night.new, shown, strict=True))
    night.new = [cause for cause, shows in found if shows]
    for cause, shows in found:
        if not shows:
            case = cause.smallest.case.description
            tell(f"does not show again alone: {cause.oracle}: {cause.sign}: generated/{case}")
    night.fleeting = {cause.operator for cause, _ in found} - {one.operator for one in night.new}


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


def _show(arguments: argparse.Namespace, night: Night, run: str) -> None:
    if arguments.json:
        parts = {"new": night.new, "known": night.known, "refusals": night.refusals}
        found = {name: [told.cause_json(one) for one in those] for name, those in parts.items()}
        count = len(night.cases)
        about = {"run": run, "cell": arguments.cell, "seed": night.seed, "cases": count}
        show_json({**about, **found})
        return
    for cause in night.new:
        case = cause.smallest.case.description
        print("\n".join(told.cause_lines(cause)))
        other = f" --against {arguments.against}" if cause.oracle is Oracle.AGAINST else ""
        print(f"    ort-matrix reduce generated/{case} --cell {arguments.cell}{other}")
    print(
        f"{len(night.new)} causes over {len(night.cases):,} cases; {len(night.known)} known; "
        f"{len(night.refusals)} refusals of valid cases at run, which --json shows"
    )


def _seed(text: str) -> int:
    return secrets.randbelow(SEEDS) if text == RANDOM else seed(text)


def add_to(commands: Any) -> None:
    """Add the command of the nights."""
    one = command(commands, fuzz)
    one.add_argument("--cell", required=True, help="as in cpu, cpu-1.24.4 or cpu-1.24.4-py311")
    one.add_argument("--against", metavar="CELL", help="let another cell vote as well")
    one.add_argument(
        "--seed", type=_seed, default=RANDOM, metavar="S", help="default: random, and told"
    )
    one.add_argument(
        "--keep",
        action="store_true",
        help=f"write the smallest case of each new cause into {REGRESSIONS}",
    )
    add_amount(one, CASES)
    add_runs(one)
    add_wheelhouse(one)
    add_json(one)
