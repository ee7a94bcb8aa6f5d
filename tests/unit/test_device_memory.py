"""A process's device memory is what the driver says of it, and nothing is said without a driver."""

from __future__ import annotations

import ctypes
import os
from typing import TYPE_CHECKING, Any

from harness.worker.cases.leaks import device_memory

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


class Nvml:
    """A driver that lists this process and another one, with 4096 bytes each."""

    def nvmlInit_v2(self) -> int:  # noqa: N802 - NVML's name
        """Succeed."""
        return 0

    def nvmlDeviceGetHandleByIndex_v2(self, index: int, _handle: Any) -> int:  # noqa: N802
        """Know one device."""
        return index

    def nvmlDeviceGetComputeRunningProcesses_v3(  # noqa: N802
        self, _handle: Any, count: Any, listed: Any
    ) -> int:
        """List two processes."""
        count._obj.value = 2
        listed[0].pid, listed[0].bytes = os.getpid(), 4096
        listed[1].pid, listed[1].bytes = os.getpid() + 1, 4096
        return 0


def test_nvidia_counts_this_process_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What another process holds does not move the reading."""
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: Nvml())

    read = device_memory.device_memory()

    assert read is not None
    assert read() == 4096


def test_amd_adds_up_the_devices_of_this_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each device has a file in the process's folder."""
    monkeypatch.setattr(device_memory, "NVML", "no-such-library.so")
    monkeypatch.setattr(device_memory, "KFD", tmp_path)
    mine = tmp_path / str(os.getpid())
    mine.mkdir()
    (mine / "vram_1").write_text("100\n", "utf-8")
    (mine / "vram_2").write_text("20\n", "utf-8")

    read = device_memory.device_memory()

    assert read is not None
    assert read() == 120


def test_no_driver_means_no_meter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The meter is then left out instead of reading nothing."""
    monkeypatch.setattr(device_memory, "NVML", "no-such-library.so")
    monkeypatch.setattr(device_memory, "KFD", tmp_path / "none")

    read = device_memory.device_memory()

    assert read is None
