"""A model with its inputs as the reduction sees it: how big it is, whether it is valid, parts."""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import onnx
from onnx import checker, helper, numpy_helper, printer

from harness.triage.graph_passes.examined import examined, inferred

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from harness.triage.graph_passes.examined import Validity

Trace: TypeAlias = "Callable[[Candidate, Sequence[str]], Mapping[str, Any]]"
"""The values that tensors of a candidate really have, by name; those that cannot be had missing."""

RANDOM = frozenset(
    ("RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial")
)
OVERRIDABLE_IR = 4
"""From here on an initialiser that is an input as well is a default; before, all had to be both."""

TELLS_OF_SHAPES = 2**10
"""Bytes of the largest initialiser whose values shape inference needs."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Candidate:
    """A model and a value for each of its inputs. Neither is ever changed: passes make others."""

    model: onnx.ModelProto
    inputs: Mapping[str, Any]
    """Arrays (ml_dtypes stand for what numpy lacks), lists, dicts, or None where one is absent."""

    @cached_property
    def data(self) -> bytes:
        """The model's bytes, the same for the same model."""
        return self.model.SerializeToString(deterministic=True)

    @cached_property
    def digest(self) -> bytes:
        """What is equal for equal candidates."""
        return hashlib.sha256(self.data + pickle.dumps(dict(self.inputs), protocol=4)).digest()

    @cached_property
    def size(self) -> tuple[float, ...]:
        """What is to become smaller, the most important first."""
        graph, values = self.model.graph, [*self.inputs.values()]
        weights = [array_of(tensor) for tensor in graph.initializer]
        all_nodes = list(nodes_within(self.model))
        arrays = [a for value in [*values, *weights] for a in arrays_in(value)]
        return (
            len(all_nodes),
            len(graph.output),
            len(graph.input) + len(weights),
            len(weights),
            sum(array.size for array in arrays),
            sum(array.ndim for array in arrays),
            sum(len(node.attribute) for node in all_nodes),
            sum(map(_odd_numbers, arrays)),
            sum(map(_non_zeros, arrays)),
            sum(opset.version for opset in self.model.opset_import),
            self.model.ir_version,
            len(self.data),
        )

    @property
    def text(self) -> str:
        """The model as onnx.parser reads it."""
        return str(printer.to_text(self.model))

    @property
    def about(self) -> str:
        """The size for a person."""
        nodes, outputs, tensors, *_ = self.size
        count = int(self.size[4])
        return f"{nodes} nodes, {tensors} tensors of {count} elements, {outputs} outputs"

    def outputs(self, values: Sequence[Any] | None) -> dict[str, Any]:
        """Return values of the model's outputs by name; none where there are none."""
        names = [value.name for value in self.model.graph.output]
        return {} if values is None else dict(zip(names, values, strict=True))

    @property
    def validity(self) -> Validity:
        """How valid the model is."""
        return self._checked[0]

    @property
    def complaint(self) -> str:
        """What speaks against the model, without where in it; "" where it is fully valid."""
        return self._checked[1]

    @cached_property
    def _checked(self) -> tuple[Validity, str]:
        return examined(self.data)

    @cached_property
    def constants(self) -> frozenset[int]:
        """The nodes, by position, that depend on no input."""
        known = {tensor.name for tensor in self.model.graph.initializer}
        if self.model.ir_version >= OVERRIDABLE_IR:
            known -= {value.name for value in self.model.graph.input}
        found = set()
        for at, node in enumerate(self.model.graph.node):
            if node.op_type not in RANDOM and known.issuperset(uses(node)):
                found.add(at)
                known.update(node.output)
        return frozenset(found)


def nodes_within(model: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
    """Yield every node, those of sub-graphs and functions included."""
    for nodes in (model.graph.node, *(function.node for function in model.functions)):
        yield from _deep(nodes)


def _deep(nodes: Iterable[onnx.NodeProto]) -> Iterator[onnx.NodeProto]:
    for node in nodes:
        yield node
        for graph in subgraphs(node):
            yield from _deep(graph.node)


def subgraphs(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    """Yield the graphs that a node holds, without those within them."""
    for attribute in node.attribute:
        if attribute.type == onnx.AttributeProto.GRAPH:
            yield attribute.g
        yield from attribute.graphs


def is_standard(node: onnx.NodeProto, operator: str) -> bool:
    """Say whether a node is of an operator of ai.onnx."""
    return node.op_type == operator and node.domain in ("", "ai.onnx")


def uses(node: onnx.NodeProto) -> list[str]:
    """Return the tensors that a node reads, those that its sub-graphs take from outside too."""
    names = [name for name in node.input if name]
    names += [name for graph in subgraphs(node) for name in captured(graph)]
    return list(dict.fromkeys(names))


def captured(graph: onnx.GraphProto) -> Iterator[str]:
    """Yield the tensors that a sub-graph takes from outside."""
    own = {value.name for value in graph.input} | {tensor.name for tensor in graph.initializer}
    own |= {name for node in graph.node for name in node.output}
    for node in graph.node:
        yield from (name for name in uses(node) if name not in own)
    yield from (value.name for value in graph.output if value.name not in own)


def arrays_in(value: Any) -> Iterator[np.ndarray[Any, Any]]:
    """Yield the arrays that a value is made of."""
    match value:
        case list() | tuple():
            for item in value:
                yield from arrays_in(item)
        case dict():
            yield from (np.asarray(list(side)) for side in (value.keys(), value.values()))
        case None:
            pass
        case _:
            yield np.asarray(value)


def array_of(tensor: onnx.TensorProto) -> np.ndarray[Any, Any]:
    """Return a tensor's elements; none where its data stand elsewhere or are damaged."""
    try:
        return numpy_helper.to_array(tensor)
    except (ValueError, TypeError, KeyError, OSError, checker.ValidationError):
        return np.zeros(0)


def _odd_numbers(array: np.ndarray[Any, Any]) -> int:
    """Return how many elements are neither 0 nor 1."""
    if array.dtype.kind in "OUSM":
        return sum(map(len, map(str, array.ravel().tolist())))
    return int(np.count_nonzero((array != 0) & (array != np.ones((), array.dtype))))


def _non_zeros(array: np.ndarray[Any, Any]) -> int:
    return 0 if array.dtype.kind in "OUSM" else int(np.count_nonzero(array != 0))


def value_type(value: Any) -> onnx.TypeProto | None:
    """Return the type of a value, shape included; None for one that does not tell it."""
    match value:
        case None | dict():
            return None
        case list():
            inner = value_type(value[0]) if value else None
            if inner is None or inner.WhichOneof("value") != "tensor_type":
                return None
            element = helper.make_tensor_type_proto(inner.tensor_type.elem_type, None)
            return helper.make_sequence_type_proto(element)
    array = np.asarray(value)
    is_text = array.dtype.kind in "OUS"
    of = onnx.TensorProto.STRING if is_text else helper.np_dtype_to_tensor_dtype(array.dtype)
    return helper.make_tensor_type_proto(of, array.shape)


def part(case: Candidate, chosen: Iterable[int], trace: Trace) -> Candidate | None:
    """Return the part of a model that some nodes, by position, are, on the values it really has.

    Nodes that depend on no input come along where they are needed. What others made becomes an
    input with the value that it had; what others read becomes an output. None where a value cannot
    be had.
    """
    graph = case.model.graph
    wanted = _with_constants(case, chosen)
    nodes = [graph.node[at] for at in sorted(wanted)]
    made = {name for node in nodes for name in node.output if name}
    used = dict.fromkeys(name for node in nodes for name in uses(node))
    known = {v.name for v in graph.input} | {tensor.name for tensor in graph.initializer}
    boundary = [name for name in used if name not in made and name not in known]
    values = trace(case, boundary) if boundary else {}
    found = {name: value_type(values.get(name)) for name in boundary}
    types = {name: of for name, of in found.items() if of is not None}
    if len(types) < len(boundary):
        return None
    inputs = [value for value in graph.input if value.name in used]
    inputs += [helper.make_value_info(name, of) for name, of in types.items()]
    outputs = _outputs(case, wanted, made, used.keys())
    weights = [tensor for tensor in graph.initializer if tensor.name in used]
    fed = {**case.inputs, **values}
    initialised = {tensor.name for tensor in weights}
    alone = Candidate(
        model=remade(case.model, nodes, inputs, outputs, weights),
        inputs={v.name: fed[v.name] for v in inputs if v.name in fed or v.name not in initialised},
    )
    return shaped(alone, case, trace)


def _with_constants(case: Candidate, chosen: Iterable[int]) -> set[int]:
    maker = {o: at for at in case.constants for o in case.model.graph.node[at].output if o}
    wanted, ahead = set(), list(chosen)
    while ahead:
        if (at := ahead.pop()) not in wanted:
            wanted.add(at)
            ahead += [maker[name] for name in uses(case.model.graph.node[at]) if name in maker]
    return wanted


def _outputs(
    case: Candidate, wanted: set[int], made: set[str], used: Iterable[str]
) -> list[onnx.ValueInfoProto]:
    """Return what the part hands on; else all that it makes and does not read itself."""
    graph = case.model.graph
    others = {n for at, node in enumerate(graph.node) if at not in wanted for n in uses(node)}
    declared_as = {value.name: value for value in graph.output}
    constant = {o for at in case.constants for o in graph.node[at].output}
    asked = others.union(declared_as) - (constant - declared_as.keys())
    handed_on = [name for name in made if name in asked] or sorted(made - set(used))
    order = {o: at for at, node in enumerate(graph.node) for o in node.output}
    return [
        declared_as.get(name, onnx.ValueInfoProto(name=name))
        for name in sorted(handed_on, key=lambda name: (order[name], name))
    ]


def remade(
    model: onnx.ModelProto,
    nodes: Iterable[onnx.NodeProto],
    inputs: Iterable[onnx.ValueInfoProto],
    outputs: Iterable[onnx.ValueInfoProto],
    weights: Iterable[onnx.TensorProto],
) -> onnx.ModelProto:
    """Return a model of other parts, without what was said of tensors in between."""
    made = onnx.ModelProto()
    made.ir_version, made.producer_name = model.ir_version, model.producer_name
    made.opset_import.extend(model.opset_import)
    made.functions.extend(model.functions)
    made.graph.name = model.graph.name or "g"
    made.graph.node.extend(nodes)
    made.graph.input.extend(inputs)
    made.graph.output.extend(outputs)
    made.graph.initializer.extend(weights)
    return made


def with_free_initialisers(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model, changed in place to a format in which an initialiser may be no input."""
    model.ir_version = max(OVERRIDABLE_IR, model.ir_version)
    return model


def copied(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy that may be changed."""
    made = onnx.ModelProto()
    made.CopyFrom(model)
    return made


def declared(model: onnx.ModelProto, values: Mapping[str, Any] | None = None) -> onnx.ModelProto:
    """Return the model with each output declared as its value is, else as inferred.

    An output that already says of which type it is keeps that where neither is known.
    """
    lacking = [v for v in model.graph.output if v.name not in (values or {})]
    inferred = _inferred(model) if any(not v.type.WhichOneof("value") for v in lacking) else {}
    for output in model.graph.output:
        if values and (known := value_type(values.get(output.name))):
            output.type.CopyFrom(known)
        elif not output.type.WhichOneof("value") and output.name in inferred:
            output.type.CopyFrom(inferred[output.name])
    return model


def shaped(made: Candidate, whole: Candidate, trace: Trace) -> Candidate:
    """Return a new candidate that says the shape of each output, if need be as `whole` has it."""
    model = declared(made.model)
    if unknown := [value.name for value in model.graph.output if not has_shape(value.type)]:
        declared(model, trace(whole, unknown))
    return Candidate(model=model, inputs=made.inputs)


def has_shape(of: onnx.TypeProto) -> bool:
    """Say whether a type says as much as the checker asks of an output."""
    return of.WhichOneof("value") not in (None, "tensor_type") or of.tensor_type.HasField("shape")


def _inferred(model: onnx.ModelProto) -> dict[str, onnx.TypeProto]:
    """Return the types of tensors that can be inferred."""
    light = copied(model)
    for tensor in light.graph.initializer:  # only what small ones hold says anything of shapes
        if len(tensor.raw_data) > TELLS_OF_SHAPES:
            tensor.ClearField("raw_data")
    return inferred(light.SerializeToString())


def needed_for(
    outputs: Iterable[str], nodes: Sequence[onnx.NodeProto]
) -> tuple[list[onnx.NodeProto], set[str]]:
    """Return the nodes that some tensors need, in their order, and all tensors that these read."""
    needed, found = set(outputs), []
    for node in reversed(nodes):
        if needed.intersection(node.output):
            found.append(node)
            needed.update(uses(node))
    return found[::-1], needed


def pruned(case: Candidate, outputs: Sequence[str]) -> Candidate:
    """Return the candidate with some of its outputs only, and what they need."""
    graph = case.model.graph
    nodes, needed = needed_for(outputs, graph.node)
    kept = [value for value in graph.output if value.name in outputs]
    inputs = [value for value in graph.input if value.name in needed]
    weights = [tensor for tensor in graph.initializer if tensor.name in needed]
    model = remade(case.model, nodes, inputs, kept, weights)
    names = {value.name for value in inputs}
    return Candidate(
        model=model, inputs={name: v for name, v in case.inputs.items() if name in names}
    )


def asked_for(case: Candidate, names: Sequence[str]) -> Candidate:
    """Return the candidate whose outputs are some of its tensors, not declared any further."""
    model = copied(case.model)
    del model.graph.output[:]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    return pruned(Candidate(model=model, inputs=case.inputs), names)
