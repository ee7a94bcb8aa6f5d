"""A case made from its description: the model's bytes, its inputs, and what is known of it."""

from __future__ import annotations

import difflib
import functools
import itertools
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from harness.errors import ConfigurationError
from harness.generate.description import GENERATOR_VERSION, Description, Kind
from harness.generate.drawing import Drawing, Nothing, Value, element_type
from harness.generate.edges import at_edge, edges_of, states_any
from harness.generate.element_types import LEAST_IR, NUMBERS
from harness.generate.families import families
from harness.generate.reference import why_no_vote
from harness.generate.schemas import OF_CONTRIB, operator_at, versions
from harness.generate.stream import Stream
from harness.generate.variations import (
    HAS_VAIN_NODE,
    add_vain_node,
    defaults_among,
    has_vain_node,
    with_company,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.generate.drawing import Node
    from harness.generate.edges import AtEdge

OLDEST_IR = 8
"""The format that every release loads; a model states a newer one where its types need it."""

CONSTANT = 60
"""How many of a hundred parameters are constants in the model; the others are inputs."""

FOLDED = 8
"""The same of what is no parameter: a build may compute with it before the first run."""

CHAIN_OPSETS = (13, 17, 21)

HAS_UNREAD = "an input is read by no node"

EVERY = 5
"""One case of so many is an edge case."""


@dataclass(frozen=True, kw_only=True)
class Generated:
    """A generated case."""

    description: Description
    kind: Kind
    model: bytes
    inputs: tuple[Any, ...]
    """By the model's inputs: arrays (with ml_dtypes where numpy lacks the type), or lists."""
    attributes: Mapping[str, str]
    """Those that are stated, as short text; of a chain those of all its nodes."""
    types: tuple[str, ...]
    """The element types of what is given, inputs and constants."""
    reference_votes: bool
    """Whether the standard's reference evaluator is to be believed on this case."""
    reason: str
    """Why the case is not VALID, or why the reference has no vote; else empty."""
    forms: tuple[str, ...]
    """HAS_UNREAD, and what was changed when all was drawn: see harness.generate.variations."""


def operators() -> list[tuple[str, int]]:
    """Return what can be drawn: each operator, or chain, at each opset that changed it."""
    found: list[tuple[str, int]] = []
    for name in families():
        if name.startswith("chain/"):
            found += [(name, opset) for opset in CHAIN_OPSETS]
        elif name in versions():
            found += [(name, opset) for opset in versions()[name]]
        else:
            found.append((name, 1))
    return found


def check_drawn(names: Sequence[str]) -> None:
    """Raise ConfigurationError for an operator, or a chain, that no cases are drawn of."""
    for name in names:
        if name not in families():
            close = difflib.get_close_matches(name, families(), n=1)
            hint = f"Did you mean '{close[0]}'?" if close else "'ort-matrix generate' lists all."
            raise ConfigurationError(f"no cases are drawn of '{name}'. {hint}")


def descriptions(chosen: Sequence[str], seed: int, count: int) -> Iterator[Description]:
    """Return `count` descriptions, spread evenly over operators and opsets; none chosen is all.

    Every fifth is an edge case, as long as there are attributes with edges.

    Raise ConfigurationError for an operator that cannot be drawn.
    """
    check_drawn(chosen)
    pairs = [pair for pair in operators() if not chosen or pair[0] in chosen]
    plain = ((*pairs[at % len(pairs)], at // len(pairs)) for at in itertools.count())
    turned = _turned(pairs, seed)
    for at in range(count):
        of_edges = next(turned, None) if at % EVERY == EVERY - 1 else None
        operator, opset, index = of_edges or next(plain)
        yield Description(
            version=GENERATOR_VERSION, operator=operator, opset=opset, seed=seed, index=index
        )


def _turned(pairs: Sequence[tuple[str, int]], seed: int) -> Iterator[tuple[str, int, int]]:
    """Return operators, opsets and indices of edge cases without end, all edges in each round.

    Each is drawn at one opset that has it, at another one in the next round.
    """
    holders: dict[tuple[str, AtEdge | None], list[int]] = defaultdict(list)
    for operator, opset in pairs:
        for edge in edges_of(operator, opset) or [None] * _states_any(operator, opset):
            holders[operator, edge].append(opset)
    order = Stream(f"edges of seed {seed}").shuffled(list(holders))
    for turn in itertools.count() if order else ():
        for at, (operator, edge) in enumerate(order):
            opset = holders[operator, edge][(at + turn) % len(holders[operator, edge])]
            all_of = edges_of(operator, opset)
            place = all_of.index(edge) if edge else 0
            yield operator, opset, -1 - place - turn * max(len(all_of), 1)


@functools.cache
def _states_any(operator: str, opset: int) -> bool:
    """Say whether what the standard has no schema of, as a chain, has attributes with edges."""
    first = Description(version=GENERATOR_VERSION, operator=operator, opset=opset, seed=0, index=0)
    return operator not in versions() and states_any(first, _drawn)


def generated(description: Description) -> Generated:
    """Return the case of a description: the same everywhere.

    Raise ConfigurationError where no such operator can be drawn.
    """
    check_drawn([description.operator])
    return _made(at_edge(description, _drawn) if description.index < 0 else _drawn(description))


def _drawn(description: Description) -> Drawing:
    family = families()[description.operator]
    operator = operator_at(description.operator, description.opset)
    is_own = description.operator.startswith("chain/") or (
        operator is not None and not operator.domain
    )
    opset = description.opset if is_own else OF_CONTRIB
    drawing = Drawing(description=description, operator=operator, opset=opset)
    family(drawing)
    return drawing


def _made(drawing: Drawing) -> Generated:
    constants = [value for value in drawing.given if _is_constant(drawing, value)]
    inputs = with_company(drawing, [one for one in drawing.given if one not in constants])
    model = _varied(drawing, inputs, constants)
    if drawing.turned and _is_refused(model):
        drawing.faults, drawing.doubts = [drawing.turned], []
    kind = Kind.INVALID if drawing.faults else Kind.DOUBTFUL if drawing.doubts else Kind.VALID
    loose = why_no_vote(drawing)
    return Generated(
        description=drawing.description,
        kind=kind,
        model=model,
        inputs=tuple(value.elements for value in inputs),
        attributes=_attributes(drawing),
        types=tuple(_type_text(value) for value in drawing.given),
        reference_votes=kind is Kind.VALID and not loose,
        reason="; ".join((*drawing.faults, *drawing.doubts)) or loose,
        forms=(*drawing.forms, *([HAS_UNREAD] if _has_unread(drawing, inputs) else ())),
    )


def _has_unread(drawing: Drawing, inputs: Sequence[Value]) -> bool:
    """Say whether no node reads one of the inputs, as where an end of a Clip is left out."""
    read = {name for node in drawing.nodes for name in node.inputs}
    bodies = [one for node in drawing.nodes for one in node.attributes.values()]
    for body in bodies:
        if isinstance(body, onnx.GraphProto):
            read |= {name for node in body.node for name in node.input}
    return any(value.name not in read for value in inputs)


def _varied(drawing: Drawing, inputs: Sequence[Value], constants: Sequence[Value]) -> bytes:
    """Return the model, in another form at times: if nothing is refused of that form."""
    defaults = defaults_among(drawing, constants)
    if not has_vain_node(drawing):
        return _model(drawing, inputs, constants, defaults)
    plain = drawing.nodes
    varied = _model(drawing, inputs, [*constants, *add_vain_node(drawing)], defaults)
    if not _is_refused(varied):
        drawing.forms.append(HAS_VAIN_NODE)
        return varied
    drawing.nodes = plain
    return _model(drawing, inputs, constants, defaults)


def _is_refused(model: bytes) -> bool:
    """Say whether the checker or strict shape inference refuses a model."""
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError, ValueError):
        return True
    return False


def _is_constant(drawing: Drawing, value: Value) -> bool:
    if value.type or isinstance(value.elements, list) or value.elements is None:
        return False
    return drawing.chance(CONSTANT if value.is_parameter else FOLDED)


def _model(
    drawing: Drawing,
    inputs: Sequence[Value],
    constants: Sequence[Value],
    defaults: Sequence[Value],
) -> bytes:
    graph = onnx.GraphProto(name="generated")
    graph.node.extend(_node(node) for node in drawing.nodes)
    graph.input.extend(_input(value) for value in (*inputs, *defaults))
    graph.initializer.extend(
        numpy_helper.from_array(value.elements, value.name) for value in constants
    )
    model = onnx.ModelProto(ir_version=_ir(drawing), producer_name="ort-matrix")
    model.opset_import.extend(helper.make_opsetid(*one) for one in _opsets(drawing).items())
    model.graph.CopyFrom(graph)
    model.graph.output.extend(_outputs(drawing, model))
    data: bytes = model.SerializeToString()
    return data


def _opsets(drawing: Drawing) -> dict[str, int]:
    domains = {node.domain for node in drawing.nodes} - {""}
    own = drawing.description.operator.rpartition(".")[0]
    return {
        "": drawing.opset,
        **{one: drawing.description.opset if one == own else 1 for one in sorted(domains)},
    }


def _ir(drawing: Drawing) -> int:
    names = [_type_text(value) for value in drawing.given]
    names += [typed.type for typed in drawing.outputs.values() if typed is not None]
    return max([OLDEST_IR, *(least for name, least in LEAST_IR.items() if name in names)])


def _node(node: Node) -> onnx.NodeProto:
    made = helper.make_node(node.operator, node.inputs, node.outputs, domain=node.domain)
    for name, value in node.attributes.items():
        of = value.of if isinstance(value, Nothing) else "INTS"  # an empty list tells no type
        number = onnx.AttributeProto.AttributeType.Value(of) if value == [] else None
        made.attribute.append(helper.make_attribute(name, value, attr_type=number))
    return made


def _input(value: Value) -> onnx.ValueInfoProto:
    if value.type:
        return helper.make_value_info(value.name, type_proto(value.type, None))
    if isinstance(value.elements, list):
        of = f"seq(tensor({element_type(value.elements[0])}))"
        return helper.make_value_info(value.name, type_proto(of, None))
    return helper.make_tensor_value_info(
        value.name, NUMBERS[element_type(value.elements)], value.elements.shape
    )


def _outputs(drawing: Drawing, model: onnx.ModelProto) -> Iterator[onnx.ValueInfoProto]:
    """Return the graph's outputs, typed as the family says or as the standard infers them."""
    unknown = [name for name, typed in drawing.outputs.items() if typed is None or drawing.turned]
    inferred = _inferred(model) if unknown else {}
    if not all(name in inferred and _has_rank(inferred[name]) for name in unknown):
        inferred |= {
            name: value
            for name, value in _inferred(_closed(drawing, model)).items()
            if _has_rank(value)
        }
    for name, typed in drawing.outputs.items():
        if typed is not None and not (drawing.turned and name in inferred):
            yield helper.make_value_info(name, type_proto(typed.type, typed.rank))
        elif name in inferred:
            yield _without_sizes(inferred[name])
        else:
            yield onnx.ValueInfoProto(name=name)


def _inferred(model: onnx.ModelProto) -> dict[str, onnx.ValueInfoProto]:
    """Return what can be inferred; at the edges of attributes a number of no type can be one's."""
    try:
        found = onnx.shape_inference.infer_shapes(model)
    except (onnx.shape_inference.InferenceError, ValueError):
        return {}
    return {value.name: value for value in found.graph.value_info if _is_type(value.type)}


def _is_type(of: onnx.TypeProto) -> bool:
    if of.HasField("sequence_type"):
        return _is_type(of.sequence_type.elem_type)
    if of.HasField("optional_type"):
        return _is_type(of.optional_type.elem_type)
    return of.tensor_type.elem_type in NUMBERS.values()


def _has_rank(value: onnx.ValueInfoProto) -> bool:
    """Say whether the rank of a tensor is known, without which the checker refuses an output."""
    return not value.type.HasField("tensor_type") or value.type.tensor_type.HasField("shape")


def _closed(drawing: Drawing, model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with all its inputs as constants, of which more can be inferred."""
    closed = onnx.ModelProto()
    closed.CopyFrom(model)
    given = {value.name: value.elements for value in drawing.given if not value.type}
    for one in model.graph.input:
        if isinstance(given.get(one.name), np.ndarray):
            closed.graph.initializer.append(numpy_helper.from_array(given[one.name], one.name))
    return closed


def _without_sizes(value: onnx.ValueInfoProto) -> onnx.ValueInfoProto:
    """Return a value's type and rank: a build checks a declared size, which hides a wrong one."""
    if value.type.HasField("tensor_type"):
        for dimension in value.type.tensor_type.shape.dim:
            dimension.Clear()
    return value


def type_proto(text: str, rank: int | None) -> onnx.TypeProto:
    """Return a type as in float, tensor(float), seq(tensor(float)) or map(int64, float)."""
    for kind, make in (
        ("seq", helper.make_sequence_type_proto),
        ("optional", helper.make_optional_type_proto),
    ):
        if text.startswith(f"{kind}("):
            return make(type_proto(text[len(kind) + 1 : -1], rank))
    if text.startswith("map("):
        key, _, value = text[4:-1].partition(",")
        return helper.make_map_type_proto(NUMBERS[key.strip()], type_proto(value.strip(), rank))
    name = text.removeprefix("tensor(").removesuffix(")")
    return helper.make_tensor_type_proto(NUMBERS[name], None if rank is None else [None] * rank)


def _attributes(drawing: Drawing) -> dict[str, str]:
    """Return what is stated, with the operator's name where it is not the one of the case."""
    own = drawing.description.operator.rpartition(".")[2]
    alone = len(drawing.nodes) == 1
    return {
        name if alone or node.operator == own else f"{node.operator}.{name}": _text(value)
        for node in drawing.nodes
        for name, value in sorted(node.attributes.items())
    }


def _text(value: Any) -> str:
    if isinstance(value, onnx.GraphProto):
        return "+".join(node.op_type for node in value.node)
    if isinstance(value, onnx.TensorProto):
        return f"{onnx.TensorProto.DataType.Name(value.data_type).lower()}{list(value.dims)}"
    longest = 60
    text = str(value).replace(" ", "")
    return text if len(text) <= longest else f"{text[:longest]}…"


def _type_text(value: Value) -> str:
    if value.type:
        return value.type
    if isinstance(value.elements, list):
        return f"seq({element_type(value.elements[0])})"
    return element_type(value.elements)
