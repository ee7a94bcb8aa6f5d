"""A model that is its own measure: run again, or without optimisations, it answers the same."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.wire.catalogue.generated import (
    AGAIN,
    LIKE_UNOPTIMISED,
    SAME_AGAIN,
    UNLIKE_UNOPTIMISED,
    UNOPTIMISED,
)
from harness.wire.malformed import NEVER_SET, Wrong
from harness.wire.messages import Evidence, Mismatch, Request
from harness.wire.outcomes import NOT_IMPLEMENTED, Outcome
from harness.wire.settings import Optimisation, SessionSettings
from harness.wire.values import ModelCase
from harness.worker.backend import OpenError
from harness.worker.bindings import BindingError
from harness.worker.cases import Observation, implements
from harness.worker.cases.model_case import compared, inputs_of, mismatch, opened
from harness.worker.cases.refusals import observed, said_by
from harness.worker.comparison import compare
from harness.worker.garbage import other_garbage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.worker.backend import Backend
    from harness.worker.cases.refusals import Seen
    from harness.worker.under_test import UnderTest

PLAIN = SessionSettings(intra_threads=1, inter_threads=1, arena=False, records_placement=True)
"""Without an arena every tensor comes from malloc, which fills it with garbage."""

PLAIN_UNOPTIMISED = replace(PLAIN, optimisation=Optimisation.NONE)

Answers = list[list[Any]]
"""Values by position, for each data set."""


@implements(SAME_AGAIN)
def same_again(request: Request, under_test: UnderTest) -> Observation:
    """Run every data set twice, and compare also with what is right where the case says so."""
    return _observed(request, under_test, has_other_way=False)


@implements(LIKE_UNOPTIMISED)
def like_unoptimised(request: Request, under_test: UnderTest) -> Observation:
    """Do as `same_again` does, and compare with the answers without optimisations."""
    return _observed(request, under_test, has_other_way=True)


def _observed(request: Request, under_test: UnderTest, *, has_other_way: bool) -> Observation:
    case = ModelCase.from_json(request.arguments)
    # Kept until all is compared: what a build hands through may be the caller's own memory.
    given = [inputs_of(case, data_set) for data_set in case.data_sets]
    with observed(under_test.binding) as seen:
        with opened(case, request, under_test, seen, settings=PLAIN) as backend:
            names = [slot.name for slot in backend.outputs]
            answers = [backend.run(inputs) for inputs in given]
            wrong = _wrong(case, backend, answers)
            unset = _unset(case, names, backend, given, answers)
            seen.has_run(backend)
        other: tuple[Mismatch, ...] = ()
        if has_other_way and unset is None:
            with _may_lack(seen, is_needed=wrong is None):
                with opened(case, request, under_test, seen, settings=PLAIN_UNOPTIMISED) as backend:
                    plain = [backend.run(inputs) for inputs in given]
                other = _unlike(case, names, answers, plain)
        _conclude(seen, wrong, unset, other)
    return seen.observation


@contextlib.contextmanager
def _may_lack(seen: Seen, *, is_needed: bool) -> Iterator[None]:
    """Let a build refuse what is inside: for a kernel that it lacks, or where it is not needed."""
    stage = seen.stage
    try:
        yield
    except (OpenError, BindingError) as error:
        status, _ = said_by(error)
        if is_needed and status != NOT_IMPLEMENTED:
            raise
        seen.stage = stage


def _conclude(
    seen: Seen, wrong: Evidence | None, unset: Evidence | None, other: tuple[Mismatch, ...]
) -> None:
    """Say what is wrong, first by what is right, and what else is."""
    unlike = None
    if other:
        said = f"{other[0].output}: {other[0].text}"
        unlike = Evidence(stage="compare", text=f"{UNLIKE_UNOPTIMISED}: {said}", mismatches=other)
    first = wrong or unset or unlike
    if first is None:
        return
    if unset is not None and first is not unset:
        seen.answer[AGAIN] = unset.text
    if unlike is not None and first is not unlike:
        seen.answer[UNOPTIMISED] = other[0].text
    seen.conclude(Outcome.FAIL, first)


def _wrong(case: ModelCase, backend: Backend, answers: Answers) -> Evidence | None:
    """Return how the answers differ from what the case has as right; None where they do not."""
    for index, (data_set, outputs) in enumerate(zip(case.data_sets, answers, strict=True)):
        if found := compared(case, data_set, backend, outputs):
            return mismatch(index, found)
    return None


def _unset(
    case: ModelCase, names: Sequence[str], backend: Backend, given: Answers, answers: Answers
) -> Evidence | None:
    """Return that a second run answers otherwise, where it does."""
    with other_garbage():
        again = [backend.run(inputs) for inputs in given]
    if not _unlike(case, names, again, answers):
        return None
    return Evidence(stage="compare", text=f"{Wrong.UNSET}: {NEVER_SET}")


def _unlike(
    case: ModelCase, names: Sequence[str], answers: Answers, wanted: Answers
) -> tuple[Mismatch, ...]:
    return tuple(
        mismatch
        for got, want in zip(answers, wanted, strict=True)
        for name, one, other in zip(names, got, want, strict=True)
        if (mismatch := compare(name, one, other, rtol=case.rtol, atol=case.atol))
    )
