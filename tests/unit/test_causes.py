"""The failures of a run by cause, and the page and the row that a cause gets."""

from __future__ import annotations

from dataclasses import replace

from harness.investigation.asking import Asked
from harness.investigation.causes import Investigation
from harness.investigation.flipping import Start
from harness.report.triaged import page, summary_page, to_json
from harness.triage.attribution import Axis, Effect, Flip, Missing, Tried, steady
from harness.triage.bisection import Bisection, Seen
from harness.triage.causes import causes
from harness.wire.messages import Evidence
from harness.wire.outcomes import Outcome
from tests.unit.made_runs import a_result

SLOW = replace(a_result("onnx/a", Outcome.FAIL), duration_s=9.0, evidence=Evidence(text="1 of 8"))
FAST = replace(a_result("onnx/b", Outcome.FAIL), duration_s=0.1, evidence=Evidence(text="3 of 9"))
OTHER = replace(a_result("onnx/c", Outcome.CRASH), evidence=Evidence(signal="SIGFPE"))
ELSEWHERE = replace(FAST, cell="openvino-1.24.1-py311")


def test_one_signature_on_one_cell_is_one_cause() -> None:
    """Figures make no difference, cells do; most cases come first, the fastest stands for all."""
    found = causes([OTHER, SLOW, FAST, ELSEWHERE])

    assert [one.cases for one in found] == [("onnx/a", "onnx/b"), ("onnx/c",), ("onnx/b",)]
    assert found[0].representative == FAST
    assert len({one.name for one in found}) == len(found)


def test_a_cause_is_called_the_same_whenever_it_is_met() -> None:
    """Its folder is found again by another run's cases, and its name is fit for any disk."""
    (one,), (other,) = causes([SLOW]), causes([FAST])

    assert one.name == other.name
    assert one.name.isascii()
    assert set(one.name).isdisjoint("/ \\:*")


def investigation() -> Investigation:
    """Return what may be found of a cause: an axis that decides, and a change."""
    failure = steady([FAST])
    state = Bisection(points=("1.0.0", "1.1.0"))
    asked = []
    for release, kind in (("1.0.0", "PASS"), ("1.1.0", "FAIL")):
        answer = Seen(kind=kind, good=kind == "PASS")
        state = state.told(release, answer)
        asked.append((release, Asked(answer=answer, said=kind, seconds=0.5)))
    flip = Flip(axis=Axis.ARENA, value="off")
    return Investigation(
        start=Start(results=(FAST,), failure=failure),
        tried=(Tried(flip=flip, effect=Effect.MENDS, said="PASS"),),
        missing=(Missing(axis=Axis.PYTHON, reason="none here"),),
        bisection=state,
        answers=tuple(asked),
    )


def test_a_page_names_what_decides_and_since_when() -> None:
    """It holds the command that shows it again, the verdicts and every answer."""
    (cause,) = causes([SLOW, FAST])

    text = page(cause, investigation())

    assert "ort-matrix case onnx/b --cell cpu-1.32.0-py311" in text
    assert "arena decides: it passes with off" in text
    assert "first bad 1.1.0, last good 1.0.0: PASS → FAIL" in text
    assert "cannot be turned: none here" in text
    assert "- `onnx/a`" in text


def test_the_summary_has_a_row_for_each_cause() -> None:
    """What breaks a table is taken out; a cause without a start says why; what is left is told."""
    (cause,) = causes([FAST])
    whole = to_json(cause, investigation(), "SHOWS")
    broken = to_json(cause, Investigation(start=None, trouble=("it passes | now",)))

    text = summary_page("run-1", [("one", whole), ("two", broken)], left=3)

    rows = [line for line in text.splitlines() if "README.md" in line]
    assert (
        "| arena | first bad 1.1.0, last good 1.0.0: PASS → FAIL | [repro.py](one/repro/repro.py) |"
        in rows[0]
    )
    assert "it passes \\| now" in rows[1]
    assert "3 causes are left" in text
