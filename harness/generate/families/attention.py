"""Attention, and the rotation of positions that goes before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.generate.drawing import Typed
from harness.generate.families import draws
from harness.generate.families.sums import exact, flag, mostly, typed

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing, Value

HALF = 10
"""float16, as ONNX numbers element types."""
WRONG = 4
"""How many of a hundred have something wrong."""


@dataclass(frozen=True, kw_only=True)
class _Sizes:
    batch: int
    heads: int
    shared: int
    """Heads of keys and values: fewer where several heads share them."""
    asked: int
    """Positions of the query."""
    given: int
    past: int
    deep: int
    """Elements of a head."""
    deep_value: int
    by_head: bool
    """Whether the heads are an axis of their own."""

    @property
    def total(self) -> int:
        return self.past + self.given

    def shape(self, heads: int, length: int, deep: int) -> tuple[int, ...]:
        if self.by_head:
            return self.batch, heads, length, deep
        return self.batch, length, heads * deep


def _sizes(drawing: Drawing) -> _Sizes:
    shared = drawing.between(1, 2)
    deep = drawing.one_of((2, 3, 4, 8))
    given = drawing.between(1, 5)
    return _Sizes(
        batch=drawing.between(1, 2),
        heads=shared * drawing.one_of((1, 1, 2, 3)),
        shared=shared,
        asked=given if drawing.chance(50) else drawing.between(1, 5),
        given=given,
        past=drawing.between(1, 3) if drawing.chance(30) else 0,
        deep=deep,
        deep_value=deep if drawing.chance(70) else drawing.one_of((1, 3, 4)),
        by_head=drawing.chance(55),
    )


@draws("Attention")
def attention(drawing: Drawing) -> None:
    """Draw heads that share keys at times, a mask, a past and what else there is."""
    dtype = mostly(drawing, "T1", "float", "float16")
    drawing.bind("T2", [dtype] if drawing.chance(90) else [])
    exact(drawing, dtype)
    sizes = _sizes(drawing)
    heads = sizes.heads
    if drawing.chance(WRONG):
        drawing.wrong("heads that do not share keys evenly")
        heads = sizes.shared + 1 if sizes.shared > 1 else 0
    causal = flag(drawing)
    query = drawing.data(0, sizes.shape(heads, sizes.asked, sizes.deep))
    key = drawing.data(1, sizes.shape(sizes.shared, sizes.given, sizes.deep))
    value = drawing.data(2, sizes.shape(sizes.shared, sizes.given, sizes.deep_value))
    mask = _mask(drawing, sizes) if drawing.chance(50) else None
    past = _past(drawing, sizes)
    lengths = _lengths(drawing, sizes)
    if causal and sizes.asked > sizes.total:
        drawing.doubt("whom a query sees that is longer than the keys")
    outputs = "yyyy"[: drawing.one_of((1, 3, 4))] if sizes.past else drawing.one_of(("y", "y--y"))
    ranks = (4 if sizes.by_head else 3, 4, 4, 4)
    attributes = _attributes(drawing)
    if "y--y" in outputs or outputs == "yyyy":
        if attributes["qk_matmul_output_mode"] in (1, 2):
            drawing.doubt("whether what is hidden is infinity or the lowest number")
        if attributes["softcap"]:
            drawing.mistaken("it gives the products after softcap where those before it are asked")
    if attributes["softmax_precision"] == HALF and dtype not in ("float16", "bfloat16"):
        drawing.doubt("whether fewer digits than the input has are kept to")
    names = (dtype, dtype, drawing.bound["T2"], dtype)
    types = [Typed(type=one, rank=rank) for one, rank in zip(names, ranks, strict=True)]
    drawing.node(
        *(query, key, value, mask, *past, lengths),
        outputs=outputs,
        types=[one for one, mark in zip(types, outputs, strict=False) if mark == "y"],
        is_causal=causal,
        **_heads(drawing, sizes, heads),
        **attributes,
    )


def _heads(drawing: Drawing, sizes: _Sizes, heads: int) -> dict[str, int]:
    if sizes.by_head:
        if not drawing.chance(WRONG):
            return {}
        drawing.wrong("numbers of heads where these are an axis of their own")
    return {"q_num_heads": heads, "kv_num_heads": sizes.shared}


def _attributes(drawing: Drawing) -> dict[str, Any]:
    windows = drawing.has("left_window_size") and drawing.chance(40)
    return {
        "scale": drawing.maybe(0.5, 0.125, 1.0),
        "softcap": drawing.one_of((None, None, 0.0, 1.5, 20.0)),
        "qk_matmul_output_mode": drawing.maybe(0, 1, 2, 3),
        "softmax_precision": drawing.one_of((None, None, 1, 10, 11)),
        "left_window_size": drawing.one_of((-1, 0, 1, 2)) if windows else None,
        "right_window_size": drawing.one_of((-1, 0, 1, 2)) if windows else None,
    }


def _mask(drawing: Drawing, sizes: _Sizes) -> Value:
    """Return a mask that leaves each query its first key."""
    outer = drawing.one_of(
        ((), (1, 1), (sizes.batch, 1), (sizes.batch, sizes.heads), (1, sizes.heads))
    )
    shape = (*outer, sizes.asked, sizes.total)
    dtype = drawing.bind("U", ("bool", drawing.bound["T1"]))
    if dtype != "bool":
        if dtype != drawing.bound["T1"]:
            drawing.doubt("a mask of numbers of another type")
        return drawing.weights(3, shape)
    sees = (drawing.words(int(np.prod(shape))) % np.uint64(3) > 0).reshape(shape)
    sees[..., 0] = True
    return drawing.value(sees, is_parameter=True)


def _past(drawing: Drawing, sizes: _Sizes) -> tuple[Value | None, Value | None]:
    if not sizes.past:
        return None, None
    outer = (sizes.batch, sizes.shared, sizes.past)
    return drawing.data(4, (*outer, sizes.deep)), drawing.data(5, (*outer, sizes.deep_value))


def _lengths(drawing: Drawing, sizes: _Sizes) -> Value | None:
    """Return how many keys of each batch count, where there is no past."""
    if sizes.past or not drawing.takes(7) or drawing.chance(60):
        return None
    return drawing.exactly(6, [drawing.between(1, sizes.given) for _ in range(sizes.batch)])


@draws("RotaryEmbedding")
def rotary(drawing: Drawing) -> None:
    """Draw heads, caches by position or for each position, all or the first part rotated."""
    dtype = mostly(drawing, "T", "float", "float16")
    exact(drawing, dtype)
    batch, length = drawing.between(1, 2), drawing.between(1, 4)
    heads, deep = drawing.between(1, 3), drawing.one_of((2, 4, 6, 8))
    by_head = drawing.chance(55)
    rotated = drawing.one_of((None, 0, deep, max(deep - 2, 2), 2))
    half = (rotated or deep) // 2
    value = drawing.data(
        0, (batch, heads, length, deep) if by_head else (batch, length, heads * deep)
    )
    positions = length + drawing.between(0, 3)
    indexed = drawing.chance(55)
    shape = (positions, half) if indexed else (batch, length, half)
    if drawing.chance(WRONG):
        drawing.wrong("caches of another size than what is rotated")
        shape = (*shape[:-1], half + 1)
    cosines, sines = drawing.weights(1, shape), drawing.weights(2, shape)
    places = None
    if indexed:
        drawn = [[drawing.below(positions) for _ in range(length)] for _ in range(batch)]
        if drawing.chance(WRONG):
            drawing.wrong("a position beyond the caches")
            drawn[0][0] = drawing.one_of((positions, -1, 2**40))
        places = drawing.exactly(3, drawn)
    drawing.node(
        *(value, cosines, sines, places),
        types=typed(drawing, dtype),
        interleaved=flag(drawing),
        num_heads=None if by_head and drawing.chance(60) else heads,
        rotary_embedding_dim=rotated,
    )
