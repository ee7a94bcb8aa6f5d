"""GroupQueryAttention of com.microsoft: heads that share keys, which are kept from run to run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.generate.drawing import Typed
from harness.generate.families import draws
from harness.generate.families.contributed.heads import WITHOUT_PRESENT
from harness.generate.families.contributed.plain import WRONG
from harness.generate.values import Values

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing, Value

DEEP = (8, 8, 16, 16, 32)
ROTATED = 16
"""Elements of a head that builds rotate at a time."""


@dataclass(frozen=True, kw_only=True)
class _Sizes:
    dtype: str
    batch: int
    heads: int
    shared: int
    """Heads of keys and values."""
    deep: int
    asked: int
    """Positions that are new, of the query and of the keys alike."""
    past: int
    room: int
    """Positions that the buffer of earlier keys has; 0 where there is none."""
    window: int
    """How many keys a query sees, itself included; -1 for all."""
    kept: bool
    """Whether the buffer holds a window of keys only."""

    @property
    def total(self) -> int:
        return self.past + self.asked


def _sizes(drawing: Drawing) -> _Sizes:
    """Return the sizes of a first prompt, of one more position, or of some more."""
    shared = drawing.between(1, 2)
    kind = drawing.one_of(("prompt", "prompt", "step", "step", "chunk"))
    asked = 1 if kind == "step" else drawing.between(2, 6)
    past = 0 if kind == "prompt" else drawing.between(1, 5)
    total = past + asked
    room = past if drawing.chance(70) else total + drawing.between(0, 3)
    window = drawing.between(1, total + 1) if drawing.chance(30) else -1
    kept = room > past and window > 0 and drawing.chance(40)
    if kept:
        room = _room_of_window(drawing, window, total)
    return _Sizes(
        dtype=drawing.one_of(("float", "float", "float", "float16")),
        batch=1 if kind == "chunk" else drawing.between(1, 3),
        heads=shared * drawing.between(1, 3),
        shared=shared,
        deep=drawing.one_of(DEEP),
        asked=asked,
        past=past,
        room=room,
        window=window,
        kept=kept,
    )


def _room_of_window(drawing: Drawing, window: int, total: int) -> int:
    """Return room for a window and some more, which is full mostly: the rest is unspecified."""
    full = [room for room in range(window, total + 1) if (total - room) % (room - window + 1) == 0]
    if full and drawing.chance(80):
        return drawing.one_of(full)
    room = window + drawing.between(0, 3)
    if room not in full:
        drawing.doubt("what is behind the keys of a window that is not full")
    return room


@draws("com.microsoft.GroupQueryAttention")
def grouped(drawing: Drawing) -> None:
    """Draw a prompt or what comes after it, with a rotation, a window, biases and a sink."""
    drawing.plain(Values.UNIT)
    sizes = _sizes(drawing)
    heads = sizes.heads
    if drawing.chance(WRONG) and sizes.shared > 1:
        drawing.wrong("heads that do not share keys evenly")
        heads += 1
    inputs = _given(drawing, sizes, heads)
    quantised = _quantised(drawing, sizes) if sizes.room and drawing.chance(20) else None
    inputs += quantised.caches if quantised else _caches(drawing, sizes)
    counts = _counts(drawing, sizes) if sizes.room and drawing.chance(12) else None
    inputs += _lengths(drawing, sizes, counts)
    inputs += _rotation(drawing, sizes)
    causal = _seldom(drawing, 1)
    if not counts and sizes.window < 0 and drawing.chance(20):
        causal = 0
    inputs.append(_biases(drawing, sizes, heads) if drawing.chance(30) else None)
    has_sink = drawing.chance(15)
    inputs.append(drawing.tensor(sizes.dtype, (heads,), is_parameter=True) if has_sink else None)
    inputs += quantised.scales if quantised else [None, None]
    inputs += [None, None, drawing.constant("int32", counts) if counts else None]
    asks_qk = _seldom(drawing, 0)
    if not (quantised or sizes.kept) and drawing.chance(25):
        asks_qk = drawing.between(1, 2)
    outputs = "yyyy" if asks_qk else "yyy"
    needs_present = quantised or sizes.kept or counts or asks_qk
    # Without a present builds read on behind the keys: few, or nothing else would be seen.
    if not needs_present and drawing.chance(4 if sizes.room else 25):
        outputs = "y"
        if sizes.room:
            drawing.doubt(WITHOUT_PRESENT)
    kept = Typed(type=quantised.dtype if quantised else sizes.dtype, rank=4)
    own = [Typed(type=sizes.dtype, rank=rank) for rank in (3, 4)]
    drawing.node(
        *inputs,
        outputs=outputs,
        types=[own[0], kept, kept, own[1]],
        num_heads=heads,
        kv_num_heads=sizes.shared,
        **_attributes(drawing, sizes, has_sink=has_sink, rotates=inputs[7] is not None),
        causal=causal,
        qk_output=asks_qk,
        **(quantised.attributes if quantised else {}),
    )


def _attributes(
    drawing: Drawing, sizes: _Sizes, *, has_sink: bool, rotates: bool
) -> dict[str, Any]:
    return {
        "scale": drawing.maybe(0.5, 1.0),
        "softcap": drawing.maybe(0.0, 1.5, 20.0) if drawing.chance(50) else None,
        "local_window_size": sizes.window if sizes.window > 0 else drawing.maybe(-1),
        "sliding_window_cache": 1 if sizes.kept else _seldom(drawing, 0),
        "smooth_softmax": 1 if not has_sink and drawing.chance(20) else _seldom(drawing, 0),
        "do_rotary": 1 if rotates else drawing.maybe(0),
        "rotary_interleaved": drawing.maybe(0, 1),
    }


def _seldom(drawing: Drawing, default: int) -> int | None:
    """Return the default of an attribute that older releases lack, or mostly nothing."""
    return default if drawing.chance(6) else None


def _given(drawing: Drawing, sizes: _Sizes, heads: int) -> list[Value | None]:
    """Return the query, the keys and the values, or all in one."""
    outer = (sizes.batch, sizes.asked)
    if drawing.chance(30):
        width = (heads + 2 * sizes.shared) * sizes.deep
        return [drawing.tensor(sizes.dtype, (*outer, width)), None, None]
    widths = (heads * sizes.deep, *[sizes.shared * sizes.deep] * 2)
    return [drawing.tensor(sizes.dtype, (*outer, width)) for width in widths]


def _caches(drawing: Drawing, sizes: _Sizes) -> list[Value | None]:
    if not sizes.room:
        return [None, None]
    shape = (sizes.batch, sizes.shared, sizes.room, sizes.deep)
    return [drawing.tensor(sizes.dtype, shape) for _ in range(2)]


def _counts(drawing: Drawing, sizes: _Sizes) -> list[int]:
    """Return how many of the new positions of each sequence count."""
    counts = [sizes.asked] * sizes.batch
    if drawing.chance(30):
        drawing.doubt("what is in the place of positions that do not count")
        counts = [drawing.between(1, sizes.asked) for _ in counts]
    return counts


def _lengths(drawing: Drawing, sizes: _Sizes, counts: list[int] | None) -> list[Value | None]:
    """Return how many keys each sequence has, less one, and the most of them."""
    lengths = [sizes.past + count for count in counts or [sizes.asked] * sizes.batch]
    if sizes.batch > 1 and not counts and drawing.chance(15):
        drawing.doubt("what is behind the end of a shorter sequence")
        least = 1 if not sizes.past else 2
        lengths[drawing.below(sizes.batch)] = drawing.between(least, sizes.total)
    if drawing.chance(WRONG):
        drawing.wrong("a sequence longer than the longest")
        lengths[0] += drawing.one_of((sizes.room + 1, 2**20))
    return [
        drawing.constant("int32", [length - 1 for length in lengths]),
        drawing.constant("int32", drawing.one_of((sizes.total, [sizes.total]))),
    ]


def _rotation(drawing: Drawing, sizes: _Sizes) -> list[Value | None]:
    """Return the caches of cosines and sines and the positions, or nothing."""
    if sizes.deep % ROTATED or drawing.chance(45):
        return [None, None, None]
    half = drawing.one_of((sizes.deep // 2, ROTATED // 2))
    shape = (sizes.total + drawing.between(0, 3), half)
    caches = [drawing.tensor(sizes.dtype, shape, is_parameter=True) for _ in range(2)]
    if sizes.past == 0 or drawing.chance(75):
        return [*caches, None]
    places = np.arange(sizes.past, sizes.total)
    return [*caches, drawing.constant("int64", [places] * sizes.batch)]


def _biases(drawing: Drawing, sizes: _Sizes, heads: int) -> Value:
    outer = (drawing.one_of((1, sizes.batch)), drawing.one_of((1, heads)))
    return drawing.tensor(sizes.dtype, (*outer, sizes.asked, sizes.total))


@dataclass(frozen=True, kw_only=True)
class _Quantised:
    dtype: str
    caches: list[Value | None]
    scales: list[Value | None]
    attributes: dict[str, Any]


def _quantised(drawing: Drawing, sizes: _Sizes) -> _Quantised:
    """Return a buffer of earlier keys and values in 8 or 4 bits, with its scales."""
    bits = drawing.one_of((8, 8, 4))
    dtype = "int8" if bits == 8 else "uint8"  # noqa: PLR2004
    shape = (sizes.batch, sizes.shared, sizes.room, sizes.deep * bits // 8)
    limits = None if bits == 8 else (0, 255)  # noqa: PLR2004
    kind = drawing.one_of(("PER_TENSOR", "PER_CHANNEL"))
    of_scales = (1,) if kind == "PER_TENSOR" else (1, sizes.shared, 1, sizes.deep)
    scale = drawing.one_of((0.0625, 0.125))
    return _Quantised(
        dtype=dtype,
        caches=[drawing.tensor(dtype, shape, limits=limits) for _ in range(2)],
        scales=[drawing.constant("float", np.full(of_scales, scale)) for _ in range(2)],
        attributes={"k_quant_type": kind, "v_quant_type": kind, "kv_cache_bit_width": bits},
    )
