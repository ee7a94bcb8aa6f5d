"""What the pages of the site show, before it becomes a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.report.html.case_pages import case_pages
from harness.report.html.groups import TONES, changed, not_passed, unexpected
from harness.report.html.headline import sentences
from harness.report.html.marks import MARKS, VERDICT_LETTERS
from harness.report.html.operators import operator_rows
from harness.report.html.overview import heat_map, legend, level, percent
from harness.report.html.timings import timings
from harness.results import CellState
from harness.triage.compare import compare
from harness.verdicts import Verdict
from harness.wire.messages import Evidence
from harness.wire.outcomes import Outcome
from tests.unit.site_material import (
    CPU,
    ON_CPU,
    ON_OPENVINO,
    OPENVINO,
    a_cell,
    a_past,
    a_result,
    a_run,
    cells_of,
    telling_runs,
)

if TYPE_CHECKING:
    from harness.results import CaseResult

PASS, FAIL, ERROR, CRASH = Outcome.PASS, Outcome.FAIL, Outcome.ERROR, Outcome.CRASH
FALLBACK, UNSUPPORTED, NOT_TESTED = Outcome.FALLBACK, Outcome.UNSUPPORTED, Outcome.NOT_TESTED


def results(*outcomes: Outcome, cell: str = CPU) -> list[CaseResult]:
    """Return a result for each outcome."""
    return [a_result(f"onnx/{at}", outcome, cell=cell) for at, outcome in enumerate(outcomes)]


def test_a_field_of_the_matrix_says_what_passed_and_what_ran_as_asked() -> None:
    """What was not tested counts in no share; where a node ran is told apart from what passed."""
    on_both = Evidence(placement={ON_OPENVINO: 3, ON_CPU: 1})
    run = a_run(
        a_cell(OPENVINO),
        a_result("onnx/a", cell=OPENVINO, evidence=on_both),
        a_result("onnx/b", FALLBACK, cell=OPENVINO, evidence=Evidence(placement={ON_CPU: 4})),
        a_result("onnx/c", NOT_TESTED, cell=OPENVINO),
    )

    (row,) = heat_map(cells_of(run)).rows

    (field,) = row.fields
    assert field is not None
    assert (field.passed, field.tested, field.untested, field.share) == (1, 2, 1, "50.0%")
    assert (field.cases_on_asked, field.nodes_on_asked, field.bar) == ("50.0%", "37.5%", 37.5)
    assert field.unexpected == 1
    assert row.asked == "OpenVINO"


def test_an_outage_is_never_a_share() -> None:
    """A broken cell has a reason in place of fields; one without its device has untested ones."""
    run = a_run(
        a_cell(CPU, CellState.BROKEN, "no canary"),
        a_cell(OPENVINO, CellState.NO_DEVICE, "no device"),
        a_result("onnx/a", NOT_TESTED, cell=OPENVINO),
    )

    broken, no_device = heat_map(cells_of(run)).rows

    assert broken.outage
    assert broken.reason == "no canary"
    assert not no_device.outage
    assert no_device.fields[0] is not None
    assert no_device.fields[0].level is None


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [(0, 0, ""), (0, 5, "0%"), (5, 5, "100%"), (9999, 10000, "99.9%"), (1, 9999, "0.1%")],
)
def test_only_all_is_a_hundred_percent(part: int, whole: int, said: str) -> None:
    """One failure in ten thousand is not rounded away."""
    assert percent(part, whole) == said


def test_every_colour_stands_in_the_legend() -> None:
    """Each level that a share can have is explained."""
    levels = {level(share / 100) for share in range(101)}

    assert [number for number, _ in legend()] == sorted(levels)


def test_what_changed_is_one_line_for_one_cause() -> None:
    """Cases that fail alike are one line, which says where and leads to each of them."""
    alike = Evidence(text="node 7 is bad", status="FAIL")
    old = a_run(a_cell(), *results(PASS, PASS, PASS), name="old")
    new = a_run(
        a_cell(),
        a_result("onnx/0", ERROR, evidence=alike),
        a_result("onnx/1", ERROR, evidence=alike),
    )
    new.selected[CPU, "onnx"] = 2

    lines = changed(compare(old, new), {"onnx/0", "onnx/1"})

    regressed, vanished = lines
    assert (regressed.kind, regressed.tone, regressed.count) == (
        "regressed",
        "bad",
        f"2 cases on {CPU}",
    )
    assert (regressed.mark.word, regressed.code, regressed.text) == (
        "error",
        "FAIL",
        "node N is bad",
    )
    assert all(one.href for one in regressed.shown)
    assert (vanished.kind, vanished.shown[0].href) == ("vanished", "")


def test_what_is_unexpected_leads_to_the_search_that_finds_it() -> None:
    """A line of what needs attention is a search for its outcome, its verdict and its cell."""
    run = a_run(a_cell(), *results(PASS, CRASH, CRASH))

    (line,) = unexpected(cells_of(run))

    assert line.kind == "unexpected failure"
    assert line.search == f"cases.html#outcome=C&verdict=u&cell={CPU}"


def test_a_cell_tells_known_failures_too() -> None:
    """What did not pass on a cell is told whether it was known or not, the most frequent first."""
    run = a_run(a_cell(), *results(PASS, CRASH, FAIL, FAIL))

    (cell,) = cells_of(run)

    assert [(line.mark.word, line.count) for line in not_passed(cell)] == [
        ("fail", f"2 cases on {CPU}"),
        ("crash", f"1 case on {CPU}"),
    ]


@pytest.mark.parametrize(
    ("outcomes", "implemented", "passed"),
    [
        ((PASS, FAIL), "yes", 1),
        ((PASS, UNSUPPORTED), "partly", 1),
        ((FALLBACK, UNSUPPORTED), "no", 0),
        ((ERROR, CRASH), "never ran", 0),
        ((NOT_TESTED,), "", 0),
    ],
)
def test_an_operator_is_there_if_a_case_of_it_was_answered(
    outcomes: tuple[Outcome, ...], implemented: str, passed: int
) -> None:
    """An answer shows that it is there, a refusal or a fallback that it is not."""
    run = a_run(a_cell(), *results(*outcomes))
    operators = {f"onnx/{at}": ["Conv"] for at in range(len(outcomes))}

    (row,) = operator_rows(cells_of(run), operators)

    (field,) = row.fields
    assert (field.implemented, field.passed) == (implemented, passed)


def test_a_larger_model_tells_of_an_operator_only_if_nothing_else_does() -> None:
    """A failure in a model of several operators is not held against each of them."""
    run = a_run(a_cell(), *results(PASS, FAIL))
    operators = {"onnx/0": ["Conv"], "onnx/1": ["Conv", "Loop"], "onnx/9": ["Gone"]}

    conv, loop = operator_rows(cells_of(run), operators)

    assert (conv.name, conv.alone, conv.cases, conv.fields[0].passed) == ("Conv", True, 1, 1)
    assert (loop.name, loop.alone, loop.cases, loop.fields[0].passed) == ("Loop", False, 1, 0)


def test_a_case_has_all_its_cells_on_one_page() -> None:
    """The page of a case tells evidence, history and the command for each cell."""
    old, new = telling_runs()

    found = {page.case: page for page in case_pages(cells_of(new), a_past(old, new), {})}

    conv = found["onnx/node/test_conv"].cells[0]
    assert conv.strip.said == "pass in 1 run, then fail since 20261124-020000-aaaa"
    assert conv.command == f"ort-matrix case onnx/node/test_conv --cell {CPU}"
    assert conv.placement == "2 of 2 as asked (CPU 2)"
    assert conv.again == "the same again"
    assert [on.cell for on in found["onnx/node/test_abs"].cells] == [CPU, OPENVINO]


def test_the_slowest_case_stands_beside_what_it_usually_takes() -> None:
    """The usual is the median of the runs before, this one left out."""
    runs = [a_run(a_cell(), a_result("onnx/a", duration_s=s), name=str(s)) for s in (1, 3, 2, 9)]

    (found,) = timings(cells_of(runs[-1]), a_past(*runs))

    assert (found.slowest[0].seconds, found.slowest[0].usual) == (9, 2)
    assert found.course is not None
    assert (found.course.first, found.course.most) == (1, 9)


def test_the_first_sentences_say_what_matters() -> None:
    """An outage, an incomplete run and how much is unexpected are said before anything else."""
    _, new = telling_runs()

    said = " ".join(sentences(new, cells_of(new), ()))

    assert said == (
        "3 cells, 5 results, 2 passed. 3 unexpected. rocm-1.22.2-py311 could not be used. "
        "The run is incomplete: it was cut off, or is still going on."
    )


def test_every_outcome_and_every_verdict_can_be_told_apart() -> None:
    """Each has its own letter in the data, and each that needs attention has its look."""
    outcomes = [mark.letter for mark in MARKS.values()]
    looked_at = {verdict for verdict in Verdict if verdict.needs_attention}

    assert list(MARKS) == list(Outcome)
    assert len(set(outcomes)) == len(outcomes)
    assert len({mark.glyph for mark in MARKS.values()}) == len(outcomes)
    assert list(VERDICT_LETTERS) == list(Verdict)
    assert len(set(VERDICT_LETTERS.values())) == len(VERDICT_LETTERS)
    assert looked_at <= TONES.keys()
