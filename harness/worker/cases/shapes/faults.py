"""Wrong inputs of the suite `shapes`, each made of right ones, and what an error must say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.wire.shapes import Binding, Fault, ShapeModel, ShapeRun, Wrong
from harness.wire.values import BY_ORT_NAME, ElementType
from harness.worker.cases.shapes.inputs import bound, inputs_of
from harness.worker.cases.shapes.models import input_type
from harness.worker.tensors import NUMPY_TYPES, Array

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from harness.wire.shapes import Dims


@dataclass(frozen=True, kw_only=True)
class Wronged:
    """Inputs with one fault, and what an error must say of it."""

    inputs: Any
    blamed: str
    """The input at fault, which is named first; empty where there is no single one."""
    says: list[str]
    """What is wanted and what is given: words that stand in the text, each by itself."""


def wrong_inputs(model: ShapeModel, run: ShapeRun, fault: Fault) -> Wronged:
    """Return the inputs of a run with a fault in them."""
    values = [one.value for one in inputs_of(model, run)]
    wrong = Wrong(fault.wrong)
    match wrong:
        case Wrong.MISSING:
            return _missing(model, run, values, fault)
        case Wrong.UNKNOWN:
            by_name, quoted = dict(zip(model.names, values, strict=True)), _quoted(model.names)
            inputs = {fault.detail: values[0], **by_name}
            return Wronged(inputs=inputs, blamed=fault.detail, says=quoted)
        case Wrong.TOO_MANY:
            more = [*values, *values[:1] * fault.by]
            says = [str(len(more)), str(len(values)), *_quoted(model.names)]
            return Wronged(inputs=more, blamed="", says=says)
        case _:
            right, of = values[fault.input], input_type(model, fault.input)
            values[fault.input] = _WRONG[wrong](right, fault)
            says = _says(wrong, of, values[fault.input], model.inputs[fault.input])
            inputs = bound(model, run, values)
            return Wronged(inputs=inputs, blamed=model.names[fault.input], says=says)


def _says(wrong: Wrong, wanted: ElementType, given: Any, dims: Dims) -> list[str]:
    """Return what an error must say of a wrong value: what is wanted and what was given."""
    match wrong:
        case Wrong.RANK | Wrong.RANK_OF_SCALAR | Wrong.SIZE | Wrong.TWO_SIZES | Wrong.ONE_EMPTY:
            return [*_sizes(dims), str(list(given.shape))]
        case Wrong.TYPE:
            return [wanted.ort_name, _type_name(given.dtype)]
        case Wrong.BYTE_ORDER:
            return [wanted.ort_name, given.dtype.str]
        case Wrong.MASKED:
            return [wanted.ort_name, "masked"]
        case Wrong.OBJECTS:
            return [wanted.ort_name, "objects"]
        case _:
            return [wanted.ort_name, type(given).__name__]


def _type_name(dtype: np.dtype[Any]) -> str:
    named = [of.ort_name for of, other in NUMPY_TYPES.items() if other == dtype]
    return named[0] if named else str(dtype)


def _sizes(dims: Sequence[int | str]) -> list[str]:
    return [str(size) for size in dims if not str(size).startswith("?")]


def _quoted(names: Iterable[str]) -> list[str]:
    return [repr(name) for name in names]


def _missing(model: ShapeModel, run: ShapeRun, values: list[Any], fault: Fault) -> Wronged:
    """Return the inputs without one; by position without those behind it, too."""
    blamed = model.names[fault.input]
    says = [input_type(model, fault.input).ort_name, *_sizes(model.inputs[fault.input])]
    if Binding(run.binding) is Binding.BY_POSITION:
        return Wronged(inputs=values[: fault.input], blamed=blamed, says=says)
    inputs = {name: one for name, one in bound(model, run, values).items() if name != blamed}
    return Wronged(inputs=inputs, blamed=blamed, says=[*says, *_quoted(inputs)])


def _of_type(right: Array, fault: Fault) -> Array:
    given = BY_ORT_NAME.get(fault.detail)
    wrong = np.zeros(right.shape, NUMPY_TYPES[given] if given else np.dtype(fault.detail))
    if given is ElementType.STRING:
        wrong[...] = "1"
    return wrong


def _of_byte_order(right: Array, _fault: Fault) -> Array:
    native = right.astype(np.str_) if right.dtype.kind == "O" else right
    return native.astype(native.dtype.newbyteorder("S"))


def _of_rank(right: Array, fault: Fault) -> Array:
    shape = right.shape[: fault.by] if fault.by < 0 else (*right.shape, *[2] * fault.by)
    return np.resize(right, shape)


def _of_size(right: Array, fault: Fault) -> Array:
    shape = list(right.shape)
    shape[fault.axis] = max(shape[fault.axis] + fault.by, 0)
    return np.resize(right, shape)


def _of_objects(right: Array, fault: Fault) -> Array:
    wrong = np.array(right, object)
    wrong.flat[-1] = OBJECTS[fault.detail]
    return wrong


_WRONG: dict[Wrong, Callable[[Array, Fault], Any]] = {
    Wrong.TYPE: _of_type,
    Wrong.BYTE_ORDER: _of_byte_order,
    Wrong.RANK: _of_rank,
    Wrong.RANK_OF_SCALAR: _of_rank,
    Wrong.SIZE: _of_size,
    Wrong.TWO_SIZES: _of_size,
    Wrong.ONE_EMPTY: _of_size,
    Wrong.MASKED: lambda right, _: np.ma.masked_array(right, mask=np.ones(right.shape, bool)),
    Wrong.OBJECTS: _of_objects,
    Wrong.NOT_AN_ARRAY: lambda right, fault: NO_ARRAYS[fault.detail](right),
}
"""What makes a wrong value of a right one."""

OBJECTS: dict[str, Any] = {"bytes": b"bytes", "number": 7, "nothing": None}
"""What may stand among strings."""


class HasArray:
    """What numpy would make an array of, though it is none."""

    def __init__(self, array: Array) -> None:
        self._array = array

    def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
        return self._array.astype(dtype or self._array.dtype, copy=bool(copy))


NO_ARRAYS: dict[str, Callable[[Array], Any]] = {
    "list": lambda array: array.tolist() if array.ndim else [array.item()],
    "tuple": lambda array: tuple(array.ravel().tolist()),
    "number": lambda _: 1,
    "numpy scalar": lambda _: np.float32(1),
    "bytes": lambda array: array.tobytes(),
    "memoryview": lambda array: memoryview(array.tobytes()),
    "text": lambda _: "1 2 3",
    "nothing": lambda _: None,
    "map": lambda array: dict(enumerate(array.ravel().tolist())),
    "has an array": HasArray,
    "object": lambda _: object(),
}
"""What may stand in the place of an array, made of it."""
