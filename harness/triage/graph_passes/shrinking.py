"""Passes that keep the nodes and make the rest smaller: tensors, values, attributes, versions."""

from __future__ import annotations

import enum
import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import defs, helper, numpy_helper

from harness.triage.graph_passes.candidate import (
    OVERRIDABLE_IR,
    Candidate,
    Trace,
    array_of,
    copied,
    declared,
    has_shape,
    nodes_within,
    subgraphs,
    value_type,
)
from harness.triage.graph_passes.inlining import rename

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping

    Array = np.ndarray[Any, Any]

OLDEST = {"": 7}
"""The oldest version of a domain that ONNX Runtime promises anything of.

Source: https://onnxruntime.ai/docs/reference/compatibility.html
"""

FEW = 16
"""Elements of a tensor that are looked at one by one."""


class Reach(enum.Enum):
    """What a size that is cut takes with it."""

    AXES = enum.auto()
    """Every axis that is as long."""
    NUMBERS = enum.auto()
    """Integers that are as large as well: shapes in tensors, attributes such as kernel_shape."""
    MULTIPLES = enum.auto()
    """Multiples of it as well: the four gates of an LSTM, channels put together."""


def metadata(case: Candidate) -> Generator[Candidate, bool, None]:
    """Propose the model without what is only said of it."""
    model = copied(case.model)
    for field in ("doc_string", "producer_name", "producer_version", "domain", "metadata_props"):
        model.ClearField(field)
    model.ClearField("model_version")
    model.ClearField("training_info")
    graphs = [model.graph, *(g for node in nodes_within(model) for g in subgraphs(node))]
    for graph in graphs:
        for field in ("doc_string", "value_info", "metadata_props", "quantization_annotation"):
            graph.ClearField(field)
    for node in nodes_within(model):
        for field in ("name", "doc_string", "metadata_props"):
            node.ClearField(field)
    model.graph.name = "g"
    yield Candidate(model=model, inputs=case.inputs)


def declarations(case: Candidate, trace: Trace) -> Generator[Candidate, bool, None]:
    """Propose inputs and outputs declared as they are, in place of open or no dimensions."""
    model = copied(case.model)
    names = [value.name for value in model.graph.output]
    for value in model.graph.input:
        if (known := value_type(case.inputs.get(value.name))) is not None:
            value.type.CopyFrom(known)
    yield Candidate(model=declared(model, trace(case, names)), inputs=case.inputs)


def opsets(case: Candidate) -> Generator[Candidate, bool, None]:
    """Propose older versions of the operator sets, and of the format, the oldest first."""
    used = {_domain(node.domain) for node in nodes_within(case.model)} | {""}
    model = copied(case.model)
    kept = [opset for opset in model.opset_import if _domain(opset.domain) in used]
    del model.opset_import[:]
    model.opset_import.extend(kept)
    unused = Candidate(model=model, inputs=case.inputs)
    if (yield unused):
        case = unused
    ages = [case, *_ever_older(case)]
    newest, oldest = 0, len(ages)
    ahead = oldest - 1
    while newest < oldest - 1:
        if (yield ages[ahead]):
            newest, case = ahead, ages[ahead]
        else:
            oldest = ahead
        ahead = (newest + oldest) // 2
    model = copied(case.model)
    try:
        model.ir_version = max(OVERRIDABLE_IR, helper.find_min_ir_version_for(model.opset_import))
    except ValueError:
        return
    yield Candidate(model=model, inputs=case.inputs)


def _ever_older(case: Candidate) -> Iterator[Candidate]:
    while (older := _older(case)) is not None:
        yield older
        case = older


def to_inputs(case: Candidate) -> Generator[Candidate, bool, None]:
    """Propose initialisers as inputs: all, else one by one; of damaged ones no value is known."""
    tensors = case.model.graph.initializer
    names = [one.name for one in tensors if array_of(one).shape == tuple(one.dims)]
    if names and not (yield _with_inputs(case, names)):
        for name in names:
            made = _with_inputs(case, [name])
            if (yield made):
                case = made


def dimensions(case: Candidate) -> Generator[Candidate, bool, None]:
    """Propose tensors cut short: everywhere along one size at once, then axis by axis."""
    for size in sorted(_sizes(case), reverse=True):
        for to, reach in itertools.product(_smaller(size), Reach):
            made = _cut_everywhere(case, size, to, reach)
            if made is not None and (yield made):
                case = made
                break
    for name in list(_tensors(case)):
        for axis in range(_tensors(case)[name].ndim):
            for to in _smaller(_tensors(case)[name].shape[axis]):
                made = _cut(case, {(name, axis): to})
                if made is not None and (yield made):
                    case = made
                    break


def values(case: Candidate) -> Generator[Candidate, bool, None]:
    """Propose plainer numbers in each tensor: zeros, ones, one number, whole ones, one by one."""
    for name in list(_tensors(case)):
        for plainer in _plainer(_tensors(case)[name]):
            made = _with_tensor(case, name, plainer)
            if (yield made):
                case = made
                break
        array = _tensors(case)[name]
        if array.size <= FEW and array.dtype.kind not in "OUSM":
            for at in np.ndindex(array.shape):
                for number in (0, 1):
                    one = _tensors(case)[name].copy()
                    one[at] = number
                    made = _with_tensor(case, name, one)
                    if (yield made):
                        case = made
                        break


def attributes(case: Candidate) -> Generator[Candidate, bool, None]:
    """Propose nodes without an attribute that has a default."""
    for at in range(len(case.model.graph.node)):
        for name in [attribute.name for attribute in case.model.graph.node[at].attribute]:
            model = copied(case.model)
            node = model.graph.node[at]
            kept = [attribute for attribute in node.attribute if attribute.name != name]
            del node.attribute[:]
            node.attribute.extend(kept)
            made = Candidate(model=_redeclared(model), inputs=case.inputs)
            if (yield made):
                case = made


def names(case: Candidate) -> Generator[Candidate, bool, None]:
    """Propose short names of tensors."""
    model = copied(case.model)
    graph = model.graph
    fresh: dict[str, str] = {}
    weights = {tensor.name: None for tensor in graph.initializer}
    inputs = [value.name for value in graph.input if value.name not in weights]
    outputs = [value.name for value in graph.output if value.name not in inputs]
    between = [name for node in graph.node for name in node.output if name]
    for letter, group in (("x", inputs), ("w", weights), ("y", outputs), ("t", between)):
        found = [name for name in dict.fromkeys(group) if name not in fresh]
        many = len(found) > 1
        fresh |= {name: f"{letter}{at if many else ''}" for at, name in enumerate(found)}
    rename(graph, fresh)
    given = {fresh.get(name, name): value for name, value in case.inputs.items()}
    yield Candidate(model=model, inputs=given)


def _domain(name: str) -> str:
    return "" if name == "ai.onnx" else name


def _older(case: Candidate) -> Candidate | None:
    """Return the model under the oldest operator set of the same operators, else of older ones."""
    model = copied(case.model)
    changed = False
    for opset in model.opset_import:
        used = [n for n in nodes_within(model) if _domain(n.domain) == _domain(opset.domain)]
        since = [version for node in used if (version := _since(node, opset.version))]
        if not since or len(since) < len(used):
            continue
        older = max(since) if max(since) < opset.version else opset.version - 1
        if older >= OLDEST.get(_domain(opset.domain), 1):
            opset.version, changed = older, True
    return Candidate(model=model, inputs=case.inputs) if changed else None


def _since(node: onnx.NodeProto, version: int) -> int:
    """Return the version that brought the operator as it is in a version; 0 for no such one."""
    try:
        return defs.get_schema(node.op_type, version, _domain(node.domain)).since_version
    except defs.SchemaError:
        return 0


def _with_inputs(case: Candidate, names: Iterable[str]) -> Candidate:
    model, wanted = copied(case.model), set(names)
    graph, given = model.graph, dict(case.inputs)
    already = {value.name for value in graph.input}
    kept = []
    for tensor in graph.initializer:
        if tensor.name not in wanted:
            kept.append(tensor)
            continue
        given.setdefault(tensor.name, numpy_helper.to_array(tensor))
        if tensor.name not in already:
            of = helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
            graph.input.append(of)
    del graph.initializer[:]
    graph.initializer.extend(kept)
    order = [value.name for value in graph.input]
    return Candidate(model=model, inputs={name: given[name] for name in order if name in given})


def _tensors(case: Candidate) -> dict[str, Array]:
    """Return the arrays among the inputs and the initialisers, by name."""
    given = {name: value for name, value in case.inputs.items() if isinstance(value, np.ndarray)}
    weights = {t.name: array_of(t) for t in case.model.graph.initializer if t.name not in given}
    return {**given, **weights}


def _sizes(case: Candidate) -> set[int]:
    return {size for array in _tensors(case).values() for size in array.shape if size > 1}


def _smaller(size: int) -> Iterator[int]:
    yield from dict.fromkeys(to for to in (1, 2, size // 2, size - 1) if 0 < to < size)


def _cut_everywhere(case: Candidate, size: int, to: int, reach: Reach) -> Candidate | None:
    """Return the candidate with a size replaced wherever it stands."""

    def cut(found: int) -> int:
        if reach is Reach.MULTIPLES and found and found % size == 0:
            return found // size * to
        return to if found == size else found

    axes = {
        (name, axis): cut(found)
        for name, array in _tensors(case).items()
        for axis, found in enumerate(array.shape)
        if cut(found) != found
    }
    made = _cut(case, axes)
    if made is None or reach is Reach.AXES:
        return made
    for name, array in _tensors(made).items():
        if array.dtype == np.int64 and array.size <= FEW:
            numbers = np.array([cut(int(n)) for n in array.ravel()], np.int64).reshape(array.shape)
            made = _with_tensors(made, {name: numbers})
    model = copied(made.model)
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.INTS:
                attribute.ints[:] = [cut(number) for number in attribute.ints]
            elif attribute.type == onnx.AttributeProto.INT:
                attribute.i = cut(attribute.i)
    return Candidate(model=_redeclared(model), inputs=made.inputs)


def _cut(case: Candidate, axes: Mapping[tuple[str, int], int]) -> Candidate | None:
    tensors = _tensors(case)
    shorter: dict[str, Array] = {}
    for (name, axis), to in axes.items():
        array = shorter.get(name, tensors[name])
        shorter[name] = array.take(range(to), axis=axis)
    return _with_tensors(case, shorter) if shorter else None


def _plainer(array: Array) -> Iterator[Array]:
    if array.dtype.kind in "OUS":
        for text in ("", "a"):
            plain = np.empty(array.shape, object)
            plain[...] = text
            yield plain
        return
    for number in (0, 1, 2):
        yield np.full(array.shape, number).astype(array.dtype)
    if array.size:
        yield np.full(array.shape, array.ravel()[0]).astype(array.dtype)
    if array.dtype.kind == "f":
        with np.errstate(invalid="ignore"):
            yield np.round(array)
            yield np.sign(array)
    yield np.where(array != 0, np.ones((), array.dtype), array).astype(array.dtype)


def _with_tensor(case: Candidate, name: str, array: Array) -> Candidate:
    return _with_tensors(case, {name: array})


def _with_tensors(case: Candidate, arrays: Mapping[str, Array]) -> Candidate:
    """Return the candidate with other values, and shapes, of inputs and initialisers."""
    model, given = copied(case.model), dict(case.inputs)
    for value in model.graph.input:
        if value.name in arrays and (of := value_type(arrays[value.name])) is not None:
            value.type.CopyFrom(of)
    for tensor in model.graph.initializer:
        if tensor.name in arrays and tensor.name not in given:
            tensor.CopyFrom(numpy_helper.from_array(arrays[tensor.name], tensor.name))
    given |= {name: array for name, array in arrays.items() if name in given}
    return Candidate(model=_redeclared(model), inputs=given)


def _redeclared(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with its outputs of open dimensions, or of those that can be inferred."""
    kinds = {
        value.name: onnx.TypeProto.FromString(value.type.SerializeToString())
        for value in model.graph.output
    }
    for value in model.graph.output:
        value.ClearField("type")
    declared(model)
    for value in model.graph.output:
        if not has_shape(value.type):
            value.type.CopyFrom(_open(kinds[value.name]))
    return model


def _open(of: onnx.TypeProto) -> onnx.TypeProto:
    for dimension in of.tensor_type.shape.dim:
        dimension.Clear()
    return of
