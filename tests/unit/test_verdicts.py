"""An outcome, a second try and what was known give one verdict, in every combination."""

from __future__ import annotations

from itertools import combinations, product

import pytest

from harness.baseline import Expectation
from harness.results import CaseResult
from harness.verdicts import Verdict, judge
from harness.wire.outcomes import Outcome

PASS, FAIL, ERROR, CRASH = Outcome.PASS, Outcome.FAIL, Outcome.ERROR, Outcome.CRASH
FAULT, NOT_TESTED = Outcome.HARNESS_FAULT, Outcome.NOT_TESTED
ABOUT_THE_BUILD = tuple(outcome for outcome in Outcome if outcome.is_about_the_build)
EXPECTATIONS = (
    None,
    *((one,) for one in Outcome),
    *combinations(Outcome, 2),
    (PASS, FAIL, CRASH),
)
"""Nothing known, each outcome alone, every pair, and three at once."""
DEVIATIONS = {
    Verdict.UNEXPECTED_FAILURE,
    Verdict.UNEXPECTED_PASS,
    Verdict.FLAKY,
    Verdict.POISONED,
}


def verdict(
    outcome: Outcome, again: Outcome | None = None, known: tuple[Outcome, ...] | None = None
) -> Verdict:
    """Return the verdict on a result, given the outcomes that were known of its case."""
    result = CaseResult(
        cell="c", suite="onnx", case="onnx/a", outcome=outcome, duration_s=0.0, again=again
    )
    expectation = None
    if known is not None:
        expectation = Expectation(pattern="onnx/a", outcomes=known, reason="r", place="p")
    return judge(result, expectation)


@pytest.mark.parametrize(
    ("outcome", "again", "known", "wanted"),
    [
        # Nothing known: a pass is expected.
        (PASS, None, None, "EXPECTED"),
        (FAIL, None, None, "UNEXPECTED_FAILURE"),
        (Outcome.UNSUPPORTED, None, None, "UNEXPECTED_FAILURE"),
        (FAIL, FAIL, None, "UNEXPECTED_FAILURE"),
        (FAIL, PASS, None, "FLAKY"),
        (PASS, FAIL, None, "FLAKY"),
        (FAIL, ERROR, None, "FLAKY"),
        # One outcome known.
        (FAIL, None, (FAIL,), "KNOWN_FAILURE"),
        (ERROR, None, (FAIL,), "UNEXPECTED_FAILURE"),
        (PASS, None, (FAIL,), "UNEXPECTED_PASS"),
        (PASS, PASS, (FAIL,), "UNEXPECTED_PASS"),
        (PASS, FAIL, (FAIL,), "FLAKY"),
        (FAIL, PASS, (FAIL,), "FLAKY"),
        # The build itself is undecided.
        (PASS, None, (PASS, FAIL), "EXPECTED"),
        (FAIL, None, (PASS, FAIL), "KNOWN_FAILURE"),
        (PASS, FAIL, (PASS, FAIL), "EXPECTED"),
        (FAIL, PASS, (PASS, FAIL), "KNOWN_FAILURE"),
        (CRASH, None, (PASS, FAIL), "UNEXPECTED_FAILURE"),
        (CRASH, CRASH, (PASS, FAIL), "UNEXPECTED_FAILURE"),
        (FAIL, CRASH, (PASS, FAIL), "FLAKY"),
        (FAIL, ERROR, (FAIL, ERROR), "KNOWN_FAILURE"),
        (PASS, None, (FAIL, ERROR), "UNEXPECTED_PASS"),
        # Nothing was learnt of the build.
        (FAULT, None, None, "INCONCLUSIVE"),
        (FAULT, PASS, None, "INCONCLUSIVE"),
        (FAIL, FAULT, None, "INCONCLUSIVE"),
        (PASS, FAULT, (FAIL,), "INCONCLUSIVE"),
        (NOT_TESTED, None, None, "NOT_TESTED"),
        (NOT_TESTED, None, (FAIL,), "NOT_TESTED"),
    ],
)
def test_a_result_has_its_verdict(
    outcome: Outcome, again: Outcome | None, known: tuple[Outcome, ...] | None, wanted: str
) -> None:
    """Each kind of combination, written down one by one."""
    expected = Verdict(wanted)

    found = verdict(outcome, again, known)

    assert found is expected


@pytest.mark.parametrize("known", EXPECTATIONS)
def test_our_own_fault_is_never_the_builds(known: tuple[Outcome, ...] | None) -> None:
    """Whatever was expected, a fault of ours in either try is for nor against no build."""
    faults = [(FAULT, again) for again in (None, *Outcome)]
    second = [(outcome, FAULT) for outcome in ABOUT_THE_BUILD]

    found = {verdict(outcome, again, known) for outcome, again in faults + second}

    assert found == {Verdict.INCONCLUSIVE}


@pytest.mark.parametrize("known", EXPECTATIONS)
def test_what_was_not_tested_is_neither_good_nor_bad(known: tuple[Outcome, ...] | None) -> None:
    """Whatever was expected, a case that was not asked is told as just that."""
    seconds = (None, *ABOUT_THE_BUILD)

    found = {verdict(NOT_TESTED, again, known) for again in seconds}

    assert found == {Verdict.NOT_TESTED}


@pytest.mark.parametrize("known", EXPECTATIONS)
def test_two_tries_that_agree_count_as_one(known: tuple[Outcome, ...] | None) -> None:
    """A second try with the same outcome changes no verdict, and none is a flake."""
    once = [verdict(outcome, None, known) for outcome in ABOUT_THE_BUILD]

    twice = [verdict(outcome, outcome, known) for outcome in ABOUT_THE_BUILD]

    assert twice == once
    assert Verdict.FLAKY not in once


@pytest.mark.parametrize("known", EXPECTATIONS)
def test_one_try_is_as_expected_only_where_it_is_known(known: tuple[Outcome, ...] | None) -> None:
    """Pass or not, and known or not, make the four verdicts on a case that was tried once."""
    table = {
        (True, True): Verdict.EXPECTED,
        (False, True): Verdict.KNOWN_FAILURE,
        (True, False): Verdict.UNEXPECTED_PASS,
        (False, False): Verdict.UNEXPECTED_FAILURE,
    }

    found = {outcome: verdict(outcome, None, known) for outcome in ABOUT_THE_BUILD}

    assert found == {one: table[one is PASS, one in (known or (PASS,))] for one in found}


@pytest.mark.parametrize("known", EXPECTATIONS)
def test_two_tries_that_differ_are_a_flake_unless_both_are_known(
    known: tuple[Outcome, ...] | None,
) -> None:
    """Where the build is known to be undecided between the two, it is as expected."""
    second = [outcome for outcome in Outcome if outcome is not FAULT]
    pairs = {pair for pair in product(ABOUT_THE_BUILD, second) if len({*pair}) > 1}

    flaky = {pair for pair in pairs if verdict(*pair, known) is Verdict.FLAKY}

    assert flaky == {pair for pair in pairs if not {*pair} <= {*(known or (PASS,))}}


@pytest.mark.parametrize(
    ("known", "wanted"),
    [
        (None, Verdict.POISONED),
        ((FAIL,), Verdict.POISONED),
        ((PASS, FAIL), Verdict.KNOWN_FAILURE),
    ],
)
def test_what_fails_behind_another_case_is_no_flake(
    known: tuple[Outcome, ...] | None, wanted: Verdict
) -> None:
    """Where the case is named that spoils it, that is what it is, unless both are known."""
    result = CaseResult(
        cell="c",
        suite="onnx",
        case="onnx/a",
        outcome=FAIL,
        duration_s=0.0,
        again=PASS,
        poisoned_by="onnx/b",
    )
    expectation = known and Expectation(pattern="onnx/a", outcomes=known, reason="r", place="p")

    found = judge(result, expectation or None)

    assert found is wanted
    assert not result.goes_both_ways


def test_every_deviation_needs_attention_and_nothing_else() -> None:
    """Deviations and what is inconclusive need a look; what is expected or not tested does not."""
    wanted = DEVIATIONS | {Verdict.INCONCLUSIVE}

    found = {one for one in Verdict if one.needs_attention}

    assert found == wanted
