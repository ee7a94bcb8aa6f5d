"""What an example of the suite `shapes` describes: a model, its runs, and what is wrong with one.

A model's shapes are written with sizes and symbols, ``["batch", 3, "?k"]``: a number is declared as
it stands, a name as a symbolic dimension, and a name that begins with ``?`` stands for a dimension
of which the model says nothing. A run gives each symbol its size.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from harness.wire.records import PlainRecord

Dims = list[int | str]


class Rule(StrEnum):
    """How an operator's shapes belong together."""

    EACH = "each"
    """One input; every output has its shape."""
    BROADCAST = "broadcast"
    CONCAT = "concat"
    MATMUL = "matmul"
    REDUCE = "reduce"
    TRANSPOSE = "transpose"
    SPLIT = "split"
    FLATTEN = "flatten"
    SHAPE = "shape"


_FLOATS = ("float", "double")
_WIDE = (*_FLOATS, "int32", "int64")
_SIGNED = (*_WIDE, "int8")
NUMBERS = (*_SIGNED, "float16", "int16", "uint8", "uint16", "uint32", "uint64")
EVERY_TYPE = (*NUMBERS, "bool", "string")
"""Every type that numpy has and ONNX Runtime takes."""

PACKED_TYPES = ("bfloat16", "float8e4m3fn", "float8e5m2", "int4", "uint4")
"""Types that numpy lacks."""


@dataclass(frozen=True, kw_only=True)
class Operator:
    """What a model may compute, with types for which the CPU EP has it."""

    rule: Rule
    types: tuple[str, ...]
    inputs: int = 1
    """How many; CONCAT takes any number."""
    gives: str = ""
    """The element type of the outputs, where it is not the inputs'."""
    outputs: int = 1
    """How many; SPLIT gives any number."""


OPERATORS = {
    "Identity": Operator(rule=Rule.EACH, types=(*EVERY_TYPE, *PACKED_TYPES)),
    "Neg": Operator(rule=Rule.EACH, types=_SIGNED),
    "Abs": Operator(rule=Rule.EACH, types=NUMBERS),
    "Not": Operator(rule=Rule.EACH, types=("bool",)),
    "NegThenAbs": Operator(rule=Rule.EACH, types=_SIGNED, outputs=2),
    "Add": Operator(rule=Rule.BROADCAST, types=_WIDE, inputs=2),
    "Sub": Operator(rule=Rule.BROADCAST, types=_WIDE, inputs=2),
    "Mul": Operator(rule=Rule.BROADCAST, types=_WIDE, inputs=2),
    "Max": Operator(rule=Rule.BROADCAST, types=(*_WIDE, "uint32", "uint64"), inputs=2),
    "And": Operator(rule=Rule.BROADCAST, types=("bool",), inputs=2),
    "Equal": Operator(rule=Rule.BROADCAST, types=(*_WIDE, "bool"), inputs=2, gives="bool"),
    "Less": Operator(rule=Rule.BROADCAST, types=_WIDE, inputs=2, gives="bool"),
    "Where": Operator(rule=Rule.BROADCAST, types=(*_WIDE, "uint8", "string"), inputs=3),
    "SumAndDifference": Operator(rule=Rule.BROADCAST, types=_WIDE, inputs=2, outputs=2),
    "Concat": Operator(rule=Rule.CONCAT, types=EVERY_TYPE),
    "MatMul": Operator(rule=Rule.MATMUL, types=_WIDE, inputs=2),
    "ReduceMax": Operator(rule=Rule.REDUCE, types=(*_SIGNED, "uint8")),
    "ReduceSumSquare": Operator(rule=Rule.REDUCE, types=(*_FLOATS, "int32")),
    "Transpose": Operator(rule=Rule.TRANSPOSE, types=EVERY_TYPE),
    "Split": Operator(rule=Rule.SPLIT, types=EVERY_TYPE),
    "Flatten": Operator(rule=Rule.FLATTEN, types=EVERY_TYPE),
    "Shape": Operator(rule=Rule.SHAPE, types=EVERY_TYPE, gives="int64"),
}
"""By name: ONNX's own, or one that stands for two nodes with an output each."""


class Layout(StrEnum):
    """How an input lies in memory; what cannot lie so, as a scalar, lies as near as it can."""

    CONTIGUOUS = "contiguous"
    READ_ONLY = "read-only"
    FORTRAN = "fortran"
    TRANSPOSED = "transposed"
    WINDOW = "window"
    """A part of a larger array."""
    STRIDED = "strided"
    """Every other element along each axis."""
    REVERSED = "reversed"
    """Negative strides."""
    BROADCAST = "broadcast"
    """Strides of zero: the same element again along each axis."""
    UNALIGNED = "unaligned"
    SUBCLASS = "subclass"
    SPELLED_OTHERWISE = "spelled otherwise"
    """The same type under another name: long long for long, fixed-width strings for objects."""


class Values(StrEnum):
    """What stands in an input."""

    SMALL = "small"
    """Whole numbers of one digit: every sum and product of them is exact in every type."""
    WIDE = "wide"
    """Integers of all their bits."""
    SPECIAL = "special"
    """Infinities, NaN, negative zero, the largest and the smallest; strings with odd characters."""


class Binding(StrEnum):
    """How the inputs are handed over."""

    BY_NAME = "by name"
    BACKWARDS = "by name, the last first"
    BY_POSITION = "by position"


@dataclass(frozen=True, kw_only=True)
class ShapeModel(PlainRecord):
    """One operator with its slots."""

    operator: str
    type: str
    """The element type in ONNX Runtime's spelling."""
    names: list[str]
    """Of the inputs."""
    inputs: list[Dims]
    results: list[str]
    """The names of the outputs."""
    outputs: list[Dims]
    attributes: dict[str, int | list[int]]


@dataclass(frozen=True, kw_only=True)
class ShapeRun(PlainRecord):
    """One run: the size of each symbol, and what the inputs are and lie like."""

    sizes: dict[str, int]
    seed: int
    layouts: list[str]
    values: str = Values.SMALL
    binding: str = Binding.BY_NAME


class Wrong(StrEnum):
    """What can be wrong with the inputs of a run."""

    TYPE = "type"
    BYTE_ORDER = "byte order"
    RANK = "rank"
    RANK_OF_SCALAR = "rank of a scalar"
    SIZE = "size"
    TWO_SIZES = "two sizes"
    """Of one name."""
    ONE_EMPTY = "one empty"
    """Of those that have a name in common."""
    MISSING = "missing"
    UNKNOWN = "unknown"
    TOO_MANY = "too many"
    NOT_AN_ARRAY = "not an array"
    MASKED = "masked"
    OBJECTS = "objects"
    """Among strings, what is none."""


@dataclass(frozen=True, kw_only=True)
class Fault(PlainRecord):
    """What is wrong with one input of a run."""

    wrong: str
    input: int = 0
    detail: str = ""
    """The type given instead, the unknown name, what stands in place of an array."""
    axis: int = 0
    by: int = 0
    """By how much the rank or a size is off."""


@dataclass(frozen=True, kw_only=True)
class ShapeExample:
    """One example of the suite: a model, what is run, and what goes wrong between."""

    model: ShapeModel
    runs: list[ShapeRun]
    faults: list[Fault]

    def to_json(self) -> dict[str, Any]:
        """Return what ``from_json`` reads back."""
        return {
            "model": self.model.to_json(),
            "runs": [run.to_json() for run in self.runs],
            "faults": [fault.to_json() for fault in self.faults],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Return the example that was written."""
        return cls(
            model=ShapeModel.from_json(data["model"]),
            runs=[ShapeRun.from_json(run) for run in data["runs"]],
            faults=[Fault.from_json(fault) for fault in data["faults"]],
        )
