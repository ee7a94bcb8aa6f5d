"""Attention of com.microsoft whose query, keys and values are given, not projected."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.generate.families import draws
from harness.generate.families.contributed.heads import (
    BY_HEAD,
    DEEP,
    FLOAT,
    WITHOUT_PRESENT,
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

PACKED = 5
"""How many of a hundred have keys and values in one tensor: builds for the CPU refuse them."""
SHARED = 15
"""How many of a hundred have room in the past for what is to come."""


@draws("com.microsoft.MultiHeadAttention")
def multi_head(drawing: Drawing) -> None:
    """Draw keys and values flat, by head or packed; a mask, biases and a past at times."""
    drawing.plain(Values.UNIT)
    if drawing.chance(SHARED):
        _one_step(drawing)
        return
    sizes, form = _sizes(drawing)
    inputs = _given(drawing, sizes, form)
    if form == "flat" and drawing.chance(50):
        inputs.append(_projection_bias(drawing, sizes))
    else:
        inputs.append(None)
    kinds = ("ends", "total", "given", "asked, total", "lengths starts")
    inputs.append(mask(drawing, sizes, kinds) if drawing.chance(50) else None)
    inputs.append(biases(drawing, sizes))
    if sizes.past:
        shape = sizes.by_head(sizes.past, sizes.deep)
        inputs += [floats(drawing, shape), floats(drawing, shape)]
    outputs = drawing.one_of(("y", "yyy", "yyy", "yyyy", "y--y"))
    if sizes.past:
        # Without a present builds read on behind the keys: few, or nothing else would be seen.
        outputs = drawing.one_of(("yyy", "yyyy") * 8 + ("y", "y--y", "yy", "y-y"))
        if not outputs.startswith("yyy"):
            drawing.doubt(WITHOUT_PRESENT)
    causal = drawing.maybe(0, 1)
    if causal and sizes.asked != sizes.given:
        drawing.doubt("which key is beside which position of a query of another length")
    drawing.node(
        *inputs,
        outputs=outputs,
        types=[FLOAT] + [BY_HEAD] * (outputs.count("y") - 1),
        num_heads=sizes.heads,
        unidirectional=causal,
        **scores(drawing),
    )


def _sizes(drawing: Drawing) -> tuple[Sizes, str]:
    """Return the sizes and the form of keys and values."""
    given, deep = drawing.between(1, 5), drawing.one_of(DEEP)
    form = drawing.one_of(("flat",) * 7 + ("by head",) * 2)
    if drawing.chance(PACKED):
        form = drawing.one_of(("packed keys", "packed all"))
    past = drawing.between(1, 4) if form == "flat" and drawing.chance(40) else 0
    same = bool(past) or form != "flat" or drawing.chance(60)
    sizes = Sizes(
        batch=drawing.between(1, 3),
        heads=drawing.between(1, 3),
        deep=deep,
        deep_value=deep if same else drawing.one_of(DEEP),
        asked=given if form == "packed all" or drawing.chance(50) else drawing.between(1, 5),
        given=given,
        past=past,
    )
    return sizes, form


def _given(drawing: Drawing, sizes: Sizes, form: str) -> list[Value | None]:
    """Return the query, the keys and the values."""
    outer = (sizes.batch, sizes.given, sizes.heads)
    if form == "packed all":
        return [floats(drawing, (*outer, 3, sizes.deep)), None, None]
    query = floats(drawing, sizes.flat(sizes.asked, sizes.deep))
    if form == "packed keys":
        return [query, floats(drawing, (*outer, 2, sizes.deep)), None]
    shape = sizes.by_head if form == "by head" else sizes.flat
    deep = sizes.deep
    if drawing.chance(WRONG):
        drawing.wrong("keys of another depth than the query")
        deep += 1
    return [
        query,
        floats(drawing, shape(sizes.given, deep)),
        floats(drawing, shape(sizes.given, sizes.deep_value)),
    ]


def _projection_bias(drawing: Drawing, sizes: Sizes) -> Value:
    hidden = sizes.heads * (2 * sizes.deep + sizes.deep_value)
    return floats(drawing, (hidden,), is_parameter=True)


def _step(drawing: Drawing, *, beams: int) -> tuple[Sizes, int]:
    """Return the sizes of one more position behind a past, and for how many there is room."""
    past = drawing.between(1, 4)
    deep = drawing.one_of(DEEP)
    sizes = Sizes(
        batch=beams * drawing.between(1, 2),
        heads=drawing.between(1, 3),
        deep=deep,
        deep_value=deep,
        asked=1,
        given=1,
        past=past,
    )
    return sizes, past + drawing.between(1, 3)


def _beams(drawing: Drawing, sizes: Sizes, room: int, beams: int) -> Value:
    """Return from which beam each earlier position of each beam came."""
    shape = (sizes.batch // beams, beams, room)
    return drawing.tensor("int32", shape, limits=(0, beams - 1))


def _step_biases(drawing: Drawing, sizes: Sizes, beams: int) -> Value | None:
    found = biases(drawing, sizes)
    if beams and found is not None and found.shape[0] > 1:
        drawing.doubt("whether each beam has biases, or those of a batch share them")
    return found


def _one_step(drawing: Drawing) -> None:
    """Draw a query of one position, whose keys are put into a buffer behind the earlier ones."""
    beams = drawing.one_of((0, 1, 2, 3))
    sizes, room = _step(drawing, beams=max(beams, 1))
    cache = sizes.by_head(room, sizes.deep)
    drawing.node(
        *_given(drawing, sizes, "flat"),
        _projection_bias(drawing, sizes) if drawing.chance(40) else None,
        mask(drawing, sizes, ("total",)) if drawing.chance(40) else None,
        _step_biases(drawing, sizes, beams),
        *(floats(drawing, cache) for _ in range(2)),
        drawing.constant("int32", [sizes.past]),
        _beams(drawing, sizes, room, beams) if beams else None,
        outputs=(outputs := drawing.one_of(("yyy", "yyyy"))),
        types=[FLOAT] + [BY_HEAD] * (len(outputs) - 1),
        num_heads=sizes.heads,
        **scores(drawing),
    )


@draws("com.microsoft.DecoderMaskedMultiHeadAttention")
def decoder(drawing: Drawing) -> None:
    """Draw a query of one position: onto a buffer of earlier keys, or onto those of an encoder."""
    drawing.plain(Values.UNIT)
    asks_qk = drawing.maybe(0, 1)
    if drawing.chance(35):
        sizes, _ = _step(drawing, beams=1)
        sizes = replace(sizes, given=drawing.between(1, 5), past=0)
        inputs = _given(drawing, sizes, "by head")
        inputs.append(mask(drawing, sizes, ("total",)) if drawing.chance(50) else None)
        attributes: dict[str, Any] = {}
        outputs = "y"
    else:
        beams = drawing.one_of((0, 0, 1, 2, 3))
        sizes, room = _step(drawing, beams=max(beams, 1))
        cache = sizes.by_head(room, sizes.deep)
        if drawing.chance(WRONG):
            drawing.wrong("a buffer without room for the new position")
            cache = sizes.by_head(sizes.past, sizes.deep)
        inputs = _given(drawing, sizes, "flat")
        inputs += [
            mask(drawing, sizes, ("total",)) if drawing.chance(50) else None,
            _step_biases(drawing, sizes, beams),
            *(floats(drawing, cache) for _ in range(2)),
            drawing.constant("int32", [sizes.past]),
            drawing.constant("int32", [beams]) if beams else None,
            _beams(drawing, sizes, room, beams) if beams else None,
            _projection_bias(drawing, sizes) if drawing.chance(40) else None,
        ]
        attributes = {"past_present_share_buffer": 1}
        outputs = "yyy"
    if asks_qk:
        outputs = f"{outputs:-<3}y"
    drawing.node(
        *inputs,
        outputs=outputs,
        types=[FLOAT] + [BY_HEAD] * (outputs.count("y") - 1),
        num_heads=sizes.heads,
        output_qk=asks_qk,
        **attributes,
        **scores(drawing),
    )
