"""How much memory something took at its most, as Linux counts it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Self

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")

_RESET_PEAK = "5"
"""Source: https://man7.org/linux/man-pages/man5/proc_pid_clear_refs.5.html"""


class PeakMemory:
    """The highest resident memory since it was entered, beyond what there was then."""

    def __enter__(self) -> Self:
        with contextlib.suppress(OSError):  # not Linux: then nothing is seen to grow
            _CLEAR.write_text(_RESET_PEAK)
        self._before = _kib("VmRSS")
        return self

    def __exit__(self, *_: object) -> None:
        self.grown_mib = max(0, _kib("VmHWM") - self._before) // 1024
        """By how much it grew until now."""


def _kib(name: str) -> int:
    with contextlib.suppress(OSError), _STATUS.open() as lines:
        for line in lines:
            if line.startswith(name):
                return int(line.split()[1])
    return 0
