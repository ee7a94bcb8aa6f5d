"""Which release is to be asked next, and between which two neighbours a case changes; pure.

Both ends are asked first. Where they differ, the middle between two that differ is asked until they
are neighbours, which is all for a behaviour that changes once: 8 of 34 releases. Where both ends
are alike, or on demand, landmarks all over the range are asked before: what changed and changed
back shows there. A release that cannot be asked is stepped around, and never taken for a change.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING

from packaging.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a release does."""

    kind: str
    """Equal where two releases do the same."""
    good: bool | None = None
    """Whether that is right; None where nobody knows."""
    carried_out: bool = True
    """False where the release says that it lacks what the case needs, as an old opset range does.

    There is nothing to be right or wrong yet, so the ends of the range are looked for among others.
    """


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """Why a release says nothing: it cannot be installed, imported or asked."""

    reason: str
    unsure: bool = False
    """Whether it was asked, and what it does cannot be told from what others do."""


Answer = Seen | Skipped


MOST_UNSURE = 2
"""How many between two that differ may be too noisy to tell before the others are left unasked."""


class Turn(StrEnum):
    """What a change is, to whoever knows what is right."""

    BROKE = "BROKE"
    MENDED = "MENDED"
    CHANGED = "CHANGED"


@dataclass(frozen=True, kw_only=True)
class Change:
    """Two releases of which the later does other, with none between them that said anything."""

    before: str
    after: str
    was: Seen
    now: Seen
    turn: Turn
    skipped: tuple[str, ...] = ()
    """Those between them that said nothing: the change came in one of these or in `after`."""
    unasked: tuple[str, ...] = ()
    """Those between them that were left, because too many there were too noisy to tell."""


@dataclass(frozen=True, kw_only=True)
class Bisection:
    """What is known so far of a case over the releases."""

    points: tuple[str, ...]
    """All releases that may be asked, oldest first."""
    landmarks: frozenset[str] = frozenset()
    """Those that are asked where the ends alone do not tell, such as the last of each minor."""
    thorough: bool = False
    """Whether the landmarks are asked in any case."""
    repeats: bool = True
    """Whether both sides of a change are asked twice, to tell a change from a flake."""
    good: str = ""
    """A release that somebody calls good, where somebody does."""
    bad: str = ""
    answers: Mapping[str, tuple[Answer, ...]] = field(default_factory=dict)
    """Every answer of a release, in the order in which they came."""

    def told(self, point: str, answer: Answer) -> Bisection:
        """Return what is known once a release has given an answer."""
        answers = (*self.answers.get(point, ()), answer)
        return replace(self, answers={**self.answers, point: answers})

    def answer(self, point: str) -> Answer | None:
        """Return what a release answered first; None where it was not asked."""
        return next(iter(self.answers.get(point, ())), None)

    @property
    def seen(self) -> dict[str, Seen]:
        """What each release does that said it, oldest first."""
        found = ((point, self.answer(point)) for point in self.points)
        return {point: answer for point, answer in found if isinstance(answer, Seen)}

    @property
    def skipped(self) -> dict[str, Skipped]:
        """Why each release said nothing that said nothing, oldest first."""
        found = ((point, self.answer(point)) for point in self.points)
        return {point: answer for point, answer in found if isinstance(answer, Skipped)}

    @property
    def flaky(self) -> tuple[str, ...]:
        """The releases that gave two answers: nothing can be said of a case that does so."""
        return tuple(point for point in self.points if len({*self.answers.get(point, ())}) > 1)

    @property
    def undecided(self) -> bool:
        """Whether an end was asked and cannot be told from the other: then no middle can be."""
        outermost = (self._outermost(points) for points in (self.points, self.points[::-1]))
        answers = [self.answer(one) for one in outermost if one is not None]
        return any(isinstance(one, Skipped) and one.unsure for one in answers)

    @property
    def changes(self) -> tuple[Change, ...]:
        """Every change that is known so far, oldest first, if not of neighbours yet."""
        return tuple(
            Change(
                before=before,
                after=after,
                was=was,
                now=now,
                turn=self._turn(was, now),
                skipped=tuple(one for one in self._between(before, after) if one in self.skipped),
                unasked=tuple(self._unasked(before, after)),
            )
            for (before, was), (after, now) in pairwise(self.seen.items())
            if was.kind != now.kind
        )

    def next_question(self) -> str | None:
        """Return the release to ask now; None where nothing more is to be learnt."""
        if self.flaky or self.undecided:
            return None
        questions = (self._ends, self._landmarks, self._middles, self._repeats)
        return next((point for ask in questions for point in ask()), None)

    def _ends(self) -> Iterator[str]:
        for points in (self.points, self.points[::-1]):
            outermost = self._outermost(points)
            if outermost is not None and outermost not in self.answers:
                yield outermost

    def _outermost(self, points: Sequence[str]) -> str | None:
        """Return the first that was asked or can be, as far as is known."""
        skipped = {point for point, one in self.skipped.items() if not one.unsure}
        return next((one for one in points if one not in skipped), None)

    def _landmarks(self) -> Iterator[str]:
        ends = [(point, one.kind) for point, one in self.seen.items() if one.carried_out]
        if not ends:
            return
        (first, was), (last, now) = ends[0], ends[-1]
        if self.thorough or was == now:
            yield from (one for one in self._unasked(first, last) if one in self.landmarks)

    def _middles(self) -> Iterator[str]:
        for change in self.changes:
            at = [self.points.index(point) for point in (change.before, change.after)]
            between = self._between(change.before, change.after)
            unsure = sum(one in self.skipped and self.skipped[one].unsure for one in between)
            unasked = self._unasked(change.before, change.after)
            if unasked and unsure < MOST_UNSURE:
                yield min(unasked, key=lambda one: abs(2 * self.points.index(one) - sum(at)))

    def _repeats(self) -> Iterator[str]:
        if self.repeats:
            sides = (point for one in self.changes for point in (one.before, one.after))
            yield from (point for point in sides if len(self.answers[point]) == 1)

    def _between(self, before: str, after: str) -> Sequence[str]:
        return self.points[self.points.index(before) + 1 : self.points.index(after)]

    def _unasked(self, before: str, after: str) -> list[str]:
        return [one for one in self._between(before, after) if one not in self.answers]

    def _turn(self, was: Seen, now: Seen) -> Turn:
        match self._is_good(was), self._is_good(now):
            case True, False:
                return Turn.BROKE
            case False, True:
                return Turn.MENDED
        return Turn.CHANGED

    def _is_good(self, seen: Seen) -> bool | None:
        """Say whether what was seen is right: as the end that somebody calls so, else by itself."""
        good, bad = (self.answer(point) for point in (self.good, self.bad))
        if isinstance(good, Seen) and isinstance(bad, Seen) and good.kind != bad.kind:
            known = {good.kind: True, bad.kind: False}
            return known.get(seen.kind)
        return seen.good


def alike(answers: Mapping[str, Answer]) -> dict[str, tuple[str, ...]]:
    """Return by kind who does so, the kind of most first: for what has no order, as builds."""
    found: dict[str, list[str]] = {}
    for point, answer in answers.items():
        if isinstance(answer, Seen):
            found.setdefault(answer.kind, []).append(point)
    return {kind: tuple(of) for kind, of in sorted(found.items(), key=lambda one: -len(one[1]))}


def last_of_each_minor(releases: Iterable[str]) -> frozenset[str]:
    """Return the last release of every minor, given the releases oldest first."""
    return frozenset({Version(one).release[:2]: one for one in releases}.values())
