"""A model that is its own measure: it answers as it does without optimisations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.wire.catalogue.generated import LIKE_UNOPTIMISED
from harness.wire.messages import Evidence, Request
from harness.wire.outcomes import Outcome
from harness.wire.settings import Optimisation, SessionSettings
from harness.wire.values import ModelCase
from harness.worker.backend import OpenOptions
from harness.worker.cases import Observation, implements
from harness.worker.cases.refusals import observed
from harness.worker.comparison import compare
from harness.worker.tensors import load, read_blob

if TYPE_CHECKING:
    from harness.worker.under_test import UnderTest

PLAIN = SessionSettings(intra_threads=1, inter_threads=1, arena=False)


@implements(LIKE_UNOPTIMISED)
def like_unoptimised(request: Request, under_test: UnderTest) -> Observation:
    """Run every data set with and without optimisations and compare; a refusal is one as usual."""
    case = ModelCase.from_json(request.arguments)
    model = read_blob(case.model)
    answers = []
    with observed(under_test.binding) as seen:
        seen.ir, seen.opsets = case.ir, case.opsets
        for optimisation in (None, Optimisation.NONE):
            settings = SessionSettings(**{**vars(PLAIN), "optimisation": optimisation})
            options = OpenOptions(
                device=request.device, strict=True, providers=request.providers, settings=settings
            )
            seen.stage = "open"
            with under_test.open(model, options) as backend:
                seen.attached, seen.stage = backend.attached, "run"
                inputs = [[load(one, case.data) for one in s.inputs] for s in case.data_sets]
                answers.append([backend.run(given) for given in inputs])
        names = [slot.name for slot in backend.outputs]
        found = tuple(
            mismatch
            for got, want in zip(*answers, strict=True)
            for name, one, other in zip(names, got, want, strict=True)
            if (mismatch := compare(name, one, other, rtol=case.rtol, atol=case.atol))
        )
        if found:
            text = f"unlike without optimisations: {found[0].output}: {found[0].text}"
            evidence = Evidence(stage="compare", text=text, mismatches=found)
            seen.conclude(Outcome.FAIL, evidence)
    return seen.observation
