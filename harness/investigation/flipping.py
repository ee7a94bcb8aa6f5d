"""A failing case asked again with one axis turned at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.cases import Worker
from harness.errors import ConfigurationError, EnvironmentUnusableError, HarnessFaultError
from harness.results import CellState
from harness.signatures import signature
from harness.triage.attribution import (
    Axis,
    Effect,
    Flip,
    Missing,
    Tried,
    build_flips,
    deciding,
    session_flips,
    smallest,
    steady,
    without,
)
from harness.triage.optimisers import OPTIMISERS
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.matrix import Cell
    from harness.probing import Probes, Subject
    from harness.results import CaseResult
    from harness.triage.attribution import Failure

CONTROLS = 2
"""How often the case is asked again as it is, before anything is turned."""


@dataclass(frozen=True, kw_only=True)
class Start:
    """The failure that is to be explained, as it was asked for with nothing turned."""

    results: tuple[CaseResult, ...]
    failure: Failure | None
    """None where the case goes both ways, so that a turn would prove nothing."""


class Flipping:
    """Turns one thing after the other of a case that fails on a cell."""

    def __init__(self, probes: Probes, subject: Subject, cell: Cell) -> None:
        self._probes = probes
        self._subject = subject
        self._cell = cell

    def start(self) -> Start:
        """Return how the case fails, asked thrice, each time of a fresh worker.

        Raise ConfigurationError where it passes, EnvironmentUnusableError where it cannot be asked,
        and HarnessFaultError where the fault is our own.
        """
        results: list[CaseResult] = []
        for _ in range(1 + CONTROLS):
            results.append(self._ask(self._cell, {}, worker=Worker.FRESH))
            self._refuse(results[0])
        return Start(results=tuple(results), failure=steady(results))

    def tried(self, failure: Failure, pythons: Sequence[str]) -> Iterator[Tried | Missing]:
        """Yield what came of every turn, and every axis that cannot be turned here."""
        tried: list[Tried] = []
        for flip in session_flips():
            tried.append(self._turn(flip, failure))
            yield tried[-1]
        if Axis.OPTIMISATION in deciding(tried):
            yield from self._optimisers(failure)
        hello = self._probes.cell(self._cell).record.hello
        for one in build_flips(self._cell, hello.numpy if hello else "0", pythons):
            yield one if isinstance(one, Missing) else self._turn(one, failure)

    def _optimisers(self, failure: Failure) -> Iterator[Tried | Missing]:
        def mends(names: Sequence[str]) -> bool:
            return self._turn(without(names), failure).effect is Effect.MENDS

        if names := smallest(OPTIMISERS, mends):
            yield self._turn(without(names), failure)
        else:
            reason = f"without all {len(OPTIMISERS)} that have a known name it fails still"
            yield Missing(axis=Axis.OPTIMISER, reason=reason)

    def _turn(self, flip: Flip, failure: Failure) -> Tried:
        cell = flip.on(self._cell)
        try:
            if cell != self._cell and (lost := self._lost(cell)):
                return Tried(flip=flip, effect=Effect.NOT_TOLD, said=lost)
            result = self._ask(cell, flip.settings)
        except EnvironmentUnusableError as error:
            said = " ".join(str(error).split())
            return Tried(flip=flip, effect=Effect.NOT_TOLD, said=said)
        finally:
            if cell != self._cell:
                self._probes.let_go(cell)
        return Tried(flip=flip, effect=failure.effect(result), said=str(signature(result)))

    def _lost(self, cell: Cell) -> str:
        """Return why a turned cell has no device where the cell itself has one."""
        record = self._probes.cell(cell).record
        was = self._probes.cell(self._cell).record
        return record.reason if record.state is not was.state is CellState.READY else ""

    def _ask(
        self, cell: Cell, settings: Mapping[str, Any], worker: Worker = Worker.ANY
    ) -> CaseResult:
        return self._probes.probe(self._subject, cell, settings, worker=worker)

    def _refuse(self, first: CaseResult) -> None:
        """Raise unless the first result is a failure of the build."""
        where = f"{first.case} on {first.cell}"
        match first.outcome:
            case Outcome.PASS:
                raise ConfigurationError(f"{where}: it passes: there is nothing to attribute")
            case Outcome.NOT_TESTED:
                raise EnvironmentUnusableError(f"{where}: {first.evidence.requirement}")
            case Outcome.HARNESS_FAULT:
                raise HarnessFaultError(f"{where}: {first.evidence.text}")
