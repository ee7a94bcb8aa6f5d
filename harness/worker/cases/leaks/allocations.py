"""Where the memory that grows was allocated: asked once a leak is known, in cycles of its own.

This is the only module that uses memray, where the build's environment has it: it finds the native
allocations that were not given back. Source: https://bloomberg.github.io/memray/
"""

from __future__ import annotations

import importlib.util
import tempfile
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.worker.cases.leaks.meters import settle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

MOST_NAMED = 3
MOST_FRAMES = 4
ALLOCATORS = frozenset({"malloc", "calloc", "realloc", "posix_memalign", "aligned_alloc", "mmap"})


def growing_lines(cycle: Callable[[], None], cycles: int) -> list[str]:
    """Return the lines of Python whose objects grew most over some more cycles."""
    tracemalloc.start()
    try:
        settle(collects=True)
        before = tracemalloc.take_snapshot()
        for _ in range(cycles):
            cycle()
        settle(collects=True)
        grown = tracemalloc.take_snapshot().compare_to(before, "lineno")
    finally:
        tracemalloc.stop()
    ours = (tracemalloc.__file__, __file__)
    found = [
        f"{_short(one.traceback[0].filename)}:{one.traceback[0].lineno}: "
        f"{one.size_diff / cycles:,.6g} bytes a cycle"
        for one in sorted(grown, key=lambda one: -one.size_diff)
        if one.size_diff >= cycles and one.traceback[0].filename not in ours
    ]
    return found[:MOST_NAMED]


def native_allocations(cycle: Callable[[], None], cycles: int) -> list[str]:
    """Return the native allocations that some more cycles made and did not give back.

    Each with the innermost native frames that have a name, and the line of Python it came from.
    Where that cannot be told, the only entry says why.
    """
    if importlib.util.find_spec("memray") is None:
        return ["memray is not installed: no native allocation can be named"]
    import memray  # noqa: PLC0415 - it patches the process, which only a proven leak is worth

    with tempfile.TemporaryDirectory(prefix="allocations-") as folder:
        file = Path(folder, "memray.bin")
        try:
            with memray.Tracker(file, native_traces=True):
                for _ in range(cycles):
                    cycle()
            with memray.FileReader(file) as reader:
                left = list(reader.get_leaked_allocation_records(merge_threads=True))
                return _named(left, cycles) or ["memray saw no allocation that stays each cycle"]
        except (OSError, RuntimeError) as error:
            return [f"memray: {error}"]


def _named(left: Iterable[Any], cycles: int) -> list[str]:
    """Return the largest of what was allocated in every cycle and never given back."""
    of_cycles = [one for one in left if one.n_allocations >= cycles // 2]
    of_cycles.sort(key=lambda one: -one.size)
    return [
        f"{one.size / cycles:,.6g} bytes a cycle: "
        f"{_frames(one.native_stack_trace()) or 'a library without symbols'} "
        f"from {_frames(one.stack_trace()) or 'no line of Python'}"
        for one in of_cycles[:MOST_NAMED]
    ]


def _frames(stack: Sequence[tuple[str, str, int]]) -> str:
    """Return the frames innermost first; a library without symbols names none of its own."""
    frames = [
        f"{function} ({_short(file)}:{line})" if line else function
        for function, file, line in stack
        if function not in ALLOCATORS and "<unknown>" not in function
    ]
    return " < ".join(frames[:MOST_FRAMES])


def _short(path: str) -> str:
    """Return the end of a path that tells the module."""
    return "/".join(Path(path).parts[-3:])
