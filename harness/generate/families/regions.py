"""Images sampled at grids and in regions, and which regions to keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.generate.drawing import Typed
from harness.generate.families import draws
from harness.generate.families.sums import exact, flag, mostly, typed
from harness.generate.values import Values

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing, Value

WRONG = 4
"""How many of a hundred have something wrong."""

NAMED_BY_DIMENSION, VOLUMES_SINCE = 20, 20


@draws("GridSample")
def grid_sample(drawing: Drawing) -> None:
    """Draw an image, or a volume, and positions on and around it."""
    names = ("linear", "nearest", "cubic")
    if drawing.opset < NAMED_BY_DIMENSION:
        names = ("bilinear", "nearest", "bicubic")
    mode = drawing.maybe(*names)
    dtype = mostly(drawing, "T1", "float")
    while mode != "nearest" and (dtype in ("string", "bool") or "complex" in dtype):
        dtype = drawing.bind("T1", ("float",))
    if mostly(drawing, "T2", "float") not in ("float", "double"):
        drawing.doubt("how exactly positions of few digits are scaled")
    exact(drawing, dtype)
    if mode != "nearest" and "int" in dtype:
        drawing.doubt("how what is between integers is rounded")
    rank = 3 if drawing.opset >= VOLUMES_SINCE and mode != "cubic" and drawing.chance(30) else 2
    outer = [drawing.between(1, 2), drawing.between(1, 3)]
    sizes = [drawing.between(1, 5) for _ in range(rank)]
    made = [drawing.between(1, 4) for _ in range(rank)]
    batch = outer[0]
    if drawing.chance(WRONG):
        drawing.wrong("a grid for another number of images, or of dimensions")
        batch, rank = drawing.one_of(((batch + 1, rank), (batch, rank + 1)))
    corners = flag(drawing)
    if corners and 1 in sizes and mode != "nearest":
        drawing.doubt("where a single element is, between corners that are the same")
    padding = drawing.maybe("zeros", "border", "reflection")
    if padding == "border" and (mode or "").endswith("cubic"):
        drawing.doubt("whether a position is moved to the border, or each element around it")
    value = drawing.data(0, (*outer, *sizes))
    grid = drawing.tensor(
        drawing.bound["T2"], (batch, *made, rank), limits=(-1.3, 1.3), is_parameter=True
    )
    drawing.node(
        *(value, grid),
        types=[Typed(type=dtype, rank=2 + len(sizes))],
        mode=mode,
        padding_mode=padding,
        align_corners=corners,
    )


@draws("AffineGrid")
def affine_grid(drawing: Drawing) -> None:
    """Draw a transformation of a plane or of space."""
    dtype = mostly(drawing, "T1", "float", "double")
    exact(drawing, dtype)
    rank = drawing.one_of((2, 2, 3))
    size = [drawing.between(1, 2), drawing.between(1, 3)]
    size += [drawing.between(1, 5) for _ in range(rank)]
    corners = flag(drawing)
    if corners and 1 in size[2:]:
        drawing.doubt("where a single element is, between corners that are the same")
    theta = drawing.data(0, (size[0], rank, rank + 1))
    drawing.node(
        theta,
        drawing.exactly(1, size),
        types=[Typed(type=dtype, rank=rank + 2)],
        align_corners=corners,
    )


def _boxes(drawing: Drawing, count: int, height: float, width: float) -> list[list[float]]:
    """Return regions as x1, y1, x2, y2 with 1 before 2, at thirds of sixteenths of the image."""
    boxes = []
    for _ in range(count):
        left, top = drawing.below(9), drawing.below(9)
        right, bottom = drawing.between(left + 1, 13), drawing.between(top + 1, 13)
        x, y = width / 13, height / 13
        boxes.append([left * x, top * y, right * x, bottom * y])
    return boxes


@draws("RoiAlign")
def align(drawing: Drawing) -> None:
    """Draw regions of images, the samples in each of their bins, and how these are pooled."""
    dtype = mostly(drawing, "T1", "float")
    exact(drawing, dtype)
    shape = (drawing.between(1, 2), drawing.between(1, 3), drawing.between(3, 8), 7)
    scale = drawing.maybe(1.0, 0.5, 0.25)
    count = drawing.between(1, 4)
    boxes = _boxes(drawing, count, shape[2] / (scale or 1), shape[3] / (scale or 1))
    mode = drawing.maybe("avg", "max")
    if mode == "max":
        drawing.doubt("whether the largest is taken of what is sampled or of its parts")
    if not drawing.has("coordinate_transformation_mode"):
        drawing.mistaken("it counts positions as from opset 16 on")
    value, regions = drawing.data(0, shape), drawing.exactly(1, boxes)
    of = [drawing.below(shape[0]) for _ in range(count)]
    if drawing.chance(WRONG):
        drawing.wrong("a region of an image that is not there")
        of[0] = drawing.one_of((shape[0], -1, 2**40))
    images = drawing.exactly(2, of)
    drawing.node(
        *(value, regions, images),
        types=typed(drawing, dtype),
        mode=mode,
        output_height=drawing.maybe(1, 2, 3),
        output_width=drawing.maybe(1, 2, 4),
        sampling_ratio=drawing.maybe(0, 1, 2, 3),
        spatial_scale=scale,
        coordinate_transformation_mode=drawing.maybe("half_pixel", "output_half_pixel"),
    )


@draws("MaxRoiPool")
def largest_of_regions(drawing: Drawing) -> None:
    """Draw regions with the number of their image in front."""
    dtype = mostly(drawing, "T", "float")
    shape = (drawing.between(1, 2), drawing.between(1, 3), drawing.between(3, 8), 7)
    scale = drawing.maybe(1.0, 0.5)
    drawing.plain(Values.EDGES)
    rows = [
        [drawing.below(shape[0]), *(round(one) for one in box)]
        for box in _boxes(drawing, drawing.between(1, 4), shape[2] - 1, shape[3] - 1)
    ]
    if drawing.chance(WRONG):
        drawing.wrong("a region of an image that is not there")
        rows[0][0] = drawing.one_of((shape[0], -1, 1000))
    drawing.node(
        *(drawing.data(0, shape), drawing.exactly(1, rows)),
        types=[Typed(type=dtype, rank=4)],
        pooled_shape=[drawing.between(1, 3), drawing.between(1, 3)],
        spatial_scale=scale,
    )


@draws("NonMaxSuppression")
def suppression(drawing: Drawing) -> None:
    """Draw boxes of either notation with scores that all differ, and thresholds."""
    batch, count, classes = drawing.between(1, 2), drawing.between(1, 7), drawing.between(1, 3)
    centred = flag(drawing)
    boxes = np.array(_boxes(drawing, batch * count, 13.0, 13.0)).reshape(batch, count, 4)
    if centred:
        near, far = boxes[..., :2], boxes[..., 2:]
        boxes = np.concatenate([(near + far) / 2, far - near], axis=-1)
    elif drawing.chance(30):
        boxes = np.concatenate([boxes[..., 2:], boxes[..., :2]], axis=-1)
    total = batch * classes * count
    order = np.argsort(drawing.words(total), kind="stable")
    scores = ((order + 1) / (total + 1)).reshape(batch, classes, count)
    if drawing.chance(WRONG):
        drawing.wrong("scores for another number of boxes")
        scores = np.concatenate([scores, scores[..., :1]], axis=-1)
    most = drawing.one_of((None, 0, 1, 2, 3, 100))
    given: list[Value | None] = [drawing.exactly(0, boxes), drawing.exactly(1, scores)]
    for index, one in (
        (2, most),
        (3, drawing.maybe(0.0, 0.33, 0.5, 0.77, 1.0)),
        (4, drawing.maybe(0.0, 0.31, 0.57)),
    ):
        shape = () if drawing.chance(50) else (1,)
        given.append(None if one is None else drawing.exactly(index, np.full(shape, one)))
    types = [Typed(type="int64", rank=2)]
    drawing.node(*given, types=types, center_point_box=centred)
