"""What an answer is made of, byte by byte: to tell two runs apart, or to look for a secret."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.worker.tensors import PackedTensor

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def digest(values: Iterable[Any]) -> str:
    """Return what is equal for equal values (types, shapes and bytes) and practically unique."""
    found = hashlib.sha256()
    for value in values:
        for part in _parts(value):
            found.update(len(part).to_bytes(8, "little") + part)
    return found.hexdigest()[:16]


def holds(values: Iterable[Any], secret: bytes) -> bool:
    """Say whether the bytes stand in a row within any of the values."""
    return bool(secret) and any(secret in part for value in values for part in _parts(value))


def _parts(value: Any) -> Iterator[bytes]:
    match value:
        case np.ndarray() if value.dtype.kind == "O":
            yield f"{value.shape}".encode()
            yield from (str(item).encode(errors="surrogateescape") for item in value.ravel())
        case np.ndarray():
            yield f"{value.dtype} {value.shape}".encode()
            yield value.tobytes()
        case PackedTensor():
            yield f"{value.element_type} {value.shape}".encode()
            yield value.data
        case list():
            yield f"list of {len(value)}".encode()
            for item in value:
                yield from _parts(item)
        case dict():
            yield f"dict of {len(value)}".encode()
            for key in sorted(value, key=repr):
                yield repr(key).encode(errors="surrogateescape")
                yield from _parts(value[key])
        case _:
            yield repr(value).encode(errors="surrogateescape")
