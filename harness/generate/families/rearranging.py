"""Images rearranged: depth and space, columns, crops."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.generate.drawing import Typed
from harness.generate.families import draws
from harness.generate.families.sums import exact, mostly, typed
from harness.generate.families.windows import window

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing

WRONG = 4
"""How many of a hundred have something wrong."""


def _block(drawing: Drawing, block: int) -> int:
    """Return the size of a block, which is wrong in a few cases."""
    if not drawing.chance(WRONG):
        return block
    drawing.wrong("a block that does not divide the sizes")
    return drawing.one_of((0, -1, 11))


@draws("DepthToSpace")
def depth_to_space(drawing: Drawing) -> None:
    """Draw channels that fill blocks, in either order."""
    dtype = mostly(drawing, "T", "float", "double", "uint8", "int8")
    block = drawing.between(1, 3)
    channels = block * block * drawing.between(1, 2)
    shape = (drawing.between(1, 2), channels, drawing.dimension(), drawing.dimension())
    stated = _block(drawing, block)
    mode = drawing.maybe("DCR", "CRD")
    drawing.node(drawing.data(0, shape), types=typed(drawing, dtype), blocksize=stated, mode=mode)


@draws("SpaceToDepth")
def space_to_depth(drawing: Drawing) -> None:
    """Draw sides that blocks fill."""
    dtype = mostly(drawing, "T", "float", "double", "uint8", "int8")
    block = drawing.between(1, 3)
    sides = (block * drawing.between(1, 3), block * drawing.between(1, 3))
    shape = (drawing.between(1, 2), drawing.between(1, 3), *sides)
    stated = _block(drawing, block)
    mode = drawing.maybe("DCR", "CRD")
    drawing.node(drawing.data(0, shape), types=typed(drawing, dtype), blocksize=stated, mode=mode)


@draws("Col2Im")
def columns_to_image(drawing: Drawing) -> None:
    """Draw the windows of an image as columns."""
    dtype = mostly(drawing, "T", "float")
    exact(drawing, dtype)
    made = window(drawing, drawing.one_of((1, 2, 2, 2, 3)), wide_pads=True)
    columns = int(np.prod(made.counts()))
    depth = drawing.between(1, 3) * int(np.prod(made.kernel))
    if drawing.chance(WRONG):
        drawing.wrong("columns for another number of windows")
        columns += 1
    drawing.node(
        drawing.data(0, (drawing.between(1, 2), depth, columns)),
        drawing.exactly(1, made.sizes),
        drawing.exactly(2, made.kernel),
        types=typed(drawing, dtype),
        strides=made.strides,
        dilations=made.dilations,
        pads=made.pads,
    )


@draws("CenterCropPad")
def crop_or_pad(drawing: Drawing) -> None:
    """Draw sizes smaller and larger than there are, of all axes or of some."""
    dtype = mostly(drawing, "T", "float", "double", "uint8", "int64")
    shape = drawing.full_shape(1, 4)
    axes = drawing.axes(len(shape)) if drawing.chance(60) else None
    wanted = [drawing.between(1, 8) for _ in axes or shape]
    if drawing.chance(WRONG):
        drawing.wrong("a size below 0, or one for an axis more")
        wanted = drawing.one_of(([-1] * len(wanted), [*wanted, 2]))
    value = drawing.data(0, shape)
    types = [Typed(type=dtype, rank=len(shape))]
    drawing.node(value, drawing.exactly(1, wanted), types=types, axes=axes)
