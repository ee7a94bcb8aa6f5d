"""Operators of com.microsoft that choose few of many experts for each token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.generate.drawing import Typed
from harness.generate.families import draws
from harness.generate.families.contributed.blocks import octets, scales
from harness.generate.families.contributed.plain import WRONG
from harness.generate.values import Values

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing, Value

APART = (-2.0, 2.0)
"""Where scores lie of which no two are equal: what is chosen among equals is left open."""
ACTIVATIONS = ("relu", "gelu", "silu", "identity", "swiglu", "swiglu", "swiglu")
BITS_OF_A_BYTE = 8


@dataclass(frozen=True, kw_only=True)
class _Experts:
    """How many experts there are, and how wide their layers are."""

    count: int
    hidden: int
    inner: int
    fused: int
    """How many layers the first one holds: two where it is gated."""
    chosen: int
    """How many of the experts each token gets."""


def _experts(drawing: Drawing, unit: int) -> tuple[_Experts, dict[str, Any]]:
    """Return experts whose layers are so many times as wide as `unit`, and their attributes."""
    activation = drawing.maybe(*ACTIVATIONS)
    is_gated = activation == "swiglu"
    count = drawing.between(1, 5)
    stated = drawing.maybe(*range(1, count + 1))
    chosen = stated or 1
    attributes = {
        "k": stated,
        "activation_type": activation,
        "normalize_routing_weights": drawing.maybe(0, 1),
        "use_sparse_mixer": drawing.maybe(0),
    }
    if is_gated:
        attributes |= {
            "swiglu_fusion": 1,
            "swiglu_limit": drawing.maybe(0.5, 2.0),
            "activation_alpha": drawing.maybe(1.0, 1.702),
            "activation_beta": drawing.maybe(0.0, 1.0),
        }
    return (
        _Experts(
            count=count,
            hidden=unit * drawing.between(1, 3),
            inner=unit * drawing.between(1, 3),
            fused=1 + is_gated,
            chosen=chosen,
        ),
        attributes,
    )


def _tokens(drawing: Drawing, dtype: str, of: _Experts) -> tuple[Value, Value]:
    """Return tokens, packed or by texts, and what each of them scores the experts."""
    shape = drawing.one_of(((drawing.between(1, 6),), (drawing.between(1, 3), 2)))
    tokens = drawing.tensor(dtype, (*shape, of.hidden))
    experts = of.count
    if drawing.chance(WRONG):
        drawing.wrong("scores of an expert that is not there")
        experts += 1
    return tokens, drawing.tensor(dtype, (int(np.prod(shape)), experts), limits=APART)


@draws("com.microsoft.MoE")
def experts(drawing: Drawing) -> None:
    """Draw tokens and experts with plain weights; those of a gate together or on their own."""
    drawing.plain(Values.UNIT)
    of, attributes = _experts(drawing, 1)
    tokens, router = _tokens(drawing, "float", of)
    apart = of.fused > 1 and drawing.chance(10)
    wide = of.inner * (1 if apart else of.fused)

    def weights(*shape: int) -> Value:
        return drawing.tensor("float", (of.count, *shape), is_parameter=True)

    inputs: list[Value | None] = [tokens, router]
    for rows, columns in ((wide, of.hidden), (of.hidden, of.inner)):
        inputs.append(weights(rows, columns))
        inputs.append(weights(rows) if drawing.chance(60) else None)
    if apart:
        attributes["swiglu_fusion"] = None
        inputs.append(weights(of.inner, of.hidden))
    elif of.fused > 1 and drawing.chance(10):
        attributes["swiglu_fusion"] = 2
    rank = len(tokens.shape)
    drawing.node(*inputs, types=[Typed(type="float", rank=rank)], **attributes)


@draws("com.microsoft.QMoE")
def quantised_experts(drawing: Drawing) -> None:
    """Draw experts with weights of 2, 4 or 8 bits, with a scale by row or for blocks of a row."""
    drawing.plain(Values.UNIT)
    bits = drawing.maybe(4, 4, 8, 2)
    wide, block = bits or 4, drawing.one_of((None, None, 16, 32))
    of, attributes = _experts(drawing, block or drawing.one_of((4, 8)))
    dtype = "float"
    if wide < BITS_OF_A_BYTE:  # sums of larger weights overflow float16
        dtype = drawing.one_of(("float", "float", "float", "float16"))
    tokens, router = _tokens(drawing, dtype, of)
    level = drawing.maybe(0, 1, 4) if block and wide == 4 else None  # noqa: PLR2004
    if block and (wide != 4 or level == 4):  # noqa: PLR2004 - both compute with bytes
        drawing.doubt("the data are quantised too")
    has_points = drawing.chance(40)
    inputs: list[Value | None] = [tokens, router]
    points: list[Value | None] = []
    for rows, columns in ((of.inner * of.fused, of.hidden), (of.hidden, of.inner)):
        packed = octets(drawing, of.count, rows, columns * wide // BITS_OF_A_BYTE)
        shape = (of.count, rows, columns // block) if block else (of.count, rows)
        inputs.append(drawing.value(packed, is_parameter=True))
        inputs.append(scales(drawing, dtype, shape))
        bias = drawing.chance(50)
        inputs.append(drawing.tensor(dtype, (of.count, rows), is_parameter=True) if bias else None)
        size = -(-shape[-1] * wide // BITS_OF_A_BYTE)
        some = octets(drawing, *shape[:-1], size) if has_points else None
        points.append(None if some is None else drawing.value(some, is_parameter=True))
    weights = None
    if drawing.chance(20):
        weights = drawing.tensor(dtype, router.shape, limits=(0.0, 1.0))
    drawing.node(
        *inputs,
        *(None, None, None, *points, None, weights),
        types=[Typed(type=dtype, rank=len(tokens.shape))],
        expert_weight_bits=bits,
        block_size=block,
        accuracy_level=level,
        weights_prepacked=drawing.maybe(0),
        quant_type=drawing.maybe("int"),
        **attributes,
    )


@draws("com.microsoft.MoEGroupRouter")
def router(drawing: Drawing) -> None:
    """Draw scores of experts in groups, of which few groups and then few experts are chosen."""
    drawing.plain()
    dtype = drawing.one_of(("float",) * 6 + ("float16", "bfloat16"))
    if drawing.chance(25):
        _all_scores(drawing, dtype)
        return
    groups, each = drawing.between(1, 4), drawing.between(1, 5)
    count, active = groups * each, drawing.between(1, groups)
    top = drawing.between(1, active * each)
    if drawing.chance(WRONG):
        drawing.wrong("more experts chosen than there are in the groups chosen")
        top = active * each + 1
    outer = drawing.full_shape(1, 2)
    if dtype != "float":
        drawing.doubt("which of two equal scores is chosen")
    drawing.node(
        drawing.tensor(dtype, (*outer, count), limits=APART),
        drawing.tensor("float", (count,), limits=(-0.5, 0.5), is_parameter=True),
        types=[Typed(type=dtype, rank=2)],
        top_k=top,
        n_group=groups,
        topk_group=active,
        group_topk=drawing.maybe(1, 2, 2, 9),
        router_sentinel=drawing.maybe(-1000.0, 0.0),
    )


def _all_scores(drawing: Drawing, dtype: str) -> None:
    """Draw scores that nothing is chosen of yet, at times behind a projection."""
    rows, count = drawing.between(1, 5), drawing.between(1, 9)
    width = drawing.one_of((256, 512)) if drawing.chance(50) else None
    weights = None
    if width is not None:
        weights = drawing.tensor(dtype, (count, width), limits=(-0.25, 0.25), is_parameter=True)
    drawing.node(
        drawing.tensor(dtype, (rows, width or count), limits=APART),
        drawing.tensor("float", (count,), limits=(-0.5, 0.5), is_parameter=True),
        weights,
        outputs="-yy",
        types=[Typed(type="float", rank=2)] * 2,
        top_k=drawing.between(1, count),
        n_group=1,
        topk_group=1,
        group_topk=drawing.maybe(1, 2),
    )
