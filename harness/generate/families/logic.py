"""Comparisons, truth values and bits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.generate.drawing import element_type
from harness.generate.element_types import DTYPES
from harness.generate.families import draws
from harness.generate.families.arithmetic import pair

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing


@draws("And", "Or", "Xor", "BitwiseAnd", "BitwiseOr", "BitwiseXor")
def bits(drawing: Drawing) -> None:
    """Draw two tensors that broadcast."""
    drawing.node(*pair(drawing))


@draws("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual")
def comparison(drawing: Drawing) -> None:
    """Draw two tensors with equal elements among them."""
    one, other = pair(drawing)
    if one.shape == other.shape and one.elements.size:
        same = drawing.below(one.elements.size)
        one.elements.flat[same] = other.elements.flat[same]
    drawing.node(one, other)


@draws("BitShift")
def shift(drawing: Drawing) -> None:
    """Draw shifts within the width of the type, one in ten beyond it."""
    data, by = pair(drawing)
    width = DTYPES[element_type(data.elements)].itemsize * 8
    by.elements[...] %= np.asarray(width, by.elements.dtype)
    if by.elements.size and drawing.chance(10):
        by.elements.flat[0] = drawing.one_of((width, width + 1, min(2 * width, 127)))
        drawing.doubt("a shift by the width of the type or more")
    if (by.elements.astype(float) < 0).any() or (data.elements.astype(float) < 0).any():
        drawing.doubt("a shift of or by a negative number")
    drawing.node(data, by, direction=drawing.one_of(("LEFT", "RIGHT")))


@draws("Where")
def where(drawing: Drawing) -> None:
    """Draw a condition and two tensors that broadcast, each of them at times the largest."""
    shape = drawing.shape()
    shapes = drawing.shuffled([shape, drawing.broadcast_to(shape), drawing.broadcast_to(shape)])
    drawing.node(
        drawing.data(0, shapes[0]), drawing.data(1, shapes[1]), drawing.weights(2, shapes[2])
    )
