"""Protobuf's wire format, as much as it takes to write a model: a worker has no onnx package.

Source: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations


def field(number: int, value: int | str | bytes) -> bytes:
    """Return one field: an integer as a varint, text and bytes (a message, too) with a length."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    value &= 2**64 - 1  # a negative int64 is its two's complement
    out = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - seven bits a byte
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
