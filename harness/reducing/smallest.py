"""A failing case reduced on a cell: begun, gone on with where it was interrupted, and told."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.reducing.kept import keep, kept
from harness.reducing.references import Tracer
from harness.triage.graph_passes import passes
from harness.triage.reduction import Search, reduced

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.reducing.start import Start
    from harness.results import CaseResult
    from harness.triage.graph_passes.candidate import Candidate
    from harness.triage.reduction import Step


@dataclass(frozen=True, kw_only=True)
class Smallest:
    """What a case was reduced to."""

    start: Start
    candidate: Candidate
    result: CaseResult
    """Of the smallest model."""
    want: list[Any] | None
    """The right answer of the smallest model, where the failure is a wrong one."""
    tried: int
    taken: int
    seconds: float
    finished: bool
    """Whether nothing gets it any smaller; else the time was over."""


def reduce_from(
    start: Start,
    cache: Path,
    *,
    seconds: float,
    tell: Callable[[Step[Candidate]], None] = lambda _step: None,
) -> Smallest:
    """Return the smallest model that fails as the start does, as far as the time goes.

    What was found is kept under `cache`, and a reduction of the same start goes on from there.
    """
    began = time.monotonic()
    file = cache / "reductions" / f"{key_of(start)}.zip"
    before = kept(file)
    first = start.candidate
    if before is not None and before.size < first.size and start.same(before):
        first = before
    search = Search(
        passes=passes(Tracer(start.tracers)),
        is_interesting=start.same,
        key=lambda candidate: candidate.size,
        identity=lambda candidate: candidate.digest,
        is_over=lambda: time.monotonic() - began > seconds,
        tell=tell,
        keep=lambda candidate: keep(candidate, file),
    )
    found = reduced(first, search)
    right = start.same.trial.right
    want = None if right is None else right.reference.answer(found.case)
    return Smallest(
        start=start,
        candidate=found.case,
        result=start.same.trial.compared(found.case, want),
        want=want,
        tried=found.tried,
        taken=found.taken,
        seconds=time.monotonic() - began,
        finished=found.finished,
    )


def key_of(start: Start) -> str:
    """Return what is the same for the same model, inputs, cell and failure."""
    right = start.same.trial.right
    about = [
        start.cell.id,
        str(start.same.wanted),
        dict(start.same.trial.settings),
        right.reference.name if right else "",
        [right.tolerance.rtol, right.tolerance.atol, right.tolerance.floor] if right else [],
    ]
    digest = hashlib.sha256(start.candidate.digest + json.dumps(about).encode())
    return digest.hexdigest()[:16]
