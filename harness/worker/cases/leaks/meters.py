"""Readings for leak checks: what this process holds, by kind, and the smallest leak each tells."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
import time
import tracemalloc
import weakref
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.worker.bindings.wrapped import WrappedBinding
from harness.worker.cases.leaks.device_memory import device_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from harness.worker.bindings import Binding, Session

PAGE = os.sysconf("SC_PAGE_SIZE")
SETTLING_S = 0.01
MOST_SETTLINGS = 30
"""For how long a count of threads that went up is given to come down again."""


class Kind(Enum):
    """What can be asked of a meter that grew: who allocated it."""

    PYTHON = auto()
    NATIVE = auto()
    COUNT = auto()


@dataclass(frozen=True, kw_only=True)
class Meter:
    """One kind of thing that a leak makes grow."""

    name: str
    unit: str
    """What stands behind a number of it: `` bytes``, or nothing where the name says it all."""
    kind: Kind
    smallest_per_open: float
    """The smallest leak that is told where each cycle opens a session, in units a cycle."""
    smallest_per_run: float
    """The same where each cycle runs a session that stays open."""
    read: Callable[[], int]


class Alive:
    """The sessions and the backends of a case that something still holds."""

    def __init__(self) -> None:
        self.sessions: weakref.WeakSet[Any] = weakref.WeakSet()
        self.backends: weakref.WeakSet[Any] = weakref.WeakSet()


class WatchedBinding(WrappedBinding):
    """A binding whose every session is known to be alive or gone."""

    def __init__(self, binding: Binding, alive: Alive) -> None:
        super().__init__(binding)
        self._alive = alive

    def made(self, session: Session) -> Session:
        """Return the session, remembered but not held."""
        self._alive.sessions.add(session)
        return session


def meters(alive: Alive) -> tuple[Meter, ...]:
    """Return the meters that there are on this host."""
    return (
        *_python(),
        *_memory(),
        _counting("descriptors", lambda: _entries("/proc/self/fd")),
        _counting("threads", _Threads().read),
        _counting("live sessions", lambda: len(alive.sessions)),
        _counting("live backends", lambda: len(alive.backends)),
    )


def not_of_python(some: Iterable[Meter]) -> tuple[Meter, ...]:
    """Return the meters that mean something while the garbage collector is off.

    Python's own grow then: its free lists, which a collection empties, fill up.
    """
    return tuple(meter for meter in some if meter.kind is not Kind.PYTHON)


def settle(*, collects: bool) -> None:
    """Give back what is free: unreachable objects (if `collects`), and memory to the system.

    CPython's cache of attributes keeps up to 4,096 names that C code looked up, each a new object.
    """
    _CLEAR_CACHES()
    if collects:
        gc.collect()
    if trim := getattr(_LIBC, "malloc_trim", None):
        trim(ctypes.c_size_t(0))


def _counting(name: str, read: Callable[[], int]) -> Meter:
    """Return a meter of things that can be counted, of which one in ten cycles is told."""
    return Meter(
        name=name, unit="", kind=Kind.COUNT, smallest_per_open=0.1, smallest_per_run=0.1, read=read
    )


def _python() -> Iterator[Meter]:
    yield Meter(
        name="Python memory",
        unit=" bytes",
        kind=Kind.PYTHON,
        smallest_per_open=128,
        smallest_per_run=64,
        read=lambda: tracemalloc.get_traced_memory()[0],
    )
    yield Meter(
        name="Python memory blocks",
        unit="",
        kind=Kind.PYTHON,
        smallest_per_open=2,
        smallest_per_run=0.75,
        read=sys.getallocatedblocks,
    )


def _memory() -> Iterator[Meter]:
    if native := _native_heap():
        yield Meter(
            name="native heap",
            unit=" bytes",
            kind=Kind.NATIVE,
            smallest_per_open=512,
            smallest_per_run=64,
            read=native,
        )
    yield Meter(
        name="resident memory",
        unit=" bytes",
        kind=Kind.NATIVE,
        smallest_per_open=49152,
        smallest_per_run=1024,
        read=lambda: int(Path("/proc/self/statm").read_bytes().split()[1]) * PAGE,
    )
    if on_device := device_memory():
        yield Meter(
            name="device memory",
            unit=" bytes",
            kind=Kind.COUNT,
            smallest_per_open=65536,
            smallest_per_run=4096,
            read=on_device,
        )


def _entries(folder: str) -> int:
    return sum(1 for _ in Path(folder).iterdir())


class _Threads:
    """How many threads there are; one that was joined leaves /proc only a little later."""

    def __init__(self) -> None:
        self._before = 0

    def read(self) -> int:
        for _ in range(MOST_SETTLINGS):
            if _entries("/proc/self/task") <= self._before:
                break
            time.sleep(SETTLING_S)
        self._before = _entries("/proc/self/task")
        return self._before


class _Mallinfo2(ctypes.Structure):
    """glibc's struct mallinfo2: https://man7.org/linux/man-pages/man3/mallinfo.3.html."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            "arena",
            "ordblks",
            "smblks",
            "hblks",
            "hblkhd",
            "usmblks",
            "fsmblks",
            "uordblks",
            "fordblks",
            "keepcost",
        )
    )


_LIBC = ctypes.CDLL(None)

_CLEAR_CACHES: Callable[[], None] = getattr(
    sys, "_clear_internal_caches" if sys.version_info >= (3, 13) else "_clear_type_cache"
)


def _native_heap() -> Callable[[], int] | None:
    """Return what reads the bytes in use of malloc's heaps and maps; None before glibc 2.33.

    Exact to the byte, for every library that allocates with malloc or operator new; what a library
    maps by itself is in the resident memory only.
    """
    mallinfo = getattr(_LIBC, "mallinfo2", None)
    if mallinfo is None:
        return None
    mallinfo.restype = _Mallinfo2

    def read() -> int:
        found = mallinfo()
        return int(found.uordblks + found.hblkhd)

    return read
