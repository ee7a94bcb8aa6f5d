"""The smallest models that say something, written as protobuf bytes: a worker has no onnx package.

Source of the field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
"""

from __future__ import annotations

from harness.worker.protobuf import field

FLOAT = 1
FLOAT16 = 10
IR_BEFORE_ANY_LIMIT = 8
OPSET_BEFORE_ANY_LIMIT = 13
"""Loaded by every release from 1.16 to the newest."""


def identity(*, ir: int = IR_BEFORE_ANY_LIMIT, opsets: dict[str, int] | None = None) -> bytes:
    """Return a model of float32 y[3] = x[3]; `opsets` adds to or replaces the default import."""
    return _model("Identity", ["x"], ir=ir, opsets=opsets)


def addition() -> bytes:
    """Return a model of float32 y[3] = x[3] + w[3]."""
    return _model("Add", ["x", "w"], ir=IR_BEFORE_ANY_LIMIT, opsets=None)


def steps(*operators: str, of: int = FLOAT) -> bytes:
    """Return a model of y[3] = the operators of one input, one after another, on x[3].

    `of` is the element type of both, by its number.
    """
    values = ["x", *(f"v{number}" for number in range(1, len(operators))), "y"]
    nodes = zip(operators, values, values[1:], strict=False)
    graph = b"".join(_node(operator, [taken], given) for operator, taken, given in nodes)
    return _wrapped(graph, ["x"], ir=IR_BEFORE_ANY_LIMIT, of=of)


def _model(operator: str, inputs: list[str], *, ir: int, opsets: dict[str, int] | None) -> bytes:
    return _wrapped(_node(operator, inputs, "y"), inputs, ir=ir, opsets=opsets)


def _node(operator: str, inputs: list[str], output: str) -> bytes:
    names = b"".join(field(1, name) for name in inputs) + field(2, output)
    return field(1, names + field(4, operator))


def _wrapped(
    nodes: bytes,
    inputs: list[str],
    *,
    ir: int,
    opsets: dict[str, int] | None = None,
    of: int = FLOAT,
) -> bytes:
    graph = nodes + field(2, "g")
    graph += b"".join(field(11, _slot(name, of)) for name in inputs)
    graph += field(12, _slot("y", of))
    imports = {"": OPSET_BEFORE_ANY_LIMIT} | (opsets or {})
    asked = [field(8, field(1, domain) + field(2, n)) for domain, n in imports.items()]
    return field(1, ir) + b"".join(asked) + field(7, graph)


def _slot(name: str, of: int) -> bytes:
    shape = field(1, field(1, 3))
    return field(1, name) + field(2, field(1, field(1, of) + field(2, shape)))


def field(number: int, value: int | str | bytes) -> bytes:
    """Return one protobuf field: a number as it is, or text and bytes with their length."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - seven bits a byte
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
