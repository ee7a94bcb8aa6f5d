"""One edit of a valid model: a field set by its path, or a number that its field cannot hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onnx import ModelProto

_STEP = re.compile(r"(\w+)(?:\[(-?\d+)\])?")

_STAND_IN = 0x5A5A5A5A
"""Five bytes as a varint, and nowhere else in a model."""


def at(message: Any, path: str) -> Any:
    """Return what stands at a path such as ``graph.node[0].attribute[1].t``."""
    for step in path.split("."):
        match = _STEP.fullmatch(step)
        assert match is not None, f"{path!r} is no path"
        message = getattr(message, match[1])
        if match[2] is not None:
            message = message[int(match[2])]
    return message


def put(model: ModelProto, path: str, value: Any) -> None:
    """Set the field at a path, also where it is one item of a list of numbers."""
    owner, _, last = path.rpartition(".")
    match = _STEP.fullmatch(last)
    assert match is not None, f"{path!r} is no path"
    holder = at(model, owner) if owner else model
    if match[2] is None:
        setattr(holder, match[1], value)
    else:
        getattr(holder, match[1])[int(match[2])] = value


def edited(model: ModelProto, value: int, *paths: str) -> bytes:
    """Return the bytes of a model with an integer at each path, be it wider than the field is.

    Wider means: up to 35 bits in a field of 32, as a writer in another language may put it there.
    """
    fits = -(2**31) <= value < 2**31 or not paths
    for path in paths:
        put(model, path, value if fits else _STAND_IN)
    made = model.SerializeToString()
    return made if fits else made.replace(varint(_STAND_IN), varint(value))


def varint(value: int) -> bytes:
    """Return a number as protobuf writes it; a negative one takes ten bytes."""
    value &= 2**64 - 1
    out = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - seven bits a byte
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, value: int | bytes) -> bytes:
    """Return one field of a message: a varint, or bytes behind their length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value
