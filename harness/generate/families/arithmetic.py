"""Arithmetic on two or more tensors that broadcast."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

import numpy as np

from harness.generate.drawing import element_type
from harness.generate.element_types import INTEGERS, SIGNED
from harness.generate.families import draws
from harness.generate.families.doubts import doubt_nan, doubt_overflow, exact, is_integer
from harness.generate.values import Values, whole_limits

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing, Value

EXACT = {"Add": operator.add, "Sub": operator.sub, "Mul": operator.mul, "Sum": operator.add}

BROADCASTS = 8
"""The opset from which Max, Min, Mean and Sum take tensors of different shapes."""


def pair(drawing: Drawing, indices: tuple[int, int] = (0, 1)) -> tuple[Value, Value]:
    """Return two operands that broadcast, either of them the smaller one; the second a weight."""
    shape = drawing.shape()
    shapes = [shape, drawing.broadcast_to(shape)]
    if drawing.chance(20):
        shapes.reverse()
    elif drawing.chance(20):
        shapes[0] = drawing.broadcast_to(shape)
    if drawing.chance(2) and _clash(shapes):
        drawing.wrong("the shapes do not broadcast")
    return drawing.data(indices[0], shapes[0]), drawing.weights(indices[1], shapes[1])


def _clash(shapes: list[tuple[int, ...]]) -> bool:
    if not (shapes[0] and shapes[1]):
        return False
    shapes[0], shapes[1] = (*shapes[0][:-1], 3), (*shapes[1][:-1], 2)
    return True


@draws("Add", "Sub", "Mul")
def binary(drawing: Drawing) -> None:
    """Draw two tensors; sums of integers stay in their type mostly."""
    one, other = pair(drawing)
    if is_integer(one) and not drawing.faults:
        found = EXACT[drawing.description.operator](exact(one), exact(other))
        doubt_overflow(drawing, found, element_type(one.elements))
    drawing.node(one, other)


@draws("Div")
def division(drawing: Drawing) -> None:
    """Draw integers in every second case, half of them with a division that has no answer."""
    _integers_often(drawing)
    one, other = pair(drawing)
    if is_integer(one):
        _no_answer(drawing, one, other)
    drawing.node(one, other)


@draws("Mod")
def modulo(drawing: Drawing) -> None:
    """Draw both kinds; of floats there is only one."""
    _integers_often(drawing)
    one, other = pair(drawing)
    if is_integer(one):
        _no_answer(drawing, one, other)
        drawing.node(one, other, fmod=drawing.maybe(0, 1))
        return
    with np.errstate(all="ignore"):
        if not np.all((other.elements != 0) & np.isfinite(other.elements.astype(float))):
            drawing.doubt("the divisor is 0 or not finite")
    if not np.isfinite(one.elements.astype(float)).all():
        drawing.doubt("the dividend is not finite")
    drawing.node(one, other, fmod=1)


def _integers_often(drawing: Drawing) -> None:
    if drawing.chance(50):
        drawing.bind("T", INTEGERS)


def _no_answer(drawing: Drawing, one: Value, other: Value) -> None:
    """Take zeros away from the divisor, or put one or the division without an answer there."""
    dtype = element_type(one.elements)
    other.elements[other.elements == 0] = 1
    least = whole_limits(dtype)[0]
    if not (one.elements.size and other.elements.size) or drawing.chance(50):
        if dtype in SIGNED:
            one.elements[one.elements == least] = 1
        return
    if dtype in SIGNED and drawing.chance(50):
        one.elements.flat[0], other.elements.flat[0] = least, -1
        drawing.doubt("the smallest integer is divided by -1")
        return
    other.elements.flat[drawing.below(other.elements.size)] = 0
    drawing.doubt("an integer is divided by 0")


@draws("Pow")
def power(drawing: Drawing) -> None:
    """Draw a base and an exponent of types of their own, where the version has them."""
    drawing.plain(Values.WIDE if drawing.chance(80) else Values.SPECIAL)
    base, exponent = pair(drawing)
    if is_integer(exponent) or drawing.chance(60):
        exponent.elements[...] = drawing.one_of((0, 1, 2, 2, 3))
    elif drawing.chance(50):
        exponent.elements[...] = drawing.one_of((0.5, -1, -0.5, -2))
    if is_integer(base) and not drawing.faults:
        _doubt_power(drawing, base, exponent)
    drawing.node(base, exponent)


def _doubt_power(drawing: Drawing, base: Value, exponent: Value) -> None:
    exponents = exponent.elements.astype(float)
    if not np.all((exponents % 1 == 0) & (exponents >= 0) & (exponents <= 40)):  # noqa: PLR2004 - more than fit
        drawing.doubt("an integer to a power that is negative or a fraction")
        return
    found = np.asarray(exact(base) ** exponent.elements.astype(int).astype(object), object)
    doubt_overflow(drawing, found, element_type(base.elements))
    if any(abs(int(one)) > 2**53 for one in found.flat):
        drawing.doubt("a power of an integer that floats cannot hold")


@draws("Max", "Min", "Mean", "Sum")
def variadic(drawing: Drawing) -> None:
    """Draw one to five tensors that broadcast."""
    shape = drawing.shape()
    count = drawing.one_of((1, 2, 2, 2, 3, 3, 4, 5))
    broadcasts = drawing.description.opset >= BROADCASTS
    others = [drawing.broadcast_to(shape) if broadcasts else shape for _ in range(count - 1)]
    if drawing.description.operator in ("Mean", "Sum") and drawing.chance(70):
        drawing.plain()
        if drawing.type_of(0) in ("float16", "bfloat16"):
            drawing.plain(Values.UNIT)  # wider sums round
    values = [drawing.data(0, shape), *(drawing.weights(0, other) for other in others)]
    if drawing.description.operator in ("Max", "Min"):
        doubt_nan(drawing, *values)
    elif drawing.values >= Values.EDGES:
        drawing.doubt("a sum of floats depends on the order in which it is taken")
    drawing.node(*drawing.shuffled(values))


@draws("SwiGLU")
def gated(drawing: Drawing) -> None:
    """Draw a gate beside the data."""
    shape = drawing.shape(1)
    drawing.node(
        drawing.data(0, shape), drawing.data(1, shape), alpha=drawing.maybe(0.5, 1.0, 1.702)
    )
