"""What the standard's reference evaluator answers, or why it does not vote."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator

from harness.corpus.packing import array_of

if TYPE_CHECKING:
    from collections.abc import Sequence


class NoVoteError(Exception):
    """The reference evaluator has no answer that counts; the text says why."""


def reference_answer(model: onnx.ModelProto, inputs: Sequence[Any]) -> list[Any]:
    """Return the reference evaluator's outputs; raise NoVoteError where they do not count.

    They do not where it raises, and where they are not of the types and sizes that the model
    declares: then it is the evaluator that strays from the standard.
    """
    names = [value.name for value in model.graph.input]
    feeds = dict(zip(names, map(_as_array, inputs), strict=False))
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            outputs = list(ReferenceEvaluator(model).run(None, feeds))
    except Exception as error:  # boundary: the evaluator may raise anything
        raise NoVoteError(f"{type(error).__name__}: {error}"[:200]) from error
    for declared, output in zip(model.graph.output, outputs, strict=True):
        if wrong := _unlike_declared(declared, output):
            raise NoVoteError(wrong)
    return outputs


def _as_array(value: Any) -> Any:
    return array_of(value) if isinstance(value, onnx.TensorProto) else value


def _unlike_declared(declared: onnx.ValueInfoProto, output: Any) -> str:
    if not declared.type.HasField("tensor_type"):
        return ""
    if not isinstance(output, np.ndarray | np.generic):
        return f"{declared.name} is {type(output).__name__}, no tensor"
    tensor = declared.type.tensor_type
    array = np.asarray(output)
    given = (
        onnx.TensorProto.STRING
        if array.dtype.kind in "OUS"
        else numpy_helper.from_array(array).data_type
    )
    if given != tensor.elem_type:
        of = onnx.TensorProto.DataType.Name
        return f"{declared.name} is {of(given)}, declared {of(tensor.elem_type)}"
    if not tensor.HasField("shape"):
        return ""
    sizes = [size.dim_value if size.HasField("dim_value") else None for size in tensor.shape.dim]
    fits = len(sizes) == array.ndim and all(
        want in (None, got) for got, want in zip(array.shape, sizes, strict=True)
    )
    return "" if fits else f"{declared.name} has shape {list(array.shape)}, declared {sizes}"
