"""What changed between neighbouring releases over the same generated cases, one line per cause."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING

from harness.generate.variations import HAS_DEFAULTS
from harness.triage.generated.disagreements import VALID, size
from harness.triage.generated.patterns import features, one_of_reasons, parts, pattern
from harness.triage.generated.sights import State, agrees, differs, state_of
from harness.triage.generated.signs import sign_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.corpus.generated.record import Packed
    from harness.triage.generated.patterns import Pattern
    from harness.triage.generated.sights import Sight


class Turn(StrEnum):
    """What became of a case from one release to the next, the gravest first."""

    DIES = "dies"
    """It ends the process, or never ends."""
    VALUE = "answers otherwise"
    REFUSES = "is refused"
    LIVES = "no longer dies"
    ANSWERS = "is answered"
    """It was refused."""


REFUSALS = (Turn.REFUSES, Turn.ANSWERS)
FATAL = (Turn.DIES, Turn.LIVES)


class Judgement(StrEnum):
    """What a change is by the votes."""

    WORSE = "WORSE"
    """The votes were for the older answer, or the process dies."""
    CHANGED = "CHANGED"
    """Nobody's vote tells: intended or not."""
    BETTER = "BETTER"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One case between two neighbours."""

    case: Packed
    turn: Turn
    text: str
    """How the answer differs, or the refusal; as it was seen."""
    votes: str
    """Who agreed with the older and with the newer answer."""
    judgement: Judgement
    undone: str = ""
    """The later build that answers again as the older one did: between them they are alone."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """All changes between two releases that look alike: a change point."""

    before: str
    """The older release, or the cell that is compared with."""
    after: str
    operators: tuple[str, ...]
    turn: Turn
    judgement: Judgement
    sign: str
    pattern: Pattern
    changes: tuple[Change, ...]
    """The smallest first."""
    of: int
    """How many cases of these operators were tested."""

    @property
    def smallest(self) -> Change:
        """The change to look at."""
        return self.changes[0]


@dataclass(frozen=True, kw_only=True)
class Road:
    """The same cases over several builds."""

    cases: Sequence[Packed]
    labels: Sequence[str]
    """Of the builds, oldest first."""
    track: Mapping[str, Sequence[Sight]]
    """The sights of all cases by label."""

    def steps(self, at: int) -> Iterator[tuple[str, str]]:
        """Return the neighbours of one case: a build that could not be asked is passed over."""
        tested = [one for one in self.labels if self.track[one][at].state is not State.UNTESTED]
        return pairwise(tested)


Compared = tuple[int, str, str]
"""Which two answers: the case's place, the older and the newer label."""


def to_compare(road: Road) -> list[Compared]:
    """Return which neighbours' answers must be compared: those with unequal digests."""
    return [
        (at, before, after)
        for at in range(len(road.cases))
        for before, after in road.steps(at)
        if _digest(road.track[before][at]) != _digest(road.track[after][at])
        and road.track[before][at].state is road.track[after][at].state is State.ANSWERED
    ]


def returns(road: Road, unlike: Mapping[Compared, str]) -> list[Compared]:
    """Return which answers further apart must be compared: the next change may undo one."""
    found = []
    for at in range(len(road.cases)):
        steps = [step for step in road.steps(at) if differs(unlike.get((at, *step)))]
        found += [(at, before, after) for (before, _), (_, after) in pairwise(steps)]
    return found


def points(road: Road, unlike: Mapping[Compared, str]) -> list[Point]:
    """Return the change points between neighbours, oldest first, the gravest before.

    `unlike` has how the answers differ of what `to_compare` and `returns` named; what is missing
    there was too large to be kept and counts as unchanged.
    """
    changed: dict[tuple[str, str], dict[int, Change]] = defaultdict(dict)
    for at in range(len(road.cases)):
        steps = list(road.steps(at))
        for step in steps:
            change = _change(road, at, step, unlike.get((at, *step)))
            if change is not None:
                undone = _undone(at, step, steps, unlike)
                changed[step][at] = replace(change, undone=undone)
    found = [
        point
        for step, those in changed.items()
        for point in _points_of(road, step, _first_reached(road, step[0], those))
    ]
    turns, places = list(Turn), {label: at for at, label in enumerate(road.labels)}
    return sorted(
        found, key=lambda one: (places[one.after], turns.index(one.turn), one.operators, one.sign)
    )


def _first_reached(road: Road, before: str, changed: Mapping[int, Change]) -> dict[int, Change]:
    """Return the changes, without blame for a death that could not be reached before.

    Where a release begins to take an opset, what dies there was refused for the same reason as what
    is now answered.
    """
    taken = {sign_of(one.text) for one in changed.values() if one.turn is Turn.ANSWERS}
    return {
        at: replace(change, judgement=Judgement.CHANGED)
        if change.turn is Turn.DIES and sign_of(road.track[before][at].says) in taken
        else change
        for at, change in changed.items()
    }


def _undone(
    at: int,
    step: tuple[str, str],
    steps: Sequence[tuple[str, str]],
    unlike: Mapping[Compared, str],
) -> str:
    """Return the later label whose answer is again that before the step; empty where none is."""
    later = [after for _, after in steps[steps.index(step) + 1 :]]
    return next((one for one in later if agrees(unlike.get((at, step[0], one)))), "")


def _digest(sight: Sight) -> str:
    return sight.seen.default.digest if sight.seen else ""


def _change(road: Road, at: int, step: tuple[str, str], unlike: str | None) -> Change | None:
    case, (old, new) = road.cases[at], (road.track[label][at] for label in step)
    turn, text = _turn(case, old, new, unlike)
    if turn is None:
        return None
    return Change(
        case=case,
        turn=turn,
        text=text,
        votes=f"before: {_support(old)}; after: {_support(new)}",
        judgement=_judgement(turn, old, new),
    )


def _turn(case: Packed, old: Sight, new: Sight, unlike: str | None) -> tuple[Turn | None, str]:
    found: tuple[Turn | None, str] = None, ""
    if old.state.is_fatal or new.state.is_fatal:
        if not old.state.is_fatal:
            found = Turn.DIES, f"{new.state}: {new.says}"
        elif not new.state.is_fatal:
            found = Turn.LIVES, f"{old.state}: {old.says}"
    elif new.state is State.REFUSED and old.state is State.ANSWERED:
        found = Turn.REFUSES, new.says
    elif old.state is State.REFUSED and new.state is State.ANSWERED:
        found = Turn.ANSWERS, old.says
    elif case.kind == VALID and differs(unlike):
        found = Turn.VALUE, str(unlike)
    return found


def _support(sight: Sight) -> str:
    """Return who agrees with a release's answer."""
    if sight.seen is None or sight.state is not State.ANSWERED:
        return str(sight.state)
    told = []
    for who, text in (
        ("the reference", sight.seen.unlike_reference),
        ("unoptimised", sight.seen.unlike_unoptimised),
    ):
        if text is not None:
            told.append(f"{who} {'agrees' if agrees(text) else 'disagrees'}")
    return ", ".join(told) or "no vote"


def _judgement(turn: Turn, old: Sight, new: Sight) -> Judgement:
    match turn:
        case Turn.DIES:
            worse, better = True, False
        case Turn.LIVES:
            worse, better = False, True
        case Turn.VALUE:
            worse, better = _votes_turned(old, new)
        case Turn.REFUSES:  # of a valid case: on others the reference has no vote
            worse = old.seen is not None and agrees(old.seen.unlike_reference)
            better = False
        case Turn.ANSWERS:  # what the optimisations alone could not take
            plain = None if old.seen is None else old.seen.unoptimised
            worse = False
            better = plain is not None and state_of(plain) is State.ANSWERED
    return Judgement.WORSE if worse else Judgement.BETTER if better else Judgement.CHANGED


def _votes_turned(old: Sight, new: Sight) -> tuple[bool, bool]:
    """Return whether the first vote that turned is against the newer answer, or for it."""
    if old.seen is None or new.seen is None:
        return False, False
    for one, other in (
        (old.seen.unlike_reference, new.seen.unlike_reference),
        (old.seen.unlike_unoptimised, new.seen.unlike_unoptimised),
    ):
        if agrees(one) and differs(other):
            return True, False
        if differs(one) and agrees(other):
            return False, True
    return False, False


def _points_of(road: Road, step: tuple[str, str], changed: Mapping[int, Change]) -> list[Point]:
    spoilt, alike = _alike(changed)
    made = []
    for members in (*spoilt, *alike):
        others = _others(road, step[0], members)
        told = [*members, *others]
        known = dict(zip(told, features([road.cases[at] for at in told]), strict=True))
        about, apart = [known[at] for at in members], [known[at] for at in others]
        reasons = [_reason(changed[at]) for at in members]
        if members in spoilt and len(set(reasons)) > 1:
            shared = one_of_reasons(reasons, apart)
            made.append(_point(step, [changed[at] for at in members], shared, of=len(told)))
            continue
        for part in parts(about, apart) if members in alike else [range(len(members))]:
            shared = pattern([about[at] for at in part], apart)
            of_part = [changed[members[at]] for at in part]
            made.append(_point(step, of_part, shared, of=len(told)))
    return made


def _reason(change: Change) -> str:
    """Return the first reason of a case that is not valid: of a spoilt one, what was done to it."""
    return change.case.reason.partition("; ")[0]


def _alike(changed: Mapping[int, Change]) -> tuple[list[list[int]], list[list[int]]]:
    """Return the changed cases in groups that look alike: those of spoilt cases only, and others.

    Where cases are spoilt, each operator may refuse the same in words of its own, and one operator
    may refuse, or die of, many things for one cause.
    """
    groups: dict[tuple[Turn, Judgement, str, str], list[int]] = defaultdict(list)
    for at, change in changed.items():
        # A refusal says itself whom it is about: an opset that is too new is one cause for all.
        operator = "" if change.turn in REFUSALS else change.case.operator
        groups[change.turn, change.judgement, operator, sign_of(change.text)].append(at)
    spoilt: dict[tuple[Turn, Judgement, str], list[int]] = defaultdict(list)
    alike: list[list[int]] = []
    rare: dict[tuple[Turn, Judgement, str], list[int]] = defaultdict(list)
    for (turn, judgement, _, sign), members in groups.items():
        if all(changed[at].case.is_spoilt for at in members):
            spoilt[turn, judgement, "" if turn in REFUSALS else sign] += members
        elif turn in FATAL and all(HAS_DEFAULTS in changed[at].case.forms for at in members):
            rare[turn, judgement, sign] += members  # a form that few have, in any operator
        else:
            alike.append(members)
    alike += rare.values()
    return [group for members in spoilt.values() for group in _few(members, changed)], alike


def _few(members: Sequence[int], changed: Mapping[int, Change]) -> Iterator[list[int]]:
    """Return cases in few groups: again and again those that share what most of the rest share."""
    shared = {at: _sharable(changed[at]) for at in members}
    while shared:
        counts = Counter(one for those in shared.values() for one in those)
        most = min(counts, key=lambda one: (-counts[one], one))
        yield [at for at, those in shared.items() if most in those]
        shared = {at: those for at, those in shared.items() if most not in those}


def _sharable(change: Change) -> tuple[tuple[int, str], ...]:
    """Return what a spoilt case may share with others, what tells most before the rest."""
    operator = change.case.operator
    name = operator.rpartition(".")[2]
    words = sign_of(change.text).replace(name, "…") if change.turn in REFUSALS else ""
    return ((0, _reason(change)), (1, operator), *([(2, words)] if words else []))


def _point(step: tuple[str, str], changes: list[Change], shared: Pattern, *, of: int) -> Point:
    changes.sort(key=lambda one: size(one.case))
    return Point(
        before=step[0],
        after=step[1],
        operators=tuple(sorted({change.case.operator for change in changes})),
        turn=changes[0].turn,
        judgement=changes[0].judgement,
        sign=_sign(changes),
        pattern=shared,
        changes=tuple(changes),
        of=of,
    )


def _sign(changes: Sequence[Change]) -> str:
    first = sign_of(changes[0].text)
    more = len({sign_of(change.text) for change in changes}) - 1
    return f"{first} (and {more} other refusals)" if more else first


def _others(road: Road, before: str, members: Sequence[int]) -> list[int]:
    """Return the other tested cases of the members' operators."""
    operators, inside = {road.cases[at].operator for at in members}, set(members)
    return [
        at
        for at, case in enumerate(road.cases)
        if case.operator in operators
        and at not in inside
        and road.track[before][at].state is not State.UNTESTED
    ]
