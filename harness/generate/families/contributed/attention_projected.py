"""Attention of com.microsoft that projects its input: by floats, and by quantised weights."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.generate.drawing import Typed
from harness.generate.families import draws
from harness.generate.families.contributed.heads import (
    DEEP,
    FLOAT,
    Sizes,
    biases,
    floats,
    mask,
    scores,
)
from harness.generate.families.contributed.plain import WRONG
from harness.generate.values import Values

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing, Value

STATE = Typed(type="float", rank=5)
ROTARY = (32, 64, 128)
"""How many elements of a head can be rotated."""


def _sizes(drawing: Drawing) -> Sizes:
    length, deep = drawing.between(1, 5), drawing.one_of(DEEP)
    return Sizes(
        batch=drawing.between(1, 3),
        heads=drawing.between(1, 3),
        deep=deep,
        deep_value=deep,
        asked=length,
        given=length,
        past=drawing.between(1, 4) if drawing.chance(35) else 0,
    )


def _past(drawing: Drawing, sizes: Sizes, length: int) -> Value:
    return floats(drawing, (2, *sizes.by_head(length, sizes.deep)))


@draws("com.microsoft.Attention")
def attention(drawing: Drawing) -> None:
    """Draw an input with its weights, each kind of mask, a past, and values of another depth."""
    drawing.plain(Values.UNIT)
    sizes = _sizes(drawing)
    causal = drawing.maybe(0, 1)
    shared = bool(sizes.past) and drawing.chance(10)
    if not sizes.past and drawing.chance(25):
        sizes = replace(sizes, deep_value=drawing.one_of(DEEP))
    rotary = None
    if drawing.chance(5):
        rotary = drawing.one_of((0, ROTARY[0]))
        sizes = replace(sizes, deep=ROTARY[0], deep_value=ROTARY[0])
    keys, values = sizes.heads * sizes.deep, sizes.heads * sizes.deep_value
    if drawing.chance(WRONG):
        drawing.wrong("more values than the weights give")
        values += sizes.heads
    hidden, width = drawing.dimension(), sizes.heads * (2 * sizes.deep + sizes.deep_value)
    kinds = ("ends", "ends starts", "total", "asked, total", "lengths starts")
    which = mask(drawing, sizes, kinds) if drawing.chance(55) else None
    has_starts = which is not None and which.shape == (2 * sizes.batch,)
    if causal and which is not None and has_starts and which.elements[sizes.batch :].any():
        drawing.doubt("what a query sees before the first key that counts")
    if which is None and not causal and drawing.chance(10):
        which = _of_any_length(drawing, sizes)
    states = [values, keys] != [keys, keys] or drawing.chance(20)
    room = sizes.total + drawing.between(0, 2) if shared else sizes.past
    drawing.node(
        floats(drawing, (sizes.batch, sizes.asked, hidden)),
        floats(drawing, (hidden, width), is_parameter=True),
        floats(drawing, (width,), is_parameter=True) if drawing.chance(85) else None,
        which,
        _past(drawing, sizes, room) if sizes.past else None,
        None if sizes.past and drawing.chance(85) else biases(drawing, sizes),
        drawing.constant("int32", [sizes.past]) if shared else None,
        outputs=2 if sizes.past else 1,
        types=[FLOAT, STATE],
        num_heads=sizes.heads,
        unidirectional=causal,
        qkv_hidden_sizes=[keys, keys, values] if states else None,
        past_present_share_buffer=1 if shared else drawing.maybe(0),
        do_rotary=drawing.maybe(0) if rotary is None else 1,
        rotary_embedding_dim=rotary or None,
        **scores(drawing),
    )


def _of_any_length(drawing: Drawing, sizes: Sizes) -> Value:
    """Return a mask for all pairs of positions up to more than there are."""
    most = sizes.total + drawing.between(0, 2)
    return drawing.constant("int32", np.ones((sizes.batch, 1, most, most)))


@draws("com.microsoft.QAttention")
def quantised(drawing: Drawing) -> None:
    """Draw a quantised input with quantised weights, whose scales may be one for each column."""
    drawing.plain(Values.UNIT)
    sizes = _sizes(drawing)
    hidden, width = drawing.dimension(), 3 * sizes.heads * sizes.deep
    of_weights = drawing.one_of(("uint8", "int8"))
    columns: tuple[int, ...] = (width,) if drawing.chance(40) else drawing.one_of(((), (1,)))
    if drawing.chance(WRONG):
        drawing.wrong("a scale for some of the columns only")
        columns = (width + 1,)
    points: list[Any] = [None, None]
    if drawing.chance(70):
        points[0] = drawing.constant("uint8", drawing.one_of((0, 5, 128)))
    if drawing.chance(60):
        least, most = (0, 8) if of_weights == "uint8" else (-4, 4)
        points[1] = drawing.tensor(of_weights, columns, limits=(least, most), is_parameter=True)
    scales = drawing.words(int(np.prod(columns))) % np.uint64(3)
    which = mask(drawing, sizes, ("ends",)) if drawing.chance(50) else None
    low = 121 if points[0] is not None and points[0].elements == 128 else 0  # noqa: PLR2004
    drawing.node(
        drawing.tensor("uint8", (sizes.batch, sizes.asked, hidden), limits=(low, low + 14)),
        drawing.tensor(of_weights, (hidden, width), is_parameter=True),
        floats(drawing, (width,), is_parameter=True),
        drawing.constant("float", drawing.one_of((0.0625, 0.125))),
        drawing.constant("float", np.exp2(-4.0 - scales).reshape(columns)),
        which,
        *points,
        _past(drawing, sizes, sizes.past) if sizes.past else None,
        outputs=2 if sizes.past else 1,
        types=[FLOAT, STATE],
        num_heads=sizes.heads,
        unidirectional=drawing.maybe(0, 1),
        past_present_share_buffer=drawing.maybe(0),
        do_rotary=drawing.maybe(0),
        **scores(drawing),
    )
