"""The matrix as a heat map, and what of the newest run somebody must look at; pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from harness.report.html.addresses import cell_page
from harness.report.terminal import verdict_text
from harness.results import CellState
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.report.summary import CellSummary, SuiteSummary

STEPS = (0.5, 0.7, 0.8, 0.9, 0.96, 1.0)
"""Shares at which the heat map goes to its next colour: half is as bad as none."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """One suite on one cell: a field of the heat map."""

    href: str
    passed: int
    tested: int
    untested: int
    level: int | None
    """The colour, the greater the more passed; None where nothing was tested."""
    share: str
    cases_on_asked: str
    """The share of cases with a node on the asked execution provider; empty if no case says."""
    nodes_on_asked: str
    bar: float | None
    """The share of nodes on the asked execution provider, from 0 to 100."""
    verdict: str
    unexpected: int


@dataclass(frozen=True, kw_only=True)
class Row:
    """One cell: a row of the heat map."""

    cell: str
    href: str
    variant: str
    asked: str
    """The execution provider that the suites ask for, without its last word."""
    state: CellState
    reason: str
    fields: tuple[Field | None, ...]
    """One for each suite of the map; None where the cell does not have it."""

    @property
    def outage(self) -> bool:
        """Whether nothing on this cell says anything of its build."""
        return self.state is CellState.BROKEN or not any(self.fields)


@dataclass(frozen=True, kw_only=True)
class HeatMap:
    """Cells by suites."""

    suites: tuple[str, ...]
    rows: tuple[Row, ...]


def heat_map(cells: Sequence[CellSummary]) -> HeatMap:
    """Return the matrix of a run: how much passed, and how much really ran as asked."""
    suites = tuple(sorted({suite for cell in cells for suite in cell.suites}, key=_suite_order))
    return HeatMap(suites=suites, rows=tuple(_row(cell, suites) for cell in cells))


def _suite_order(suite: str) -> tuple[bool, str]:
    return suite != "onnx", suite  # the standard's own comes first


def _row(cell: CellSummary, suites: Iterable[str]) -> Row:
    record = cell.record
    fields = [
        _field(record.cell, name, found, cell.asked_provider)
        if (found := cell.suites.get(name))
        else None
        for name in suites
    ]
    return Row(
        cell=record.cell,
        href=cell_page(record.cell),
        variant=record.variant,
        asked=short_provider(cell.asked_provider),
        state=record.state,
        reason=record.reason,
        fields=tuple(fields),
    )


def _field(cell: str, suite: str, found: SuiteSummary, asked: str) -> Field:
    passed, tested = found.outcomes[Outcome.PASS], found.tested
    nodes = found.nodes.total()
    on_asked = found.nodes[asked] / nodes if nodes else None
    return Field(
        href="cases.html#" + urlencode({"cell": cell, "suite": suite}),
        passed=passed,
        tested=tested,
        untested=found.outcomes.total() - tested,
        level=level(passed / tested) if tested else None,
        share=percent(passed, tested),
        cases_on_asked=percent(found.placed_on_asked, found.placed),
        nodes_on_asked=percent(found.nodes[asked], nodes),
        bar=None if on_asked is None else round(100 * on_asked, 1),
        verdict=verdict_text(found).plain,
        unexpected=sum(n for verdict, n in found.verdicts.items() if verdict.needs_attention),
    )


def level(share: float) -> int:
    """Return the colour of a share, from 0 to the number of steps."""
    return sum(share >= step for step in STEPS)


def legend() -> list[tuple[int, str]]:
    """Return each colour of the heat map with the shares that it stands for."""
    edges = [f"{step:.0%}" for step in STEPS]
    between = [f"{low} to {high}" for low, high in pairwise(edges)]
    return list(enumerate([f"below {edges[0]}", *between, edges[-1]]))


def percent(part: int, whole: int) -> str:
    """Return a share that is 100 % or 0 % only where it is all or nothing; empty of nothing."""
    if not whole:
        return ""
    if part in (0, whole):
        return f"{part / whole:.0%}"
    return f"{min(max(part / whole, 0.001), 0.999):.1%}"


def short_provider(provider: str) -> str:
    """Return a provider's name as it is said: without `ExecutionProvider`."""
    return provider.removesuffix("ExecutionProvider")
