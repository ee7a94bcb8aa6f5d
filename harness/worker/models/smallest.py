"""The smallest models that say something."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.wire.values import ElementType
from harness.worker.models.writer import IR_BEFORE_ANY_LIMIT, Node, Slot, written

if TYPE_CHECKING:
    from collections.abc import Mapping

THREE = (3,)


def identity(*, ir: int = IR_BEFORE_ANY_LIMIT, opsets: Mapping[str, int] | None = None) -> bytes:
    """Return a model of float32 y[3] = x[3]; `opsets` adds to or replaces the default import."""
    x, y = (Slot(name=name, dims=THREE) for name in "xy")
    node = Node(operator="Identity", inputs=["x"], outputs=["y"])
    return written([node], [x], [y], ir=ir, opsets=opsets)


def addition() -> bytes:
    """Return a model of float32 y[3] = x[3] + w[3]."""
    x, w, y = (Slot(name=name, dims=THREE) for name in "xwy")
    return written([Node(operator="Add", inputs=["x", "w"], outputs=["y"])], [x, w], [y])


def steps(*operators: str, of: ElementType = ElementType.FLOAT) -> bytes:
    """Return a model of y[3] = the operators of one input, one after another, on x[3]."""
    values = ["x", *(f"v{number}" for number in range(1, len(operators))), "y"]
    nodes = [
        Node(operator=operator, inputs=[taken], outputs=[given])
        for operator, taken, given in zip(operators, values, values[1:], strict=False)
    ]
    x, y = (Slot(name=name, dims=THREE, type=of) for name in "xy")
    return written(nodes, [x], [y])
