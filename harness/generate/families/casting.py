"""Casts between all pairs of types."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.generate.drawing import Typed, element_type, element_types
from harness.generate.element_types import (
    COMMON,
    FLOATS,
    INTEGERS,
    NUMBERS,
    is_complex,
    is_float,
)
from harness.generate.families import draws
from harness.generate.families.doubts import has_infinity, has_nan
from harness.generate.values import whole_limits

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing, Value
    from harness.generate.values import Array

NARROW = 16
"""Types of two and four bits are below it."""

DEFINES_OVERFLOW = 19
"""The opset from which the text says which bits of an integer are kept."""


@draws("Cast", "CastLike")
def cast(drawing: Drawing) -> None:
    """Draw any type to any other, the common ones in half of the cases."""
    assert drawing.operator is not None
    like = drawing.description.operator == "CastLike"
    among = COMMON if drawing.chance(50) else ()
    source = drawing.one_of(_types(drawing, drawing.operator.inputs[0].allowed, among))
    drawing.bound["T1"] = source
    target = drawing.one_of(_types(drawing, drawing.operator.outputs[0].allowed, among))
    if drawing.has("round_mode") and drawing.chance(10):
        target = "float8e8m0"  # the one type that it is for
    drawing.bound["T2"] = target
    data = _numerals(drawing, target) if source == "string" else drawing.data(0, drawing.shape())
    _doubt_cast(drawing, data, target)
    small = target.startswith("float8")
    saturate = drawing.maybe(0, 1) if small or drawing.chance(5) else None
    rounds = drawing.maybe("up", "down", "nearest") if target == "float8e8m0" else None
    typed = [Typed(type=target, rank=len(data.shape))]
    if like:
        drawing.node(
            data,
            drawing.weights(1, drawing.shape(0, 2)),
            types=typed,
            saturate=saturate,
            round_mode=rounds,
        )
    else:
        to = NUMBERS[target]
        if drawing.chance(2):
            to = drawing.one_of((0, 99, -1))
            drawing.wrong("there is no such type")
        drawing.node(data, to=to, types=typed, saturate=saturate, round_mode=rounds)


def _types(drawing: Drawing, allowed: tuple[str, ...], among: tuple[str, ...]) -> list[str]:
    found = element_types(allowed)
    chosen = [name for name in found if not among or name in among or name == "string"]
    if drawing.chance(80):
        chosen = [name for name in chosen if name not in ("string", "bfloat16")]
    return [name for name in chosen if not is_complex(name)]


def _numerals(drawing: Drawing, target: str) -> Value:
    """Return strings that are numbers as the target's type writes them."""
    texts = ["0", "1", "3", "12", "100"]
    if target in FLOATS or target == "string":
        texts += ["-1", "3.14", "1e-5", "1E3", "-0.5", "+INF", "INF", "-INF", "NaN", "nan", "inf"]
    elif target in INTEGERS and not target.startswith("u"):
        texts += ["-1", "-12"]
    if target not in (*FLOATS, *INTEGERS, "string"):
        drawing.doubt(f"how a string tells {target}")
    shape = drawing.shape()
    count = int(np.prod(shape))
    strings = np.empty(count, object)
    strings[:] = [drawing.one_of(texts) for _ in range(count)]
    if count and target != "string" and drawing.chance(8):
        strings[0] = drawing.one_of(("", "a", "1.5.2", " 1", "1 ", "0x10", "1e999", "99999999999"))
        drawing.doubt("a string that is no number, or none of the type")
    return drawing.value(strings.reshape(shape))


def _doubt_cast(drawing: Drawing, data: Value, target: str) -> None:
    source = element_type(data.elements)
    if source == target and source.startswith("float8"):
        drawing.doubt("whether a cast of a type to itself saturates")
    elif source == "string" or target in ("bool", source):
        return
    elif target == "string":
        if is_float(source) or source == "bool":
            drawing.doubt(f"how {source} is written")
    elif is_float(target):
        _doubt_tiny(drawing, data.elements, target)
    elif is_float(source):
        _doubt_out_of_range(drawing, data.elements.astype(np.float64), target)
    elif source in INTEGERS and target in INTEGERS:
        _doubt_kept_bits(drawing, data.elements, target)


def _doubt_tiny(drawing: Drawing, elements: Array, target: str) -> None:
    if target == "float8e8m0" and (
        has_infinity(elements) or bool((elements.astype(np.float64) <= 0).any())
    ):
        drawing.doubt("float8e8m0 has neither 0 nor negative numbers")
    elif target == "float4e2m1" and (has_nan(elements) or has_infinity(elements)):
        drawing.doubt("float4e2m1 has neither NaN nor infinities")


def _doubt_out_of_range(drawing: Drawing, numbers: Array, target: str) -> None:
    least, most = whole_limits(target)
    whole = np.trunc(numbers)
    if most < NARROW and bool((whole != numbers).any()):
        drawing.doubt("whether a fraction is rounded or cut off for a type of few bits")
    elif not np.all((whole >= least) & (whole < most + 1.0 if most > 2**52 else whole <= most)):
        drawing.doubt(f"a float lies outside of {target}")


def _doubt_kept_bits(drawing: Drawing, numbers: Array, target: str) -> None:
    if drawing.description.opset >= DEFINES_OVERFLOW:
        return
    least, most = whole_limits(target)
    if any(not least <= int(one) <= most for one in numbers.ravel()):
        drawing.doubt(f"an integer lies outside of {target}")
