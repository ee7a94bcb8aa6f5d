"""ONNX values in memory: from a description and its bytes into arrays and comparable numbers."""

from __future__ import annotations

import functools
import json
import math
import mmap
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from harness.wire.values import BY_ORT_NAME, Blob, ElementType

Array = np.ndarray[Any, np.dtype[Any]]

NUMPY_TYPES: dict[ElementType, np.dtype[Any]] = {
    ElementType.FLOAT: np.dtype(np.float32),
    ElementType.UINT8: np.dtype(np.uint8),
    ElementType.INT8: np.dtype(np.int8),
    ElementType.UINT16: np.dtype(np.uint16),
    ElementType.INT16: np.dtype(np.int16),
    ElementType.INT32: np.dtype(np.int32),
    ElementType.INT64: np.dtype(np.int64),
    ElementType.STRING: np.dtype(object),
    ElementType.BOOL: np.dtype(np.bool_),
    ElementType.FLOAT16: np.dtype(np.float16),
    ElementType.DOUBLE: np.dtype(np.float64),
    ElementType.UINT32: np.dtype(np.uint32),
    ElementType.UINT64: np.dtype(np.uint64),
    ElementType.COMPLEX64: np.dtype(np.complex64),
    ElementType.COMPLEX128: np.dtype(np.complex128),
}
"""The element types that numpy has; the others travel as PackedTensor."""

_FROM_NUMPY = {dtype: of for of, dtype in NUMPY_TYPES.items()}

_LEAF = re.compile(r"tensor\((\w+)\)")


@dataclass(frozen=True, kw_only=True)
class PackedTensor:
    """A tensor of a type that numpy lacks: its bytes as ONNX packs them, low bits first."""

    element_type: ElementType
    shape: tuple[int, ...]
    data: bytes

    @property
    def numbers(self) -> Array:
        """The elements as float64, exactly; NaN and infinities where the type has them."""
        codes = _unpack(self.data, bits=self.element_type.bits, count=math.prod(self.shape))
        values: Array = _decoded(self.element_type)[codes]
        return values.reshape(self.shape)


def element_type(ort_type: str) -> ElementType | None:
    """Return the element type at the bottom of ``seq(tensor(float))`` and the like, or None."""
    names = _LEAF.findall(ort_type)
    return BY_ORT_NAME.get(names[0]) if len(names) == 1 else None


def packed_size(of: ElementType, shape: tuple[int, ...]) -> int:
    """Return the bytes that a tensor takes in memory, types under one byte packed."""
    return (math.prod(shape) * of.bits + 7) // 8


def load(description: dict[str, Any], data_file: str) -> Any:
    """Return the value that a description (see wire.values) names: array, list, dict or None."""
    match description:
        case {"tensor": name, "shape": shape, "at": [offset, size]}:
            data = _mapped(data_file)[offset : offset + size]
            return _tensor(ElementType[name.upper()], tuple(shape), data)
        case {"sequence": items}:
            return [load(item, data_file) for item in items]
        case {"optional": item}:
            return None if item is None else load(item, data_file)
        case {"map": {"keys": keys, "values": values}}:
            names = load(keys, data_file).tolist()
            return dict(zip(names, load(values, data_file), strict=True))
    raise ValueError(f"no such value description: {description!r}")


def stored(value: Any, out: BinaryIO) -> dict[str, Any]:
    """Write a value and return its description: what `load` takes back."""
    match value:
        case None:
            return {"optional": None}
        case list():
            return {"sequence": [stored(item, out) for item in value]}
        case dict():
            keys, values = (np.array(list(side)) for side in (value.keys(), value.values()))
            return {"map": {"keys": stored(keys, out), "values": stored(values, out)}}
        case PackedTensor():
            of, data = value.element_type, value.data
        case _:
            value = np.asarray(value)
            of = ElementType.STRING if value.dtype.kind in "OUS" else _FROM_NUMPY[value.dtype]
            is_text = of is ElementType.STRING
            data = json.dumps(value.ravel().tolist()).encode() if is_text else value.tobytes()
    at = out.tell()
    out.write(data)
    return {"tensor": of.ort_name, "shape": list(value.shape), "at": [at, len(data)]}


def read_blob(blob: Blob) -> bytes:
    """Return the bytes that a blob names."""
    end = None if blob.size is None else blob.offset + blob.size
    return bytes(_mapped(blob.file)[blob.offset : end])


def _tensor(of: ElementType, shape: tuple[int, ...], data: bytes) -> Array | PackedTensor:
    if of is ElementType.STRING:
        strings = np.empty(math.prod(shape), dtype=object)
        strings[:] = json.loads(data)
        return strings.reshape(shape)
    if of in NUMPY_TYPES:
        return np.frombuffer(data, dtype=NUMPY_TYPES[of]).reshape(shape).copy()
    return PackedTensor(element_type=of, shape=shape, data=data)


@functools.lru_cache(maxsize=4)
def _mapped(path: str) -> mmap.mmap | bytes:
    with Path(path).open("rb") as file:
        if not Path(path).stat().st_size:  # an empty file cannot be mapped
            return b""
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _unpack(data: bytes, *, bits: int, count: int) -> Array:
    """Return `count` unsigned codes of `bits` bits each, low bits first."""
    if bits == 16:  # noqa: PLR2004 - bfloat16
        return np.frombuffer(data, dtype="<u2")[:count]
    raw = np.frombuffer(data, dtype=np.uint8)
    if bits == 8:  # noqa: PLR2004 - a byte each
        return raw[:count]
    digits = np.unpackbits(raw, count=count * bits, bitorder="little").reshape(count, bits)
    codes: Array = digits @ (1 << np.arange(bits))
    return codes


@functools.cache
def _decoded(of: ElementType) -> Array:
    """Return the value of every code of a type, indexed by code."""
    codes = np.arange(2**of.bits)
    match of:
        case ElementType.UINT4 | ElementType.UINT2:
            return codes.astype(np.float64)
        case ElementType.INT4 | ElementType.INT2:
            return np.where(codes >= len(codes) // 2, codes - len(codes), codes).astype(np.float64)
        case ElementType.BFLOAT16:
            with np.errstate(invalid="ignore"):  # half of the NaNs are signalling ones
                return (codes.astype(np.uint32) << 16).view(np.float32).astype(np.float64)
        case ElementType.FLOAT8E8M0:
            return np.append(2.0 ** (codes[:-1] - 127), np.nan)
        case _:
            return _minifloats(of)


def _minifloats(of: ElementType) -> Array:
    """Return the values of a float type of one sign bit, `exponent` and `mantissa` bits.

    Source: https://onnx.ai/onnx/technical/float8.html, float4.html and, for six bits,
    https://www.opencompute.org/documents/ocp-microscaling-formats-mx-v1-0-spec-final-pdf
    """
    exponent, mantissa, bias = {
        ElementType.FLOAT8E4M3FN: (4, 3, 7),
        ElementType.FLOAT8E4M3FNUZ: (4, 3, 8),
        ElementType.FLOAT8E5M2: (5, 2, 15),
        ElementType.FLOAT8E5M2FNUZ: (5, 2, 16),
        ElementType.FLOAT6E2M3: (2, 3, 1),
        ElementType.FLOAT6E3M2: (3, 2, 3),
        ElementType.FLOAT4E2M1: (2, 1, 1),
    }[of]
    codes = np.arange(2 ** (1 + exponent + mantissa))
    sign = np.where(codes >> (exponent + mantissa), -1.0, 1.0)
    power = (codes >> mantissa) & (2**exponent - 1)
    fraction = (codes & (2**mantissa - 1)) / 2**mantissa
    values: Array = sign * np.where(
        power == 0, fraction * 2.0 ** (1 - bias), (1 + fraction) * 2.0 ** (power - bias)
    )
    match of:
        case ElementType.FLOAT8E4M3FN:  # no infinity; all ones is NaN
            values[[0x7F, 0xFF]] = np.nan
        case ElementType.FLOAT8E5M2:  # as IEEE has it
            values[[0x7C, 0xFC]] = [np.inf, -np.inf]
            values[[0x7D, 0x7E, 0x7F, 0xFD, 0xFE, 0xFF]] = np.nan
        case ElementType.FLOAT8E4M3FNUZ | ElementType.FLOAT8E5M2FNUZ:  # "negative zero" is NaN
            values[0x80] = np.nan
        case _:
            pass
    return values
