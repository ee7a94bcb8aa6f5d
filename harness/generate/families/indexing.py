"""Elements picked, put elsewhere, and ordered."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.generate.drawing import Typed, element_type
from harness.generate.element_types import DTYPES, FLOATS, INTEGERS, is_float
from harness.generate.families import draws
from harness.generate.families.doubts import doubt_nan, doubt_overflow, exact, is_integer
from harness.generate.families.reductions import NEGATIVE_AXES, axis_of
from harness.generate.families.shaping import integers
from harness.generate.values import Values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.generate.drawing import Drawing, Value


def indices(drawing: Drawing, shape: Sequence[int], size: int, *, negative: bool = True) -> Any:
    """Return an array of indices into an axis, counted from either end; one in fifty is wrong."""
    words = drawing.words(math.prod(shape)).astype(np.int64) % max(size, 1)
    found = np.abs(words).reshape(tuple(shape))
    if negative and drawing.chance(40):
        flips = (drawing.words(found.size) % np.uint64(3) == 0).reshape(found.shape)
        found = np.where(flips, found - size, found)
    if found.size and (drawing.chance(2) or size == 0):
        found.flat[drawing.below(found.size)] = drawing.one_of((size, -size - 1, size + 100))
        drawing.wrong("an index is out of range")
    return found


@draws("Gather")
def gather(drawing: Drawing) -> None:
    """Draw indices of any rank."""
    data = drawing.data(0, shape := drawing.shape(1))
    axis = axis_of(drawing, len(shape)) if drawing.chance(75) else None
    negative = drawing.description.opset >= NEGATIVE_AXES
    found = indices(drawing, drawing.shape(0, 2), shape[axis or 0], negative=negative)
    drawing.node(data, drawing.exactly(1, found), axis=axis)


@draws("GatherElements")
def gather_elements(drawing: Drawing) -> None:
    """Draw indices of the data's rank, as long as one likes along the axis."""
    data = drawing.data(0, shape := drawing.full_shape(1))
    axis = drawing.axis(len(shape)) if drawing.chance(75) else None
    wanted = [size if drawing.chance(60) else drawing.between(1, size) for size in shape]
    wanted[axis or 0] = drawing.dimension()
    found = indices(drawing, wanted, shape[axis or 0])
    drawing.node(data, drawing.exactly(1, found), axis=axis)


@draws("GatherND")
def gather_nd(drawing: Drawing) -> None:
    """Draw indices into elements or slices, for each of a batch where the version has that."""
    shape = drawing.full_shape(1)
    batched = drawing.maybe(0, 1, 1, 2) if drawing.has("batch_dims") else None
    if batched is not None:
        batched = min(batched, len(shape) - 1)
    batch = shape[: batched or 0]
    left = shape[len(batch) :]
    depth = drawing.between(1, len(left))
    outer = [*batch, *drawing.full_shape(0, 2)] if batch else drawing.full_shape(0, 2)
    found = [indices(drawing, outer, left[at]) for at in range(depth)]
    data = drawing.data(0, shape)
    typed = Typed(type=element_type(data.elements), rank=len(outer) + len(left) - depth)
    given = drawing.exactly(1, np.stack(found, -1))
    drawing.node(data, given, batch_dims=batched, types=[typed])


def reduction_of(drawing: Drawing) -> str | None:
    """Return how what is scattered joins what is there; None where it is not stated."""
    if not drawing.has("reduction"):
        return None
    newest = 18
    named = ("none", "add", "add", "mul")
    if drawing.description.opset >= newest:
        return drawing.maybe(*named, "max", "min")
    return drawing.maybe(*named)


def _scattered(drawing: Drawing, data: Value, updates: Value, reduction: str | None) -> None:
    """Doubt what is no number, and what depends on the order in which it is joined."""
    if reduction in (None, "none"):
        return
    dtype = element_type(data.elements)
    if dtype not in (*FLOATS, *INTEGERS):
        drawing.doubt(f"{dtype} is no number to reduce")
    elif reduction in ("max", "min"):
        doubt_nan(drawing, data, updates)
    elif is_integer(data):
        _doubt_joined(drawing, data, updates, reduction, dtype)
    elif drawing.values > Values.UNIT:
        drawing.doubt("what is joined depends on the order")


def _doubt_joined(
    drawing: Drawing, data: Value, updates: Value, reduction: str | None, dtype: str
) -> None:
    ones = [*np.abs(exact(data)).flat], [*np.abs(exact(updates)).flat]
    largest = max(ones[0], default=0)
    if reduction == "add":
        doubt_overflow(drawing, [largest + sum(ones[1])], dtype)
    else:
        doubt_overflow(
            drawing, [max(largest, 1) * math.prod(max(one, 1) for one in ones[1])], dtype
        )


@draws("Scatter", "ScatterElements")
def scatter_elements(drawing: Drawing) -> None:
    """Draw indices that meet nowhere, or meet and are reduced; one in twelve meets open."""
    reduction = reduction_of(drawing)
    if reduction:
        drawing.bind("T", (*FLOATS, *INTEGERS))
    if drawing.type_of(0) in ("float16", "bfloat16"):
        drawing.plain(Values.UNIT)
    data = drawing.data(0, shape := drawing.full_shape(1))
    axis = axis_of(drawing, len(shape)) if drawing.chance(75) else None
    wanted = [size if drawing.chance(50) else drawing.between(1, size) for size in shape]
    meets = reduction not in (None, "none") or drawing.chance(8)
    found = indices(drawing, wanted, size := shape[axis or 0])
    if not meets and not drawing.faults:
        found = _apart(drawing, wanted, axis or 0, size)
    elif reduction in (None, "none") and not _are_apart(found, axis or 0, size):
        drawing.doubt("two updates go to one element")
    given = drawing.exactly(1, found)
    updates = drawing.data(2, wanted)
    _scattered(drawing, data, updates, reduction)
    drawing.node(data, given, updates, axis=axis, reduction=reduction)


def _apart(drawing: Drawing, shape: Sequence[int], axis: int, size: int) -> Any:
    """Return indices of which no two along the axis are the same."""
    order = np.argsort(drawing.words(math.prod(shape) // shape[axis] * size).reshape(-1, size), -1)
    moved = [*shape]
    length = moved.pop(axis)
    lanes = order[:, :length].reshape(*moved, length)
    found = np.moveaxis(lanes, -1, axis % len(shape))
    return found - size if drawing.chance(20) else found


def _are_apart(found: Any, axis: int, size: int) -> bool:
    ordered = np.sort(found % size, axis)
    return not bool((np.diff(ordered, axis=axis) == 0).any())


@draws("ScatterND")
def scatter_nd(drawing: Drawing) -> None:
    """Draw places of elements or slices that differ, or meet and are reduced."""
    reduction = reduction_of(drawing)
    if reduction:
        drawing.bind("T", (*FLOATS, *INTEGERS))
    if drawing.type_of(0) in ("float16", "bfloat16"):
        drawing.plain(Values.UNIT)
    data = drawing.data(0, shape := drawing.full_shape(1))
    depth = drawing.between(1, len(shape))
    places = math.prod(shape[:depth])
    outer = (drawing.between(0 if drawing.chance(10) else 1, min(places, 6)),)
    chosen = drawing.some(range(places), outer[0])
    if chosen and (reduction not in (None, "none") or drawing.chance(8)):
        chosen = [drawing.one_of(chosen) for _ in chosen]
        if reduction in (None, "none") and len({*chosen}) < len(chosen):
            drawing.doubt("two updates go to one place")
    found = np.stack(np.unravel_index(np.array(chosen, np.int64), shape[:depth]), -1)
    if drawing.chance(20):
        found = found - np.array(shape[:depth])
    if found.size and drawing.chance(2):
        found.flat[0] = shape[0] + 1
        drawing.wrong("an index is out of range")
    updates = drawing.data(2, (*outer, *shape[depth:]))
    _scattered(drawing, data, updates, reduction)
    drawing.node(data, integers(drawing, found), updates, reduction=reduction)


@draws("TopK")
def top(drawing: Drawing) -> None:
    """Draw how many, also none and all; equal ones come in the order of their indices."""
    data = drawing.data(0, shape := drawing.shape(1))
    axis = axis_of(drawing, len(shape)) if drawing.chance(75) else None
    size = shape[-1 if axis is None else axis]
    count = drawing.between(0 if drawing.chance(10) else min(1, size), size)
    if drawing.chance(3) or (drawing.has("k") and not size):
        count = size + 1
        drawing.wrong("there are fewer than wanted")
    doubt_nan(drawing, data)
    is_sorted = drawing.maybe(0, 1, 1, 1) if drawing.has("sorted") else None
    if is_sorted == 0 and count > 1:
        drawing.doubt("the order of what is not sorted")
    if count == 0 and not drawing.has("k"):
        drawing.doubt("the number wanted is to be positive, and is 0")
    if drawing.has("k"):
        drawing.node(data, outputs=2, axis=axis, k=count or 1)
        return
    largest = drawing.maybe(0, 1)
    given = integers(drawing, [count])
    drawing.node(data, given, outputs=2, axis=axis, largest=largest, sorted=is_sorted)


@draws("Unique")
def unique(drawing: Drawing) -> None:
    """Draw elements or slices that are there more than once, and some of the four outputs."""
    drawing.plain(drawing.one_of((Values.SMALL, Values.SMALL, Values.WIDE, Values.SPECIAL)))
    data = drawing.data(0, shape := drawing.full_shape(1, 3))
    axis = drawing.axis(len(shape)) if drawing.chance(50) else None
    if axis is not None and shape[axis] > 1:
        lanes = np.moveaxis(data.elements, axis, 0)
        lanes[0] = lanes[-1]
    doubt_nan(drawing, data)
    outputs = drawing.one_of(("y", "yy", "yyyy", "yyyy", "y-y", "y--y"))
    is_sorted = drawing.maybe(0, 1)
    if is_sorted == 0:
        drawing.mistaken("it sorts what is not to be sorted, or puts it together wrongly")
    drawing.node(data, outputs=outputs, axis=axis, sorted=is_sorted)


@draws("OneHot")
def one_hot(drawing: Drawing) -> None:
    """Draw indices of any type, some of which are beyond the depth."""
    if drawing.chance(80):  # of all the combinations of types builds have few
        drawing.bind("T1", ("int64",))
        drawing.bind("T2", ("int64",))
        drawing.bind("T3", ("float", "int64", "string"))
    depth = drawing.between(1, 6)
    shape = drawing.shape(1, 3)
    from_end = drawing.description.opset >= NEGATIVE_AXES
    least, most = (-depth, depth - 1) if from_end else (0, depth - 1)
    if drawing.chance(25):
        least, most = (-depth - 2 if from_end else 0), depth + 2
    dtype = drawing.type_of(0)
    least = least if is_float(dtype) or np.issubdtype(DTYPES[dtype], np.signedinteger) else 0
    words = drawing.words(math.prod(shape)) % np.uint64(most - least + 1)
    found = (words.astype(np.int64) + least).reshape(shape)
    axis = drawing.between(-len(shape) - 1, len(shape)) if drawing.chance(75) else None
    if axis is not None and not from_end:
        axis %= len(shape) + 1
    data = drawing.value(found.astype(DTYPES[dtype]))
    how_many = drawing.exactly(1, depth if drawing.chance(50) else [depth])
    values = drawing.weights(2, (2,))
    if drawing.values >= Values.EDGES:
        drawing.mistaken("it computes with the values, where it should pick one")
    drawing.node(data, how_many, values, axis=axis)


@draws("ReverseSequence")
def reverse_sequence(drawing: Drawing) -> None:
    """Draw lengths of 1 to all, and of nothing at times."""
    shape = drawing.full_shape(2)
    time = drawing.maybe(0, 1)
    batch = None if time is None else 1 - time
    times, batches = shape[time or 0], shape[1 - (time or 0)]
    lengths = [drawing.between(1, times) for _ in range(batches)]
    if drawing.chance(10):
        lengths[0] = 0
    if drawing.chance(3):
        lengths[-1] = times + 1
        drawing.wrong("a sequence is longer than the axis")
    given = integers(drawing, lengths)
    drawing.node(drawing.data(0, shape), given, batch_axis=batch, time_axis=time)


@draws("TensorScatter")
def tensor_scatter(drawing: Drawing) -> None:
    """Draw where each of a batch is written to, around the end in circular mode."""
    shape = list(drawing.full_shape(2))
    axis = drawing.one_of([one for one in range(-len(shape), len(shape)) if one % len(shape)])
    stated = None if len(shape) > 2 and axis == -2 and drawing.chance(50) else axis  # noqa: PLR2004 - the default
    size = shape[axis]
    mode = drawing.maybe("linear", "circular")
    length = drawing.between(1, size)
    room = size - 1 if mode == "circular" else size - length
    written = [drawing.between(0, room) for _ in range(shape[0])]
    past = drawing.data(0, shape)
    shape[axis] = length
    update = drawing.data(1, shape)
    given = integers(drawing, written) if drawing.chance(75) else None
    drawing.node(past, update, given, axis=stated, mode=mode)
