"""How far what came out lies from what is right, and which tolerance would have passed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.wire.messages import Mismatch
from harness.wire.values import ElementType
from harness.worker.tensors import Array, PackedTensor

if TYPE_CHECKING:
    from collections.abc import Callable

BFLOAT16_RTOL = 2.0**-6
"""Two units in the last place: onnx.backend.test.runner compares bfloat16 so."""

MOST_LAST_PLACES = 16
"""More than three roundings in a row can be off by."""

Finding = dict[str, Any]
"""The fields of a Mismatch but for the name of the output."""


def compare(name: str, got: Any, want: Any, *, rtol: float, atol: float) -> Mismatch | None:
    """Return how `got` differs from `want`, or None where |got - want| ≤ atol + rtol·|want|.

    Shapes and element types must be equal; NaN equals NaN; infinities, strings and booleans are
    compared exactly. `got` and `want` are arrays, PackedTensor, lists, dicts or None; a number in a
    dict may be Python's or numpy's of any width, as ONNX Runtime hands those out.
    """
    finding = _differs(got, want, rtol=rtol, atol=atol)
    return Mismatch(output=name, **finding) if finding else None


def _differs(got: Any, want: Any, *, rtol: float, atol: float) -> Finding | None:
    match want:
        case None:
            return None if got is None else {"text": f"want nothing, got {_type_name(got)}"}
        case list():
            return _sequence_differs(got, want, rtol=rtol, atol=atol)
        case dict():
            return _map_differs(got, want, rtol=rtol, atol=atol)
    return _tensor_differs(got, want, rtol=rtol, atol=atol)


def _sequence_differs(got: Any, want: list[Any], *, rtol: float, atol: float) -> Finding | None:
    if not isinstance(got, list) or len(got) != len(want):
        length = f" of {len(got)}" if isinstance(got, list) else ""
        return {"text": f"want a sequence of {len(want)}, got {_type_name(got)}{length}"}
    for index, (one, other) in enumerate(zip(got, want, strict=True)):
        if finding := _differs(one, other, rtol=rtol, atol=atol):
            return {**finding, "text": f"element {index}: {finding['text']}"}
    return None


def _map_differs(got: Any, want: dict[Any, Any], *, rtol: float, atol: float) -> Finding | None:
    if not isinstance(got, dict) or got.keys() != want.keys():
        return {"text": f"want a map with keys {list(want)}, got {got!r:.80}"}
    for key, value in want.items():
        one, other = _as_widest_array(got[key]), _as_widest_array(value)
        if finding := _differs(one, other, rtol=rtol, atol=atol):
            return {**finding, "text": f"key {key!r}: {finding['text']}"}
    return None


def _as_widest_array(value: Any) -> Any:
    """Return a number or string as an array of the widest type of its kind, others as they are."""
    plain = value.item() if isinstance(value, np.generic) else value
    match plain:
        case str():
            return np.array(plain, dtype=object)
        case int() | float():
            return np.array(plain)
    return plain


def _tensor_differs(got: Any, want: Any, *, rtol: float, atol: float) -> Finding | None:
    if _type_name(got) != _type_name(want):
        return {"text": f"want {_type_name(want)}, got {_type_name(got)}"}
    if tuple(got.shape) != tuple(want.shape):
        return {"text": f"want shape {list(want.shape)}, got {list(got.shape)}"}
    if isinstance(want, PackedTensor):
        if want.element_type is ElementType.BFLOAT16:
            rtol = max(rtol, BFLOAT16_RTOL)
        return _numbers_differ(got.numbers, want.numbers, rtol=rtol, atol=atol)
    if want.dtype.kind in "bOUS":
        return _exactly_differs(got, want)
    return _numbers_differ(got, want, rtol=rtol, atol=atol)


def _exactly_differs(got: Array, want: Array) -> Finding | None:
    unequal = np.argwhere(got != want)
    if not len(unequal):
        return None
    at = tuple(int(i) for i in unequal[0])
    text = f"{len(unequal)} of {want.size} differ, first at {list(at)}: "
    return {"text": f"{text}want {want[at]!r}, got {got[at]!r}", "at": at}


def _numbers_differ(got: Array, want: Array, *, rtol: float, atol: float) -> Finding | None:
    with np.errstate(invalid="ignore", over="ignore"):
        same = (got == want) | (np.isnan(got) & np.isnan(want))
        error = np.where(same, 0.0, _distance(got, want))
        got, want = _widened(got), _widened(want)
        finite = np.isfinite(error)
        close = finite & (error <= atol + rtol * np.abs(want))
    bad = ~(same | close)
    if not bad.any():
        return None
    worst = np.where(bad, np.where(finite, error, np.inf), -1.0)
    at = tuple(int(i) for i in np.unravel_index(int(worst.argmax()), want.shape))
    return {
        "text": f"{int(bad.sum())} of {want.size} differ by more than {atol:g} + {rtol:g}·|want|, "
        f"worst at {list(at)}: want {want[at]:.9g}, got {got[at]:.9g}",
        "at": at,
        **_figures(error[bad], want[bad], finite=bool(finite[bad].all()), rtol=rtol, atol=atol),
    }


def _distance(got: Array, want: Array) -> Array:
    """Return |got - want| as float64, of integers without the rounding that comes beyond 2^53."""
    if want.dtype.kind in "iu":  # unsigned arithmetic wraps to the right difference
        high, low = np.maximum(got, want), np.minimum(got, want)
        return np.asarray(high.astype(np.uint64) - low.astype(np.uint64), dtype=np.float64)
    distance: Array = np.abs(_widened(got) - _widened(want))
    return distance


def _widened(array: Array) -> Array:
    return np.asarray(array, dtype=np.complex128 if array.dtype.kind == "c" else np.float64)


def _figures(error: Array, want: Array, *, finite: bool, rtol: float, atol: float) -> Finding:
    """Return the largest error and the smallest tolerances, of the elements that differ."""
    if not finite:  # a NaN or an infinity in the wrong place: no tolerance would do
        return {}
    size = np.abs(want)
    with np.errstate(divide="ignore", over="ignore"):
        rtol_needed = float(((error - atol) / size).max())
        atol_needed = float((error - rtol * size).max())
        return {
            "largest_error": float(error.max()),
            "rtol_needed": _enough(rtol_needed, lambda r: (error <= atol + r * size).all()),
            "atol_needed": _enough(atol_needed, lambda a: (error <= a + rtol * size).all()),
        }


def _enough(tolerance: float, passes: Callable[[float], np.bool_]) -> float | None:
    """Return the tolerance, raised by the few last places that rounding took; None for none."""
    for _ in range(MOST_LAST_PLACES):
        if not math.isfinite(tolerance):
            return None
        if passes(tolerance):
            return tolerance
        tolerance = math.nextafter(tolerance, math.inf)
    return None


def _type_name(value: Any) -> str:
    match value:
        case PackedTensor():
            return f"tensor({value.element_type.ort_name})"
        case np.ndarray():
            return "tensor(string)" if value.dtype.kind in "OUS" else f"tensor({value.dtype})"
        case list():
            return "a sequence"
        case None:
            return "nothing"
    return type(value).__name__
