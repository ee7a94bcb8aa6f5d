"""Every planted fault is seen by the family whose business it is."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fixtures.defects.planted import DEFECTS
from harness.controller.cell import CellUnderTest, Program
from harness.results import CellState
from harness.selection import select
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from fixtures.defects import Defect
    from tests.proof.conftest import Bench, Caught

ROOT = Path(__file__).parents[2]
OF_SUITES = {name: one for name, one in DEFECTS.items() if one.family != "generated"}
"""Those that cases must see; test_generated.py has those that oracles must."""
CELL = "cpu"


@pytest.mark.parametrize("defect", OF_SUITES.values(), ids=list(OF_SUITES))
def test_a_planted_fault_is_caught(
    defect: Defect, repeat: int, bench: Bench, caught: list[Caught]
) -> None:
    """One of the cases that must see it does."""
    cell, family = bench.matrix.cell(CELL), defect.family
    cases = select(bench.suites.cases(family), [defect.caught_by])
    program = Program(arguments=("-m", "fixtures.defects", defect.name), folder=ROOT)
    opened = CellUnderTest.open(cell, bench.sources, program)
    began = time.perf_counter()

    try:
        results = (
            opened.execute(family, case, bench.matrix.limits(cell, family)) for case in cases
        )
        seen = next((one for one in results if one.outcome in CAUGHT), None)
    finally:
        opened.close()

    assert cases, f"{defect.caught_by} matches no case"
    assert opened.record.state is CellState.READY, opened.record.reason
    assert seen is not None, f"{defect.about} None of {len(cases)} cases saw it, repeat {repeat}."
    seconds = f"{time.perf_counter() - began:.1f}"
    caught.append((defect.name, cell.id, f"{seen.case}: {seen.outcome}", seconds))


CAUGHT = (Outcome.FAIL, Outcome.ERROR, Outcome.FALLBACK, Outcome.CRASH, Outcome.TIMEOUT)


def test_every_defect_says_one_thing() -> None:
    """A defect is told in a sentence, and its name is used once."""
    abouts = [defect.about for defect in DEFECTS.values()]

    unfinished = [about for about in abouts if not about.endswith(".")]

    assert not unfinished
    assert len(set(abouts)) == len(abouts)
