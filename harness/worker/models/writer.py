"""A model from its nodes, inputs, outputs and weights, as a file holds it.

Source of the field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from harness.wire.values import ElementType
from harness.worker.models import protobuf

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

IR_BEFORE_ANY_LIMIT = 8
OPSET_BEFORE_ANY_LIMIT = 13
"""Loaded by every release from 1.16 to the newest."""

INT, INTS = 2, 7
"""AttributeProto's types."""

EXTERNAL = 1
"""TensorProto's data location beside the model."""

Dims: TypeAlias = tuple[int | str | None, ...]
"""A shape: sizes, names of sizes that only a run knows, or None for a size without a name."""


@dataclass(frozen=True, kw_only=True)
class Node:
    """One node."""

    operator: str
    inputs: Sequence[str]
    outputs: Sequence[str]
    attributes: Mapping[str, int | Sequence[int]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Slot:
    """One input or output: a tensor, or a sequence of such."""

    name: str
    dims: Dims
    type: ElementType = ElementType.FLOAT
    is_sequence: bool = False


@dataclass(frozen=True, kw_only=True)
class Weight:
    """A tensor that the model holds, in itself or in a file beside it."""

    name: str
    dims: tuple[int, ...]
    data: bytes
    """Little-endian, in C order; for a file it is the caller who writes it there."""
    type: ElementType = ElementType.FLOAT
    file: str = ""


def written(  # noqa: PLR0913 - what a model is made of
    nodes: Sequence[Node],
    inputs: Sequence[Slot],
    outputs: Sequence[Slot],
    weights: Sequence[Weight] = (),
    *,
    ir: int = IR_BEFORE_ANY_LIMIT,
    opsets: Mapping[str, int] | None = None,
) -> bytes:
    """Return the model's bytes; `opsets` adds to or replaces the default import of ai.onnx."""
    graph = b"".join(protobuf.field(1, _node(node)) for node in nodes) + protobuf.field(2, "g")
    graph += b"".join(protobuf.field(5, _weight(weight)) for weight in weights)
    graph += b"".join(protobuf.field(11, _slot(slot)) for slot in inputs)
    graph += b"".join(protobuf.field(12, _slot(slot)) for slot in outputs)
    imports = {"": OPSET_BEFORE_ANY_LIMIT, **(opsets or {})}
    asked = (protobuf.field(1, name) + protobuf.field(2, n) for name, n in imports.items())
    opset_import = b"".join(protobuf.field(8, one) for one in asked)
    return protobuf.field(1, ir) + opset_import + protobuf.field(7, graph)


def _node(node: Node) -> bytes:
    names = b"".join(protobuf.field(1, name) for name in node.inputs)
    names += b"".join(protobuf.field(2, name) for name in node.outputs)
    attributes = (protobuf.field(5, _attribute(*item)) for item in node.attributes.items())
    return names + protobuf.field(4, node.operator) + b"".join(attributes)


def _attribute(name: str, value: int | Sequence[int]) -> bytes:
    if isinstance(value, int):
        numbers, kind = protobuf.field(3, int(value)), INT
    else:
        numbers, kind = b"".join(protobuf.field(8, item) for item in value), INTS
    return protobuf.field(1, name) + numbers + protobuf.field(20, kind)


def _weight(weight: Weight) -> bytes:
    shape = b"".join(protobuf.field(1, size) for size in weight.dims)
    head = shape + protobuf.field(2, int(weight.type)) + protobuf.field(8, weight.name)
    if not weight.file:
        return head + protobuf.field(9, weight.data)
    location = protobuf.field(1, "location") + protobuf.field(2, weight.file)
    return head + protobuf.field(13, location) + protobuf.field(14, EXTERNAL)


def _slot(slot: Slot) -> bytes:
    shape = b"".join(protobuf.field(1, _dimension(size)) for size in slot.dims)
    of = protobuf.field(1, protobuf.field(1, int(slot.type)) + protobuf.field(2, shape))
    if slot.is_sequence:
        of = protobuf.field(4, protobuf.field(1, of))
    return protobuf.field(1, slot.name) + protobuf.field(2, of)


def _dimension(size: int | str | None) -> bytes:
    match size:
        case None:
            return b""
        case int():
            return protobuf.field(1, size)
    return protobuf.field(2, size)
