"""Descriptions of models, tensors and other ONNX values; the bytes themselves stay in files.

A description is plain JSON, so that a request stays small and any worker can read it:

- ``{"tensor": "float16", "shape": [2, 3], "at": [offset, size]}``: the bytes as ONNX's ``raw_data``
  has them (little-endian; types under one byte packed, low bits first); strings as a JSON list;
- ``{"sequence": [value, …]}``, ``{"optional": value or null}``;
- ``{"map": {"keys": value, "values": value}}``.

Source of the element types: https://onnx.ai/onnx/api/classes.html (TensorProto.DataType).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Self

from harness.wire.records import PlainRecord


class ElementType(IntEnum):
    """ONNX's element types, valued as ``TensorProto.DataType`` numbers them."""

    FLOAT = 1
    UINT8 = 2
    INT8 = 3
    UINT16 = 4
    INT16 = 5
    INT32 = 6
    INT64 = 7
    STRING = 8
    BOOL = 9
    FLOAT16 = 10
    DOUBLE = 11
    UINT32 = 12
    UINT64 = 13
    COMPLEX64 = 14
    COMPLEX128 = 15
    BFLOAT16 = 16
    FLOAT8E4M3FN = 17
    FLOAT8E4M3FNUZ = 18
    FLOAT8E5M2 = 19
    FLOAT8E5M2FNUZ = 20
    UINT4 = 21
    INT4 = 22
    FLOAT4E2M1 = 23
    FLOAT8E8M0 = 24
    UINT2 = 25
    INT2 = 26
    FLOAT6E2M3 = 27
    FLOAT6E3M2 = 28

    @property
    def ort_name(self) -> str:
        """ONNX Runtime's spelling, as in ``tensor(float16)``."""
        return self.name.lower()

    @property
    def bits(self) -> int:
        """Bits of one element in memory; strings have none."""
        return _BITS[self]


_BITS = {
    **dict.fromkeys((ElementType.UINT2, ElementType.INT2), 2),
    **dict.fromkeys((ElementType.UINT4, ElementType.INT4, ElementType.FLOAT4E2M1), 4),
    **dict.fromkeys((ElementType.FLOAT6E2M3, ElementType.FLOAT6E3M2), 6),
    **dict.fromkeys(
        (
            ElementType.UINT8,
            ElementType.INT8,
            ElementType.BOOL,
            ElementType.FLOAT8E4M3FN,
            ElementType.FLOAT8E4M3FNUZ,
            ElementType.FLOAT8E5M2,
            ElementType.FLOAT8E5M2FNUZ,
            ElementType.FLOAT8E8M0,
        ),
        8,
    ),
    **dict.fromkeys(
        (ElementType.UINT16, ElementType.INT16, ElementType.FLOAT16, ElementType.BFLOAT16), 16
    ),
    **dict.fromkeys((ElementType.FLOAT, ElementType.INT32, ElementType.UINT32), 32),
    **dict.fromkeys(
        (ElementType.DOUBLE, ElementType.INT64, ElementType.UINT64, ElementType.COMPLEX64), 64
    ),
    ElementType.COMPLEX128: 128,
    ElementType.STRING: 0,
}

BY_ORT_NAME = {element_type.ort_name: element_type for element_type in ElementType}


@dataclass(frozen=True, kw_only=True)
class Blob:
    """Bytes that stand in a file: a model, or the data of many tensors in a row."""

    file: str
    offset: int = 0
    size: int | None = None
    """None: to the end of the file."""

    def to_json(self) -> dict[str, Any]:
        """Return what ``from_json`` reads back."""
        return {"file": self.file, "offset": self.offset, "size": self.size}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Return the blob that was written."""
        return cls(file=data["file"], offset=data["offset"], size=data["size"])


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """The inputs of one run of a model by position, and what should come out."""

    inputs: tuple[dict[str, Any], ...]
    outputs: tuple[dict[str, Any], ...] | None
    """None: nothing is known of the right answer."""


@dataclass(frozen=True, kw_only=True)
class ModelCase:
    """A model with data sets, compared within |got - want| ≤ atol + rtol·|want|."""

    model: Blob
    in_place: bool
    """Whether the model has data in files beside it, so that it must be opened by its path."""
    ir: int
    opsets: dict[str, int]
    """What the model asks for: opset version per domain, "" for ai.onnx."""
    data: str
    """The file in which the tensors' bytes stand."""
    data_sets: tuple[DataSet, ...]
    rtol: float
    atol: float

    def to_json(self) -> dict[str, Any]:
        """Return what ``from_json`` reads back."""
        return {
            "model": self.model.to_json(),
            "in_place": self.in_place,
            "ir": self.ir,
            "opsets": self.opsets,
            "data": self.data,
            "data_sets": [
                [list(s.inputs), s.outputs if s.outputs is None else list(s.outputs)]
                for s in self.data_sets
            ],
            "rtol": self.rtol,
            "atol": self.atol,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Return the case that was written."""
        return cls(
            model=Blob.from_json(data["model"]),
            in_place=data["in_place"],
            ir=data["ir"],
            opsets=data["opsets"],
            data=data["data"],
            data_sets=tuple(
                DataSet(inputs=tuple(inputs), outputs=None if outputs is None else tuple(outputs))
                for inputs, outputs in data["data_sets"]
            ),
            rtol=data["rtol"],
            atol=data["atol"],
        )


@dataclass(frozen=True, kw_only=True)
class AnswerCase:
    """A model whose answer on given inputs is asked for."""

    model: Blob
    data: str
    """The file in which the inputs' bytes stand."""
    inputs: tuple[dict[str, Any], ...]
    to: str
    """The file that the outputs' bytes are written to; the reply describes them."""

    def to_json(self) -> dict[str, Any]:
        """Return what ``from_json`` reads back."""
        return {**vars(self), "model": self.model.to_json(), "inputs": list(self.inputs)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Return the case that was written."""
        model, inputs = Blob.from_json(data["model"]), tuple(data["inputs"])
        return cls(**{**data, "model": model, "inputs": inputs})


@dataclass(frozen=True, kw_only=True)
class PipelineCase(PlainRecord):
    """Real models on real input: what they must mean, and the golden numbers."""

    pipeline: str
    """Which of the worker's pipelines reads the answer."""
    models: dict[str, str]
    """The model files by their role in the pipeline."""
    ir: int
    opsets: dict[str, int]
    """The most that any of the models asks for."""
    texts: dict[str, str]
    """Files of what the models need beside their weights: labels, characters, settings."""
    data: str
    """The file in which the input and the golden tensors stand."""
    input: dict[str, Any]
    golden: dict[str, dict[str, Any]]
    meaning: dict[str, Any]
    tolerance: dict[str, float]
    """``rtol`` and ``atol``."""
    tolerance_on: dict[str, dict[str, float]]
    """By attached EP, in place of the usual one."""
