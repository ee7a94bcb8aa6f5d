"""Operators of com.microsoft on quantised numbers; scales are powers of two, zero points even."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.generate.families import draws
from harness.generate.families.contributed.plain import typed
from harness.generate.values import Values

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing, Value

SCALES = (0.0625, 0.125, 0.25, 0.5, 1.0)


def scaled(drawing: Drawing, dtype: str, *, needs_point: bool = False) -> list[Value | None]:
    """Return a scale and a zero point, which may be left out unless it is needed."""
    scale = drawing.constant("float", drawing.one_of(SCALES))
    point = drawing.constant(dtype, drawing.one_of((0, 2, 6, 100)))
    if needs_point or drawing.chance(80):
        return [scale, point]
    drawing.given.remove(point)
    return [scale, None]


def _dtype(drawing: Drawing) -> str:
    drawing.values = drawing.one_of((Values.WIDE, Values.EDGES, Values.EDGES))
    return drawing.one_of(("uint8", "int8"))


@draws("com.microsoft.QLinearAdd", "com.microsoft.QLinearMul")
def binary(drawing: Drawing) -> None:
    """Draw two quantised tensors that broadcast."""
    dtype = _dtype(drawing)
    shape = drawing.full_shape(0, 4)
    shapes = drawing.shuffled((shape, drawing.broadcast_to(shape)))
    inputs: list[Value | None] = []
    for one in shapes:
        inputs += [drawing.tensor(dtype, one), *scaled(drawing, dtype)]
    drawing.node(*inputs, *scaled(drawing, dtype), types=typed(dtype, len(shape)))


@draws("com.microsoft.QLinearLeakyRelu", "com.microsoft.QLinearSigmoid")
def unary(drawing: Drawing) -> None:
    """Draw a quantised tensor for an activation."""
    dtype = _dtype(drawing)
    shape = drawing.shape(0, 4)
    is_relu = drawing.description.operator.endswith("Relu")
    drawing.node(
        drawing.tensor(dtype, shape),
        *scaled(drawing, dtype),
        *scaled(drawing, dtype),
        types=typed(dtype, len(shape)),
        alpha=drawing.maybe(0.125, 0.5, -1.0) if is_relu else None,
    )


@draws("com.microsoft.QLinearSoftmax")
def softmax(drawing: Drawing) -> None:
    """Draw a quantised softmax along an axis."""
    dtype = _dtype(drawing)
    shape = drawing.full_shape(1, 4)
    output = (drawing.constant("float", 1 / 256), drawing.constant(dtype, 0))
    drawing.node(
        drawing.tensor(dtype, shape),
        *scaled(drawing, dtype),
        *output,
        types=typed(dtype, len(shape)),
        axis=drawing.axis(len(shape)),
        opset=drawing.one_of((12, 13)),
    )


@draws("com.microsoft.QLinearAveragePool", "com.microsoft.QLinearGlobalAveragePool")
def pool(drawing: Drawing) -> None:
    """Draw quantised images to average, channels first or last."""
    dtype = _dtype(drawing)
    rank = drawing.between(1, 3)
    sizes = [drawing.between(2, 6) for _ in range(rank)]
    channels, last = drawing.between(1, 9), drawing.below(2)
    shape = (1, *sizes, channels) if last else (1, channels, *sizes)
    is_global = "Global" in drawing.description.operator
    window = {} if is_global else _window(drawing, rank)
    drawing.node(
        drawing.tensor(dtype, shape),
        *scaled(drawing, dtype, needs_point=True),
        *scaled(drawing, dtype, needs_point=True),
        types=typed(dtype, rank + 2),
        channels_last=last,
        **window,
    )


def _window(drawing: Drawing, rank: int) -> dict[str, Any]:
    return {
        "kernel_shape": [2] * rank,
        "strides": drawing.maybe([1] * rank, [2] * rank),
        "pads": drawing.maybe([drawing.below(2) for _ in range(2 * rank)]),
        "ceil_mode": drawing.maybe(0, 0, 1),
        "count_include_pad": drawing.maybe(0, 1),
    }


@draws("com.microsoft.QLinearConcat")
def concat(drawing: Drawing) -> None:
    """Draw quantised parts, each with its own scale."""
    dtype = _dtype(drawing)
    shape = list(drawing.full_shape(1, 4))
    axis = drawing.axis(len(shape))
    inputs = scaled(drawing, dtype, needs_point=True)
    for _ in range(drawing.between(1, 3)):
        shape[axis] = drawing.between(1, 3)
        inputs.append(drawing.tensor(dtype, shape))
        inputs += scaled(drawing, dtype, needs_point=True)
    drawing.node(*inputs, types=typed(dtype, len(shape)), axis=axis)


@draws("com.microsoft.QLinearWhere")
def where(drawing: Drawing) -> None:
    """Draw a choice between quantised tensors."""
    dtype = _dtype(drawing)
    shape = drawing.full_shape(1, 3)
    inputs: list[Value | None] = [drawing.tensor("bool", drawing.broadcast_to(shape))]
    for one in (shape, drawing.broadcast_to(shape)):
        inputs += [drawing.tensor(dtype, one), *scaled(drawing, dtype, needs_point=True)]
    inputs += scaled(drawing, dtype, needs_point=True)
    drawing.node(*inputs, types=typed(dtype, len(shape)))


@draws("com.microsoft.QuantizeLinear", "com.microsoft.DequantizeLinear")
def linear(drawing: Drawing) -> None:
    """Draw numbers quantised or restored, by one scale or one for each place on an axis."""
    whole = drawing.one_of(("uint8", "int8", "uint16", "int16"))
    drawing.plain(Values.EDGES)
    shape = drawing.full_shape(1, 4)
    by_axis = drawing.chance(40)
    axis = drawing.axis(len(shape))
    count = (shape[axis],) if by_axis else ()
    is_down = drawing.description.operator.endswith(".QuantizeLinear")
    if is_down:
        drawing.plain()
    points = np.full(count, drawing.one_of((0, 2, 100)))
    scales = np.full(count, drawing.one_of(SCALES))
    drawing.node(
        drawing.tensor("float" if is_down else whole, shape),
        drawing.constant("float", scales),
        drawing.constant(whole, points),
        types=typed(whole if is_down else "float", len(shape)),
        axis=axis if by_axis else None,
    )


@draws("com.microsoft.MatMulIntegerToFloat", "com.microsoft.DynamicQuantizeMatMul")
def matmul(drawing: Drawing) -> None:
    """Draw a product of quantised matrices that ends in floats."""
    drawing.plain(Values.UNIT)
    rows, inner, columns = (drawing.dimension() for _ in range(3))
    kind = drawing.one_of(("uint8", "int8"))
    batch = drawing.one_of(((), (), (2,)))
    by_column = drawing.chance(40)
    shape = (columns,) if by_column else ()
    weights = drawing.tensor(kind, (inner, columns), is_parameter=True)
    scale = drawing.constant("float", np.full(shape, drawing.one_of(SCALES)))
    point = None
    if drawing.chance(60):
        point = drawing.constant(kind, np.full(shape, drawing.one_of((0, 2, 5))))
    bias = drawing.tensor("float", (columns,), is_parameter=True) if drawing.chance(40) else None
    if drawing.description.operator.endswith("DynamicQuantizeMatMul"):
        data = drawing.tensor("float", (*batch, rows, inner))
        inputs = [data, weights, scale, point, bias]
    else:
        of = drawing.one_of(("uint8", "int8")) if kind == "int8" else "uint8"
        data = drawing.tensor(of, (*batch, rows, inner))
        own = scaled(drawing, of)
        inputs = [data, weights, own[0], scale, own[1], point, bias]
    drawing.node(*inputs, types=typed("float", 2 + len(batch)))


@draws("com.microsoft.QGemm")
def gemm(drawing: Drawing) -> None:
    """Draw a Gemm of quantised matrices, whose answer is quantised or floats."""
    drawing.plain(Values.UNIT)
    rows, inner, columns = (drawing.dimension() for _ in range(3))
    left, right = drawing.below(2), drawing.below(2)
    dtype = drawing.one_of(("uint8", "int8"))
    kind = "int8" if dtype == "int8" else drawing.one_of(("uint8", "int8"))
    to_floats = drawing.chance(40)
    first = drawing.tensor(dtype, (inner, rows) if left else (rows, inner))
    of_first = scaled(drawing, dtype, needs_point=True)
    second = drawing.tensor(
        kind, (columns, inner) if right else (inner, columns), is_parameter=True
    )
    bias = drawing.tensor("int32", (columns,), is_parameter=True) if drawing.chance(50) else None
    drawing.node(
        first,
        *of_first,
        second,
        *scaled(drawing, kind, needs_point=True),
        bias,
        *([] if to_floats else scaled(drawing, dtype, needs_point=True)),
        types=typed("float" if to_floats else dtype, 2),
        transA=left,
        transB=right,
        alpha=drawing.maybe(1.0, 0.5),
    )


@draws("com.microsoft.MatMulNBits")
def matmul_bits(drawing: Drawing) -> None:
    """Draw a product with weights of 4 or 8 bits in blocks along the inner dimension."""
    drawing.plain(Values.UNIT)
    block = drawing.one_of((16, 32, 64))
    inner = block * drawing.between(1, 2) - (drawing.between(0, 7) if drawing.chance(30) else 0)
    rows, columns = drawing.dimension(), drawing.one_of((1, 3, 8, 16, 17))
    bits = drawing.one_of((4, 4, 4, 8))
    blocks = -(-inner // block)
    size = block * bits // 8
    weights = drawing.words(columns * blocks * size) % np.uint64(256)
    packed = weights.astype(np.uint8).reshape(columns, blocks, size)
    points = None
    if drawing.chance(50):
        wide = -(-blocks * bits // 8)
        some = (drawing.words(columns * wide) % np.uint64(256)).astype(np.uint8)
        points = drawing.value(some.reshape(columns, wide), is_parameter=True)
    scales = np.full((columns, blocks), drawing.one_of((0.125, 0.0625)), np.float32)
    bias = drawing.tensor("float", (columns,), is_parameter=True) if drawing.chance(30) else None
    level = drawing.maybe(0, 1, 4)
    if level == 4:  # noqa: PLR2004 - the level that computes with bytes
        drawing.doubt("at accuracy level 4 the data are quantised too")
    drawing.node(
        drawing.tensor("float", (rows, inner)),
        drawing.value(packed, is_parameter=True),
        drawing.value(scales, is_parameter=True),
        points,
        None,
        bias,
        types=typed("float", 2),
        K=inner,
        N=columns,
        bits=bits,
        block_size=block,
        accuracy_level=level,
    )
