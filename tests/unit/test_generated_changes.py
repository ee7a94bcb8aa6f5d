"""Between neighbouring releases one cause is one change point, with its votes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.generate.variations import HAS_DEFAULTS
from harness.triage.generated.changes import (
    Judgement,
    Road,
    Turn,
    points,
    returns,
    to_compare,
)
from tests.unit.generated_material import VALUES, a_case, answered, died, refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.triage.generated.sights import Sight

LABELS = ["1.20.1", "1.21.1", "1.25.1"]


def a_road(*tracks: list[Sight], kind: str = "valid") -> Road:
    """Return a road with one case for each track, a sight for each release."""
    cases = [a_case(at, kind=kind) for at in range(len(tracks))]
    track = {label: [one[at] for one in tracks] for at, label in enumerate(LABELS)}
    return Road(cases=cases, labels=LABELS, track=track)


def test_equal_answers_are_not_compared() -> None:
    """Only neighbours with unequal digests need a look at their values."""
    road = a_road([answered("a"), answered("a"), answered("b")])

    wanted = to_compare(road)

    assert wanted == [(0, "1.21.1", "1.25.1")]


def test_a_difference_within_tolerance_is_no_change() -> None:
    """Unequal bytes that compare as equal make no change point."""
    road = a_road([answered("a"), answered("b"), answered("b")])

    found = points(road, {(0, "1.20.1", "1.21.1"): ""})

    assert found == []


def test_a_wrong_answer_that_was_mended_is_alone_between_two_points() -> None:
    """A change for the worse names the release that answers as before; the way back is better."""
    wrong = answered("b", unlike_reference=VALUES, unoptimised_unlike_reference=VALUES)
    road = a_road([answered("a"), wrong, answered("a")])
    unlike = dict.fromkeys(to_compare(road), VALUES)
    unlike |= dict.fromkeys(returns(road, unlike), "")

    came, went = points(road, unlike)

    assert (came.turn, came.judgement, came.smallest.undone) == (
        Turn.VALUE,
        Judgement.WORSE,
        "1.25.1",
    )
    assert (went.before, went.after, went.judgement) == ("1.21.1", "1.25.1", Judgement.BETTER)
    assert came.smallest.votes == (
        "before: the reference agrees, unoptimised agrees; "
        "after: the reference disagrees, unoptimised agrees"
    )


def test_refusals_deaths_and_answers_are_different_turns() -> None:
    """What a build newly takes, newly refuses, dies of and survives is told apart."""
    answer = answered()
    road = a_road(
        [refused(), answer, answer],
        [answer, answer, refused("too old")],
        [answer, died(), died()],
        [died(), died(), refused()],
    )

    found = points(road, {})

    assert [(one.after, one.turn, one.judgement) for one in found] == [
        ("1.21.1", Turn.DIES, Judgement.WORSE),
        ("1.21.1", Turn.ANSWERS, Judgement.CHANGED),
        ("1.25.1", Turn.REFUSES, Judgement.WORSE),
        ("1.25.1", Turn.LIVES, Judgement.BETTER),
    ]


def test_an_opset_that_comes_is_one_point_for_all_operators() -> None:
    """Cases of many operators that were refused with one text are one cause."""
    cases = [a_case(at, f"Op{at}", opset=22) for at in range(3)]
    sights = {"old": [refused("opset 22 is new")] * 3, "new": [answered()] * 3}
    road = Road(cases=cases, labels=["old", "new"], track=sights)

    (found,) = points(road, {})

    assert found.operators == ("Op0", "Op1", "Op2")


def test_a_case_that_cannot_be_asked_is_followed_across() -> None:
    """What no binding can express on one release is compared over it."""
    untested = refused(status="BindingLimitError")
    road = a_road([answered("a"), untested, answered("b")])

    wanted = to_compare(road)

    assert wanted == [(0, "1.20.1", "1.25.1")]


def test_values_of_what_is_not_valid_are_free_to_change() -> None:
    """A doubtful case has no right answer, so another one is no change."""
    road = a_road([answered("a"), answered("b"), answered("b")], kind="doubtful")

    found = points(road, {(0, "1.20.1", "1.21.1"): VALUES})

    assert found == []


def test_a_death_that_could_not_be_reached_before_is_nobodys_regression() -> None:
    """Where an opset begins to be taken, what dies there was refused as what is now answered."""
    road = a_road([refused(), answered(), answered()], [refused(), died(), died()])

    found = points(road, {})

    assert [(one.turn, one.judgement) for one in found] == [
        (Turn.DIES, Judgement.CHANGED),
        (Turn.ANSWERS, Judgement.CHANGED),
    ]


def a_spoilt_road(*wrong: tuple[str, str], before: Sight, after: Sequence[Sight]) -> Road:
    """Return a road of two releases with an invalid case of each operator and reason."""
    cases = [
        a_case(at, operator, kind="invalid", reason=reason)
        for at, (operator, reason) in enumerate(wrong)
    ]
    track = {"1.27.0": [before] * len(cases), "1.28.0": after}
    return Road(cases=cases, labels=["1.27.0", "1.28.0"], track=track)


def test_one_reason_is_one_point_for_all_operators() -> None:
    """What operators no longer die of alike is one line, whatever else one of them shows."""
    wrong = [("Conv", "a stride of 0"), ("MaxPool", "a stride of 0"), ("MaxPool", "no kernel")]
    road = a_spoilt_road(*wrong, before=died(), after=[refused()] * 3)

    found = points(road, {})

    assert [(one.operators, one.pattern.conditions) for one in found] == [
        (("Conv", "MaxPool"), ("a stride of 0",)),
        (("MaxPool",), ("no kernel",)),
    ]


def test_what_is_wrong_in_many_ways_is_one_point_for_its_operator() -> None:
    """Each refusal of what is wrong has words of its own: together they are one line."""
    reasons = ["no roots", "no values", "too few; NaN", "too many"]
    said = [refused(text) for text in ("roots", "values", "a list too short", "a list too long")]
    wrong = [("Trees", reason) for reason in reasons]
    road = a_spoilt_road(*wrong, before=answered(), after=said)

    (found,) = points(road, {})

    assert found.operators == ("Trees",)
    assert found.sign == "FAIL: roots (and 3 other refusals)"
    assert found.pattern.conditions == ("no roots or no values or too few or 1 more",)


def test_one_refusal_in_the_words_of_each_operator_is_one_point() -> None:
    """What is refused for one thing is one line, though each refusal names its operator."""
    wrong = [("Conv", "an edge of pads: 0"), ("Pool", "an edge of axes: 0")]
    said = [refused(f"Node () Op ({name}) must not be empty") for name, _ in wrong]
    road = a_spoilt_road(*wrong, before=answered(), after=said)

    (found,) = points(road, {})

    assert found.operators == ("Conv", "Pool")


def test_one_refusal_of_valid_and_of_wrong_cases_is_one_point() -> None:
    """Where valid cases are refused in the same words, what is wrong with others is not why."""
    cases = [a_case(0, "Conv"), a_case(1, "Pool", kind="invalid", reason="a stride of 0")]
    new = [refused("opset 99 is new"), refused("opset 99 is new")]
    track = {"old": [answered()] * 2, "new": new}

    (found,) = points(Road(cases=cases, labels=["old", "new"], track=track), {})

    assert found.operators == ("Conv", "Pool")


def test_a_death_of_a_rare_form_is_one_point_for_all_operators() -> None:
    """Unlike a death that other cases of the operator share, whatever their form."""
    forms = {"forms": (HAS_DEFAULTS,)}
    cases = [a_case(0, "Add", **forms), a_case(0, "Greater", **forms)]
    cases += [a_case(0, "MatMul", **forms), a_case(1, "MatMul"), a_case(1, "Add")]
    track = {"1.20.1": [answered()] * 5, "1.21.1": [died()] * 4 + [answered()]}

    found = points(Road(cases=cases, labels=LABELS[:2], track=track), {})

    assert [(one.operators, one.pattern.conditions) for one in found] == [
        (("Add", "Greater"), (HAS_DEFAULTS,)),
        (("MatMul",), ()),
    ]
