"""Passes that reach into the bodies of If, Loop and Scan: taken alone, put in place, thinned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from harness.triage.graph_passes.candidate import (
    Candidate,
    Trace,
    captured,
    copied,
    is_standard,
    needed_for,
    pruned,
    remade,
    shaped,
    subgraphs,
    uses,
    value_type,
    with_free_initialisers,
)
from harness.triage.graph_passes.inlining import put_in_place, rename

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

LOOP_OWN = 2
"""The first inputs of a Loop, its trips and its condition, and of its body, the trip and it."""


def alone(case: Candidate, trace: Trace) -> Generator[Candidate, bool, None]:
    """Propose each body as the whole model, on the values of its first trip."""
    for node in case.model.graph.node:
        for body in subgraphs(node):
            made = first_trip(case, node, body, trace)
            if made is not None and (yield made):
                return


def in_place(case: Candidate, trace: Trace) -> Generator[Candidate, bool, None]:
    """Propose the body of a Loop in its place, as if there were one trip.

    What a Loop collects over its trips is then what one trip gives, not stacked.
    """
    for at in range(len(case.model.graph.node) - 1, -1, -1):
        node = case.model.graph.node[at]
        if is_standard(node, "Loop"):
            made = _one_trip(case, at, trace)
            if made is not None and (yield made):
                case = made


def thinner(case: Candidate, trace: Trace) -> Generator[Candidate, bool, None]:
    """Propose bodies with less in them: results that nobody reads, and nodes.

    In place of a node stands the value that it has in the first trip, or what it reads.
    """
    for at in range(len(case.model.graph.node)):
        for result in range(len(case.model.graph.node[at].output) - 1, -1, -1):
            fewer = _without_result(case, at, result)
            if fewer is not None and (yield fewer):
                case = fewer
        for which in range(len(list(subgraphs(case.model.graph.node[at])))):
            inner = len(_body(case.model, at, which).node) - 1
            while inner >= 0:
                for proposed in _without_node(case, at, which, inner, trace):
                    if (yield proposed):
                        case = proposed
                        break
                inner = min(inner, len(_body(case.model, at, which).node)) - 1


def first_trip(
    case: Candidate, node: onnx.NodeProto, body: onnx.GraphProto, trace: Trace
) -> Candidate | None:
    """Return a body as a model on the values of its first trip; None where one cannot be had."""
    graph = case.model.graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    outer = dict.fromkeys(captured(body))
    wanted = [name for name in (*node.input, *outer) if name and name not in case.inputs]
    known = {**case.inputs, **(trace(case, wanted) if wanted else {})}
    fed = _fed(node, body, known)
    if fed is None:
        return None
    fed |= {name: known[name] for name in outer if name not in weights and name in known}
    types = {name: of for name, value in fed.items() if (of := value_type(value)) is not None}
    if len(types) < len(fed) or not set(outer) <= {*weights, *fed}:
        return None
    made = {name for inner in body.node for name in inner.output if name}
    outputs = [onnx.ValueInfoProto(name=value.name) for value in body.output if value.name in made]
    if not outputs:
        return None
    inputs = [helper.make_value_info(name, of) for name, of in types.items()]
    initialised = [*body.initializer, *(weights[name] for name in outer if name in weights)]
    model = with_free_initialisers(remade(case.model, body.node, inputs, outputs, initialised))
    found = pruned(Candidate(model=model, inputs=fed), [value.name for value in outputs])
    return shaped(found, found, trace)


def _fed(
    node: onnx.NodeProto, body: onnx.GraphProto, known: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Return what a body is given in the first trip; None where a value is not known."""
    names = [value.name for value in body.input]
    if not names:
        return {}
    if is_standard(node, "Loop"):
        begin: list[Any] = [np.zeros((), np.int64), np.ones((), np.bool_)]
        values = [*begin, *(known.get(name) for name in node.input[LOOP_OWN:])]
    elif is_standard(node, "Scan"):
        values = _sliced(node, [known.get(name) for name in node.input])
    else:
        return None
    if len(values) != len(names) or any(value is None for value in values):
        return None
    return dict(zip(names, values, strict=True))


def _sliced(node: onnx.NodeProto, values: list[Any]) -> list[Any]:
    """Return what a Scan gives its body first: its states, and a slice of each other input."""
    said = {one.name: helper.get_attribute_value(one) for one in node.attribute}
    count = int(said.get("num_scan_inputs", 0))
    states, scanned = values[: len(values) - count], values[len(values) - count :]
    axes = said.get("scan_input_axes", [0] * count)
    backwards = said.get("scan_input_directions", [0] * count)
    if len(axes) < len(scanned) or len(backwards) < len(scanned):
        return []
    slices: list[Any] = [
        np.asarray(value.take(-1 if back else 0, axis=axis))
        if isinstance(value, np.ndarray) and -value.ndim <= axis < value.ndim and value.size
        else None
        for value, axis, back in zip(scanned, axes, backwards, strict=False)
    ]
    return [*states, *slices]


def _one_trip(case: Candidate, at: int, trace: Trace) -> Candidate | None:
    model = copied(case.model)
    node = model.graph.node[at]
    body = next(subgraphs(node), None)
    if body is None or len(body.input) < LOOP_OWN or not node.output:  # no Loop that anyone runs
        return None
    trip, condition, *carried = [value.name for value in body.input]
    body.initializer.append(numpy_helper.from_array(np.zeros((), np.int64), trip))
    body.initializer.append(numpy_helper.from_array(np.ones((), np.bool_), condition))
    given = dict(zip(carried, node.input[LOOP_OWN:], strict=False))
    results = [value.name for value in body.output][1:]
    handed_on = [(i, o) for i, o in zip(results, node.output, strict=False) if o]
    made = put_in_place(model, at, body, handed_on, given)
    names = [value.name for value in made.graph.output]
    for value in made.graph.output:  # one value where the Loop gave as many as trips
        value.ClearField("type")
    found = pruned(Candidate(model=made, inputs=case.inputs), names)
    return shaped(found, found, trace)


def _without_result(case: Candidate, at: int, result: int) -> Candidate | None:
    """Return the candidate without what a Loop or Scan collects and nobody reads."""
    node = case.model.graph.node[at]
    own, body = int(is_standard(node, "Loop")), next(subgraphs(node), None)
    if not (own or is_standard(node, "Scan")) or len(node.output) == 1 or body is None:
        return None
    if len(body.output) != own + len(node.output):
        return None
    carried = len(body.input) - (LOOP_OWN if own else _scanned(node))
    read = {name for other in case.model.graph.node for name in uses(other)}
    read |= {value.name for value in case.model.graph.output}
    if result < carried or node.output[result] in read:
        return None
    model = copied(case.model)
    thinned = model.graph.node[at]
    body = next(subgraphs(thinned))
    del body.output[own + result]
    del thinned.output[result]
    if not own:
        for one in thinned.attribute:
            if one.name in ("scan_output_axes", "scan_output_directions") and one.ints:
                del one.ints[result - carried]
    _prune(body)
    return _with(case, model)


def _scanned(node: onnx.NodeProto) -> int:
    return next((int(one.i) for one in node.attribute if one.name == "num_scan_inputs"), 0)


def _without_node(
    case: Candidate, at: int, which: int, inner: int, trace: Trace
) -> Iterator[Candidate]:
    """Yield the candidate without a node of a body, and without what only that one needed."""
    node = _body(case.model, at, which).node[inner]
    made = [name for name in node.output if name]
    trip = first_trip(case, case.model.graph.node[at], _body(case.model, at, which), trace)
    values = trace(trip, made) if trip is not None else {}
    if all(isinstance(values.get(name), np.ndarray) for name in made):
        model = copied(case.model)
        body = _body(model, at, which)
        del body.node[inner]
        body.initializer.extend(numpy_helper.from_array(values[name], name) for name in made)
        _prune(body)
        yield _with(case, model)
    for name in dict.fromkeys(one for one in node.input if one and made):
        model = copied(case.model)
        body = _body(model, at, which)
        del body.node[inner]
        rename(body, {node.output[0]: name})
        _prune(body)
        yield _with(case, model)


def _prune(body: onnx.GraphProto) -> None:
    """Leave out what no output of a body needs, in place."""
    nodes, needed = needed_for([value.name for value in body.output], body.node)
    nodes = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    weights = [tensor for tensor in body.initializer if tensor.name in needed]
    kept = [onnx.TensorProto.FromString(tensor.SerializeToString()) for tensor in weights]
    del body.node[:]
    del body.initializer[:]
    body.node.extend(nodes)
    body.initializer.extend(kept)


def _with(case: Candidate, model: onnx.ModelProto) -> Candidate:
    """Return the candidate with another model, without what then nobody needs."""
    names = [value.name for value in model.graph.output]
    return pruned(Candidate(model=model, inputs=case.inputs), names)


def _body(model: onnx.ModelProto, at: int, which: int) -> onnx.GraphProto:
    return list(subgraphs(model.graph.node[at]))[which]
