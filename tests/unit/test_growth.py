"""What grows with the cycles of some work is seen by the meters, and nothing else is."""

from __future__ import annotations

import ctypes
import gc
import os
import threading
from typing import TYPE_CHECKING, Any

import pytest

from harness.worker.cases.leaks.growth import Pace, Plan, Series, watch
from harness.worker.cases.leaks.meters import Alive, Kind, WatchedBinding, meters, not_of_python
from harness.worker.cases.leaks.slopes import MOST_WINDOWS, Trend
from harness.worker.under_test import UnderTest
from tests.unit.scripted_binding import ScriptedBinding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OPENS = Plan(pace=Pace.OPENS)


@pytest.fixture(autouse=True)
def _nothing_else_to_collect() -> Iterator[None]:
    """Spare each reading the collection of all that pytest holds."""
    gc.freeze()
    yield
    gc.unfreeze()


def growing(cycle: Callable[[], object], plan: Plan = OPENS) -> set[str]:
    """Return the names of the meters that saw a leak in the work."""
    return {one.meter.name for one in series(cycle, meters(Alive()), plan) if _grows(one)}


def series(cycle: Callable[[], object], read: Any, plan: Plan = OPENS) -> tuple[Series, ...]:
    """Return what the meters showed of the work."""

    def once() -> None:
        cycle()

    return watch(once, read, plan)


def _grows(one: Series) -> bool:
    return one.trend is Trend.GROWS


def test_nothing_grows_where_nothing_is_done() -> None:
    """An empty cycle, and one that gives back what it takes, are flat on every meter."""
    seen = growing(lambda: bytearray(100_000))

    assert seen == set()


def test_a_kept_object_is_seen_in_python_memory() -> None:
    """A hundred bytes a run are above the smallest leak of a run."""
    kept: list[bytes] = []

    seen = growing(lambda: kept.append(bytes(67)), Plan(pace=Pace.RUNS))

    assert {"Python memory", "Python memory blocks"} <= seen


def test_memory_of_c_is_seen_in_the_native_heap_alone() -> None:
    """A kilobyte a cycle is seen where the C library tells what is in use."""
    malloc = ctypes.CDLL(None).malloc
    malloc.restype = ctypes.c_void_p
    if "native heap" not in {meter.name for meter in meters(Alive())}:
        pytest.skip("the C library of this host tells nothing of its heap")

    seen = growing(lambda: malloc(ctypes.c_size_t(1024)))

    assert seen == {"native heap"}


def test_a_descriptor_a_cycle_is_seen() -> None:
    """It is counted exactly."""
    taken: list[int] = []

    try:
        seen = growing(lambda: taken.append(os.dup(0)))
    finally:
        for descriptor in taken:
            os.close(descriptor)

    assert "descriptors" in seen


def test_threads_that_ended_are_not_counted() -> None:
    """A thread that is joined in each cycle is none too many."""

    def cycle() -> None:
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()

    seen = growing(cycle)

    assert "threads" not in seen


def test_what_is_coarse_sees_less() -> None:
    """With a coarseness, only a leak so many times the smallest is told."""
    kept: list[bytes] = []

    seen = growing(lambda: kept.append(bytes(200)), Plan(pace=Pace.OPENS, coarseness=8))

    assert "Python memory" not in seen


def test_a_session_that_only_the_collector_frees_is_kept_without_it() -> None:
    """With the collector off it counts as alive, and with it on it does not."""
    alive = Alive()
    under_test = UnderTest(binding=WatchedBinding(ScriptedBinding(), alive))

    def cycle() -> None:
        loop: list[Any] = [under_test.open(b"")]
        loop.append(loop)

    handles = [meter for meter in meters(alive) if meter.name == "live sessions"]

    (collected,) = series(cycle, handles)
    (uncollected,) = series(cycle, handles, Plan(pace=Pace.OPENS, collects=False))
    gc.collect()

    assert not _grows(collected)
    assert uncollected.per_cycle == 1
    assert gc.isenabled()


def test_flat_readings_end_early() -> None:
    """Where every meter is clear, half of the windows are enough."""
    read = meters(Alive())

    found = series(int, read)

    assert all(len(one.levels) - 1 < MOST_WINDOWS for one in found)


def test_without_the_collector_python_is_not_metered() -> None:
    """Its free lists fill up then, which is no leak of a build."""
    left = not_of_python(meters(Alive()))

    kinds = {meter.kind for meter in left}

    assert Kind.PYTHON not in kinds
    assert {"descriptors", "threads", "live sessions"} <= {meter.name for meter in left}
