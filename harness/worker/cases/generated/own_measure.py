"""A model that is its own measure: run again, or without optimisations, it answers the same."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from harness.wire.catalogue.generated import LIKE_UNOPTIMISED, SAME_AGAIN
from harness.wire.malformed import NEVER_SET, Wrong
from harness.wire.messages import Evidence, Mismatch, Request
from harness.wire.outcomes import Outcome
from harness.wire.settings import Optimisation, SessionSettings
from harness.wire.values import ModelCase
from harness.worker.backend import OpenOptions
from harness.worker.cases import Observation, implements
from harness.worker.cases.refusals import observed
from harness.worker.comparison import compare
from harness.worker.garbage import other_garbage
from harness.worker.tensors import load, read_blob

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.worker.backend import Backend
    from harness.worker.cases.refusals import Seen
    from harness.worker.under_test import UnderTest

PLAIN = SessionSettings(intra_threads=1, inter_threads=1, arena=False)
"""Without an arena every tensor comes from malloc, which fills it with garbage."""


@implements(SAME_AGAIN)
def same_again(request: Request, under_test: UnderTest) -> Observation:
    """Run every data set twice and compare; a refusal is one as usual."""
    return _observed(request, under_test, has_other_way=False)


@implements(LIKE_UNOPTIMISED)
def like_unoptimised(request: Request, under_test: UnderTest) -> Observation:
    """Run every data set twice, and without optimisations, and compare; a refusal as usual."""
    return _observed(request, under_test, has_other_way=True)


def _observed(request: Request, under_test: UnderTest, *, has_other_way: bool) -> Observation:
    case = ModelCase.from_json(request.arguments)
    # Kept until all is compared: what a build hands through may be the caller's own memory.
    given = [[load(one, case.data) for one in data_set.inputs] for data_set in case.data_sets]
    with observed(under_test.binding) as seen:
        seen.ir, seen.opsets = case.ir, case.opsets
        with _opened(case, request, under_test, seen, None) as backend:
            names = [slot.name for slot in backend.outputs]
            answers = [backend.run(inputs) for inputs in given]
            with other_garbage():
                again = [backend.run(inputs) for inputs in given]
        if _unlike(case, names, again, answers):
            seen.conclude(
                Outcome.FAIL, Evidence(stage="compare", text=f"{Wrong.UNSET}: {NEVER_SET}")
            )
        elif has_other_way:
            with _opened(case, request, under_test, seen, Optimisation.NONE) as backend:
                plain = [backend.run(inputs) for inputs in given]
            if found := _unlike(case, names, answers, plain):
                text = f"unlike without optimisations: {found[0].output}: {found[0].text}"
                evidence = Evidence(stage="compare", text=text, mismatches=found)
                seen.conclude(Outcome.FAIL, evidence)
    return seen.observation


@contextlib.contextmanager
def _opened(
    case: ModelCase, request: Request, under_test: UnderTest, seen: Seen, way: Optimisation | None
) -> Iterator[Backend]:
    options = OpenOptions(
        device=request.device,
        strict=True,
        providers=request.providers,
        settings=SessionSettings(**{**vars(PLAIN), "optimisation": way}),
    )
    seen.stage = "open"
    with under_test.open(read_blob(case.model), options) as backend:
        seen.attached, seen.stage = backend.attached, "run"
        yield backend


def _unlike(
    case: ModelCase, names: Sequence[str], answers: list[list[Any]], wanted: list[list[Any]]
) -> tuple[Mismatch, ...]:
    return tuple(
        mismatch
        for got, want in zip(answers, wanted, strict=True)
        for name, one, other in zip(names, got, want, strict=True)
        if (mismatch := compare(name, one, other, rtol=case.rtol, atol=case.atol))
    )
