"""One case over many runs: when it changed, and whether it stepped or goes both ways; pure.

Only what a run says about the build counts; an outage, an untested case and a fault of our own are
gaps, across which the case is followed.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING

from packaging.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.store.archive import Sighting

TURNS_OF_A_FLAKE = 3
"""How often a case must change on one build to count as a flake: back and forth and back again."""


class Course(StrEnum):
    """What a case did over the runs."""

    STEADY = "STEADY"
    STEP = "STEP"
    """It changed and stayed so: something was broken or mended at a change point."""
    FLAKE = "FLAKE"
    """It goes both ways on one build: a re-run that differed, one run unlike those around it, or
    three changes."""


@dataclass(frozen=True, kw_only=True)
class ChangePoint:
    """Two neighbouring sightings between which the behaviour differs."""

    before: Sighting
    after: Sighting

    @property
    def build_differs(self) -> bool:
        """Whether another build was under test, which may be why."""
        return self.before.cell != self.after.cell

    @property
    def suite_differs(self) -> bool:
        """Whether the suite had another version, which may be why."""
        return self.before.suite_version != self.after.suite_version

    @property
    def is_a_turn(self) -> bool:
        """Whether nothing that we know of explains it."""
        return not self.build_differs and not self.suite_differs


@dataclass(frozen=True, kw_only=True)
class History:
    """One case on one track, oldest sighting first."""

    track: str
    case: str
    sightings: tuple[Sighting, ...]
    """All, the gaps included."""
    changes: tuple[ChangePoint, ...]
    course: Course

    @property
    def since(self) -> Sighting | None:
        """The first sighting of what the case does now; None where nothing is known of it."""
        if self.changes:
            return self.changes[-1].after
        return next((one for one in self.sightings if one.outcome.is_about_the_build), None)


def histories(sightings: Iterable[Sighting]) -> list[History]:
    """Return the history of each case on each track; the sightings come oldest first."""
    found: dict[tuple[str, str], list[Sighting]] = defaultdict(list)
    for one in sightings:
        found[one.track, one.case].append(one)
    return [_history(track, case, of_one) for (track, case), of_one in sorted(found.items())]


def by_release(sightings: Iterable[Sighting]) -> list[Sighting]:
    """Return how one variant's case was last seen on each release, the oldest release first."""
    newest = {one.release: one for one in sightings if one.outcome.is_about_the_build}
    return sorted(newest.values(), key=lambda one: Version(one.release))


def change_points(sightings: Sequence[Sighting]) -> list[ChangePoint]:
    """Return the neighbours between which the behaviour differs."""
    return [
        ChangePoint(before=before, after=after)
        for before, after in pairwise(sightings)
        if before.signature != after.signature
    ]


def _history(track: str, case: str, sightings: Sequence[Sighting]) -> History:
    known = [one for one in sightings if one.outcome.is_about_the_build]
    changes = change_points(known)
    course = Course.STEP if changes else Course.STEADY
    if any(one.goes_both_ways for one in known) or _goes_both_ways(known, changes):
        course = Course.FLAKE
    return History(
        track=track,
        case=case,
        sightings=tuple(sightings),
        changes=tuple(changes),
        course=course,
    )


def _goes_both_ways(known: Sequence[Sighting], changes: Sequence[ChangePoint]) -> bool:
    """Say whether a case turned on one build so often, or so shortly, that it was no step."""
    turns = [change for change in changes if change.is_a_turn]
    if len(turns) >= TURNS_OF_A_FLAKE:
        return True
    place = {id(one): at for at, one in enumerate(known)}
    return any(
        place[id(there.after)] == place[id(back.before)]
        and there.before.signature == back.after.signature
        for there, back in pairwise(turns)
    )
