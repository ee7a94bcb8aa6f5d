"""Images at other sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.generate.drawing import Typed
from harness.generate.families import draws
from harness.generate.families.sums import exact, flag, mostly
from harness.generate.values import Values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.generate.drawing import Drawing, Value

WRONG = 4
"""How many of a hundred have something wrong."""

FACTORS = (0.5, 0.5, 0.75, 1.0, 1.5, 2.0, 2.0, 2.5, 3.0)
ROUND = (0.25, 0.5, 1.0, 2.0, 4.0)
"""With these, positions are exact in floats, and which is nearest is no matter of rounding."""

COORDINATES = (
    "half_pixel",
    "half_pixel",
    "pytorch_half_pixel",
    "align_corners",
    "asymmetric",
    "tf_crop_and_resize",
)
NEAREST = ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")
COUNTS_SINCE, OPTIONAL_SINCE, SYMMETRIC_SINCE = 11, 13, 19
"""The opsets that say how positions are counted, leave out inputs, count symmetrically."""

REGION = 1
"""The input that may be there and empty at any opset."""


def _shape(drawing: Drawing, mode: str) -> list[int]:
    """Return the shape of an image with its channels mostly; of anything for the nearest."""
    sides = [drawing.between(1, 6) for _ in range(4)]
    if mode == "nearest" and drawing.chance(50):
        return sides[: drawing.between(1, 4)]
    if drawing.chance(20):
        return sides[:2]
    return [drawing.between(1, 2), drawing.between(1, 3), *sides[:2]]


def _factors(drawing: Drawing, shape: Sequence[int], mode: str) -> list[float]:
    """Return a factor for each axis, 1 for batch and channels, that leaves something of each."""
    image = 2
    outer = 0 if mode == "nearest" and drawing.chance(40) else max(len(shape) - image, 0)
    choices = ROUND if mode == "nearest" and drawing.chance(70) else FACTORS
    drawn = [1.0 if at < outer else drawing.one_of(choices) for at in range(len(shape))]
    pairs = zip(shape, drawn, strict=True)
    return [factor if int(size * factor) else 1.0 for size, factor in pairs]


def _doubt_integers(drawing: Drawing, dtype: str, mode: str) -> None:
    if mode != "nearest" and "int" in dtype:
        drawing.doubt("how what is between integers is rounded")


def _dtype(drawing: Drawing, constraint: str, mode: str) -> str:
    """Return an element type that can be between two others, where anything has to be."""
    often = ("float", "int8", "uint8", "int32") if mode == "nearest" else ("float",)
    dtype = mostly(drawing, constraint, *often)
    while mode != "nearest" and (dtype in ("string", "bool") or "complex" in dtype):
        dtype = drawing.bind(constraint, often)
    if mode == "nearest":
        drawing.plain(Values.EDGES)
    else:
        exact(drawing, dtype)
    _doubt_integers(drawing, dtype, mode)
    return dtype


@draws("Upsample")
def upsample(drawing: Drawing) -> None:
    """Draw factors of at least 1, in the node or beside it."""
    mode = drawing.one_of(("nearest", "nearest", "linear"))
    dtype = _dtype(drawing, "T", mode)
    shape = _shape(drawing, mode)
    factors = [max(one, 1.0) for one in _factors(drawing, shape, mode)]
    if mode == "linear" or any(one not in ROUND for one in factors):
        drawing.doubt("how positions are counted")
    value = drawing.data(0, shape)
    beside = drawing.exactly(1, factors) if drawing.takes(2) else None
    drawing.node(
        value,
        beside,
        types=[Typed(type=dtype, rank=len(shape))],
        scales=factors,
        mode=mode if mode != "nearest" or drawing.chance(70) else None,
    )


@draws("Resize")
def resize(drawing: Drawing) -> None:
    """Draw factors or sizes, how positions are counted, and what is between them."""
    counts = drawing.opset >= COUNTS_SINCE
    mode = drawing.one_of(("nearest", "linear", "cubic") if counts else ("nearest", "linear"))
    dtype = _dtype(drawing, "T1" if counts else "T", mode)
    shape = _shape(drawing, mode)
    value = drawing.data(0, shape)
    types = [Typed(type=dtype, rank=len(shape))]
    stated = mode if mode != "nearest" or drawing.chance(70) else None
    factors = _factors(drawing, shape, mode)
    if not counts:
        drawing.doubt("how positions are counted")
        drawing.node(value, drawing.exactly(1, factors), types=types, mode=stated)
        return
    axes = _axes(drawing, len(shape))
    over = [shape[axis] for axis in axes or range(len(shape))]
    factors = [factors[axis] for axis in axes or range(len(shape))]
    how = _coordinates(drawing)
    region = (
        _region(drawing, len(over)) if how == "tf_crop_and_resize" else _nothing(drawing, REGION)
    )
    scales, sizes, policy = _amounts(drawing, over, factors, mode)
    _doubt_positions(drawing, over, factors, mode, how)
    drawing.node(
        *(value, region, scales, sizes),
        types=types,
        mode=stated,
        axes=axes,
        keep_aspect_ratio_policy=policy,
        coordinate_transformation_mode=how,
        **_manner(drawing, mode, how),
    )


def _axes(drawing: Drawing, rank: int) -> list[int] | None:
    return drawing.axes(rank) if drawing.has("axes") and drawing.chance(30) else None


def _coordinates(drawing: Drawing) -> str | None:
    more = ("half_pixel_symmetric",) if drawing.opset >= SYMMETRIC_SINCE else ()
    old = ("tf_half_pixel_for_nn",) if drawing.opset < OPTIONAL_SINCE else ()
    return drawing.maybe(*COORDINATES, *more, *old)


def _nothing(drawing: Drawing, index: int) -> Value | None:
    """Return an input for nothing: left out where that can be, else an empty one."""
    if drawing.opset >= OPTIONAL_SINCE and (index != REGION or drawing.chance(75)):
        return None
    if "T2" not in drawing.bound:
        drawing.bind("T2", ("float",))
    return drawing.exactly(index, [])


def _region(drawing: Drawing, rank: int) -> Value:
    mostly(drawing, "T2", "float")
    begins = [drawing.one_of((0.0, 0.25, -0.25)) for _ in range(rank)]
    ends = [drawing.one_of((1.0, 0.75, 1.25)) for _ in range(rank)]
    return drawing.exactly(1, [*begins, *ends])


def _amounts(
    drawing: Drawing, over: list[int], factors: list[float], mode: str
) -> tuple[Value | None, Value | None, str | None]:
    """Return the factors or the sizes, and how these keep the ratio of sides."""
    if drawing.chance(WRONG):
        drawing.wrong("a factor that leaves nothing, or below 0")
        return drawing.exactly(2, [drawing.one_of((0.0, -1.0)) for _ in factors]), None, None
    if drawing.chance(60):
        return drawing.exactly(2, factors), None, None
    wanted = [int(size * factor) for size, factor in zip(over, factors, strict=True)]
    policy = None
    if drawing.has("keep_aspect_ratio_policy"):
        policy = drawing.maybe("stretch", "not_larger", "not_smaller")
    ratios = [want / size for want, size in zip(wanted, over, strict=True)]
    if policy in ("not_larger", "not_smaller"):
        ratio = min(ratios) if policy == "not_larger" else max(ratios)
        if any(abs(size * ratio % 1 - 0.5) < 0.01 for size in over) or min(over) * ratio < 1:  # noqa: PLR2004
            drawing.doubt("how a size is rounded")
        ratios = [ratio]
    if mode == "nearest" and any(ratio not in ROUND for ratio in ratios):
        drawing.doubt("which of two is the nearest where rounding decides")
    return _nothing(drawing, 2), drawing.exactly(3, wanted), policy


def _doubt_positions(
    drawing: Drawing, over: list[int], factors: list[float], mode: str, how: str | None
) -> None:
    if mode == "nearest" and any(one not in ROUND for one in factors):
        drawing.doubt("which of two is the nearest where rounding decides")
    lengths = [size * factor for size, factor in zip(over, factors, strict=True)]
    uneven = any(one not in ROUND for one in factors) or any(one % 1 for one in lengths)
    if how in ("align_corners", "tf_crop_and_resize") and uneven:
        drawing.doubt("whether a length is rounded before positions are counted")
    if mode == "nearest" and how in ("align_corners", "half_pixel_symmetric", "tf_crop_and_resize"):
        drawing.doubt("which of two is the nearest where rounding decides")
    made = [int(length) for length in lengths]
    if how == "pytorch_half_pixel" and 1 in made:
        drawing.mistaken("it takes the middle where the first position is to be taken")
    if how in ("align_corners", "tf_crop_and_resize") and 1 in made:
        drawing.doubt("where a single position is")


def _manner(drawing: Drawing, mode: str, how: str | None) -> dict[str, Any]:
    """Return the attributes that hold for some modes only."""
    cubic = mode == "cubic"
    smooth = drawing.has("antialias") and mode != "nearest" and drawing.chance(35)
    return {
        "antialias": drawing.below(2) if smooth else None,
        "cubic_coeff_a": drawing.maybe(-0.5, -0.75, 0.0) if cubic else None,
        "exclude_outside": flag(drawing) if cubic else None,
        "extrapolation_value": drawing.maybe(0.0, 1.5, -2.0)
        if how == "tf_crop_and_resize" or drawing.chance(10)
        else None,
        "nearest_mode": drawing.maybe(*NEAREST) if mode == "nearest" else None,
    }
