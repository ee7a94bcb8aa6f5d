"""Models that tell their inputs apart: an answer names the input, and the model, that it is of.

All numbers in them are small integers, so that every sum is exact in any order and precision.
"""

from __future__ import annotations

import numpy as np

from harness.wire.values import ElementType
from harness.worker.models.writer import Node, Slot, Weight, written

WIDTH = 32
"""Columns of every matrix of `mixing`."""

WEIGHTS_SEED = 20261124


def mixing(model: int = 0, *, weights_file: str = "") -> bytes:
    """Return y[n, WIDTH] = x·W + b and z[n, WIDTH] = x - b; W depends on `model`.

    With `weights_file`, W stands in a file of that name beside the model, which the caller fills
    with `weights(model)`.
    """
    nodes = (
        Node(operator="MatMul", inputs=("x", "W"), outputs=("t",)),
        Node(operator="Add", inputs=("t", "b"), outputs=("y",)),
        Node(operator="Sub", inputs=("x", "b"), outputs=("z",)),
    )
    weight = Weight(name="W", dims=(WIDTH, WIDTH), data=weights(model), file=weights_file)
    return written(nodes, _matrices("xb"), _matrices("yz"), [weight])


def weights(model: int) -> bytes:
    """Return W of `mixing(model)` as little-endian float32: -1, 0 and 1."""
    drawn = np.random.default_rng([WEIGHTS_SEED, model]).integers(-1, 2, (WIDTH, WIDTH))
    return drawn.astype("<f4").tobytes()


def kinds() -> bytes:
    """Return outputs like the inputs of five element types: each output is made, not handed on."""
    nodes = (
        Node(operator="Concat", inputs=("s", "s"), outputs=("ss",), attributes={"axis": 0}),
        Node(operator="Add", inputs=("i", "i"), outputs=("ii",)),
        Node(operator="Not", inputs=("f",), outputs=("ff",)),
        Node(
            operator="Cast",
            inputs=("h",),
            outputs=("hh",),
            attributes={"to": int(ElementType.FLOAT)},
        ),
        Node(operator="Mul", inputs=("x", "x"), outputs=("xx",)),
    )
    types = {
        "s": ElementType.STRING,
        "i": ElementType.INT64,
        "f": ElementType.BOOL,
        "h": ElementType.FLOAT16,
        "x": ElementType.FLOAT,
    }
    inputs = [Slot(name=name, dims=("n",), type=of) for name, of in types.items()]
    made = types | {"h": ElementType.FLOAT}
    outputs = [Slot(name=name + name, dims=("m",), type=of) for name, of in made.items()]
    return written(nodes, inputs, outputs)


def unknown_operator() -> bytes:
    """Return a model that every build must refuse: nobody knows its operator."""
    node = Node(operator="NoSuchOperator", inputs=("x",), outputs=("y",))
    return written([node], _matrices("x"), _matrices("y"))


def _matrices(names: str) -> list[Slot]:
    return [Slot(name=name, dims=("n", WIDTH)) for name in names]
