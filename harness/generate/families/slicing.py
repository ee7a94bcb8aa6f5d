"""Tensors put together, cut apart, cut out and padded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.generate.drawing import Typed, element_type
from harness.generate.families import draws
from harness.generate.families.reductions import axes_of, axis_of
from harness.generate.families.shaping import integers

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing, Value

FAR = 2**31 - 1
"""What models state for the end of an axis."""


@draws("Concat")
def concat(drawing: Drawing) -> None:
    """Draw one to five tensors that differ along the axis."""
    shape = list(drawing.shape(1))
    axis = axis_of(drawing, len(shape))
    sizes = [drawing.dimension() for _ in range(drawing.one_of((1, 2, 2, 3, 4, 5)))]
    if drawing.chance(8):
        sizes[0] = 0
    shapes = [[*shape] for _ in sizes]
    for one, size in zip(shapes, sizes, strict=True):
        one[axis] = size
    if len(shapes) > 1 and len(shape) > 1 and drawing.chance(3):
        shapes[1][(axis + 1) % len(shape)] += 2
        drawing.wrong("the shapes differ along another axis")
    drawing.node(*(drawing.data(0, one) for one in shapes), axis=axis)


@draws("Split")
def split(drawing: Drawing) -> None:
    """Draw equal or stated parts, as an attribute, an input, or by their number."""
    shape = list(drawing.shape(1))
    axis = axis_of(drawing, len(shape))
    parts = drawing.one_of((1, 2, 2, 3, 4))
    sizes = [drawing.between(0 if drawing.chance(20) else 1, 3) for _ in range(parts)]
    states = drawing.chance(60)
    if not states:
        sizes = [drawing.between(1, 3)] * parts
    by_number = drawing.has("num_outputs") and not states
    shape[axis] = sum(sizes)
    if by_number and parts > 1 and drawing.chance(50):
        shape[axis] -= 1
        _doubt_uneven(drawing, shape[axis], parts)
    if states and drawing.chance(4):
        sizes[0] += 1
        drawing.wrong("the parts do not add up to the axis")
    data = drawing.data(0, shape)
    stated = axis if axis or drawing.chance(50) else None
    if drawing.has("split"):
        drawing.node(data, outputs=parts, axis=stated, split=sizes if states else None)
        return
    given = integers(drawing, sizes) if states else None
    number = parts if by_number else None
    drawing.node(data, given, outputs=parts, axis=stated, num_outputs=number)


def _doubt_uneven(drawing: Drawing, size: int, parts: int) -> None:
    if -(-size // parts) * (parts - 1) >= size:
        drawing.doubt("the last of the parts would have nothing or less")


@draws("Slice")
def cut(drawing: Drawing) -> None:
    """Draw starts and ends beyond the axes, and steps in both directions."""
    data = drawing.data(0, shape := drawing.shape(1))
    axes = axes_of(drawing, len(shape)) if drawing.chance(75) else None
    cut_axes = list(range(len(shape))) if axes is None else axes
    has_steps = not drawing.has("starts")
    steps = [drawing.one_of((1, 1, 1, 2, 3, -1, -2)) for _ in cut_axes] if has_steps else None
    starts, ends = [], []
    for at, axis in enumerate(cut_axes):
        start, end = _bounds(drawing, shape[axis], 1 if steps is None else steps[at])
        starts.append(start)
        ends.append(end)
    before = (
        step < 0 and start < -shape[axis]
        for step, start, axis in zip(steps or [], starts, cut_axes, strict=False)
    )
    if any(before):
        drawing.mistaken("a start before the first element is moved to it, also when going back")
    if steps and drawing.chance(2):
        steps[0] = 0
        drawing.wrong("a step is 0")
    elif axes and drawing.chance(2):
        axes[0] = len(shape)
        drawing.wrong("an axis is out of range")
    typed = Typed(type=element_type(data.elements), rank=len(shape))
    if not has_steps:
        drawing.node(data, axes=axes, starts=starts, ends=ends, types=[typed])
        return
    states_steps = steps if drawing.faults or any(one != 1 for one in steps or ()) else None
    drawing.node(
        data,
        drawing.exactly(1, starts),
        drawing.exactly(1, ends),
        None if axes is None else drawing.exactly(1, axes),
        None if states_steps is None else drawing.exactly(1, states_steps),
        types=[typed],
    )


def _bounds(drawing: Drawing, size: int, step: int) -> tuple[int, int]:
    start, end = (drawing.between(-size - 1, size + 2) for _ in range(2))
    if drawing.chance(60):  # mostly something is left
        first, last = sorted(drawing.below(size + 1) for _ in range(2))
        start, end = (last, first) if step < 0 else (first, last)
        start, end = (
            one - size if drawing.chance(30) and one < size else one for one in (start, end)
        )
    if drawing.chance(15):
        end = -FAR if step < 0 else FAR
    return start, end


@draws("Pad")
def pad(drawing: Drawing) -> None:
    """Draw every mode, pads on either side, and negative ones, which cut off."""
    shape = drawing.shape(1)
    mode = drawing.maybe(*_modes(drawing))
    axes = drawing.axes(len(shape)) if drawing.takes(4) and drawing.chance(50) else None
    padded = list(range(len(shape))) if axes is None else axes
    pads = [_one_pad(drawing, shape[axis], mode) for _ in range(2) for axis in padded]
    _doubt_pads(drawing, [shape[axis] for axis in padded], pads, mode)
    if drawing.chance(2):
        pads.append(1)
        drawing.wrong("the pads are not two for an axis")
    data = drawing.data(0, shape)
    if min(pads, default=0) < 0:
        drawing.mistaken("it refuses negative pads")
    if drawing.has("pads"):
        drawing.node(data, pads=pads, mode=mode, value=drawing.maybe(0.0, 1.5, -2.0))
        return
    value = drawing.weights(0, ()) if drawing.chance(60) else None
    where = None if axes is None else _axes_input(drawing, axes)
    typed = Typed(type=element_type(data.elements), rank=len(shape))
    drawing.node(data, integers(drawing, pads), value, where, mode=mode, types=[typed])


def _modes(drawing: Drawing) -> tuple[str, ...]:
    wraps = 19
    modes = ("constant", "constant", "reflect", "edge")
    return (*modes, "wrap") if drawing.description.opset >= wraps else modes


def _axes_input(drawing: Drawing, axes: list[int]) -> Value:
    if drawing.chance(90):
        return integers(drawing, axes)
    drawing.doubt("the standard's shape inference refuses constant axes of int32")
    return drawing.value(np.array(axes, np.int32), is_parameter=True)


def _one_pad(drawing: Drawing, size: int, mode: str | None) -> int:
    if drawing.chance(10):
        return -drawing.below(min(size, 2) + 1)
    if mode in ("reflect", "wrap") and drawing.chance(90):
        return drawing.below(max(size, 1))
    return drawing.between(0, 3)


def _doubt_pads(drawing: Drawing, sizes: list[int], pads: list[int], mode: str | None) -> None:
    pairs = list(zip(sizes, pads[: len(sizes)], pads[len(sizes) :], strict=True))
    if any(size + before + after < 0 for size, before, after in pairs):
        drawing.wrong("more is cut off than there is")
    elif mode in ("reflect", "edge", "wrap"):
        if any(size == 0 and max(before, after) > 0 for size, before, after in pairs):
            drawing.doubt("nothing is repeated to fill a pad")
        elif min(pads, default=0) < 0:
            drawing.doubt("what is cut off is or is not repeated on the other side")
        elif mode != "edge" and any(max(two) > size - (mode == "reflect") for size, *two in pairs):
            drawing.doubt("a pad repeats more than there is")


@draws("Compress")
def compress(drawing: Drawing) -> None:
    """Draw conditions as long as the axis or shorter."""
    data = drawing.data(0, shape := drawing.shape(1))
    axis = axis_of(drawing, len(shape)) if drawing.chance(70) else None
    length = data.elements.size if axis is None else shape[axis]
    if drawing.chance(30):
        length = drawing.below(length + 1)
    rank = 1 if axis is None else len(shape)
    typed = Typed(type=element_type(data.elements), rank=rank)
    drawing.node(data, drawing.weights(1, (length,)), axis=axis, types=[typed])


@draws("NonZero")
def nonzero(drawing: Drawing) -> None:
    """Draw tensors with zeros among their elements."""
    data = drawing.data(0, drawing.shape(0 if drawing.chance(5) else 1))
    if not data.shape:
        drawing.doubt("a scalar has no axes to index")
    if element_type(data.elements) != "string" and data.elements.size > 1:
        data.elements.flat[drawing.below(data.elements.size)] = 0
    drawing.node(data)
