"""Runs, results and sightings made by hand, for tests of what is said about them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from harness.results import CaseResult, CellRecord, CellState, PartRecord
from harness.signatures import Signature
from harness.store.archive import Sighting
from harness.store.run import Run
from harness.wire.messages import Evidence
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

CPU = "cpu-1.32.0-py311"


def a_cell(name: str = CPU, state: CellState = CellState.READY, reason: str = "gone") -> CellRecord:
    """Return the record of a cell by its name."""
    variant, release, python = name.split("-")
    return CellRecord(
        cell=name,
        variant=variant,
        release=release,
        python=f"{python[2]}.{python[3:]}",
        device="CPU",
        state=state,
        reason="" if state is CellState.READY else reason,
    )


def a_result(  # noqa: PLR0913 - a row of a table of results
    case: str,
    outcome: Outcome = Outcome.PASS,
    *,
    cell: str = CPU,
    text: str = "",
    status: str = "",
    again: Outcome | None = None,
) -> CaseResult:
    """Return the result of a case."""
    lacks = text if outcome is Outcome.NOT_TESTED else ""
    return CaseResult(
        cell=cell,
        suite=case.partition("/")[0],
        case=case,
        outcome=outcome,
        duration_s=0.01,
        evidence=Evidence(text="" if lacks else text, requirement=lacks, status=status),
        again=again,
    )


def a_run(
    *results: CaseResult,
    name: str = "r",
    cells: Iterable[CellRecord] = (),
    suites: dict[str, str] | None = None,
) -> Run:
    """Return a run that came to its end; cells are those of the results unless they are given."""
    found = list(cells) or [a_cell(cell) for cell in {one.cell: None for one in results}]
    part = PartRecord(
        run=name,
        started="2026-01-01T00:00:00+00:00",
        harness="1",
        suites=suites or {},
        host="h",
    )
    return Run(
        id=name,
        folder=Path(name),
        begun=1,
        parts=[part],
        cells={cell.cell: cell for cell in found},
        results={(one.cell, one.case): one for one in results},
        ended=1,
    )


def sightings(
    letters: str, *, cells: Iterable[str] = (), versions: Iterable[str] = ()
) -> list[Sighting]:
    """Return what a case did night by night.

    A letter for each night: P passed, F failed, C crashed, N was not tested, ? failed and then
    passed. `cells` and `versions` (of the suite) are those of each night.
    """
    outcomes = {
        "P": Outcome.PASS,
        "F": Outcome.FAIL,
        "C": Outcome.CRASH,
        "N": Outcome.NOT_TESTED,
        "?": Outcome.FAIL,
    }
    names, suites = list(cells) or [CPU] * len(letters), list(versions) or ["1"] * len(letters)
    return [
        Sighting(
            run=f"night-{night}",
            started=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=night),
            track="cpu-py311",
            cell=names[night],
            variant="cpu",
            release=names[night].split("-")[1],
            suite="onnx",
            suite_version=suites[night],
            case="onnx/a",
            outcome=outcomes[letter],
            again=Outcome.PASS if letter == "?" else None,
            signature=Signature(outcome=outcomes[letter]),
            duration_s=0.01,
        )
        for night, letter in enumerate(letters)
    ]
