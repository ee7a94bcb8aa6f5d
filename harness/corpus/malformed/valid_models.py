"""The valid models that faults are put into, with what they answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import ModelProto, SparseTensorProto, TensorProto, helper, parser

if TYPE_CHECKING:
    from collections.abc import Sequence

FLOAT, INT64 = 1, 7

X = np.array([1, 2, 3], np.float32)
TRUE = np.array(1, np.bool_)
THREE = np.array(3)


@dataclass(frozen=True, kw_only=True)
class Valid:
    """A valid model, loaded by every release from 1.16 on, and one run of it."""

    serialized: bytes
    inputs: Sequence[Any] | None
    """None: no run of it is known, so what comes out is only held against what is declared."""
    outputs: Sequence[Any] | None

    def model(self) -> ModelProto:
        """Return the model, to be edited."""
        return ModelProto.FromString(self.serialized)


def valid(
    graph: str,
    inputs: Sequence[Any] | None = (X,),
    outputs: Sequence[Any] | None = (X,),
    *,
    opsets: str = '"": 13',
    functions: str = "",
) -> Valid:
    """Return the model of a graph in ONNX's text form."""
    text = f"<ir_version: 8, opset_import: [{opsets}]> {graph} {functions}"
    made = parser.parse_model(text).SerializeToString()
    return Valid(serialized=made, inputs=inputs, outputs=outputs)


def with_initializer(graph: str, tensor: TensorProto) -> Valid:
    """Return a model without inputs that answers X, with a tensor of the name w in it."""
    made = valid(graph).model()
    tensor.name = "w"
    made.graph.initializer.append(tensor)
    return Valid(serialized=made.SerializeToString(), inputs=(), outputs=(X,))


def raw_tensor() -> TensorProto:
    """Return X as raw bytes."""
    return TensorProto(data_type=FLOAT, dims=[3], raw_data=X.tobytes())


def typed_tensor() -> TensorProto:
    """Return X in the field for its type."""
    return TensorProto(data_type=FLOAT, dims=[3], float_data=X.tolist())


def sparse_tensor(name: str) -> SparseTensorProto:
    """Return X as a sparse tensor that happens to be full."""
    values = raw_tensor()
    values.name = name
    indices = helper.make_tensor(f"{name}_at", INT64, [3], [0, 1, 2])
    return SparseTensorProto(values=values, indices=indices, dims=[3])


def _sparse_initializer() -> Valid:
    made = valid("g () => (float[3] y) { y = Identity(w) }").model()
    made.graph.sparse_initializer.append(sparse_tensor("w"))
    return Valid(serialized=made.SerializeToString(), inputs=(), outputs=(X,))


def _sparse_constant() -> Valid:
    made = valid("g () => (float[3] y) { k = Constant()  y = Identity(k) }").model()
    made.graph.node[0].attribute.append(helper.make_attribute("sparse_value", sparse_tensor("s")))
    return Valid(serialized=made.SerializeToString(), inputs=(), outputs=(X,))


def _optional_constant() -> Valid:
    made = valid("g () => (bool y) { o = Optional()  y = OptionalHasElement(o) }", opsets='"": 15')
    model = made.model()
    of = helper.make_tensor_type_proto(FLOAT, [3])
    model.graph.node[0].attribute.append(helper.make_attribute("type", of))
    return Valid(serialized=model.SerializeToString(), inputs=(), outputs=(np.array(0, np.bool_),))


FROM_W = "g () => (float[3] y) { y = Identity(w) }"

IDENTITY = valid("g (float[3] x) => (float[3] y) { y = Identity(x) }")
TWO_NODES = valid("g (float[3] x) => (float[3] y) <float[3] t> { t = Neg(x)  y = Neg(t) }")
INITIALIZER = with_initializer(FROM_W, raw_tensor())
TYPED_INITIALIZER = with_initializer(FROM_W, typed_tensor())
UNUSED_INITIALIZER = with_initializer(
    "g () => (float[3] y) { y = Constant<value = float[3] {1, 2, 3}>() }", raw_tensor()
)
SPARSE_INITIALIZER = _sparse_initializer()
SPARSE_CONSTANT = _sparse_constant()
CONSTANT = valid("g () => (float[3] y) { y = Constant<value = float[3] {1, 2, 3}>() }", ())
OPTIONAL_CONSTANT = _optional_constant()
CAST = valid("g (float[3] x) => (float[3] y) { y = Cast<to = 1>(x) }")
IF = valid(
    """g (bool c, float[3] x) => (float[3] y) { y = If(c)<
    then_branch = t () => (float[3] a) <float[3] m> { m = Neg(x)  a = Neg(m) },
    else_branch = e () => (float[3] b) <float[3] w = {1, 2, 3}>
        { k = Constant<value = float[3] {0, 0, 0}>()  d = Cast<to = 1>(w)  b = Add(d, k) }> }""",
    (TRUE, X),
)
LOOP = valid(
    """g (int64 n, bool c, float[3] x) => (float[3] y) { y = Loop(n, c, x)<
    body = b (int64 i, bool k, float[3] a) => (bool l, float[3] z) <float[3] w = {0, 0, 0}>
        { l = Identity(k)  s = Add(a, w)  z = Cast<to = 1>(s) }> }""",
    (THREE, TRUE, X),
)
SCAN = valid(
    """g (float[3] x) => (float[3] y) { y = Scan<num_scan_inputs = 1,
    body = b (float a) => (float z) <float w = {0}> { z = Add(a, w) }>(x) }"""
)
FUNCTION = valid(
    "g (float[3] x) => (float[3] y) { y = mine.Same(x) }",
    opsets='"": 13, "mine": 1',
    functions="""<domain: "mine", opset_import: ["": 13]> Same (a) => (b)
    { k = Constant<value = float[3] {0, 0, 0}>()  c = Cast<to = 1>(a)  b = Add(c, k) }""",
)
IF_FROM_WEIGHTS = valid(
    """g (bool c) => (float[3] y) { y = If(c)<
    then_branch = t () => (float[3] a) { a = Constant<value = float[3] {1, 2, 3}>() },
    else_branch = e () => (float[3] b) <float[3] w = {1, 2, 3}> { b = Identity(w) }> }""",
    (np.array(0, np.bool_),),
)
FUNCTION_OF_X = valid(
    "g () => (float[3] y) { y = mine.Made() }",
    (),
    opsets='"": 13, "mine": 1',
    functions="""<domain: "mine", opset_import: ["": 13]> Made () => (b)
    { k = Constant<value = float[3] {1, 2, 3}>()  b = Identity(k) }""",
)
