"""What a model answers on given inputs, handed back whole: what a right answer is taken from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.wire.catalogue.procedures import MODEL_ANSWER
from harness.wire.settings import SessionSettings
from harness.wire.values import AnswerCase
from harness.worker.backend import OpenOptions
from harness.worker.cases import Observation, implements
from harness.worker.cases.refusals import observed
from harness.worker.tensors import load, read_blob, stored

if TYPE_CHECKING:
    from harness.wire.messages import Request
    from harness.worker.under_test import UnderTest

ONE_THREAD = SessionSettings(intra_threads=1, inter_threads=1)


@implements(MODEL_ANSWER)
def model_answer(request: Request, under_test: UnderTest) -> Observation:
    """Run the model once and write its outputs into the file that the request names."""
    asked = AnswerCase.from_json(request.arguments)
    options = OpenOptions(
        device=request.device, strict=True, providers=request.providers, settings=ONE_THREAD
    )
    with observed(under_test.binding) as seen:
        with under_test.open(read_blob(asked.model), options) as backend:
            seen.attached, seen.stage = backend.attached, "run"
            outputs = backend.run([load(value, asked.data) for value in asked.inputs])
        with Path(asked.to).open("wb") as out:
            seen.answer = {"outputs": [stored(value, out) for value in outputs]}
    return seen.observation
