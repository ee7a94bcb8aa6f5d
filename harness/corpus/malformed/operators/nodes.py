"""A node with impossible attributes or inputs, and the model that is made of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from harness.corpus.malformed.faults import Malformed
from harness.wire.malformed import Right, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

Array = np.ndarray[Any, Any]

OPSETS = {"": 17, "ai.onnx.ml": 3, "com.microsoft": 1}
"""Old enough for every release under test, unless a node says otherwise."""

VAST, LEAST, MOST = 2**62, -(2**63), 2**63 - 1
NAN, INF = float("nan"), float("inf")

MEANING = "what numpy or the standard's text would make of it, the same each time"


class Form(StrEnum):
    """When the build comes to know the inputs; the value ends the id of the case."""

    GIVEN = ""
    """All when it runs, and their shapes too, but for the rank."""
    CONSTANT = "-constant"
    """The parameters when the session is created, the data when it runs."""
    UNRANKED = "-unranked"
    """All when it runs, and no rank before: what the kernel does not check, nobody does."""
    FOLDED = "-folded"
    """All when the session is created, so that the build may compute the node there."""


CONSTANT, UNRANKED, FOLDED = Form.CONSTANT, Form.UNRANKED, Form.FOLDED


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """An input that most models have as a constant."""

    value: Array


@dataclass(frozen=True, kw_only=True)
class Node:
    """One operator, and what is wrong with it."""

    op: str
    """With its domain, where that is not ONNX's own."""
    what: str
    inputs: tuple[Any, ...]
    """Arrays, lists of arrays (sequences), Parameters, and None for one that is left out."""
    attributes: dict[str, Any]
    """None stands for one that is left out."""
    outputs: tuple[str, ...]
    """The type of each, as ONNX writes it; "" for one that is left out."""
    opset: int
    form: Form
    then: str
    """An operator that the output goes through, so that a random one can be the same each time."""

    def malformed(self) -> Malformed:
        """Return the case of the node: refused at any stage, or the same answer each time."""
        return Malformed(
            id=f"operators/{self.op}/{self.what}{self.form}",
            model=self.model().SerializeToString(deterministic=True),
            right=Right.EITHER,
            latest=Stage.RUN,
            meaning=MEANING,
            inputs=[value for _, value in self._given()],
        )

    def model(self) -> onnx.ModelProto:
        """Return a model of this node alone."""
        domain, _, name = self.op.rpartition(".")
        opset = self.opset or OPSETS[domain]
        outputs = [f"y{index}" if kind else "" for index, kind in enumerate(self.outputs)]
        between = ["random"] if self.then else outputs
        node = helper.make_node(name, [name for name, _ in self._named()], between, domain=domain)
        given = {key: value for key, value in self.attributes.items() if value is not None}
        node.attribute.extend(_attribute(key, value) for key, value in given.items())
        graph = helper.make_graph(
            [node, *([helper.make_node(self.then, between, outputs)] if self.then else [])],
            "g",
            [
                helper.make_value_info(name, self._type(name, value))
                for name, value in self._given()
            ],
            [
                helper.make_value_info(name, _named_type(kind))
                for name, kind in zip(outputs, self.outputs, strict=True)
                if kind
            ],
            [numpy_helper.from_array(value, name) for name, value in self._constant()],
        )
        imports = {"": OPSETS[""], domain: opset}
        return helper.make_model(
            graph,
            ir_version=8 if opset < 19 else 9 if opset < 21 else 10,  # noqa: PLR2004 - the standard's
            opset_imports=[helper.make_opsetid(*item) for item in imports.items()],
        )

    def _type(self, name: str, value: Any) -> onnx.TypeProto:
        made = _type_of(name, value)
        if self.form is Form.UNRANKED:
            made.tensor_type.ClearField("shape")
        return made

    def _named(self) -> Iterator[tuple[str, Any]]:
        for index, value in enumerate(self.inputs):
            yield ("" if value is None else f"x{index}"), value

    def _given(self) -> list[tuple[str, Any]]:
        return [(n, _plain(v)) for n, v in self._named() if v is not None and not self._fixes(v)]

    def _constant(self) -> list[tuple[str, Any]]:
        return [(n, _plain(v)) for n, v in self._named() if v is not None and self._fixes(v)]

    def _fixes(self, value: Any) -> bool:
        is_parameter = isinstance(value, Parameter)
        return self.form is Form.FOLDED or (self.form is Form.CONSTANT and is_parameter)


def node(
    name: str,
    *inputs: Any,
    out: str = "float",
    opset: int = 0,
    form: Form = Form.GIVEN,
    then: str = "",
    **attributes: Any,
) -> Node:
    """Return a node by a name such as ``Conv/stride-0``; `out` has a type for each output."""
    op, _, what = name.partition("/")
    return Node(
        op=op,
        what=what,
        inputs=inputs,
        attributes=attributes,
        outputs=("bool",) if then else tuple(out.split(",")),
        opset=opset,
        form=form,
        then=then,
    )


def p(value: Array) -> Parameter:
    """Return an input that most models have as a constant."""
    return Parameter(value=value)


def ramp(*shape: int, dtype: str = "float32") -> Array:
    """Return 1, 2, 3, … in a shape."""
    return np.arange(1, 1 + int(np.prod(shape))).astype(dtype).reshape(shape)


def full(shape: tuple[int, ...], value: Any, dtype: str = "float32") -> Array:
    """Return one value everywhere in a shape."""
    return np.full(shape, value, dtype)


def f32(*values: float, shape: tuple[int, ...] = (-1,)) -> Array:
    """Return numbers in a shape, or in a row."""
    return np.array(values, np.float32).reshape(shape)


def i64(*values: int, shape: tuple[int, ...] = (-1,)) -> Array:
    """Return integers in a shape, or in a row."""
    return np.array(values, np.int64).reshape(shape)


def i32(*values: int, shape: tuple[int, ...] = (-1,)) -> Array:
    """Return short integers in a shape, or in a row."""
    return np.array(values, np.int32).reshape(shape)


def u8(*values: int, shape: tuple[int, ...] = (-1,)) -> Array:
    """Return bytes in a shape, or in a row."""
    return np.array(values, np.uint8).reshape(shape)


def words(*values: str, shape: tuple[int, ...] = (-1,)) -> Array:
    """Return strings in a shape, or in a row."""
    return np.array(values, object).reshape(shape)


ONE, ZERO = f32(1, shape=()), u8(0, shape=())
"""The scale and the zero point that change nothing."""


def tensor(array: Array) -> onnx.TensorProto:
    """Return the value of an attribute that is a tensor."""
    return numpy_helper.from_array(array)


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Parameter) else value


def _attribute(name: str, value: Any) -> onnx.AttributeProto:
    if value == []:
        return onnx.AttributeProto(name=name, type=onnx.AttributeProto.INTS)
    return helper.make_attribute(name, value)


def _type_of(name: str, value: Any) -> onnx.TypeProto:
    """Return the type of a value, with dimensions that nobody knows before it is given."""
    if isinstance(value, list):
        return helper.make_sequence_type_proto(_type_of(name, value[0]))
    of = helper.np_dtype_to_tensor_dtype(value.dtype)
    return helper.make_tensor_type_proto(of, [f"{name}_{axis}" for axis in range(value.ndim)])


def _named_type(name: str) -> onnx.TypeProto:
    if name.startswith("seq "):
        return helper.make_sequence_type_proto(_named_type(name.removeprefix("seq ")))
    made = onnx.TypeProto()
    made.tensor_type.elem_type = onnx.TensorProto.DataType.Value(name.upper())
    return made
