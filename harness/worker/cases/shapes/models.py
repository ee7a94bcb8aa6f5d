"""The models of the suite `shapes`: their bytes, and what numpy says that they compute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.wire.shapes import OPERATORS, ShapeModel
from harness.wire.values import BY_ORT_NAME, ElementType
from harness.worker.models.writer import (
    IR_BEFORE_ANY_LIMIT,
    OPSET_BEFORE_ANY_LIMIT,
    Node,
    Slot,
    written,
)
from harness.worker.tensors import NUMPY_TYPES, Array, PackedTensor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.wire.shapes import Dims

Attributes = dict[str, Any]

CAME_WITH = {
    **dict.fromkeys((ElementType.FLOAT8E4M3FN, ElementType.FLOAT8E5M2), (9, 19)),
    **dict.fromkeys((ElementType.INT4, ElementType.UINT4), (10, 21)),
}
"""The IR version and opset that an element type came with, where those are not old enough."""


TWO_NODES = {"SumAndDifference": ("Add", "Sub"), "NegThenAbs": ("Neg", "Abs")}
"""Operators of ours that are two of ONNX's, an output each."""
CHAINED = "NegThenAbs"
"""Its second node reads the first output, which is handed out as well."""


def versions(model: ShapeModel) -> tuple[int, int]:
    """Return the IR version and the opset that a model asks for."""
    oldest = (IR_BEFORE_ANY_LIMIT, OPSET_BEFORE_ANY_LIMIT)
    return CAME_WITH.get(BY_ORT_NAME[model.type], oldest)


def model_bytes(model: ShapeModel) -> bytes:
    """Return the model as a file holds it."""
    ir, opset = versions(model)
    inputs = [
        _slot(name, input_type(model, index), dims)
        for index, (name, dims) in enumerate(zip(model.names, model.inputs, strict=True))
    ]
    outputs = [
        _slot(name, output_type(model), dims)
        for name, dims in zip(model.results, model.outputs, strict=True)
    ]
    return written(_nodes(model), inputs, outputs, ir=ir, opsets={"": opset})


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


def _nodes(model: ShapeModel) -> list[Node]:
    if (two := TWO_NODES.get(model.operator)) is None:
        return [
            Node(
                operator=model.operator,
                inputs=model.names,
                outputs=model.results,
                attributes=model.attributes,
            )
        ]
    second = model.results[:1] if model.operator == CHAINED else model.names
    return [
        Node(operator=operator, inputs=names, outputs=[result])
        for operator, names, result in zip(two, (model.names, second), model.results, strict=True)
    ]


def _slot(name: str, of: ElementType, dims: Dims) -> Slot:
    sizes = (None if isinstance(size, str) and size.startswith("?") else size for size in dims)
    return Slot(name=name, dims=tuple(sizes), type=of)


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
