"""What onnx's reference evaluator answers, asked in a process of its own, with a deadline.

It is Python and numpy, so that it may take for ever on a large model, or all memory.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.corpus.aside import Aside

if TYPE_CHECKING:
    from collections.abc import Mapping

DEADLINE_S = 20.0


class Evaluator(Aside):
    """The evaluator's process."""

    def __init__(self, deadline_s: float = DEADLINE_S) -> None:
        super().__init__(evaluated, deadline_s)

    def answer(self, model: bytes, inputs: Mapping[str, Any]) -> list[Any] | None:
        """Return the outputs of a model; None where it cannot say, or not within the deadline."""
        return self.call(model, dict(inputs))


def evaluated(model: bytes, inputs: Mapping[str, Any]) -> list[Any] | None:
    """Return what the evaluator answers, in this process; None where it refuses."""
    from onnx.reference import ReferenceEvaluator  # noqa: PLC0415 - a second

    given = {name: value for name, value in inputs.items() if value is not None}
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            outputs = ReferenceEvaluator(model).run(None, given)
    except Exception:  # noqa: BLE001 - boundary: an operator may raise anything
        return None
    return [np.asarray(one) if isinstance(one, np.generic) else one for one in outputs]


def agree(some: Any, others: Any, *, rtol: float, atol: float) -> bool:
    """Say whether two answers are alike: types, shapes, and numbers within the tolerances."""
    match some, others:
        case (list(), list()):
            return len(some) == len(others) and all(
                agree(one, other, rtol=rtol, atol=atol)
                for one, other in zip(some, others, strict=True)
            )
        case (dict(), dict()):
            return some.keys() == others.keys() and agree(
                [np.asarray(value) for value in some.values()],
                [np.asarray(others[key]) for key in some],
                rtol=rtol,
                atol=atol,
            )
        case (np.ndarray(), np.ndarray()):
            return _arrays_agree(some, others, rtol=rtol, atol=atol)
    return some is None and others is None


def _arrays_agree(
    one: np.ndarray[Any, Any], other: np.ndarray[Any, Any], *, rtol: float, atol: float
) -> bool:
    is_text = one.dtype.kind in "OUS"
    alike = other.dtype.kind in "OUS" if is_text else one.dtype == other.dtype
    if not alike or one.shape != other.shape:
        return False
    if is_text or one.dtype.kind == "b":
        return bool((one == other).all())
    widest = np.complex128 if one.dtype.kind == "c" else np.float64
    close = np.isclose(
        one.astype(widest), other.astype(widest), rtol=rtol, atol=atol, equal_nan=True
    )
    return bool(close.all())
