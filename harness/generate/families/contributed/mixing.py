"""Operators of com.microsoft that gate, mix and normalise streams, mostly computed in float."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.generate.families import draws
from harness.generate.families.contributed.plain import WRONG, typed
from harness.generate.families.contributed.states import FLOATS, of_floats
from harness.generate.families.states import UNIT

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing


@dataclass(frozen=True, kw_only=True)
class _Streams:
    """Branches of features, as an axis of their own or flattened into that of the features."""

    lead: tuple[int, ...]
    """The axes before them."""
    branches: int
    size: int
    is_flat: bool

    @property
    def shape(self) -> tuple[int, ...]:
        if self.is_flat:
            return *self.lead, self.branches * self.size
        return *self.lead, self.branches, self.size

    @property
    def gates(self) -> list[tuple[int, ...]]:
        """The shapes of gates: one for a branch, with and without an axis, and for each feature."""
        each = (*self.lead, self.branches)
        return [each, (*each, 1), (*each, self.size)]

    def stated(self, drawing: Drawing) -> int | None:
        """Return the number of branches as the attribute has it."""
        return self.branches if self.is_flat else drawing.maybe(0)


def _streams(drawing: Drawing) -> _Streams:
    return _Streams(
        lead=drawing.full_shape(1, 2),
        branches=drawing.between(1, 4),
        size=drawing.between(1, 6),
        is_flat=drawing.chance(50),
    )


@draws("com.microsoft.BranchwiseRMSNorm")
def branchwise_norm(drawing: Drawing) -> None:
    """Draw branches, grouped or flattened, with a scale of each form."""
    dtype, of_scale = of_floats(drawing), drawing.one_of(FLOATS)
    of = _streams(drawing)
    scales = ((of.branches * of.size,), (of.branches, of.size), (of.size,))
    scale = drawing.one_of(scales) if drawing.chance(80) else None
    drawing.node(
        drawing.tensor(dtype, of.shape),
        drawing.tensor(of_scale, scale, is_parameter=True) if scale else None,
        types=typed(dtype, len(of.shape)),
        num_branches=of.stated(drawing),
        epsilon=drawing.maybe(1e-5, 0.125),
    )


@draws("com.microsoft.GatedRMSNorm")
def gated_norm(drawing: Drawing) -> None:
    """Draw rows of one or more heads, each normalised and gated."""
    dtype = of_floats(drawing)
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
    dtype, of_gates = of_floats(drawing), drawing.one_of(FLOATS)
    of = _streams(drawing)
    forms = of.gates
    if of.is_flat:
        forms.append(of.shape)
    drawing.node(
        drawing.tensor(dtype, of.shape),
        drawing.tensor(of_gates, drawing.one_of(forms)),
        types=typed(dtype, len(of.lead) + 1),
        num_branches=of.stated(drawing),
        reduction_scale=drawing.maybe(1.0, 0.5, 0.0, -2.0),
    )


@draws("com.microsoft.HyperConnectionPostMix")
def post_mix(drawing: Drawing) -> None:
    """Draw branches mixed with each other, into which a block's output is put."""
    dtype, of_gates = of_floats(drawing), drawing.one_of(FLOATS)
    of = _streams(drawing)
    has_mix = drawing.chance(70)
    mix = (*of.lead, of.branches, of.branches)
    drawing.node(
        drawing.tensor(dtype, of.shape),
        drawing.tensor(dtype, (*of.lead, of.size)),
        drawing.tensor(of_gates, drawing.one_of(of.gates)),
        drawing.tensor(of_gates, mix) if has_mix else None,
        types=typed(dtype, len(of.shape)),
        num_branches=of.stated(drawing),
    )


@draws("com.microsoft.GatedAdd")
def gated_add(drawing: Drawing) -> None:
    """Draw a sum whose second part has a gate for each row."""
    dtype = of_floats(drawing, ("float16",))
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
    dtype = of_floats(drawing, ("float16",))
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
    dtype, of_scale = of_floats(drawing), drawing.one_of(FLOATS)
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
    dtype = of_floats(drawing)
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
