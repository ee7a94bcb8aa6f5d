"""The inputs of the suite `shapes`: values from a seed, laid in memory as a description says."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.wire.shapes import Binding, Layout, ShapeModel, ShapeRun, Values
from harness.wire.values import ElementType
from harness.worker.cases.shapes.models import input_type, shape
from harness.worker.tensors import NUMPY_TYPES, Array, PackedTensor, packed_size

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Shape = tuple[int, ...]

WORDS = ("", "a", "word", "zweiunddreißig Zeichen sind lang")
ODD_WORDS = (*WORDS, "nul\0within", "\0", " ", "日本語", "😀", "é", "e\u0301", "\ufffe", "x" * 300)
MOST = 8
"""The largest of the small values."""


class Subclass(np.ndarray[Any, np.dtype[Any]]):
    """An array that is not exactly numpy's own."""


@dataclass(frozen=True, kw_only=True)
class Given:
    """An input with what it was before the run."""

    value: Any
    _whole: Any
    """The memory that the value is a view of, with what lies around it."""
    _before: Any
    _flags: str

    @classmethod
    def of(cls, value: Any) -> Given:
        """Return a value with a copy of all the memory that it lies in."""
        if isinstance(value, PackedTensor):
            return cls(value=value, _whole=value, _before=value.data, _flags="")
        whole = value
        while isinstance(whole.base, np.ndarray):
            whole = whole.base
        return cls(value=value, _whole=whole, _before=_snapshot(whole), _flags=_described(value))

    def change(self) -> str:
        """Return what is other than before the run: the elements, what lies around, the flags."""
        if isinstance(self._whole, PackedTensor):
            return "" if self._whole.data == self._before else "its bytes"
        if _snapshot(self._whole) != self._before:
            return "its elements, or those around them"
        return "" if _described(self.value) == self._flags else f"its flags: {self._flags}"

    def shares(self, output: Any) -> bool:
        """Say whether an output lies in the memory of this input."""
        arrays = isinstance(output, np.ndarray) and isinstance(self._whole, np.ndarray)
        return arrays and bool(np.may_share_memory(self._whole, output))


def inputs_of(model: ShapeModel, run: ShapeRun) -> list[Given]:
    """Return the inputs of a run, in the model's order."""
    random = np.random.RandomState(run.seed)
    return [
        Given.of(
            made(
                input_type(model, index),
                shape(dims, run.sizes),
                layout=run.layouts[index],
                values=run.values,
                random=random,
            )
        )
        for index, dims in enumerate(model.inputs)
    ]


def bound(model: ShapeModel, run: ShapeRun, values: Sequence[Any]) -> Any:
    """Return the inputs as the run hands them over."""
    by_name = dict(zip(model.names, values, strict=True))
    match Binding(run.binding):
        case Binding.BY_NAME:
            return by_name
        case Binding.BACKWARDS:
            return dict(reversed(by_name.items()))
        case Binding.BY_POSITION:
            return list(values)


def made(
    of: ElementType, shape: Shape, *, layout: str, values: str, random: np.random.RandomState
) -> Any:
    """Return an array of such values, or a PackedTensor where numpy lacks the type."""
    if of not in NUMPY_TYPES:
        data = random.bytes(packed_size(of, shape))
        return PackedTensor(element_type=of, shape=shape, data=_without_spare_bits(of, shape, data))
    count = math.prod(shape)
    array = _VALUES[values](of, count, random).astype(NUMPY_TYPES[of], copy=False)
    return _LAID[Layout(layout)](array.reshape(shape))


def _without_spare_bits(of: ElementType, shape: Shape, data: bytes) -> bytes:
    """Return the bytes with zeros where the last of them holds no element."""
    spare = len(data) * 8 - math.prod(shape) * of.bits
    return data[:-1] + bytes([data[-1] >> spare]) if spare else data


def _small(of: ElementType, count: int, random: np.random.RandomState) -> Array:
    if of is ElementType.STRING:
        return _chosen(WORDS, count, random)
    low = 0 if of is ElementType.BOOL or of.ort_name.startswith("uint") else -MOST
    high = 1 if of is ElementType.BOOL else MOST
    return random.randint(low, high + 1, count)


def _wide(of: ElementType, count: int, random: np.random.RandomState) -> Array:
    dtype = NUMPY_TYPES[of]
    values: Array = random.randint(0, 256, count * dtype.itemsize).astype(np.uint8).view(dtype)
    if dtype.kind == "i":  # no standard says what the negative of the smallest is
        values = np.maximum(values, -np.iinfo(dtype).max)
    return values


def _special(of: ElementType, count: int, random: np.random.RandomState) -> Array:
    if of is ElementType.STRING:
        return _chosen(ODD_WORDS, count, random)
    if of is ElementType.BOOL:  # a condition
        return _small(of, count, random)
    info = np.finfo(NUMPY_TYPES[of])
    odd = (0.0, -0.0, 1.5, np.inf, -np.inf, np.nan, info.max, info.min, info.tiny)
    return np.array(odd)[random.randint(0, len(odd), count)]


def _chosen(words: tuple[str, ...], count: int, random: np.random.RandomState) -> Array:
    pool = np.empty(len(words), object)
    pool[:] = words
    return pool[random.randint(0, len(words), count)]


_VALUES: dict[str, Callable[[ElementType, int, np.random.RandomState], Array]] = {
    Values.SMALL: _small,
    Values.WIDE: _wide,
    Values.SPECIAL: _special,
}


def _read_only(array: Array) -> Array:
    array = array.copy()
    array.flags.writeable = False
    return array


def _spaced(array: Array, step: int, around: int) -> Array:
    """Return the array as a part of a larger one, in which its elements stand in other places."""
    if not array.ndim:
        return array
    whole = np.resize(array, [size * step + 2 * around for size in array.shape])
    part = tuple(slice(around, around + size * step, step) for size in array.shape)
    whole[part] = array
    return whole[part]


def _reversed(array: Array) -> Array:
    return np.flip(np.flip(array).copy(order="C")) if array.ndim else array


def _broadcast(array: Array) -> Array:
    """Return an array of its shape in which all is the first element, written once."""
    if not array.size:
        return array
    return np.broadcast_to(array[(slice(1),) * array.ndim], array.shape)


def _unaligned(array: Array) -> Array:
    if array.dtype.kind == "O" or array.dtype.itemsize == 1:
        return array
    room = np.zeros(array.nbytes + 1, np.uint8)
    there = room[1:].view(array.dtype).reshape(array.shape)
    there[...] = array
    return there


def _spelled_otherwise(array: Array) -> Array:
    if array.dtype.kind == "O":  # numpy would take a NUL at the end off
        return array if any("\0" in word for word in array.flat) else array.astype(np.str_)
    other = {np.dtype(np.int64): np.longlong, np.dtype(np.uint64): np.ulonglong}
    return array.astype(other.get(array.dtype, array.dtype.newbyteorder("<")))


_LAID: dict[Layout, Callable[[Array], Array]] = {
    Layout.CONTIGUOUS: lambda array: array.copy(order="C"),
    Layout.READ_ONLY: _read_only,
    Layout.FORTRAN: lambda array: array.copy(order="F"),
    Layout.TRANSPOSED: lambda array: array.T.copy(order="C").T,
    Layout.WINDOW: lambda array: _spaced(array, 1, 1),
    Layout.STRIDED: lambda array: _spaced(array, 2, 0),
    Layout.REVERSED: _reversed,
    Layout.BROADCAST: _broadcast,
    Layout.UNALIGNED: _unaligned,
    Layout.SUBCLASS: lambda array: array.copy().view(Subclass),
    Layout.SPELLED_OTHERWISE: _spelled_otherwise,
}


def _snapshot(array: Array) -> Any:
    return [id(item) for item in array.flat] if array.dtype.kind == "O" else array.tobytes()


def _described(array: Array) -> str:
    flags = array.flags
    kept = f"writeable={flags.writeable} aligned={flags.aligned} own={flags.owndata}"
    return f"{array.dtype} {array.shape} {array.strides} {kept}"
