"""Runs small enough to read, and what the site is made of, for the tests of its parts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.baseline import Baseline, Expectation
from harness.report.html.past import Past, PastRun
from harness.report.html.site import Material
from harness.report.summary import CellSummary, summarise
from harness.results import CaseResult, CellRecord, CellState
from harness.store.archive import LETTERS, NOTHING
from harness.store.compacted import RunHead
from harness.store.run import Run
from harness.triage.compare import compare
from harness.wire.messages import Evidence, FallbackStep, Mismatch
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CPU, OPENVINO = "cpu-1.32.0-py311", "openvino-1.24.1-py311"
ON_CPU, ON_OPENVINO = "CPUExecutionProvider", "OpenVINOExecutionProvider"
BEGUN = datetime(2026, 11, 24, 2, tzinfo=UTC)


def a_cell(cell: str = CPU, state: CellState = CellState.READY, reason: str = "") -> CellRecord:
    """Return the record of a cell."""
    variant, release, python = cell.split("-")
    device = {"openvino": "OPENVINO_CPU"}.get(variant, variant.upper())
    return CellRecord(
        cell=cell,
        variant=variant,
        release=release,
        python=f"{python[2]}.{python[3:]}",
        device=device,
        state=state,
        reason=reason,
    )


def a_result(
    case: str,
    outcome: Outcome = Outcome.PASS,
    *,
    cell: str = CPU,
    evidence: Evidence | None = None,
    **fields: Any,
) -> CaseResult:
    """Return the result of a case, whose suite is what its id begins with."""
    return CaseResult(
        cell=cell,
        suite=case.partition("/")[0],
        case=case,
        outcome=outcome,
        evidence=evidence or Evidence(),
        **{"duration_s": 0.01, **fields},
    )


def a_run(*records: CellRecord | CaseResult, name: str = "20261124-020000-aaaa") -> Run:
    """Return a run of these cells and results."""
    run = Run(id=name, folder=Path("runs", name))
    for record in records:
        if isinstance(record, CellRecord):
            run.cells[record.cell] = record
        else:
            run.results[record.cell, record.case] = record
    return run


def cells_of(run: Run, *expectations: Expectation) -> list[CellSummary]:
    """Return the cells of a run, judged by the same expectations everywhere."""
    return summarise(run, dict.fromkeys(run.cells, Baseline(expectations)))


def a_past(*runs: Run) -> Past:
    """Return the history of some runs, the oldest first, a day between them."""
    strips: dict[tuple[str, str], str] = {}
    durations: dict[tuple[str, str], list[float | None]] = {}
    for at, run in enumerate(runs):
        for key, result in run.results.items():
            strip = strips.get(key, NOTHING * len(runs))
            strips[key] = strip[:at] + LETTERS[result.outcome] + strip[at + 1 :]
            durations.setdefault(key, [None] * len(runs))[at] = result.duration_s
    return Past(
        runs=tuple(
            PastRun(
                head=RunHead.of(run),
                begun=BEGUN + timedelta(days=at),
                cells=run.cells,
                seconds={
                    cell: sum(one.duration_s for (of, _), one in run.results.items() if of == cell)
                    for cell in run.cells
                },
            )
            for at, run in enumerate(runs)
        ),
        tracks={cell: cell for cell in runs[-1].cells},
        strips=strips,
        durations=durations,
    )


def material(
    runs: Sequence[Run],
    *expectations: Expectation,
    operators: Mapping[str, Sequence[str]] | None = None,
) -> Material:
    """Return what the site of the last of some runs is made of."""
    return Material(
        run=runs[-1],
        cells=cells_of(runs[-1], *expectations),
        past=a_past(*runs),
        comparison=compare(runs[-2], runs[-1]) if len(runs) > 1 else None,
        operators=operators or {},
    )


def telling_runs() -> list[Run]:
    """Return two runs in which each part of the site has something to show."""
    wrong = Evidence(
        text="data set 0: y: 3 of 60 differ",
        stage="compare",
        placement={ON_CPU: 2},
        mismatches=(
            Mismatch(
                output="y",
                text="3 of 60 differ",
                largest_error=0.125,
                at=(0, 2),
                rtol_needed=0.5,
            ),
        ),
    )
    fell_back = Evidence(
        placement={ON_CPU: 1},
        fallback=(
            FallbackStep(
                attached="OpenVINO:CPU",
                provider=ON_OPENVINO,
                stage="creation",
                status="EP_FAIL",
                text="no such device",
            ),
        ),
    )
    died = Evidence(text="the worker died", signal="SIGSEGV", log="Fatal error\n  in Conv")
    old = a_run(
        a_cell(),
        a_result("onnx/node/test_abs"),
        a_result("onnx/node/test_conv"),
        a_result("onnx/node/test_div"),
        a_result("models/ocr"),
        name="20261123-020000-aaaa",
    )
    new = a_run(
        a_cell(),
        a_cell(OPENVINO),
        a_cell("rocm-1.22.2-py311", CellState.BROKEN, "libamdhip64.so.6 is missing"),
        a_result("onnx/node/test_abs", evidence=Evidence(placement={ON_CPU: 1})),
        a_result("onnx/node/test_conv", Outcome.FAIL, again=Outcome.FAIL, evidence=wrong),
        a_result("onnx/node/test_div", Outcome.CRASH, again=Outcome.CRASH, evidence=died),
        a_result("models/ocr", duration_s=1.5),
        a_result("onnx/node/test_abs", Outcome.FALLBACK, cell=OPENVINO, evidence=fell_back),
    )
    return [old, new]
