"""Operators whose answer is random, and what of it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.generate.description import RANDOM
from harness.generate.drawing import Typed
from harness.generate.element_types import NUMBERS
from harness.generate.families import draws
from harness.generate.values import Values

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing, Value

RANDOM_TYPES = ("float", "float", "double", "float16")

SEEDS = (0.0, 1.0, -2.5, 1e6)


def _distribution(drawing: Drawing) -> dict[str, Any]:
    if "Normal" in drawing.description.operator:
        return {"mean": drawing.maybe(0.0, -3.0, 2.5), "scale": drawing.maybe(1.0, 0.125, 4.0)}
    return {"low": drawing.maybe(0.0, -3.0), "high": drawing.maybe(1.0, 4.5)}


def _shape_or_all(drawing: Drawing, result: Value, typed: Typed) -> None:
    """Give the shape of what is random, which is defined, or what is random itself."""
    if drawing.chance(50):
        drawing.give(drawing.apply("Shape", result))
        drawing.mistaken("it need not be asked for a shape alone")
    else:
        drawing.give(result, typed)
        drawing.doubt(RANDOM)


@draws("RandomNormal", "RandomUniform")
def random(drawing: Drawing) -> None:
    """Draw the shape, the type and the distribution."""
    to = drawing.maybe(*RANDOM_TYPES)
    shape = list(drawing.full_shape(1, 3))
    result = drawing.apply(
        drawing.description.operator,
        **_distribution(drawing),
        seed=drawing.maybe(*SEEDS),
        dtype=None if to is None else NUMBERS[to],
        shape=shape,
    )
    _shape_or_all(drawing, result, Typed(type=to or "float", rank=len(shape)))


@draws("RandomNormalLike", "RandomUniformLike")
def random_like(drawing: Drawing) -> None:
    """Draw the input whose shape, and mostly whose type, the answer has."""
    of = drawing.bind("T1", RANDOM_TYPES)
    to = drawing.maybe(*RANDOM_TYPES)
    shape = drawing.shape(0, 3)
    result = drawing.apply(
        drawing.description.operator,
        drawing.data(0, shape),
        **_distribution(drawing),
        seed=drawing.maybe(*SEEDS),
        dtype=None if to is None else NUMBERS[to],
    )
    _shape_or_all(drawing, result, Typed(type=to or of, rank=len(shape)))


@draws("Bernoulli")
def bernoulli(drawing: Drawing) -> None:
    """Draw probabilities: of 0 and 1 alone, which leave nothing to chance, or any."""
    of = drawing.bind("T1", RANDOM_TYPES)
    to = drawing.maybe("float", "bool", "int64", "double")
    drawing.plain(Values.UNIT)
    x = drawing.tensor(of, drawing.full_shape(0, 3), limits=(0, 1))
    if drawing.chance(60) and x.elements.size:
        x.elements[...] = np.round(x.elements)
    else:
        drawing.doubt(RANDOM)
    drawing.node(
        x,
        seed=drawing.maybe(*SEEDS),
        dtype=None if to is None else NUMBERS[to],
        types=[Typed(type=to or of, rank=len(x.shape))],
    )


@draws("Multinomial")
def multinomial(drawing: Drawing) -> None:
    """Draw logarithms of chances: of one class alone, which is always taken, or of more."""
    drawing.bind("T1", ("float",))
    to = drawing.maybe("int32", "int64")
    drawing.plain(Values.UNIT)
    classes = drawing.one_of((1, drawing.between(2, 5)))
    if classes > 1:
        drawing.doubt(RANDOM)
    drawing.node(
        drawing.data(0, (drawing.between(1, 3), classes), limits=(-3, 0)),
        seed=drawing.maybe(*SEEDS),
        dtype=None if to is None else NUMBERS[to],
        sample_size=drawing.maybe(1, 3, 7),
        types=[Typed(type=to or "int32", rank=2)],
    )
