"""A run becomes numbers that hide no outage, and one exit code."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.baseline import Baseline, Expectation
from harness.report.summary import CellSummary, exit_code, summarise, to_json, verdict_exit_code
from harness.results import CaseResult, CellRecord, CellState
from harness.store.run import Run
from harness.verdicts import Verdict
from harness.wire.messages import Evidence
from harness.wire.outcomes import Outcome

PASS, FAIL, CRASH = Outcome.PASS, Outcome.FAIL, Outcome.CRASH
FAULT, NOT_TESTED = Outcome.HARNESS_FAULT, Outcome.NOT_TESTED
READY, BROKEN, NO_DEVICE = CellState.READY, CellState.BROKEN, CellState.NO_DEVICE
NOTHING_KNOWN = Baseline(())


def a_cell(name: str = "cpu", state: CellState = READY, reason: str = "") -> CellRecord:
    """Return the record of a cell."""
    return CellRecord(
        cell=name,
        variant=name.partition("-")[0],
        release="1.32.0",
        python="3.11",
        device="CPU",
        state=state,
        reason=reason,
    )


def a_result(
    case: str, outcome: Outcome, *, cell: str = "cpu", again: Outcome | None = None
) -> CaseResult:
    """Return the result of a case, whose suite is what its id begins with."""
    suite = case.partition("/")[0]
    return CaseResult(
        cell=cell, suite=suite, case=case, outcome=outcome, duration_s=0.1, again=again
    )


def a_run(*records: CellRecord | CaseResult) -> Run:
    """Return a run of these cells and results."""
    run = Run(id="20260101-000000-aaaa", folder=Path("runs/20260101-000000-aaaa"))
    for record in records:
        if isinstance(record, CellRecord):
            run.cells[record.cell] = record
        else:
            run.results[record.cell, record.case] = record
    return run


def summaries(run: Run, *expectations: Expectation) -> list[CellSummary]:
    """Return the run's cells, judged by the same expectations everywhere."""
    return summarise(run, dict.fromkeys(run.cells, Baseline(expectations)))


def known(pattern: str, *outcomes: Outcome) -> Expectation:
    """Return what is known of a case."""
    return Expectation(pattern=pattern, outcomes=outcomes, reason="r", place="p")


def outcomes(name: str, *seen: Outcome) -> list[CaseResult]:
    """Return a result per outcome, on one cell."""
    return [a_result(f"onnx/{at}", outcome, cell=name) for at, outcome in enumerate(seen)]


def test_outcomes_and_verdicts_are_counted_by_cell_and_suite() -> None:
    """Each result counts once, where it was seen, and is judged by what was known of it."""
    run = a_run(
        a_cell("cpu"),
        a_cell("openvino"),
        a_result("onnx/a", PASS),
        a_result("onnx/b", FAIL),
        a_result("onnx/c", FAIL),
        a_result("models/a", PASS),
        a_result("onnx/a", CRASH, cell="openvino", again=PASS),
    )

    cpu, openvino = summaries(run, known("onnx/b", FAIL))

    assert dict(cpu.suites["onnx"].outcomes) == {PASS: 1, FAIL: 2}
    assert dict(cpu.suites["onnx"].verdicts) == {
        Verdict.EXPECTED: 1,
        Verdict.KNOWN_FAILURE: 1,
        Verdict.UNEXPECTED_FAILURE: 1,
    }
    assert dict(cpu.suites["models"].outcomes) == {PASS: 1}
    assert [judged.result.case for judged in cpu.attention] == ["onnx/c"]
    assert dict(openvino.suites["onnx"].outcomes) == {CRASH: 1}
    assert dict(openvino.suites["onnx"].verdicts) == {Verdict.FLAKY: 1}


def test_each_cell_is_judged_by_its_own_baseline() -> None:
    """What is known of one variant excuses no other."""
    run = a_run(
        a_cell("cpu"),
        a_cell("cuda"),
        a_result("onnx/a", FAIL, cell="cpu"),
        a_result("onnx/a", FAIL, cell="cuda"),
    )

    cpu, cuda = summarise(run, {"cpu": Baseline([known("onnx/a", FAIL)]), "cuda": NOTHING_KNOWN})

    assert dict(cpu.suites["onnx"].verdicts) == {Verdict.KNOWN_FAILURE: 1}
    assert dict(cuda.suites["onnx"].verdicts) == {Verdict.UNEXPECTED_FAILURE: 1}


def test_cells_come_in_the_order_of_their_names() -> None:
    """Two reports of one run are the same, whichever process wrote first."""
    run = a_run(a_cell("rocm"), a_cell("cpu"), a_cell("cuda"))

    found = summaries(run)

    assert [cell.record.cell for cell in found] == ["cpu", "cuda", "rocm"]


def test_only_what_is_about_the_build_was_tested() -> None:
    """A case that was not asked, and a fault of ours, are no test of the build."""
    run = a_run(a_cell(), *outcomes("cpu", *Outcome))

    (cell,) = summaries(run)

    assert cell.suites["onnx"].tested == len(Outcome) - 2


def test_a_suite_in_which_nothing_was_tested_is_no_success() -> None:
    """What needs no device may pass beside it: the suite that was not tested still counts."""
    run = a_run(
        a_cell("cpu", NO_DEVICE, "no driver"),
        a_result("fallback/a", PASS),
        a_result("onnx/a", NOT_TESTED),
    )

    found = exit_code(summaries(run))

    assert found == 4


def test_what_really_ran_on_the_asked_provider_is_counted() -> None:
    """A case counts where any node of it ran there; nodes count one by one."""
    ours, cpu = "OpenVINOExecutionProvider", "CPUExecutionProvider"
    placements: list[dict[str, int]] = [{ours: 3, cpu: 1}, {cpu: 4}, {}]
    results = [
        replace(a_result(f"onnx/{at}", PASS), evidence=Evidence(placement=placement))
        for at, placement in enumerate(placements)
    ]
    run = a_run(replace(a_cell(), device="OPENVINO_CPU"), *results)

    (cell,) = summaries(run)

    suite = cell.suites["onnx"]
    assert cell.asked_provider == ours
    assert (suite.placed, suite.placed_on_asked) == (2, 1)
    assert suite.nodes == {ours: 3, cpu: 5}


@pytest.mark.parametrize(
    ("state", "seen", "code"),
    [
        (READY, [PASS], 0),
        (READY, [PASS, NOT_TESTED], 0),
        (READY, [PASS, FAIL], 1),
        (READY, [CRASH], 1),
        (READY, [Outcome.UNSUPPORTED], 1),
        (READY, [], 3),
        (READY, [NOT_TESTED], 4),
        (READY, [PASS, FAULT], 5),
        (READY, [FAIL, FAULT], 5),
        (READY, [FAULT], 5),
        (READY, [NOT_TESTED, FAULT], 5),
        (NO_DEVICE, [NOT_TESTED, NOT_TESTED], 4),
        (NO_DEVICE, [], 3),
        (BROKEN, [], 4),
        (BROKEN, [PASS], 4),
        (BROKEN, [FAIL], 4),
        (BROKEN, [PASS, FAULT], 5),
    ],
)
def test_a_cell_ends_in_its_exit_code(state: CellState, seen: list[Outcome], code: int) -> None:
    """As expected, unexpected, nothing run, unusable or a fault of ours: the worst counts."""
    run = a_run(a_cell("cpu", state), *outcomes("cpu", *seen))

    found = exit_code(summaries(run))

    assert found == code


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        ({"a": [PASS], "b": [PASS]}, 0),
        ({"a": [PASS], "b": [FAIL]}, 1),
        ({"a": [FAIL], "b": [PASS]}, 1),
        ({"a": [PASS], "b": []}, 3),
        ({"a": [FAIL], "b": []}, 1),
        ({"a": [PASS], "b": [NOT_TESTED]}, 4),
        ({"a": [FAIL], "b": [NOT_TESTED]}, 4),
        ({"a": [], "b": [NOT_TESTED], "c": [FAIL]}, 4),
        ({"a": [FAULT, PASS], "b": [NOT_TESTED], "c": [FAIL], "d": []}, 5),
        ({}, 3),
    ],
)
def test_the_worst_cell_decides_the_exit_code(seen: dict[str, list[Outcome]], code: int) -> None:
    """No cell that did well hides one that did not, in whichever order they come."""
    results = [result for name, found in seen.items() for result in outcomes(name, *found)]
    run = a_run(*(a_cell(name) for name in seen), *results)

    found = summaries(run)

    assert exit_code(found) == exit_code(reversed(found)) == code


def test_a_known_failure_is_as_expected_and_an_unexpected_pass_is_not() -> None:
    """What the baseline says decides the exit code, in both directions."""
    failing = a_run(a_cell(), a_result("onnx/a", FAIL))
    passing = a_run(a_cell(), a_result("onnx/a", PASS))

    codes = [exit_code(summaries(run, known("onnx/a", FAIL))) for run in (failing, passing)]

    assert codes == [0, 1]


def test_every_verdict_has_its_exit_code() -> None:
    """One case alone ends in 0, 1 or 5."""
    wanted = {
        Verdict.EXPECTED: 0,
        Verdict.KNOWN_FAILURE: 0,
        Verdict.UNEXPECTED_FAILURE: 1,
        Verdict.UNEXPECTED_PASS: 1,
        Verdict.FLAKY: 1,
        Verdict.POISONED: 1,
        Verdict.NOT_TESTED: 0,
        Verdict.INCONCLUSIVE: 5,
    }

    found = {verdict: verdict_exit_code(verdict) for verdict in Verdict}

    assert found == wanted


def test_a_run_as_json_has_the_promised_shape() -> None:
    """Programs find each cell with the count of every outcome by its name, zeros included."""
    seen = (PASS, PASS, FAIL, Outcome.ERROR, Outcome.UNSUPPORTED, CRASH, Outcome.TIMEOUT)
    run = a_run(a_cell("cpu"), *outcomes("cpu", *seen, NOT_TESTED, NOT_TESTED, NOT_TESTED))
    cells = summaries(run, known("onnx/2", FAIL))

    found = json.loads(json.dumps(to_json(run, cells)))

    assert found == {
        "run": "20260101-000000-aaaa",
        "complete": False,
        "cells": [
            {
                "cell": "cpu",
                "variant": "cpu",
                "release": "1.32.0",
                "python": "3.11",
                "asked_provider": "CPUExecutionProvider",
                "state": "READY",
                "reason": "",
                "suites": {
                    "onnx": {
                        "pass": 2,
                        "fail": 1,
                        "error": 1,
                        "fallback": 0,
                        "unsupported": 1,
                        "crash": 1,
                        "timeout": 1,
                        "not_tested": 3,
                        "harness_fault": 0,
                        "verdicts": {
                            "expected": 2,
                            "known_failure": 1,
                            "not_tested": 3,
                            "unexpected_failure": 4,
                        },
                        "placement": {"cases": 0, "cases_on_asked": 0, "nodes": {}},
                    }
                },
            }
        ],
    }


def test_an_outage_as_json_is_its_state_and_reason() -> None:
    """A cell without any result is there, with no suite and no zeros that look like an answer."""
    run = a_run(a_cell("cuda", BROKEN, "no driver"), a_cell("rocm", NO_DEVICE, "no /dev/kfd"))

    found = to_json(run, summaries(run))

    assert [(cell["state"], cell["reason"], cell["suites"]) for cell in found["cells"]] == [
        ("BROKEN", "no driver", {}),
        ("NO_DEVICE", "no /dev/kfd", {}),
    ]


def test_an_empty_run_is_an_empty_summary() -> None:
    """A run that was killed before its first cell is nothing selected, and no error."""
    run = a_run()

    cells = summaries(run)

    assert cells == []
    assert exit_code(cells) == 3
    assert to_json(run, cells) == {"run": run.id, "complete": False, "cells": []}


def test_a_result_of_a_cell_that_is_not_recorded_is_left_out() -> None:
    """Where a damaged line took the cell, its results cannot be judged; the damage is told."""
    run = a_run(a_cell("cpu"), a_result("onnx/a", PASS), a_result("onnx/a", PASS, cell="gone"))

    (cell,) = summaries(run)

    assert [judged.result.cell for judged in cell.judged] == ["cpu"]
