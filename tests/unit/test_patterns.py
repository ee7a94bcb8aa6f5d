"""What changed cases have in common is told in as few conditions as tell them apart."""

from __future__ import annotations

from harness.triage.generated.patterns import features, parts, pattern
from tests.unit.generated_material import a_case

POOLS = [
    a_case(at, "AveragePool", opset=opset, attributes={"count_include_pad": pad, "pads": pads})
    for at, (opset, pad, pads) in enumerate(
        (opset, pad, pads)
        for opset in (11, 19, 22)
        for pad in ("0", "1")
        for pads in ("[0, 0, 0, 0]", "[0, 1, 0, 1]", "[1, 1, 0, 0]")
    )
]


def test_a_conjunction_is_found() -> None:
    """An opset from which on, an attribute's value and what holds of another are one pattern."""
    about = features(POOLS)
    members = [at for at, one in enumerate(POOLS) if _is_hit(one.opset, one.attributes)]
    others = [about[at] for at in range(len(POOLS)) if at not in members]

    found = pattern([about[at] for at in members], others)

    assert set(found.conditions) == {"opset ≥ 19", "count_include_pad=1", "pads not 0"}
    assert found.others == 0


def test_what_does_not_tell_apart_is_counted() -> None:
    """Others that meet the conditions as well are told, not hidden."""
    about = features([a_case(at) for at in range(5)])

    found = pattern(about[:2], about[2:])

    assert found.conditions == ()
    assert found.others == 3


def test_a_few_types_are_one_condition() -> None:
    """Where each member has one of a few values of one slot, that is what they share."""
    about = features([a_case(at, types=(of,)) for at, of in enumerate(["int8", "uint8", "float"])])

    found = pattern(about[:2], about[2:])

    assert found.conditions == ("argument 0 is int8 or uint8",)
    assert found.others == 0


def test_two_causes_are_two_parts() -> None:
    """Members that no one condition holds together fall into two that have an exact one each."""
    kinds = [{"mode": "a"}, {"axis": "0"}, {"mode": "c"}, {"axis": "1"}]
    about = features([a_case(at, attributes=kinds[at % 4]) for at in range(40)])
    members = [one for at, one in enumerate(about) if at % 4 < 2]
    others = [one for at, one in enumerate(about) if at % 4 >= 2]

    found = parts(members, others)

    assert sorted(map(len, found)) == [10, 10]


def test_one_odd_case_is_no_cause() -> None:
    """A single case that stands apart does not split the others."""
    cases = [a_case(0, attributes={"mode": "b"})]
    cases += [a_case(at, attributes={"mode": "a"}) for at in range(1, 9)]
    about = features([*cases, a_case(9, attributes={"mode": "c"})])

    found = parts(about[:9], about[9:])

    assert found == [list(range(9))]


def _is_hit(opset: int, attributes: dict[str, str]) -> bool:
    pads = attributes["pads"] != "[0, 0, 0, 0]"
    return opset >= 19 and attributes["count_include_pad"] == "1" and pads


def test_what_is_wrong_is_told_first() -> None:
    """The reason that invalid cases share comes before values that tell them apart as well."""
    strides = {"strides": "[0]", "group": "2"}
    wrong = [
        a_case(at, kind="invalid", reason=f"a stride of 0; by {at}", attributes=strides)
        for at in range(2)
    ]
    others = [a_case(2, kind="invalid", reason="a stride of 0", attributes={"strides": "[0]"})]
    about = features([*wrong, *others, a_case(3)])

    found = pattern(about[:2], about[2:])

    assert found.conditions == ("a stride of 0", "group=2")
    assert found.others == 0


def test_a_reason_is_told_where_nothing_is_to_be_told_apart() -> None:
    """Where all cases of an operator are members, what is wrong with them is still said."""
    wrong = [a_case(at, kind="invalid", reason="a stride of 0") for at in range(2)]

    found = pattern(features(wrong), [])

    assert found.conditions == ("a stride of 0",)
