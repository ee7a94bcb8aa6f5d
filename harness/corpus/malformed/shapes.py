"""Shapes that are declared unlike what is there, or given unlike what is declared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import helper

from harness.corpus.malformed import valid_models as models
from harness.corpus.malformed.edits import at
from harness.corpus.malformed.graphs import edited_model, of_valid
from harness.corpus.malformed.valid_models import FLOAT, X, valid
from harness.wire.malformed import Right, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.corpus.malformed.faults import Malformed
    from harness.corpus.malformed.graphs import Edit


def declared_shapes() -> Iterator[Malformed]:
    """Return every odd shape at every place, and inputs that fit only one by one."""
    yield from _unlike_what_is_there()
    yield from _unlike_what_is_given()


ODD_SHAPES: dict[str, tuple[int | str, ...]] = {
    "4": (4,),
    "1": (1,),
    "0": (0,),
    "scalar": (),
    "1x3": (1, 3),
    "3x1": (3, 1),
    "minus-1": (-1,),
    "minus-3": (-3,),
    "smallest": (-(2**63),),
    "2-to-40": (2**40,),
    "2-to-62": (2**62,),
    "largest": (2**63 - 1,),
    "huge-product": (2**32, 2**32),
    "rank-100": (1,) * 100,
    "empty-name": ("",),
    "name-with-nul": ("\0",),
}


def _declaring(owner: str, dims: tuple[int | str, ...]) -> Edit:
    shape = helper.make_tensor_type_proto(FLOAT, dims).tensor_type.shape
    return lambda m: at(m, owner).type.tensor_type.shape.CopyFrom(shape)


def _unlike_what_is_there() -> Iterator[Malformed]:
    """Return shapes that are declared of what has another."""
    for name, dims in ODD_SHAPES.items():
        for place, owner in (("output", "graph.output[0]"), ("value-info", "graph.value_info[0]")):
            yield edited_model(
                f"graph/declared-{place}/{name}",
                models.TWO_NODES,
                _declaring(owner, dims),
                Right.EITHER,
            )


def _unlike_what_is_given() -> Iterator[Malformed]:
    """Return models whose input is declared unlike the three floats that it is given."""
    source = valid("g (float[3] x) => (float[N] y) { t = Neg(x)  y = Neg(t) }")
    for name, dims in ODD_SHAPES.items():
        open_one = any(isinstance(d, str) or d < 0 for d in dims)  # exporters write -1 for "any"
        yield edited_model(
            f"graph/declared-input/{name}",
            source,
            _declaring("graph.input[0]", dims),
            Right.EITHER if open_one else Right.REFUSAL,
            Stage.RUN,
        )
    at_run: dict[str, tuple[str, list[Any]]] = {
        "named-dimension-twice": (
            "g (float[N] x, float[N] w) => (float[N] y) { y = Add(x, w) }",
            [X, np.ones(4, np.float32)],
        ),
        "add-of-other-lengths": (
            "g (float[N] x, float[M] w) => (float[K] y) { y = Add(x, w) }",
            [X, np.ones(4, np.float32)],
        ),
        "product-of-other-lengths": (
            "g (float[N,M] x, float[K,L] w) => (float[A,B] y) { y = MatMul(x, w) }",
            [np.ones((2, 3), np.float32), np.ones((2, 3), np.float32)],
        ),
        "reshape-to-another-size": (
            "g (float[N] x, int64[M] s) => (float[A,B] y) { y = Reshape(x, s) }",
            [X, np.array([2, 2])],
        ),
        "concatenation-of-other-shapes": (
            "g (float[N,M] x, float[K,L] w) => (float[A,B] y) { y = Concat<axis = 0>(x, w) }",
            [np.ones((2, 3), np.float32), np.ones((2, 4), np.float32)],
        ),
        "gather-beyond": (
            "g (float[N] x, int64[M] i) => (float[M] y) { y = Gather(x, i) }",
            [X, np.array([3])],
        ),
    }
    for name, (text, inputs) in at_run.items():
        yield of_valid(f"graph/given/{name}", valid(text, inputs), Right.REFUSAL, Stage.RUN)
