"""The edges of attributes: which there are of each, and a drawn case with one of them.

An edge case is the first plain case, from the one of its number on, that is not wrong already and
states the attribute; then exactly that attribute of one node is turned to an edge. What the checker
and strict shape inference refuse afterwards is invalid, and of the rest the standard says the
answer only where `DEFINED` has it: on all others the reference evaluator has no vote.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import helper

from harness.errors import ConfigurationError
from harness.generate.drawing import Nothing
from harness.generate.schemas import operator_at

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.generate.description import Description
    from harness.generate.drawing import Drawing, Node


class Edge(StrEnum):
    """How an attribute stands at the edge of its range, or beyond."""

    ZERO = "0"
    MINUS_ONE = "-1"
    LEAST = "the least integer"
    NEGATIVE = "a negative"
    HUGE = "beyond 32 bits"
    NO_FLAG = "neither 0 nor 1"
    BEFORE = "before the first axis"
    BEYOND = "beyond the last axis"
    EMPTY = "nothing in it"
    SHORT = "one too few"
    LONG = "one too many"
    BLANK = "an empty text"
    UNKNOWN = "an unknown text"
    NOT_FINITE = "NaN or infinite"


LEAST = -(2**63)
HUGE = (2**40, 2**63 - 1)
BEYOND_ALL = 9
"""An axis that nothing has whose rank is not known."""
TRIES = 200
"""Plain cases that are looked at for one that states the attribute; most have it early."""
FEW = 10
"""Plain cases that tell whether a chain has attributes at all."""

ALONE: Mapping[str, tuple[Edge, ...]] = {
    "INT": (Edge.ZERO, Edge.MINUS_ONE, Edge.LEAST, Edge.HUGE),
    "FLOAT": (Edge.ZERO, Edge.MINUS_ONE, Edge.NOT_FINITE),
    "STRING": (Edge.BLANK, Edge.UNKNOWN),
    "TENSOR": (Edge.EMPTY,),
}
AXIS = (Edge.BEFORE, Edge.BEYOND, Edge.LEAST)
OF_A_LIST: Mapping[str, tuple[Edge, ...]] = {
    "INTS": (Edge.EMPTY, Edge.SHORT, Edge.LONG),
    "FLOATS": (Edge.EMPTY, Edge.SHORT, Edge.LONG),
    "STRINGS": (Edge.EMPTY, Edge.SHORT),
}
IN_A_LIST: Mapping[str, tuple[Edge, ...]] = {
    "INTS": (Edge.ZERO, Edge.NEGATIVE, Edge.HUGE),
    "FLOATS": (Edge.NOT_FINITE,),
    "STRINGS": (Edge.UNKNOWN,),
}
AXES = ("axis", "axes", "perm", "batch_axis", "time_axis", "batch_dims")
FLAGS = frozenset(
    {
        *("align_corners", "allowzero", "antialias", "ceil_mode", "center_point_box"),
        *("count_include_pad", "detect_negative", "detect_positive", "exclude_outside"),
        *("exclusive", "fmod", "input_forget", "interleaved", "inverse", "is_case_sensitive"),
        *("is_causal", "keepdims", "largest", "layout", "linear_before_reset", "new_axis"),
        *("noop_with_empty_axes", "one_class", "onesided", "periodic", "reverse", "saturate"),
        *("select_last_index", "sorted", "spatial", "storage_order", "training_mode", "transA"),
        *("transB", "upper", "zeros"),
    }
)

SPARED = frozenset(
    (operator, attribute, edge)
    for operators, attributes, edge in (
        # The standard's own shape inference dies of it.
        (("GatherND",), ("batch_dims",), Edge.BEFORE),
        # So much is gone through, or made, before anyone looks at it; by some still in 1.32.0.
        (("Split",), ("num_outputs",), Edge.HUGE),
        (("TfIdfVectorizer",), ("max_skip_count",), Edge.HUGE),
        (("AveragePool", "LpPool", "MaxPool"), ("kernel_shape",), Edge.HUGE),
        (("Col2Im",), ("pads",), Edge.HUGE),
        (("ConvTranspose",), ("output_padding",), Edge.HUGE),
        # Builds up to 1.26.0 read on from where the list ends, and find other numbers each time.
        (("ConvTranspose",), ("output_padding", "strides"), Edge.SHORT),
        # Builds up to 1.29.0 follow a tree's branches round and round.
        (
            ("TreeEnsemble", "TreeEnsembleClassifier", "TreeEnsembleRegressor"),
            ("nodes_truenodeids", "nodes_falsenodeids", "nodes_trueleafs", "nodes_falseleafs"),
            Edge.ZERO,
        ),
    )
    for operator in operators
    for attribute in attributes
)
"""What is never drawn, since it costs each build that hangs two deadlines, or never gets there."""

NUMBERS = (Edge.ZERO, Edge.MINUS_ONE)
CONSTANTS = (
    *("value", "value_float", "value_floats", "value_int", "value_ints", "value_string"),
    "value_strings",
)
DEFINED = frozenset(
    (operator, attribute, edge)
    for operator, attributes, found in (
        ("Constant", CONSTANTS, Edge),
        *(("Elu", ("alpha",), NUMBERS), ("LeakyRelu", ("alpha",), NUMBERS)),
        *(("ThresholdedRelu", ("alpha",), NUMBERS), ("Shrink", ("bias",), NUMBERS)),
        *(("HardSigmoid", ("alpha", "beta"), NUMBERS), ("Selu", ("alpha", "gamma"), NUMBERS)),
        *(("Gemm", ("alpha", "beta"), NUMBERS), ("Resize", ("extrapolation_value",), NUMBERS)),
    )
    for attribute in attributes
    for edge in found
)
"""What the standard's text gives an answer for, as for any other number."""

SAID = {("strides", Edge.ZERO): "a stride of 0", ("dilations", Edge.ZERO): "a dilation of 0"}
"""What families of windows say of the same."""

PLAIN: Mapping[str, Any] = {"INTS": 1, "FLOATS": 1.0, "STRINGS": "a"}
"""What stands in for an item of an attribute that no plain case states."""


@dataclass(frozen=True, kw_only=True)
class AtEdge:
    """One attribute at one of its edges."""

    attribute: str
    of: str
    """The attribute's type, as in INTS."""
    edge: Edge

    def __str__(self) -> str:
        told = SAID.get((self.attribute, self.edge))
        return told or f"an edge of {self.attribute}: {self.edge}"


def edges(name: str, attribute: str, of: str) -> list[AtEdge]:
    """Return the edges of an operator's attribute of a type; a graph has none, nor has a seed."""
    if attribute == "seed":  # any is as good as another
        return []
    is_axis = attribute in AXES or attribute.endswith("_axes")
    single = of.removesuffix("S")
    if attribute in FLAGS:
        found: tuple[Edge, ...] = (Edge.NO_FLAG,)
    elif is_axis and single == "INT":
        found = AXIS
    else:
        found = IN_A_LIST.get(of) or ALONE.get(of, ())
    return [
        AtEdge(attribute=attribute, of=of, edge=edge)
        for edge in (*OF_A_LIST.get(of, ()), *found)
        if (name, attribute, edge) not in SPARED
    ]


@functools.cache
def edges_of(name: str, opset: int) -> tuple[AtEdge, ...]:
    """Return all edges of an operator at an opset; none of what the standard has no schema of."""
    operator = operator_at(name, opset)
    if operator is None:
        return ()
    types = {one: operator.schema.attributes[one].type.name for one in operator.attributes}
    return tuple(edge for one, of in types.items() for edge in edges(operator.name, one, of))


def at_edge(description: Description, draw: Callable[[Description], Drawing]) -> Drawing:
    """Return the drawing of an edge case: `draw` draws the plain ones.

    Raise ConfigurationError for an operator that has no attribute with an edge.
    """
    number = -description.index - 1
    wanted = edges_of(description.operator, description.opset)
    one = wanted[number % len(wanted)] if wanted else None
    drawing, found = _sketch(replace(description, index=number), draw, one)
    if not found:
        raise ConfigurationError(f"'{description}': no attribute there has an edge")
    node, edge = drawing.one_of(found)
    drawing.description, drawing.turned = description, str(edge)
    node.attributes[edge.attribute] = _turned(drawing, node, edge)
    if (node.operator, edge.attribute, edge.edge) not in DEFINED:
        drawing.doubts.insert(0, str(edge))
    return drawing


def states_any(first: Description, draw: Callable[[Description], Drawing]) -> bool:
    """Say whether one of a few plain cases has an attribute with an edge."""
    few = (replace(first, index=at) for at in range(FEW))
    return any(_stated(draw(one), None) for one in few)


def _sketch(
    first: Description, draw: Callable[[Description], Drawing], one: AtEdge | None
) -> tuple[Drawing, list[tuple[Node, AtEdge]]]:
    """Return a plain drawing, and what can be turned in it: `one`, or all that it states."""
    for at in range(TRIES):
        drawing = draw(replace(first, index=first.index + at))
        found = [] if drawing.faults else _stated(drawing, one)
        if found:
            return drawing, found
    return drawing, [(drawing.nodes[0], one)] if one else []


def _stated(drawing: Drawing, one: AtEdge | None) -> list[tuple[Node, AtEdge]]:
    if one is not None:
        return [(node, one) for node in drawing.nodes if one.attribute in node.attributes]
    return [
        (node, edge)
        for node in drawing.nodes
        for name, value in sorted(node.attributes.items())
        for edge in edges(node.operator, name, _type_of(value))
    ]


def _type_of(value: Any) -> str:
    """Return the type of an attribute from what is stated of it; empty for what has no edges."""
    if isinstance(value, list | tuple):
        return f"{_type_of(value[0])}S" if value else ""
    return {int: "INT", float: "FLOAT", str: "STRING"}.get(type(value), "")


def _turned(drawing: Drawing, node: Node, edge: AtEdge) -> Any:
    """Return the value of the attribute at its edge."""
    value = node.attributes.get(edge.attribute)
    if edge.of == "TENSOR":
        of = onnx.TensorProto.FLOAT if value is None else value.data_type
        return helper.make_tensor(edge.attribute, of, [0], [])
    if edge.of not in OF_A_LIST:
        return _single(drawing, node, edge)
    items = list(value or [PLAIN[edge.of]])
    match edge.edge:
        case Edge.EMPTY:
            items = []
        case Edge.SHORT:
            items = items[:-1]
        case Edge.LONG:
            items = [*items, items[-1]]
        case Edge.ZERO:
            items = [0] * len(items)
        case _:
            items[drawing.below(len(items))] = _single(drawing, node, edge)
    return items or Nothing(edge.of)


def _single(drawing: Drawing, node: Node, edge: AtEdge) -> Any:
    """Return the edge itself, of one number or text."""
    rank = _rank(drawing, node)
    value: Any = {
        Edge.ZERO: 0,
        Edge.MINUS_ONE: -1,
        Edge.NEGATIVE: drawing.one_of((-1, LEAST)),
        Edge.LEAST: LEAST,
        Edge.HUGE: drawing.one_of(HUGE),
        Edge.NO_FLAG: drawing.one_of((-1, 2)),
        Edge.BEFORE: -rank - 1,
        Edge.BEYOND: rank,
        Edge.BLANK: "",
        Edge.UNKNOWN: "nobody",
        Edge.NOT_FINITE: drawing.one_of((math.nan, math.inf, -math.inf)),
    }[edge.edge]
    return float(value) if edge.of.startswith("FLOAT") else value


def _rank(drawing: Drawing, node: Node) -> int:
    """Return the rank of a node's first input, where it is given."""
    for value in drawing.given:
        if node.inputs[:1] == [value.name] and isinstance(value.elements, np.ndarray):
            return value.elements.ndim
    return BEYOND_ALL
