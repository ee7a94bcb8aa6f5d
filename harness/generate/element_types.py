"""The element types of ONNX: their names, their numpy types, which of them are drawn how often."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto, helper

DTYPES: dict[str, np.dtype[Any]] = {
    name.lower(): np.dtype(helper.tensor_dtype_to_np_dtype(number))
    for name, number in TensorProto.DataType.items()
    if name != "UNDEFINED"
}
"""numpy's type by ONNX's name, as in float16; strings are objects."""

NUMBERS = {name.lower(): number for name, number in TensorProto.DataType.items()}
NAMES = {dtype: name for name, dtype in DTYPES.items()}

FLOATS = ("float", "double", "float16", "bfloat16")
SIGNED = ("int8", "int16", "int32", "int64")
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
INTEGERS = (*SIGNED, *UNSIGNED)
COMMON = (*FLOATS[:3], "int32", "int64", "int8", "uint8", "bool")

WEIGHTS = {
    "float": 30,
    "double": 8,
    "float16": 8,
    "int64": 8,
    "int32": 8,
    "int8": 4,
    "uint8": 4,
    "bool": 4,
    "string": 3,
    "bfloat16": 1,
}
"""How often a type is drawn where several are allowed; in hundreds of nothing: relative."""

RARE = 1

LEAST_IR = {
    "float8e4m3fn": 9,
    "float8e4m3fnuz": 9,
    "float8e5m2": 9,
    "float8e5m2fnuz": 9,
    "uint4": 10,
    "int4": 10,
    "float4e2m1": 11,
    "float8e8m0": 12,
    "uint2": 13,
    "int2": 13,
}
"""The oldest version of the model format that has a type; the others are as old as it is."""


def weight(name: str) -> int:
    """Return how often a type is drawn, relative to the others."""
    return WEIGHTS.get(name, RARE)


def is_float(name: str) -> bool:
    """Say whether a type has fractions."""
    return name == "double" or "float" in name


def is_complex(name: str) -> bool:
    """Say whether a type has real and imaginary parts."""
    return name.startswith("complex")
