"""One-node models of every kind of input, for the suite `leaks`; a worker has no onnx package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.worker.smallest_models import _field

if TYPE_CHECKING:
    from harness.wire.values import ElementType

IR = 9
OPSET = 19
"""What release 1.16 loads, with float8 and Identity of sequences in it."""

Shape = tuple[int | str, ...]


def doubling(of: ElementType, shape: Shape) -> bytes:
    """Return a model of y = x + x."""
    slot = _tensor(of, shape)
    return _model("Add", ["x", "x"], slot)


def handing_on(of: ElementType, shape: Shape) -> bytes:
    """Return a model of y = x, of any type that ONNX has."""
    return _model("Identity", ["x"], _tensor(of, shape))


def handing_on_sequence(of: ElementType, shape: Shape) -> bytes:
    """Return a model of y = x, both sequences of tensors."""
    return _model("Identity", ["x"], _field(4, _field(1, _tensor(of, shape))))


def _model(operator: str, inputs: list[str], type_proto: bytes) -> bytes:
    node = b"".join(_field(1, name) for name in inputs) + _field(2, "y") + _field(4, operator)
    graph = _field(1, node) + _field(2, "g")
    graph += _field(11, _field(1, "x") + _field(2, type_proto))
    graph += _field(12, _field(1, "y") + _field(2, type_proto))
    return _field(1, IR) + _field(8, _field(1, "") + _field(2, OPSET)) + _field(7, graph)


def _tensor(of: ElementType, shape: Shape) -> bytes:
    dims = (_field(1, d) if isinstance(d, int) else _field(2, d) for d in shape)
    return _field(1, _field(1, int(of)) + _field(2, b"".join(_field(1, dim) for dim in dims)))
