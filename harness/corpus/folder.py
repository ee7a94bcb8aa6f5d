"""Any folder in the ONNX test-data layout: ``CASE/model.onnx``, ``CASE/test_data_set_N/*.pb``.

Source of the layout: https://github.com/onnx/onnx/blob/main/docs/OnnxBackendTest.md
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

import onnx
from google.protobuf.message import DecodeError
from onnx import numpy_helper

from harness.corpus.packing import (
    PACK_FORMAT,
    Packable,
    Packer,
    array_of,
    model_case,
    packed,
)
from harness.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from harness.cases import Case

DATA_SET = re.compile(r"test_data_set_(\d+)")
DATA_FILE = re.compile(r"(input|output)_(\d+)\.pb")


def folder_cases(name: str, folder: Path, *, rtol: float, atol: float, cache: Path) -> list[Case]:
    """Return the cases under `folder`, with ids that begin with `name`.

    A data set without output files is run and its outcome recorded. Raise ConfigurationError for a
    folder with no model, and for a file that is not what its name says.
    """
    models = sorted(folder.rglob("model.onnx"))
    if not models:
        raise ConfigurationError(
            f"corpus {name!r}: {folder} holds no model.onnx; "
            "wanted: CASE/model.onnx and CASE/test_data_set_0/input_0.pb"
        )

    def write(packer: Packer) -> Iterator[Case]:
        for model in models:
            where = model.parent.relative_to(folder).as_posix()
            case = Packable(
                id=f"{name}/{where}" if where != "." else f"{name}/{folder.resolve().name}",
                model=model.resolve(),
                data_sets=list(data_sets(model)),
                rtol=rtol,
                atol=atol,
            )
            yield model_case(case, packer)

    key = _content_key(folder, rtol, atol)
    return packed(cache / "corpora" / f"{name}-{key}", write)


def data_sets(model: Path) -> Iterator[tuple[Sequence[Any], Sequence[Any] | None]]:
    """Return the inputs and outputs of each data set beside a model, by position."""
    graph = _load(model).graph
    initialised = {tensor.name for tensor in graph.initializer}
    inputs = [value.type for value in graph.input if value.name not in initialised]
    outputs = [value.type for value in graph.output]
    for folder in _data_set_folders(model.parent):
        given = _values(folder, "input", inputs)
        wanted = _values(folder, "output", outputs)
        yield given, wanted or None


def _data_set_folders(case: Path) -> list[Path]:
    """Return the folders of data sets by number; archives of them may stand there too."""
    found: dict[int, Path] = {}
    for path in case.iterdir():
        if (match := DATA_SET.fullmatch(path.name)) and path.is_dir():
            found[int(match[1])] = path
    return [found[number] for number in sorted(found)]


def _load(model: Path) -> onnx.ModelProto:
    try:
        return onnx.load(model, load_external_data=False)
    except DecodeError as error:
        raise ConfigurationError(f"{model}: not an ONNX model: {error}") from error


def _values(folder: Path, side: str, types: Sequence[onnx.TypeProto]) -> list[Any]:
    found: dict[int, Path] = {}
    for path in folder.iterdir():
        if (match := DATA_FILE.fullmatch(path.name)) and match[1] == side:
            found[int(match[2])] = path
    if sorted(found) != list(range(len(found))) or len(found) > len(types):
        raise ConfigurationError(
            f"{folder}: {side} files are numbered {sorted(found)}, "
            f"the model has {len(types)} {side}s, numbered from 0"
        )
    return [_value(found[index], types[index]) for index in range(len(found))]


def _value(path: Path, of: onnx.TypeProto) -> Any:
    """Return what a .pb file holds, read as the model's type says: the file does not tell."""
    data = path.read_bytes()
    try:
        match of.WhichOneof("value"):
            case "sequence_type":
                return numpy_helper.to_list(onnx.SequenceProto.FromString(data))
            case "optional_type":
                return numpy_helper.to_optional(onnx.OptionalProto.FromString(data))
            case "map_type":
                return numpy_helper.to_dict(onnx.MapProto.FromString(data))
            case _:
                return array_of(onnx.TensorProto.FromString(data))
    except Exception as error:  # boundary: the file may hold anything
        raise ConfigurationError(f"{path}: not a {of.WhichOneof('value')}: {error}") from error


def _content_key(folder: Path, rtol: float, atol: float) -> str:
    """Return a key that changes with any file under the folder, without reading them all."""
    seen = [f"{PACK_FORMAT} {folder.resolve()} {rtol} {atol}"]
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            stat = path.stat()
            seen.append(f"{path.relative_to(folder)} {stat.st_size} {stat.st_mtime_ns}")
    return hashlib.sha256("\n".join(seen).encode()).hexdigest()[:12]
