"""Chains around products of matrices."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from harness.generate.families import draws
from harness.generate.families.chains.convolution import activated, normalised
from harness.generate.values import Values

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing, Value


def product(
    drawing: Drawing, dtype: str, *, rank: int | None = None
) -> tuple[Value, tuple[int, ...]]:
    """Return a product of two matrices, or of batches of some, and its shape."""
    rank = rank or drawing.between(2, 4)
    batch = [drawing.between(1, 3) for _ in range(rank - 2)]
    rows, inner, columns = (drawing.dimension() for _ in range(3))
    right = [*batch, inner, columns] if drawing.chance(40) else [inner, columns]
    made = drawing.apply(
        "MatMul",
        drawing.tensor(dtype, (*batch, rows, inner)),
        drawing.tensor(dtype, right, is_parameter=True),
    )
    return drawing.seen(made), (*batch, rows, columns)


def beside(drawing: Drawing, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return a shape of a bias, or of something that is none."""
    return drawing.one_of(
        (
            shape[-1:],
            shape[-1:],
            (1, shape[-1]),
            (shape[-2], 1),
            (1,),
            (),
            shape,
            drawing.broadcast_to(shape),
            (2, *(1 for _ in shape)),
        )
    )


@draws("chain/matmul-add")
def matmul_add(drawing: Drawing) -> None:
    """Draw a product and an addition, which together may be a Gemm."""
    drawing.plain(Values.UNIT)
    dtype = drawing.float_type()
    made, shape = product(drawing, dtype)
    bias = drawing.tensor(dtype, beside(drawing, shape), is_parameter=True)
    made = drawing.seen(drawing.apply("Add", *drawing.shuffled((made, bias))))
    drawing.give(activated(drawing, made, dtype) if drawing.chance(40) else made)


@draws("chain/matmul-scale")
def matmul_scale(drawing: Drawing) -> None:
    """Draw a product with scales before and behind it."""
    drawing.plain(Values.UNIT)
    dtype = drawing.float_type()
    rank = drawing.between(2, 4)
    batch = [drawing.between(1, 3) for _ in range(rank - 2)]
    rows, inner, columns = (drawing.dimension() for _ in range(3))
    left = _scaled(drawing, drawing.tensor(dtype, (*batch, rows, inner)), dtype)
    right = _scaled(drawing, drawing.tensor(dtype, (*batch, inner, columns)), dtype)
    made = drawing.seen(drawing.apply("MatMul", left, right))
    drawing.give(_scaled(drawing, made, dtype))


def _scaled(drawing: Drawing, value: Value, dtype: str) -> Value:
    if drawing.chance(30):
        return value
    shape = drawing.one_of(((), (1,), (1, 1)))
    scale = drawing.constant(dtype, np.full(shape, drawing.one_of((0.5, 2, -1, 4))))
    scaled = (
        drawing.apply("Div", value, scale)
        if drawing.chance(40)
        else drawing.apply("Mul", *drawing.shuffled((value, scale)))
    )
    return drawing.seen(scaled)


@draws("chain/transpose-matmul")
def transpose_matmul(drawing: Drawing) -> None:
    """Draw a product of transposed matrices, of which only some orders can go into it."""
    drawing.plain(Values.UNIT)
    dtype = drawing.float_type()
    rank = drawing.between(2, 4)
    batch = [drawing.between(1, 3) for _ in range(rank - 2)]
    rows, inner, columns = (drawing.dimension() for _ in range(3))
    left = _transposed(drawing, dtype, (*batch, rows, inner))
    right = _transposed(drawing, dtype, (*batch, inner, columns))
    made = drawing.seen(drawing.apply("MatMul", left, right))
    if drawing.chance(30):
        made = _scaled(drawing, made, dtype)
    if drawing.chance(30):
        bias = drawing.tensor(dtype, beside(drawing, (*batch, rows, columns)), is_parameter=True)
        made = drawing.seen(drawing.apply("Add", *drawing.shuffled((made, bias))))
    elif drawing.chance(20):
        order = drawing.shuffled(range(rank))
        made = drawing.apply("Transpose", made, perm=order)
    drawing.give(made)


def _transposed(drawing: Drawing, dtype: str, shape: tuple[int, ...]) -> Value:
    """Return a value of a shape, by way of a transposition mostly."""
    if drawing.chance(25):
        return drawing.tensor(dtype, shape, is_parameter=drawing.chance(50))
    rank = len(shape)
    order = (
        [*range(rank - 2), rank - 1, rank - 2]
        if drawing.chance(50)
        else drawing.shuffled(range(rank))
    )
    before = [0] * rank
    for at, axis in enumerate(order):
        before[axis] = shape[at]
    value = drawing.tensor(dtype, before, is_parameter=drawing.chance(40))
    if drawing.chance(15):
        value = drawing.apply("Cast", value, to=1 if dtype == "float" else 11)
        value = drawing.apply("Cast", value, to={"float": 1, "float16": 10, "double": 11}[dtype])
    return drawing.seen(drawing.apply("Transpose", value, perm=order))


@draws("chain/matmul-batchnorm")
def matmul_batchnorm(drawing: Drawing) -> None:
    """Draw a product and a batch normalisation, with a reshape or a transposition between."""
    drawing.plain(Values.UNIT)
    dtype = drawing.float_type()
    made, shape = product(drawing, dtype, rank=2)
    channels = shape[1]
    if drawing.chance(40):
        made = drawing.apply("Reshape", made, drawing.constant("int64", [*shape, 1]))
    elif drawing.chance(30):
        made, channels = drawing.apply("Transpose", made, perm=[1, 0]), shape[0]
    drawing.give(normalised(drawing, drawing.seen(made), channels, dtype))


@draws("chain/gemm-sum", "chain/gemm-transpose", "chain/gemm-activation")
def gemm_then(drawing: Drawing) -> None:
    """Draw a Gemm and what may be fused into it."""
    drawing.plain(Values.UNIT)
    dtype = drawing.float_type()
    rows, inner, columns = (drawing.dimension() for _ in range(3))
    left, right = drawing.below(2), drawing.below(2)
    tail = drawing.description.operator.rpartition("-")[2]
    first = drawing.tensor(dtype, (inner, rows) if left else (rows, inner))
    second = drawing.tensor(dtype, (columns, inner) if right else (inner, columns))
    if tail == "transpose":
        turned = drawing.below(3)
        if turned != 0:
            first, left = _turned(drawing, first, left)
        if turned != 1:
            second, right = _turned(drawing, second, right)
    shape = (rows, columns)
    bias = drawing.tensor(dtype, drawing.broadcast_to(shape), is_parameter=True)
    made = drawing.apply(
        "Gemm",
        first,
        second,
        bias if drawing.chance(30 if tail == "sum" else 70) else None,
        alpha=drawing.maybe(0.5, 2.0),
        beta=drawing.maybe(0.5, 0.0, -1.0),
        transA=left,
        transB=right,
    )
    if bias.name not in drawing.nodes[-1].inputs:
        drawing.given.remove(bias)
    made = drawing.seen(made)
    if tail == "activation":
        made = activated(drawing, made, dtype)
    elif tail == "transpose" and drawing.chance(50):
        made = drawing.apply("Transpose", made, perm=drawing.maybe([1, 0], [0, 1]))
    elif tail == "sum":
        other = drawing.tensor(dtype, beside(drawing, shape))
        made = drawing.apply(drawing.one_of(("Sum", "Add")), *drawing.shuffled((made, other)))
    drawing.give(made)


def _turned(drawing: Drawing, value: Value, flag: int) -> tuple[Value, int]:
    """Return a matrix transposed, or in one of four cases as it is, and its flag for a Gemm."""
    stays = drawing.chance(25)
    made = drawing.apply("Transpose", value, perm=[0, 1] if stays else [1, 0])
    return made, flag if stays else 1 - flag


@draws("chain/attention")
def attention(drawing: Drawing) -> None:
    """Draw attention as models have it, in single operators: scores, mask, softmax, sums."""
    drawing.plain(Values.UNIT)
    dtype = drawing.one_of(("float", "float", "float", "float16"))
    batch, length, heads, size = (drawing.between(1, 3) for _ in range(4))
    hidden = heads * size
    data = drawing.tensor(dtype, (batch, length, hidden), limits=(-0.5, 0.5))
    queries, keys, values = (_projected(drawing, data, dtype, heads, size) for _ in range(3))
    keys = drawing.apply("Transpose", keys, perm=[0, 1, 3, 2])
    scores = drawing.apply("MatMul", queries, keys)
    scale = drawing.constant(dtype, math.sqrt(size))
    scores = drawing.apply(drawing.one_of(("Div", "Mul")), scores, scale)
    if drawing.chance(60):
        shape = drawing.broadcast_to((batch, heads, length, length))
        scores = drawing.apply("Add", scores, drawing.tensor(dtype, shape))
    weights = drawing.apply("Softmax", drawing.seen(scores), axis=drawing.one_of((-1, -1, 3, 2)))
    summed = drawing.apply("MatMul", weights, values)
    summed = drawing.apply("Transpose", summed, perm=[0, 2, 1, 3])
    after = drawing.one_of(([0, 0, hidden], [batch, length, hidden], [0, -1, hidden]))
    drawing.give(drawing.apply("Reshape", summed, drawing.constant("int64", after)))


def _projected(drawing: Drawing, data: Value, dtype: str, heads: int, size: int) -> Value:
    hidden = heads * size
    weights = drawing.tensor(dtype, (hidden, hidden), limits=(-1, 1), is_parameter=True)
    made = drawing.apply("MatMul", data, weights)
    bias = drawing.tensor(dtype, (hidden,), is_parameter=True)
    made = drawing.apply("Add", *drawing.shuffled((made, bias)))
    made = drawing.apply("Reshape", made, drawing.constant("int64", [0, 0, heads, size]))
    return drawing.apply("Transpose", made, perm=[0, 2, 1, 3])
