"""Where the standard leaves an answer open, seen from the elements that were drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.generate.drawing import element_type
from harness.generate.element_types import INTEGERS, is_float
from harness.generate.values import whole_limits

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing, Value
    from harness.generate.values import Array

SMALLEST_SHARE = 0.02
"""Of the sum of magnitudes: a smaller sum is what rounding has left of it."""


def doubt_nan(drawing: Drawing, *values: Value) -> None:
    """Doubt a case with NaN among its operands, of which the operator's text says nothing."""
    if any(has_nan(value.elements) for value in values):
        drawing.doubt("NaN is among the operands, of which the text says nothing")


def has_nan(array: Array) -> bool:
    """Say whether NaN is among the elements."""
    return is_float(element_type(array)) and bool(np.isnan(array.astype(np.float64)).any())


def has_infinity(array: Array) -> bool:
    """Say whether an infinity is among the elements."""
    return is_float(element_type(array)) and bool(np.isinf(array.astype(np.float64)).any())


def exact(value: Value) -> Array:
    """Return the elements as Python's integers, which never overflow."""
    elements: Array = value.elements.astype(object)
    return elements


def is_integer(value: Value) -> bool:
    """Say whether a value has one of numpy's types of integers."""
    return element_type(value.elements) in INTEGERS


def doubt_overflow(drawing: Drawing, results: Any, dtype: str) -> None:
    """Doubt a case whose exact results lie outside of their type of integers."""
    least, most = whole_limits(dtype)
    if any(not least <= int(one) <= most for one in np.asarray(results, object).ravel()):
        drawing.doubt(f"a result lies outside of {dtype}")


def doubt_cancellation(drawing: Drawing, magnitudes: Any, sums: Any) -> None:
    """Doubt a case whose sums of floats depend on the order in which they are taken."""
    with np.errstate(all="ignore"):
        lost = np.abs(sums) < SMALLEST_SHARE * np.asarray(magnitudes)
        beyond = np.asarray(magnitudes) > np.finfo(np.float32).max / 2
    if bool(np.any(lost & (np.asarray(magnitudes) > 1) | beyond & np.isfinite(magnitudes))):
        drawing.doubt("a sum of floats depends on the order in which it is taken")
