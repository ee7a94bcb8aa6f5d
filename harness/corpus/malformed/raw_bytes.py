"""Bytes that are no model: cut short, garbage, or not what the fields' tags say."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from onnx import ModelProto

from harness.corpus.malformed import valid_models as models
from harness.corpus.malformed.edits import at, field, put, varint
from harness.corpus.malformed.faults import Malformed
from harness.corpus.malformed.valid_models import X
from harness.wire.malformed import Right, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.corpus.malformed.valid_models import Valid

MODELS = {
    "identity": models.IDENTITY,
    "initializer": models.INITIALIZER,
    "if": models.IF,
    "function": models.FUNCTION,
}

LENGTH_DELIMITED = 2
WIRE_TYPES = range(8)

SEED = 20261122


@dataclass(frozen=True, kw_only=True)
class Span:
    """Where one field stands in the bytes of a message."""

    path: str
    number: int
    wire_type: int
    tag: int
    """Offset of the tag."""
    value: int
    """Offset of what comes after the tag; of a length, where there is one."""
    content: int
    """Offset of what comes after the length."""
    end: int


def raw_bytes() -> Iterator[Malformed]:
    """Return what is no protobuf, or none of ONNX's."""
    yield from _garbage()
    for name, source in MODELS.items():
        spans = list(spans_of(source.serialized))
        yield from _truncated(name, source, spans)
    for name in ("identity", "initializer"):
        spans = list(spans_of(MODELS[name].serialized))
        yield from _wire_types(name, MODELS[name], spans)
        yield from _lengths(name, MODELS[name], spans)
    yield from _unknown_fields()
    yield from _not_utf8()


def spans_of(
    data: bytes, of: Any = ModelProto.DESCRIPTOR, offset: int = 0, path: str = ""
) -> Iterator[Span]:
    """Return every field of a message and of those within it, in the order of the bytes.

    `of` is the descriptor of the message.
    """
    end, here = offset + len(data), offset
    while here < end:
        key, value = _varint_at(data, here - offset)
        number, wire_type = key >> 3, key & 7
        content = value
        if wire_type == LENGTH_DELIMITED:
            length, content = _varint_at(data, value)
            after = content + length
        elif wire_type == 0:
            _, after = _varint_at(data, value)
        else:
            after = value + {1: 8, 5: 4}[wire_type]
        known = of.fields_by_number[number]
        name = f"{path}{known.name}@{here}"
        yield Span(
            path=name,
            number=number,
            wire_type=wire_type,
            tag=here,
            value=offset + value,
            content=offset + content,
            end=offset + after,
        )
        if known.message_type is not None:
            within = data[content:after]
            yield from spans_of(within, known.message_type, offset + content, f"{name}.")
        here = offset + after


def _varint_at(data: bytes, offset: int) -> tuple[int, int]:
    """Return a number and the offset behind it."""
    value = shift = 0
    while True:
        byte = data[offset]
        value |= (byte & 0x7F) << shift
        offset, shift = offset + 1, shift + 7
        if byte < 0x80:  # noqa: PLR2004 - the last of its bytes
            return value, offset


def _bytes_case(name: str, data: bytes, right: Right, source: Valid | None = None) -> Malformed:
    keeps = right is Right.ACCEPTANCE
    return Malformed(
        id=f"bytes/{name}",
        model=data,
        right=right,
        latest=Stage.RUN if right is Right.EITHER else Stage.OPEN,
        meaning="the model without the field" if keeps else "what a protobuf parser makes of it",
        inputs=source.inputs if source and keeps else None,
        outputs=source.outputs if source and keeps else None,
    )


def _garbage() -> Iterator[Malformed]:
    yield _bytes_case("garbage/empty", b"", Right.REFUSAL)
    for byte in (0, 1, 8, 10, 0x0B, 0x0C, 0x3A, 0x7F, 0x80, 0xFF):
        for count in (1, 2, 10, 1000):
            yield _bytes_case(
                f"garbage/{byte:#04x}-times-{count}", bytes([byte] * count), Right.REFUSAL
            )
    source = random.Random(SEED)  # noqa: S311 - to be the same each time
    for length in (1, 2, 3, 8, 16, 64, 256, 4096):
        for number in range(4):
            name = f"garbage/random-{length}-{number}"
            yield _bytes_case(name, source.randbytes(length), Right.REFUSAL)
            # Four bytes of flatbuffers' identifier make ONNX Runtime read its own format.
            ort = source.randbytes(4) + b"ORTM" + source.randbytes(length)
            yield _bytes_case(f"ort-format/random-{length}-{number}", ort, Right.REFUSAL)
    for root in (0, 4, 8, 12, 16, 2**31 - 1, 2**31, 2**32 - 1):
        for fill in (0, 1, 0xFF):
            head = root.to_bytes(4, "little") + b"ORTM"
            name = f"ort-format/root-{root}-of-{fill:#04x}"
            yield _bytes_case(name, head + bytes([fill] * 256), Right.REFUSAL)
    yield _bytes_case("ort-format/nothing-else", b"\x08\0\0\0ORTM", Right.REFUSAL)
    for name, head in (
        ("zip", b"PK\3\4"),
        ("elf", b"\x7fELF"),
        ("json", b'{"ir_version": 8}'),
        ("text", b"<ir_version: 8>"),
        ("gzip", b"\x1f\x8b\x08\0"),
        ("png", b"\x89PNG\r\n\x1a\n"),
        ("byte-order-mark", b"\xef\xbb\xbf"),
        ("tflite", b"\x1c\0\0\0TFL3"),
    ):
        yield _bytes_case(f"garbage/{name}", head, Right.REFUSAL)
        yield _bytes_case(
            f"garbage/{name}-and-model", head + models.IDENTITY.serialized, Right.REFUSAL
        )
    sound = models.IDENTITY
    yield _bytes_case("garbage/after-model", sound.serialized + b"\xff" * 8, Right.REFUSAL)
    yield _bytes_case("garbage/nul-after-model", sound.serialized + b"\0", Right.REFUSAL)
    yield _bytes_case("garbage/model-twice", sound.serialized * 2, Right.EITHER)


def _truncated(name: str, source: Valid, spans: list[Span]) -> Iterator[Malformed]:
    whole = source.serialized
    cuts = {at for span in spans for at in (span.tag, span.value, span.content, span.end)}
    for cut in sorted(cuts - {len(whole), 0}):
        yield _bytes_case(f"truncated-{name}/{cut}", whole[:cut], Right.EITHER)


def _wire_types(name: str, source: Valid, spans: list[Span]) -> Iterator[Malformed]:
    for span in spans:
        for other in WIRE_TYPES:
            if other != span.wire_type:
                tag = varint(span.number << 3 | other)
                data = source.serialized[: span.tag] + tag + source.serialized[span.value :]
                yield _bytes_case(f"wire-type-{name}/{span.path}-as-{other}", data, Right.EITHER)


def _lengths(name: str, source: Valid, spans: list[Span]) -> Iterator[Malformed]:
    """Return lengths that the bytes do not have; the lengths around them stay as they are."""
    whole = source.serialized
    for span in spans:
        if span.wire_type != LENGTH_DELIMITED:
            continue
        length = span.end - span.content
        for other in (0, length + 1, 2**31 - 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1):
            data = whole[: span.value] + varint(other) + whole[span.content :]
            right = Right.REFUSAL if other > len(whole) else Right.EITHER
            yield _bytes_case(f"length-{name}/{span.path}-as-{other}", data, right)
    overlong = b"\x08" + b"\xff" * 10 + b"\x01"
    yield _bytes_case(f"length-{name}/overlong-number", overlong + whole, Right.REFUSAL)


UNKNOWN = {
    "number": field(999, 1),
    "text": field(999, b"text"),
    "largest-number": field(2**29 - 1, b"text"),
    "fixed64": varint(999 << 3 | 1) + bytes(8),
    "fixed32": varint(999 << 3 | 5) + bytes(4),
    "group": varint(999 << 3 | 3) + varint(999 << 3 | 4),
    "long": field(999, bytes(100_000)),
}

MESSAGES = {
    "model": "",
    "graph": "graph",
    "node": "graph.node[0]",
    "input": "graph.input[0]",
    "type": "graph.input[0].type",
    "tensor-type": "graph.input[0].type.tensor_type",
    "shape": "graph.input[0].type.tensor_type.shape",
    "opset": "opset_import[0]",
}


def _unknown_fields() -> Iterator[Malformed]:
    for message, path in MESSAGES.items():
        for name, extra in UNKNOWN.items():
            model = models.IDENTITY.model()
            (at(model, path) if path else model).MergeFromString(extra)
            data = model.SerializeToString()
            source = models.IDENTITY
            yield _bytes_case(f"unknown-field/{message}-{name}", data, Right.ACCEPTANCE, source)


NOT_UTF8 = {
    "continuation-only": b"\x80\x80\x80\x80",
    "cut-short": b"ab\xe2\x82",
    "overlong": b"ab\xc0\x80",
    "surrogate": b"a\xed\xa0\x80",
    "never-used": b"\xff\xfe\xff\xfe",
}

STAND_IN = "QQQQ"

STRINGS = {
    "input": ("graph.input[0].name", "graph.node[0].input[0]"),
    "output": ("graph.output[0].name", "graph.node[1].output[0]"),
    "between": ("graph.node[0].output[0]", "graph.node[1].input[0]"),
    "operator": ("graph.node[0].op_type",),
    "domain": ("graph.node[0].domain",),
    "node": ("graph.node[0].name",),
    "graph": ("graph.name",),
    "documentation": ("doc_string",),
    "producer": ("producer_name",),
    "model-domain": ("domain",),
    "dimension": ("graph.input[0].type.tensor_type.shape.dim[0].dim_param",),
    "denotation": ("graph.input[0].type.denotation",),
    "opset": ("opset_import[0].domain",),
}


def _not_utf8() -> Iterator[Malformed]:
    """Return strings of which protobuf's second version does not check whether they are text."""
    for place, paths in STRINGS.items():
        for name, data in NOT_UTF8.items():
            model: Any = models.TWO_NODES.model()
            for path in paths:
                put(model, path, STAND_IN)
            broken = model.SerializeToString().replace(STAND_IN.encode(), data)
            yield Malformed(
                id=f"bytes/not-utf8/{place}-{name}",
                model=broken,
                right=Right.EITHER,
                meaning="the model answers as it does with a text there",
                inputs=[X],
                outputs=[X],
            )
