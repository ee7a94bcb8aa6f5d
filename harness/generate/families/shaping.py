"""Operators that give the same elements in another shape, and those that give the shape."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from harness.generate.drawing import Typed, element_type
from harness.generate.families import draws
from harness.generate.families.reductions import NEGATIVE_AXES
from harness.generate.values import Values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.generate.drawing import Drawing, Value
    from harness.generate.values import Array


def integers(drawing: Drawing, numbers: Sequence[int] | Array | int) -> Value:
    """Return a tensor of int64 with these elements, that most models have as a constant."""
    return drawing.value(np.array(numbers, np.int64), is_parameter=True)


@draws("Reshape")
def reshape(drawing: Drawing) -> None:
    """Draw a target with -1 for what is left and 0 for what is kept."""
    data = drawing.data(0, shape := drawing.shape())
    allow = drawing.maybe(0, 1) if drawing.has("allowzero") else None
    target = list(shape) if 0 in shape else _factors(drawing, math.prod(shape))
    if 0 in shape and allow:
        target = drawing.shuffled(target)
    if not allow and drawing.chance(30):
        kept = [at for at in range(min(len(shape), len(target))) if shape[at] == target[at]]
        for at in kept[: drawing.between(1, 4)]:
            target[at] = 0
    if target and 0 not in shape and drawing.chance(40):
        target[drawing.below(len(target))] = -1
    if drawing.chance(3):
        target = [*(one or 1 for one in target), 11]
        drawing.wrong("the sizes do not multiply to that of the data")
    drawing.node(data, integers(drawing, target), allowzero=allow)


def _factors(drawing: Drawing, size: int) -> list[int]:
    target = [1] * drawing.between(1 if size > 1 else 0, 5)
    for prime in (2, 3, 5, 7):
        while size % prime == 0:
            size //= prime
            target[drawing.below(len(target))] *= prime
    return target


@draws("Flatten")
def flatten(drawing: Drawing) -> None:
    """Draw any place to cut the shape in two."""
    shape = drawing.shape(0 if drawing.chance(10) else 1, 5)
    least = -len(shape) if drawing.description.opset >= NEGATIVE_AXES else 0
    axis = drawing.between(least, len(shape)) if drawing.chance(80) and shape else None
    if axis is None and not shape:
        axis = 0
    if drawing.chance(2):
        axis = len(shape) + 1
        drawing.wrong("the axis is out of range")
    drawing.node(drawing.data(0, shape), axis=axis)


@draws("Squeeze")
def squeeze(drawing: Drawing) -> None:
    """Draw axes of 1, all of them, or none stated."""
    shape = drawing.shuffled([*drawing.shape(0, 3), *[1] * drawing.between(0, 3)])
    ones = [axis for axis, size in enumerate(shape) if size == 1]
    axes = (
        drawing.some(ones, drawing.between(1, len(ones))) if ones and drawing.chance(75) else None
    )
    others = [axis for axis, size in enumerate(shape) if size > 1]
    if axes and others and drawing.chance(4):
        axes[0] = others[0]
        drawing.wrong("an axis is longer than 1")
    _node_of_axes(drawing, drawing.data(0, shape), axes, len(shape))


@draws("Unsqueeze")
def unsqueeze(drawing: Drawing) -> None:
    """Draw where the new axes of 1 stand in the result, in any order."""
    shape = drawing.shape(0, 3)
    rank = len(shape) + drawing.between(1, 3)
    axes = drawing.some(range(rank), rank - len(shape))
    if drawing.chance(3):
        axes[0] = rank
        drawing.wrong("an axis is out of range")
    _node_of_axes(drawing, drawing.data(0, shape), axes, rank)


def _node_of_axes(drawing: Drawing, data: Value, axes: list[int] | None, rank: int) -> None:
    if axes is not None and drawing.description.opset >= NEGATIVE_AXES and not drawing.faults:
        axes = [axis - rank if drawing.chance(30) else axis for axis in axes]
    if drawing.has("axes"):
        if len(axes or ()) > 1 and axes != sorted(axis % rank for axis in axes or ()):
            drawing.mistaken("it takes the axes one after the other, as they are stated")
        drawing.node(data, axes=axes)
    else:
        drawing.node(data, None if axes is None else integers(drawing, axes))


@draws("Transpose")
def transpose(drawing: Drawing) -> None:
    """Draw any order of the axes."""
    shape = drawing.shape(0, 5)
    order: list[int] | None = drawing.shuffled(range(len(shape))) or None
    if drawing.chance(20):
        order = None
    elif order and len(order) > 1 and drawing.chance(3):
        order[0] = order[1]
        drawing.wrong("an axis is there twice")
    data = drawing.data(0, shape)
    typed = Typed(type=element_type(data.elements), rank=len(shape))
    drawing.node(data, perm=order, types=[typed])


@draws("Expand")
def expand(drawing: Drawing) -> None:
    """Draw shapes of which either may be the smaller one."""
    shape = drawing.shape()
    given, wanted = drawing.broadcast_to(shape), shape
    if drawing.chance(30):
        wanted = drawing.broadcast_to(shape)
    if shape and shape[-1] > 1 and drawing.chance(3):
        given, wanted = shape, (*wanted[:-1], shape[-1] + 1)
        drawing.wrong("the shapes do not broadcast")
    drawing.node(drawing.data(0, given), integers(drawing, wanted))


@draws("Tile")
def tile(drawing: Drawing) -> None:
    """Draw how often each axis is repeated, not at all among them."""
    shape = drawing.shape(0 if drawing.chance(5) else 1, 3)
    repeats = [drawing.one_of((1, 1, 2, 2, 3, 3, 0)) for _ in shape]
    if drawing.chance(2):
        repeats.append(2)
        drawing.wrong("there are more repeats than axes")
    drawing.node(drawing.data(0, shape), integers(drawing, repeats))


@draws("Shape")
def shape_of(drawing: Drawing) -> None:
    """Draw a part of the shape, also beyond its ends."""
    shape = drawing.shape(0, 5)
    ends = range(-len(shape) - 2, len(shape) + 3)
    start, end = drawing.maybe(*ends), drawing.maybe(*ends)
    if any(one is not None and one < -len(shape) for one in (start, end)):
        drawing.mistaken("it takes an end before the first axis as one from the last")
    drawing.node(drawing.data(0, shape), start=start, end=end)


@draws("Size")
def size_of(drawing: Drawing) -> None:
    """Draw any tensor."""
    drawing.node(drawing.data(0, drawing.shape(0, 5)))


@draws("Identity")
def identity(drawing: Drawing) -> None:
    """Draw a tensor, or a sequence of them where the version takes it."""
    assert drawing.operator is not None
    if "seq(tensor(float))" in drawing.operator.inputs[0].allowed and drawing.chance(15):
        tensors = [drawing.tensor("float", drawing.shape()) for _ in range(drawing.between(1, 3))]
        drawing.given.clear()
        drawing.node(drawing.value([one.elements for one in tensors]))
        return
    drawing.node(drawing.data(0, drawing.shape()))


@draws("Det")
def determinant(drawing: Drawing) -> None:
    """Draw one square matrix or a batch of them."""
    drawing.plain(Values.UNIT)
    side = drawing.between(1, 4)
    drawing.node(drawing.data(0, (*drawing.full_shape(0, 2), side, side)))
