"""Operators of one element to one element."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.generate.drawing import element_type
from harness.generate.element_types import SIGNED, UNSIGNED
from harness.generate.families import draws
from harness.generate.families.doubts import (
    doubt_nan,
    doubt_overflow,
    exact,
    has_infinity,
    has_nan,
    is_integer,
)
from harness.generate.values import whole_limits

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing, Value

DOMAINS = {
    "Acos": (-1.0, 1.0),
    "Acosh": (1.0, 20.0),
    "Asin": (-1.0, 1.0),
    "Atanh": (-1.0, 1.0),
    "Cosh": (-8.0, 8.0),
    "Erf": (-3.0, 3.0),
    "Exp": (-8.0, 8.0),
    "Log": (0.0, 20.0),
    "Sinh": (-8.0, 8.0),
    "Sqrt": (0.0, 20.0),
}
"""Where a function is defined, or neither flat nor beyond its type."""

SLOPES = (None, 0.0, 0.5, 1.0, 2.0, -0.5, 1e-3, 100.0)


@draws("Floor", "Ceil", "Round", "Not", "BitwiseNot", "IsNaN", "Reciprocal")
def unary(drawing: Drawing) -> None:
    """Draw any tensor."""
    drawing.node(drawing.data(0, drawing.shape()))


@draws("Abs", "Neg")
def magnitude(drawing: Drawing) -> None:
    """Draw any tensor; the smallest integer has no opposite."""
    data = drawing.data(0, drawing.shape())
    dtype = element_type(data.elements)
    if dtype in SIGNED and (data.elements == whole_limits(dtype)[0]).any():
        drawing.doubt(f"the opposite of the smallest number lies outside of {dtype}")
    drawing.node(data)


@draws("Relu", "Sign", "HardSwish")
def compared(drawing: Drawing) -> None:
    """Draw any tensor, compared with 0."""
    data = drawing.data(0, drawing.shape())
    doubt_nan(drawing, data)
    drawing.node(data)


@draws("Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Cos", "Cosh", "Erf", "Exp", "Log", "Sin")
@draws("Sinh", "Sqrt", "Tan", "Tanh", "Sigmoid", "Softplus", "Softsign", "Mish")
def function(drawing: Drawing) -> None:
    """Draw floats, mostly where the function is defined."""
    limits = DOMAINS.get(drawing.description.operator) if drawing.chance(80) else None
    drawing.node(drawing.data(0, drawing.shape(), limits=limits))


@draws("Gelu")
def gelu(drawing: Drawing) -> None:
    """Draw both ways of computing it."""
    approximate = drawing.maybe("none", "tanh")
    drawing.node(drawing.data(0, drawing.shape()), approximate=approximate)


@draws("Elu", "Celu", "LeakyRelu", "ThresholdedRelu", "Swish")
def sloped(drawing: Drawing) -> None:
    """Draw a slope, a threshold or a steepness."""
    data = drawing.data(0, drawing.shape())
    alpha = drawing.one_of(SLOPES)
    doubt_nan(drawing, data)
    if drawing.description.operator == "Celu" and alpha == 0:
        drawing.doubt("alpha is 0, by which the text divides")
    drawing.node(data, alpha=alpha)


@draws("Selu")
def selu(drawing: Drawing) -> None:
    """Draw its two factors."""
    data = drawing.data(0, drawing.shape())
    doubt_nan(drawing, data)
    drawing.node(data, alpha=drawing.one_of(SLOPES), gamma=drawing.one_of(SLOPES))


@draws("HardSigmoid")
def hard_sigmoid(drawing: Drawing) -> None:
    """Draw its slope and where it crosses 0."""
    data = drawing.data(0, drawing.shape())
    doubt_nan(drawing, data)
    drawing.node(data, alpha=drawing.one_of(SLOPES), beta=drawing.one_of(SLOPES))


@draws("Shrink")
def shrink(drawing: Drawing) -> None:
    """Draw numbers around the width of the gap."""
    data = drawing.data(0, drawing.shape())
    doubt_nan(drawing, data)
    bias, width = drawing.one_of(SLOPES), drawing.one_of((None, 0.0, 0.5, 1.0, 2.0))
    if is_integer(data):
        _doubt_gap(drawing, data, bias or 0.0, 0.5 if width is None else width)
    drawing.node(data, bias=bias, lambd=width)


def _doubt_gap(drawing: Drawing, data: Value, bias: float, width: float) -> None:
    if bias % 1 or width % 1:
        drawing.doubt("integers are compared or added with a fraction")
    elif element_type(data.elements) in UNSIGNED:
        drawing.doubt("what has no sign is compared with a negative number")
    else:
        ends = [one + int(by) for one in exact(data).flat for by in (bias, -bias)]
        doubt_overflow(drawing, ends, element_type(data.elements))


@draws("IsInf")
def is_inf(drawing: Drawing) -> None:
    """Draw which infinities count."""
    drawing.node(
        drawing.data(0, drawing.shape()),
        detect_negative=drawing.maybe(0, 1),
        detect_positive=drawing.maybe(0, 1),
    )


@draws("PRelu")
def prelu(drawing: Drawing) -> None:
    """Draw slopes that broadcast to the data."""
    shape = drawing.shape(1)
    slopes = drawing.broadcast_to(shape)
    data = drawing.data(0, shape)
    doubt_nan(drawing, data)
    weights = drawing.weights(1, slopes)
    slopes_are_finite = not has_infinity(weights.elements) and not has_nan(weights.elements)
    if not slopes_are_finite and (data.elements == 0).any():
        drawing.mistaken("it multiplies 0 with the slope")
    drawing.node(data, weights)


@draws("Clip")
def clip(drawing: Drawing) -> None:
    """Draw bounds as attributes or inputs, one or both or none, at times crossed."""
    data = drawing.data(0, drawing.shape())
    doubt_nan(drawing, data)
    low, high = drawing.maybe(-2, -1, 0, 1), drawing.maybe(1, 1, 2, 5)
    if drawing.chance(8):
        low, high = 3, 1
        drawing.doubt("the least is above the largest")
    if None in (low, high) and has_infinity(data.elements):
        drawing.doubt("a bound that is absent is the largest finite number by the text, or none")
    if drawing.has("min"):
        drawing.node(data, min=_float(low), max=_float(high))
        return
    least = 0 if drawing.type_of(0) in UNSIGNED else -9
    bounds = [None if one is None else drawing.exactly(0, max(one, least)) for one in (low, high)]
    drawing.node(data, *bounds)


def _float(bound: int | None) -> float | None:
    return None if bound is None else float(bound)
