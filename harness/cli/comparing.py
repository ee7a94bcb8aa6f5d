"""Two runs compared, with what the runs before them say of the cases that moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.store.archive import Archive
from harness.triage.compare import Transition, compare
from harness.triage.history import Course, histories

if TYPE_CHECKING:
    from pathlib import Path

    from harness.store.run import Run
    from harness.triage.compare import Comparison

LOOKED_BACK = 30
"""How many runs before the new one are asked whether a case goes both ways."""


def comparison_of(runs: Path, old: Run, new: Run) -> Comparison:
    """Return what changed from one stored run to another; a flake is told as one."""
    comparison = compare(old, new)
    if flaky := _flaky(runs, comparison, new):
        return compare(old, new, flaky=flaky)
    return comparison


def _flaky(runs: Path, comparison: Comparison, new: Run) -> set[tuple[str, str]]:
    """Return cell and case of what changed and goes both ways in the runs up to the new one."""
    moved = (Transition.REGRESSED, Transition.CHANGED, Transition.FIXED)
    asked = {
        change.result.case
        for group in comparison.groups
        if group.transition in moved and not group.flaky
        for change in group.changes
    }
    if not asked:
        return set()
    with Archive(runs) as archive:
        ids = [head.id for head in archive.heads]
        if new.id not in ids:
            return set()
        end = ids.index(new.id) + 1
        seen = archive.sightings(asked, runs=ids[max(0, end - LOOKED_BACK) : end])
        tracks = archive.tracks
    cells = {tracks[new.id, cell]: cell for cell in new.cells}
    return {
        (cells[found.track], found.case)
        for found in histories(seen)
        if found.course is Course.FLAKE and found.track in cells
    }
