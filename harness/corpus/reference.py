"""What onnx's reference evaluator answers, asked in a process of its own, with a deadline.

It is Python and numpy, so that it may take for ever on a large model, or all memory.
"""

from __future__ import annotations

import multiprocessing
import signal
import time
import warnings
from typing import TYPE_CHECKING, Any, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping
    from multiprocessing.connection import Connection
    from types import TracebackType

DEADLINE_S = 20.0
ENDS_S = 5.0
"""How long a killed process has to be gone."""

PATIENCE_S, PATIENCE = 5.0, 5.0


def bounded(deadline_s: float, longest_s: float | None) -> float:
    """Return how long to wait for one of many models that become ever smaller.

    What is smaller takes no longer: PATIENCE_S and PATIENCE times the longest so far will do, so
    that one which hangs does not cost what the largest may take.
    """
    return deadline_s if longest_s is None else min(deadline_s, PATIENCE_S + PATIENCE * longest_s)


class Evaluator:
    """The evaluator's process, started when it is first asked and anew after it was killed."""

    def __init__(self, deadline_s: float = DEADLINE_S) -> None:
        self._deadline_s = deadline_s
        self._process: Any = None
        self._asks: Connection | None = None
        self._longest_s: float | None = None

    def answer(self, model: bytes, inputs: Mapping[str, Any]) -> list[Any] | None:
        """Return the outputs of a model; None where it cannot say, or not within the deadline."""
        try:
            asks = self._started()
            asks.send((model, dict(inputs)))
            began = time.monotonic()
            if asks.poll(bounded(self._deadline_s, self._longest_s)):
                outputs: list[Any] | None = asks.recv()
                self._longest_s = max(self._longest_s or 0.0, time.monotonic() - began)
                return outputs
        except (OSError, EOFError):
            pass  # it died of the model
        self.close()
        return None

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join(ENDS_S)
            self._process = None
        if self._asks is not None:
            self._asks.close()
            self._asks = None

    def _started(self) -> Connection:
        if self._asks is None:
            context = multiprocessing.get_context("spawn")
            self._asks, theirs = context.Pipe()
            self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
            self._process.start()
            theirs.close()
        return self._asks

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.close()


def _serve(asked: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever asks is interrupted, and ends us
    while True:
        try:
            model, inputs = asked.recv()
        except EOFError:
            return
        asked.send(evaluated(model, inputs))


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
