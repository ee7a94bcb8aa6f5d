"""A person sees every outage with its reason, what is unexpected, and all that was seen."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import fields
from typing import TYPE_CHECKING

import pytest

from harness.report.summary import Judged, SuiteSummary
from harness.report.terminal import (
    SHOWN,
    WIDTH,
    as_text,
    cells_table,
    evidence_lines,
    one_line,
    probe_lines,
    render_run,
    verdict_text,
)
from harness.results import CaseResult, CellState
from harness.verdicts import Verdict
from harness.wire.messages import Evidence, FallbackStep, Mismatch
from harness.wire.outcomes import Outcome
from tests.unit.test_summary import a_cell, a_result, a_run, known, summaries

if TYPE_CHECKING:
    from harness.baseline import Expectation
    from harness.store.run import Run

PLAIN = re.compile(r"\x1b\[[0-9;]*m")
COUNTS = re.compile(r"(\S+) +(\S+)((?: +(?:\d+|·)){11}) +(.+)")


def text_of(run: Run, *expectations: Expectation) -> str:
    """Return what a person reads of a run in a file."""
    return as_text(render_run(run, summaries(run, *expectations)), colour=False)


def a_seen(**what: object) -> CaseResult:
    """Return a result with this evidence."""
    return CaseResult(
        cell="cpu-1.32.0-py311",
        suite="onnx",
        case="onnx/a",
        outcome=Outcome.FAIL,
        duration_s=0.0125,
        evidence=Evidence(**what),  # type: ignore[arg-type]
    )


def test_the_table_has_a_row_per_cell_and_suite() -> None:
    """The counts stand in the order of the outcomes, with a dot for none, then the verdict."""
    seen = [Outcome.PASS, Outcome.PASS, Outcome.FAIL, Outcome.TIMEOUT]
    results = [a_result(f"onnx/{at}", outcome) for at, outcome in enumerate(seen)]
    run = a_run(a_cell(), *results, a_result("models/a", Outcome.PASS))

    lines = text_of(run, known("onnx/2", Outcome.FAIL)).splitlines()

    head = "cell suite pass fail fallback error unsupported crash timeout not tested "
    head += "harness fault cases on EP nodes on EP verdict"
    assert lines[0].split() == head.split()
    rows = [match.groups() for line in lines if (match := COUNTS.fullmatch(line.rstrip()))]
    assert [
        (cell, suite, " ".join(counts.split()), said) for cell, suite, counts, said in rows
    ] == [
        ("cpu", "models", "1 · · · · · · · · · ·", "as expected"),
        ("cpu", "onnx", "2 1 · · · · 1 · · · ·", "1 unexpected failure"),
    ]


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        ([Verdict.EXPECTED], "as expected"),
        ([Verdict.EXPECTED, Verdict.NOT_TESTED], "as expected"),
        ([Verdict.EXPECTED, Verdict.KNOWN_FAILURE, Verdict.KNOWN_FAILURE], "as expected, 2 known"),
        ([Verdict.KNOWN_FAILURE], "as expected, 1 known"),
        ([Verdict.NOT_TESTED, Verdict.NOT_TESTED], "not tested"),
        ([Verdict.UNEXPECTED_FAILURE, Verdict.KNOWN_FAILURE], "1 unexpected failure"),
        ([Verdict.UNEXPECTED_PASS, Verdict.FLAKY, Verdict.FLAKY], "2 flaky, 1 unexpected pass"),
        ([Verdict.INCONCLUSIVE, Verdict.EXPECTED], "1 inconclusive"),
    ],
)
def test_a_suite_has_its_verdict_in_words(verdicts: list[Verdict], said: str) -> None:
    """What needs a look is said alone; a suite of which nothing was tested is not as expected."""
    suite = SuiteSummary()
    suite.verdicts.update(verdicts)

    found = verdict_text(suite)

    assert found.plain == said


def test_a_broken_cell_is_told_with_its_reason() -> None:
    """An outage has a row, its whole reason, and no zeros."""
    reason = "the worker cannot start:\nImportError: " + "libcudart.so.12 " * 20
    run = a_run(a_cell("cuda", CellState.BROKEN, reason), a_cell("cpu"))

    lines = text_of(run).splitlines()

    assert lines[1].split() == ["cpu", "nothing", "run"]
    assert lines[2].split() == ["cuda", "BROKEN"]
    assert lines[3] == "cuda is BROKEN: the worker cannot start:"
    assert " ".join(lines[4:]).count("libcudart.so.12") == 20


@pytest.mark.parametrize("results", [[], [a_result("onnx/a", Outcome.NOT_TESTED, cell="rocm")]])
def test_a_cell_without_its_device_is_told_with_its_reason(results: list[CaseResult]) -> None:
    """Cases that were not asked are no pass, and the reason stands below, asked or not."""
    run = a_run(a_cell("rocm", CellState.NO_DEVICE, "this host has no /dev/kfd"), *results)

    lines = text_of(run).splitlines()

    said = "not tested" if results else "NO_DEVICE"
    assert lines[1].startswith("rocm ")
    assert lines[1].rstrip().endswith(f" {said}")
    assert lines[2] == "rocm is NO_DEVICE: this host has no /dev/kfd"


@pytest.mark.parametrize(("count", "more"), [(SHOWN, 0), (SHOWN + 1, 1), (SHOWN + 300, 300)])
def test_at_most_twenty_unexpected_results_are_listed(count: int, more: int) -> None:
    """The rest is counted, cell by cell; what is as expected is not listed."""
    results = [a_result(f"onnx/bad{at}", Outcome.FAIL) for at in range(count)]
    run = a_run(a_cell(), a_result("onnx/good", Outcome.PASS), *results)

    lines = text_of(run).splitlines()

    listed = [line for line in lines if line.startswith("UNEXPECTED_FAILURE cpu onnx/bad")]
    assert SHOWN == 20
    assert len(listed) == 20
    assert [line for line in lines if "more of" in line] == [f"… and {more} more of cpu"] * (
        more > 0
    )
    assert "onnx/good" not in "\n".join(lines)


def test_a_result_stands_in_one_line_with_what_was_seen() -> None:
    """Verdict, cell, case, outcome, the second try, and the first line of the finding."""
    said = Evidence(text="y differs\nin 3 elements", requirement="unused")
    result = CaseResult(
        cell="cpu",
        suite="onnx",
        case="onnx/a",
        outcome=Outcome.FAIL,
        duration_s=0,
        evidence=said,
        again=Outcome.PASS,
    )
    bare = a_result("onnx/b", Outcome.CRASH)

    lines = [
        one_line(Judged(result=result, expectation=None, verdict=Verdict.FLAKY)),
        one_line(Judged(result=bare, expectation=None, verdict=Verdict.UNEXPECTED_FAILURE)),
    ]

    assert lines == [
        "FLAKY cpu onnx/a: FAIL (then PASS) y differs",
        "UNEXPECTED_FAILURE cpu onnx/b: CRASH",
    ]


def test_a_long_finding_stays_in_its_line() -> None:
    """One unexpected result is one line in the list, however much was said of it."""
    seen = a_seen(text="é" * 1000)
    run = a_run(a_cell(seen.cell), seen)

    lines = text_of(run).splitlines()

    (line,) = [line for line in lines if line.startswith("UNEXPECTED_FAILURE")]
    assert len(line) == WIDTH
    assert line.endswith("…")


def test_damage_and_what_is_missing_are_told() -> None:
    """A run of which something is lost says so under its table, with where it lies."""
    run = a_run(a_cell(), a_result("onnx/a", Outcome.PASS))
    run.damage.append("p.jsonl:5: no end")

    lines = text_of(run).splitlines()

    assert "damaged line: p.jsonl:5: no end" in lines
    assert lines[-1] == f"run {run.id} (incomplete): {run.folder}"


def test_a_complete_run_is_not_called_incomplete() -> None:
    """A run that came to its end is told by its id and folder alone."""
    run = a_run(a_cell(), a_result("onnx/a", Outcome.PASS))
    run.begun = run.ended = 1

    lines = text_of(run).splitlines()

    assert lines[-1] == f"run {run.id}: {run.folder}"


def test_an_empty_run_is_shown() -> None:
    """A run that was killed before its first cell is a table without rows."""
    run = a_run()

    lines = text_of(run).splitlines()

    assert len(lines) == 2
    assert lines[1].startswith(f"run {run.id} (incomplete)")


def test_a_name_is_shown_as_it_is() -> None:
    """A corpus is named by its user: neither brackets nor colons are taken for a style."""
    case = "my[old]:x:/a"
    run = a_run(a_cell(), a_result(case, Outcome.FAIL))

    said = text_of(run)

    assert "my[old]:x: " in said
    assert f"cpu {case}: FAIL" in said


@pytest.mark.parametrize("columns", [1, 20, 80, 400])
def test_a_terminal_decides_the_width(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    """In a terminal no line is longer than it is wide, and colours are given out."""
    monkeypatch.setenv("COLUMNS", str(columns))
    result = a_seen(text="x" * 500)
    run = a_run(a_cell(result.cell), result)

    coloured = as_text(render_run(run, summaries(run)), colour=True)

    plain = PLAIN.sub("", coloured)
    assert plain != coloured
    assert max(len(line) for line in plain.splitlines()) <= columns


def test_a_file_is_as_wide_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written to a file depends on no terminal, and holds no colours."""
    result = a_seen(text="x" * 500)
    run = a_run(a_cell(result.cell), result)
    monkeypatch.setenv("COLUMNS", "20")

    narrow = text_of(run)
    monkeypatch.setenv("COLUMNS", "300")
    wide = text_of(run)

    assert narrow == wide
    assert "\x1b" not in narrow
    assert max(len(line) for line in narrow.splitlines()) == WIDTH


def test_everything_that_was_seen_is_shown() -> None:
    """Each field of the evidence, of a fallback step and of a mismatch stands in some line."""
    step = FallbackStep(
        attached="f-attached", provider="f-provider", stage="f-stage", status="f-st", text="f-text"
    )
    mismatch = Mismatch(
        output="m-output",
        text="m-text",
        largest_error=0.12345,
        at=(7, 8),
        rtol_needed=0.25,
        atol_needed=0.5,
    )
    texts = {one.name: f"its-{one.name}" for one in fields(Evidence) if one.type == "str"}
    what: dict[str, object] = {
        **texts,
        "fallback": (step,),
        "mismatches": (mismatch,),
        "answer": {"label": "a-cat"},
        "placement": {"an-ep": 77},
        "example": {"an-input": 78},
        "exit_status": 0,
    }

    said = "\n".join(evidence_lines(a_seen(**what)))

    shown = [*texts.values(), *(getattr(step, one.name) for one in fields(step))]
    shown += ["m-output", "m-text", "0.12345", "[7, 8]", "rtol 0.25", "atol 0.5", "label: a-cat"]
    shown += ["an-ep: 77", '"an-input": 78']
    shown += ["exit status: 0", "onnx/a on cpu-1.32.0-py311: FAIL in 12.5 ms"]
    assert [one for one in shown if one not in said] == []
    assert set(what) == {one.name for one in fields(Evidence)}


def test_what_was_not_seen_is_not_shown() -> None:
    """A result without evidence is one line."""
    result = a_seen()

    lines = list(evidence_lines(result))

    assert lines == ["onnx/a on cpu-1.32.0-py311: FAIL in 12.5 ms"]


def test_a_second_try_is_shown() -> None:
    """What a fresh worker gave is part of what was seen."""
    result = a_result("onnx/a", Outcome.FAIL, again=Outcome.PASS)

    lines = list(evidence_lines(result))

    assert lines[1:] == ["  again, alone on a fresh worker: PASS"]


def test_a_mismatch_without_figures_has_none() -> None:
    """Where shapes differ there is no error; where no tolerance helps, it is said."""
    shape = Mismatch(output="y", text="shape [1], wanted [2]")
    infinite = Mismatch(output="z", text="wrong", largest_error=float("inf"), at=None)

    lines = list(evidence_lines(a_seen(mismatches=(shape, infinite))))

    assert lines[1:] == [
        "  mismatch in y: shape [1], wanted [2]",
        "  mismatch in z: wrong",
        "    largest error inf at []",
        "    would have passed with no rtol alone, or no atol alone",
    ]


def test_the_matrix_is_a_table_with_reasons() -> None:
    """Each cell is a row that says whether it can run here, and if not why."""
    cell = {"cell": "cpu", "device": "CPU", "tags": ["default"], "suites": ["onnx", "models"]}
    reasons = (None, "no /dev/kfd here")
    rows: list[dict[str, object]] = [{**cell, "not_runnable": reason} for reason in reasons]

    lines = as_text([cells_table(rows)], colour=False).splitlines()

    assert [line.split(maxsplit=5)[-1].strip() for line in lines[1:]] == [
        "runnable",
        "no /dev/kfd here",
    ]


def test_a_probe_is_shown_whole() -> None:
    """State, owner, versions, providers and ranges each have a line."""
    found = {
        "cell": "cuda",
        "state": "NO_DEVICE",
        "reason": "no driver",
        "device": "CUDA",
        "providers": ["CUDAExecutionProvider", "CPUExecutionProvider"],
        "highest_ir": 12,
        "highest_opset": {"ai.onnx": 25, "ai.onnx.ml": 5},
        "hello": {"distributions": ["o==1"], "release": "1", "python": "3.11", "numpy": "2"},
    }

    lines = list(probe_lines(found))

    assert lines == [
        "cuda: NO_DEVICE: no driver",
        "  distribution: o==1",
        "  onnxruntime 1, Python 3.11, numpy 2",
        "  providers: CUDAExecutionProvider, CPUExecutionProvider",
        "  asked device: CUDA",
        "  highest IR version: 12",
        "  highest opset of ai.onnx: 25",
        "  highest opset of ai.onnx.ml: 5",
    ]


def test_a_run_is_rendered_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has neither a terminal nor COLUMNS gets the width that is documented."""
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr(shutil, "get_terminal_size", os.terminal_size)
    seen = a_seen(text="x" * 500)
    run = a_run(a_cell(seen.cell), seen)

    said = as_text(render_run(run, summaries(run)), colour=True)

    assert max(len(PLAIN.sub("", line)) for line in said.splitlines()) == WIDTH
