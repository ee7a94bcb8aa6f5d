"""Every number as an element type, at every place of a model that holds one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

import numpy as np

from harness.corpus.malformed import valid_models as models
from harness.corpus.malformed.edits import at, edited
from harness.corpus.malformed.faults import Malformed
from harness.corpus.malformed.valid_models import Valid, X, valid
from harness.wire.malformed import Right
from harness.wire.values import ElementType

if TYPE_CHECKING:
    from collections.abc import Iterator

WRAPS = 2**32 + 1
"""FLOAT to a parser that keeps 32 bits, as protobuf's does."""

NUMBERS = (
    *range(max(ElementType) + 4),
    *(63, 64, 127, 128, 255, 256, 1000, 65535, 65537, 2**31 - 1, -1, -2, -128, -(2**31), WRAPS),
)


class Sense(Enum):
    """What another element type at a place makes of the model."""

    NONE = auto()
    """A contradiction, whichever it is."""
    SILENT = auto()
    """The same, but for UNDEFINED: that is silence, and the type follows from the nodes."""
    ITS_OWN = auto()
    """With a real one another model, which may be valid; none with any other."""
    HINT = auto()
    """The same model: nothing follows from what stands there."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """One place that holds an element type, in a model that is valid as it is."""

    id: str
    valid: Valid
    paths: tuple[str, ...]
    """Where it stands; several where all of them change together."""
    sense: Sense


def place(id_: str, of: Valid, sense: Sense, *paths: str) -> Place:
    """Return a place, a line each."""
    return Place(id=id_, valid=of, paths=paths, sense=sense)


INPUT, OUTPUT = "graph.input[0].type.", "graph.output[0].type."
TENSOR, SEQUENCE, MAP = "tensor_type.elem_type", "sequence_type.elem_type.", "map_type.value_type."
OPTIONAL = "optional_type.elem_type."
FIRST = "graph.node[0].attribute[0]."
SECOND = "graph.node[0].attribute[1]."


def _has_unused(kind: str) -> Valid:
    """Return a model with an input of a kind that no operator takes."""
    return valid(f"g (float[3] x, {kind} u) => (float[3] y) {{ y = Identity(x) }}", None, None)


def _shape_of(node: str, shape: list[int], *, opset: int = 13) -> Valid:
    """Return a model that tells the shape of what a node makes, be that random."""
    graph = "g (float[3,3] x) => (int64[N] y) <int64 n = {4}>"
    body = f"{{ t = {node}  y = Shape(t) }}"
    ones = np.ones((3, 3), np.float32)
    return valid(f"{graph} {body}", (ones,), (np.array(shape),), opsets=f'"": {opset}')


def _places() -> Iterator[Place]:
    yield from _of_graphs()
    yield from _of_tensors()
    yield from _of_attributes()
    yield from _of_containers()
    yield from _of_bodies()


def _of_graphs() -> Iterator[Place]:
    x, y = INPUT + TENSOR, OUTPUT + TENSOR
    unused = _has_unused("float[3]")
    default = valid("g (float[3] x, float[3] w = {1, 1, 1}) => (float[3] y) { y = Mul(x, w) }")
    nothing = valid("g (float[3] x) => (float[3] y) <float[3] t> { y = Identity(x) }")
    without_shape = valid("g (float x) => (float y) { y = Identity(x) }", None, None)
    yield place("graph-input", models.IDENTITY, Sense.NONE, x)
    yield place("graph-output", models.IDENTITY, Sense.SILENT, y)
    yield place("graph-input-and-output", without_shape, Sense.ITS_OWN, x, y)
    yield place("graph-input-unused", unused, Sense.ITS_OWN, "graph.input[1].type." + TENSOR)
    yield place("input-with-default", default, Sense.NONE, "graph.input[1].type." + TENSOR)
    yield place("value-info", models.TWO_NODES, Sense.HINT, "graph.value_info[0].type." + TENSOR)
    yield place("value-info-unused", nothing, Sense.HINT, "graph.value_info[0].type." + TENSOR)


def _of_tensors() -> Iterator[Place]:
    w = "graph.initializer[0].data_type"
    quantize = valid(
        "g (float[3] x) => (uint8[3] y) <float s = {1}, uint8 z = {0}> "
        "{ y = QuantizeLinear(x, s, z) }",
        outputs=(X.astype(np.uint8),),
    )
    filled = valid(
        "g (int64[1] s) => (float[N] y) { y = ConstantOfShape<value = float[1] {2}>(s) }",
        (np.array([2]),),
        (np.array([2, 2], np.float32),),
    )
    yield place("initializer", models.INITIALIZER, Sense.NONE, w)
    yield place("initializer-typed-data", models.TYPED_INITIALIZER, Sense.NONE, w)
    yield place("initializer-unused", models.UNUSED_INITIALIZER, Sense.HINT, w)
    yield place("zero-point", quantize, Sense.NONE, "graph.initializer[1].data_type")
    for part in ("values", "indices"):
        sparse = f"graph.sparse_initializer[0].{part}.data_type"
        yield place(f"sparse-{part}", models.SPARSE_INITIALIZER, Sense.NONE, sparse)
        constant = f"{FIRST}sparse_tensor.{part}.data_type"
        yield place(f"constant-sparse-{part}", models.SPARSE_CONSTANT, Sense.NONE, constant)
    yield place("constant", models.CONSTANT, Sense.NONE, f"{FIRST}t.data_type")
    yield place("constant-of-shape", filled, Sense.NONE, f"{FIRST}t.data_type")


def _of_attributes() -> Iterator[Place]:
    eye = valid(
        "g (float[2,2] x) => (float[2,2] y) { y = EyeLike<dtype = 1>(x) }",
        (np.ones((2, 2), np.float32),),
        (np.eye(2, dtype=np.float32),),
    )
    empty = valid(
        "g () => (int64 y) { s = SequenceEmpty<dtype = 1>()  y = SequenceLength(s) }",
        (),
        (np.array(0),),
    )
    yield place("cast-to", models.CAST, Sense.NONE, f"{FIRST}i")
    yield place("cast-to-and-output", models.CAST, Sense.ITS_OWN, f"{FIRST}i", OUTPUT + TENSOR)
    yield place("eye-like-dtype", eye, Sense.NONE, f"{FIRST}i")
    yield place("sequence-empty-dtype", empty, Sense.ITS_OWN, f"{FIRST}i")
    yield place("optional-type", models.OPTIONAL_CONSTANT, Sense.ITS_OWN, f"{FIRST}tp.{TENSOR}")
    for name, node, shape, opset in (
        ("random-uniform", "RandomUniform<dtype = 1, shape = [2]>()", [2], 13),
        ("random-uniform-like", "RandomUniformLike<dtype = 1>(x)", [3, 3], 13),
        ("random-normal", "RandomNormal<dtype = 1, shape = [2]>()", [2], 13),
        ("random-normal-like", "RandomNormalLike<dtype = 1>(x)", [3, 3], 13),
        ("bernoulli", "Bernoulli<dtype = 1>(x)", [3, 3], 15),
        ("multinomial", "Multinomial<dtype = 6>(x)", [3, 1], 13),
        ("blackman-window", "BlackmanWindow<output_datatype = 1>(n)", [4], 17),
    ):
        source = _shape_of(node, shape, opset=opset)
        yield place(f"{name}-dtype", source, Sense.ITS_OWN, f"{FIRST}i")


def _of_containers() -> Iterator[Place]:
    dictionary = ', "ai.onnx.ml": 1'
    vector = valid(
        "g (map(string, float) x) => (float[1,2] y) "
        '{ y = ai.onnx.ml.DictVectorizer<string_vocabulary = ["a", "b"]>(x) }',
        ({"a": np.float32(1), "b": np.float32(2)},),
        (np.array([[1, 2]], np.float32),),
        opsets=f'"": 13{dictionary}',
    )
    zipped = valid(
        "g (float[1,2] x) => (seq(map(string, float)) y) "
        '{ y = ai.onnx.ml.ZipMap<classlabels_strings = ["a", "b"]>(x) }',
        (np.ones((1, 2), np.float32),),
        None,
        opsets=f'"": 13{dictionary}',
    )
    has = "g ({} x) => (bool y) {{ y = OptionalHasElement(x) }}"
    optional = valid(has.format("optional(float[2])"), None, None, opsets='"": 15')
    nested = valid(has.format("optional(seq(float[2]))"), None, None, opsets='"": 15')
    made = valid(
        "g (float[3] x) => (seq(float[3]) y) { y = SequenceConstruct(x, x) }", (X,), ([X, X],)
    )
    counted = valid("g (seq(float[2]) x) => (int64 y) { y = SequenceLength(x) }", None, None)
    yield place("sequence", counted, Sense.ITS_OWN, INPUT + SEQUENCE + TENSOR)
    unused = "graph.input[1].type."
    for kind, text, path in (
        ("sequence-of-sequence", "seq(seq(float[2]))", SEQUENCE + SEQUENCE + TENSOR),
        ("sequence-of-map", "seq(map(int64, float))", SEQUENCE + MAP + TENSOR),
        ("map-of-sequence", "map(int64, seq(float))", MAP + SEQUENCE + TENSOR),
        ("optional-of-map", "optional(map(int64, float))", OPTIONAL + MAP + TENSOR),
        ("sparse-input", "sparse_tensor(float[3])", "sparse_tensor_type.elem_type"),
    ):
        yield place(kind, _has_unused(text), Sense.ITS_OWN, unused + path)
    yield place("sequence-output", made, Sense.SILENT, OUTPUT + SEQUENCE + TENSOR)
    yield place("optional", optional, Sense.ITS_OWN, INPUT + OPTIONAL + TENSOR)
    yield place("optional-sequence", nested, Sense.ITS_OWN, INPUT + OPTIONAL + SEQUENCE + TENSOR)
    yield place("map-key", vector, Sense.NONE, INPUT + "map_type.key_type")
    yield place("map-value", vector, Sense.NONE, INPUT + MAP + TENSOR)
    yield place("map-output-key", zipped, Sense.NONE, OUTPUT + SEQUENCE + "map_type.key_type")
    yield place("map-output-value", zipped, Sense.SILENT, OUTPUT + SEQUENCE + MAP + TENSOR)


def _of_bodies() -> Iterator[Place]:
    then, other = f"{FIRST}g.", f"{SECOND}g."
    yield place("if-output", models.IF, Sense.SILENT, f"{then}output[0].type.{TENSOR}")
    yield place("if-value-info", models.IF, Sense.HINT, f"{then}value_info[0].type.{TENSOR}")
    yield place("if-initializer", models.IF, Sense.NONE, f"{other}initializer[0].data_type")
    yield place("if-constant", models.IF, Sense.NONE, f"{other}node[0].attribute[0].t.data_type")
    yield place("if-cast", models.IF, Sense.NONE, f"{other}node[1].attribute[0].i")
    for name, index in (("iteration", 0), ("condition", 1), ("carried", 2)):
        path = f"{FIRST}g.input[{index}].type.{TENSOR}"
        yield place(f"loop-{name}", models.LOOP, Sense.SILENT, path)
    for name, index in (("condition-output", 0), ("output", 1)):
        path = f"{FIRST}g.output[{index}].type.{TENSOR}"
        yield place(f"loop-{name}", models.LOOP, Sense.SILENT, path)
    yield place("loop-initializer", models.LOOP, Sense.NONE, f"{FIRST}g.initializer[0].data_type")
    yield place("loop-cast", models.LOOP, Sense.NONE, f"{FIRST}g.node[2].attribute[0].i")
    yield place("scan-input", models.SCAN, Sense.SILENT, f"{SECOND}g.input[0].type.{TENSOR}")
    yield place("scan-output", models.SCAN, Sense.SILENT, f"{SECOND}g.output[0].type.{TENSOR}")
    yield place("scan-initializer", models.SCAN, Sense.NONE, f"{SECOND}g.initializer[0].data_type")
    body = "functions[0].node"
    yield place(
        "function-constant", models.FUNCTION, Sense.NONE, f"{body}[0].attribute[0].t.data_type"
    )
    yield place("function-cast", models.FUNCTION, Sense.NONE, f"{body}[1].attribute[0].i")


UNNAMEABLE = {
    "nothing": "",
    "undefined": "tensor(undefined)",
    "number": "tensor(0)",
    "later-type": "tensor(float3)",
    "upper-case": "tensor(FLOAT)",
    "opaque": "opaque(nowhere,thing)",
    "no-tensor": "float",
    "two": "map(tensor(int64),tensor(float))",
    "sequence-of-undefined": "seq(tensor(undefined))",
    "optional-of-nothing": "optional(tensor())",
}
"""What a build may tell of a slot that no element type can be read from."""


def element_types() -> Iterator[Malformed]:
    """Return every number at every place; the usual one is the proof that the model is valid."""
    yield from _told_by_the_build()
    for place_ in _places():
        for number in NUMBERS:
            yield _with(place_, number)


def _told_by_the_build() -> Iterator[Malformed]:
    """Return a sound model of which the build tells types that the backend cannot name."""
    for slot in ("x", "y"):
        for name, told in UNNAMEABLE.items():
            yield Malformed(
                id=f"element-type/told-of-{'input' if slot == 'x' else 'output'}/{name}",
                model=models.IDENTITY.serialized,
                right=Right.REFUSAL,
                meaning="the backend can name no element type",
                inputs=models.IDENTITY.inputs,
                declares={slot: told},
            )


def _with(place_: Place, number: int) -> Malformed:
    source, sense = place_.valid, place_.sense
    usual = at(source.model(), place_.paths[0])
    wraps = usual == ElementType.FLOAT and not place_.paths[0].endswith(".i")  # that has 64 bits
    same = number == usual or (number == WRAPS and wraps)
    silent = number == 0 and sense is Sense.SILENT
    keeps = same or silent or sense is Sense.HINT
    if number == usual and source.outputs is not None:
        right = Right.ACCEPTANCE
    elif keeps or (sense is Sense.ITS_OWN and number in list(ElementType)):
        right = Right.EITHER
    else:
        right = Right.REFUSAL
    return Malformed(
        id=f"element-type/{place_.id}/{number}",
        model=edited(source.model(), number, *place_.paths),
        right=right,
        meaning=_meaning(right, keeps=keeps),
        inputs=source.inputs if keeps else None,
        outputs=source.outputs if keeps else None,
    )


def _meaning(right: Right, *, keeps: bool) -> str:
    if right is Right.REFUSAL:
        return "the number is no element type, or another one than the rest of the model says"
    return "the model answers as with the usual type" if keeps else "another type, a real one"
