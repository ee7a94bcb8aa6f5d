"""Any case on any cell, outside a run: each cell is opened when it is first asked, and kept."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

from harness.cases import Worker
from harness.controller.cell import THE_WORKER, CellUnderTest
from harness.errors import EnvironmentUnusableError
from harness.results import CellState

if TYPE_CHECKING:
    from collections.abc import Mapping
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


class Probes:
    """Cells under test by their name, closed together at the end."""

    def __init__(self, matrix: Matrix, sources: Sources, program: Program = THE_WORKER) -> None:
        self._matrix = matrix
        self._sources = sources
        self._program = program
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
        opened = self.cell(cell).turned(settings)
        return opened.execute(subject.suite, subject.case, limits, worker=worker)

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
