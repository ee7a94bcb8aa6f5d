"""Which generated cases a command carries out, and how many."""

from __future__ import annotations

import contextlib
import time
from argparse import ArgumentTypeError
from typing import TYPE_CHECKING

from harness.cli.arguments import count, positive, tell
from harness.controller.cell import CellUnderTest
from harness.errors import EnvironmentUnusableError
from harness.generate.cases import descriptions
from harness.results import CellState
from harness.sweeping.pack import packed_cases
from harness.sweeping.recording import SUITE

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from harness.corpus.generated.record import Packed
    from harness.environments.sources import Sources
    from harness.matrix import Cell, Matrix

PART_OF_A_DEADLINE = 3
"""Generated models are small: a request of many takes less than one case of other suites may."""

MOST_CASES = 100_000
"""All are kept in memory until it is told what they have in common."""

TOLD_S = 1.0
"""Who waits longer is told what for."""


def add_amount(one: argparse.ArgumentParser, cases: int) -> None:
    """Let a command take which cases, how many, and for how long."""
    one.add_argument(
        "--ops",
        nargs="+",
        default=[],
        metavar="OPERATOR",
        help="as in Conv or ai.onnx.ml.Scaler (default: all)",
    )
    add_cases(one, cases)
    one.add_argument(
        "--minutes",
        type=positive,
        metavar="M",
        help="stop after about so long (default: no limit)",
    )


def add_cases(one: argparse.ArgumentParser, cases: int) -> None:
    """Let a command take how many cases."""
    one.add_argument(
        "--cases", type=_cases, default=cases, metavar="N", help=f"how many (default: {cases})"
    )


def _cases(text: str) -> int:
    if (cases := count(text)) > MOST_CASES:
        raise ArgumentTypeError(f"'{text}' is too many: give 1 to {MOST_CASES}")
    return cases


def drawn(operators: Sequence[str], seed: int, cases: int, cache: Path) -> list[Packed]:
    """Return so many cases of the operators (none: of all), with the reference's answers."""
    began = time.monotonic()
    of_all = descriptions(operators, seed, cases)
    pack = packed_cases(list(of_all), cache)
    for lost in pack.lost:
        tell(f"{lost} cannot be made")
    if (took_s := time.monotonic() - began) > TOLD_S:
        tell(f"{len(pack.cases):,} cases made, with the reference's answers, in {took_s:.1f} s")
    return list(pack.cases)


def request_deadline_s(matrix: Matrix, cell: Cell) -> float:
    """Return how long a request of many cases may take on a cell."""
    return matrix.limits(cell, SUITE).deadline_s / PART_OF_A_DEADLINE


@contextlib.contextmanager
def usable(cell: Cell, sources: Sources) -> Iterator[CellUnderTest]:
    """Give the cell under test, closed afterwards; raise EnvironmentUnusableError if not READY."""
    opened = CellUnderTest.open(cell, sources)
    try:
        if opened.record.state is not CellState.READY:
            state, reason = opened.record.state, opened.record.reason
            raise EnvironmentUnusableError(f"{cell.id} is {state}: {reason}")
        yield opened
    finally:
        opened.close()
