"""Operators of com.microsoft that gate, mix and normalise streams, mostly computed in float."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.generate.families import draws
from harness.generate.families.contributed.plain import typed
from harness.generate.families.states import UNIT, WRONG
from harness.generate.values import Values

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing

ALL = ("float", "float16", "bfloat16")


def _types(drawing: Drawing, among: tuple[str, ...] = ALL) -> str:
    """Return a type of floats, most often float, and draw values whose sums are exact in it."""
    dtype = drawing.one_of((*("float",) * 4, *among))
    drawing.plain(Values.UNIT if dtype == "float" else Values.SMALL)
    return dtype


def _streams(drawing: Drawing) -> tuple[tuple[int, ...], int, int, bool]:
    """Return what stands before the branches, how many there are, their size, and if flattened."""
    lead = drawing.full_shape(1, 2)
    return lead, drawing.between(1, 4), drawing.between(1, 6), drawing.chance(50)


@draws("com.microsoft.BranchwiseRMSNorm")
def branchwise_norm(drawing: Drawing) -> None:
    """Draw branches, grouped or flattened, with a scale of each form."""
    dtype, of_scale = _types(drawing), drawing.one_of(ALL)
    lead, branches, size, is_flat = _streams(drawing)
    shape = (*lead, branches * size) if is_flat else (*lead, branches, size)
    scales = ((branches * size,), (branches, size), (size,))
    scale = drawing.one_of(scales) if drawing.chance(80) else None
    drawing.node(
        drawing.tensor(dtype, shape),
        drawing.tensor(of_scale, scale, is_parameter=True) if scale else None,
        types=typed(dtype, len(shape)),
        num_branches=branches if is_flat else drawing.maybe(0),
        epsilon=drawing.maybe(1e-5, 0.125),
    )


@draws("com.microsoft.GatedRMSNorm")
def gated_norm(drawing: Drawing) -> None:
    """Draw rows of one or more heads, each normalised and gated."""
    dtype = _types(drawing)
    size = drawing.between(1, 6)
    width = size * drawing.between(1, 3)
    if drawing.chance(WRONG):
        drawing.wrong("a row that is no multiple of the scale")
        size, width = 3, 4
    shape = (*drawing.full_shape(1, 3), width)
    drawing.node(
        drawing.tensor(dtype, shape),
        drawing.tensor(dtype, (size,), is_parameter=True),
        drawing.tensor(dtype, shape),
        types=typed(dtype, len(shape)),
        activation=drawing.maybe("silu", "swish", "sigmoid"),
        epsilon=drawing.maybe(1e-5, 0.125),
    )


@draws("com.microsoft.HyperConnectionPreMix")
def pre_mix(drawing: Drawing) -> None:
    """Draw branches summed into one, with gates of each form."""
    dtype, of_gates = _types(drawing), drawing.one_of(ALL)
    lead, branches, size, is_flat = _streams(drawing)
    forms = [(*lead, branches), (*lead, branches, 1), (*lead, branches, size)]
    if is_flat:
        forms.append((*lead, branches * size))
    drawing.node(
        drawing.tensor(dtype, (*lead, branches * size) if is_flat else (*lead, branches, size)),
        drawing.tensor(of_gates, drawing.one_of(forms)),
        types=typed(dtype, len(lead) + 1),
        num_branches=branches if is_flat else drawing.maybe(0),
        reduction_scale=drawing.maybe(1.0, 0.5, 0.0, -2.0),
    )


@draws("com.microsoft.HyperConnectionPostMix")
def post_mix(drawing: Drawing) -> None:
    """Draw branches mixed with each other, into which a block's output is put."""
    dtype, of_gates = _types(drawing), drawing.one_of(ALL)
    lead, branches, size, is_flat = _streams(drawing)
    forms = ((*lead, branches), (*lead, branches, 1), (*lead, branches, size))
    shape = (*lead, branches * size) if is_flat else (*lead, branches, size)
    has_mix = drawing.chance(70)
    drawing.node(
        drawing.tensor(dtype, shape),
        drawing.tensor(dtype, (*lead, size)),
        drawing.tensor(of_gates, drawing.one_of(forms)),
        drawing.tensor(of_gates, (*lead, branches, branches)) if has_mix else None,
        types=typed(dtype, len(shape)),
        num_branches=branches if is_flat else drawing.maybe(0),
    )


@draws("com.microsoft.GatedAdd")
def gated_add(drawing: Drawing) -> None:
    """Draw a sum whose second part has a gate for each row."""
    dtype = _types(drawing, ("float16",))
    shape = drawing.full_shape(1, 4)
    gate = (*shape[:-1], 1)
    if drawing.chance(WRONG):
        drawing.wrong("a gate of another row")
        gate = (*shape[:-1], 2)
    drawing.node(
        drawing.tensor(dtype, shape),
        drawing.tensor(dtype, shape),
        drawing.tensor(dtype, gate),
        types=typed(dtype, len(shape)),
    )


@draws("com.microsoft.EngramGate")
def engram_gate(drawing: Drawing) -> None:
    """Draw keys, queries and a value that they share, with and without a last normalisation.

    Keys and queries are no whole numbers: where their product is 0, the gate jumps.
    """
    dtype = _types(drawing, ("float16",))
    batch, length, branches, size = (drawing.between(1, most) for most in (2, 4, 3, 6))
    shape = (batch, length, branches, size)
    has_norm = drawing.chance(50)
    scales = [
        drawing.tensor(dtype, (branches, size), is_parameter=True) for _ in range(2 + has_norm)
    ]
    drawing.node(
        drawing.tensor(dtype, shape, limits=UNIT),
        drawing.tensor(dtype, shape, limits=UNIT),
        drawing.tensor(dtype, (batch, length, size)),
        *scales,
        outputs=1 + has_norm,
        types=typed(dtype, 4) * 2,
        epsilon=drawing.maybe(1e-5, 0.125),
    )


@draws("com.microsoft.ScaledSiLU")
def scaled_silu(drawing: Drawing) -> None:
    """Draw an activation scaled by an attribute or by an input."""
    dtype, of_scale = _types(drawing), drawing.one_of(ALL)
    shape = drawing.shape(0, 4)
    scale = drawing.one_of((1.0, 0.5, 0.0, -1.5))
    drawing.node(
        drawing.tensor(dtype, shape),
        drawing.constant(of_scale, scale) if drawing.chance(40) else None,
        types=typed(dtype, len(shape)),
        alpha=drawing.maybe(1.0, 1.5, -0.5, 0.0),
    )


@draws("com.microsoft.LinearAttentionGate")
def linear_attention_gate(drawing: Drawing) -> None:
    """Draw what decays and what is taken over at each step, for each head."""
    dtype = _types(drawing)
    shape = (drawing.between(1, 2), drawing.between(1, 5), drawing.between(1, 5))
    has_rate = drawing.chance(60)
    drawing.node(
        drawing.tensor(dtype, shape),
        drawing.tensor("float", shape[2:], is_parameter=True),
        drawing.value(-np.exp(drawing.fractions(shape[2])).astype("f4"), is_parameter=True),
        drawing.tensor(dtype, shape) if has_rate else None,
        outputs=1 + has_rate,
        types=typed(dtype, 3) * 2,
    )
