"""Tensors made of nothing or of numbers: constants, ranges, diagonals, triangles."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import helper, numpy_helper

from harness.generate.drawing import Typed, element_type, element_types
from harness.generate.element_types import DTYPES, NUMBERS, is_float, weight
from harness.generate.families import draws
from harness.generate.families.shaping import integers
from harness.generate.values import Values, drawn

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing

NUMBERS_OF_CONSTANTS: dict[str, tuple[Any, ...]] = {
    "value_float": (1.5, -0.0, 3e38),
    "value_floats": ([0.5, -1.0, 3e38], [2.0]),
    "value_int": (-7, 0, 2**62),
    "value_ints": ([1, -1, -(2**63)], [5]),
    "value_string": ("a b", "", "é"),
    "value_strings": (["a", "", "é"], ["b"]),
}


def output_type(drawing: Drawing, among: tuple[str, ...] = ()) -> str:
    """Return a type that the operator's first output can have, as often as types are drawn."""
    assert drawing.operator is not None
    found = element_types(drawing.operator.outputs[0].allowed)
    choices = [name for name in found if not among or name in among]
    return drawing.one_of([name for name in choices for _ in range(weight(name))])


@draws("Constant")
def constant(drawing: Drawing) -> None:
    """Draw each form in which a constant is stated; what comes of it meets an input."""
    names = [name for name in NUMBERS_OF_CONSTANTS if drawing.has(name)]
    if drawing.has("sparse_value"):
        names.append("sparse_value")
    name = drawing.one_of(names) if names and drawing.chance(50) else "value"
    if name == "value":
        dtype = output_type(drawing)
        array = drawn(drawing, dtype, drawing.shape(), drawing.values)
        drawing.node(
            value=numpy_helper.from_array(array), types=[Typed(type=dtype, rank=array.ndim)]
        )
        return
    if name == "sparse_value":
        drawing.node(sparse_value=_sparse(drawing), types=[Typed(type="float", rank=2)])
        return
    stated: Any = drawing.one_of(NUMBERS_OF_CONSTANTS[name])
    dtype = {"f": "float", "i": "int64", "s": "string"}[name[6]]
    drawing.node(**{name: stated}, types=[Typed(type=dtype, rank=int(isinstance(stated, list)))])


def _sparse(drawing: Drawing) -> Any:
    shape = drawing.full_shape(2, 2)
    size = math.prod(shape)
    places = sorted(drawing.some(range(size), drawing.between(0, size)))
    values = drawn(drawing, "float", (len(places),), Values.UNIT)
    at = np.array(places, np.int64)
    if drawing.chance(50):
        at = np.stack(np.unravel_index(at, shape), -1)
    return helper.make_sparse_tensor(
        numpy_helper.from_array(values, "values"), numpy_helper.from_array(at, "places"), shape
    )


@draws("ConstantOfShape")
def constant_of_shape(drawing: Drawing) -> None:
    """Draw the one element that fills it, or none for zeros."""
    value = None
    if drawing.chance(75):
        array = drawn(drawing, output_type(drawing), (1,), drawing.values)
        value = numpy_helper.from_array(array)
    shape = drawing.shape()
    if shape and drawing.chance(3):
        shape = (-2, *shape[1:])
        drawing.wrong("a size is negative")
    drawing.node(integers(drawing, shape), value=value)


@draws("Range")
def number_range(drawing: Drawing) -> None:
    """Draw steps in both directions, and ranges that hold nothing."""
    step = drawing.one_of((1, 1, 2, 3, -1, -2))
    start, count = drawing.between(-5, 20), drawing.between(0, 12)
    limit = start + count * step - drawing.below(2) * (1 if step > 0 else -1)
    scale = drawing.one_of((1.0, 0.25, 0.5)) if is_float(drawing.type_of(0)) else 1
    if drawing.chance(5):
        limit = start - step
    if drawing.chance(3):
        step = 0
        drawing.wrong("the step is 0")
    numbers = (start, limit, step)
    drawing.node(
        *(drawing.exactly(0, one * scale) for one in numbers), stash_type=drawing.maybe(1, 10)
    )


@draws("EyeLike")
def eye_like(drawing: Drawing) -> None:
    """Draw diagonals beside the main one, also outside of the matrix."""
    shape = drawing.shape(2, 2)
    if drawing.chance(3):
        shape = (*shape, 2)
        drawing.wrong("the input is no matrix")
    dtype = NUMBERS[output_type(drawing)] if drawing.chance(60) else None
    drawing.node(drawing.data(0, shape), dtype=dtype, k=drawing.maybe(*range(-4, 5)))


@draws("Trilu")
def triangle(drawing: Drawing) -> None:
    """Draw both triangles of one matrix or a batch, with diagonals also outside of it."""
    shape = (*drawing.shape(0, 2), *drawing.shape(2, 2))
    data = drawing.data(0, shape)
    k = (
        integers(drawing, drawing.one_of((*range(-5, 6), -100, 100)))
        if drawing.chance(70)
        else None
    )
    drawing.node(data, k, upper=drawing.maybe(0, 1))


@draws("BitCast")
def bit_cast(drawing: Drawing) -> None:
    """Draw a type of the same width."""
    data = drawing.data(0, drawing.shape())
    dtype = element_type(data.elements)
    width = _bits(dtype)
    same = [name for name in DTYPES if name != "string" and _bits(name) == width]
    drawing.node(data, to=NUMBERS[drawing.one_of(same)])


def _bits(dtype: str) -> int:
    narrow = {"int4": 4, "uint4": 4, "float4e2m1": 4, "int2": 2, "uint2": 2}
    narrow |= {"float6e2m3": 6, "float6e3m2": 6}
    return narrow.get(dtype, DTYPES[dtype].itemsize * 8)
