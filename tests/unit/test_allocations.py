"""What grows is traced back to the line that allocated it, or it is said why not."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.worker.cases.leaks import allocations

if TYPE_CHECKING:
    import pytest


@dataclass
class Record:
    """An allocation as memray tells it."""

    size: int
    n_allocations: int
    native: list[tuple[str, str, int]] = field(default_factory=list)
    python: list[tuple[str, str, int]] = field(default_factory=list)

    def native_stack_trace(self) -> list[tuple[str, str, int]]:
        """Return the native frames, innermost first."""
        return self.native

    def stack_trace(self) -> list[tuple[str, str, int]]:
        """Return the frames of Python, innermost first."""
        return self.python


def test_the_growing_line_is_named() -> None:
    """The line that keeps objects comes first, with its bytes a cycle."""
    kept: list[bytes] = []

    found = allocations.growing_lines(lambda: kept.append(bytes(967)), 50)

    assert re.fullmatch(
        r"tests/unit/test_allocations.py:\d+: 1,0\d\d[.\d]* bytes a cycle", found[0]
    )


def test_without_memray_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """A build's environment need not have it."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)

    (said,) = allocations.native_allocations(lambda: None, 1)

    assert "not installed" in said


def test_only_what_every_cycle_left_is_named() -> None:
    """A single allocation is a cache; of a leak the frames with a name are told."""
    unknown = ("<unknown>", "<unknown>", 0)
    leak = Record(
        size=20480,
        n_allocations=20,
        native=[("malloc", "malloc.c", 1), unknown, ("Ort::Keep(int)", "/ort/core/keep.cc", 7)],
        python=[("run", "/lib/onnxruntime/capi/session.py", 220)],
    )
    cache = Record(size=99999, n_allocations=1)

    found = allocations._named([cache, leak], 20)

    native, python = "Ort::Keep(int) (ort/core/keep.cc:7)", "run (onnxruntime/capi/session.py:220)"
    assert found == [f"1,024 bytes a cycle: {native} from {python}"]


def test_a_library_without_symbols_is_called_so() -> None:
    """Where no frame has a name, that is said in place of one."""
    bare = Record(size=20, n_allocations=20, native=[("<unknown>", "<unknown>", 0)])

    found = allocations._named([bare], 20)

    assert found == ["1 bytes a cycle: a library without symbols from no line of Python"]
