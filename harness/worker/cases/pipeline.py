"""Real models on real input, compared with golden numbers and with what they must mean."""

from __future__ import annotations

import contextlib
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from harness.wire.catalogue.procedures import PIPELINE
from harness.wire.messages import Evidence, Request
from harness.wire.outcomes import Outcome
from harness.wire.settings import SessionSettings
from harness.wire.values import PipelineCase
from harness.worker.backend import BackendError, OpenOptions
from harness.worker.bindings import BindingError, BindingLimitError
from harness.worker.cases import Observation, implements
from harness.worker.cases.pipelines import PIPELINES, Answer, Run, disagreements
from harness.worker.cases.refusals import Seen, observed
from harness.worker.comparison import compare
from harness.worker.tensors import load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.worker.backend import Backend
    from harness.worker.under_test import UnderTest


@implements(PIPELINE)
def pipeline(request: Request, under_test: UnderTest) -> Observation:
    """Open the models strictly on the asked device, let the pipeline answer, and compare."""
    case = PipelineCase.from_json(request.arguments)
    options = OpenOptions(
        device=request.device,
        strict=True,
        providers=request.providers,
        settings=SessionSettings(records_placement=True),
    )
    with observed(under_test.binding) as seen, contextlib.ExitStack() as opened:
        seen.ir, seen.opsets = case.ir, case.opsets
        models, backends = {}, []
        for role, file in case.models.items():
            backend = opened.enter_context(under_test.open(file, options))
            seen.attached, models[role] = backend.attached, _as_run(backend)
            backends.append(backend)
        seen.stage = "run"
        answer = _answer(case, models, seen)
        if answer is not None:
            seen.answer = answer.meaning
            _judge(case, answer, seen)
        for backend in backends:
            seen.has_run(backend)
    return seen.observation


def _as_run(backend: Backend) -> Run:
    names = [slot.name for slot in backend.outputs]
    return lambda feeds: dict(zip(names, backend.run(feeds), strict=True))


def _answer(case: PipelineCase, models: Mapping[str, Run], seen: Seen) -> Answer | None:
    texts = {name: Path(file).read_text(encoding="utf-8") for name, file in case.texts.items()}
    data = load(case.input, case.data)
    try:
        return PIPELINES[case.pipeline](models, texts, data)
    except (BackendError, BindingError, BindingLimitError, MemoryError):  # `observed` knows these
        raise
    except Exception as error:  # noqa: BLE001 - boundary: outputs so odd that they cannot be read
        text = f"the answer cannot be read: {type(error).__name__}: {error}"
        evidence = Evidence(text=text, traceback=traceback.format_exc())
        seen.conclude(Outcome.ERROR, evidence)
        return None


def _judge(case: PipelineCase, answer: Answer, seen: Seen) -> None:
    tolerance = case.tolerance_on.get(seen.attached, case.tolerance)
    compared = (
        compare(name, answer.tensors.get(name), load(golden, case.data), **tolerance)
        for name, golden in case.golden.items()
    )
    mismatches = tuple(mismatch for mismatch in compared if mismatch)
    wrong = disagreements(case.meaning, answer.meaning)
    wrong += [f"{mismatch.output}: {mismatch.text}" for mismatch in mismatches]
    if wrong:
        evidence = Evidence(stage="compare", text="; ".join(wrong), mismatches=mismatches)
        seen.conclude(Outcome.FAIL, evidence)
