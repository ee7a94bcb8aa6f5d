"""Convolutions, plain, transposed, quantised and deformed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.generate.families import draws
from harness.generate.families.sums import exact, mostly, typed
from harness.generate.families.windows import Window, spoilt, window

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing, Value

WRONG = 3
"""How many of a hundred have something wrong that is no window's."""


class _Channels:
    """The channels of a convolution: in and out, by group."""

    def __init__(self, drawing: Drawing) -> None:
        self.group = drawing.one_of((1, 1, 1, 2, 3))
        self.each = drawing.one_of((1, 1, 2, 3)) if self.group == 1 else drawing.one_of((1, 1, 2))
        self.of_each = drawing.between(1, 3 if self.group == 1 else 2)
        self.stated = None if self.group == 1 and drawing.chance(50) else self.group
        self.batch = drawing.between(1, 2)

    @property
    def given(self) -> int:
        return self.group * self.each

    @property
    def made(self) -> int:
        return self.group * self.of_each


def _rank(drawing: Drawing) -> int:
    return drawing.one_of((1, 2, 2, 2, 3))


def _kernel_shape(drawing: Drawing, made: Window) -> list[int] | None:
    return made.kernel if drawing.chance(50) else None


def _group(drawing: Drawing, channels: _Channels) -> int | None:
    """Return the attribute, which is wrong in a few cases."""
    if drawing.faults or not drawing.chance(WRONG):
        return channels.stated
    drawing.wrong("a group that does not divide the channels")
    return drawing.one_of((0, 0, -1, channels.given + 1, 2**40))


@draws("Conv")
def convolution(drawing: Drawing) -> None:
    """Draw windows over channels in groups."""
    dtype = mostly(drawing, "T", "float")
    exact(drawing, dtype)
    channels = _Channels(drawing)
    made = spoilt(drawing, window(drawing, _rank(drawing), wide_pads=True))
    group = _group(drawing, channels)
    sizes = [channels.batch, channels.given, *made.sizes]
    if not drawing.faults and drawing.chance(WRONG):
        drawing.wrong("channels that the weights do not have")
        sizes[1] += 1
    value = drawing.data(0, sizes)
    weights = drawing.weights(1, (channels.made, channels.each, *made.kernel))
    bias = drawing.weights(2, (channels.made,)) if drawing.chance(60) else None
    drawing.node(
        value,
        weights,
        bias,
        types=typed(drawing, dtype),
        kernel_shape=_kernel_shape(drawing, made),
        group=group,
        **made.attributes(),
    )


@draws("ConvTranspose")
def transposed(drawing: Drawing) -> None:
    """Draw windows over channels in groups, with the output's size or padding at times."""
    dtype = mostly(drawing, "T", "float")
    exact(drawing, dtype)
    channels = _Channels(drawing)
    made = window(drawing, _rank(drawing))
    made = replace(made, sizes=[drawing.between(1, 4) for _ in made.kernel])
    extra = _extra(drawing, made)
    made = spoilt(drawing, made)
    group = _group(drawing, channels)
    value = drawing.data(0, (channels.batch, channels.given, *made.sizes))
    weights = drawing.weights(1, (channels.given, channels.of_each, *made.kernel))
    bias = drawing.weights(2, (channels.made,)) if drawing.chance(50) else None
    if bias is not None and channels.group > 1:
        drawing.mistaken("it adds the bias to the first group only")
    drawing.node(
        value,
        weights,
        bias,
        types=typed(drawing, dtype),
        kernel_shape=_kernel_shape(drawing, made),
        group=group,
        **{**made.attributes(), **extra},
    )


def _extra(drawing: Drawing, made: Window) -> dict[str, Any]:
    """Return what a transposed convolution has besides, such that something comes out."""
    apart = made.dilations or [1] * made.rank
    most = [max(pair) - 1 for pair in zip(made.steps, apart, strict=True)]
    padding = [drawing.between(0, one) for one in most] if drawing.chance(30) else None
    full = [
        step * (size - 1) + reach + (padding or [0] * made.rank)[at]
        for at, (size, step, reach) in enumerate(
            zip(made.sizes, made.steps, made.reach, strict=True)
        )
    ]
    extra: dict[str, Any] = {"output_padding": padding}
    if made.is_same:
        _doubt_same(drawing, made, full)
    elif made.pads is not None:
        pads = [*made.pads]
        for at, size in enumerate(full):
            if size - pads[at] - pads[at + made.rank] < 1:
                pads[at] = pads[at + made.rank] = 0
        extra["pads"] = pads
    elif drawing.chance(20):
        extra["output_shape"] = [drawing.between(max(size - 2, 1), size) for size in full]
        if any((size - out) % 2 for size, out in zip(full, extra["output_shape"], strict=True)):
            _doubt_side(drawing)
            drawing.mistaken("it takes the odd part of the padding to the other side")
        if made.auto_pad == "VALID":
            drawing.doubt("an output_shape beside auto_pad VALID")
    return extra


def _doubt_same(drawing: Drawing, made: Window, full: list[int]) -> None:
    rows = zip(full, made.sizes, made.steps, strict=True)
    totals = [size - given * step for size, given, step in rows]
    if any(total < 0 for total in totals):
        drawing.doubt("padding that follows is negative")
    if any(total % 2 for total in totals):
        _doubt_side(drawing)


def _doubt_side(drawing: Drawing) -> None:
    """Doubt what the text of version 1 has the other way about than that of version 11."""
    if drawing.opset < 11:  # noqa: PLR2004 - the opset of version 11
        drawing.doubt("on which side the odd part of the padding is")


@draws("ConvInteger")
def of_integers(drawing: Drawing) -> None:
    """Draw windows over bytes with zero points."""
    made = spoilt(drawing, window(drawing, drawing.one_of((1, 2, 2)), wide_pads=True))
    channels = _Channels(drawing)
    group = _group(drawing, channels)
    value = drawing.data(0, (channels.batch, channels.given, *made.sizes))
    weights = drawing.weights(1, (channels.made, channels.each, *made.kernel))
    point = drawing.weights(2, ()) if drawing.chance(60) else None
    of_weights = None
    if drawing.chance(60):
        of_weights = drawing.weights(3, (channels.made,) if drawing.chance(40) else ())
    drawing.node(
        value,
        weights,
        point,
        of_weights,
        types=typed(drawing, "int32"),
        kernel_shape=_kernel_shape(drawing, made),
        group=group,
        **made.attributes(),
    )


@draws("QLinearConv")
def quantised(drawing: Drawing) -> None:
    """Draw windows over bytes with scales and zero points; those of weights by channel at times."""
    drawing.bind("T3", [drawing.type_of(0)] if drawing.chance(80) else [])
    made = spoilt(drawing, window(drawing, drawing.one_of((1, 2, 2)), wide_pads=True))
    channels = _Channels(drawing)
    group = _group(drawing, channels)
    of_weights = (channels.made,) if drawing.chance(50) else ()
    value = drawing.data(0, (channels.batch, channels.given, *made.sizes))
    scale, point = quantisation(drawing, 1, ())
    weights = drawing.weights(3, (channels.made, channels.each, *made.kernel))
    scale_of_weights, point_of_weights = quantisation(drawing, 4, of_weights)
    scale_made, point_made = quantisation(drawing, 6, ())
    bias = drawing.weights(8, (channels.made,)) if drawing.chance(50) else None
    drawing.node(
        *(value, scale, point, weights, scale_of_weights, point_of_weights),
        *(scale_made, point_made, bias),
        types=typed(drawing, drawing.bound["T3"]),
        kernel_shape=_kernel_shape(drawing, made),
        group=group,
        **made.attributes(),
    )


def quantisation(drawing: Drawing, index: int, shape: tuple[int, ...]) -> tuple[Value, Value]:
    """Return a scale, the input of this index, and the zero point after it."""
    count = int(np.prod(shape))
    scales = [drawing.one_of((0.01, 0.05, 0.11, 0.3, 0.73)) for _ in range(count)]
    scale = drawing.exactly(index, np.reshape(scales, shape))
    return scale, drawing.weights(index + 1, shape)


@draws("DeformConv")
def deformed(drawing: Drawing) -> None:
    """Draw windows whose positions are moved, with a mask at times."""
    dtype = mostly(drawing, "T", "float")
    exact(drawing, dtype)
    channels = _Channels(drawing)
    made = window(drawing, 2, wide_pads=True)
    out = made.counts()
    groups = drawing.one_of([1, channels.given, channels.group])
    points = int(np.prod(made.kernel))
    pads = made.pads or ([0] * 4 if drawing.chance(50) else None)
    made = spoilt(drawing, replace(made, pads=pads))
    sizes = (channels.batch, channels.given, *made.sizes)
    value = drawing.data(0, sizes)
    weights = drawing.weights(1, (channels.made, channels.each, *made.kernel))
    moved = (channels.batch, groups * points * 2, *out)
    offsets = drawing.tensor(dtype, moved, limits=(-2.0, 2.0))
    bias = drawing.weights(3, (channels.made,)) if drawing.chance(50) else None
    mask = None
    if drawing.chance(50):
        mask = drawing.tensor(dtype, (channels.batch, groups * points, *out), limits=(0.0, 1.0))
    drawing.node(
        *(value, weights, offsets, bias, mask),
        types=typed(drawing, dtype),
        kernel_shape=_kernel_shape(drawing, made),
        group=_group(drawing, channels),
        offset_group=groups if groups > 1 or drawing.chance(50) else None,
        **made.attributes(),
    )
