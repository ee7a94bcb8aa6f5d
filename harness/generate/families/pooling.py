"""Pooling, over windows and over all, and its inverse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.generate.drawing import Typed
from harness.generate.element_types import DTYPES
from harness.generate.families import draws
from harness.generate.families.sums import exact, flag, mostly, typed
from harness.generate.families.windows import Window, spoilt, window

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing, Value

WINDOWS_IN_PADDING = 22
"""The opset that says what becomes of windows that begin in the padding at the end."""

MOST_TOLD_APART = 250
"""Elements that are all different in every type."""


def _spatial_rank(drawing: Drawing) -> int:
    return drawing.one_of((1, 2, 2, 2, 3))


def _outer(drawing: Drawing) -> list[int]:
    return [drawing.between(1, 2), drawing.between(1, 3)]


def _doubts(drawing: Drawing, made: Window, *, ceil: bool) -> None:
    """State what the standard leaves open of windows at the end."""
    if ceil and made.auto_pad == "VALID":
        drawing.doubt("whether ceil_mode holds beside auto_pad VALID")
    if ceil and made.starts_beyond() and drawing.opset < WINDOWS_IN_PADDING:
        drawing.doubt("a window begins in the padding at the end")
    if made.sees_nothing(ceil=ceil):
        drawing.doubt("a window has nothing but padding")


def _mistakes(drawing: Drawing, made: Window, *, ceil: bool) -> None:
    """State where the evaluator goes wrong over averages and norms."""
    dilated = any(one > 1 for one in made.dilations or ())
    if dilated and made.auto_pad not in (None, "NOTSET"):
        drawing.mistaken("it leaves dilations out where padding follows from auto_pad")
    if ceil and any(made.overhang()):
        drawing.mistaken("it pads wrongly where places are rounded up")


@draws("AveragePool")
def average_pool(drawing: Drawing) -> None:
    """Draw windows, often of padding that counts."""
    dtype = mostly(drawing, "T", "float")
    exact(drawing, dtype)
    made = window(drawing, _spatial_rank(drawing))
    ceil, counts_padding = flag(drawing), flag(drawing)
    has_ceil = bool(ceil) and drawing.has("ceil_mode")
    _doubts(drawing, made, ceil=has_ceil)
    _mistakes(drawing, made, ceil=has_ceil)
    if has_ceil and counts_padding and any(made.overhang()):
        drawing.doubt("whether what lies beyond the padding counts")
    made = spoilt(drawing, made)
    drawing.node(
        drawing.data(0, (*_outer(drawing), *made.sizes)),
        types=typed(drawing, dtype),
        kernel_shape=made.kernel,
        ceil_mode=ceil,
        count_include_pad=counts_padding,
        **made.attributes(),
    )


@draws("LpPool")
def lp_pool(drawing: Drawing) -> None:
    """Draw windows and norms."""
    dtype = mostly(drawing, "T", "float")
    exact(drawing, dtype)
    made = window(drawing, _spatial_rank(drawing))
    ceil = flag(drawing)
    has_ceil = bool(ceil) and drawing.has("ceil_mode")
    _doubts(drawing, made, ceil=has_ceil)
    _mistakes(drawing, made, ceil=has_ceil)
    made = spoilt(drawing, made)
    drawing.node(
        drawing.data(0, (*_outer(drawing), *made.sizes)),
        types=typed(drawing, dtype),
        kernel_shape=made.kernel,
        ceil_mode=ceil,
        p=drawing.maybe(1, 2, 3),
        **made.attributes(),
    )


@draws("MaxPool")
def max_pool(drawing: Drawing) -> None:
    """Draw windows, sometimes with where the largest elements stood, which then all differ."""
    dtype = mostly(drawing, "T", "float", "double", "int8", "uint8")
    made = window(drawing, _spatial_rank(drawing))
    ceil = flag(drawing)
    _doubts(drawing, made, ceil=bool(ceil) and drawing.has("ceil_mode"))
    if any(made.explicit_pads()) or made.is_same:
        drawing.mistaken("it pads, and so sizes, wrongly")
    made = spoilt(drawing, made)
    shape = (*_outer(drawing), *made.sizes)
    indices = drawing.has("storage_order") and drawing.chance(50)
    if indices:
        drawing.mistaken("it begins to count anew in each channel")
    value = _all_different(drawing, shape) if indices else drawing.data(0, shape)
    if np.isnan(value.elements.astype(np.float64)).any():
        drawing.doubt("which is the largest where there is NaN")
    drawing.node(
        value,
        outputs="yy" if indices else "y",
        types=typed(drawing, dtype, *(["int64"] if indices else [])),
        kernel_shape=made.kernel,
        ceil_mode=ceil,
        storage_order=flag(drawing),
        **made.attributes(),
    )


def _all_different(drawing: Drawing, shape: tuple[int, ...]) -> Value:
    count = int(np.prod(shape))
    if count > MOST_TOLD_APART:
        drawing.doubt("which of two equal elements is the largest")
    order = np.argsort(drawing.words(count), kind="stable") % MOST_TOLD_APART
    dtype = drawing.type_of(0)
    least = 0 if dtype.startswith("u") else MOST_TOLD_APART // 2
    return drawing.value((order - least).astype(DTYPES[dtype]).reshape(shape))


@draws("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool")
def global_pool(drawing: Drawing) -> None:
    """Draw anything with channels; a norm where there is one."""
    dtype = mostly(drawing, "T", "float")
    exact(drawing, dtype)
    spatial = [drawing.dimension() for _ in range(_spatial_rank(drawing))]
    p = drawing.maybe(1, 2, 3)
    drawing.node(drawing.data(0, (*_outer(drawing), *spatial)), p=p)


@draws("MaxUnpool")
def max_unpool(drawing: Drawing) -> None:
    """Draw elements and where they go, all to different places."""
    dtype = mostly(drawing, "T1", "float")
    rank = drawing.one_of((1, 2, 2, 3))
    outer, sizes = _outer(drawing), [drawing.between(1, 3) for _ in range(rank)]
    kernel = [drawing.between(2, 3) for _ in range(rank)]
    strides = [drawing.between(1, 3) for _ in range(rank)] if drawing.chance(70) else None
    pads = [drawing.below(2) for _ in range(2 * rank)] if drawing.chance(40) else None
    steps, edges = strides or [1] * rank, pads or [0] * (2 * rank)
    full = [
        (size - 1) * steps[at] + kernel[at] - edges[at] - edges[at + rank]
        for at, size in enumerate(sizes)
    ]
    if min(full) < 1:
        pads, full = None, [(size - 1) * steps[at] + kernel[at] for at, size in enumerate(sizes)]
    shape, target = (*outer, *sizes), [*outer, *full]
    count, room = int(np.prod(shape)), int(np.prod(target))
    if count > room:
        drawing.doubt("two elements go to the same place")
    order = np.argsort(drawing.words(max(room, count)), kind="stable") % room
    places = order[:count].astype(np.int64).reshape(shape)
    if drawing.chance(5):
        drawing.wrong("an element goes beyond the output")
        places.flat[0] = drawing.one_of((room, room + 1000, -room - 1, 2**62))
    value = drawing.data(0, shape)
    where = drawing.value(places, is_parameter=True)
    size = drawing.exactly(2, _target(drawing, target)) if drawing.chance(30) else None
    drawing.node(
        value,
        where,
        size,
        types=[Typed(type=dtype, rank=len(target))],
        kernel_shape=kernel,
        strides=strides,
        pads=pads,
    )


def _target(drawing: Drawing, least: list[int]) -> list[int]:
    """Return the size of an output, mostly that which follows from the window."""
    if drawing.chance(70):
        return least
    drawing.doubt("where an element goes in an output that is larger than what was pooled")
    return [*least[:-1], least[-1] + 1]
