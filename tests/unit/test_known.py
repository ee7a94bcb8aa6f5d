"""A run keeps what generated cases showed; whether that is known is said when it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.report.summary import summarise
from harness.report.terminal import reproduction
from harness.results import CaseResult
from harness.sweeping.known import all_known_of
from harness.sweeping.recording import operator_results
from harness.verdicts import Verdict
from tests.unit.generated_material import VALUES, a_case, answered, died, refused
from tests.unit.test_summary import a_cell, a_run

if TYPE_CHECKING:
    from pathlib import Path

    from harness.triage.generated.sights import Sight

ONE = '[[known]]\noracle = "reference"\noperators = ["A*"]\nwhen = ["axis=1"]\nreason = "one"\n'
ANY = '[[known]]\noracle = "reference"\noperators = ["Add"]\nreason = "any"\n'
DEATH = '[[known]]\noracle = "dies"\noperators = ["Add"]\nsigns = ["*SIGFPE"]\nreason = "death"\n'
OLDER = ANY.replace("reason", 'releases = "<1.30"\nreason')

UNLIKE = answered(unlike_reference=VALUES)
FINE = answered()


def judged(root: Path, text: str, sights: list[Sight]) -> tuple[Verdict, str, str]:
    """Return the verdict on an operator whose cases have axis 0 and 1 in turn, why and whence."""
    file = root / "fixtures" / "known" / "cpu.toml"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    cases = [a_case(at, attributes={"axis": str(at % 2)}) for at in range(len(sights))]
    results = [
        CaseResult.from_json(one.to_json()) for one in operator_results("cpu", cases, sights, 1.0)
    ]
    run = a_run(a_cell(), *results)
    (cell,) = summarise(run, all_known_of(run.cells.values(), root))
    (one,) = cell.judged
    known = one.expectation
    return one.verdict, known.reason if known else "", known.place if known else ""


@pytest.mark.parametrize(
    ("text", "sights", "verdict", "reason"),
    [
        (ONE, [FINE, UNLIKE, FINE, UNLIKE], Verdict.KNOWN_FAILURE, "one"),
        (ONE, [FINE, UNLIKE, UNLIKE, UNLIKE], Verdict.UNEXPECTED_FAILURE, ""),
        (ONE.replace("=1", "=*"), [FINE, UNLIKE, UNLIKE], Verdict.KNOWN_FAILURE, "one"),
        (ONE.replace("=1", "=1?"), [FINE, UNLIKE], Verdict.UNEXPECTED_FAILURE, ""),
        (ONE + ANY, [FINE, UNLIKE, UNLIKE, UNLIKE], Verdict.KNOWN_FAILURE, "any; one"),
        (ANY, [UNLIKE, died()], Verdict.UNEXPECTED_FAILURE, ""),
        (ANY + DEATH, [UNLIKE, died()], Verdict.KNOWN_FAILURE, "death; any"),
        (DEATH, [died("SIGSEGV")], Verdict.UNEXPECTED_FAILURE, ""),
        (OLDER, [UNLIKE], Verdict.UNEXPECTED_FAILURE, ""),
        ("", [UNLIKE], Verdict.UNEXPECTED_FAILURE, ""),
        (ANY, [FINE, FINE], Verdict.EXPECTED, ""),
        ("", [refused(stage="run"), FINE], Verdict.EXPECTED, ""),
        ("", [refused(), refused()], Verdict.KNOWN_FAILURE, "the build refuses all of its cases"),
    ],
)
def test_what_is_known_of_an_operator_explains_all_its_disagreements(
    text: str, sights: list[Sight], verdict: Verdict, reason: str, tmp_path: Path
) -> None:
    """One that no entry is about makes the whole result a surprise; a refusal is none."""
    found, said, _ = judged(tmp_path, text, sights)

    assert found is verdict
    assert sorted(said.split("; ")) == sorted(reason.split("; "))


def test_an_operator_is_shown_again_by_its_smallest_case() -> None:
    """Nobody can ask an operator; the command names the case to look at, also of a refusal."""
    cases = [a_case(at, attributes={"axis": str(at)}) for at in range(3)]

    (failed,) = operator_results("cpu", cases, [FINE, UNLIKE, UNLIKE], 1.0)
    (lacking,) = operator_results("cpu", cases, [refused(), refused(), refused()], 1.0)
    (passed,) = operator_results("cpu", cases, [FINE, FINE, FINE], 1.0)

    assert failed.shown_by == "generated/1:Add:13:0:1"
    assert reproduction(failed) == "ort-matrix case generated/1:Add:13:0:1 --cell cpu"
    assert lacking.shown_by == "generated/1:Add:13:0:0"
    assert passed.shown_by == "generated/Add"


def test_what_is_known_names_its_entry(tmp_path: Path) -> None:
    """Whoever reads a report finds the entry that says so."""
    _, _, place = judged(tmp_path, DEATH + ANY, [UNLIKE])

    assert place == f"{tmp_path}/fixtures/known/cpu.toml: entry 2"


def test_a_run_from_before_conditions_were_kept_knows_nothing(tmp_path: Path) -> None:
    """What cannot be judged is shown as new, and never as known."""
    (result,) = operator_results("cpu", [a_case(0)], [UNLIKE], 1.0)
    for cause in result.evidence.answer["causes"]:
        del cause["about"]
    run = a_run(a_cell(), result)
    file = tmp_path / "fixtures" / "known" / "cpu.toml"
    file.parent.mkdir(parents=True)
    file.write_text(ANY)

    (cell,) = summarise(run, all_known_of(run.cells.values(), tmp_path))

    assert [one.verdict for one in cell.judged] == [Verdict.UNEXPECTED_FAILURE]
