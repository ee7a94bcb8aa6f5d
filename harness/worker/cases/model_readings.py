"""What a model's runs come to beyond right and wrong: the values to the last bit, and the time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from harness.wire.catalogue.procedures import MODEL_SPEED, MODEL_VALUES
from harness.wire.outcomes import Outcome
from harness.wire.values import ModelCase
from harness.worker.cases import Observation, implements
from harness.worker.cases.malformed.digests import digest
from harness.worker.cases.model_case import compared, inputs_of, mismatch, opened
from harness.worker.cases.refusals import observed
from harness.worker.comparison import compare
from harness.worker.tensors import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.wire.messages import Request
    from harness.wire.values import DataSet
    from harness.worker.under_test import UnderTest

WARM_UP_RUNS = 3
FEWEST_RUNS = 5
LEAST_S = 0.02
"""For how long at least runs are timed: far above the clock's own grain."""
MOST_RUNS = 200


@implements(MODEL_VALUES)
def model_values(request: Request, under_test: UnderTest) -> Observation:
    """Run every data set, compare as `model_case` does, and tell the digest of all outputs."""
    case = ModelCase.from_json(request.arguments)
    with observed(under_test.binding) as seen, opened(case, request, under_test, seen) as backend:
        every = []
        wrong_at = None
        for index, data_set in enumerate(case.data_sets):
            outputs = backend.run(inputs_of(case, data_set))
            every += outputs
            wrong = compared(case, data_set, backend, outputs)
            if wrong and wrong_at is None:
                wrong_at = mismatch(index, wrong)
            if errors := list(_errors(case, data_set, outputs)):
                known = seen.answer.get("largest error", 0.0)
                seen.answer["largest error"] = max(known, *errors)
        seen.answer["digest"] = digest(every)
        if wrong_at is not None:
            seen.conclude(Outcome.FAIL, wrong_at)
        seen.has_run(backend)
    return seen.observation


def _errors(case: ModelCase, data_set: DataSet, outputs: list[Any]) -> Iterator[float]:
    """Return the largest error of each output that has numbers to be right by."""
    for got, want in zip(outputs, data_set.outputs or (), strict=False):
        found = compare("", got, load(want, case.data), rtol=0.0, atol=0.0)
        if found is not None and found.largest_error is not None:
            yield found.largest_error


@implements(MODEL_SPEED)
def model_speed(request: Request, under_test: UnderTest) -> Observation:
    """Run the first data set over and over, and tell the seconds of the fastest run.

    Whatever else the machine does only adds to a run, so the fastest is the steadiest reading.
    """
    case = ModelCase.from_json(request.arguments)
    with observed(under_test.binding) as seen, opened(case, request, under_test, seen) as backend:
        inputs = inputs_of(case, case.data_sets[0])
        for _ in range(WARM_UP_RUNS):
            backend.run(inputs)
        seconds: list[float] = []
        while len(seconds) < FEWEST_RUNS or (sum(seconds) < LEAST_S and len(seconds) < MOST_RUNS):
            began = time.perf_counter()
            backend.run(inputs)
            seconds.append(time.perf_counter() - began)
        seen.answer["seconds a run"] = min(seconds)
        seen.answer["runs"] = len(seconds)
        seen.has_run(backend)
    return seen.observation
