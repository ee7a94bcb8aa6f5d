"""Tensors whose data stand in another file: one that is not there, is too short, or is not ours."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import StringStringEntryProto, TensorProto

from harness.corpus.malformed import valid_models as models
from harness.corpus.malformed.edits import at
from harness.corpus.malformed.faults import Malformed
from harness.corpus.malformed.valid_models import X
from harness.wire.malformed import PLACE, Beside, Right

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.corpus.malformed.valid_models import Valid

SECRET = np.frombuffer(b"NOT-FOR-YOU!", np.float32)
"""Three floats that no model computes."""

DATA = X.tobytes()
LONG = b"\1" * 8 + DATA + b"\2" * 8
FIRST_OF_LONG = np.frombuffer(LONG[:12], np.float32)

BESIDE = Beside(
    files={
        "model/weights.bin": DATA.hex(),
        "model/long.bin": LONG.hex(),
        "model/short.bin": DATA[:8].hex(),
        "model/empty.bin": "",
        "model/sub/weights.bin": DATA.hex(),
        "model/..weights.bin": DATA.hex(),
        "outside/secret.bin": SECRET.tobytes().hex(),
        "model-not/secret.bin": SECRET.tobytes().hex(),
        "secret.bin": SECRET.tobytes().hex(),
    },
    links={
        "model/inside.link": "model/weights.bin",
        "model/outside.link": "outside/secret.bin",
        "model/twice.link": "model/outside.link",
        "model/dangling.link": "model/nowhere.bin",
        "model/loop.link": "model/loop.link",
        "model/folder.link": "outside",
    },
    folders=("model/folder",),
    secret=SECRET.tobytes().hex(),
)

PLACES: dict[str, tuple[Valid, str]] = {
    "initializer": (models.INITIALIZER, "graph.initializer[0]"),
    "constant": (models.CONSTANT, "graph.node[0].attribute[0].t"),
    "sparse-values": (models.SPARSE_INITIALIZER, "graph.sparse_initializer[0].values"),
    "if-initializer": (models.IF_FROM_WEIGHTS, "graph.node[0].attribute[1].g.initializer[0]"),
    "function-constant": (models.FUNCTION_OF_X, "functions[0].node[0].attribute[0].t"),
}
"""Where X stands in a model that answers X, so that data from elsewhere show."""

Entries = dict[str, str]

INSIDE: dict[str, str] = {
    "plain": "weights.bin",
    "dot-slash": "./weights.bin",
    "in-a-folder": "sub/weights.bin",
    "down-and-up": "sub/../weights.bin",
    "double-slash": "sub//weights.bin",
    "name-with-dots": "..weights.bin",
    "link-inside": "inside.link",
    "absolute-inside": f"{PLACE.decode()}/model/weights.bin",
}
"""Locations of the right data in the model's folder: taken for what they are, or refused."""

OUTSIDE: dict[str, str] = {
    "empty": "",
    "dot": ".",
    "dot-dot": "..",
    "missing": "nowhere.bin",
    "missing-folder": "nowhere/weights.bin",
    "folder": "folder",
    "folder-with-slash": "folder/",
    "file-as-folder": "weights.bin/weights.bin",
    "up": "../outside/secret.bin",
    "up-to-the-parent": "../secret.bin",
    "up-to-a-namesake": "../model-not/secret.bin",
    "down-and-up": "sub/../../outside/secret.bin",
    "up-and-up": "folder/../../outside/secret.bin",
    "up-in-the-middle": "./../outside/secret.bin",
    "up-with-double-slash": "..//outside//secret.bin",
    "up-from-nowhere": "nowhere/../../outside/secret.bin",
    "backslashes": "..\\outside\\secret.bin",
    "percent": "%2e%2e/outside/secret.bin",
    "url": f"file://{PLACE.decode()}/outside/secret.bin",
    "absolute": f"{PLACE.decode()}/outside/secret.bin",
    "absolute-up": f"{PLACE.decode()}/model/../outside/secret.bin",
    "link": "outside.link",
    "link-to-link": "twice.link",
    "link-of-folder": "folder.link/secret.bin",
    "link-dangling": "dangling.link",
    "link-to-itself": "loop.link",
    "home": "~/weights.bin",
    "nul": "weights.bin\0",
    "nul-before-up": "weights.bin\0/../../outside/secret.bin",
    "newline": "weights.bin\n",
    "long": "x" * 5000,
    "long-path": "x/" * 5000 + "weights.bin",
    "device-zero": "/dev/zero",
    "device-null": "/dev/null",
    "proc-environ": "/proc/self/environ",
    "proc-memory": "/proc/self/mem",
    "memory-marker": "*/_ORT_MEM_ADDR_/*",
    "memory-marker-up": "*/_ORT_MEM_ADDR_/*/../../outside/secret.bin",
    "memory-marker-2": "*/_ORT_IN_MEM_ADDR_/*",
}
"""Locations where the model has nothing to look for."""

RANGES: dict[str, Entries] = {
    "offset-beyond": {"offset": "12"},
    "offset-far-beyond": {"offset": "1000000"},
    "offset-half-beyond": {"offset": "4"},
    "offset-huge": {"offset": str(2**62)},
    "offset-largest": {"offset": str(2**63 - 1)},
    "offset-wraps": {"offset": str(2**64)},
    "offset-wraps-to-8": {"location": "long.bin", "offset": str(2**64 + 8)},
    "offset-negative": {"offset": "-1"},
    "offset-negative-12": {"offset": "-12"},
    "offset-smallest": {"offset": str(-(2**63))},
    "offset-empty": {"offset": ""},
    "offset-word": {"offset": "first"},
    "offset-number-and-word": {"offset": "0first"},
    "offset-hexadecimal": {"location": "long.bin", "offset": "0x8"},
    "offset-fraction": {"location": "long.bin", "offset": "8.5"},
    "offset-exponent": {"location": "long.bin", "offset": "8e0"},
    "length-0": {"length": "0"},
    "length-short": {"length": "8"},
    "length-long": {"length": "16"},
    "length-long-in-a-long-file": {"location": "long.bin", "length": "16"},
    "length-huge": {"length": str(2**62)},
    "length-largest": {"length": str(2**64 - 1)},
    "length-wraps-to-12": {"length": str(2**64 + 12)},
    "length-negative": {"length": "-12"},
    "length-empty": {"length": ""},
    "length-word": {"length": "twelve"},
    "length-number-and-word": {"length": "12twelve"},
    "sum-wraps": {"offset": str(2**63 - 4), "length": str(2**63 - 4)},
    "file-short": {"location": "short.bin"},
    "file-empty": {"location": "empty.bin"},
}
"""Parts of a file that are not there, or no numbers; all of them name too little or too much."""


def external_data() -> Iterator[Malformed]:
    """Return every wrong location and range, at every place of a tensor."""
    for place in PLACES:
        for name, location in INSIDE.items():
            right = Right.ACCEPTANCE if name == "plain" else Right.EITHER
            yield _with(place, f"inside-{name}", {"location": location}, right)
        for name, outside in OUTSIDE.items():
            yield _with(place, f"location-{name}", {"location": outside}, Right.REFUSAL)
        for name, entries in RANGES.items():
            yield _with(place, name, {"location": "weights.bin", **entries}, Right.REFUSAL)
        yield _with(place, "no-location", {"offset": "0"}, Right.REFUSAL)
        yield _with(place, "no-entries", {}, Right.REFUSAL)
        whole = _with(place, "long-file-without-length", {"location": "long.bin"}, Right.EITHER)
        yield replace(whole, meaning="the first bytes of the file", outputs=[FIRST_OF_LONG])
    for name, location in {**INSIDE, **OUTSIDE}.items():
        yield _without_folder(name, location)
    yield from _mixed()


def _with(place: str, name: str, entries: Entries, right: Right) -> Malformed:
    source, path = PLACES[place]
    model = source.model()
    _point(at(model, path), entries)
    refusal = right is Right.REFUSAL
    return Malformed(
        id=f"external-data/{place}/{name}",
        model=model.SerializeToString(),
        right=right,
        meaning="there is no such data in the model's folder"
        if refusal
        else "the data of the file",
        inputs=source.inputs,
        outputs=None if refusal else source.outputs,
        beside=BESIDE,
    )


def _without_folder(name: str, location: str) -> Malformed:
    """Return a model that is opened from its bytes, and so has no folder to read from."""
    made = _with("initializer", name, {"location": location}, Right.REFUSAL)
    return replace(
        made,
        id=f"external-data/without-folder/{name}",
        meaning="a model that is given as bytes has no folder",
        beside=replace(BESIDE, by_path=False),
    )


def _point(tensor: TensorProto, entries: Entries) -> None:
    """Have the data of a tensor stand in a file."""
    tensor.ClearField("raw_data")
    tensor.ClearField("float_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in entries.items():
        tensor.external_data.append(StringStringEntryProto(key=key, value=value))


def _mixed() -> Iterator[Malformed]:
    """Return external data whose entries, or whose tensor's other fields, say something else."""
    plain: Entries = {"location": "weights.bin"}
    for name, key, value, right in (
        ("location-twice-same", "location", "weights.bin", Right.EITHER),
        ("location-twice-other", "location", "../outside/secret.bin", Right.REFUSAL),
        ("offset-twice", "offset", "12", Right.REFUSAL),
        ("unknown-key", "colour", "red", Right.EITHER),
        ("checksum-wrong", "checksum", "0" * 40, Right.EITHER),
        ("basepath-outside", "basepath", "../outside", Right.EITHER),
        ("prepacked-nonsense", "prepacked_0", "x|0|1|2", Right.EITHER),
    ):
        made = _with("initializer", name, plain, right)
        model = models.INITIALIZER.model().FromString(made.model)
        model.graph.initializer[0].external_data.add(key=key, value=value)
        yield replace(made, model=model.SerializeToString())
    tensors: tuple[tuple[str, dict[str, Any], Right], ...] = (
        ("raw-data-too", {"raw_data": DATA}, Right.EITHER),
        ("string-type", {"data_type": TensorProto.STRING}, Right.REFUSAL),
        ("undefined-type", {"data_type": 0}, Right.REFUSAL),
        ("type-beyond", {"data_type": 99}, Right.REFUSAL),
        ("double-type", {"data_type": TensorProto.DOUBLE}, Right.REFUSAL),
        ("dims-negative", {"dims": [-3]}, Right.REFUSAL),
        ("dims-large", {"dims": [2**28]}, Right.REFUSAL),
        ("dims-huge", {"dims": [2**40]}, Right.REFUSAL),
        ("dims-bytes-wrap", {"dims": [2**62 + 3]}, Right.REFUSAL),
        ("dims-larger", {"dims": [4]}, Right.REFUSAL),
    )
    for name, fields, right in tensors:
        made = _with("initializer", name, plain, right)
        model = models.INITIALIZER.model().FromString(made.model)
        tensor = model.graph.initializer[0]
        for field in fields:
            tensor.ClearField(field)
        tensor.MergeFrom(TensorProto(**fields))
        yield replace(made, model=model.SerializeToString())
