"""Which of the cases that changed go both ways, by what earlier runs saw of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.triage.compare import Transition
from harness.triage.history import Course, histories

if TYPE_CHECKING:
    from harness.store.archive import Archive
    from harness.store.run import Run
    from harness.triage.compare import Comparison

LOOKED_BACK = 30
"""How many runs, the new one included, are asked."""

MOVED = (Transition.REGRESSED, Transition.CHANGED, Transition.FIXED)


def flaky_among(comparison: Comparison, new: Run, archive: Archive) -> set[tuple[str, str]]:
    """Return cell and case of what changed and is a flake by its history up to the new run."""
    asked = {
        change.result.case
        for group in comparison.groups
        if group.transition in MOVED and not group.flaky
        for change in group.changes
    }
    ids = [head.id for head in archive.heads]
    if not asked or new.id not in ids:
        return set()
    end = ids.index(new.id) + 1
    seen = archive.sightings(asked, runs=ids[max(0, end - LOOKED_BACK) : end])
    cells = {archive.tracks[new.id, cell]: cell for cell in new.cells}
    return {
        (cells[found.track], found.case)
        for found in histories(seen)
        if found.course is Course.FLAKE and found.track in cells
    }
