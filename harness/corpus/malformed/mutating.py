"""Edits of a valid model, described in plain JSON, and the model that comes of them.

An edit that no longer fits, because an earlier one took its place away, does nothing: so any list
of edits means a model, and a search may leave out any of them.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from google.protobuf.message import EncodeError
from onnx import ModelProto, parser

from harness.corpus.malformed.edits import at, put

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from google.protobuf.message import Message

HEADER = '<ir_version: 8, opset_import: ["": 17, "ai.onnx.ml": 3, "com.microsoft": 1, "f": 1]>'

BASES = {
    "arithmetic": """g (float[2,3] x, float[3] y) => (float[m,n] z)
        <float[3] w = {1, 2, 3}, int64[2] s = {3, 2}>
        { a = Add(x, y)  b = Mul(a, w)  c = Reshape(b, s)
          d = Transpose<perm = [1, 0]>(c)  z = Clip(d) }""",
    "convolution": """g (float[1,1,4,4] x) => (float[a,b,c,d] z)
        <float[1,1,2,2] w = {1, 2, 3, 4}, float[1] k = {1}>
        { a = Conv<kernel_shape = [2, 2], pads = [1, 1, 1, 1]>(x, w)
          b = BatchNormalization(a, k, k, k, k)  c = Relu(b)
          z = MaxPool<kernel_shape = [2, 2], strides = [2, 2]>(c) }""",
    "indices": """g (float[3,2] x, int64[2] i) => (float[m,n] z, float[k,l] v, int64[k,l] j)
        <int64[1] s = {0}, int64[1] e = {2}, int64[1] a = {1}>
        { g = Gather<axis = 0>(x, i)  z = Slice(g, s, e, a)  v, j = TopK<axis = 0>(x, a) }""",
    "branches": """g (bool b, float[2] x) => (float[n] z)
        { z = If(b)<then_branch = t () => (float[n] p) { p = Neg(x) },
                    else_branch = e () => (float[n] q) { q = Concat<axis = 0>(x, x) }> }""",
    "loop": """g (float[1] x) => (float[n] z, float[k,l] all) <int64 n = {3}, bool c = {1}>
        { z, all = Loop(n, c, x)
          <body = b (int64 i, bool go, float[1] y) => (bool on, float[1] next, float[1] out)
          { on = Identity(go)  next = Add(y, y)  out = Neg(y) }> }""",
    "sequences": """g (float[2] x, float[2] y) => (float[n] z) <int64 i = {1}>
        { s = SequenceConstruct(x, y)  t = SequenceInsert(s, x, i)
          z = ConcatFromSequence<axis = 0>(t) }""",
    "functions": """g (float[2] x) => (float[n] z) { a = f.twice(x)  z = f.twice(a) }
        <domain: "f", opset_import: ["": 17]>
        twice (p) => (q) { h = Add(p, p)  q = Identity(h) }""",
    "integers": """g (uint8[2,2] x) => (uint8[m,n] z)
        <float s = {0.5}, uint8 k = {3}, uint8[2,2] w = {1, 2, 3, 4}>
        { z = QLinearMatMul(x, s, k, w, s, k, s, k) }""",
    "words": """g (string[2] x) => (float[n] z)
        { z = TfIdfVectorizer<mode = "TF", min_gram_length = 1, max_gram_length = 1,
              max_skip_count = 0, ngram_counts = [0], ngram_indexes = [0, 1],
              pool_strings = ["1", "2"]>(x) }""",
    "recurrence": """g (float[2,1,1] x, float[1,4,1] w) => (float[a,b,c,d] y, float[e,f,g] h)
        { y, h = LSTM<hidden_size = 1, direction = "forward">(x, w, w) }""",
    "tree": """g (float[2,1] x) => (float[m,n] z)
        { z = ai.onnx.ml.TreeEnsembleRegressor<n_targets = 1, nodes_treeids = [0, 0, 0],
              nodes_nodeids = [0, 1, 2], nodes_featureids = [0, 0, 0],
              nodes_values = [0.5, 0.0, 0.0], nodes_modes = ["BRANCH_LEQ", "LEAF", "LEAF"],
              nodes_truenodeids = [1, 0, 0], nodes_falsenodeids = [2, 0, 0],
              target_treeids = [0, 0], target_nodeids = [1, 2], target_ids = [0, 0],
              target_weights = [1.0, 2.0]>(x) }""",
}
"""Valid models in ONNX's text form, by name: small, and of every kind of field together."""


@functools.cache
def base(name: str) -> bytes:
    """Return the bytes of a valid model."""
    made: ModelProto = parser.parse_model(f"{HEADER} {BASES[name]}")
    return made.SerializeToString(deterministic=True)


@functools.cache
def paths(name: str) -> tuple[str, ...]:
    """Return the path of every field that is set in a model, such as ``graph.node[0].op_type``."""
    return tuple(_paths(ModelProto.FromString(base(name)), ""))


def _paths(message: Message, above: str) -> Iterator[str]:
    for field, value in message.ListFields():
        path = f"{above}{field.name}"
        items = [(path, value)]
        if field.is_repeated:
            items = [(f"{path}[{index}]", item) for index, item in enumerate(value)]
        for where, item in items:
            yield where
            if field.message_type:
                yield from _paths(item, f"{where}.")


def structured(name: str, edits: Sequence[dict[str, Any]]) -> bytes:
    """Return the bytes of a model after edits of its fields."""
    model = ModelProto.FromString(base(name))
    for edit in edits:
        try:
            _apply(model, edit)
        except (AttributeError, IndexError, TypeError, ValueError):
            continue  # the place is gone, or the value is of another kind
    try:
        return model.SerializeToString(deterministic=True)
    except EncodeError:
        return b""


def _apply(model: ModelProto, edit: dict[str, Any]) -> None:
    path = edit["path"]
    match edit["do"]:
        case "set":
            put(model, path, _value(edit["value"]))
        case "copy":
            _copy(model, edit["from"], path)
        case "remove":
            holder, name, index = _holder(model, path)
            if index is None:
                holder.ClearField(name)
            else:
                del getattr(holder, name)[index]
        case "double":
            holder, name, index = _holder(model, path)
            getattr(holder, name).append(at(model, path) if index is not None else None)
        case "swap":
            holder, name, index = _holder(model, path)
            items = list(getattr(holder, name))
            items[index], items[index - 1] = items[index - 1], items[index]
            holder.ClearField(name)
            getattr(holder, name).extend(items)


def _copy(model: ModelProto, source: str, target: str) -> None:
    value, place = at(model, source), at(model, target)
    if hasattr(place, "CopyFrom"):
        place.CopyFrom(type(value).FromString(value.SerializeToString()))
    else:
        put(model, target, value)


def _holder(model: ModelProto, path: str) -> tuple[Any, str, Any]:
    """Return the message that holds a field, the field's name, and which of its items."""
    above, _, last = path.rpartition(".")
    name, _, index = last.partition("[")
    return (at(model, above) if above else model), name, int(index[:-1]) if index else None


def _value(value: Any) -> Any:
    """Return what a value stands for: JSON has no bytes, and no NaN."""
    match value:
        case {"bytes": str(digits)}:
            return bytes.fromhex(digits)
        case {"float": str(text)}:
            return float(text)
    return value


def bytewise(name: str, edits: Sequence[dict[str, Any]]) -> bytes:
    """Return the bytes of a model after edits of the bytes themselves; places wrap around."""
    data = bytearray(base(name))
    for edit in edits:
        place = edit["at"] % (len(data) + 1)
        match edit["do"]:
            case "flip":
                if place < len(data):
                    data[place] ^= 1 << edit["bit"]
            case "insert":
                data[place:place] = bytes.fromhex(edit["bytes"])
            case "overwrite":
                new = bytes.fromhex(edit["bytes"])
                data[place : place + len(new)] = new
            case "delete":
                del data[place : place + edit["count"]]
            case "splice":
                start = edit["from"] % (len(data) + 1)
                data[place:place] = data[start : start + edit["count"]]
    return bytes(data)
