"""One-node models of every kind of input."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.worker.models.writer import Node, Slot, written

if TYPE_CHECKING:
    from harness.wire.values import ElementType
    from harness.worker.models.writer import Dims

IR = 9
OPSET = 19
"""What release 1.16 loads, with float8 and Identity of sequences in it."""


def doubling(of: ElementType, shape: Dims) -> bytes:
    """Return a model of y = x + x."""
    return _model("Add", ["x", "x"], of, shape)


def handing_on(of: ElementType, shape: Dims) -> bytes:
    """Return a model of y = x, of any type that ONNX has."""
    return _model("Identity", ["x"], of, shape)


def handing_on_sequence(of: ElementType, shape: Dims) -> bytes:
    """Return a model of y = x, both sequences of tensors."""
    return _model("Identity", ["x"], of, shape, is_sequence=True)


def _model(
    operator: str,
    inputs: list[str],
    of: ElementType,
    shape: Dims,
    *,
    is_sequence: bool = False,
) -> bytes:
    x, y = (Slot(name=name, dims=shape, type=of, is_sequence=is_sequence) for name in "xy")
    node = Node(operator=operator, inputs=inputs, outputs=["y"])
    return written([node], [x], [y], ir=IR, opsets={"": OPSET})
