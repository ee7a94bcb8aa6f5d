"""What all cases of a kind have in common that no other case has: a condition for a person.

Not a proof: the shortest conjunction found greedily, with how many other cases meet it as well.
"""

from __future__ import annotations

import functools
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.generate.description import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.corpus.generated.record import Packed

MOST_CONDITIONS = 6
FEWEST_IN_A_PART = 5
"""Few cases that stand apart have something in common by chance, and are no cause of their own."""

_INTEGERS = re.compile(r"-?\d+")
_LIST_OF_INTEGERS = re.compile(r"[\[(]?\s*-?\d+(\s*[,x ]\s*-?\d+)*\s*[\])]?")
_OPSET = re.compile(r"opset ([≥≤]) (\d+)")

_SLOT = re.compile(r"(?P<slot>argument \d+ is |input \d+ has rank |\w[\w.]*=).+")

MOST_ALTERNATIVES = 6

MOST_REASONS = 3
"""Reasons that are told of cases that share none."""

Features = frozenset[str]


class Reason(str):
    """Why a case is not valid: of what all members share this is told first."""

    __slots__ = ()


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """The conditions that all members meet."""

    conditions: tuple[str, ...]
    others: int
    """How many cases meet them that are no members: 0 for an exact pattern."""

    def __str__(self) -> str:
        return ", ".join(self.conditions) or "no condition told apart"


def features(cases: Sequence[Packed]) -> list[Features]:
    """Return what can be said of each of the cases of one operator or several."""
    names = sorted({name for case in cases for name in case.attributes})
    opsets = sorted({case.opset for case in cases})
    return [frozenset(_features(case, names, opsets)) for case in cases]


class _Others:
    """Cases that are no members: which of them have a feature is told by the bits of a number."""

    def __init__(self, others: Sequence[Features]) -> None:
        self.all = (1 << len(others)) - 1
        self._having: dict[str, int] = defaultdict(int)
        for at, one in enumerate(others):
            for feature in one:
                self._having[feature] |= 1 << at

    def meeting(self, condition: Features) -> int:
        """Return which of them have one of the features."""
        met = 0
        for feature in condition:
            met |= self._having.get(feature, 0)
        return met


def pattern(members: Sequence[Features], others: Sequence[Features]) -> Pattern:
    """Return conditions that all members meet, as few as leave as few others as possible.

    A condition is a feature that all share, or a few values of one slot of which each has one.
    """
    return _pattern(members, _Others(others))


def one_of_reasons(reasons: Sequence[str], others: Sequence[Features]) -> Pattern:
    """Return as a condition that one of the reasons holds, which not all members share."""
    names = [name for name, _ in sorted(Counter(reasons).items(), key=lambda one: (-one[1], one))]
    told = " or ".join(names[:MOST_REASONS])
    if len(names) > MOST_REASONS:
        told += f" or {len(names) - MOST_REASONS} more"
    return Pattern(conditions=(told,), others=sum(not one.isdisjoint(names) for one in others))


def _pattern(members: Sequence[Features], others: _Others) -> Pattern:
    shared = frozenset.intersection(*members) if members else frozenset()
    conditions = {frozenset({one}) for one in shared} | _alternatives(members)
    met = {one: others.meeting(one) for one in conditions}
    telling = {one for one in conditions if len(one) > 1 or met[one] != others.all}
    chosen = _reason(shared, others)
    left = others.all
    for one in chosen:
        left &= met[one]
        telling.discard(one)
    while left and telling and len(chosen) < MOST_CONDITIONS:
        best = min(telling, key=lambda one: ((met[one] & left).bit_count(), _order(one)))
        if left & met[best] == left:
            break
        chosen.append(best)
        left &= met[best]
        telling.discard(best)
    count = left.bit_count()
    return Pattern(conditions=_in_order([_told(one) for one in chosen]), others=count)


def _reason(shared: Features, others: _Others) -> list[Features]:
    """Return the reason that all members share, that which fewest others have; if there is one."""
    reasons: list[Features] = [frozenset({one}) for one in shared if isinstance(one, Reason)]
    reasons.sort(key=lambda one: (others.meeting(one).bit_count(), min(map(len, one)), min(one)))
    return reasons[:1]


def _alternatives(members: Sequence[Features]) -> set[Features]:
    """Return, of each slot that all members have, the values found in it: if they are few."""
    found: dict[str, list[str]] = defaultdict(list)
    for one in members:
        for feature in one:
            if slot := _slot(feature):
                found[slot].append(feature)
    return {
        frozenset(values)
        for values in found.values()
        if len(values) == len(members) and 1 < len(set(values)) <= MOST_ALTERNATIVES
    }


@functools.cache
def _slot(feature: str) -> str:
    """Return of what a feature states a value; empty for one that states none."""
    match = _SLOT.fullmatch(feature)
    return match["slot"] if match else ""


def _told(condition: Features) -> str:
    """Return a condition for a person: ``argument 0 is int8 or uint8``."""
    first, *rest = sorted(condition)
    values = [one[match.end("slot") :] for one in rest if (match := _SLOT.fullmatch(one))]
    return " or ".join([first, *values])


def _order(condition: Features) -> tuple[int, int, str]:
    """Return what orders conditions that tell as much: one value before several."""
    return len(condition), min(map(_rank, condition)), _told(condition)


def parts(members: Sequence[Features], others: Sequence[Features]) -> list[list[int]]:
    """Return the members by their place, as one part or as two that have an exact pattern each."""
    whole, apart = [list(range(len(members)))], _Others(others)
    if not _pattern(members, apart).others:
        return whole
    counts = Counter(feature for one in members for feature in one)
    for feature, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if not FEWEST_IN_A_PART <= count <= len(members) - FEWEST_IN_A_PART:
            continue
        having = [at for at, one in enumerate(members) if feature in one]
        lacking = [at for at, one in enumerate(members) if feature not in one]
        split = (having, lacking)
        if not any(_pattern([members[at] for at in part], apart).others for part in split):
            return [having, lacking]
    return whole


def _features(case: Packed, names: Iterable[str], opsets: Iterable[int]) -> Iterable[str]:
    yield case.kind
    if case.reason and case.kind == Kind.VALID:
        yield case.reason
    elif case.reason:
        yield from map(Reason, (case.reason, *case.reason.split("; ")))
    yield from case.forms
    for opset in opsets:
        if case.opset >= opset:
            yield f"opset ≥ {opset}"
        if case.opset <= opset:
            yield f"opset ≤ {opset}"
    for name in names:
        yield from _of_attribute(name, case.attributes.get(name))
    yield f"{len(case.types)} arguments"
    yield "all arguments given at run" if len(case.types) == len(case.shapes) else "has constants"
    for at, of in enumerate(case.types):
        yield f"argument {at} is {of}"
        yield f"an argument is {of}"
    for at, shape in enumerate(case.shapes):
        yield f"input {at} has rank {_rank_of(shape)}"
        if "0" in shape.split("x"):
            yield f"input {at} is empty"


def _of_attribute(name: str, value: str | None) -> Iterable[str]:
    if value is None:
        yield f"{name} absent"
        return
    yield f"{name} present"
    yield f"{name}={value}"
    if not _LIST_OF_INTEGERS.fullmatch(value):
        return
    numbers = [int(number) for number in _INTEGERS.findall(value)]
    if any(numbers):
        yield f"{name} not 0"
    if 0 in numbers:
        yield f"{name} has a 0"
    if any(number < 0 for number in numbers):
        yield f"{name} has a negative"
    if any(number > 1 for number in numbers):
        yield f"{name} has one above 1"


def _rank_of(shape: str) -> int:
    return 0 if shape in ("scalar", "") else shape.count("x") + 1


def _rank(feature: str) -> int:
    """Return how willingly a condition is told: an attribute's value tells a person most."""
    if "=" in feature:
        return 0
    if feature.startswith("an argument"):  # which one says more
        return 3
    return 1 if feature.startswith("opset") else 2


def _in_order(chosen: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted(chosen, key=lambda one: (not _OPSET.fullmatch(one), chosen.index(one))))
