"""What did not pass on each cell, run by run; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.report.html.plots import NOT_PASSED, Stack, stack

if TYPE_CHECKING:
    from collections import Counter

    from harness.report.html.past import Past
    from harness.wire.outcomes import Outcome


@dataclass(frozen=True, kw_only=True)
class CellCourse:
    """One cell over the stored runs."""

    cell: str
    stack: Stack
    said: str


def courses(past: Past) -> tuple[CellCourse, ...]:
    """Return the course of each cell of the newest run."""
    found = []
    for cell, track in past.tracks.items():
        counts = [run.outcomes(track) for run in past.runs]
        found.append(CellCourse(cell=cell, stack=stack(counts), said=_said(counts)))
    return tuple(found)


def _said(runs: list[Counter[Outcome] | None]) -> str:
    counts = [sum(run[outcome] for outcome in NOT_PASSED) for run in runs if run]
    if not counts:
        return "no results in any stored run"
    now = f"{counts[-1]} did not pass in the newest"
    if len(counts) == 1:
        return now
    return f"{now} of {len(counts)} runs, between {min(counts)} and {max(counts)} in all"
