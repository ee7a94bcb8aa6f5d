"""Passes that put in place of a node what it stands for: a function, a branch, a constant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import helper, inliner, numpy_helper

from harness.triage.graph_passes.candidate import (
    Candidate,
    Trace,
    copied,
    declared,
    is_standard,
    pruned,
    remade,
    subgraphs,
    uses,
    with_free_initialisers,
)
from harness.triage.graph_passes.examined import MODEL_ERRORS

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

CONSTANT_ATTRIBUTES: dict[str, Callable[[Any], Any]] = {
    "value": lambda found: found,
    "value_float": lambda found: np.array(found, np.float32),
    "value_floats": lambda found: np.array(found, np.float32),
    "value_int": lambda found: np.array(found, np.int64),
    "value_ints": lambda found: np.array(found, np.int64),
    "value_string": lambda found: np.array(found, object),
    "value_strings": lambda found: np.array(found, object),
}
"""What the attributes of Constant make of their value."""


def functions(case: Candidate) -> Generator[Candidate, bool, None]:
    """Propose the model with the model's own functions inlined."""
    if case.model.functions:
        try:
            model = inliner.inline_local_functions(copied(case.model))
        except MODEL_ERRORS:
            return
        yield Candidate(model=model, inputs=case.inputs)


def constants(case: Candidate) -> Generator[Candidate, bool, None]:
    """Propose Constant nodes as initialisers: all at once, else one by one."""
    found = [at for at, node in enumerate(case.model.graph.node) if _constant_of(node) is not None]
    if found and not (yield _initialised(case, found)):
        for at in reversed(found):
            proposed = _initialised(case, [at])
            if (yield proposed):
                case = proposed


def defaults(case: Candidate) -> Generator[Candidate, bool, None]:
    """Propose initialisers that are no inputs as well, which the format asks for up to IR 3."""
    graph = case.model.graph
    initialised = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in initialised]
    if len(inputs) < len(graph.input):
        model = with_free_initialisers(
            remade(case.model, graph.node, inputs, graph.output, graph.initializer)
        )
        names = {value.name for value in inputs}
        given = {name: value for name, value in case.inputs.items() if name in names}
        yield Candidate(model=model, inputs=given)


def folds(case: Candidate, trace: Trace) -> Generator[Candidate, bool, None]:
    """Propose values in place of nodes that depend on no input: all, else those up to one."""
    for keep_last in range(len(case.constants)):
        constant = sorted(case.constants)
        folded = constant[: len(constant) - keep_last]
        made = _folded(case, folded, trace)
        if made is not None and (yield made):
            return


def frozen(case: Candidate, trace: Trace) -> Generator[Candidate, bool, None]:
    """Propose inputs, and what nodes make, as initialisers that hold the value they have.

    This is the way back from initialisers to inputs. An input is the simpler form of the two: it
    shows that no constant is needed. So the way back is gone only where it leaves nodes out: with
    an input goes what then depends on none, and a node goes where only a constant does in its
    place. What is left is smaller for good, so that the two ways cannot lead round in a circle.
    """
    for name in list(case.inputs):
        fixed = _fixed(case, name)
        positions = sorted(fixed.constants) if fixed is not None else []
        made = _folded(fixed, positions, trace) if fixed is not None and positions else None
        if made is not None and (yield made):
            case = made
    for at in range(len(case.model.graph.node) - 1, -1, -1):
        if at < len(case.model.graph.node):  # else it went with one behind it
            made = _folded(case, [at], trace)
            if made is not None and (yield made):
                case = made


def _fixed(case: Candidate, name: str) -> Candidate | None:
    """Return the candidate with an input as an initialiser; None for one that cannot be any."""
    value = case.inputs.get(name)
    graph = case.model.graph
    if not isinstance(value, np.ndarray) or any(one.name == name for one in graph.initializer):
        return None
    try:
        weights = [*graph.initializer, numpy_helper.from_array(value, name)]
    except (TypeError, ValueError):
        return None
    inputs = [one for one in graph.input if one.name != name]
    model = with_free_initialisers(remade(case.model, graph.node, inputs, graph.output, weights))
    given = {other: one for other, one in case.inputs.items() if other != name}
    return Candidate(model=model, inputs=given)


def branches(case: Candidate, trace: Trace) -> Generator[Candidate, bool, None]:
    """Propose the branch that an If takes in its place."""
    for at in range(len(case.model.graph.node) - 1, -1, -1):
        node = case.model.graph.node[at]
        if is_standard(node, "If"):
            condition = _known(case, node.input[0], trace)
            if condition is not None:
                made = _with_branch(case, at, taken=bool(np.asarray(condition).ravel()[0]))
                if (yield made):
                    case = made


def _constant_of(node: onnx.NodeProto) -> onnx.TensorProto | None:
    if not is_standard(node, "Constant"):
        return None
    for attribute in node.attribute:
        if attribute.name in CONSTANT_ATTRIBUTES:
            value = CONSTANT_ATTRIBUTES[attribute.name](helper.get_attribute_value(attribute))
            if not isinstance(value, onnx.TensorProto):
                value = numpy_helper.from_array(value)
            named = onnx.TensorProto()
            named.CopyFrom(value)
            named.name = node.output[0]
            return named
    return None


def _initialised(case: Candidate, positions: Sequence[int]) -> Candidate:
    graph = case.model.graph
    tensors = [t for at in positions if (t := _constant_of(graph.node[at])) is not None]
    nodes = [node for at, node in enumerate(graph.node) if at not in set(positions)]
    weights = [*graph.initializer, *tensors]
    model = with_free_initialisers(remade(case.model, nodes, graph.input, graph.output, weights))
    return Candidate(model=model, inputs=case.inputs)


def _folded(case: Candidate, positions: Sequence[int], trace: Trace) -> Candidate | None:
    graph = case.model.graph
    left_out = set(positions)
    nodes = [node for at, node in enumerate(graph.node) if at not in left_out]
    needed = {name for node in nodes for name in uses(node)}
    names = [n for at in positions for n in graph.node[at].output if n in needed]
    values = trace(case, names) if names else {}
    if not nodes or not all(isinstance(values.get(name), np.ndarray) for name in names):
        return None
    folded = [numpy_helper.from_array(values[name], name) for name in names]
    outputs = [v for v in graph.output if any(v.name in node.output for node in nodes)]
    if not outputs:
        return None
    weights = [*graph.initializer, *folded]
    model = with_free_initialisers(remade(case.model, nodes, graph.input, outputs, weights))
    return pruned(Candidate(model=model, inputs=case.inputs), [value.name for value in outputs])


def _known(case: Candidate, name: str, trace: Trace) -> Any:
    if name in case.inputs:
        return case.inputs[name]
    for tensor in case.model.graph.initializer:
        if tensor.name == name:
            return numpy_helper.to_array(tensor)
    return trace(case, [name]).get(name)


def _with_branch(case: Candidate, at: int, *, taken: bool) -> Candidate:
    model = copied(case.model)
    node = model.graph.node[at]
    wanted = "then_branch" if taken else "else_branch"
    branch = next(attribute.g for attribute in node.attribute if attribute.name == wanted)
    handed_on = [(value.name, name) for value, name in zip(branch.output, node.output, strict=True)]
    made = put_in_place(model, at, branch, handed_on, {})
    names = [value.name for value in model.graph.output]
    return pruned(Candidate(model=declared(made), inputs=case.inputs), names)


def put_in_place(
    model: onnx.ModelProto,
    at: int,
    body: onnx.GraphProto,
    handed_on: Sequence[tuple[str, str]],
    given: Mapping[str, str],
) -> onnx.ModelProto:
    """Return the model with a body of a node in the node's place; `body` is changed.

    `handed_on` pairs what the body makes with what it is called outside, and `given` says what the
    inputs of the body are called outside.
    """
    node = model.graph.node[at]
    own = [name for inner in body.node for name in inner.output if name]
    own += [tensor.name for tensor in body.initializer]
    taken_names = _all_names(model.graph)
    renamed = {name: _fresh(f"{node.output[0]}/{name}", taken_names) for name in own}
    for inside, outside in handed_on:
        if inside in renamed:
            renamed[inside] = outside
    renamed |= given
    rename(body, renamed)
    # A tensor that the body hands on twice, or only passes through, needs a node of its own.
    extra = [
        helper.make_node("Identity", [renamed.get(inside, inside)], [outside])
        for inside, outside in handed_on
        if renamed.get(inside) != outside
    ]
    nodes = [*model.graph.node[:at], *body.node, *extra, *model.graph.node[at + 1 :]]
    weights = [*model.graph.initializer, *body.initializer]
    return remade(model, nodes, model.graph.input, model.graph.output, weights)


def _all_names(graph: onnx.GraphProto) -> set[str]:
    names = {name for node in graph.node for name in (*node.input, *node.output)}
    names |= {tensor.name for tensor in graph.initializer}
    return names | {value.name for value in (*graph.input, *graph.output)}


def _fresh(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "'"
    taken.add(name)
    return name


def rename(graph: onnx.GraphProto, names: Mapping[str, str]) -> None:
    """Give tensors of a graph other names, in place, in the sub-graphs that capture them too."""
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
        for inner in subgraphs(node):
            own = {value.name for value in inner.input}
            own |= {tensor.name for tensor in inner.initializer}
            own |= {name for one in inner.node for name in one.output}
            rename(inner, {old: new for old, new in names.items() if old not in own})
    for tensor in graph.initializer:
        tensor.name = names.get(tensor.name, tensor.name)
    for value in (*graph.input, *graph.output):
        value.name = names.get(value.name, value.name)
