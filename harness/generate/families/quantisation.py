"""Numbers to integers with a scale and back: for all of a tensor, along an axis, in blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from harness.generate.drawing import Typed, element_types
from harness.generate.element_types import DTYPES, NUMBERS, is_float
from harness.generate.families import draws
from harness.generate.families.doubts import has_infinity, has_nan
from harness.generate.values import Values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.generate.drawing import Drawing, Value

SCALES = (0.5, 0.25, 1.0, 2.0, 0.125, 0.1, 0.037, 3.0)
FREQUENT = ("uint8", "uint8", "uint8", "int8", "int8", "int8", "int16", "uint16", "int4", "uint4")


class Granularity(NamedTuple):
    """How many elements of a tensor share a scale."""

    shape: tuple[int, ...]
    """The tensor's own."""
    scales: tuple[int, ...] = ()
    """The shape of the scales."""
    axis: int | None = None
    """None is not stated."""
    block: int | None = None
    """How many neighbours along the axis; None is not stated."""


def granularity(drawing: Drawing) -> Granularity:
    """Draw a tensor's shape and whether all of it, an axis's places or blocks have a scale."""
    shape = drawing.shape()
    if not shape or not drawing.has("axis") or drawing.chance(40):
        return Granularity(shape)
    axis = drawing.axis(len(shape))
    stated = None if axis == 1 and drawing.chance(50) else axis
    if not drawing.has("block_size") or drawing.chance(50):
        return Granularity(shape, (shape[axis],), stated)
    sizes, scales = [*shape], [*shape]
    if drawing.chance(50):  # several whole blocks, as models have them
        block, scales[axis] = drawing.between(2, 4), drawing.between(2, 3)
        sizes[axis] = block * scales[axis]
    else:
        block = drawing.between(1, max(shape[axis], 1))
        scales[axis] = -(-shape[axis] // block)
    return Granularity(tuple(sizes), tuple(scales), stated, block)


def scale(drawing: Drawing, dtype: str, shape: Sequence[int]) -> Value:
    """Return scales, in half of the cases powers of 2, by which nothing is rounded."""
    choices = SCALES[:5] if drawing.chance(50) or dtype == "float8e8m0" else SCALES
    count = int(np.prod(shape))
    numbers = np.array([drawing.one_of(choices) for _ in range(count)], np.float64)
    if dtype == "int32":
        numbers = np.maximum(np.round(numbers), 1)
    return drawing.value(numbers.astype(DTYPES[dtype]).reshape(tuple(shape)), is_parameter=True)


def narrow(drawing: Drawing, allowed: Sequence[str]) -> str:
    """Return a type to quantize to, those of models most often."""
    known = element_types(allowed)
    frequent = [name for name in FREQUENT if name in known]
    return drawing.one_of(frequent if drawing.chance(80) else known)


@draws("QuantizeLinear")
def quantize(drawing: Drawing) -> None:
    """Draw the type by the zero point, by the attribute, or neither."""
    assert drawing.operator is not None
    of_x, of_scale = drawing.type_of(0, ("float",) if drawing.chance(70) else ()), "float"
    if drawing.operator.inputs[1].type_str == "T2":
        of_scale = of_x if drawing.chance(80) else drawing.type_of(1)
        drawing.bound["T2"] = of_scale
    elif drawing.operator.inputs[1].type_str == "T1":
        of_scale = of_x
    target = narrow(drawing, drawing.operator.outputs[0].allowed)
    states_type = drawing.has("output_dtype") and drawing.chance(30)
    has_zero = drawing.chance(65) or not (states_type or target == "uint8")
    if states_type is False and not has_zero:
        target = "uint8"
    shape, scales, axis, block = granularity(drawing)
    data = drawing.tensor(of_x, shape)
    _doubt_quantized(drawing, data, target, of_x, of_scale)
    scales = _or_wrong(drawing, scales)
    by = scale(drawing, of_scale, scales)
    zero = zero_point(drawing, target, scales) if has_zero else None
    is_eight = target.startswith("float8")
    drawing.node(
        data,
        by,
        zero,
        axis=axis,
        block_size=block,
        output_dtype=NUMBERS[target] if states_type else None,
        saturate=drawing.maybe(0, 1) if is_eight or drawing.chance(10) else None,
        precision=NUMBERS[drawing.one_of(("float", "float16"))] if drawing.chance(10) else None,
        types=[Typed(type=target, rank=len(shape))],
    )


def _or_wrong(drawing: Drawing, scales: tuple[int, ...]) -> tuple[int, ...]:
    if not scales or not drawing.chance(5):
        return scales
    drawing.wrong("there is a scale too many")
    return (*scales[:-1], scales[-1] + 1)


def _doubt_quantized(drawing: Drawing, data: Value, target: str, of_x: str, of_scale: str) -> None:
    if has_nan(data.elements) and not target.startswith("float8"):
        drawing.doubt("NaN has no integer")
    elif has_infinity(data.elements):
        drawing.doubt("infinity over a scale is to be saturated, and not cast")
    elif is_float(of_x) and drawing.values >= Values.EDGES:
        drawing.doubt("what lies far outside is to be saturated, and not cast")
    if of_x != of_scale or of_x != "float":
        drawing.doubt("in which precision a number is divided by its scale")


def zero_point(drawing: Drawing, dtype: str, shape: Sequence[int]) -> Value:
    """Return zero points: drawn ones of integers, 0 of floats and at times of integers."""
    if is_float(dtype) or drawing.chance(30):
        return drawing.value(np.zeros(tuple(shape), DTYPES[dtype]), is_parameter=True)
    return drawing.tensor(dtype, shape, limits=(-5, 130), is_parameter=True)


@draws("DequantizeLinear")
def dequantize(drawing: Drawing) -> None:
    """Draw any number of the narrow type."""
    assert drawing.operator is not None
    inputs = drawing.operator.inputs
    source = narrow(drawing, inputs[0].allowed)
    of_scale = "float"
    if inputs[1].type_str == "T2" and drawing.chance(40):
        of_scale = drawing.type_of(1)
    target = of_scale
    states_type = drawing.has("output_dtype") and drawing.chance(30)
    if states_type:
        target = drawing.one_of(element_types(drawing.operator.outputs[0].allowed))
    elif of_scale == "float8e8m0":
        of_scale = target = "float"
    shape, scales, axis, block = granularity(drawing)
    data = drawing.tensor(source, shape)
    scales = _or_wrong(drawing, scales)
    by = scale(drawing, of_scale, scales)
    zero = None
    if source != "int32" and drawing.chance(65):
        zero = zero_point(drawing, source, scales)
    if target != of_scale or target != "float":
        drawing.doubt("in which precision a number is multiplied by its scale")
    drawing.node(
        data,
        by,
        zero,
        axis=axis,
        block_size=block,
        output_dtype=NUMBERS[target] if states_type else None,
        types=[Typed(type=target, rank=len(shape))],
    )


@draws("DynamicQuantizeLinear")
def quantize_by_range(drawing: Drawing) -> None:
    """Draw floats; where all are 0 the text divides by a scale of 0."""
    drawing.plain(Values.EDGES)
    data = drawing.data(0, drawing.full_shape())
    if not data.elements.any():
        drawing.doubt("all is 0, and so is the scale by which it is divided")
    if drawing.values >= Values.EDGES:
        drawing.doubt("the range of the elements lies outside of their type")
    drawing.node(data, outputs=3)
