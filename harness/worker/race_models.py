"""Models that tell their inputs apart: an answer names the input, and the model, that it is of.

All numbers in them are small integers, so that every sum is exact in any order and precision.
Source of the field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from harness.wire.values import ElementType
from harness.worker.smallest_models import IR_BEFORE_ANY_LIMIT, OPSET_BEFORE_ANY_LIMIT, field

WIDTH = 32
"""Columns of every matrix of `mixing`."""

WEIGHTS_SEED = 20261124


@dataclass(frozen=True, kw_only=True)
class Node:
    """An operator with the names of its inputs and output, and its attributes that are integers."""

    operator: str
    inputs: tuple[str, ...]
    output: str
    attributes: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Weight:
    """A float32 matrix [WIDTH, WIDTH] of the model, in itself or in a file beside it."""

    name: str
    data: bytes
    file: str = ""


def mixing(model: int = 0, *, weights_file: str = "") -> bytes:
    """Return y[n, WIDTH] = x·W + b and z[n, WIDTH] = x - b; W depends on `model`.

    With `weights_file`, W stands in a file of that name beside the model, which the caller fills
    with `weights(model)`.
    """
    nodes = (
        Node(operator="MatMul", inputs=("x", "W"), output="t"),
        Node(operator="Add", inputs=("t", "b"), output="y"),
        Node(operator="Sub", inputs=("x", "b"), output="z"),
    )
    weight = Weight(name="W", data=weights(model), file=weights_file)
    matrix = (ElementType.FLOAT, ("n", WIDTH))
    return _model(nodes, dict.fromkeys("xb", matrix), dict.fromkeys("yz", matrix), (weight,))


def weights(model: int) -> bytes:
    """Return W of `mixing(model)` as little-endian float32: -1, 0 and 1."""
    drawn = np.random.default_rng([WEIGHTS_SEED, model]).integers(-1, 2, (WIDTH, WIDTH))
    return drawn.astype("<f4").tobytes()


def kinds() -> bytes:
    """Return outputs like the inputs of five element types: each output is made, not handed on."""
    nodes = (
        Node(operator="Concat", inputs=("s", "s"), output="ss", attributes=(("axis", 0),)),
        Node(operator="Add", inputs=("i", "i"), output="ii"),
        Node(operator="Not", inputs=("f",), output="ff"),
        Node(operator="Cast", inputs=("h",), output="hh", attributes=(("to", ElementType.FLOAT),)),
        Node(operator="Mul", inputs=("x", "x"), output="xx"),
    )
    types = {
        "s": ElementType.STRING,
        "i": ElementType.INT64,
        "f": ElementType.BOOL,
        "h": ElementType.FLOAT16,
        "x": ElementType.FLOAT,
    }
    inputs = {name: (of, ("n",)) for name, of in types.items()}
    outputs = {name + name: (of, ("m",)) for name, of in (types | {"h": ElementType.FLOAT}).items()}
    return _model(nodes, inputs, outputs)


def unknown_operator() -> bytes:
    """Return a model that every build must refuse: nobody knows its operator."""
    nodes = (Node(operator="NoSuchOperator", inputs=("x",), output="y"),)
    matrix = (ElementType.FLOAT, ("n", WIDTH))
    return _model(nodes, {"x": matrix}, {"y": matrix})


Slots = Mapping[str, tuple[ElementType, tuple[int | str, ...]]]
"""Inputs or outputs by name: element type and shape, where a name is a size known at run time."""


def _model(
    nodes: tuple[Node, ...], inputs: Slots, outputs: Slots, held: tuple[Weight, ...] = ()
) -> bytes:
    graph = b"".join(field(1, _node(node)) for node in nodes) + field(2, "g")
    graph += b"".join(field(5, _tensor(weight)) for weight in held)
    graph += b"".join(field(11, _slot(name, *of)) for name, of in inputs.items())
    graph += b"".join(field(12, _slot(name, *of)) for name, of in outputs.items())
    opset = field(1, "") + field(2, OPSET_BEFORE_ANY_LIMIT)
    return field(1, IR_BEFORE_ANY_LIMIT) + field(8, opset) + field(7, graph)


def _node(node: Node) -> bytes:
    names = b"".join(field(1, name) for name in node.inputs) + field(2, node.output)
    integer = 2
    attributes = [
        field(5, field(1, name) + field(3, int(value)) + field(20, integer))
        for name, value in node.attributes
    ]
    return names + field(4, node.operator) + b"".join(attributes)


def _tensor(weight: Weight) -> bytes:
    shape = field(1, WIDTH) + field(1, WIDTH)
    head = shape + field(2, ElementType.FLOAT) + field(8, weight.name)
    if not weight.file:
        return head + field(9, weight.data)
    external = 1
    return head + field(13, field(1, "location") + field(2, weight.file)) + field(14, external)


def _slot(name: str, of: ElementType, shape: tuple[int | str, ...]) -> bytes:
    dimensions = [field(1, field(1 if isinstance(size, int) else 2, size)) for size in shape]
    tensor = field(1, int(of)) + field(2, b"".join(dimensions))
    return field(1, name) + field(2, field(1, tensor))
