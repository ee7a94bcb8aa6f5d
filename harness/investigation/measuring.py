"""What no single reading tells: the same case asked of two cells in turn, until it can be told."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

from harness.triage.confidence import Likeness, shift
from harness.wire.catalogue.generated import OF_ONE_MODEL
from harness.wire.catalogue.procedures import MODEL_SPEED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from harness.probing import Subject
    from harness.results import CaseResult

Samples = dict[str, list[float]]
"""Readings by what was read."""


class Measure(Protocol):
    """What is read of a result, and what difference counts."""

    confidence: float
    """How sure a verdict is to be, all looks at the growing samples together."""
    looks: tuple[int, ...]
    """After how many turns it is looked whether it can be told."""
    keeps: bool
    """Whether a reading holds for later, so that a cell is not asked anew for each comparison."""

    def subject(self, subject: Subject) -> Subject:
        """Return what is asked so that it can be read."""

    def read(self, result: CaseResult) -> Samples:
        """Return the readings of one result; {} where it has none."""

    def within(self, name: str, old: list[float]) -> float:
        """Return how far a reading may move and still be the same."""

    def told(self, name: str, low: float, high: float) -> str:
        """Return an interval of shifts for a person."""


class Speed:
    """How long a run takes; of a case that is no model, how long the whole of it does."""

    confidence = 0.99
    looks: tuple[int, ...] = (8, 16)
    keeps = False  # the machine is another a minute later
    counts = 1.10
    """How many times as long must a run take to count as slower."""

    def subject(self, subject: Subject) -> Subject:
        """Return the model's runs alone, timed within the worker, where it is a model."""
        if subject.case.procedure not in OF_ONE_MODEL:
            return subject
        return replace(subject, case=replace(subject.case, procedure=MODEL_SPEED))

    def read(self, result: CaseResult) -> Samples:
        """Return the time, as its logarithm: what is compared is the ratio."""
        seconds = result.evidence.answer.get("seconds a run", result.duration_s)
        return {"time": [math.log(seconds)]} if seconds > 0 else {}

    def within(self, name: str, old: list[float]) -> float:
        """Return the logarithm of what counts."""
        del name, old
        return math.log(self.counts)

    def told(self, name: str, low: float, high: float) -> str:
        """Return the ratio of times."""
        return f"{math.exp(low):.2f} to {math.exp(high):.2f} times the {name}"


class Slope:
    """How much each meter of a leak case grows a cycle."""

    confidence = 0.95
    looks: tuple[int, ...] = (1, 2, 4)
    keeps = True

    def __init__(self) -> None:
        self._smallest: dict[str, float] = {}

    def subject(self, subject: Subject) -> Subject:
        """Return the case itself, which reads its own meters."""
        return subject

    def read(self, result: CaseResult) -> Samples:
        """Return the growth a cycle in each window, by meter."""
        answer = result.evidence.answer
        cycles = answer.get("cycles a window")
        read = {name: of for name, of in answer.items() if isinstance(of, dict)}
        meters = {name: of for name, of in read.items() if "levels" in of}
        self._smallest |= {name: of["smallest told"] for name, of in meters.items()}
        return {
            name: [(after - before) / cycles for before, after in pairwise(of["levels"])]
            for name, of in meters.items()
        }

    def within(self, name: str, old: list[float]) -> float:
        """Return half the smallest leak that is told, and a tenth of what grew before."""
        return self._smallest[name] / 2 + abs(statistics.median(old)) / 10

    def told(self, name: str, low: float, high: float) -> str:
        """Return the growth beside the other's."""
        return f"{name} {low:+.6g} to {high:+.6g} a cycle"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What two cells are to each other, and how it was told."""

    likeness: Likeness
    said: str


def compared(measure: Measure, old: Iterator[CaseResult], new: Iterator[CaseResult]) -> Comparison:
    """Return whether two cells are alike, given ever more results of each.

    They are taken in turn: noise meets both where a result is asked for when it is taken.
    """
    samples: tuple[Samples, Samples] = ({}, {})
    found = Comparison(likeness=Likeness.CANNOT_TELL, said="no reading came")
    turns = 0
    confidence = 1 - (1 - measure.confidence) / len(measure.looks)
    for look in measure.looks:
        while turns < look:
            for results, into in zip((old, new), samples, strict=True):
                for name, readings in measure.read(next(results)).items():
                    into.setdefault(name, []).extend(readings)
            turns += 1
        found = _looked_at(measure, samples, confidence)
        if found.likeness is not Likeness.CANNOT_TELL:
            break
    return found


def _looked_at(measure: Measure, samples: tuple[Samples, Samples], confidence: float) -> Comparison:
    """Return what the readings say: unlike where any does, alike where all are."""
    found: dict[Likeness, list[str]] = {}
    olds, news = samples
    for name in olds.keys() & news.keys():
        old, new = olds[name], news[name]
        interval = shift(old, new, confidence=confidence)
        if interval is None:
            likeness, said = Likeness.CANNOT_TELL, f"{name}: too few readings"
        else:
            likeness = interval.likeness(measure.within(name, old))
            said = measure.told(name, interval.low, interval.high)
        found.setdefault(likeness, []).append(said)
    for likeness in (Likeness.UNLIKE, Likeness.CANNOT_TELL, Likeness.ALIKE):
        if likeness in found:
            of = sorted(found[likeness])
            many = likeness is Likeness.ALIKE and len(of) > 1
            said = f"all {len(of)} readings are alike" if many else ", ".join(of)
            return Comparison(likeness=likeness, said=said)
    return Comparison(likeness=Likeness.CANNOT_TELL, said="there are no readings of both")


MEASURES: Mapping[str, Callable[[], Measure]] = {"speed": Speed, "slope": Slope}
