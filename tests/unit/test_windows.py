"""Windows fit where the standard says, and draws reach the corners that builds fell over."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest

from harness.generate.cases import descriptions, generated, operators
from harness.generate.description import Kind
from harness.generate.families.windows import Window

if TYPE_CHECKING:
    from harness.generate.cases import Generated

SEED = 1
DOZENS = 96
"""Cases of one operator at one opset."""


def a_window(size: int, kernel: int, step: int, apart: int, auto_pad: str | None = None) -> Window:
    """Return a window over one axis without stated padding."""
    return Window(
        sizes=[size],
        kernel=[kernel],
        strides=[step],
        dilations=[apart],
        pads=None,
        auto_pad=auto_pad,
    )


def cases_of(operator: str, opset: int) -> list[Generated]:
    """Return some dozens of cases of an operator at an opset."""
    opsets = [one for name, one in operators() if name == operator]
    wanted = descriptions([operator], SEED, DOZENS * len(opsets))
    return [generated(one) for one in wanted if one.opset == opset]


@pytest.mark.parametrize("auto_pad", ["SAME_UPPER", "SAME_LOWER"])
def test_same_takes_a_place_for_each_step(auto_pad: str) -> None:
    """Where padding follows, there are as many places as steps begin, unless some are left out."""
    windows = [
        a_window(size, kernel, step, apart, auto_pad)
        for size, kernel, step, apart in product((1, 2, 5), (1, 2, 3), (1, 2), (1, 3))
    ]
    whole = [one for one in windows if not one.skips()]

    counts = [one.counts() for one in whole]

    assert counts == [[-(-one.sizes[0] // one.steps[0])] for one in whole]


def test_the_odd_part_of_padding_is_at_the_side_that_is_named() -> None:
    """UPPER pads the end more, LOWER the begin."""
    upper, lower = (a_window(4, 2, 1, 1, f"SAME_{side}") for side in ("UPPER", "LOWER"))

    pads = upper.explicit_pads(), lower.explicit_pads()

    assert pads == ([0, 1], [1, 0])


def test_rounding_up_hangs_over() -> None:
    """A window of 2 with a stride of 2 over 3 elements takes a second place, one beyond the end."""
    one = a_window(3, 2, 2, 1)

    found = one.counts(), one.counts(ceil=True), one.overhang(), one.starts_beyond()

    assert found == ([1], [2], [1], False)


def test_draws_reach_padding_that_counts_at_one_side_more() -> None:
    """AveragePool at opset 19 counts padding that is not the same at both sides (issue 26708)."""
    cases = cases_of("AveragePool", 19)

    reached = [
        case
        for case in cases
        if case.kind is Kind.VALID
        and case.attributes.get("count_include_pad") == "1"
        and "1" in (pads := case.attributes.get("pads", "[]")[1:-1].split(","))
        and pads[: len(pads) // 2] != pads[len(pads) // 2 :]
    ]

    assert reached


@pytest.mark.parametrize("operator", ["MaxPool", "Conv"])
def test_draws_reach_strides_of_0(operator: str) -> None:
    """Every opset has a case whose strides are 0, which killed processes up to 1.27."""
    opsets = [opset for name, opset in operators() if name == operator]

    reached = {
        case.description.opset
        for opset in opsets
        for case in cases_of(operator, opset)
        if "0" in case.attributes.get("strides", "")
    }

    assert reached == set(opsets)
