"""The smallest models that say something, written as protobuf bytes: a worker has no onnx package.

Source of the field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
"""

from __future__ import annotations

from harness.worker.protobuf import field

FLOAT = 1
IR_BEFORE_ANY_LIMIT = 8
OPSET_BEFORE_ANY_LIMIT = 13
"""Loaded by every release from 1.16 to the newest."""


def identity(*, ir: int = IR_BEFORE_ANY_LIMIT, opsets: dict[str, int] | None = None) -> bytes:
    """Return a model of float32 y[3] = x[3]; `opsets` adds to or replaces the default import."""
    return _model("Identity", ["x"], ir=ir, opsets=opsets)


def addition() -> bytes:
    """Return a model of float32 y[3] = x[3] + w[3]."""
    return _model("Add", ["x", "w"], ir=IR_BEFORE_ANY_LIMIT, opsets=None)


def _model(operator: str, inputs: list[str], *, ir: int, opsets: dict[str, int] | None) -> bytes:
    node = b"".join(field(1, name) for name in inputs) + field(2, "y") + field(4, operator)
    graph = field(1, node) + field(2, "g")
    graph += b"".join(field(11, _float_slot(name)) for name in inputs)
    graph += field(12, _float_slot("y"))
    imports = {"": OPSET_BEFORE_ANY_LIMIT} | (opsets or {})
    asked = [field(8, field(1, domain) + field(2, n)) for domain, n in imports.items()]
    return field(1, ir) + b"".join(asked) + field(7, graph)


def _float_slot(name: str) -> bytes:
    shape = field(1, field(1, 3))
    return field(1, name) + field(2, field(1, field(1, FLOAT) + field(2, shape)))
