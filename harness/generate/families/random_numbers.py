"""Operators whose answer is random: they are asked for crashes, types and shapes alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.generate.drawing import Typed
from harness.generate.element_types import NUMBERS
from harness.generate.families import draws
from harness.generate.values import Values

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing

RANDOM_TYPES = ("float", "double", "float16")


def _random(drawing: Drawing) -> dict[str, Any]:
    drawing.doubt("the answer is random")
    return {"seed": drawing.maybe(0.0, 1.0, -2.5, 1e6)}


@draws("RandomNormal", "RandomUniform")
def random(drawing: Drawing) -> None:
    """Draw the shape, the type and the distribution."""
    to = drawing.maybe(*RANDOM_TYPES)
    shape = list(drawing.full_shape(1, 3))
    drawing.node(
        **_random(drawing),
        **_distribution(drawing),
        dtype=None if to is None else NUMBERS[to],
        shape=shape,
        types=[Typed(type=to or "float", rank=len(shape))],
    )


@draws("RandomNormalLike", "RandomUniformLike")
def random_like(drawing: Drawing) -> None:
    """Draw the input whose shape, and mostly whose type, the answer has."""
    of = drawing.bind("T1", RANDOM_TYPES)
    to = drawing.maybe(*RANDOM_TYPES)
    shape = drawing.shape(0, 3)
    drawing.node(
        drawing.data(0, shape),
        **_random(drawing),
        **_distribution(drawing),
        dtype=None if to is None else NUMBERS[to],
        types=[Typed(type=to or of, rank=len(shape))],
    )


def _distribution(drawing: Drawing) -> dict[str, Any]:
    if "Normal" in drawing.description.operator:
        return {"mean": drawing.maybe(0.0, -3.0, 2.5), "scale": drawing.maybe(1.0, 0.125, 4.0)}
    return {"low": drawing.maybe(0.0, -3.0), "high": drawing.maybe(1.0, 4.5)}


@draws("Bernoulli", "Multinomial")
def chances(drawing: Drawing) -> None:
    """Draw probabilities, or their logarithms."""
    drawing.plain(Values.UNIT)
    seed = _random(drawing)
    if drawing.description.operator == "Bernoulli":
        of = drawing.bind("T1", ("float", "double", "float16"))
        to = drawing.maybe("float", "bool", "int64", "double")
        shape = drawing.full_shape(0, 3)
        x = drawing.tensor(of, shape, limits=(0, 1))
        dtype = None if to is None else NUMBERS[to]
        drawing.node(x, **seed, dtype=dtype, types=[Typed(type=to or of, rank=len(shape))])
        return
    of = drawing.bind("T1", ("float",))
    to = drawing.maybe("int32", "int64")
    x = drawing.tensor(of, (drawing.between(1, 3), drawing.between(1, 5)), limits=(-3, 0))
    drawing.node(
        x,
        **seed,
        dtype=None if to is None else NUMBERS[to],
        sample_size=drawing.maybe(1, 3, 7),
        types=[Typed(type=to or "int32", rank=2)],
    )
