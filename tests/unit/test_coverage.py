"""Coverage counts what a build accepts of the valid cases, and which attributes vary."""

from __future__ import annotations

from harness.triage.generated.coverage import coverage
from tests.unit.generated_material import a_case, answered, died, refused


def test_only_valid_cases_that_are_answered_are_accepted() -> None:
    """A refusal, a death and what is invalid do not count; what was said is kept."""
    cases = [a_case(0), a_case(1), a_case(2), a_case(3, kind="invalid")]

    (one,) = coverage(cases, [answered(), refused("no"), died(), answered()]).operators

    assert (one.valid, one.accepted) == (3, 1)
    assert sorted(one.refusals) == ["crashes: SIGFPE", "refuses: FAIL: no"]


def test_an_attribute_with_one_value_never_varies() -> None:
    """Two different values vary an attribute; one, or none at all, is told."""
    stated = [{"axis": "0", "keepdims": "1"}, {"axis": "-1", "keepdims": "1"}]
    cases = [a_case(at, "ArgMax", attributes=one) for at, one in enumerate(stated)]

    found = coverage(cases, [answered(), answered()])

    assert found.never_varied == ["ArgMax.keepdims", "ArgMax.select_last_index"]
    assert not found.is_enough


def test_operators_of_other_domains_and_chains_do_not_count_to_the_standard() -> None:
    """What is wanted is of ai.onnx and ai.onnx.ml."""
    names = ["Add", "ai.onnx.ml.Scaler", "com.microsoft.Gelu", "chain/a"]
    cases = [a_case(0, name) for name in names]

    found = coverage(cases, [answered()] * 4)

    assert found.operators_accepted == 2
    assert found.accepted == 4
