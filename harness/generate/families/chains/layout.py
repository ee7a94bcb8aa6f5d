"""Chains that move elements about: transpositions, shapes, slices; most vanish in optimisation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from onnx import helper

from harness.generate.drawing import Typed, element_type
from harness.generate.element_types import NUMBERS
from harness.generate.families import draws
from harness.generate.families.doubts import has_nan

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing, Value

ANY = ("float", "float", "float", "double", "float16", "int64", "int32", "int8", "uint8", "bool")


def integers(drawing: Drawing, numbers: list[int]) -> Value:
    """Return whole numbers as operators take them for shapes and axes, constants mostly."""
    return drawing.constant("int64", numbers)


@draws("chain/transpose-transpose")
def transpose_transpose(drawing: Drawing) -> None:
    """Draw transpositions in a row, with something of one element to one between some."""
    shape = drawing.shape(2, 4)
    value = drawing.tensor(drawing.one_of(ANY[:7]), shape)
    for _ in range(drawing.between(2, 4)):
        order = drawing.shuffled(range(len(shape)))
        value = drawing.seen(drawing.apply("Transpose", value, perm=order))
        if drawing.chance(30):
            value = drawing.seen(drawing.apply(drawing.one_of(("Abs", "Neg", "Identity")), value))
    drawing.give(value)


def cut(drawing: Drawing, value: Value, shape: tuple[int, ...]) -> tuple[Value, tuple[int, ...]]:
    """Return a slice of a value, its ends beyond the value at times, and its shape."""
    axes = drawing.some(range(len(shape)), drawing.between(1, len(shape)))
    left = list(shape)
    starts, stops, steps = [], [], []
    for axis in axes:
        size = shape[axis]
        step = drawing.one_of((1, 1, 1, 2, -1, -2))
        ends = [drawing.between(-size - (step > 0), size + 1) for _ in range(2)]
        if drawing.chance(40):
            ends = [0, 2**63 - 1] if step > 0 else [-1, -(2**63)]
        start, stop = sorted(ends) if step > 0 else sorted(ends, reverse=True)
        left[axis] = len(range(size)[slice(start, stop, step)])
        starts.append(start)
        stops.append(stop)
        steps.append(step)
    named = [axis - len(shape) if drawing.chance(30) else axis for axis in axes]
    whole = [integers(drawing, one) for one in (starts, stops, named)]
    has_steps = any(step != 1 for step in steps) or drawing.chance(40)
    made = drawing.apply("Slice", value, *whole, integers(drawing, steps) if has_steps else None)
    return made, tuple(left)


@draws("chain/slice-chain")
def slice_chain(drawing: Drawing) -> None:
    """Draw slices of slices."""
    shape = drawing.shape(1, 4)
    value = drawing.tensor(drawing.one_of(ANY), shape)
    for _ in range(drawing.between(2, 3)):
        value, shape = cut(drawing, value, shape)
        drawing.seen(value)
    drawing.give(value)


@draws("chain/reshape-chain")
def reshape_chain(drawing: Drawing) -> None:
    """Draw reshapes, flattenings and more in a row; 0 and -1 among the sizes."""
    shape = drawing.full_shape(1, 4)
    value = drawing.tensor(drawing.one_of(ANY), shape)
    for _ in range(drawing.between(2, 4)):
        kind = drawing.below(5)
        if kind <= 2:  # noqa: PLR2004 - more reshapes than others
            value, shape = _reshaped(drawing, value, shape)
        elif kind == 3:  # noqa: PLR2004
            axis = drawing.between(0, len(shape))
            value = drawing.apply("Flatten", value, axis=axis)
            shape = math.prod(shape[:axis]), math.prod(shape[axis:])
        else:
            axis = drawing.between(0, len(shape))
            value = drawing.apply("Unsqueeze", value, integers(drawing, [axis]))
            shape = (*shape[:axis], 1, *shape[axis:])
        drawing.seen(value)
    drawing.give(value)


def _reshaped(
    drawing: Drawing, value: Value, shape: tuple[int, ...]
) -> tuple[Value, tuple[int, ...]]:
    after = [size for size in shape if size > 1]
    if drawing.chance(50) and len(after) > 1:
        at = drawing.below(len(after) - 1)
        after[at : at + 2] = [after[at] * after[at + 1]]
    if drawing.chance(40):
        after.insert(drawing.between(0, len(after)), 1)
    if drawing.chance(30):
        after = drawing.shuffled(after)
    stated = list(after)
    for at, size in enumerate(after):
        if at < len(shape) and shape[at] == size and drawing.chance(40):
            stated[at] = 0
    if stated and drawing.chance(40):
        stated[drawing.below(len(stated))] = -1
    target = integers(drawing, stated)
    if drawing.chance(10):
        target = drawing.apply("Reshape", target, integers(drawing, [-1]))
    made = drawing.apply(
        "Reshape",
        value,
        target,
        allowzero=drawing.maybe(0, 0) if 0 in stated else drawing.maybe(0, 1),
    )
    return made, tuple(after)


@draws("chain/unsqueeze-squeeze")
def unsqueeze_squeeze(drawing: Drawing) -> None:
    """Draw axes that are added and taken away, the same ones or others."""
    shape = [size + 1 for size in drawing.full_shape(1, 3)]
    if drawing.chance(60):
        shape[drawing.below(len(shape))] = 1
    rank = len(shape)
    value = drawing.tensor(drawing.one_of(ANY), shape)
    added = drawing.some(range(rank + 2), 2)
    value = drawing.seen(drawing.apply("Unsqueeze", value, integers(drawing, added)))
    left = iter(shape)
    wide = [1 if at in added else next(left) for at in range(rank + 2)]
    if drawing.chance(30):
        value = drawing.apply(drawing.one_of(("Identity", "Identity")), value)
    ones = [at for at, size in enumerate(wide) if size == 1]
    taken = drawing.one_of((added, drawing.some(ones, drawing.between(1, len(ones)))))
    given = integers(drawing, [axis - rank - 2 if drawing.chance(30) else axis for axis in taken])
    drawing.give(drawing.apply("Squeeze", value, given if drawing.chance(80) else None))
    if not drawing.nodes[-1].inputs[1:]:
        drawing.given.remove(given)


@draws("chain/cast-chain")
def cast_chain(drawing: Drawing) -> None:
    """Draw conversions in a row: only those that lose nothing may be left out."""
    types = ("float", "float16", "double", "int32", "int64", "int8", "uint8", "bool", "bfloat16")
    drawing.plain()
    start = drawing.one_of(types)
    value = drawing.tensor(start, drawing.shape(1, 3), limits=(0, 120))
    for at in range(drawing.between(2, 4)):
        to = start if at and drawing.chance(30) else drawing.one_of(types)
        value = drawing.seen(drawing.apply("Cast", value, to=NUMBERS[to]))
        if drawing.chance(15):
            value = drawing.apply("Identity", value)
    drawing.give(value)


@draws("chain/concat-split")
def concat_split(drawing: Drawing) -> None:
    """Draw parts that are joined and parted again, at the same borders or at others."""
    shape = list(drawing.full_shape(1, 3))
    axis = drawing.axis(len(shape))
    sizes = [drawing.between(1, 3) for _ in range(drawing.between(2, 3))]
    dtype = drawing.one_of(ANY)
    parts = []
    for size in sizes:
        shape[axis] = size
        parts.append(drawing.tensor(dtype, shape))
    joined = drawing.seen(drawing.apply("Concat", *parts, axis=axis))
    if drawing.chance(50):
        after = sizes if drawing.chance(50) else drawing.shuffled(sizes)
        drawing.apply("Split", joined, integers(drawing, after), outputs=len(sizes), axis=axis)
        from_node = drawing.nodes[-1].outputs
        for name in drawing.some(from_node, drawing.between(1, len(from_node))):
            drawing.outputs[name] = None
    else:
        shape[axis] = sum(sizes)
        drawing.give(cut(drawing, joined, tuple(shape))[0])


@draws("chain/expand-elimination", "chain/where-expand", "chain/no-op")
def no_ops(drawing: Drawing) -> None:
    """Draw operators that change nothing, or nearly: beside one another and before an addition."""
    dtype = drawing.one_of(ANY[:7])
    shape = drawing.full_shape(1, 3)
    tail = drawing.description.operator.rpartition("/")[2]
    value = drawing.tensor(dtype, shape)
    if tail == "where-expand":
        which = drawing.tensor("bool", drawing.broadcast_to(shape))
        spread = drawing.broadcast_to(shape)
        other = drawing.apply(
            "Expand", drawing.tensor(dtype, spread), integers(drawing, list(shape))
        )
        value = drawing.apply("Where", which, *drawing.shuffled((value, other)))
    elif tail == "expand-elimination":
        target = drawing.one_of((list(shape), [1], [1, *shape], [2, *shape], [1] * len(shape)))
        value = drawing.seen(drawing.apply("Expand", value, integers(drawing, target)))
        other = drawing.tensor(dtype, drawing.broadcast_to(shape))
        value = drawing.apply(drawing.one_of(("Add", "Mul")), value, other)
    else:
        for _ in range(drawing.between(2, 4)):
            value = drawing.seen(_no_op(drawing, value, shape, dtype))
    drawing.give(value)


def _no_op(drawing: Drawing, value: Value, shape: tuple[int, ...], dtype: str) -> Value:
    """Return a value after an operator that changes nothing, or in one of seven cases little."""
    rank = len(shape)
    kind = drawing.one_of(
        ("Add", "Sub", "Mul", "Div", "Rsub", "Pad", "Slice", "Dropout", "Cast", "Concat", "Tile")
    )
    if kind in ("Add", "Sub", "Mul", "Div", "Rsub"):
        number = 1 if kind in ("Mul", "Div") else 0
        number = 1 - number if drawing.chance(15) and kind != "Div" else number
        wide = drawing.one_of(([], [1], [1] * rank, list(shape)))
        both = value, drawing.constant(dtype, np.full(wide, number))
        return drawing.apply("Sub", *both[::-1]) if kind == "Rsub" else drawing.apply(kind, *both)
    if kind == "Slice":
        stops = drawing.one_of(([2**63 - 1] * rank, list(shape)))
        return drawing.apply(
            "Slice", value, integers(drawing, [0] * rank), integers(drawing, stops)
        )
    if kind in ("Pad", "Tile"):
        numbers = [0] * 2 * rank if kind == "Pad" else [1] * rank
        return drawing.apply(kind, value, integers(drawing, numbers))
    if kind == "Dropout" and "float" not in dtype:
        kind = "Identity"
    return drawing.apply(
        kind,
        value,
        to=NUMBERS[dtype] if kind == "Cast" else None,
        axis=drawing.axis(rank) if kind == "Concat" else None,
    )


@draws("chain/div-mul")
def div_mul(drawing: Drawing) -> None:
    """Draw a division and a multiplication, 1 / x · y among them."""
    dtype = drawing.one_of(("float", "float", "double", "float16", "int64", "int32"))
    drawing.plain()
    shape = drawing.shape(0, 3)
    top = drawing.constant(
        dtype, np.full(drawing.one_of(((), (1,), (1, 1))), drawing.one_of((1, 1, 1, 2)))
    )
    divided = drawing.apply("Div", top, drawing.tensor(dtype, shape, limits=(1, 9)))
    other = drawing.tensor(dtype, drawing.broadcast_to(shape))
    drawing.give(drawing.apply("Mul", *drawing.shuffled((drawing.seen(divided), other))))


@draws("chain/shape-arithmetic")
def shape_arithmetic(drawing: Drawing) -> None:
    """Draw a shape taken apart, put together and reshaped to: constant folding may do it all."""
    shape = drawing.full_shape(2, 4)
    dtype = drawing.one_of(ANY)
    value = drawing.tensor(dtype, shape)
    start = drawing.below(2) if drawing.opset > 13 else None  # noqa: PLR2004 - of Shape's attributes
    taken = drawing.apply("Shape", value, start=start if start and drawing.chance(30) else None)
    count = len(shape) - (drawing.nodes[-1].attributes.get("start") or 0)
    at = drawing.below(count)
    picked = drawing.apply(
        "Gather", taken, drawing.constant("int64", at if drawing.chance(60) else [at]), axis=0
    )
    is_scalar = np.ndim(drawing.given[-1].elements) == 0
    if is_scalar:
        picked = drawing.apply("Unsqueeze", picked, integers(drawing, [0]))
    if drawing.chance(30):
        picked = drawing.apply("Mul", picked, integers(drawing, [1]))
    rest = integers(drawing, [-1])
    target = drawing.apply("Concat", *drawing.shuffled((picked, rest)), axis=0)
    if drawing.chance(25):
        _read_as_number(drawing, value, picked)
        drawing.given.remove(rest)
        drawing.nodes.remove(next(one for one in drawing.nodes if target.name in one.outputs))
        return
    made = drawing.apply("Reshape", value, drawing.seen(target))
    drawing.give(made, Typed(type=dtype, rank=2))


def _read_as_number(drawing: Drawing, value: Value, size: Value) -> None:
    """Let a size be what a node is told by an input, and not what it reshapes to."""
    dtype = element_type(value.elements)
    kind = drawing.one_of(("TopK", "ConstantOfShape", "Expand"))
    if kind == "TopK" and dtype != "bool":
        if has_nan(value.elements):
            drawing.doubt("NaN has no place among numbers")
        flat = drawing.apply("Flatten", value, axis=0)
        drawing.give(drawing.apply("TopK", flat, size, outputs=2), Typed(type=dtype, rank=2))
    elif kind == "ConstantOfShape":
        drawing.give(drawing.apply(kind, size), Typed(type="float", rank=1))
    else:
        one = drawing.tensor(dtype, (1,))
        drawing.give(drawing.apply("Expand", one, size), Typed(type=dtype, rank=1))


@draws("chain/gather-split", "chain/gather-slice")
def gathers(drawing: Drawing) -> None:
    """Draw picks of every element along an axis, which together part the value."""
    shape = list(drawing.full_shape(2, 3))
    axis = drawing.axis(len(shape))
    count = drawing.between(2, 4)
    shape[axis] = count
    value = drawing.tensor(drawing.one_of(ANY[:7]), shape)
    if drawing.chance(60):
        value = drawing.apply("Abs", value)
    picks = drawing.shuffled(range(count)) if drawing.chance(30) else list(range(count))
    if drawing.chance(30):
        picks[0] = picks[-1]
    is_one = drawing.description.operator.endswith("split") and drawing.chance(70)
    for pick in picks:
        at = pick - count if drawing.chance(20) else pick
        index = drawing.constant("int64", at if is_one else [at])
        drawing.give(drawing.apply("Gather", value, index, axis=axis))


@draws("chain/constant-folding")
def constant_folding(drawing: Drawing) -> None:
    """Draw constants of odd types, computed with before the first run."""
    dtype = drawing.one_of(
        ("float", "double", "float16", "int8", "uint16", "int64", "uint64", "bool")
    )
    shape = drawing.shape(0, 3)
    count = drawing.constant("int64", list(shape))
    fill = helper.make_tensor("fill", NUMBERS[dtype], [1], [drawing.below(2)])
    value = drawing.apply("ConstantOfShape", count, value=fill)
    for _ in range(drawing.between(1, 3)):
        name = drawing.one_of(("Identity", "Cast", "Unsqueeze", "Transpose", "Size", "Shape"))
        if name == "Cast":
            dtype = drawing.one_of(("float", "bfloat16", "int64", "uint8", "bool", "float16"))
            value = drawing.apply("Cast", value, to=NUMBERS[dtype])
        elif name == "Unsqueeze":
            value = drawing.apply("Unsqueeze", value, integers(drawing, [0]))
        else:
            value = drawing.apply(name, value)
            dtype = "int64" if name in ("Size", "Shape") else dtype
        drawing.seen(value)
    if dtype in ("float", "double", "float16", "int64", "int32"):
        value = drawing.apply("Add", value, drawing.tensor(dtype, drawing.shape(0, 0)))
    drawing.give(value)
