"""Operators that carry a state from step to step: what models with linear attention are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.generate.families import draws
from harness.generate.families.sums import exact, mostly, typed

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing

RULES = ("linear", "gated", "delta", "gated_delta")
UNIT = (-1.0, 1.0)
WRONG = 4
"""How many of a hundred have something wrong."""


@draws("CausalConvWithState")
def causal_convolution(drawing: Drawing) -> None:
    """Draw few channels with a kernel each, with and without what came before."""
    dtype = mostly(drawing, "T", "float", "float16")
    exact(drawing, dtype)
    batch, channels = drawing.between(1, 2), drawing.between(1, 4)
    kernel = drawing.one_of((1, 2, 3, 4))
    depth = 1
    if drawing.chance(WRONG):
        drawing.wrong("a kernel over more than one channel")
        depth = 2
    drawing.node(
        drawing.data(0, (batch, channels, drawing.between(1, 6))),
        drawing.weights(1, (channels, depth, kernel)),
        drawing.weights(2, (channels,)) if drawing.chance(60) else None,
        drawing.data(3, (batch, channels, kernel - 1)) if drawing.chance(50) else None,
        outputs="yy",
        types=typed(drawing, dtype, dtype),
        activation=drawing.maybe("none", "silu", "swish"),
    )


@draws("LinearAttention")
def linear_attention(drawing: Drawing) -> None:
    """Draw each rule with what it needs, heads that share keys at times, and a state."""
    dtype = mostly(drawing, "T", "float", "float16")
    of_state = drawing.bind("S", [dtype] if drawing.chance(85) else ["float"])
    exact(drawing, dtype)
    rule = drawing.maybe(*RULES)
    shared, batch, steps = drawing.between(1, 2), drawing.between(1, 2), drawing.between(1, 5)
    heads = shared * drawing.one_of((1, 1, 2, 3))
    if drawing.chance(WRONG):
        drawing.wrong("heads that do not share keys evenly")
        heads = 2 * shared + 1 if shared > 1 else 0
    deep, deep_value = drawing.one_of((1, 2, 4)), drawing.one_of((1, 3, 4))
    forgets, corrects = rule not in ("linear", "delta"), rule not in ("linear", "gated")
    by_key = drawing.chance(50)
    decay = (batch, steps, shared * deep if by_key else shared)
    beta = (batch, steps, drawing.one_of((1, shared)))
    has_past = drawing.chance(50)
    drawing.node(
        drawing.data(0, (batch, steps, heads * deep), limits=UNIT),
        drawing.data(1, (batch, steps, shared * deep), limits=UNIT),
        drawing.data(2, (batch, steps, shared * deep_value), limits=UNIT),
        drawing.data(3, (batch, shared, deep, deep_value), limits=UNIT) if has_past else None,
        drawing.data(4, decay, limits=(-2.0, 0.0)) if forgets else None,
        drawing.data(5, beta, limits=(0.0, 1.0)) if corrects else None,
        outputs="yy",
        types=typed(drawing, dtype, of_state),
        q_num_heads=heads,
        kv_num_heads=shared,
        update_rule=rule,
        scale=drawing.maybe(0.0, 0.5, 1.0),
        chunk_size=drawing.maybe(1, 2, 64),
    )
