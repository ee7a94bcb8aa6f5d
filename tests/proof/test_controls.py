"""Builds that are known to be bad are caught by the suites as they are; their neighbours pass."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from harness.controller.cell import CellUnderTest
from harness.results import CellState
from harness.selection import the_case
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from _pytest.mark.structures import ParameterSet

    from harness.results import CaseResult
    from tests.proof.conftest import Bench, Caught


@dataclass(frozen=True, kw_only=True)
class Control:
    """A fault that is known from elsewhere, and the case that must see it."""

    about: str
    case: str
    seen: Outcome
    bad: tuple[str, ...]
    good: tuple[str, ...] = ()


CONTROLS = (
    Control(
        about="AveragePool counts padding wrongly (issue 26708)",
        case="regressions/average_pool_counts_padding",
        seen=Outcome.FAIL,
        bad=("cpu-1.21.1", "cpu-1.24.4"),
        good=("cpu-1.20.1", "cpu-1.25.1"),
    ),
)


def on_cells(cells: Callable[[Control], tuple[str, ...]]) -> list[ParameterSet]:
    """Return each control with each of its cells."""
    return [
        pytest.param(control, cell, id=f"{cell}-{control.case}")
        for control in CONTROLS
        for cell in cells(control)
    ]


def observed(bench: Bench, cell_name: str, case_id: str) -> CaseResult:
    """Return what is observed of a case on a cell."""
    cell, suite = bench.matrix.cell(cell_name), case_id.partition("/")[0]
    case = the_case(bench.suites.cases(suite), case_id)
    opened = CellUnderTest.open(cell, bench.sources)
    try:
        assert opened.record.state is not CellState.BROKEN, opened.record.reason
        return opened.execute(suite, case, bench.matrix.limits(cell, suite))
    finally:
        opened.close()


@pytest.mark.parametrize(("control", "cell"), on_cells(lambda control: control.bad))
def test_a_bad_build_is_caught(
    control: Control, cell: str, bench: Bench, caught: list[Caught]
) -> None:
    """The case that must see the fault does, with the outcome that it has."""
    began = time.perf_counter()

    result = observed(bench, cell, control.case)

    assert result.outcome is control.seen, result.evidence
    seconds = f"{time.perf_counter() - began:.1f}"
    caught.append((control.about, cell, f"{control.case}: {result.outcome}", seconds))


@pytest.mark.parametrize(("control", "cell"), on_cells(lambda control: control.good))
def test_a_good_neighbour_passes(control: Control, cell: str, bench: Bench) -> None:
    """The same case on a build without the fault says so."""
    result = observed(bench, cell, control.case)

    assert result.outcome is Outcome.PASS, result.evidence
