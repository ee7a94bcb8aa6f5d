"""Sequences and optionals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onnx import helper

from harness.generate.cases import type_proto
from harness.generate.drawing import Typed
from harness.generate.element_types import NUMBERS
from harness.generate.families import draws

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing, Value

TYPES = ("float", "float", "double", "float16", "int64", "int32", "uint8", "bool", "string")


def _sequence(drawing: Drawing, dtype: str, rank: int, count: int | None = None) -> Value:
    """Return a sequence of tensors of a rank, of no tensor at times."""
    count = drawing.between(0, 4) if count is None else count
    items = [drawing.tensor(dtype, drawing.shape(rank, rank)).elements for _ in range(count)]
    if count:
        del drawing.given[-count:]
    return drawing.value(items, of=f"seq(tensor({dtype}))")


def _place(drawing: Drawing, count: int, most: int) -> Value:
    """Return a place in a sequence, from either end, often beyond it for a case that is wrong."""
    at = drawing.between(-count, most)
    dtype = drawing.one_of(("int64", "int64", "int32"))
    return drawing.constant(dtype, at)


@draws("SequenceConstruct")
def construct(drawing: Drawing) -> None:
    """Draw tensors of one type put into a sequence."""
    dtype = drawing.one_of(TYPES)
    parts = [drawing.tensor(dtype, drawing.shape(0, 3)) for _ in range(drawing.between(1, 4))]
    drawing.node(*parts, types=(Typed(type=f"seq(tensor({dtype}))", rank=None),))


@draws("SequenceEmpty")
def empty(drawing: Drawing) -> None:
    """Draw a sequence of nothing, with its length."""
    dtype = drawing.maybe(*TYPES)
    made = drawing.apply("SequenceEmpty", dtype=NUMBERS[dtype] if dtype else None)
    if drawing.chance(40):
        drawing.give(drawing.apply("SequenceLength", made))
    else:
        drawing.give(made, Typed(type=f"seq(tensor({dtype or 'float'}))", rank=None))


@draws("SequenceLength")
def length(drawing: Drawing) -> None:
    """Draw a sequence to count."""
    drawing.node(
        _sequence(drawing, drawing.one_of(TYPES), drawing.between(0, 2)),
        types=(Typed(type="int64", rank=0),),
    )


@draws("SequenceAt", "SequenceErase")
def at_place(drawing: Drawing) -> None:
    """Draw a tensor taken from a sequence, or taken away."""
    dtype, rank, count = drawing.one_of(TYPES), drawing.between(0, 2), drawing.between(1, 4)
    is_at = drawing.description.operator == "SequenceAt"
    typed = (
        Typed(type=dtype, rank=rank) if is_at else Typed(type=f"seq(tensor({dtype}))", rank=None)
    )
    values = _sequence(drawing, dtype, rank, count)
    place = _place(drawing, count, count - 1) if is_at or drawing.chance(70) else None
    if not is_at and count == 1:
        place = None
    drawing.node(values, place, types=(typed,))


@draws("SequenceInsert")
def insert(drawing: Drawing) -> None:
    """Draw a tensor put into a sequence, behind its end too."""
    dtype, rank, count = drawing.one_of(TYPES), drawing.between(0, 2), drawing.between(0, 3)
    values = _sequence(drawing, dtype, rank, count)
    item = drawing.tensor(dtype, drawing.shape(rank, rank))
    place = _place(drawing, count, count) if drawing.chance(70) else None
    if place is not None and int(place.elements) in (0, count):
        drawing.mistaken("takes a place modulo the length")
    drawing.node(values, item, place, types=(Typed(type=f"seq(tensor({dtype}))", rank=None),))


@draws("SplitToSequence")
def split_to_sequence(drawing: Drawing) -> None:
    """Draw a tensor cut into parts of one size, of several, or into single ones."""
    dtype = drawing.one_of(TYPES[:7])
    shape = drawing.full_shape(1, 3)
    axis = drawing.axis(len(shape))
    data = drawing.tensor(dtype, shape)
    kind = drawing.below(3)
    split = None
    if kind == 0:
        split = drawing.constant(
            drawing.one_of(("int64", "int32")), drawing.between(1, shape[axis])
        )
    elif kind == 1:
        first = drawing.between(0, shape[axis])
        split = drawing.constant("int64", [first, shape[axis] - first])
    drawing.node(
        data,
        split,
        types=(Typed(type=f"seq(tensor({dtype}))", rank=None),),
        axis=axis if axis or drawing.chance(50) else None,
        keepdims=drawing.maybe(0, 1),
    )


@draws("ConcatFromSequence")
def concat_from_sequence(drawing: Drawing) -> None:
    """Draw tensors of a sequence joined along an axis, or stacked along a new one."""
    dtype = drawing.one_of(TYPES)
    shape = list(drawing.full_shape(1, 3))
    new = drawing.maybe(0, 1)
    rank = len(shape) + (new or 0)
    axis = drawing.axis(rank)
    items = []
    for _ in range(drawing.between(1, 4)):
        if not new:
            shape[axis] = drawing.between(1, 3)
        items.append(drawing.tensor(dtype, shape).elements)
    del drawing.given[-len(items) :]
    drawing.node(
        drawing.value(items, of=f"seq(tensor({dtype}))"),
        types=(Typed(type=dtype, rank=rank),),
        axis=axis,
        new_axis=new,
    )


@draws("SequenceMap")
def sequence_map(drawing: Drawing) -> None:
    """Draw a body carried out for each tensor of a sequence, beside a tensor or a second one."""
    drawing.plain()
    dtype = drawing.one_of(("float", "double", "int64"))
    rank, count = drawing.between(1, 2), drawing.between(1, 3)
    values = _sequence(drawing, dtype, rank, count)
    other = None
    body_inputs = [helper.make_tensor_value_info("a", NUMBERS[dtype], [None] * rank)]
    if drawing.chance(50):
        other = drawing.tensor(dtype, ())
        body_inputs.append(helper.make_tensor_value_info("b", NUMBERS[dtype], []))
        node = helper.make_node(drawing.one_of(("Add", "Mul", "Sub")), ["a", "b"], ["y"])
    else:
        node = helper.make_node(drawing.one_of(("Neg", "Abs", "Identity")), ["a"], ["y"])
    out = helper.make_tensor_value_info("y", NUMBERS[dtype], [None] * rank)
    drawing.node(
        values,
        other,
        types=(Typed(type=f"seq(tensor({dtype}))", rank=None),),
        body=helper.make_graph([node], "body", body_inputs, [out]),
    )


@draws("Optional")
def optional(drawing: Drawing) -> None:
    """Draw something made optional, or nothing, and the question whether it is there."""
    dtype, rank = drawing.one_of(TYPES[:7]), drawing.between(0, 2)
    of = drawing.one_of((f"tensor({dtype})", f"seq(tensor({dtype}))"))
    value = _something(drawing, of, dtype, rank) if drawing.chance(60) else None
    drawing.mistaken("puts what is optional into a list, and takes an empty one for something")
    made = drawing.apply("Optional", value, type=None if value else type_proto(of, rank))
    if value and drawing.chance(50):
        drawing.give(drawing.apply("OptionalGetElement", made), Typed(type=of, rank=rank))
    else:
        drawing.give(drawing.apply("OptionalHasElement", made), Typed(type="bool", rank=0))


@draws("OptionalHasElement", "OptionalGetElement")
def of_optional(drawing: Drawing) -> None:
    """Draw an optional input that is there or not."""
    dtype, rank = drawing.one_of(TYPES[:7]), drawing.between(0, 2)
    of = drawing.one_of((f"tensor({dtype})", f"seq(tensor({dtype}))"))
    gets = drawing.description.operator == "OptionalGetElement"
    inner = _something(drawing, of, dtype, rank)
    drawing.given.remove(inner)
    is_there = gets or drawing.chance(60)
    value = drawing.value(inner.elements if is_there else None, of=f"optional({of})")
    typed = Typed(type=of, rank=rank if of.startswith("tensor") else None)
    drawing.node(value, types=(typed if gets else Typed(type="bool", rank=0),))


def _something(drawing: Drawing, of: str, dtype: str, rank: int) -> Value:
    if of.startswith("seq"):
        return _sequence(drawing, dtype, rank, drawing.between(1, 3))
    return drawing.tensor(dtype, drawing.shape(rank, rank))
