"""Fresh memory that looks different for a while: what a build never set then shows."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MALLOPT_PERTURB = -6
"""M_PERTURB. Source: https://man7.org/linux/man-pages/man3/mallopt.3.html"""

OTHER_GARBAGE = 60
"""Unlike what the controller sets for either of its two sets of workers."""


@contextlib.contextmanager
def other_garbage() -> Iterator[None]:
    """Have memory that is allocated inside look different, where the host's C library can."""
    mallopt = _mallopt()
    usual = os.environ.get("MALLOC_PERTURB_", "0")
    if mallopt is not None:
        mallopt(MALLOPT_PERTURB, OTHER_GARBAGE)
    try:
        yield
    finally:
        if mallopt is not None:
            mallopt(MALLOPT_PERTURB, int(usual))


@functools.cache
def _mallopt() -> Callable[[int, int], int] | None:
    return getattr(ctypes.CDLL(None), "mallopt", None)
