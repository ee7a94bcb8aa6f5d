"""A model of the user's own and its inputs: read from files, or made of what it declares."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import helper

from harness.errors import ConfigurationError, NotReducibleError

if TYPE_CHECKING:
    from pathlib import Path

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Model: TypeAlias = onnx.ModelProto

OF_AN_OPEN_DIMENSION = 2
MOST_ELEMENTS = 2**28


def read_model(path: Path) -> onnx.ModelProto:
    """Return the model in a file, with the data beside it; raise ConfigurationError."""
    try:
        model = onnx.load(path)
    except (OSError, DecodeError, ValueError, onnx.checker.ValidationError) as error:
        raise ConfigurationError(f"{path}: not an ONNX model that can be read: {error}") from error
    if not model.graph.node:
        raise ConfigurationError(f"{path}: not an ONNX model: it has no nodes")
    return model


def handing_on(value: Array) -> Model:
    """Return a model of y = x for values of this type and shape, for any release."""
    of = onnx.TensorProto.STRING if value.dtype.kind in "OUS" else _element_type(value)
    x, y = (helper.make_tensor_value_info(name, of, value.shape) for name in "xy")
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", [x], [y])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)


def _element_type(value: Array) -> int:
    return int(helper.np_dtype_to_tensor_dtype(value.dtype))


def parsed_model(data: bytes, what: str) -> onnx.ModelProto:
    """Return the model that bytes hold; raise NotReducibleError where they hold none."""
    try:
        return onnx.load_model_from_string(data)
    except DecodeError as error:
        raise NotReducibleError(
            f"{what}: its bytes are no model, so there is no model to reduce"
        ) from error


def open_inputs(model: onnx.ModelProto) -> list[onnx.ValueInfoProto]:
    """Return the inputs that have to be given a value: those without an initialiser."""
    initialised = {tensor.name for tensor in model.graph.initializer}
    initialised |= {tensor.values.name for tensor in model.graph.sparse_initializer}
    return [value for value in model.graph.input if value.name not in initialised]


def read_inputs(path: Path, model: onnx.ModelProto) -> dict[str, Any]:
    """Return the arrays of an .npz by the names of the model's inputs.

    Raise ConfigurationError where one is missing, is no input or is of another type than declared.
    """
    names = [value.name for value in open_inputs(model)]
    try:
        with np.load(path, allow_pickle=False) as archive:
            found = {name: archive[name] for name in archive.files}
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path}: not an .npz of arrays: {error}") from error
    if unknown := found.keys() - set(names):
        raise ConfigurationError(
            f"{path}: no input is called {min(unknown)!r}; the model has {names}"
        )
    if missing := [name for name in names if name not in found]:
        raise ConfigurationError(f"{path}: input {missing[0]!r} is missing; it holds {list(found)}")
    for value in open_inputs(model):
        _refuse_other_type(path, value, found[value.name])
    return {
        name: array.astype(object) if array.dtype.kind == "U" else array
        for name, array in ((name, found[name]) for name in names)
    }


def _refuse_other_type(path: Path, value: onnx.ValueInfoProto, array: np.ndarray[Any, Any]) -> None:
    declared = value.type.tensor_type.elem_type
    if not declared:  # no tensor, or a malformed model that does not say
        return
    if declared == onnx.TensorProto.STRING:
        is_right = array.dtype.kind in "US"
    else:
        wanted = helper.tensor_dtype_to_np_dtype(declared)
        # What numpy itself lacks, an .npz cannot hold as such: its bytes are given.
        is_right = wanted.isbuiltin != 1 or array.dtype == wanted
    if not is_right:
        name = onnx.TensorProto.DataType.Name(declared).lower()
        raise ConfigurationError(
            f"{path}: input {value.name!r} is of {array.dtype}; the model declares {name}"
        )


def made_inputs(model: onnx.ModelProto, seed: int = 0) -> dict[str, Any]:
    """Return values for the inputs as they are declared, the same for the same seed.

    They are those that a worker makes for a malformed model. Raise ConfigurationError for an input
    that none can be made for.
    """
    random = np.random.default_rng(seed)
    return {value.name: _made(value.name, value.type, random) for value in open_inputs(model)}


def _made(name: str, of: onnx.TypeProto, random: np.random.Generator) -> Any:
    match of.WhichOneof("value"):
        case "optional_type":
            return _made(name, of.optional_type.elem_type, random)
        case "sequence_type":
            inner = of.sequence_type.elem_type.tensor_type.elem_type
            return [_array(inner, (OF_AN_OPEN_DIMENSION,), random) for _ in range(2)]
        case "tensor_type":
            dimensions = of.tensor_type.shape.dim
            shape = tuple(
                d.dim_value if d.WhichOneof("value") == "dim_value" else OF_AN_OPEN_DIMENSION
                for d in dimensions
            )
            if all(size >= 0 for size in shape) and math.prod(shape) <= MOST_ELEMENTS:
                return _array(of.tensor_type.elem_type, shape, random)
    raise ConfigurationError(f"no value can be made for input {name!r}: give --inputs FILE.npz")


def _array(of: int, shape: tuple[int, ...], random: np.random.Generator) -> Any:
    if of == onnx.TensorProto.STRING:
        texts = np.empty(math.prod(shape), dtype=object)
        texts[:] = [str(number) for number in random.integers(0, 100, math.prod(shape))]
        return texts.reshape(shape)
    try:
        dtype = np.dtype(helper.tensor_dtype_to_np_dtype(of))
    except KeyError as error:
        raise ConfigurationError(f"no value can be made of element type {of}") from error
    if dtype.kind in "fc":
        return random.uniform(-2, 2, shape).astype(dtype)
    return random.integers(0, 2 if dtype.kind == "b" else 4, shape).astype(dtype)
