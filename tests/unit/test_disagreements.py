"""What one build shows is told by the gravest oracle, one line for all that look alike."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.errors import ConfigurationError
from harness.report.generated import cause_lines
from harness.sweeping.known import read_known, reason_for
from harness.triage.generated.disagreements import (
    SAME_ON_CPU,
    Oracle,
    causes,
    finding,
    is_same_on_cpu,
    vote_on,
)
from harness.triage.generated.sights import Sight
from harness.triage.generated.signs import sign_of
from harness.wire.generated import Answered
from harness.wire.outcomes import Outcome
from tests.unit.generated_material import VALUES, a_case, answered, died, refused

if TYPE_CHECKING:
    from pathlib import Path

OPENVINO_SAYS = (
    "FAIL: /onnxruntime/onnxruntime/core/providers/openvino/ov_interface.cc:28 auto"
    " onnxruntime::openvino_ep::OvExceptionBoundary(Func&&, std::format_string<Args ...>&&,"
    " Args&& ...) [with bool typed = false; Func = OVCore::ReadModel(std::string&&,"
    " const std::string&)::<lambda()>; Args = {}; std::format_string<Args ...> ="
    " std::basic_format_string<char>] [OpenVINO-EP]  Exception while Reading network: x"
)


@pytest.mark.parametrize(
    ("sight", "oracle"),
    [
        (died(), Oracle.DIES),
        (Sight(outcome=Outcome.TIMEOUT), Oracle.DIES),
        (replace(answered(), spoilt="ended by SIGSEGV"), Oracle.SPOILS),
        (answered(unlike_again=VALUES), Oracle.MEMORY),
        (replace(answered(), unlike_elsewhere=VALUES), Oracle.MEMORY),
        (answered(unlike_unoptimised=VALUES, unlike_reference=VALUES), Oracle.OPTIMISATION),
        (answered(unoptimised=Answered(stage="run", status="FAIL")), Oracle.OPTIMISATION),
        (answered(unlike_reference=VALUES), Oracle.REFERENCE),
        (replace(answered(), unlike_against=VALUES), Oracle.AGAINST),
        (refused(stage="run"), Oracle.REFUSAL),
        (refused(stage="open"), None),
        (refused(stage="run", status="NOT_IMPLEMENTED"), None),
        (refused(stage="run", status="InputError"), None),
        (answered(), None),
    ],
)
def test_each_oracle_has_its_business(sight: Sight, oracle: Oracle | None) -> None:
    """What a valid case shows belongs to one oracle, the gravest."""
    found = finding(a_case(0), sight)

    assert (found and found.oracle) == oracle


@pytest.mark.parametrize("kind", ["doubtful", "invalid"])
def test_a_case_that_is_not_valid_has_no_right_answer(kind: str) -> None:
    """There only death and memory never set are a finding."""
    case = a_case(0, kind=kind)

    values = finding(case, answered(unlike_unoptimised=VALUES))
    memory = finding(case, answered(unlike_again=VALUES))
    death = finding(case, died())

    assert values is None
    assert memory is not None
    assert death is not None


def test_the_build_votes_once() -> None:
    """That a build agrees with itself without optimisations outvotes no reference."""
    wrong = answered(unlike_reference=VALUES, unoptimised_unlike_reference=VALUES)
    found = finding(a_case(0), wrong)

    assert found is not None
    assert str(found.vote) == "the reference ≠ the build"


@pytest.mark.parametrize(
    ("here", "there", "unlike", "is_same"),
    [
        (died(), died(), None, True),
        (died(), died("SIGSEGV"), None, False),
        (died("SIGABRT"), died("SIGSEGV"), None, True),
        (died("SIGABRT"), answered(unlike_again=VALUES), None, True),
        (died(), answered(), None, False),
        (answered(unlike_reference=VALUES), answered(unlike_reference=VALUES), "", True),
        (answered(unlike_reference=VALUES), answered(unlike_reference=VALUES), VALUES, False),
        (answered(unlike_reference=VALUES), answered(), VALUES, False),
        (answered(unlike_reference=VALUES, on_ep=False), answered(), VALUES, True),
        (answered(unlike_again=VALUES), answered(unlike_again=VALUES), VALUES, True),
        (answered(unlike_reference=VALUES), None, None, False),
    ],
)
def test_what_the_cpu_ep_does_as_well_is_said(
    here: Sight, there: Sight | None, unlike: str | None, *, is_same: bool, tmp_path: Path
) -> None:
    """The same sign and, unless that is garbage, the same answer; an entry can ask for it."""
    file = tmp_path / "openvino.toml"
    oracle = "dies" if here.seen is None else "memory" if here.seen.unlike_again else "reference"
    file.write_text(
        f'[[known]]\noracle = "{oracle}"\noperators = ["*"]\nwhen = ["{SAME_ON_CPU}"]\n'
        'reason = "so it is"\n'
    )
    known = read_known(file, "1.24.1")
    sight = replace(here, on_cpu=there, unlike_on_cpu=unlike)

    found = is_same_on_cpu(a_case(0), sight)
    (cause,) = causes([a_case(0)], [sight], lambda one, about: reason_for(known, one, about))

    assert found is is_same
    assert cause.known == ("so it is" if is_same else "")
    assert (SAME_ON_CPU in cause.about[0]) is is_same
    assert SAME_ON_CPU not in cause.pattern.conditions
    assert (f"    {SAME_ON_CPU}" in cause_lines(cause)) is is_same


@pytest.mark.parametrize(
    ("on_ep", "vote"),
    [
        (True, "the build = its CPU EP ≠ the reference; alone: the reference"),
        (False, "the reference ≠ the build"),
    ],
)
def test_the_cpu_ep_votes_where_it_is_not_what_was_asked(vote: str, *, on_ep: bool) -> None:
    """Two EPs that agree are two voters; where one left all to the other they are one."""
    wrong = answered(unlike_reference=VALUES, unoptimised_unlike_reference=VALUES, on_ep=on_ep)
    sight = replace(wrong, on_cpu=answered(unlike_reference=VALUES), unlike_on_cpu="")

    assert str(vote_on(sight)) == vote


def test_all_that_were_compared_are_told() -> None:
    """Whether the other cell agrees with the reference, and with the build's CPU EP, is asked."""
    wrong = answered(unlike_reference=VALUES, unoptimised_unlike_reference=VALUES)
    right = answered()
    sight = replace(
        wrong,
        on_cpu=replace(right, unlike_against=""),
        unlike_on_cpu=VALUES,
        against=right.seen,
        unlike_against=VALUES,
    )

    vote = vote_on(sight)

    assert str(vote) == (
        "the reference = its CPU EP = the other cell ≠ the build; alone: the build"
    )


def test_an_optimised_answer_alone_is_named() -> None:
    """Where the reference and the unoptimised build agree, the optimised one is alone."""
    found = finding(a_case(0), answered(unlike_reference=VALUES, unlike_unoptimised=VALUES))

    assert found is not None
    assert found.vote.dissenter == "the build"


def test_what_looks_alike_is_one_cause() -> None:
    """Many findings of one operator and sign are one cause with its pattern and smallest case."""
    cases = [a_case(at, attributes={"axis": str(at % 2)}) for at in range(8)]
    sights = [answered(unlike_reference=VALUES if at % 2 else "") for at in range(8)]

    (cause,) = causes(cases, sights)

    assert len(cause.findings) == 4
    assert cause.pattern.conditions == ("axis=1",)
    assert cause.smallest.case is cases[1]


def test_what_is_known_is_told_apart(tmp_path: Path) -> None:
    """An entry takes the findings that it is about, and no others."""
    file = tmp_path / "cpu.toml"
    file.write_text(
        '[[known]]\noracle = "reference"\noperators = ["A*"]\nwhen = ["axis=1"]\n'
        'releases = ">=1.30"\nreason = "so it is"\n'
    )
    cases = [a_case(at, attributes={"axis": str(at % 2)}) for at in range(8)]
    sights = [answered(unlike_reference=VALUES) for _ in cases]

    newer, older = read_known(file, "1.32.0"), read_known(file, "1.29.0")
    found = causes(cases, sights, lambda one, about: reason_for(newer, one, about))

    assert older == []
    assert [(one.known, len(one.findings)) for one in found] == [("", 4), ("so it is", 4)]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ('oracle = "reverence"\noperators = ["Add"]\nreason = "x"', "oracle"),
        ('oracle = "dies"\noperators = []\nreason = "x"', "names no operator"),
        ('oracle = "dies"\noperators = ["Add"]', "reason"),
        ('oracle = "dies"\noperators = ["Add"]\nreason = "x"\nreleases = "new"', "no range"),
    ],
)
def test_a_wrong_entry_is_refused_with_its_place(entry: str, said: str, tmp_path: Path) -> None:
    """What is wrong in a list of known disagreements is said with the file and the key."""
    file = tmp_path / "cpu.toml"
    file.write_text(f"[[known]]\n{entry}\n")

    with pytest.raises(ConfigurationError, match=said) as caught:
        read_known(file, "1.32.0")

    assert str(file) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        (VALUES, "other values"),
        ("output 0: want shape [2], got [3]", "another shape"),
        ("output 1: want tensor(float32), got tensor(float64)", "another type"),
        (VALUES.replace("got 2", "got nan"), "not finite where it was"),
        (VALUES.replace("want 1,", "want inf,"), "finite where it was not"),
        (
            "refused with optimisations only: node 'a' 12",
            "refused with optimisations only: node '…' N",
        ),
        (OPENVINO_SAYS, "FAIL: ov_interface.cc [OpenVINO-EP] Exception while Reading network: x"),
    ],
)
def test_a_sign_is_without_figures(text: str, sign: str) -> None:
    """Two disagreements of one cause have one sign."""
    found = sign_of(text)

    assert found == sign
