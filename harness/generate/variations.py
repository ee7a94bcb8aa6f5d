"""What is changed of a case when all of it is drawn: it means the same, in another form.

Families draw the nodes that a fusion looks for. A build may still be wrong about where their
values come from: out of a node that changes nothing, or out of a constant that is the default of
an input, as all are in models of before IR 4. And an EP may leave a node to the CPU EP that stands
alone, and compute it beside another one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from onnx import GraphProto

from harness.generate.drawing import element_type
from harness.generate.element_types import NUMBERS, is_float
from harness.generate.values import whole_limits

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.generate.drawing import Drawing, Node, Value

HAS_DEFAULTS = "constants are the defaults of inputs"
HAS_COMPANY = "a Neg stands before it"
HAS_VAIN_NODE = "a value comes out of a node that changes nothing"

VAIN = 15
"""How many of a hundred chains have a node that changes nothing before a value that is given."""

DEFAULTS = 5
"""How many of a hundred cases have constants that are the defaults of inputs."""

ACCOMPANIED = 25
"""How many of a hundred cases of one node have another one before it."""

SIGNED = ("float", "double", "int8", "int32", "int64")
"""Element types that can be negated, by every version of Neg."""

COMPUTED = ("float", "double", "int32", "int64")
"""Element types that every version of arithmetic takes."""


def with_company(drawing: Drawing, inputs: Sequence[Value]) -> Sequence[Value]:
    """Put a Neg before the node of some cases, and return the inputs with what it is to negate.

    The node sees what was drawn. As it is, where nothing is given that can be negated exactly.
    """
    if len(drawing.nodes) != 1 or not drawing.chance(ACCOMPANIED):
        return inputs
    (node,) = drawing.nodes
    read = [one for one in inputs if one.name in node.inputs and _can_be_negated(one)]
    if not read or any(isinstance(one, GraphProto) for one in node.attributes.values()):
        return inputs
    value = read[0]
    made = drawing.apply("Neg", value)
    drawing.nodes = [drawing.nodes[-1], _reading(node, made, instead_of=value)]
    drawing.forms.append(HAS_COMPANY)
    negated = replace(value, elements=-value.elements)
    return [negated if one is value else one for one in inputs]


def defaults_among(drawing: Drawing, constants: Sequence[Value]) -> Sequence[Value]:
    """Return which constants are the defaults of inputs: in some cases all, in most none."""
    if not drawing.chance(DEFAULTS) or not constants:
        return ()
    drawing.forms.append(HAS_DEFAULTS)
    return constants


def has_vain_node(drawing: Drawing) -> bool:
    """Draw whether a chain is to have a node that changes nothing."""
    is_chain = drawing.description.operator.startswith("chain/")
    return is_chain and not drawing.turned and drawing.chance(VAIN)


def add_vain_node(drawing: Drawing) -> list[Value]:
    """Put a node that changes nothing between a value that is given and what reads it.

    Return the constants that the node reads. The nodes that were there stay as they are.
    """
    value = drawing.one_of(drawing.given)
    if not isinstance(value.elements, np.ndarray):
        return []
    dtype = element_type(value.elements)
    kinds: list[Callable[[Drawing, Value], Value]] = [_identity, _cast, _reshaped]
    kinds += [_difference, _product] if dtype in COMPUTED else []
    kinds += [_dropout] if dtype in ("float", "double") else []
    before = len(drawing.given)
    made = drawing.one_of(kinds)(drawing, value)
    vain = drawing.nodes.pop()
    drawing.nodes = [vain, *(_reading(one, made, instead_of=value) for one in drawing.nodes)]
    constants = drawing.given[before:]
    del drawing.given[before:]
    return constants


def _reading(node: Node, value: Value, *, instead_of: Value) -> Node:
    names = [value.name if name == instead_of.name else name for name in node.inputs]
    return replace(node, inputs=names)


def _can_be_negated(value: Value) -> bool:
    if value.is_parameter or value.type or not isinstance(value.elements, np.ndarray):
        return False
    dtype = element_type(value.elements)
    if dtype not in SIGNED:
        return False
    return is_float(dtype) or not bool((value.elements == whole_limits(dtype)[0]).any())


def _identity(drawing: Drawing, value: Value) -> Value:
    return drawing.apply("Identity", value)


def _cast(drawing: Drawing, value: Value) -> Value:
    return drawing.apply("Cast", value, to=NUMBERS[element_type(value.elements)])


def _reshaped(drawing: Drawing, value: Value) -> Value:
    sizes = [-1] if len(value.shape) == 1 and value.elements.size else list(value.shape)
    return drawing.apply("Reshape", value, drawing.constant("int64", np.array(sizes, np.int64)))


def _difference(drawing: Drawing, value: Value) -> Value:
    """Subtract 0: to add it would make 0 of -0."""
    return drawing.apply("Sub", value, drawing.constant(element_type(value.elements), 0))


def _product(drawing: Drawing, value: Value) -> Value:
    one = drawing.constant(element_type(value.elements), 1)
    return drawing.apply("Mul", *drawing.shuffled((value, one)))


def _dropout(drawing: Drawing, value: Value) -> Value:
    return drawing.apply("Dropout", value)
