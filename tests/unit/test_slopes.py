"""A leak is told from noise by its slope, from no more readings than it takes."""

from __future__ import annotations

import pytest

from harness.worker.cases.leaks.slopes import MOST_WINDOWS, Trend, slope, trend

CYCLES = 10
SMALLEST = 8.0


def levels(*steps: float) -> list[float]:
    """Return readings with these differences between neighbours."""
    found = [1000.0]
    for step in steps:
        found.append(found[-1] + step)
    return found


def trend_of(*steps: float) -> Trend:
    """Return the trend of readings with these differences; 80 a window is the smallest leak."""
    return trend(levels(*steps), cycles=CYCLES, smallest=SMALLEST)


@pytest.mark.parametrize(
    "steps",
    [
        [80] * MOST_WINDOWS,
        [110, 60, 90, 110, 0, 105, 95, 110],
        [320] * 4,
        [5000, 320, 330, 320, 330, 320, 330, 320],
    ],
    ids=["the smallest", "one window without", "clearly, early", "one outlier"],
)
def test_growth_in_nearly_every_window_is_a_leak(steps: list[float]) -> None:
    """It is told at the smallest leak, with one still window, and early where it is clear."""
    seen = trend_of(*steps)

    assert seen is Trend.GROWS


@pytest.mark.parametrize(
    "steps",
    [
        [0] * 4,
        [100_000, 0, 0, 0],
        [200, -200, 200, -200],
        [39] * 4,
        [75] * MOST_WINDOWS,
        [800, 400, 200, 190, 150, 120, 110, 100],
    ],
    ids=["nothing", "one jump", "to and fro", "less than half", "just below", "a cache that fills"],
)
def test_what_does_not_go_on_growing_is_no_leak(steps: list[float]) -> None:
    """A jump, noise, growth below the smallest leak and growth that fades are flat."""
    seen = trend_of(*steps)

    assert seen is Trend.FLAT


@pytest.mark.parametrize("steps", [[320] * 3, [80] * 7, [0, 80, 80, 80]])
def test_more_windows_are_asked_for_where_it_is_not_clear(steps: list[float]) -> None:
    """Too few windows, or growth near the smallest leak, decide nothing."""
    seen = trend_of(*steps)

    assert seen is Trend.UNDECIDED


def test_an_outlier_does_not_move_the_slope() -> None:
    """One level that is far off leaves the slope as it is."""
    straight = [100.0 * n for n in range(9)]
    with_outlier = [*straight[:4], 1e6, *straight[5:]]

    seen = slope(with_outlier, cycles=CYCLES)

    assert seen == slope(straight, cycles=CYCLES) == 10
