"""Sequences and optionals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import helper

from harness.generate.drawing import Typed
from harness.generate.element_types import COMMON, NUMBERS
from harness.generate.families import draws
from harness.generate.values import drawn

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing, Value

TYPES = (*COMMON, "string")


def _tensors(drawing: Drawing, of: str, rank: int, count: int) -> list[Any]:
    """Return tensors of one rank and of different sizes."""
    return [drawn(drawing, of, drawing.shape(rank, rank), drawing.values) for _ in range(count)]


def _sequence(drawing: Drawing, of: str, rank: int) -> Value:
    return drawing.value(_tensors(drawing, of, rank, drawing.between(1, 4)))


def _position(drawing: Drawing, count: int, *, beyond: int = 0) -> Value:
    """Return a place in a sequence of so many, counted from either end."""
    dtype = drawing.one_of((np.int32, np.int64))
    place = drawing.between(-count, count - 1 + beyond)
    return drawing.value(np.array(place, dtype), is_parameter=True)


@draws("SequenceEmpty")
def empty(drawing: Drawing) -> None:
    """Draw each type, stated and not."""
    of = drawing.maybe(*TYPES)
    dtype = None if of is None else NUMBERS[of]
    drawing.node(dtype=dtype, types=[Typed(type=f"seq(tensor({of or 'float'}))", rank=None)])


@draws("SequenceConstruct")
def construct(drawing: Drawing) -> None:
    """Draw one to four tensors."""
    of, rank = drawing.one_of(TYPES), drawing.between(0, 3)
    parts = _tensors(drawing, of, rank, drawing.between(1, 4))
    drawing.node(
        *(drawing.value(one) for one in parts),
        types=[Typed(type=f"seq(tensor({of}))", rank=None)],
    )


@draws("SequenceAt", "SequenceErase")
def at(drawing: Drawing) -> None:
    """Draw a place from either end; erasing takes the last without one."""
    of, rank = drawing.one_of(TYPES), drawing.between(0, 3)
    sequence = _sequence(drawing, of, rank)
    place = _position(drawing, len(sequence.elements))
    if drawing.description.operator == "SequenceAt":
        drawing.node(sequence, place, types=[Typed(type=of, rank=rank)])
        return
    kept = place if drawing.chance(70) else None
    if kept is None:
        drawing.given.remove(place)
    drawing.node(sequence, kept, types=[Typed(type=f"seq(tensor({of}))", rank=None)])


@draws("SequenceInsert")
def insert(drawing: Drawing) -> None:
    """Draw a place from either end, one behind the last, or none."""
    of, rank = drawing.one_of(TYPES), drawing.between(0, 3)
    sequence = _sequence(drawing, of, rank)
    (new,) = _tensors(drawing, of, rank, 1)
    value = drawing.value(new)
    place = _position(drawing, len(sequence.elements), beyond=1) if drawing.chance(70) else None
    if place is not None and int(place.elements) == len(sequence.elements):
        drawing.mistaken("it takes the place behind the last for the one before it")
    drawing.node(sequence, value, place, types=[Typed(type=f"seq(tensor({of}))", rank=None)])


@draws("SequenceLength")
def length(drawing: Drawing) -> None:
    """Draw a sequence of each type."""
    of = drawing.one_of(TYPES)
    drawing.node(_sequence(drawing, of, drawing.between(0, 3)))


@draws("ConcatFromSequence")
def concat(drawing: Drawing) -> None:
    """Draw tensors that differ along the axis alone, or not at all where the axis is new."""
    of = drawing.one_of(TYPES)
    shape = list(drawing.full_shape(1, 3))
    new = drawing.maybe(0, 1)
    rank = len(shape)
    axis = drawing.axis(rank + 1 if new else rank)
    parts = []
    for _ in range(drawing.between(1, 4)):
        if not new:
            shape[axis] = drawing.between(1, 3)
        parts.append(drawn(drawing, of, tuple(shape), drawing.values))
    typed = [Typed(type=of, rank=rank + 1 if new else rank)]
    drawing.node(drawing.value(parts), axis=axis, new_axis=new, types=typed)


@draws("SplitToSequence")
def split(drawing: Drawing) -> None:
    """Draw no lengths (pieces of one), one length for all, and a length for each."""
    of = drawing.one_of((*COMMON[:6], "string"))
    shape = drawing.full_shape(1, 3)
    rank = len(shape)
    axis = drawing.axis(rank)
    size = shape[axis]
    x = drawing.tensor(of, shape)
    keep = drawing.maybe(0, 1)
    lengths = None
    way = drawing.below(3)
    if way == 1:
        lengths = drawing.value(np.array(drawing.between(1, size), np.int64), is_parameter=True)
    if way == 2:  # noqa: PLR2004 - the third of three ways
        first = drawing.between(0, size)
        lengths = drawing.value(np.array([first, size - first], np.int64), is_parameter=True)
    drawing.node(
        x,
        lengths,
        axis=axis if axis or drawing.chance(50) else None,
        keepdims=keep,
        types=[Typed(type=f"seq(tensor({of}))", rank=None)],
    )


@draws("Optional")
def optional(drawing: Drawing) -> None:
    """Draw an optional that holds a tensor or a sequence."""
    of = drawing.one_of(TYPES)
    if drawing.chance(20):
        stated = helper.make_tensor_type_proto(NUMBERS[of], None)
        if drawing.chance(50):
            stated = helper.make_sequence_type_proto(stated)
        empty = drawing.apply("Optional", type=stated)
        drawing.mistaken("it has no optional that is empty")
        drawing.give(drawing.apply("OptionalHasElement", empty), Typed(type="bool", rank=0))
        return
    if drawing.chance(50):
        value, held = drawing.tensor(of, drawing.shape(0, 3)), f"tensor({of})"
    else:
        value, held = _sequence(drawing, of, drawing.between(0, 2)), f"seq(tensor({of}))"
    drawing.mistaken("it puts what is held into a list of one")
    drawing.node(value, types=[Typed(type=f"optional({held})", rank=None)])


@draws("OptionalHasElement", "OptionalGetElement")
def held(drawing: Drawing) -> None:
    """Draw what an optional of the same graph holds, or, from version 18, what is none at all."""
    of, rank = drawing.one_of(TYPES), drawing.between(0, 3)
    is_tensor = drawing.chance(50)
    value = drawing.tensor(of, drawing.full_shape(rank, rank)) if is_tensor else None
    value = value or _sequence(drawing, of, rank)
    direct = drawing.description.opset > 15 and drawing.chance(50)  # noqa: PLR2004 - since 18
    inner = value if direct else drawing.apply("Optional", value)
    if not is_tensor:
        drawing.mistaken("it puts a sequence into a list of one")
    name = drawing.description.operator
    result = drawing.apply(name, inner)
    if name == "OptionalHasElement":
        drawing.give(result, Typed(type="bool", rank=0))
    elif is_tensor:
        drawing.give(result, Typed(type=of, rank=rank))
    else:
        drawing.give(result, Typed(type=f"seq(tensor({of}))", rank=None))
