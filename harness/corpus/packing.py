"""ONNX values and models written once to disk, in the form that a worker reads without onnx.

A pack is a folder with ``cases.json`` (the descriptions) and ``data.bin`` (the bytes, each value at
a multiple of 64), made in a temporary place and renamed, so that a half-made one is never read. One
that was damaged since (a full disk, a lost cable) is made again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import onnx
from onnx import numpy_helper

from harness.cases import Case
from harness.corpus.making import made_once
from harness.errors import HarnessFaultError
from harness.wire.catalogue import PROCEDURES
from harness.wire.catalogue.procedures import MODEL_CASE
from harness.wire.values import Blob, DataSet, ElementType, ModelCase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

PACK_FORMAT = 2
"""Raised when what a pack holds changes, so that an older pack is made again."""

ALIGNMENT = 64


class Packer:
    """Writes values into one data file and returns their descriptions."""

    def __init__(self, out: BinaryIO, data_file: Path) -> None:
        self._out = out
        self.data_file = str(data_file)

    def blob(self, data: bytes) -> Blob:
        """Write bytes and return where they stand."""
        self._out.write(b"\0" * (-self._out.tell() % ALIGNMENT))
        offset = self._out.tell()
        self._out.write(data)
        return Blob(file=self.data_file, offset=offset, size=len(data))

    def value(self, value: Any) -> dict[str, Any]:
        """Write an array, a TensorProto, a list, a dict or None and return its description.

        An array is described by its numpy type; ml_dtypes stand for the types that numpy lacks.
        """
        match value:
            case None:
                return {"optional": None}
            case list() | tuple():
                return {"sequence": [self.value(item) for item in value]}
            case dict():
                keys, values = _column(value.keys()), _column(value.values())
                return {"map": {"keys": self.value(keys), "values": self.value(values)}}
            case onnx.TensorProto():
                return self._tensor(array_of(value))
        return self._tensor(np.asarray(value))

    def _tensor(self, array: np.ndarray[Any, Any]) -> dict[str, Any]:
        if array.dtype.kind in "OUS":
            element_type = ElementType.STRING
            data = json.dumps([_text(item) for item in array.ravel().tolist()]).encode()
        else:
            proto = numpy_helper.from_array(array)
            element_type, data = ElementType(proto.data_type), proto.raw_data
        blob = self.blob(data)
        shape = list(array.shape)
        return {"tensor": element_type.ort_name, "shape": shape, "at": [blob.offset, blob.size]}


def value_of(description: dict[str, Any], data: bytes) -> Any:
    """Return the value that was described, from the data that it stands in."""
    match description:
        case {"tensor": name, "shape": shape, "at": [offset, size]}:
            return _array(ElementType[name.upper()], shape, data[offset : offset + size])
        case {"sequence": items}:
            return [value_of(item, data) for item in items]
        case {"optional": item}:
            return None if item is None else value_of(item, data)
        case {"map": {"keys": keys, "values": values}}:
            return dict(zip(value_of(keys, data).tolist(), value_of(values, data), strict=True))
    raise HarnessFaultError(f"no such value description: {description!r}")


def _array(of: ElementType, shape: Sequence[int], data: bytes) -> np.ndarray[Any, Any]:
    if of is ElementType.STRING:
        return _strings(json.loads(data)).reshape(tuple(shape))
    tensor = onnx.TensorProto(data_type=int(of), dims=shape, raw_data=data)
    return numpy_helper.to_array(tensor)


@dataclass(frozen=True, kw_only=True)
class Packable:
    """A case about to be packed: the model, its data sets and the tolerances."""

    id: str
    model: bytes | Path
    """The model's bytes, or the path of one that must be opened in place."""
    data_sets: Sequence[tuple[Sequence[Any], Sequence[Any] | None]]
    rtol: float
    atol: float


def packed(folder: Path, write: Callable[[Packer], Iterable[Case]]) -> list[Case]:
    """Return the cases of the pack in `folder`; `write` makes them if it is not there."""

    def fill(making: Path) -> None:
        with (making / "data.bin").open("wb") as out:
            written = write(Packer(out, folder / "data.bin"))
            cases = [[case.id, case.procedure.id, case.arguments] for case in written]
            index = {"data_size": out.tell(), "cases": cases}
        (making / "cases.json").write_text(json.dumps(index))

    return made_once(folder, _read, fill)


def _read(folder: Path) -> list[Case] | None:
    """Return the cases of a pack, or None where there is none that is whole."""
    procedures = {procedure.id: procedure for procedure in PROCEDURES}
    try:
        index = json.loads((folder / "cases.json").read_bytes())
        if (folder / "data.bin").stat().st_size != index["data_size"]:
            return None
        return [
            Case(id=case_id, procedure=procedures[procedure], arguments=arguments)
            for case_id, procedure, arguments in index["cases"]
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def model_case(case: Packable, packer: Packer) -> Case:
    """Write a model and its data sets and return the case that runs and compares them."""
    described = _described(case, packer)
    return Case(id=case.id, procedure=MODEL_CASE, arguments=described.to_json())


def _described(case: Packable, packer: Packer) -> ModelCase:
    if isinstance(case.model, Path):
        model, in_place = Blob(file=str(case.model)), True
        proto = onnx.load(case.model, load_external_data=False)
    else:
        model, in_place = packer.blob(case.model), False
        proto = onnx.load_model_from_string(case.model)
    return ModelCase(
        model=model,
        in_place=in_place,
        ir=proto.ir_version,
        opsets={domain_name(opset.domain): opset.version for opset in proto.opset_import},
        data=packer.data_file,
        data_sets=tuple(_data_sets(case, packer)),
        rtol=case.rtol,
        atol=case.atol,
    )


def _data_sets(case: Packable, packer: Packer) -> Iterator[DataSet]:
    for inputs, outputs in case.data_sets:
        yield DataSet(
            inputs=tuple(packer.value(value) for value in inputs),
            outputs=None if outputs is None else tuple(packer.value(value) for value in outputs),
        )


def domain_name(name: str) -> str:
    """Return the one name of a domain that has two: "" and ai.onnx."""
    return "" if name == "ai.onnx" else name


def array_of(tensor: onnx.TensorProto) -> np.ndarray[Any, Any]:
    """Return a TensorProto's elements; strings also where they are not UTF-8 or end in a NUL."""
    if tensor.data_type == onnx.TensorProto.STRING:
        return _strings(tensor.string_data).reshape(tuple(tensor.dims))
    return numpy_helper.to_array(tensor)


def _column(items: Iterable[Any]) -> Any:
    """Return numbers or strings as one array, anything else as the list that it is."""
    column = list(items)
    if all(isinstance(item, str | bytes) for item in column):
        return _strings(column)
    whole = all(isinstance(item, list | dict) or np.ndim(item) for item in column)
    return column if whole else np.array(column)


def _strings(items: Sequence[str | bytes]) -> np.ndarray[Any, Any]:
    strings = np.empty(len(items), dtype=object)  # numpy's string types drop a NUL at the end
    strings[:] = [_text(item) for item in items]
    return strings


def _text(item: Any) -> str:
    return item.decode(errors="surrogateescape") if isinstance(item, bytes) else str(item)
