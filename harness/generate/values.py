"""The elements of a drawn tensor: plain ones mostly, and the edges of their type."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any

import ml_dtypes
import numpy as np

from harness.generate.element_types import DTYPES, is_complex, is_float

if TYPE_CHECKING:
    from harness.generate.stream import Stream

Array = np.ndarray[Any, Any]

WORDS = ("", "a", "A", "ab", "Ab c", " a", "é", "ß", "日本", "x\u0301", "1", "-1.5", "nan", "the")


class Values(IntEnum):
    """Which elements a case's data have, in the order of how much a build may stumble over them."""

    SMALL = 0
    """Whole numbers from -3 to 3, with which sums and products are exact in every type."""
    UNIT = 1
    """Sixty-fourths between -1 and 1, exact in every type of float; integers from -7 to 7."""
    WIDE = 2
    """Floats from -20 to 20; integers from -11 to 11."""
    EDGES = 3
    """0 and 1 of both signs, the largest, smallest, a subnormal, the step above 1; plain ones.

    Of integers of 64 bits what has no place in 32 bits, or in a double, as well."""
    SPECIAL = 4
    """Infinities and NaN among those; for integers as EDGES."""


FREQUENT = (
    *(Values.SMALL,) * 3,
    *(Values.UNIT,) * 5,
    *(Values.WIDE,) * 6,
    *(Values.EDGES,) * 3,
    *(Values.SPECIAL,) * 3,
)
"""Each as often as it is drawn."""

_BOUNDS = {Values.SMALL: 3, Values.UNIT: 7, Values.WIDE: 11}


def drawn(
    stream: Stream,
    dtype: str,
    shape: tuple[int, ...],
    values: Values,
    limits: tuple[float, float] | None = None,
) -> Array:
    """Return an array of the element type; `limits` hold plain elements, both included."""
    count = 1
    for dimension in shape:
        count *= dimension
    if dtype == "string":
        words = stream.words(count).tolist()
        strings = np.empty(count, object)
        strings[:] = [WORDS[word % len(WORDS)] for word in words]
        return strings.reshape(shape)
    numpy_type = DTYPES[dtype]
    if dtype == "bool":
        return (stream.words(count) & np.uint64(1)).astype(bool).reshape(shape)
    if is_complex(dtype):
        pairs = (stream.fractions(2 * count) * 4 - 2).astype(f"f{numpy_type.itemsize // 2}")
        return pairs.view(numpy_type).reshape(shape)
    plain = _plain(stream, dtype, count, min(values, Values.WIDE), limits)
    array = plain.astype(numpy_type)
    if values >= Values.EDGES and count:
        _sprinkle(stream, array, edges_of(dtype, values))
    return array.reshape(shape)


def _plain(
    stream: Stream, dtype: str, count: int, values: int, limits: tuple[float, float] | None
) -> Array:
    if is_float(dtype):
        return _plain_floats(stream, dtype, count, values, limits)
    bound = _BOUNDS[Values(values)]
    least, most = whole_limits(dtype)
    low, high = limits or (-bound, bound)
    if limits is None and least == 0:
        low, high = 0, 2 * bound
    low, high = max(int(low), least), min(int(high), most)
    return (stream.words(count) % np.uint64(high - low + 1)).astype(np.int64) + low


def _plain_floats(
    stream: Stream, dtype: str, count: int, values: int, limits: tuple[float, float] | None
) -> Array:
    fractions = stream.fractions(count)
    if limits is not None:
        low, high = limits
        return np.asarray(low + fractions * (high - low))
    if dtype == "float8e8m0":
        return np.asarray(np.exp2(np.floor(fractions * 8) - 4))
    if values == Values.SMALL:
        return np.asarray(np.floor(fractions * 7) - 3)
    if values == Values.UNIT:
        return np.asarray((np.floor(fractions * 129) - 64) / 64)
    return fractions * 40 - 20


def whole_limits(dtype: str) -> tuple[int, int]:
    """Return the least and the largest value of a type of integers."""
    if dtype in ("int4", "uint4", "int2", "uint2"):
        narrow = ml_dtypes.iinfo(DTYPES[dtype])  # type: ignore[no-untyped-call]
        return int(narrow.min), int(narrow.max)
    info = np.iinfo(DTYPES[dtype])
    return int(info.min), int(info.max)


_EDGES: dict[tuple[str, bool], Array] = {}


def edges_of(dtype: str, values: Values) -> Array:
    """Return the elements at the edges of a type, infinities and NaN for SPECIAL only."""
    key = dtype, values == Values.SPECIAL
    if key not in _EDGES:
        _EDGES[key] = _edges(dtype, special=key[1])
    return _EDGES[key]


def _edges(dtype: str, *, special: bool) -> Array:
    numpy_type = DTYPES[dtype]
    if not is_float(dtype):
        least, most = whole_limits(dtype)
        wanted = [0, 1, least, most, least + 1, most - 1, *([-1] if least else [])]
        wanted += [2**31, 2**32, 2**53 + 1] if most > 2**53 else []
        return np.array(wanted, np.uint64 if most > 2**63 else np.int64).astype(numpy_type)
    info = ml_dtypes.finfo(numpy_type)  # type: ignore[no-untyped-call]
    if dtype == "float8e8m0":
        return np.array([1, info.max, info.tiny]).astype(numpy_type)
    ends = [info.max, info.tiny, info.smallest_subnormal, info.eps]
    finite = [0.0, -0.0, 1.0, -1.0, 0.5, *(float(end) for end in ends)]
    wanted_floats = [*finite, -float(info.max), 1 + float(info.eps)]
    if special and dtype != "float4e2m1":
        wanted_floats += [float("nan"), *([np.inf, -np.inf] * 2 if "8e4" not in dtype else [])]
    with np.errstate(over="ignore"):
        return np.array(wanted_floats).astype(numpy_type)


def _sprinkle(stream: Stream, array: Array, edges: Array) -> None:
    """Put edges in the place of two elements in five."""
    words = stream.words(array.size)
    chosen = (words % np.uint64(5)) < 2  # noqa: PLR2004 - two in five
    array[chosen] = edges[((words >> np.uint64(8)) % np.uint64(len(edges)))[chosen]]
