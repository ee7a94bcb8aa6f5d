"""A case asked of cells one after the other, each answer as a bisection takes it."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from harness.cases import Worker
from harness.errors import EnvironmentUnusableError
from harness.measuring import MEASURES, compared
from harness.results import CellState
from harness.signatures import signature
from harness.triage.bisection import Seen, Skipped
from harness.triage.confidence import Likeness
from harness.triage.readings import By, reading
from harness.wire.catalogue.procedures import MODEL_CASE, MODEL_VALUES

if TYPE_CHECKING:
    from collections.abc import Collection

    from harness.matrix import Cell
    from harness.measuring import Measure
    from harness.probing import Probes, Subject
    from harness.results import CaseResult
    from harness.triage.bisection import Answer


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a cell answered, what was seen of it, and how long that took, environment included."""

    answer: Answer
    said: str
    """In one line: the signature, and what was measured."""
    seconds: float
    result: CaseResult | None = None
    """None where the cell could not be asked at all."""


class Asking:
    """Asks cells of one subject; those that others are measured against are kept open."""

    def __init__(self, probes: Probes, subject: Subject, by: By) -> None:
        self._probes = probes
        self._by = by
        self._measure: Measure | None = MEASURES[by]() if by.needs_repeats else None
        self._subject = _looked_at(subject, by, self._measure)
        self._open: set[Cell] = set()
        self._asked: set[Cell] = set()
        self._models: list[tuple[Cell, Seen]] = []
        """Of each kind that was met by measuring, the first cell that was so."""

    def ask(self, cell: Cell) -> Asked:
        """Return what the cell answers.

        Raise EnvironmentUnusableError where this host lacks the variant's device and the case
        needs it: then no release of the variant has an answer.
        """
        began = time.perf_counter()
        self._open.add(cell)
        try:
            record = self._probes.cell(cell).record
        except EnvironmentUnusableError as error:
            reason = " ".join(str(error).split())
            seconds = time.perf_counter() - began
            return Asked(answer=Skipped(reason=reason), said=reason, seconds=seconds)
        if record.state is CellState.NO_DEVICE and self._subject.case.procedure.needs_device:
            raise EnvironmentUnusableError(f"{cell.id} is NO_DEVICE: {record.reason}")
        result = self._probe(cell, again=cell in self._asked)
        self._asked.add(cell)
        answer, said = reading(self._by, result), _said(result)
        if self._measure is not None and isinstance(answer, Seen) and answer.carried_out:
            answer, measured = self._measured(cell, self._measure, answer)
            said = f"{said} · {measured}"
        if isinstance(answer, Skipped):
            said = answer.reason
        seconds = time.perf_counter() - began
        return Asked(answer=answer, said=said, seconds=seconds, result=result)

    def keep_only(self, cells: Collection[Cell]) -> None:
        """End the workers of all other cells that were asked."""
        kept = {*cells, *(cell for cell, _ in self._models)}
        for cell in self._open - kept:
            self._probes.let_go(cell)
        self._open &= kept

    def _probe(self, cell: Cell, *, again: bool) -> CaseResult:
        worker = Worker.FRESH if again else Worker.ANY
        return self._probes.probe(self._subject, cell, worker=worker)

    def _measured(self, cell: Cell, measure: Measure, seen: Seen) -> tuple[Answer, str]:
        """Return the kind of the first cell that this one is like, or a kind of its own."""
        unsure = []
        said = [f"first of its kind, {seen.kind}"]
        for model, kind in self._models:
            found = compared(measure, partial(self._warm, model), partial(self._warm, cell))
            said.append(f"{found.said}, beside {model.build.release}")
            if found.likeness is Likeness.ALIKE:
                return kind, f"{found.said}, as {model.build.release}"
            if found.likeness is Likeness.CANNOT_TELL:
                unsure.append(f"cannot tell from {model.build.release}: {found.said}")
        if unsure:
            return Skipped(reason="; ".join(unsure), unsure=True), ""
        own = replace(seen, kind=f"as {cell.build.release}", good=None)
        self._models.append((cell, own))
        return own, said[-1]

    def _warm(self, cell: Cell) -> CaseResult:
        return self._probes.probe(self._subject, cell)


def _looked_at(subject: Subject, by: By, measure: Measure | None) -> Subject:
    """Return what is asked of the cells so that it can be told."""
    if measure is not None:
        return measure.subject(subject)
    if by is By.VALUES and subject.case.procedure is MODEL_CASE:
        return replace(subject, case=replace(subject.case, procedure=MODEL_VALUES))
    return subject


def _said(result: CaseResult) -> str:
    answer, evidence = result.evidence.answer, result.evidence
    more = [
        f"{name} {answer[name]:.6g}"
        for name in ("largest error", "seconds a run")
        if isinstance(answer.get(name), float)
    ]
    if "digest" in answer:
        more.insert(0, f"values {answer['digest']}")
    if evidence.placement:
        more.append(", ".join(f"{name}: {count}" for name, count in evidence.placement.items()))
    return " · ".join([str(signature(result)), *more])
