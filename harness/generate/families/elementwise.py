"""Operators of one element to one element, without attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.generate.families import draws

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing


@draws("Abs", "Neg", "Relu", "Floor", "Ceil", "Sign", "Identity", "Not")
def unary(drawing: Drawing) -> None:
    """Draw any tensor."""
    drawing.node(drawing.data(0, drawing.shape()))


@draws("Add", "Sub", "Mul")
def binary(drawing: Drawing) -> None:
    """Draw two tensors that broadcast."""
    shape = drawing.shape()
    other = drawing.broadcast_to(shape)
    drawing.node(drawing.data(0, shape), drawing.weights(1, other))
