"""Chains of an operator between transpositions, which a build may push through it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from harness.generate.element_types import NUMBERS
from harness.generate.families import draws
from harness.generate.families.chains.layout import cut, integers

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing, Value


@draws("chain/transpose-around")
def transpose_around(drawing: Drawing) -> None:
    """Draw an operator between transpositions, which a build may push through it."""
    dtype = drawing.one_of(("float", "float", "float16", "double"))
    drawing.plain()
    shape = drawing.full_shape(3, 4)
    rank = len(shape)
    order = drawing.shuffled(range(rank))
    turned = tuple(shape[at] for at in order)
    value = drawing.apply("Transpose", drawing.tensor(dtype, shape), perm=order)
    value = drawing.seen(value)
    name = drawing.one_of(tuple(_BETWEEN))
    made, rank = _BETWEEN[name](drawing, value, turned, dtype)
    made = drawing.seen(made)
    back = [order.index(at) for at in range(len(order))]
    if not rank:
        drawing.give(made)
        return
    if rank != len(order) or drawing.chance(30):
        back = drawing.shuffled(range(rank))
    drawing.give(drawing.apply("Transpose", made, perm=back))


def _binary(
    drawing: Drawing, value: Value, shape: tuple[int, ...], dtype: str
) -> tuple[Value, int]:
    other = drawing.tensor(dtype, drawing.broadcast_to(shape), is_parameter=drawing.chance(60))
    name = drawing.one_of(("Add", "Mul", "Sub", "Max", "Where"))
    if name == "Where":
        which = drawing.tensor("bool", drawing.broadcast_to(shape))
        return drawing.apply("Where", which, value, other), len(shape)
    return drawing.apply(name, *drawing.shuffled((value, other))), len(shape)


def _reduced(
    drawing: Drawing, value: Value, shape: tuple[int, ...], dtype: str
) -> tuple[Value, int]:
    del dtype
    axes = sorted({axis % len(shape) for axis in drawing.axes(len(shape))})
    keep = drawing.below(2)
    name = drawing.one_of(("ReduceSum", "ReduceMean", "ReduceMax"))
    since = 13 if name == "ReduceSum" else 18
    given = drawing.opset >= since
    made = drawing.apply(
        name,
        value,
        integers(drawing, axes) if given else None,
        axes=None if given else axes,
        keepdims=keep,
    )
    return made, len(shape) if keep else len(shape) - len(axes)


def _softmax(
    drawing: Drawing, value: Value, shape: tuple[int, ...], dtype: str
) -> tuple[Value, int]:
    name = drawing.one_of(("Softmax", "LogSoftmax", "ArgMax", "CumSum", "Flatten", "Hardmax"))
    if (name, dtype) == ("LogSoftmax", "float16"):
        drawing.mistaken("it takes the logarithm of what has become 0")
    axis = drawing.axis(len(shape))
    if name == "ArgMax":
        keep = drawing.below(2)
        made = drawing.apply("ArgMax", value, axis=axis, keepdims=keep)
        return made, len(shape) - 1 + keep
    if name == "CumSum":
        return drawing.apply("CumSum", value, drawing.constant("int64", axis)), len(shape)
    rank = 2 if name == "Flatten" else len(shape)
    return drawing.apply(name, value, axis=axis), rank


def _concat(
    drawing: Drawing, value: Value, shape: tuple[int, ...], dtype: str
) -> tuple[Value, int]:
    axis = drawing.axis(len(shape))
    other = drawing.tensor(dtype, shape, is_parameter=drawing.chance(50))
    made = drawing.apply("Concat", *drawing.shuffled((value, other)), axis=axis)
    return made, len(shape)


def _split(drawing: Drawing, value: Value, shape: tuple[int, ...], dtype: str) -> tuple[Value, int]:
    del dtype
    axis = drawing.axis(len(shape))
    first = drawing.between(0, shape[axis])
    sizes = integers(drawing, [first, shape[axis] - first])
    return drawing.apply("Split", value, sizes, outputs=2, axis=axis), len(shape)


def _padded(
    drawing: Drawing, value: Value, shape: tuple[int, ...], dtype: str
) -> tuple[Value, int]:
    del dtype
    pads = [drawing.one_of((0, 0, 1, 2)) for _ in range(2 * len(shape))]
    return drawing.apply("Pad", value, integers(drawing, pads)), len(shape)


def _sliced(
    drawing: Drawing, value: Value, shape: tuple[int, ...], dtype: str
) -> tuple[Value, int]:
    del dtype
    return cut(drawing, value, shape)[0], len(shape)


def _squeezed(
    drawing: Drawing, value: Value, shape: tuple[int, ...], dtype: str
) -> tuple[Value, int]:
    del dtype
    ones = [at for at, size in enumerate(shape) if size == 1]
    if ones and drawing.chance(60):
        return drawing.apply("Squeeze", value, integers(drawing, ones)), len(shape) - len(ones)
    axis = drawing.axis(len(shape) + 1)
    return drawing.apply("Unsqueeze", value, integers(drawing, [axis])), len(shape) + 1


def _gathered(
    drawing: Drawing, value: Value, shape: tuple[int, ...], dtype: str
) -> tuple[Value, int]:
    del dtype
    axis = drawing.axis(len(shape))
    rank = drawing.below(3)
    count = math.prod([2] * rank)
    at = np.array([drawing.between(-shape[axis], shape[axis] - 1) for _ in range(count)])
    where = drawing.constant("int64", at.reshape([2] * rank))
    return drawing.apply("Gather", value, where, axis=axis), len(shape) - 1 + rank


def _elementwise(
    drawing: Drawing, value: Value, shape: tuple[int, ...], dtype: str
) -> tuple[Value, int]:
    del dtype
    name = drawing.one_of(("Relu", "Sigmoid", "Abs", "Identity", "Cast", "Tile", "Shape"))
    if name == "Tile":
        times = integers(drawing, [drawing.between(1, 2) for _ in shape])
        return drawing.apply("Tile", value, times), len(shape)
    made = drawing.apply(name, value, to=NUMBERS["float"] if name == "Cast" else None)
    return made, 1 if name == "Shape" else len(shape)


_BETWEEN = {
    "binary": _binary,
    "reduced": _reduced,
    "softmax": _softmax,
    "concat": _concat,
    "split": _split,
    "padded": _padded,
    "sliced": _sliced,
    "squeezed": _squeezed,
    "gathered": _gathered,
    "elementwise": _elementwise,
}
