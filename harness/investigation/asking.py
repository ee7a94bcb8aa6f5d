"""A case asked of cells one after the other, each answer as a bisection takes it."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from harness.cases import Worker
from harness.errors import ConfigurationError, EnvironmentUnusableError
from harness.investigation.measuring import MEASURES, compared
from harness.results import CellState
from harness.signatures import signature
from harness.triage.bisection import Seen, Skipped
from harness.triage.confidence import Likeness
from harness.triage.readings import By, reading
from harness.wire.catalogue.generated import OF_ONE_MODEL
from harness.wire.catalogue.procedures import MODEL_VALUES
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from harness.errors import HarnessError
    from harness.investigation.measuring import Measure
    from harness.matrix import Cell
    from harness.probing import Probes, Subject
    from harness.results import CaseResult
    from harness.triage.bisection import Answer, Bisection


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a cell answered, what was seen of it, and how long that took, environment included."""

    answer: Answer
    said: str
    """In one line: the signature, and what was measured."""
    seconds: float
    result: CaseResult | None = None
    """None where the cell could not be asked at all."""

    @classmethod
    def impossible(cls, error: HarnessError, seconds: float = 0.0) -> Self:
        """Return the answer of what cannot be asked at all."""
        said = " ".join(str(error).split())
        return cls(answer=Skipped(reason=said), said=said, seconds=seconds)


class Asking:
    """Asks cells of one subject; those that others are measured against are kept open."""

    def __init__(self, probes: Probes, subject: Subject, by: By) -> None:
        self._probes = probes
        self._by = by
        self._measure: Measure | None = MEASURES[by]() if by.needs_repeats else None
        self._subject = _looked_at(subject, by, self._measure)
        self._open: set[Cell] = set()
        self._asked: set[Cell] = set()
        self._kept: dict[Cell, list[CaseResult]] = {}
        """Results that hold for later comparisons."""
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
            result = self._probe(cell, again=cell in self._asked)
        except EnvironmentUnusableError as error:
            return Asked.impossible(error, time.perf_counter() - began)
        if result.outcome is Outcome.NOT_TESTED:
            self._refuse_without_device(cell)
        self._asked.add(cell)
        if self._measure is not None and self._measure.keeps:
            self._kept[cell] = [result]
        answer, said = reading(self._by, result), _said(result)
        if self._measure is not None and isinstance(answer, Seen) and answer.carried_out:
            answer, measured = self._measured(cell, self._measure, answer)
            said = f"{measured} · {said}" if measured else said
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

    def _refuse_without_device(self, cell: Cell) -> None:
        record = self._probes.cell(cell).record
        if record.state is CellState.NO_DEVICE and self._subject.case.procedure.needs_device:
            raise EnvironmentUnusableError(f"{cell.id} is NO_DEVICE: {record.reason}")

    def _probe(self, cell: Cell, *, again: bool) -> CaseResult:
        worker = Worker.FRESH if again else Worker.ANY
        return self._probes.probe(self._subject, cell, worker=worker)

    def _measured(self, cell: Cell, measure: Measure, seen: Seen) -> tuple[Answer, str]:
        """Return the kind of the first cell that this one is like, or a kind of its own."""
        unsure: list[tuple[Seen, str]] = []
        said = ["the first of its kind"]
        for model, kind in self._models:
            found = compared(measure, self._results(model), self._results(cell))
            release = model.build.release
            if found.likeness is Likeness.ALIKE:
                return kind, f"{found.said}, as {release}"
            if found.likeness is Likeness.CANNOT_TELL:
                unsure.append((kind, f"cannot tell from {release}: {found.said}"))
            else:
                said.append(f"{found.said}, beside {release}")
        match unsure:
            case [(kind, why)] if len(self._models) > 1:  # unlike all others, so it can be no other
                return kind, f"{said[-1]}; {why}"
            case [_, *_]:
                return Skipped(reason="; ".join(why for _, why in unsure), unsure=True), ""
        own = replace(seen, kind=f"as {cell.build.release}", good=None)
        self._models.append((cell, own))
        return own, said[-1]

    def _results(self, cell: Cell) -> Iterator[CaseResult]:
        """Yield results of a cell without end: those that hold for later, then new ones."""
        kept = self._kept.setdefault(cell, [])
        yield from list(kept)
        while True:
            # Of a fresh worker: how its memory and its core happen to lie is a part of the noise.
            result = self._probe(cell, again=True)
            if self._measure is not None and self._measure.keeps:
                kept.append(result)
            yield result


def follow(
    state: Bisection,
    asking: Asking,
    cell_of: Callable[[str], Cell],
    told: Callable[[str, Asked], None],
) -> Bisection:
    """Return all that can be learnt of a case over the releases; each answer is told as it comes.

    Where `cell_of` raises ConfigurationError there is no such cell, and its release is skipped.
    """
    cells: dict[str, Cell] = {}
    while (release := state.next_question()) is not None:
        try:
            cells[release] = cell_of(release)
        except ConfigurationError as error:  # no wheel for this Python
            asked = Asked.impossible(error)
        else:
            asked = asking.ask(cells[release])
        told(release, asked)
        state = state.told(release, asked.answer)
        sides = [point for one in state.changes for point in (one.before, one.after)]
        asking.keep_only([cells[point] for point in sides])
    return state


def _looked_at(subject: Subject, by: By, measure: Measure | None) -> Subject:
    """Return what is asked of the cells so that it can be told."""
    if measure is not None:
        return measure.subject(subject)
    if by is By.VALUES and subject.case.procedure in OF_ONE_MODEL:
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
