"""Pictures as numbers: what the templates draw as SVG; pure."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

WIDTH, HEIGHT = 320, 96
"""Of every plot, in its own units, without the line of its labels."""

TIME_HEIGHT = 45
"""How much of a strip, which is 100 high and one wide for each run, its line of times takes."""

FEWEST_POINTS = 3
"""A line needs some: two points are a change, not a course."""

PER_DECADE = 4
"""Bars of a histogram for each power of ten."""

SHORTEST_S = 1e-6


def seconds(value: float) -> str:
    """Return a duration as it is read, in the unit that fits it."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= size or unit == "µs":
            scaled = value / size
            return f"{scaled:.0f} {unit}" if scaled >= 100 else f"{scaled:.3g} {unit}"  # noqa: PLR2004
    raise AssertionError


def strip_line(durations: Sequence[float | None]) -> str:
    """Return the points of a line of how long a case took in each run, over its strip.

    The scale begins at zero; the highest is the longest time. Empty where there are too few.
    """
    known = [value for value in durations if value is not None]
    if len(known) < FEWEST_POINTS:
        return ""
    scale = (TIME_HEIGHT - 3) / (max(known) or 1)
    return " ".join(
        f"{at + 0.5:g},{TIME_HEIGHT - value * scale:.0f}"
        for at, value in enumerate(durations)
        if value is not None
    )


@dataclass(frozen=True, kw_only=True)
class Box:
    """One rectangle with what it stands for."""

    x: float
    y: float
    width: float
    height: float
    kind: str = ""
    """The outcome that gives it its colour."""
    about: str = ""


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """How many durations lie between neighbouring steps, four for each power of ten."""

    boxes: tuple[Box, ...]
    labels: tuple[tuple[float, str], ...]
    """Where along the axis which power of ten stands."""
    said: str


def histogram(durations: Iterable[float]) -> Histogram:
    """Return the histogram of some durations, of which there is one at least."""
    counts = Counter(_step(value) for value in durations)
    # Whole powers of ten at both ends: the axis says what the bars are.
    first = math.floor(min(counts) / PER_DECADE) * PER_DECADE
    last = math.ceil((max(counts) + 1) / PER_DECADE) * PER_DECADE
    width, most = WIDTH / (last - first), max(counts.values())
    boxes = tuple(
        Box(
            x=round((step - first) * width + 0.5, 1),
            y=round(HEIGHT - count * HEIGHT / most, 1),
            width=round(width - 1, 1),
            height=round(count * HEIGHT / most, 1),
            about=f"{count} {_between(step)}",
        )
        for step, count in sorted(counts.items())
    )
    labels = tuple(
        (round((step - first) * width, 1), seconds(10 ** (step / PER_DECADE)))
        for step in range(first, last + 1, PER_DECADE)
    )
    commonest = max(counts, key=lambda step: counts[step])
    return Histogram(boxes=boxes, labels=labels, said=f"most of them {_between(commonest)}")


def _step(value: float) -> int:
    # Rounded first: the logarithm of a power of ten may fall short of it by a hair.
    return math.floor(round(math.log10(max(value, SHORTEST_S)) * PER_DECADE, 9))


def _between(step: int) -> str:
    low, high = 10 ** (step / PER_DECADE), 10 ** ((step + 1) / PER_DECADE)
    return f"from {seconds(low)} to {seconds(high)}"


@dataclass(frozen=True, kw_only=True)
class Course:
    """One figure run by run, as lines that end where a run has none."""

    lines: tuple[str, ...]
    dots: tuple[tuple[float, float], ...]
    """Where a run stands alone: a line of one point is not seen."""
    known: int
    first: float
    last: float
    most: float


def course(values: Sequence[float | None]) -> Course | None:
    """Return the course of a figure from zero to its most; None where no run has it."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    most = max(known) or 1.0
    pieces = [
        [
            (round((at + 0.5) * WIDTH / len(values), 1), round(HEIGHT - value * HEIGHT / most, 1))
            for at, value in piece
            if value is not None
        ]
        for there, piece in groupby(enumerate(values), lambda item: item[1] is not None)
        if there
    ]
    return Course(
        lines=tuple(" ".join(f"{x},{y}" for x, y in piece) for piece in pieces if len(piece) > 1),
        dots=tuple(piece[0] for piece in pieces if len(piece) == 1),
        known=len(known),
        first=known[0],
        last=known[-1],
        most=max(known),
    )


@dataclass(frozen=True, kw_only=True)
class Stack:
    """What did not pass run by run, one outcome on the other."""

    boxes: tuple[Box, ...]
    most: int


def stack(runs: Sequence[Counter[Outcome] | None]) -> Stack:
    """Return the stack of what did not pass; neighbouring runs that are alike share a box.

    None stands for a run without the cell, and is left free.
    """
    counted = [
        None if run is None else tuple(run[outcome] for outcome in NOT_PASSED) for run in runs
    ]
    most = max((sum(counts) for counts in counted if counts is not None), default=0) or 1
    boxes = tuple(_stacked(counted, most))
    return Stack(boxes=boxes, most=most)


NOT_PASSED = tuple(outcome for outcome in Outcome if outcome is not Outcome.PASS)
"""In the order in which they are stacked, from below."""


def _stacked(counted: Sequence[tuple[int, ...] | None], most: int) -> Iterator[Box]:
    wide = WIDTH / max(len(counted), 1)
    start = 0
    for counts, same in groupby(counted):
        length = len(list(same))
        below = 0
        for outcome, count in zip(NOT_PASSED, counts or (), strict=False):
            if count:
                below += count
                yield Box(
                    x=round(start * wide, 2),
                    y=round(HEIGHT - below * HEIGHT / most, 1),
                    width=round(length * wide, 2),
                    height=round(count * HEIGHT / most, 1),
                    kind=outcome.lower(),
                    about=f"{count} {outcome.lower().replace('_', ' ')}",
                )
        start += length
