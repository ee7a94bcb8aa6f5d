"""Operators with attributes and inputs that cannot be: one node each.

What a case is stands in `nodes`; the other modules are its tables, one for each family.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.corpus.malformed.operators import (
    arithmetic,
    attention,
    classical,
    contrib,
    contrib_attention,
    contrib_matrices,
    contrib_quantized,
    convolution,
    indices,
    pooling,
    quantizing,
    recurrence,
    reductions,
    regions,
    resizing,
    shaping,
    signals,
    sizes,
    transposed,
    trees,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.corpus.malformed.faults import Malformed

FAMILIES = (
    *(arithmetic, sizes, reductions, shaping, indices, resizing),
    *(pooling, regions, convolution, transposed, recurrence, attention, quantizing, signals),
    *(trees, classical, contrib_attention, contrib_matrices, contrib_quantized, contrib),
)


def operators() -> Iterator[Malformed]:
    """Return the cases of every family."""
    for family in FAMILIES:
        yield from (node.malformed() for node in family.NODES)
