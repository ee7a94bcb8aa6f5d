"""Models that are valid but for their depth, written byte by byte: no library nests that deep."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.corpus.malformed import valid_models as models
from harness.corpus.malformed.edits import field, varint
from harness.corpus.malformed.faults import Malformed
from harness.corpus.malformed.valid_models import X
from harness.wire.malformed import Right

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DEPTHS = (2, 5, 12, 32, 33, 34, 48, 49, 50, 98, 99, 100, 101, 1_000, 10_000)
"""Protobuf's parsers stop at 100 messages in one another unless they are told otherwise."""

MEANING = "the model answers as it does when it is less deep"


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One message around another: the number of the field that holds it, and the other fields."""

    holds: int
    before: bytes = b""
    after: bytes = b""


def wrapped(core: bytes, layers: Iterable[Layer]) -> bytes:
    """Return a message within many, given from the innermost on, in time that grows with both."""
    heads: list[bytes] = []
    tails: list[bytes] = []
    length = len(core)
    for layer in layers:
        head = layer.before + varint(layer.holds << 3 | 2) + varint(length)
        heads.append(head)
        tails.append(layer.after)
        length += len(head) + len(layer.after)
    return b"".join([*reversed(heads), core, *tails])


VERSIONS = field(1, 8) + field(8, field(2, 13))
GRAPH = 5
"""AttributeProto.AttributeType"""


def _float(name: bytes) -> bytes:
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, field(1, field(1, 3)))))


def _identity(out: bytes = b"y") -> bytes:
    node = field(1, b"x") + field(2, out) + field(4, b"Identity")
    return field(1, node) + field(2, b"g") + field(12, _float(out))


def _ifs(depth: int) -> bytes:
    """Return If in the branch of an If, and so on; the innermost is the identity."""
    other = field(1, b"else_branch") + field(6, _identity(b"z")) + field(20, GRAPH)
    attribute = Layer(holds=6, before=field(1, b"then_branch") + field(20, GRAPH))
    node = Layer(
        holds=5,
        before=field(1, b"c") + field(2, b"y") + field(4, b"If") + field(5, other),
    )
    graph = Layer(holds=1, after=field(2, b"g") + field(12, _float(b"y")))
    condition = field(1, b"c") + field(2, field(1, field(1, 9) + field(2, b"")))
    inputs = field(11, condition) + field(11, _float(b"x"))
    core = wrapped(_identity(), [attribute, node, graph] * depth)
    return VERSIONS + field(7, core + inputs)


def _graphs_of_nobody(depth: int) -> bytes:
    """Return graphs within one another in an attribute that no operator has."""
    attribute = Layer(holds=6, before=field(1, b"deep") + field(20, GRAPH))
    layers = [attribute, Layer(holds=5, before=field(4, b"Identity")), Layer(holds=1)]
    core = wrapped(b"", [*(layers * depth)][:-2])
    node = field(1, b"x") + field(2, b"y") + field(4, b"Identity") + field(5, core)
    graph = field(1, node) + field(2, b"g") + field(11, _float(b"x")) + field(12, _float(b"y"))
    return VERSIONS + field(7, graph)


def _with_unused_input(of_type: bytes) -> bytes:
    value = field(1, b"u") + field(2, of_type)
    graph = _identity() + field(11, _float(b"x")) + field(13, value)
    return VERSIONS + field(7, graph)


def _types(holds: int, before: bytes = b"", within: int = 1) -> list[Layer]:
    return [Layer(holds=within, before=before), Layer(holds=holds)]


FLOAT_TYPE = field(1, field(1, 1) + field(2, b""))

TYPES = {
    "sequences": _types(4),
    "optionals": _types(9),
    "maps": _types(5, before=field(1, 7), within=2),
}
"""What stands around a type so that it becomes a sequence of it, and so on."""


def _unknown_groups(depth: int) -> bytes:
    """Return groups within one another under a number that no message has."""
    begin, end = varint(999 << 3 | 3), varint(999 << 3 | 4)
    return models.IDENTITY.serialized + begin * depth + end * depth


def _unknown_messages(depth: int) -> bytes:
    return models.IDENTITY.serialized + wrapped(b"", [Layer(holds=999)] * depth)


def nesting() -> Iterator[Malformed]:
    """Return each kind of nesting, at each depth."""
    for depth in DEPTHS:
        yield _nested("ifs", depth, _ifs(depth), inputs=[np.array(1, np.bool_), X])
        yield _nested("graphs-of-nobody", depth, _graphs_of_nobody(depth), right=Right.REFUSAL)
        for name, layers in TYPES.items():
            of_type = wrapped(FLOAT_TYPE, layers * depth)
            yield _nested(name, depth, _with_unused_input(of_type))
        yield _nested("unknown-groups", depth, _unknown_groups(depth))
        yield _nested("unknown-messages", depth, _unknown_messages(depth))
    for depth in (2, 10, 50, 100, 101, 10_000):
        yield _nested("function-calls", depth, _functions(depth, 1))
    for depth in (2, 5, 9):  # 2^depth nodes when they are put in place of the calls
        yield _nested("function-calls-twice", depth, _functions(depth, 2))


def _functions(depth: int, calls: int) -> bytes:
    """Return functions each of which calls the next, the last one being the identity."""
    imports = field(9, field(1, b"mine") + field(2, 1)) + field(9, field(2, 13))
    made = []
    for n in range(depth):
        last = n == depth - 1
        callee = b"Identity" if last else b"F%d" % (n + 1)
        names = [b"a", *(b"t%d" % i for i in range(calls - 1)), b"b"]
        nodes = b"".join(
            field(
                7,
                field(1, a) + field(2, b) + field(4, callee) + (b"" if last else field(7, b"mine")),
            )
            for a, b in itertools.pairwise(names)
        )
        signature = field(1, b"F%d" % n) + field(4, b"a") + field(5, b"b") + field(10, b"mine")
        made.append(field(25, signature + nodes + imports))
    node = field(1, b"x") + field(2, b"y") + field(4, b"F0") + field(7, b"mine")
    graph = field(1, node) + field(2, b"g") + field(11, _float(b"x")) + field(12, _float(b"y"))
    import_mine = field(8, field(1, b"mine") + field(2, 1))
    return VERSIONS + import_mine + field(7, graph) + b"".join(made)


def _nested(
    kind: str,
    depth: int,
    model: bytes,
    *,
    right: Right = Right.EITHER,
    inputs: list[object] | None = None,
) -> Malformed:
    return Malformed(
        id=f"nesting/{kind}/{depth}",
        model=model,
        right=right,
        meaning=MEANING if right is Right.EITHER else "no operator has such an attribute",
        inputs=[X] if inputs is None else inputs,
        outputs=None if right is Right.REFUSAL else [X],
    )
