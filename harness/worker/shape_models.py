"""The models of the suite `shapes`: their bytes, and what numpy says that they compute.

Source of the field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.wire.shapes import OPERATORS, ShapeModel
from harness.wire.values import BY_ORT_NAME, ElementType
from harness.worker.protobuf import field
from harness.worker.smallest_models import IR_BEFORE_ANY_LIMIT, OPSET_BEFORE_ANY_LIMIT
from harness.worker.tensors import NUMPY_TYPES, Array, PackedTensor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.wire.shapes import Dims

Attributes = dict[str, Any]

INT, INTS = 2, 7
"""AttributeProto's types."""

CAME_WITH = {
    **dict.fromkeys((ElementType.FLOAT8E4M3FN, ElementType.FLOAT8E5M2), (9, 19)),
    **dict.fromkeys((ElementType.INT4, ElementType.UINT4), (10, 21)),
}
"""The IR version and opset that an element type came with, where those are not old enough."""


@dataclass(frozen=True, kw_only=True)
class Node:
    """One node of a model; the inputs and outputs are counted."""

    operator: str
    output: int = 0


TWO_NODES: dict[str, tuple[Node, ...]] = {
    "SumAndDifference": (Node(operator="Add"), Node(operator="Sub", output=1)),
    "NegThenAbs": (Node(operator="Neg"), Node(operator="Abs", output=1)),
}
CHAINED = "NegThenAbs"
"""Its second node reads the first output, which is handed out as well."""


def versions(model: ShapeModel) -> tuple[int, int]:
    """Return the IR version and the opset that a model asks for."""
    oldest = (IR_BEFORE_ANY_LIMIT, OPSET_BEFORE_ANY_LIMIT)
    return CAME_WITH.get(BY_ORT_NAME[model.type], oldest)


def model_bytes(model: ShapeModel) -> bytes:
    """Return the model as a file holds it."""
    ir, opset = versions(model)
    graph = b"".join(field(1, node) for node in _nodes(model)) + field(2, "g")
    for index, (name, dims) in enumerate(zip(model.names, model.inputs, strict=True)):
        graph += field(11, _slot(name, input_type(model, index), dims))
    for name, dims in zip(model.results, model.outputs, strict=True):
        graph += field(12, _slot(name, output_type(model), dims))
    imported = field(1, "") + field(2, opset)
    return field(1, ir) + field(8, imported) + field(7, graph)


def input_type(model: ShapeModel, index: int) -> ElementType:
    """Return the element type of an input."""
    condition = model.operator == "Where" and index == 0
    return ElementType.BOOL if condition else BY_ORT_NAME[model.type]


def output_type(model: ShapeModel) -> ElementType:
    """Return the element type of every output."""
    return BY_ORT_NAME[OPERATORS[model.operator].gives or model.type]


def answer(model: ShapeModel, inputs: Sequence[Any]) -> list[Any]:
    """Return what numpy says that comes out, of the declared type; packed inputs as they are."""
    if any(isinstance(value, PackedTensor) for value in inputs):
        return list(inputs)
    of = NUMPY_TYPES[output_type(model)]
    with np.errstate(over="ignore", invalid="ignore"):
        known = {**model.attributes, "parts": len(model.results)}
        found = MEANINGS[model.operator](known, *map(np.asarray, inputs))
    return [np.asarray(value).astype(of, copy=False) for value in found]


def shape(dims: Dims, sizes: Mapping[str, int]) -> tuple[int, ...]:
    """Return the shape that a run gives to a slot."""
    return tuple(size if isinstance(size, int) else sizes[size] for size in dims)


def _nodes(model: ShapeModel) -> list[bytes]:
    made = []
    for node in TWO_NODES.get(model.operator, ()):
        chained = model.operator == CHAINED and node.output
        names = model.results[:1] if chained else model.names
        made.append(_node(node.operator, names, [model.results[node.output]], {}))
    return made or [_node(model.operator, model.names, model.results, model.attributes)]


def _node(
    operator: str, inputs: Sequence[str], outputs: Sequence[str], attributes: Attributes
) -> bytes:
    node = b"".join(field(1, name) for name in inputs)
    node += b"".join(field(2, name) for name in outputs) + field(4, operator)
    return node + b"".join(field(5, _attribute(*item)) for item in attributes.items())


def _attribute(name: str, value: int | list[int]) -> bytes:
    if isinstance(value, int):
        return field(1, name) + field(3, value) + field(20, INT)
    return field(1, name) + b"".join(field(8, item) for item in value) + field(20, INTS)


def _slot(name: str, of: ElementType, dims: Dims) -> bytes:
    shape = b"".join(field(1, _dimension(size)) for size in dims)
    return field(1, name) + field(2, field(1, field(1, int(of)) + field(2, shape)))


def _dimension(size: int | str) -> bytes:
    if isinstance(size, int):
        return field(1, size)
    return b"" if size.startswith("?") else field(2, size)


def _reduced(reduce: Callable[..., Array], attributes: Attributes, x: Array) -> tuple[Array, ...]:
    axes, keeps = tuple(attributes["axes"]), bool(attributes["keepdims"])
    return (reduce(x, axis=axes, keepdims=keeps),)


def _flattened(attributes: Attributes, x: Array) -> tuple[Array, ...]:
    axis = attributes["axis"]
    rows = int(np.prod(x.shape[:axis], dtype=np.int64))
    columns = int(np.prod(x.shape[axis:], dtype=np.int64))
    return (x.reshape(rows, columns),)


MEANINGS: dict[str, Callable[..., Sequence[Any]]] = {
    "Identity": lambda _, x: (x,),
    "Neg": lambda _, x: (-x,),
    "Abs": lambda _, x: (np.abs(x),),
    "Not": lambda _, x: (~x,),
    "NegThenAbs": lambda _, x: (-x, np.abs(x)),
    "Add": lambda _, x, y: (x + y,),
    "Sub": lambda _, x, y: (x - y,),
    "Mul": lambda _, x, y: (x * y,),
    "Max": lambda _, x, y: (np.maximum(x, y),),
    "And": lambda _, x, y: (x & y,),
    "Equal": lambda _, x, y: (x == y,),
    "Less": lambda _, x, y: (x < y,),
    "Where": lambda _, c, x, y: (np.where(c, x, y),),
    "SumAndDifference": lambda _, x, y: (x + y, x - y),
    "Concat": lambda a, *arrays: (np.concatenate(arrays, axis=a["axis"]),),
    "MatMul": lambda _, x, y: (np.matmul(x, y),),
    "ReduceMax": lambda a, x: _reduced(np.max, a, x),
    "ReduceSumSquare": lambda a, x: _reduced(np.sum, a, x * x),
    "Transpose": lambda a, x: (np.transpose(x, a["perm"]),),
    "Split": lambda a, x: np.split(x, a["parts"], axis=a["axis"]),
    "Flatten": _flattened,
    "Shape": lambda _, x: (np.array(x.shape, np.int64),),
}
"""What each operator computes, given its attributes, how many outputs it has, and its inputs."""
