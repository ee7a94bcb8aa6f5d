"""A model on given inputs, compared with given outputs: the suite `onnx` and any other corpus."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.wire.catalogue.procedures import MODEL_CASE
from harness.wire.messages import Evidence, Mismatch, Request
from harness.wire.outcomes import Outcome
from harness.wire.settings import SessionSettings
from harness.wire.values import DataSet, ModelCase
from harness.worker.backend import OpenOptions
from harness.worker.cases import Observation, implements
from harness.worker.cases.refusals import observed
from harness.worker.comparison import compare
from harness.worker.tensors import load, read_blob

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.worker.backend import Backend
    from harness.worker.cases.refusals import Seen
    from harness.worker.under_test import UnderTest

ONE_THREAD = SessionSettings(intra_threads=1, inter_threads=1, records_placement=True)
"""The same answer on any number of cores, and no thread that spins against the next worker."""


@implements(MODEL_CASE)
def model_case(request: Request, under_test: UnderTest) -> Observation:
    """Open the model strictly on the asked device, run every data set and compare."""
    case = ModelCase.from_json(request.arguments)
    with observed(under_test.binding) as seen, opened(case, request, under_test, seen) as backend:
        for index, data_set in enumerate(case.data_sets):
            # Kept until all is compared: what a build hands through may be the caller's own memory.
            inputs = inputs_of(case, data_set)
            outputs = backend.run(inputs)
            if wrong := compared(case, data_set, backend, outputs):
                seen.conclude(Outcome.FAIL, mismatch(index, wrong))
                break
        seen.has_run(backend)
    return seen.observation


@contextlib.contextmanager
def opened(
    case: ModelCase,
    request: Request,
    under_test: UnderTest,
    seen: Seen,
    *,
    settings: SessionSettings = ONE_THREAD,
) -> Iterator[Backend]:
    """Give the model opened strictly on the asked device, and note how far it came."""
    options = OpenOptions(
        device=request.device, strict=True, providers=request.providers, settings=settings
    )
    model = str(Path(case.model.file)) if case.in_place else read_blob(case.model)
    seen.ir, seen.opsets, seen.stage = case.ir, case.opsets, "open"
    with under_test.open(model, options) as backend:
        seen.attached, seen.stage = backend.attached, "run"
        yield backend


def inputs_of(case: ModelCase, data_set: DataSet) -> list[Any]:
    """Return the inputs of a run by position."""
    return [load(value, case.data) for value in data_set.inputs]


def mismatch(index: int, wrong: Sequence[Mismatch]) -> Evidence:
    """Return the evidence for what is wrong of a data set, by its number."""
    text = f"data set {index}: {wrong[0].output}: {wrong[0].text}"
    return Evidence(stage="compare", text=text, mismatches=tuple(wrong))


def compared(
    case: ModelCase,
    data_set: DataSet,
    backend: Backend,
    outputs: list[Any],
) -> tuple[Mismatch, ...]:
    """Return what is wrong of the outputs, within the tolerance of the case."""
    if data_set.outputs is None:
        return ()
    names = [slot.name for slot in backend.outputs]
    if len(outputs) != len(data_set.outputs):
        text = f"want {len(data_set.outputs)} outputs, got {len(outputs)}"
        return (Mismatch(output="all", text=text),)
    found = (
        compare(name, got, load(want, case.data), rtol=case.rtol, atol=case.atol)
        for name, got, want in zip(names, outputs, data_set.outputs, strict=True)
    )
    return tuple(mismatch for mismatch in found if mismatch)
