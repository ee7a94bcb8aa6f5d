"""What grows with the cycles of some work: read by every meter, decided by slope."""

from __future__ import annotations

import gc
import tracemalloc
from array import array
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from harness.worker.cases.leaks.meters import settle
from harness.worker.cases.leaks.slopes import MOST_WINDOWS, Trend, slope, trend

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.worker.cases.leaks.meters import Meter

WARM_UP_WINDOWS = 4


class Pace(Enum):
    """How many cycles one window has, by what a cycle costs."""

    RUNS = 150
    OPENS = 15
    COMPILES = 8
    """Opens on an execution provider that compiles each model."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How some work is watched."""

    pace: Pace
    collects: bool = True
    """Whether unreachable objects are collected before each reading; if not, the collector is off
    throughout, and what only it would free counts as kept."""
    coarseness: int = 1
    """How many times the smallest leak of each meter is told, where builds keep caches."""

    def smallest(self, meter: Meter) -> float:
        """Return the smallest leak a cycle that a meter tells."""
        finest = meter.smallest_per_open
        if self.pace is Pace.RUNS:
            finest = meter.smallest_per_run
        return self.coarseness * finest


@dataclass(frozen=True, kw_only=True)
class Series:
    """The levels of one meter: one when warm, and one after each window."""

    meter: Meter
    levels: tuple[int, ...]
    plan: Plan

    @property
    def trend(self) -> Trend:
        """What the levels do."""
        smallest = self.plan.smallest(self.meter)
        return trend(self.levels, cycles=self.plan.pace.value, smallest=smallest)

    @property
    def per_cycle(self) -> float:
        """The growth a cycle."""
        return slope(self.levels, cycles=self.plan.pace.value)

    @property
    def text(self) -> str:
        """The growth for a person."""
        return f"{self.meter.name} +{self.per_cycle:,.6g}{self.meter.unit} a cycle"

    def to_json(self) -> dict[str, Any]:
        """Return what the evidence keeps."""
        return {
            "levels": list(self.levels),
            "a cycle": round(self.per_cycle, 3),
            "smallest told": self.plan.smallest(self.meter),
        }


def watch(cycle: Callable[[], None], meters: Sequence[Meter], plan: Plan) -> tuple[Series, ...]:
    """Return what every meter showed over as many windows of cycles as it takes to decide."""
    readings = _Readings(meters, plan)
    window = 0
    tracemalloc.start()
    if not plan.collects:
        gc.disable()
    try:
        for window in (*[0] * WARM_UP_WINDOWS, *range(1, MOST_WINDOWS + 1)):
            for _ in range(plan.pace.value):
                cycle()
            settle(collects=plan.collects)
            readings.take(window)
            if all(one.trend is not Trend.UNDECIDED for one in readings.series(window)):
                break
    finally:
        gc.enable()
        tracemalloc.stop()
    return readings.series(window)


class _Readings:
    """The levels of all meters, in arrays: a list of numbers would itself grow."""

    def __init__(self, meters: Sequence[Meter], plan: Plan) -> None:
        self._plan = plan
        self._meters = meters
        self._levels = [array("q", bytes(8 * (MOST_WINDOWS + 1))) for _ in meters]

    def take(self, window: int) -> None:
        for meter, levels in zip(self._meters, self._levels, strict=True):
            levels[window] = meter.read()

    def series(self, window: int) -> tuple[Series, ...]:
        return tuple(
            Series(meter=meter, levels=tuple(levels[: window + 1]), plan=self._plan)
            for meter, levels in zip(self._meters, self._levels, strict=True)
        )
