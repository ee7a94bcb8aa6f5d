"""Operators of com.microsoft on images: windows that slide over them, and places in them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from harness.generate.families import draws
from harness.generate.families.contributed.plain import WRONG, typed
from harness.generate.families.contributed.quantised import SCALES, scaled
from harness.generate.families.windows import spoilt, window
from harness.generate.values import Values

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing
    from harness.generate.families.windows import Window

MOST_OF_WEIGHTS = 64
"""Of bytes: two products of larger ones overflow 16 bits, in which some processors add them."""


def _window(drawing: Drawing, rank: int, *, dilates: bool = True) -> Window:
    """Return a window with what an operator that the standard lacks may have as well."""
    made = window(drawing, rank)
    if dilates and drawing.chance(40):
        made = replace(made, dilations=[drawing.one_of((1, 2, 2, 3)) for _ in range(rank)])
    if drawing.chance(25):
        of = drawing.one_of(("NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"))
        made = replace(made, auto_pad=of, pads=made.pads if of == "NOTSET" else None)
    pads = made.pads or [0] * (2 * rank)
    sizes = [
        1 if made.is_same else max(reach - pads[at] - pads[at + rank], 1)
        for at, reach in enumerate(made.reach)
    ]
    made = replace(made, sizes=[size + drawing.between(0, 4) for size in sizes])
    if made.is_same and made.skips():
        drawing.doubt("padding that follows from auto_pad is negative")
    return made


def _ordered(drawing: Drawing, channels: int, sizes: list[int], *, last: bool) -> tuple[int, ...]:
    """Return the shape of one or two images, with their channels first or last."""
    batch = drawing.between(1, 2)
    return (batch, *sizes, channels) if last else (batch, channels, *sizes)


@draws("com.microsoft.QLinearConv")
def convolution(drawing: Drawing) -> None:
    """Draw a convolution of bytes, channels first or last, in groups, with scales by channel."""
    dtype = drawing.one_of(("uint8", "int8"))
    kind = "int8" if dtype == "int8" else drawing.one_of(("uint8", "int8"))
    made = spoilt(drawing, _window(drawing, drawing.one_of((1, 2, 2, 2, 3))))
    group = drawing.one_of((1, 1, 1, 2, 3, 8, 16))
    each = drawing.one_of((1, 2, 3, 4)) if group < 4 else drawing.one_of((1, 1, 2))  # noqa: PLR2004
    filters = group * drawing.one_of((1, 1, 2, 5))
    last = drawing.maybe(0, 1)
    drawing.values = drawing.one_of((Values.UNIT, Values.WIDE, Values.EDGES))
    data = drawing.tensor(dtype, _ordered(drawing, group * each, made.sizes, last=bool(last)))
    drawing.plain()
    least = 0 if kind == "uint8" else -MOST_OF_WEIGHTS
    weights = drawing.tensor(
        kind,
        (filters, each, *made.kernel),
        limits=(least, MOST_OF_WEIGHTS),
        is_parameter=True,
    )
    own = scaled(drawing, dtype, needs_point=True)
    count = (filters,) if drawing.chance(40) else ()
    scale = [drawing.one_of(SCALES) for _ in range(int(np.prod(count)))]
    drawing.node(
        data,
        *own,
        weights,
        drawing.constant("float", np.reshape(scale, count)),
        drawing.constant(kind, np.full(count, drawing.one_of((0, 0, 2, 6)))),
        drawing.constant("float", drawing.one_of((1.0, 8.0, 64.0))),
        drawing.constant(dtype, drawing.one_of((0, 2, 100))),
        drawing.tensor("int32", (filters,), limits=(-999, 999), is_parameter=True)
        if drawing.chance(50)
        else None,
        types=typed(dtype, made.rank + 2),
        kernel_shape=drawing.maybe(made.kernel),
        group=group if group > 1 or drawing.chance(50) else None,
        channels_last=last,
        **made.attributes(),
    )


@draws("com.microsoft.NhwcMaxPool")
def max_pool(drawing: Drawing) -> None:
    """Draw the largest of bytes in windows, channels last."""
    dtype = drawing.one_of(("uint8", "int8"))
    made, ceil = _window(drawing, drawing.one_of((1, 2, 2, 2, 3))), drawing.maybe(0, 1)
    if ceil and made.auto_pad == "VALID":
        drawing.doubt("whether ceil_mode holds beside auto_pad VALID")
    if ceil and made.starts_beyond():
        drawing.doubt("a window begins in the padding at the end")
    if made.sees_nothing(ceil=bool(ceil)):
        drawing.doubt("a window has nothing but padding")
    made = spoilt(drawing, made)
    channels = drawing.one_of((1, 3, 16, 17, 40))
    drawing.node(
        drawing.tensor(dtype, _ordered(drawing, channels, made.sizes, last=True)),
        types=typed(dtype, made.rank + 2),
        kernel_shape=made.kernel,
        ceil_mode=ceil,
        **made.attributes(),
    )


@draws("com.microsoft.MaxpoolWithMask")
def masked_pool(drawing: Drawing) -> None:
    """Draw the largest of floats in windows, beside a mask of each channel or of all of them."""
    drawing.plain()
    made = spoilt(drawing, _window(drawing, drawing.one_of((1, 2, 2, 3)), dilates=False))
    least = drawing.below(2)
    if not least:
        drawing.doubt("no text says what a 0 in the mask does")
    shape = _ordered(drawing, drawing.between(1, 3), made.sizes, last=False)
    outer = drawing.one_of((shape[:2], shape[:2], (1, shape[1]), (1, 1)))
    attributes = {**made.attributes(), "storage_order": drawing.maybe(0, 1)}
    drawing.node(
        drawing.tensor("float", shape),
        drawing.tensor("int32", (*outer, *made.sizes), limits=(least, 1)),
        types=typed("float", len(shape)),
        kernel_shape=made.kernel,
        **attributes,
    )


@draws("com.microsoft.ConvTransposeWithDynamicPads")
def transposed(drawing: Drawing) -> None:
    """Draw a transposed convolution whose pads are an input, which may be left out."""
    drawing.plain(Values.UNIT)
    rank = drawing.one_of((1, 2, 2, 2, 3))
    made = _window(drawing, rank)
    made = replace(made, sizes=[drawing.between(1, 4) for _ in range(rank)], auto_pad=None)
    group, each, of_each = (drawing.one_of((1, 1, 2)) for _ in range(3))
    more = [drawing.between(0, step - 1) for step in made.steps] if drawing.chance(30) else None
    full = [
        step * (size - 1) + reach + extra
        for size, step, reach, extra in zip(
            made.sizes, made.steps, made.reach, more or [0] * rank, strict=True
        )
    ]
    half = [min(drawing.between(0, 2), (size - 1) // 2) for size in full]
    pads = drawing.constant("int64", [*half, *half]) if drawing.chance(80) else None
    if drawing.chance(WRONG):
        drawing.wrong("more padding than there is to take away")
        pads = drawing.constant("int64", [*full, *full])
    bias = None
    weights = drawing.tensor("float", (group * each, of_each, *made.kernel), is_parameter=True)
    if drawing.chance(50):
        bias = drawing.tensor("float", (group * of_each,), is_parameter=True)
    drawing.node(
        drawing.tensor("float", _ordered(drawing, group * each, made.sizes, last=False)),
        weights,
        pads,
        bias,
        types=typed("float", rank + 2),
        kernel_shape=drawing.maybe(made.kernel),
        group=group if group > 1 or drawing.chance(50) else None,
        output_padding=more,
        strides=made.strides,
        dilations=made.dilations,
    )


@draws("com.microsoft.GridSample")
def grid_sample(drawing: Drawing) -> None:
    """Draw images and positions in and around them."""
    drawing.plain(Values.UNIT)
    sizes = [drawing.between(1, 5) for _ in range(2)]
    made = [drawing.between(1, 4) for _ in range(2)]
    mode = drawing.maybe("bilinear", "nearest", "bicubic")
    padding = drawing.maybe("zeros", "border", "reflection")
    corners = drawing.maybe(0, 1)
    if corners and 1 in sizes and mode != "nearest":
        drawing.doubt("where a single element is, between corners that are the same")
    if padding == "border" and mode == "bicubic":
        drawing.doubt("whether a position is moved to the border, or each element around it")
    shape = _ordered(drawing, drawing.between(1, 3), sizes, last=False)
    drawing.node(
        drawing.tensor("float", shape),
        drawing.tensor("float", (shape[0], *made, 2), limits=(-1.3, 1.3), is_parameter=True),
        types=typed("float", 4),
        mode=mode,
        padding_mode=padding,
        align_corners=corners,
    )


@draws("com.microsoft.CropAndResize")
def crop(drawing: Drawing) -> None:
    """Draw boxes on images, some of them over their edges or turned about, and one size for all."""
    drawing.plain(Values.UNIT)
    shape = _ordered(
        drawing, drawing.between(1, 3), [drawing.between(1, 6) for _ in range(2)], last=False
    )
    count = drawing.between(1, 4)
    limits = drawing.one_of(((0.0, 1.0), (0.0, 1.0), (-0.5, 1.5)))
    last = shape[0] - 1
    if drawing.chance(WRONG):
        drawing.wrong("an image that is not there")
        last = shape[0] + 1
    places = drawing.tensor("int32", (count,), limits=(0, shape[0] - 1)).elements
    places[0] = places[0] if last < shape[0] else last
    drawing.given.pop()
    size = [drawing.between(1, 5) for _ in range(2)]
    drawing.node(
        drawing.tensor("float", shape),
        drawing.tensor("float", (count, 4), limits=limits),
        drawing.value(places),
        drawing.constant("int32", size),
        types=typed("float", 4),
        mode=drawing.maybe("bilinear", "nearest"),
        extrapolation_value=drawing.maybe(0.0, 2.5),
    )
