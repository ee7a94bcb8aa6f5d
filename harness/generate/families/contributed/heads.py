"""What operators of com.microsoft with attention have in common: sizes, masks, biases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.generate.drawing import Typed
from harness.generate.families.contributed.plain import WRONG

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing, Value

FLOAT = Typed(type="float", rank=3)
BY_HEAD = Typed(type="float", rank=4)
DEEP = (1, 2, 3, 4, 8, 16)
WITHOUT_PRESENT = "whether a past counts without a present"


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """The sizes of one attention."""

    batch: int
    heads: int
    deep: int
    """Elements of a head of the query and of a key."""
    deep_value: int
    asked: int
    """Positions of the query."""
    given: int
    """Positions of the new keys."""
    past: int

    @property
    def total(self) -> int:
        """Positions of all keys."""
        return self.past + self.given

    def flat(self, length: int, deep: int) -> tuple[int, ...]:
        """Return the shape with the heads of each position beside each other."""
        return self.batch, length, self.heads * deep

    def by_head(self, length: int, deep: int) -> tuple[int, ...]:
        """Return the shape with the heads as an axis of their own."""
        return self.batch, self.heads, length, deep


def floats(drawing: Drawing, shape: tuple[int, ...], *, is_parameter: bool = False) -> Value:
    """Return an input of floats."""
    return drawing.tensor("float", shape, is_parameter=is_parameter)


def biases(drawing: Drawing, sizes: Sizes) -> Value | None:
    """Return what is added to the products of queries and keys, in six of ten draws nothing."""
    if drawing.chance(60):
        return None
    outer = (drawing.one_of((1, sizes.batch)), drawing.one_of((1, sizes.heads)))
    if drawing.chance(WRONG):
        drawing.wrong("biases for more heads than there are")
        outer = (outer[0], sizes.heads + 1)
    return floats(drawing, (*outer, sizes.asked, sizes.total), is_parameter=True)


def mask(drawing: Drawing, sizes: Sizes, kinds: tuple[str, ...]) -> Value:
    """Return which keys count, in one of the kinds; each query sees the first key at least.

    A kind is as in `asked, total` for a place for each query and each key, or `ends`, `ends starts`
    or `lengths starts` for what the text calls an index.
    """
    kind = drawing.one_of(kinds)
    batch, total = sizes.batch, sizes.total
    ends = [drawing.between(1, total) for _ in range(batch)]
    match kind:
        case "ends":
            numbers: Any = ends
        case "ends starts":
            numbers = [*ends, *(drawing.below(end) for end in ends)]
        case "lengths starts":
            numbers = [*ends, *(at * sizes.asked for at in range(batch + 1))]
            numbers += [at * total for at in range(batch + 1)]
        case _:
            named = {"asked": sizes.asked, "given": sizes.given, "total": total}
            shape = (batch, *(named[one] for one in kind.split(", ")))
            seen = drawing.words(int(np.prod(shape))) % np.uint64(3) > 0
            numbers = seen.reshape(shape).astype(np.int32)
            numbers[..., 0] = 1
    return drawing.constant("int32", numbers)


def scores(drawing: Drawing) -> dict[str, Any]:
    """Return the attributes of how products are weighed."""
    return {
        "scale": drawing.maybe(0.5, 1.0, 0.125),
        "mask_filter_value": drawing.maybe(-10000.0, -1000.0, -1.0),
    }
