"""Operators of com.microsoft on the numbers of tokens, and on paths through a table of costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.generate.drawing import Typed
from harness.generate.families import draws
from harness.generate.families.contributed.plain import WRONG, typed
from harness.generate.families.contributed.states import counts, packed
from harness.generate.values import Values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.generate.drawing import Drawing, Value

PRIMES = (1, 2, 3, 5, 7, 101)
TOKENS = (0, 5)
"""So few that what ends a sequence, and what fills it, are often among them."""


@draws("com.microsoft.NGramHashMapping")
def hashes(drawing: Drawing) -> None:
    """Draw runs of tokens that are hashed, with what came before and what ends a sequence."""
    dtype = drawing.one_of(("int32", "int64"))
    batch, length = drawing.between(1, 3), drawing.between(1, 6)
    longest, attributes = _attributes(drawing)
    tokens = drawing.tensor(dtype, (batch, length), limits=TOKENS)
    inputs = _numbers(drawing, dtype, longest, attributes["n_head_per_ngram"])
    has_segments = drawing.chance(30)
    drawing.node(
        tokens,
        inputs["multipliers"],
        inputs["sizes"],
        drawing.tensor(dtype, (batch, longest - 1), limits=TOKENS) if drawing.chance(50) else None,
        inputs["offsets"],
        inputs["end"],
        drawing.tensor("int32", (batch, length), limits=(0, 2)) if has_segments else None,
        outputs=drawing.between(1, 2),
        types=(*typed(dtype, 3), *typed(dtype, 2)),
        **attributes,
    )


@draws("com.microsoft.VarlenNGramHashMapping")
def packed_hashes(drawing: Drawing) -> None:
    """Draw the same of sequences of different lengths behind each other."""
    dtype = drawing.one_of(("int32", "int64"))
    lengths, ends = packed(drawing)
    total, batch = sum(lengths), len(lengths)
    longest, attributes = _attributes(drawing)
    capacity = drawing.one_of((None, None, 0, 2, 8))
    has_segments = drawing.chance(40)
    tokens = drawing.tensor(dtype, (total,), limits=TOKENS)
    inputs = _numbers(drawing, dtype, longest, attributes["n_head_per_ngram"])
    past = drawing.tensor(dtype, (batch, longest - 1), limits=TOKENS)
    kept, last = drawing.chance(50), has_segments and drawing.chance(50)
    if not kept:
        drawing.given.remove(past)
    of_past = (batch, longest - 1)
    gives = ("y", drawing.one_of("y-"), drawing.one_of("y-") if has_segments else "-")
    rows, updates = typed(dtype, 2), (Typed(type=dtype, rank=3),)
    types = (rows, rows, typed("int32", 2))
    drawing.node(
        tokens,
        inputs["multipliers"],
        inputs["sizes"],
        ends,
        past if kept else None,
        inputs["offsets"],
        inputs["end"],
        drawing.tensor("int32", (total,), limits=(0, 2)) if has_segments else None,
        drawing.tensor("int32", of_past, limits=(0, 2)) if kept and last else None,
        counts(drawing, capacity, batch),
        outputs="".join(gives) + ("y" if capacity else ""),
        types=[*(one[0] for one, mark in zip(types, gives, strict=True) if mark == "y"), *updates],
        state_update_capacity=capacity,
        **attributes,
    )


def _attributes(drawing: Drawing) -> tuple[int, Mapping[str, int]]:
    """Return the longest run that is hashed, and all attributes."""
    longest = drawing.between(2, 4)
    attributes = {
        "max_ngram_size": longest,
        "n_head_per_ngram": drawing.between(1, 3),
        "pad_id": drawing.one_of((0, 0, 2, -1)),
    }
    if drawing.chance(60):
        attributes["reset_on_eos"] = drawing.below(2)
    return longest, attributes


def _numbers(drawing: Drawing, dtype: str, longest: int, heads: int) -> Mapping[str, Value | None]:
    """Return what is multiplied, divided and added, and the token that ends a sequence."""
    count = (longest - 1) * heads
    sizes = [drawing.one_of(PRIMES) for _ in range(count)]
    if drawing.chance(WRONG):
        drawing.wrong("a vocabulary of nothing")
        sizes[0] = 0
    factors = [2 * drawing.below(1000) + 1 for _ in range(longest + drawing.one_of((0, 0, 1)))]
    offsets = np.arange(count) * PRIMES[-1]
    return {
        "multipliers": drawing.constant(dtype, factors),
        "sizes": drawing.constant(dtype, sizes),
        "offsets": drawing.constant(dtype, offsets) if drawing.chance(40) else None,
        "end": drawing.constant(dtype, drawing.below(4)) if drawing.chance(50) else None,
    }


@draws("com.microsoft.BifurcationDetector")
def bifurcation(drawing: Drawing) -> None:
    """Draw tokens of a text, of what is written so far, and of what was guessed to follow."""
    few = (0, 2)
    source = drawing.tensor("int64", (drawing.between(1, 8),), limits=few)
    written = drawing.tensor("int64", (drawing.between(1, 6),), limits=few)
    least = drawing.between(1, 3)
    guesses, place = None, 0
    if drawing.chance(70):
        place = drawing.below(source.shape[0] + 1)
        left = source.elements[place:]
        right = drawing.between(0, len(left))
        row = [*left[:right], *(drawing.between(*few) for _ in range(len(left) - right + 1))]
        guesses = drawing.constant("int64", row)
    drawing.node(
        source,
        written,
        drawing.constant("int64", place),
        guesses,
        outputs=2,
        types=(*typed("int64", 1), *typed("int64", 0)),
        min_ngram_size=drawing.maybe(least),
        max_ngram_size=drawing.maybe(least + drawing.below(3)) or 3,
    )


@draws("com.microsoft.DynamicTimeWarping")
def warping(drawing: Drawing) -> None:
    """Draw a table of costs, of which no two paths cost the same."""
    drawing.plain(Values.UNIT)
    shape = (drawing.between(1, 6), drawing.between(1, 6))
    costs = drawing.fractions(shape[0] * shape[1]).astype("f4").reshape(shape)
    drawing.node(
        drawing.value(costs if drawing.chance(60) else costs[None]), types=typed("int32", 2)
    )
