"""Chains of single operators that are a normalisation or an activation when taken together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from harness.generate.element_types import NUMBERS
from harness.generate.families import draws
from harness.generate.values import Values

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing, Value

BY_INPUT = 18
"""The opset from which means have their axes as an input."""
SUMS_BY_INPUT = 13
"""The same of sums."""


def _mean(drawing: Drawing, value: Value, axes: list[int], *, keep: int = 1) -> Value:
    given = drawing.opset >= BY_INPUT
    return drawing.apply(
        "ReduceMean",
        value,
        drawing.constant("int64", axes) if given else None,
        axes=None if given else axes,
        keepdims=keep,
    )


def _number(drawing: Drawing, dtype: str, number: float) -> Value:
    """Return a number as models have it, mostly exactly what the pattern wants."""
    shape = drawing.one_of(((), (), (), (1,), (1, 1)))
    exact = number if drawing.chance(85) else drawing.one_of((number + 0.5, -number, 2 * number))
    return drawing.constant(dtype, np.full(shape, exact))


@draws("chain/layer-norm", "chain/rms-norm")
def layer_norm(drawing: Drawing) -> None:
    """Draw a layer normalisation in single operators, over the last axis or others."""
    drawing.plain(Values.WIDE)
    dtype = drawing.one_of(("float", "float", "float", "double", "float16"))
    shape = drawing.full_shape(2, 4)
    rank = len(shape)
    value = drawing.tensor(dtype, shape, limits=(-2, 2))
    axes = drawing.one_of(([-1], [-1], [rank - 1], [rank - 2, rank - 1], [1], [-2], [0]))
    centred = value
    if drawing.description.operator == "chain/layer-norm":
        centred = drawing.seen(drawing.apply("Sub", value, _mean(drawing, value, axes)))
        if drawing.chance(15):
            centred = drawing.apply("Cast", centred, to=NUMBERS[dtype])
    if drawing.chance(80):
        squares = drawing.apply("Pow", centred, _number(drawing, "float", 2.0))
        if drawing.nodes and drawing.given[-1].elements.flat[0] not in (1, 2, 3, 4):
            drawing.given[-1].elements[...] = 2
    else:
        squares = drawing.apply("Mul", centred, centred)
    variance = drawing.seen(_mean(drawing, squares, axes))
    small = drawing.constant(
        dtype, np.full(drawing.one_of(((), (1,))), drawing.one_of((1e-3, 0.5)))
    )
    deviation = drawing.apply("Sqrt", drawing.apply("Add", variance, small))
    made = drawing.seen(drawing.apply("Div", centred, deviation))
    scale = drawing.tensor(dtype, _weights(drawing, shape), is_parameter=True)
    made = drawing.apply("Mul", *drawing.shuffled((made, scale)))
    if drawing.chance(80):
        bias = drawing.tensor(dtype, _weights(drawing, shape), is_parameter=True)
        made = drawing.apply("Add", *drawing.shuffled((drawing.seen(made), bias)))
    drawing.give(made)


def _weights(drawing: Drawing, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return a shape of weights, or of what is none: wider than the values it may be, too."""
    wide = [(3,)] * 3 if shape[-1] == 1 else []
    return drawing.one_of(
        (shape[-1:], shape[-1:], shape[-1:], shape[-2:], (1,), (), (1, shape[-1]), *wide)
    )


@draws("chain/skip-layer-norm")
def skip_layer_norm(drawing: Drawing) -> None:
    """Draw additions and a layer normalisation behind them."""
    drawing.plain(Values.UNIT)
    dtype = drawing.one_of(("float", "float", "float16"))
    batch, length, hidden = (drawing.between(1, 4) for _ in range(3))
    shape = (batch, length, 4 * hidden)
    value = drawing.tensor(dtype, shape)
    other = drawing.tensor(
        dtype, drawing.one_of((shape, shape, shape[1:], shape[2:], (1, *shape[1:])))
    )
    made = drawing.seen(drawing.apply("Add", value, other))
    if drawing.chance(50):
        bias = drawing.tensor(dtype, shape[2:], is_parameter=True)
        made = drawing.seen(drawing.apply("Add", *drawing.shuffled((made, bias))))
    has_operator = drawing.opset >= 17  # noqa: PLR2004 - the opset that brought it
    scale, shift = (drawing.tensor(dtype, shape[2:], is_parameter=True) for _ in range(2))
    if has_operator:
        made = drawing.apply(
            "LayerNormalization",
            made,
            scale,
            shift,
            axis=drawing.maybe(-1, 2),
            epsilon=drawing.maybe(1e-5, 0.125),
        )
    else:
        centred = drawing.apply("Sub", made, _mean(drawing, made, [-1]))
        squares = drawing.apply("Pow", centred, drawing.constant("float", 2))
        small = drawing.constant(dtype, 0.125)
        deviation = drawing.apply(
            "Sqrt", drawing.apply("Add", _mean(drawing, squares, [-1]), small)
        )
        made = drawing.apply("Mul", drawing.apply("Div", centred, deviation), scale)
        made = drawing.apply("Add", made, shift)
    drawing.give(made)


@draws("chain/gelu", "chain/matmul-add-gelu")
def gelu(drawing: Drawing) -> None:
    """Draw a GELU by way of Erf in each order that models have, with a bias at times."""
    drawing.plain(Values.WIDE if drawing.description.operator == "chain/gelu" else Values.UNIT)
    dtype = drawing.one_of(("float", "float", "float", "double", "float16"))
    shape = drawing.full_shape(1, 3)
    if drawing.description.operator == "chain/gelu":
        value = drawing.tensor(dtype, shape)
    else:
        shape = drawing.full_shape(2, 3)
        inner = drawing.between(1, 4)
        first = drawing.tensor(dtype, (*shape[:-1], inner))
        second = drawing.tensor(dtype, (inner, shape[-1]), is_parameter=True)
        value = drawing.seen(drawing.apply("MatMul", first, second))
    if drawing.chance(60):
        bias = drawing.one_of((shape[-1:], shape[-1:], (1,), shape))
        value = drawing.apply(
            "Add", *drawing.shuffled((value, drawing.tensor(dtype, bias, is_parameter=True)))
        )
        drawing.seen(value)
    inside = (
        drawing.apply("Div", value, _number(drawing, dtype, math.sqrt(2)))
        if drawing.chance(60)
        else drawing.apply("Mul", value, _number(drawing, dtype, math.sqrt(0.5)))
    )
    erf = drawing.apply("Erf", inside)
    one = drawing.apply("Add", *drawing.shuffled((erf, _number(drawing, dtype, 1))))
    half = _number(drawing, dtype, 0.5)
    order = drawing.below(3)
    if order == 0:
        made = drawing.apply("Mul", drawing.apply("Mul", value, one), half)
    elif order == 1:
        made = drawing.apply("Mul", drawing.apply("Mul", value, half), one)
    else:
        made = drawing.apply("Mul", value, drawing.apply("Mul", one, half))
    drawing.give(made)


@draws("chain/fast-gelu")
def fast_gelu(drawing: Drawing) -> None:
    """Draw the GELU by way of Tanh."""
    drawing.plain(Values.WIDE)
    dtype = drawing.one_of(("float", "float", "double", "float16"))
    value = drawing.tensor(dtype, drawing.full_shape(1, 3), limits=(-4, 4))
    if drawing.chance(40):
        bias = drawing.tensor(dtype, value.shape[-1:], limits=(-1, 1), is_parameter=True)
        value = drawing.apply("Add", value, bias)
    cube = drawing.apply("Pow", value, drawing.constant("float", 3))
    scaled = drawing.apply("Mul", cube, _number(drawing, dtype, 0.044715))
    inside = drawing.seen(drawing.apply("Add", *drawing.shuffled((value, scaled))))
    inside = drawing.apply("Mul", inside, _number(drawing, dtype, math.sqrt(2 / math.pi)))
    one = drawing.apply("Add", drawing.apply("Tanh", inside), _number(drawing, dtype, 1))
    half = drawing.apply("Mul", value, _number(drawing, dtype, 0.5))
    drawing.give(drawing.apply("Mul", *drawing.shuffled((half, one))))


@draws("chain/quick-gelu")
def quick_gelu(drawing: Drawing) -> None:
    """Draw x · sigmoid(a · x)."""
    dtype = drawing.one_of(("float", "float", "double", "float16"))
    value = drawing.tensor(dtype, drawing.full_shape(1, 3))
    drawing.plain(Values.WIDE)
    inside = value
    if drawing.chance(70):
        inside = drawing.apply("Mul", *drawing.shuffled((value, _number(drawing, dtype, 1.702))))
    gate = drawing.seen(drawing.apply("Sigmoid", inside))
    drawing.give(drawing.apply("Mul", *drawing.shuffled((value, gate))))


@draws("chain/softmax", "chain/bias-softmax")
def softmax(drawing: Drawing) -> None:
    """Draw a softmax in single operators, or one behind an addition that broadcasts."""
    drawing.plain(Values.UNIT)
    dtype = drawing.one_of(("float", "float", "double", "float16"))
    shape = drawing.full_shape(2, 4)
    value = drawing.tensor(dtype, shape)
    axis = drawing.axis(len(shape))
    if drawing.description.operator == "chain/bias-softmax":
        bias = drawing.tensor(dtype, drawing.broadcast_to(shape))
        value = drawing.seen(drawing.apply("Add", *drawing.shuffled((value, bias))))
        drawing.give(drawing.apply("Softmax", value, axis=axis))
        return
    given = drawing.opset >= BY_INPUT
    most = drawing.apply(
        "ReduceMax",
        value,
        drawing.constant("int64", [axis]) if given else None,
        axes=None if given else [axis],
    )
    powers = drawing.seen(drawing.apply("Exp", drawing.apply("Sub", value, most)))
    summed = drawing.apply("ReduceSum", powers, drawing.constant("int64", [axis]))
    drawing.give(drawing.apply("Div", powers, summed))


@draws("chain/relu-clip")
def relu_clip(drawing: Drawing) -> None:
    """Draw a Relu and a Clip, whose lower end decides what may become of them."""
    dtype = drawing.one_of(("float", "float", "double", "float16", "int8", "int32"))
    if drawing.opset < 14 and "int" in dtype:  # noqa: PLR2004 - Relu of integers
        dtype = "float"
    drawing.plain(Values.EDGES)
    value = drawing.apply("Relu", drawing.tensor(dtype, drawing.shape(0, 3)))
    for _ in range(drawing.between(1, 2)):
        low, high = drawing.one_of(((0, 6), (-1, 1), (1, 6), (2, 1), (-3, -2)))
        ends = [drawing.constant(dtype, end) for end in (low, high)]
        kept = [end if drawing.chance(75) else None for end in ends]
        value = drawing.apply("Clip", drawing.seen(value), *kept)
        drawing.given[:] = [one for one in drawing.given if one in kept or one not in ends]
    drawing.give(value)


@draws("chain/sum-square")
def sum_square(drawing: Drawing) -> None:
    """Draw sums and means of squares, roots and logarithms of them."""
    drawing.plain(Values.WIDE)
    dtype = drawing.one_of(("float", "float", "double"))
    shape = drawing.full_shape(1, 4)
    value = drawing.tensor(dtype, shape, limits=(-4, 4))
    power = _number(drawing, dtype, 2)
    squares = drawing.apply("Mul", value, value)
    if drawing.chance(50):
        drawing.nodes[-1].operator, drawing.nodes[-1].inputs[1] = "Pow", power.name
        power.elements[...] = drawing.one_of((1, 2, 2, 3))
    else:
        drawing.given.remove(power)
    axes = sorted({axis % len(shape) for axis in drawing.axes(len(shape))})
    made = drawing.apply(
        "ReduceSum",
        drawing.seen(squares),
        drawing.constant("int64", axes),
        keepdims=drawing.maybe(0, 1),
    )
    made = drawing.apply("Abs", drawing.seen(made))
    drawing.give(drawing.apply(drawing.one_of(("Sqrt", "Neg", "Abs")), made))


@draws("chain/reduce-reduce")
def reduce_reduce(drawing: Drawing) -> None:
    """Draw reductions of what a reduction left, with axes from either end."""
    drawing.plain(Values.UNIT)
    rank = drawing.between(2, 4)
    value = drawing.tensor(
        drawing.one_of(("float", "float", "double")), drawing.full_shape(rank, 4)
    )
    rank = len(value.shape)
    for _ in range(drawing.between(2, 3)):
        if not rank:
            break
        axes = drawing.some(range(rank), drawing.between(1, min(rank, 2)))
        named = [axis - rank if drawing.chance(50) else axis for axis in axes]
        name = drawing.one_of(("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceL1"))
        given = drawing.opset >= (SUMS_BY_INPUT if name == "ReduceSum" else BY_INPUT)
        keep = drawing.below(2)
        value = drawing.seen(
            drawing.apply(
                name,
                value,
                drawing.constant("int64", named) if given else None,
                axes=None if given else named,
                keepdims=keep,
            )
        )
        rank -= 0 if keep else len(axes)
    drawing.give(value)
