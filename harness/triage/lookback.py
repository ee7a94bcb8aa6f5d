"""What earlier runs say of the cases of a comparison: flakes, and since when they fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.triage.compare import Transition
from harness.triage.history import Course, histories

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from harness.results import CaseResult
    from harness.store.archive import Archive
    from harness.store.run import Run
    from harness.triage.compare import Comparison
    from harness.triage.history import History

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
    return {key for key, found in _histories(asked, new, archive) if found.course is Course.FLAKE}


def since_when(
    comparison: Comparison, new: Run, archive: Archive, is_known: Callable[[CaseResult], bool]
) -> dict[tuple[str, str], str]:
    """Return by cell and case since which run there is what persists and is not known.

    Where nothing changed in the runs that are asked, that is the oldest of them.
    """
    asked = {
        change.result.case
        for group in comparison.groups
        if group.transition is Transition.PERSISTING
        for change in group.changes
        if not is_known(change.result)
    }
    return {
        key: found.since.run
        for key, found in _histories(asked, new, archive)
        if found.since is not None
    }


def _histories(
    cases: Collection[str], new: Run, archive: Archive
) -> Iterator[tuple[tuple[str, str], History]]:
    """Return the history of each case on each cell of the new run, up to that run."""
    ids = [head.id for head in archive.heads]
    if not cases or new.id not in ids:
        return
    end = ids.index(new.id) + 1
    seen = archive.sightings(cases, runs=ids[max(0, end - LOOKED_BACK) : end])
    cells = {archive.tracks[new.id, cell]: cell for cell in new.cells}
    for found in histories(seen):
        if found.track in cells:
            yield (cells[found.track], found.case), found
