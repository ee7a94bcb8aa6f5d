"""Chains of quantisation around an operator, which a build computes with integers.

All scales are powers of two, so what is exact in floats is so in integers; zero points are even, as
the halves of a step go to even with the zero point or without it. No step may differ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.generate.drawing import Typed
from harness.generate.element_types import NUMBERS
from harness.generate.families import draws
from harness.generate.families.chains.convolution import convolved, image
from harness.generate.families.chains.layout import cut, integers
from harness.generate.values import Values

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing, Node, Value

BYTES = ("uint8", "int8")
SCALES = (0.0625, 0.125, 0.25, 0.5, 1.0)
FOUR_BITS = 21
"""The opset from which quantisation has 16 and 4 bits, and blocks."""


def _pair(drawing: Drawing, dtype: str, scale: float | None = None) -> tuple[Value, Value | None]:
    """Return a scale and a zero point, which is left out at times where it would be 0."""
    least = 0 if dtype.startswith("u") else -8
    point = drawing.one_of((0, 0, least + 4, least + 6, 126))
    shape = drawing.one_of(((), (), (), (1,)))
    scales = drawing.constant("float", np.full(shape, scale or drawing.one_of(SCALES)))
    if not point and dtype == "uint8" and drawing.chance(30):
        return scales, None
    return scales, drawing.constant(dtype, np.full(shape, point))


def quantised(
    drawing: Drawing, value: Value, pair: tuple[Value, Value | None], dtype: str
) -> Value:
    """Return a value quantised; what is clipped there is clipped in any order of computation."""
    del dtype
    return drawing.seen(drawing.apply("QuantizeLinear", value, *pair))


def restored(
    drawing: Drawing,
    value: Value,
    pair: tuple[Value, Value | None],
    *,
    axis: int | None = None,
    block_size: int | None = None,
) -> Value:
    """Return a quantised value as floats."""
    if drawing.opset < 19:  # noqa: PLR2004 - the opset of the next version
        drawing.mistaken("lacks the DequantizeLinear of this opset")
    return drawing.apply("DequantizeLinear", value, *pair, axis=axis, block_size=block_size)


def source(
    drawing: Drawing,
    dtype: str,
    shape: tuple[int, ...],
    pair: tuple[Value, Value | None] | None = None,
) -> Value:
    """Return floats of a shape that come out of a DequantizeLinear."""
    if drawing.chance(70):
        if pair is None and drawing.chance(15):
            pair = drawing.constant("float", drawing.one_of(SCALES)), None
        pair = pair or _pair(drawing, dtype)
        return restored(drawing, drawing.tensor(dtype, shape), pair)
    pair = pair or _pair(drawing, dtype)
    floats = drawing.tensor("float", shape)
    return restored(drawing, quantised(drawing, floats, pair, dtype), pair)


def _bias(drawing: Drawing, shape: tuple[int, ...]) -> Value:
    """Return a bias of integers, with a scale that need not be the product's."""
    whole = drawing.tensor("int32", shape, is_parameter=True)
    return restored(drawing, whole, (drawing.constant("float", drawing.one_of(SCALES)), None))


def ended(
    drawing: Drawing, value: Value, dtype: str, pair: tuple[Value, Value | None] | None = None
) -> None:
    """End a chain with a QuantizeLinear mostly, and a DequantizeLinear behind it at times."""
    value = drawing.seen(value)
    if drawing.chance(10):
        drawing.give(value)
        return
    pair = pair or _pair(drawing, dtype)
    value = quantised(drawing, value, pair, dtype)
    drawing.give(restored(drawing, value, pair) if drawing.chance(60) else value)


def _types(drawing: Drawing) -> str:
    if drawing.opset >= FOUR_BITS and drawing.chance(20):
        return drawing.one_of(("uint16", "int16"))
    return drawing.one_of(BYTES)


def _start(drawing: Drawing) -> str:
    drawing.plain(Values.UNIT)
    return _types(drawing)


@draws("chain/qdq-conv")
def conv(drawing: Drawing) -> None:
    """Draw a convolution of quantised images with quantised weights, one scale or one a channel."""
    drawing.plain(Values.UNIT)
    dtype = drawing.one_of(BYTES)
    value, shape = image(drawing, "float")
    floats = drawing.given.pop()
    value = source(drawing, dtype, shape)
    del floats
    made, _ = convolved(drawing, (value, shape), "float")
    node = drawing.nodes[-1]
    weights = next(one for one in drawing.given if one.name == node.inputs[1])
    drawing.given.remove(weights)
    kind = drawing.one_of(("int8", "int8", "uint8"))
    filters = weights.shape[0]
    by_channel = drawing.chance(40)
    scale = drawing.constant(
        "float", [drawing.one_of(SCALES) for _ in range(filters)] if by_channel else 0.25
    )
    points = np.zeros(filters if by_channel else ())
    if not by_channel and drawing.chance(30):
        points += 2
    of_weights = drawing.tensor(kind, weights.shape, is_parameter=True)
    for bias in [one for one in drawing.given if one.name in node.inputs[2:]]:
        np.rint(8 * bias.elements, out=bias.elements)
        if drawing.chance(40):
            drawing.given.remove(bias)
            node.inputs[2] = _bias(drawing, bias.shape).name
            _move_before(drawing, node)
    whole = drawing.apply(
        "DequantizeLinear",
        of_weights,
        scale,
        drawing.constant(kind, points),
        axis=0 if by_channel else None,
    )
    node.inputs[1] = whole.name
    _move_before(drawing, node)
    if drawing.chance(40):
        made = drawing.apply(drawing.one_of(("Relu", "Relu", "Sigmoid")), made)
    ended(drawing, made, dtype)


def _move_before(drawing: Drawing, reader: Node) -> None:
    """Move the last node before the one that reads it."""
    drawing.nodes.insert(drawing.nodes.index(reader), drawing.nodes.pop())


@draws("chain/qdq-matmul", "chain/qdq-gemm")
def matmul(drawing: Drawing) -> None:
    """Draw a product of quantised matrices."""
    drawing.plain(Values.UNIT)
    dtype = drawing.one_of(BYTES)
    rows, inner, columns = (drawing.dimension() for _ in range(3))
    is_gemm = drawing.description.operator.endswith("gemm")
    batch = () if is_gemm else drawing.one_of(((), (), (2,), (2, 1)))
    left = source(drawing, dtype, (*batch, rows, inner))
    turned = drawing.below(2) if is_gemm else 0
    kind = drawing.one_of((dtype, "int8", "uint8"))
    right = source(drawing, kind, (columns, inner) if turned else (inner, columns))
    if is_gemm:
        wide = drawing.one_of(((columns,), (columns,), (1, columns), ()))
        is_float = drawing.chance(50)
        bias = drawing.tensor("float", wide) if is_float else _bias(drawing, wide)
        made = drawing.apply(
            "Gemm",
            left,
            right,
            bias,
            transB=turned,
            alpha=drawing.maybe(1.0, 0.5, 2.0),
            beta=drawing.maybe(1.0, 0.5, 2.0),
        )
    else:
        made = drawing.apply("MatMul", left, right)
    if drawing.chance(20):
        made = drawing.apply("Relu", made)
    ended(drawing, made, dtype)


@draws("chain/qdq-binary")
def binary(drawing: Drawing) -> None:
    """Draw an operator of two quantised values that broadcast."""
    dtype = _start(drawing)
    shape = drawing.full_shape(0, 4)
    kind = dtype if drawing.chance(85) else _types(drawing)
    values = (source(drawing, dtype, shape), source(drawing, kind, drawing.broadcast_to(shape)))
    name = drawing.one_of(("Add", "Mul", "Sub", "Max", "Min", "Where", "Add", "Mul"))
    both = drawing.shuffled(values)
    if name == "Where":
        both.insert(0, drawing.tensor("bool", drawing.broadcast_to(shape)))
    ended(drawing, drawing.apply(name, *both), dtype)


@draws("chain/qdq-unary")
def unary(drawing: Drawing) -> None:
    """Draw an activation between quantisations: a clipping one may vanish in them."""
    dtype = _start(drawing)
    value = source(drawing, dtype, drawing.full_shape(0, 4))
    name = drawing.one_of(("Relu", "Clip", "LeakyRelu", "Neg", "Abs", "Relu", "Clip"))
    if name == "Clip":
        low, high = drawing.one_of(((0, 6), (-1, 1), (0, 255), (1, 2), (-128, 127), (-100, 0)))
        value = drawing.apply(
            "Clip", value, drawing.constant("float", low), drawing.constant("float", high)
        )
    else:
        value = drawing.apply(name, value, alpha=0.125 if name == "LeakyRelu" else None)
    ended(drawing, value, dtype)


@draws("chain/relu-quantise", "chain/clip-quantise")
def clipped(drawing: Drawing) -> None:
    """Draw a Relu or a Clip of floats before a quantisation whose range may make it vain."""
    dtype = _start(drawing)
    value = drawing.tensor("float", drawing.shape(0, 3), limits=(-40, 40))
    if drawing.description.operator == "chain/relu-quantise":
        value = drawing.apply("Relu", value)
    else:
        low, high = drawing.one_of(((0, 6), (-1, 1), (0, 63.75), (-8, 7.9375), (-100, 100)))
        ends = [drawing.constant("float", end) for end in (low, high)]
        value = drawing.apply("Clip", value, *ends)
    ended(drawing, value, dtype)


@draws("chain/qdq-concat")
def concat(drawing: Drawing) -> None:
    """Draw quantised parts joined, of one scale or of several."""
    dtype = _start(drawing)
    shape = list(drawing.full_shape(1, 4))
    axis = drawing.axis(len(shape))
    shared = _pair(drawing, dtype) if drawing.chance(50) else None
    parts = []
    for _ in range(drawing.between(1, 3)):
        shape[axis] = drawing.between(1, 3)
        parts.append(source(drawing, dtype, tuple(shape), shared))
    ended(drawing, drawing.apply("Concat", *parts, axis=axis), dtype, shared)


@draws("chain/qdq-pool")
def pool(drawing: Drawing) -> None:
    """Draw a pooling between quantisations."""
    drawing.plain(Values.UNIT)
    dtype = drawing.one_of(BYTES)
    sizes = [drawing.between(3, 6) for _ in range(drawing.one_of((1, 2, 2, 3)))]
    shared = _pair(drawing, dtype) if drawing.chance(50) else None
    value = source(drawing, dtype, (1, drawing.between(1, 4), *sizes), shared)
    name = drawing.one_of(("MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool"))
    if name.startswith("Global"):
        made = drawing.apply(name, value)
    else:
        made = drawing.apply(
            name,
            value,
            kernel_shape=[2] * len(sizes),
            strides=drawing.maybe([2] * len(sizes)),
            pads=drawing.maybe([drawing.below(2) for _ in range(2 * len(sizes))]),
            ceil_mode=drawing.maybe(0, 0, 1),
            count_include_pad=drawing.maybe(0, 1) if name == "AveragePool" else None,
        )
    drawing.mistaken("mixes up the pads of the sides")
    if "Average" in name:
        drawing.give(drawing.seen(made))
    else:
        ended(drawing, made, dtype, shared)


@draws("chain/qdq-resize")
def resize(drawing: Drawing) -> None:
    """Draw a resize between quantisations, by whole factors and to the nearest."""
    drawing.plain(Values.UNIT)
    dtype = drawing.one_of(BYTES)
    shared = _pair(drawing, dtype) if drawing.chance(70) else None
    value = source(drawing, dtype, (1, drawing.between(1, 4), 3, drawing.between(2, 4)), shared)
    scales = [1.0, 1.0, drawing.one_of((1.0, 2.0, 0.5)), drawing.one_of((1.0, 2.0, 3.0))]
    made = drawing.apply(
        "Resize",
        value,
        None,
        drawing.constant("float", scales),
        mode="nearest",
        coordinate_transformation_mode=drawing.maybe("asymmetric"),
        nearest_mode=drawing.maybe("floor"),
    )
    ended(drawing, made, dtype, shared)


@draws("chain/qdq-layout")
def layout(drawing: Drawing) -> None:
    """Draw operators that move elements, through which a build pushes the quantisation."""
    dtype = _start(drawing)
    shape = drawing.full_shape(2, 4)
    rank = len(shape)
    shared = _pair(drawing, dtype) if drawing.chance(80) else None
    value = source(drawing, dtype, shape, shared)
    for _ in range(drawing.between(1, 3)):
        name = drawing.one_of(("Transpose", "Reshape", "Slice", "Gather", "Unsqueeze", "ArgMax"))
        if name == "Transpose":
            order = drawing.shuffled(range(rank))
            shape = tuple(shape[at] for at in order)
            value = drawing.apply("Transpose", value, perm=order)
        elif name == "Reshape" and 0 not in shape:
            shape = tuple(drawing.shuffled(shape))
            value = drawing.apply("Reshape", value, integers(drawing, list(shape)))
        elif name == "Slice" and 0 not in shape:
            value, shape = cut(drawing, value, shape)
        elif name == "Gather" and 0 not in shape:
            picked = drawing.constant("int64", [drawing.below(shape[0]), 0])
            value, shape = drawing.apply("Gather", value, picked), (2, *shape[1:])
        elif name == "ArgMax" and 0 not in shape and drawing.chance(30):
            drawing.give(drawing.apply("ArgMax", value, axis=drawing.axis(rank), keepdims=1))
            return
    other = None if drawing.chance(30) else shared
    ended(drawing, value, dtype, other)


@draws("chain/qdq-double")
def double(drawing: Drawing) -> None:
    """Draw quantisations back to back, of one scale or of several, of one type or of several."""
    dtype = _start(drawing)
    pair = _pair(drawing, dtype)
    shape = drawing.shape(0, 3)
    value = source(drawing, dtype, shape, pair)
    for _ in range(drawing.between(1, 2)):
        if drawing.chance(40):
            dtype = _types(drawing)
            pair = _pair(drawing, dtype)
        elif drawing.chance(40):
            pair = _pair(drawing, dtype)
        value = restored(drawing, quantised(drawing, value, pair, dtype), pair)
        if drawing.chance(20):
            value = drawing.apply("Identity", value)
    drawing.give(value if drawing.chance(50) else drawing.apply("Abs", value))


@draws("chain/cast-quantise")
def cast_quantise(drawing: Drawing) -> None:
    """Draw quantisation beside a conversion of its floats."""
    dtype = _start(drawing)
    value = source(drawing, dtype, drawing.shape(0, 3))
    to = drawing.one_of(("float16", "double", "int32"))
    value = drawing.apply("Cast", value, to=NUMBERS[to])
    value = drawing.apply("Cast", drawing.seen(value), to=NUMBERS["float"])
    ended(drawing, value, dtype)


@draws("chain/qlinear-conv")
def qlinear_conv(drawing: Drawing) -> None:
    """Draw convolutions of integers in a row with what a build moves into another layout."""
    drawing.plain(Values.UNIT)
    dtype = drawing.one_of(BYTES)
    shape: tuple[int, ...] = (1, drawing.one_of((1, 3, 4, 8)), 5, drawing.between(4, 6))
    value = drawing.tensor(dtype, shape)
    for _ in range(drawing.between(1, 3)):
        if drawing.chance(30):
            value = drawing.apply("MaxPool", value, kernel_shape=[3, 3], pads=[1, 1, 1, 1])
            continue
        filters = drawing.one_of((1, 4, 8))
        kind = drawing.one_of((dtype, "int8")) if dtype == "uint8" else "int8"
        by_channel = drawing.chance(30)
        of_weights = np.full((filters,) if by_channel else (), 0.125)
        value = drawing.apply(
            "QLinearConv",
            value,
            *_points(drawing, dtype),
            drawing.tensor(kind, (filters, shape[1], 3, 3), is_parameter=True),
            drawing.constant("float", of_weights),
            drawing.constant(kind, np.zeros(of_weights.shape)),
            *_points(drawing, dtype),
            drawing.tensor("int32", (filters,), is_parameter=True) if drawing.chance(50) else None,
            pads=[1, 1, 1, 1],
        )
        shape = (1, filters, *shape[2:])
        drawing.seen(value)
    if drawing.chance(40):
        value = drawing.apply("Transpose", value, perm=[0, 2, 3, 1])
    drawing.give(value, Typed(type=dtype, rank=4))


def _points(drawing: Drawing, dtype: str) -> tuple[Value, Value]:
    scale = drawing.constant("float", drawing.one_of(SCALES))
    return scale, drawing.constant(dtype, drawing.one_of((0, 4, 100)))
