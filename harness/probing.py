"""Any case on any cell, outside a run: each cell is opened when it is first asked, and kept."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

from harness.cases import Worker
from harness.controller.cell import THE_WORKER, CellUnderTest
from harness.controller.staging import staged_worker
from harness.errors import EnvironmentUnusableError
from harness.journal import Journal, key_of
from harness.results import CellState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

    from harness.cases import Case
    from harness.controller.cell import Program
    from harness.environments.sources import Sources
    from harness.matrix import Cell, Matrix
    from harness.results import CaseResult

AS_IT_IS: Mapping[str, Any] = MappingProxyType({})
"""No session setting turned."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is looked into: a case of a suite."""

    suite: str
    case: Case

    @property
    def key(self) -> str:
        """What is the same for the same case with the same arguments and files."""
        procedure, arguments = self.case.procedure.id, self.case.arguments
        return key_of(self.suite, self.case.id, procedure, arguments, list(_stamps(arguments)))


class Probes:
    """Cells under test by their name, closed together at the end."""

    def __init__(
        self,
        matrix: Matrix,
        sources: Sources,
        program: Program = THE_WORKER,
        journal: Journal | None = None,
    ) -> None:
        """Ask cells of the matrix; what a journal has of earlier is not asked again."""
        self._matrix = matrix
        self._sources = sources
        self._program = program
        self._journal = journal
        self._open: dict[Cell, CellUnderTest] = {}

    def cell(self, cell: Cell) -> CellUnderTest:
        """Return the cell under test; raise EnvironmentUnusableError where it is BROKEN."""
        if cell not in self._open:
            self._open[cell] = CellUnderTest.open(cell, self._sources, self._program)
        opened = self._open[cell]
        if opened.record.state is CellState.BROKEN:
            raise EnvironmentUnusableError(f"{cell.id} is BROKEN: {opened.record.reason}")
        return opened

    def probe(
        self,
        subject: Subject,
        cell: Cell,
        settings: Mapping[str, Any] = AS_IT_IS,
        *,
        worker: Worker = Worker.ANY,
    ) -> CaseResult:
        """Return what is observed of the subject on the cell, with some session settings turned.

        Raise EnvironmentUnusableError where the cell is BROKEN.
        """
        limits = self._matrix.limits(cell, subject.suite)

        def asked() -> CaseResult:
            opened = self.cell(cell).turned(settings)
            return opened.execute(subject.suite, subject.case, limits, worker=worker)

        if self._journal is None:
            return asked()
        about = [subject.key, cell, limits, self._worker_code]
        question = key_of([repr(one) for one in about], dict(settings), worker.name)
        return self._journal.answer(question, asked)

    @cached_property
    def _worker_code(self) -> Path:
        """The worker's code, by the name of which answers of another one are told apart."""
        return staged_worker(self._sources.cache)

    def let_go(self, cell: Cell) -> None:
        """End the workers of a cell that is not asked again soon."""
        if (opened := self._open.pop(cell, None)) is not None:
            opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        for cell in list(self._open):
            self.let_go(cell)


def journal_of(sources: Sources, work: str, subject: Subject) -> Journal:
    """Return the answers that are kept of one kind of work on a subject."""
    return Journal(sources.cache / "journals" / f"{work}-{subject.key}.jsonl")


def _stamps(arguments: Any) -> Iterator[tuple[str, int, int]]:
    """Yield name, size and time of each file that arguments name: it may change under its name."""
    if isinstance(arguments, dict):
        arguments = list(arguments.values())
    if isinstance(arguments, (list, tuple)):
        for one in arguments:
            yield from _stamps(one)
    elif isinstance(arguments, str) and arguments.startswith("/"):
        with contextlib.suppress(OSError):
            found = Path(arguments).stat()
            yield arguments, found.st_size, found.st_mtime_ns
