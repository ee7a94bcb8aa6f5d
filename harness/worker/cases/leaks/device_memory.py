"""How many bytes of device memory this process holds, asked of the driver and not of the build."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

NVML = "libnvidia-ml.so.1"
MOST_PROCESSES = 1024
KFD = Path("/sys/class/kfd/kfd/proc")


class _Process(ctypes.Structure):
    """NVML's nvmlProcessInfo_t, versions 2 and 3 of the call.

    Source: https://docs.nvidia.com/deploy/nvml-api/structnvmlProcessInfo__t.html
    """

    _fields_ = (
        ("pid", ctypes.c_uint),
        ("bytes", ctypes.c_ulonglong),
        ("gpu_instance", ctypes.c_uint),
        ("compute_instance", ctypes.c_uint),
    )


def device_memory() -> Callable[[], int] | None:
    """Return what reads this process's device memory in bytes, or None where no driver tells."""
    return _nvidia() or _amd()


def _nvidia() -> Callable[[], int] | None:
    try:
        nvml = ctypes.CDLL(NVML)
        handle = ctypes.c_void_p()
        if nvml.nvmlInit_v2() or nvml.nvmlDeviceGetHandleByIndex_v2(0, ctypes.byref(handle)):
            return None
        ask = nvml.nvmlDeviceGetComputeRunningProcesses_v3
    except (OSError, AttributeError):
        return None
    listed = (_Process * MOST_PROCESSES)()
    me = os.getpid()

    def read() -> int:
        count = ctypes.c_uint(MOST_PROCESSES)
        if ask(handle, ctypes.byref(count), listed):
            return 0
        return sum(one.bytes for one in listed[: count.value] if one.pid == me)

    return read


def _amd() -> Callable[[], int] | None:
    """Source: https://www.kernel.org/doc/Documentation/ABI/testing/sysfs-class-kfd."""
    mine = KFD / str(os.getpid())
    if not KFD.is_dir():
        return None
    return lambda: sum(int(file.read_text()) for file in mine.glob("vram_*"))
