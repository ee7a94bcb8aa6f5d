"""How long cases took: as seen, and judged by nobody; pure."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from harness.report.html.addresses import case_page, cell_page
from harness.report.html.plots import course, histogram

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.report.html.past import Past
    from harness.report.html.plots import Course, Histogram
    from harness.report.summary import CellSummary
    from harness.results import CaseResult

SLOWEST = 10
"""Cases of a cell that the page names."""


@dataclass(frozen=True, kw_only=True)
class Slow:
    """One of a cell's slowest cases."""

    case: str
    href: str
    seconds: float
    usual: float | None
    """The median of the runs before; None in the first."""


@dataclass(frozen=True, kw_only=True)
class CellTimings:
    """The durations of one cell's cases."""

    cell: str
    href: str
    cases: int
    total: float
    median: float
    histogram: Histogram
    course: Course | None
    """What all cases took together in each stored run."""
    slowest: tuple[Slow, ...]


def timings(cells: Sequence[CellSummary], past: Past) -> tuple[CellTimings, ...]:
    """Return the durations of each cell on which a case was really asked."""
    return tuple(
        _of_cell(cell.record.cell, asked, past)
        for cell in cells
        if (asked := [one.result for one in cell.judged if one.result.outcome.is_about_the_build])
    )


def _of_cell(cell: str, results: Sequence[CaseResult], past: Past) -> CellTimings:
    seconds = [result.duration_s for result in results]
    slowest = sorted(results, key=lambda result: -result.duration_s)[:SLOWEST]
    return CellTimings(
        cell=cell,
        href=cell_page(cell),
        cases=len(results),
        total=sum(seconds),
        median=median(seconds),
        histogram=histogram(seconds),
        course=course([run.seconds.get(past.tracks[cell]) for run in past.runs]),
        slowest=tuple(_slow(result, past) for result in slowest),
    )


def _slow(result: CaseResult, past: Past) -> Slow:
    before = past.seconds(result.cell, result.case)[:-1]
    known = [value for value in before if value is not None]
    return Slow(
        case=result.case,
        href=case_page(result.case),
        seconds=result.duration_s,
        usual=median(known) if known else None,
    )
