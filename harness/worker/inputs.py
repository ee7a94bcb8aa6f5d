"""What is wrong with a value for an input, told before ONNX Runtime sees it.

ONNX Runtime's Python binding is not to be left alone with these. It reads an array of the other
byte order as if it were of this host's (and the process dies of such strings), forgets the mask of
a masked array, makes a tensor of any list and a string of any object, and says neither the name nor
what was wanted of a list in a tensor's place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.wire.values import ElementType
from harness.worker.tensors import NUMPY_TYPES, Array, PackedTensor, packed_size

if TYPE_CHECKING:
    from harness.worker.bindings import Slot

_FROM_NUMPY = {dtype: of for of, dtype in NUMPY_TYPES.items()}


def objection(slot: Slot, wanted: ElementType, value: Any) -> str | None:
    """Return what is wrong with a value for an input, in one line; None where nothing is.

    Sequences, maps and absent optionals are left to ONNX Runtime, and so is the rank of a slot that
    is declared as a scalar: no binding can tell it from one whose rank is not known.
    """
    is_tensor = slot.type.startswith("tensor(")
    if not isinstance(value, np.ndarray | PackedTensor):
        given = type(value).__name__
        text = f"input {slot.name!r} wants an array of {wanted.ort_name}, given {given}"
        return text if is_tensor else None
    if given := _given_instead(wanted, value):
        return f"input {slot.name!r} wants {wanted.ort_name}, given {given}"
    if is_tensor and slot.shape and not _fits(slot.shape, value.shape):
        return f"input {slot.name!r} wants shape {shape_text(slot)}, given {list(value.shape)}"
    return None


def shape_text(slot: Slot) -> str:
    """Return a slot's shape for a person: ``[batch, 3, ?]``."""
    return f"[{', '.join('?' if size is None else str(size) for size in slot.shape)}]"


def element_type_of(value: Array | PackedTensor) -> ElementType | None:
    """Return the element type that ONNX Runtime reads in a value, or None for none of ONNX's."""
    if isinstance(value, PackedTensor):
        return value.element_type
    if value.dtype.kind in "OUS":
        return ElementType.STRING if value.dtype.isnative else None
    return _FROM_NUMPY.get(value.dtype)


def aligned(value: Any) -> Any:
    """Return the value, or a copy of an array whose elements lie where C may not read them."""
    if isinstance(value, np.ndarray) and not value.flags.aligned:
        return value.copy()
    return value


def _given_instead(wanted: ElementType, value: Array | PackedTensor) -> str:
    """Return what the value's elements are, if not what is wanted."""
    given = element_type_of(value)
    if given is not wanted:
        return given.ort_name if given else f"numpy {getattr(value, 'dtype', '?')}"
    if isinstance(value, PackedTensor):
        size = packed_size(given, value.shape)
        found = f"{len(value.data)} bytes for shape {list(value.shape)}, which takes {size}"
        return "" if len(value.data) == size else found
    if isinstance(value, np.ma.MaskedArray):
        return "a masked array"
    if value.dtype.kind == "O":
        odd = (type(item).__name__ for item in value.flat if not isinstance(item, str))
        return f"objects, one of them {found}" if (found := next(odd, "")) else ""
    return ""


def _fits(wanted: tuple[int | str | None, ...], given: tuple[int, ...]) -> bool:
    """Say whether the rank is the slot's, and every size that it fixes."""
    return len(wanted) == len(given) and all(
        not isinstance(size, int) or size < 0 or size == got
        for size, got in zip(wanted, given, strict=True)
    )
