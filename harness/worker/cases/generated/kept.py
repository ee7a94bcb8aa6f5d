"""Answers kept in a file, so that those of two builds or two processes can be compared later."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from harness.wire.values import ElementType
from harness.worker.inputs import element_type_of
from harness.worker.tensors import PackedTensor

if TYPE_CHECKING:
    from collections.abc import Sequence

LARGEST = 2**16
"""Bytes of one case's answer that are kept."""


class NotKeptError(Exception):
    """An answer is larger than what is kept, or of a kind that no description is for."""


def keep(values: Sequence[Any], out: BinaryIO) -> list[dict[str, Any]] | None:
    """Append values to a file and return their descriptions, as wire.values has them.

    Return None where they are too large, or of a kind without a description; then the file is as it
    was.
    """
    start = out.tell()
    try:
        return [_kept(value, out, start) for value in values]
    except NotKeptError:
        out.seek(start)
        out.truncate()
        return None


def _kept(value: Any, out: BinaryIO, start: int) -> dict[str, Any]:
    match value:
        case None:
            return {"optional": None}
        case list():
            return {"sequence": [_kept(item, out, start) for item in value]}
        case dict():
            keys, items = _column(value.keys()), _column(value.values())
            return {"map": {"keys": _kept(keys, out, start), "values": _kept(items, out, start)}}
        case PackedTensor():
            of, data = value.element_type, value.data
        case np.ndarray() if value.dtype.kind in "OUS":
            of, data = ElementType.STRING, json.dumps([str(i) for i in value.ravel()]).encode()
        case np.ndarray():
            found = element_type_of(value)
            if found is None:
                raise NotKeptError
            of, data = found, value.tobytes()
        case _:
            raise NotKeptError
    offset = out.tell()
    if offset + len(data) - start > LARGEST:
        raise NotKeptError
    out.write(data)
    return {"tensor": of.ort_name, "shape": list(value.shape), "at": [offset, len(data)]}


def _column(items: Any) -> Any:
    column = list(items)
    return np.array(column, dtype=object if any(isinstance(i, str) for i in column) else None)
