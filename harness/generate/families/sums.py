"""Values whose sums and products do not hang on the order in which a build takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.generate.drawing import Typed
from harness.generate.element_types import is_float
from harness.generate.values import Values

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing

KEPT = 8
"""How many of a hundred cases with values at the edges keep them, and are doubtful for it."""


def exact(drawing: Drawing, dtype: str) -> None:
    """Draw values from here on whose products sum to the same in any order, mostly."""
    if drawing.values > Values.WIDE and drawing.chance(KEPT):
        drawing.doubt("sums of values at the edges of their type depend on their order")
    elif is_float(dtype) and dtype not in ("float", "double"):
        drawing.plain(Values.SMALL)
    else:
        drawing.plain(Values.UNIT)


def mostly(drawing: Drawing, constraint: str, *often: str) -> str:
    """Return the type of a constraint: three times in four one of these, where it allows them."""
    return drawing.bind(constraint, often if drawing.chance(75) else ())


def stated(drawing: Drawing, *choices: float) -> float | None:
    """Return the value of an attribute, in three of ten draws none."""
    return drawing.maybe(*choices)


def flag(drawing: Drawing) -> int | None:
    """Return 0 or 1, in three of ten draws nothing."""
    return drawing.maybe(0, 1)


def axis_of(drawing: Drawing, rank: int) -> int:
    """Return an axis; operators before opset 11 count from the front only."""
    first_from_the_end = 11
    if drawing.opset < first_from_the_end:
        return drawing.below(rank)
    return drawing.axis(rank)


def typed(drawing: Drawing, *types: str) -> list[Typed]:
    """Return the types of outputs where nothing can be inferred: of what is wrong."""
    return [Typed(type=one, rank=None) for one in types] if drawing.faults else []
