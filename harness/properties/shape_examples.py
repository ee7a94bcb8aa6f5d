"""What each property of the suite `shapes` draws its examples from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import assume
from hypothesis import strategies as st

from harness.properties.shape_models import HIGHEST_RANK, Wanted, models_with_runs
from harness.wire.shapes import (
    EVERY_TYPE,
    OPERATORS,
    PACKED_TYPES,
    Binding,
    Fault,
    Layout,
    Rule,
    ShapeExample,
    ShapeModel,
    Values,
    Wrong,
)

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

MOVING = ("Identity", "Transpose", "Concat", "Split", "Flatten")
"""Operators that hand every element on as it is."""

REGROUPING = ("MatMul", "ReduceMax", "ReduceSumSquare", "Flatten")
"""Operators whose output is not empty, or empty otherwise, where an input is empty."""

NOT_REGROUPING = tuple(name for name in OPERATORS if name not in REGROUPING)

BROADCASTING = tuple(name for name, how in OPERATORS.items() if how.rule is Rule.BROADCAST)

OF_INTEGERS = (*MOVING, "Neg", "Add", "Sub", "Mul", "Equal", "Less")

NARROW = ("int32", "uint32", "int16", "int8", "uint16", "uint8")
"""Integers of fewer than 64 bits."""

ODD_NAMES = ("x", "X", "x_", "x:0", "a/b", "a.b", "ünï", "with space", "0", "日本", "x" * 300)
"""Names that look alike, and names that other programs could not have."""

NOT_OF_ONNX = ("complex64", "complex128", "g", "M8[s]", "m8[D]", "V4")
"""numpy's types that no model takes."""

NO_ARRAYS = (
    "list",
    "tuple",
    "number",
    "numpy scalar",
    "bytes",
    "memoryview",
    "text",
    "nothing",
    "map",
    "has an array",
    "object",
)
OBJECTS = ("bytes", "number", "nothing")

HIGHEST = 10
"""More than any axis of a wrong input has."""

FOR_THE_BUILD = (Wrong.RANK_OF_SCALAR, Wrong.TWO_SIZES, Wrong.ONE_EMPTY)
"""What the backend does not look at."""


@st.composite
def _valid(draw: DrawFn, wanted: Wanted) -> dict[str, Any]:
    model, runs = draw(models_with_runs(wanted))
    return ShapeExample(model=model, runs=runs, faults=[]).to_json()


@st.composite
def _invalid(draw: DrawFn, wrongs: tuple[Wrong, ...], wanted: Wanted) -> dict[str, Any]:
    """Return a model, a run with each of some faults, and a right run after each of them."""
    model, runs = draw(models_with_runs(wanted))
    faults = [_fault(draw, draw(st.sampled_from(wrongs)), model) for _ in runs[1:]]
    return ShapeExample(model=model, runs=runs, faults=faults).to_json()


def _refusing(*wrongs: Wrong, **wanted: Any) -> SearchStrategy[dict[str, Any]]:
    asked = {"ranks": (0, 3), "sizes": (2, 3, 1), "runs": (2, 2), **wanted}
    return _invalid(wrongs, Wanted(**asked))


def _fault(draw: DrawFn, wrong: Wrong, model: ShapeModel) -> Fault:
    at = draw(st.integers(0, len(model.inputs) - 1))
    faults = [Fault(**{"wrong": wrong, "input": at, **one}) for one in _ways(wrong, model, at)]
    assume(faults)
    return draw(st.sampled_from(faults))


def _ways(wrong: Wrong, model: ShapeModel, at: int) -> list[dict[str, Any]]:
    """Return in which ways an input can be wrong so, as fields of a fault; it may be in none."""
    of = "bool" if model.operator == "Where" and at == 0 else model.type
    dims, name = model.inputs[at], model.names[at]
    near = (f"{name}_", f"{name}:0", name.upper(), f" {name}", name[:-1], "")
    ranks = (1, 2, *range(-len(dims), 0)) if dims else ()  # the backend knows no rank of a scalar
    others = [size for n, slot in enumerate(model.inputs) if n != at for size in slot]
    shared = [axis for axis, size in enumerate(dims) if size in others]
    ways: dict[Wrong, list[dict[str, Any]]] = {
        Wrong.TYPE: [{"detail": one} for one in (*EVERY_TYPE, *NOT_OF_ONNX) if one != of],
        Wrong.BYTE_ORDER: [{}] if of not in ("bool", "int8", "uint8") else [],
        Wrong.RANK: [{"by": by} for by in ranks],
        Wrong.SIZE: [
            {"axis": axis, "by": by}
            for axis, size in enumerate(dims)
            if isinstance(size, int)
            for by in (1, 2, 10, *range(-size, 0))
        ],
        Wrong.RANK_OF_SCALAR: [] if dims else [{"by": 1}, {"by": 2}],
        Wrong.TWO_SIZES: [{"axis": axis, "by": by} for axis in shared for by in (1, 2)],
        Wrong.ONE_EMPTY: [{"axis": axis, "by": -HIGHEST} for axis in shared],
        Wrong.MISSING: [{}],
        Wrong.UNKNOWN: [{"detail": one} for one in near if one not in model.names],
        Wrong.TOO_MANY: [{"by": by} for by in (1, 2, 3)],
        Wrong.NOT_AN_ARRAY: [{"detail": one} for one in NO_ARRAYS],
        Wrong.MASKED: [{}],
        Wrong.OBJECTS: [{"detail": one} for one in OBJECTS] if of == "string" else [],
    }
    return ways[wrong]


TIED = ("Concat", "Add", "Max", "Where", "SumAndDifference")
"""Operators of several inputs whose sizes must fit."""

NAMED: dict[str, Any] = {"ranks": (1, 3), "declared": ("named",)}
"""Models in which a name stands for a size of several inputs."""

EXAMPLES: dict[str, SearchStrategy[dict[str, Any]]] = {
    "valid/ranks": _valid(Wanted(ranks=(0, HIGHEST_RANK), types=("float", "int32", "bool"))),
    "valid/zero-sized": _valid(Wanted(operators=NOT_REGROUPING, sizes=(2, 0, 1, 3), empty=True)),
    "valid/zero-sized-regrouped": _valid(
        Wanted(
            operators=REGROUPING,
            types=("float", "double", "int32", "int64"),
            sizes=(2, 0, 1, 3),
            empty=True,
        )
    ),
    "valid/types": _valid(Wanted(ranks=(0, 3))),
    "valid/packed-types": _valid(Wanted(operators=("Identity",), types=PACKED_TYPES[:3])),
    "valid/types-of-4-bits": _valid(Wanted(operators=("Identity",), types=PACKED_TYPES[3:])),
    "valid/integers-of-64-bits": _valid(
        Wanted(operators=OF_INTEGERS, types=("int64", "uint64"), values=Values.WIDE)
    ),
    "valid/integers-of-fewer-bits": _valid(
        Wanted(operators=OF_INTEGERS, types=NARROW, values=Values.WIDE)
    ),
    "valid/extremes-of-integers": _valid(
        Wanted(operators=("Max", "Abs", "ReduceMax"), types=NARROW, values=Values.WIDE)
    ),
    "valid/special-floats": _valid(
        Wanted(
            operators=(*MOVING, "Neg", "Abs"),
            types=("float", "double", "float16"),
            values=Values.SPECIAL,
        )
    ),
    "valid/strings": _valid(
        Wanted(
            types=("string",),
            values=Values.SPECIAL,
            layouts=tuple(Layout),
        )
    ),
    "valid/layouts": _valid(Wanted(ranks=(1, 4), sizes=(2, 3, 1, 5), layouts=tuple(Layout)[1:])),
    "valid/broadcast": _valid(Wanted(operators=BROADCASTING, ranks=(0, 5), layouts=tuple(Layout))),
    "valid/many-runs": _valid(
        Wanted(
            ranks=(1, 4),
            runs=(2, 6),
            sizes=(2, 3, 1, 7),
            declared=("named", "anonymous", "static"),
            layouts=(Layout.CONTIGUOUS, Layout.TRANSPOSED),
        )
    ),
    "valid/many-runs-some-empty": _valid(
        Wanted(
            operators=NOT_REGROUPING,
            ranks=(1, 3),
            runs=(2, 6),
            sizes=(2, 0, 3),
            declared=("named", "anonymous"),
        )
    ),
    "valid/large": _valid(
        Wanted(
            operators=("Identity", "Neg", "Add", "Concat", "Transpose", "Split", "Where"),
            types=("float", "int64", "uint8"),
            ranks=(1, 4),
            sizes=(1, 2, 1000, 30_011, 300_007),
            most_elements=600_000,
        )
    ),
    "valid/names": _valid(
        Wanted(
            operators=("Sub", "Where", "SumAndDifference", "NegThenAbs", "Split", "Concat"),
            ranks=(1, 2),
            names=ODD_NAMES,
            results=tuple(f"{name}'s" for name in ODD_NAMES),
            bindings=tuple(Binding),
        )
    ),
    "valid/two-sessions": _valid(Wanted(runs=(2, 2), ranks=(0, 3))),
    "invalid/type": _refusing(Wrong.TYPE),
    "invalid/byte-order": _refusing(Wrong.BYTE_ORDER),
    "invalid/rank": _refusing(Wrong.RANK, ranks=(1, 4)),
    "invalid/size": _refusing(Wrong.SIZE, ranks=(1, 4), declared=("static", "static", "named")),
    "invalid/names": _refusing(
        Wrong.MISSING, Wrong.UNKNOWN, names=ODD_NAMES[:-1], bindings=tuple(Binding)
    ),
    "invalid/too-many": _refusing(Wrong.TOO_MANY),
    "invalid/not-an-array": _refusing(Wrong.NOT_AN_ARRAY, Wrong.MASKED, bindings=tuple(Binding)),
    "invalid/not-strings": _refusing(Wrong.OBJECTS, types=("string",), sizes=(2, 3)),
    "invalid/one-after-another": _refusing(
        *(one for one in Wrong if one not in FOR_THE_BUILD and one is not Wrong.OBJECTS),
        ranks=(1, 3),
        runs=(2, 6),
    ),
    "build/type": _refusing(Wrong.TYPE, types=EVERY_TYPE[:-1]),
    "build/byte-order": _refusing(Wrong.BYTE_ORDER, types=EVERY_TYPE[:-1]),
    "build/byte-order-of-strings": _refusing(Wrong.BYTE_ORDER, types=("string",), sizes=(2, 3)),
    "build/rank": _refusing(Wrong.RANK, ranks=(1, 4)),
    "build/size": _refusing(Wrong.SIZE, ranks=(1, 4), declared=("static", "static", "named")),
    "build/names": _refusing(Wrong.MISSING, Wrong.UNKNOWN),
    "build/not-an-array": _refusing(Wrong.NOT_AN_ARRAY, ranks=(1, 3)),
    "build/rank-of-scalar": _refusing(
        Wrong.RANK_OF_SCALAR, operators=("Identity", "Neg", "Abs"), ranks=(0, 0)
    ),
    "build/one-name-two-sizes": _refusing(Wrong.TWO_SIZES, operators=TIED, **NAMED),
    "build/one-name-one-empty": _refusing(Wrong.ONE_EMPTY, operators=TIED[1:], **NAMED),
    "build/concat-one-empty": _refusing(Wrong.ONE_EMPTY, operators=("Concat",), **NAMED),
    "build/vectors-of-two-sizes": _refusing(
        Wrong.TWO_SIZES, Wrong.ONE_EMPTY, operators=("MatMul",), **{**NAMED, "ranks": (1, 1)}
    ),
}
"""The examples of each property, by its name within the suite."""
