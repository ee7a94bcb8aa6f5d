"""A generated case written as a folder in the ONNX test-data layout, for every run to replay."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import onnx

from harness.wire.values import ElementType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.protobuf.message import Message

    from harness.corpus.generated.record import Packed


def keep_case(
    packed: Packed, folder: Path, outputs: Sequence[dict[str, Any]] | None, data: str
) -> None:
    """Write model, inputs and right outputs; None: nothing is known of these, the case is run.

    `outputs` are described as wire.values has it, with their bytes in the file `data`. The folder
    appears whole, or not at all; one of that name is replaced.
    """
    asked = packed.asked
    offset, size = asked.model
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".keeping-") as making:
        case = Path(making, "case")
        data_set = case / "test_data_set_0"
        data_set.mkdir(parents=True)
        (case / "model.onnx").write_bytes(Path(asked.data).read_bytes()[offset : offset + size])
        for side, values, source in (
            ("input", asked.inputs, asked.data),
            ("output", outputs or (), data),
        ):
            content = Path(source).read_bytes() if values else b""
            for at, value in enumerate(values):
                proto = _proto(value, content)
                (data_set / f"{side}_{at}.pb").write_bytes(proto.SerializeToString())
        shutil.rmtree(folder, ignore_errors=True)
        case.rename(folder)


def _proto(value: dict[str, Any], content: bytes) -> Message:
    """Return a described value as ONNX writes it."""
    match value:
        case {"tensor": name, "shape": shape, "at": [offset, size]}:
            return _tensor(name, shape, content[offset : offset + size])
        case {"sequence": items}:
            return _sequence([_proto(item, content) for item in items])
        case {"optional": item}:
            made = onnx.OptionalProto()
            if item is not None and isinstance(inner := _proto(item, content), onnx.TensorProto):
                made.elem_type = onnx.OptionalProto.TENSOR
                made.tensor_value.CopyFrom(inner)
            return made
        case {"map": {"keys": keys, "values": values}}:
            return _map(_proto(keys, content), _proto(values, content))
    raise ValueError(f"no such value description: {value!r}")


def _tensor(name: str, shape: Sequence[int], data: bytes) -> onnx.TensorProto:
    of = ElementType[name.upper()]
    made = onnx.TensorProto(data_type=int(of), dims=shape)
    if of is ElementType.STRING:
        made.string_data.extend(t.encode(errors="surrogateescape") for t in json.loads(data))
    else:
        made.raw_data = data
    return made


def _sequence(items: Sequence[Message]) -> onnx.SequenceProto:
    made = onnx.SequenceProto(elem_type=onnx.SequenceProto.TENSOR)
    made.tensor_values.extend(item for item in items if isinstance(item, onnx.TensorProto))
    return made


def _map(keys: Any, values: Any) -> onnx.MapProto:
    made = onnx.MapProto(key_type=keys.data_type)
    if keys.data_type == onnx.TensorProto.STRING:
        made.string_keys.extend(keys.string_data)
    else:
        made.keys.extend(onnx.numpy_helper.to_array(keys).tolist())
    made.values.CopyFrom(_sequence([values]))
    return made
