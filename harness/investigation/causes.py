"""One cause after the other: what decides it, since when, and what shows it."""

from __future__ import annotations

import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.corpus.reference import Evaluator
from harness.errors import HarnessError
from harness.investigation.asking import Asking, follow
from harness.investigation.flipping import Flipping, Start
from harness.probing import Probes, journal_of
from harness.reducing import written
from harness.reducing.showing import shown
from harness.reducing.smallest import reduce_from
from harness.reducing.start import Bench
from harness.triage.attribution import Missing, Tried
from harness.triage.bisection import Bisection, last_of_each_minor
from harness.triage.readings import By

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.environments.sources import Sources
    from harness.investigation.asking import Asked
    from harness.journal import Journal
    from harness.matrix import Cell, Matrix
    from harness.probing import Subject
    from harness.reducing.smallest import Smallest
    from harness.reducing.start import Start as ReductionStart


REDUCING_S = 120.0
"""How long a failure is made smaller: what is small by then has to do."""


class StoppedError(Exception):
    """Whoever wanted to know does so no more: nothing is to be said of what was begun."""


@dataclass(frozen=True, kw_only=True)
class Investigation:
    """What is known of a failure in the end."""

    start: Start | None
    """None where the case could not be made to fail again; `trouble` says why."""
    tried: tuple[Tried, ...] = ()
    missing: tuple[Missing, ...] = ()
    bisection: Bisection | None = None
    """None where it goes both ways, or where no release could be asked."""
    answers: tuple[tuple[str, Asked], ...] = ()
    trouble: tuple[str, ...] = ()
    """Why a step was left out."""


class Investigator:
    """Looks into failures, several at once if need be, until it is stopped."""

    def __init__(
        self,
        matrix: Matrix,
        sources: Sources,
        *,
        pythons: Sequence[str],
        releases: Callable[[str], Sequence[str]],
    ) -> None:
        """Look into cells of the matrix on a host that has these Pythons.

        `releases` says which releases a variant has, oldest first.
        """
        self._pythons = pythons
        self._matrix = matrix
        self._sources = sources
        self._releases = releases
        self._stopped = threading.Event()
        self._probes: set[Probes] = set()

    def journal(self, subject: Subject, cell: Cell) -> Journal:
        """Return what is kept of an investigation that was interrupted."""
        return journal_of(self._sources, f"triage-{cell.id}", subject)

    def investigate(self, subject: Subject, cell: Cell, journal: Journal) -> Investigation:
        """Return what decides the failure on the cell, and at which releases it changes.

        What the journal has of earlier is not asked again. Raise StoppedError where it was stopped
        before the end.
        """
        with Probes(self._matrix, self._sources, journal=journal) as probes:
            self._probes.add(probes)
            try:
                return self._investigated(probes, subject, cell)
            finally:
                self._probes.discard(probes)

    def reproduce(
        self, subject: Subject, cell: Cell, to: Path, known: Sequence[Mapping[str, Any]]
    ) -> str:
        """Make the failure small, write a folder that shows it, and return what it said there.

        `known` is what was found of it, as JSON. Raise HarnessError where no reproducer can be
        made, and StoppedError where it was stopped.
        """
        with (
            tempfile.TemporaryDirectory(prefix="ort-matrix-") as files,
            Probes(self._matrix, self._sources) as probes,
            Evaluator() as evaluator,
        ):
            self._probes.add(probes)
            bench = Bench(
                probes=probes, matrix=self._matrix, evaluator=evaluator, files=Path(files)
            )
            try:
                return self._reproduced(subject, cell, bench, to, known)
            except HarnessError:
                self._go_on()
                raise
            finally:
                self._probes.discard(probes)

    def _reproduced(
        self,
        subject: Subject,
        cell: Cell,
        bench: Bench,
        to: Path,
        known: Sequence[Mapping[str, Any]],
    ) -> str:
        found = shown(subject, cell, bench, self._reduced)
        self._go_on()
        return written.write_reproducer(found, to, self._sources, known)

    def _reduced(self, start: ReductionStart) -> Smallest:
        return reduce_from(
            start, self._sources.cache, seconds=REDUCING_S, tell=lambda _step: self._go_on()
        )

    def stop(self) -> None:
        """End what is going on, in whichever threads: each comes back with StoppedError."""
        self._stopped.set()
        for probes in list(self._probes):
            probes.__exit__(None, None, None)

    def _investigated(self, probes: Probes, subject: Subject, cell: Cell) -> Investigation:
        flipping = Flipping(probes, subject, cell)
        try:
            start = flipping.start()
        except HarnessError as error:
            self._go_on()
            return Investigation(start=None, trouble=(str(error),))
        if start.failure is None:
            return Investigation(start=start, trouble=("a flake: nothing can be said of it",))
        found: list[Tried | Missing] = []
        for one in flipping.tried(start.failure, self._pythons):
            self._go_on()
            found.append(one)
        bisection, answers, trouble = self._bisected(probes, subject, cell)
        return Investigation(
            start=start,
            tried=tuple(one for one in found if isinstance(one, Tried)),
            missing=tuple(one for one in found if isinstance(one, Missing)),
            bisection=bisection,
            answers=tuple(answers),
            trouble=trouble,
        )

    def _bisected(
        self, probes: Probes, subject: Subject, cell: Cell
    ) -> tuple[Bisection | None, list[tuple[str, Asked]], tuple[str, ...]]:
        answers: list[tuple[str, Asked]] = []

        def told(release: str, asked: Asked) -> None:
            self._go_on()
            answers.append((release, asked))

        def cell_of(release: str) -> Cell:
            python = cell.python.replace(".", "")
            return self._matrix.cell(f"{cell.variant.name}-{release}-py{python}")

        try:
            points = tuple(self._releases(cell.variant.name))
            state = Bisection(points=points, landmarks=last_of_each_minor(points))
            asking = Asking(probes, subject, By.OUTCOME)
            return follow(state, asking, cell_of, told), answers, ()
        except HarnessError as error:
            self._go_on()
            return None, answers, (str(error),)

    def _go_on(self) -> None:
        if self._stopped.is_set():
            raise StoppedError
