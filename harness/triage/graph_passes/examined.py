"""What onnx's checker and shape inference say of a model: asked aside, for they die and hang, too.

Source: FINDINGS.md, O1 and O9: ONNX Runtime has its shape inference from there.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

import onnx
from onnx import checker, shape_inference

from harness.corpus.aside import Aside

if TYPE_CHECKING:
    from collections.abc import Callable

MODEL_ERRORS = (checker.ValidationError, shape_inference.InferenceError, ValueError, RuntimeError)
"""How the checker and shape inference refuse; the last two where protobuf does."""

DEADLINE_S = 20.0

NO_END = "onnx.checker dies of the model, or does not end"


class Validity(enum.IntEnum):
    """What onnx.checker says of a model."""

    INVALID = 0
    VALID = 1
    FULLY_VALID = 2
    """Shape inference agrees as well."""


def examined(model: bytes) -> tuple[Validity, str]:
    """Return how valid a model is, and what speaks against it, without where in it."""
    found: tuple[Validity, str] | None = _ASIDE.call(_examined, model)
    return found or (Validity.INVALID, NO_END)


def inferred(model: bytes) -> dict[str, onnx.TypeProto]:
    """Return the types of tensors as shape inference finds them, as far as it does."""
    found: dict[str, bytes] = _ASIDE.call(_inferred, model) or {}
    return {name: onnx.TypeProto.FromString(of) for name, of in found.items()}


def _examined(model: bytes) -> tuple[Validity, str]:
    complaint = ""
    for validity in (Validity.FULLY_VALID, Validity.VALID):
        try:
            checker.check_model(model, full_check=validity is Validity.FULLY_VALID)
        except MODEL_ERRORS as error:
            complaint = str(error).partition("\n\n==> Context")[0]
        else:
            return validity, complaint
    return Validity.INVALID, complaint


def _inferred(model: bytes) -> dict[str, bytes]:
    try:
        graph = shape_inference.infer_shapes(model, data_prop=True).graph
    except MODEL_ERRORS:
        return {}
    values = [*graph.value_info, *graph.output]
    return {v.name: v.type.SerializeToString() for v in values if v.type.WhichOneof("value")}


def _called(function: Callable[[bytes], Any], model: bytes) -> Any:
    return function(model)


_ASIDE = Aside(_called, DEADLINE_S)
"""One for all: a process takes a second to start, and a look some milliseconds."""
