"""Reductions, running sums and products, and where the largest and the smallest stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.generate.drawing import element_type
from harness.generate.families import draws
from harness.generate.families.doubts import (
    doubt_cancellation,
    doubt_nan,
    doubt_overflow,
    exact,
    is_integer,
)
from harness.generate.values import Values

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing, Value

NEGATIVE_AXES = 11
"""The opset from which an axis may be counted from the end."""

DEFINED_WHEN_EMPTY = {"ReduceMax": 20, "ReduceMin": 20, "ReduceMean": 999, "ReduceSum": 13}
"""The opset from which the text gives the reduction of nothing; 18 for the others."""

LARGEST_POWER = 80
"""Of e that a float holds."""

POSITIVE = ("ReduceLogSum",)
SQUARED = ("ReduceL2", "ReduceSumSquare")


@draws("ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean")
@draws("ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare")
def reduction(drawing: Drawing) -> None:
    """Draw axes as an attribute or an input, none at all, or an empty list of them."""
    data = _reduced(drawing)
    rank = len(data.shape)
    noop = drawing.maybe(0, 1)
    axes: list[int] | None = axes_of(drawing, rank) if rank and drawing.chance(75) else None
    if axes is None and drawing.takes(2) and drawing.chance(40):
        axes = []
    over = tuple(axis % rank for axis in axes) if axes else tuple(range(rank))
    keepdims = drawing.maybe(0, 1)
    _doubt_reduction(drawing, data, () if noop and drawing.takes(2) and not axes else over)
    if axes and drawing.chance(2):
        axes[0] = rank + drawing.below(3)
        drawing.wrong("an axis is out of range")
    if not drawing.takes(2):
        drawing.node(data, axes=axes or None, keepdims=keepdims)
        return
    given = None if axes is None else drawing.value(np.array(axes, np.int64), is_parameter=True)
    drawing.node(data, given, keepdims=keepdims, noop_with_empty_axes=noop)


def axes_of(drawing: Drawing, rank: int) -> list[int]:
    """Return axes of a tensor in any order, counted from the end where that is allowed."""
    axes = drawing.axes(rank)
    return axes if drawing.description.opset >= NEGATIVE_AXES else [axis % rank for axis in axes]


def axis_of(drawing: Drawing, rank: int) -> int:
    """Return an axis of a tensor, counted from the end where that is allowed."""
    axis = drawing.axis(rank)
    return axis if drawing.description.opset >= NEGATIVE_AXES else axis % rank


def _reduced(drawing: Drawing) -> Value:
    if drawing.type_of(0) in ("float16", "bfloat16"):
        drawing.plain(Values.UNIT)  # wider sums round
    shape = drawing.shape()
    limits = (0.125, 4.0) if drawing.description.operator in POSITIVE else None
    return drawing.data(0, shape, limits=limits)


def _doubt_reduction(drawing: Drawing, data: Value, over: tuple[int, ...]) -> None:
    operator = drawing.description.operator
    count = int(np.prod([data.shape[axis] for axis in over]))
    if count == 0 and drawing.description.opset < DEFINED_WHEN_EMPTY.get(operator, 18):
        drawing.doubt("the reduction of nothing")
    elif operator in ("ReduceMax", "ReduceMin"):
        doubt_nan(drawing, data)
    elif is_integer(data):
        _doubt_integers(drawing, operator, exact(data), over, element_type(data.elements))
    else:
        _doubt_floats(drawing, operator, data.elements.astype(np.float64), over)


def _doubt_integers(
    drawing: Drawing, operator: str, elements: Any, over: tuple[int, ...], dtype: str
) -> None:
    if operator in SQUARED:
        elements = elements * elements
    if operator == "ReduceProd":
        doubt_overflow(drawing, np.multiply.reduce(np.abs(elements), over), dtype)
        return
    doubt_overflow(drawing, np.add.reduce(np.abs(elements), over), dtype)
    if operator not in ("ReduceSum", "ReduceL1", "ReduceSumSquare"):
        drawing.doubt("the reduction of integers has a fraction")


def _doubt_floats(drawing: Drawing, operator: str, elements: Any, over: tuple[int, ...]) -> None:
    with np.errstate(all="ignore"):
        if operator in SQUARED:
            elements = elements * elements
        magnitudes = np.add.reduce(np.abs(elements), over)
        if operator in ("ReduceSum", "ReduceMean", "ReduceLogSum"):
            doubt_cancellation(drawing, magnitudes, np.add.reduce(elements, over))
            finite = np.abs(np.where(np.isfinite(elements), elements, 0))
            beside_infinity = np.add.reduce(finite, over)
            doubt_cancellation(drawing, beside_infinity, beside_infinity)
        elif operator in ("ReduceL1", *SQUARED):
            doubt_cancellation(drawing, magnitudes, magnitudes)
        elif operator == "ReduceLogSumExp":
            if np.isinf(elements).any():
                drawing.mistaken("it takes the largest away, and infinity from infinity")
            elif magnitudes.size and np.abs(elements).max(initial=0) > LARGEST_POWER:
                drawing.doubt("the power of a term overflows, and the result does not")
        elif operator == "ReduceProd" and drawing.values >= Values.EDGES:
            drawing.doubt("a product beyond its type depends on the order in which it is taken")


@draws("ArgMax", "ArgMin")
def position(drawing: Drawing) -> None:
    """Draw the first or the last of equal ones."""
    data = drawing.data(0, shape := drawing.shape(1))
    doubt_nan(drawing, data)
    axis = axis_of(drawing, len(shape)) if drawing.chance(70) else None
    if shape[axis or 0] == 0:
        drawing.doubt("the largest of nothing")
    if drawing.chance(2):
        axis = len(shape)
        drawing.wrong("the axis is out of range")
    drawing.node(
        data,
        axis=axis,
        keepdims=drawing.maybe(0, 1),
        select_last_index=drawing.maybe(0, 1),
    )


@draws("CumSum", "CumProd")
def running(drawing: Drawing) -> None:
    """Draw both directions, with and without the element itself."""
    drawing.plain(Values.UNIT if drawing.type_of(0) in ("float16", "bfloat16") else Values.EDGES)
    shape = drawing.shape(1)
    limits = (-2, 2) if drawing.description.operator == "CumProd" else None
    data = drawing.data(0, shape, limits=limits)
    axis = drawing.axis(len(shape))
    _doubt_running(drawing, data, axis)
    if drawing.chance(2):
        axis = len(shape)
        drawing.wrong("the axis is out of range")
    at = drawing.exactly(1, axis)
    drawing.node(data, at, exclusive=drawing.maybe(0, 1), reverse=drawing.maybe(0, 1))


def _doubt_running(drawing: Drawing, data: Value, axis: int) -> None:
    multiplies = drawing.description.operator == "CumProd"
    if is_integer(data):
        joined = np.multiply if multiplies else np.add
        found = joined.accumulate(np.abs(exact(data)), axis)
        doubt_overflow(drawing, found, element_type(data.elements))
    elif drawing.values >= Values.EDGES:
        drawing.doubt("a running sum or product beyond its type depends on its order")
    elif not multiplies:
        elements = data.elements.astype(np.float64)
        sums = np.add.accumulate(elements, axis)
        doubt_cancellation(drawing, np.add.accumulate(np.abs(elements), axis), sums)
