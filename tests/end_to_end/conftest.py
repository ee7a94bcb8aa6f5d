"""A copy of the project that a test may spoil, and the real command line on the cpu variant."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
PATIENCE_S = 300
"""Longer than anything here takes on a busy machine: only a hang gets there."""


@dataclass(frozen=True, kw_only=True)
class Project:
    """A folder with the files that a run reads, and what the commands of a user print there."""

    folder: Path

    def pytest(self, *options: str) -> subprocess.CompletedProcess[str]:
        """Return the finished conformance run."""
        return self._finished("pytest", "tests/conformance", "-p", "no:cacheprovider", *options)

    def ort_matrix(self, *options: str) -> subprocess.CompletedProcess[str]:
        """Return the finished command."""
        return self._finished("harness", *options)

    def start_pytest(self, *options: str) -> subprocess.Popen[str]:
        """Return a conformance run that has just been started."""
        return self._started("pytest", "tests/conformance", *options)

    def start_ort_matrix(self, *options: str) -> subprocess.Popen[str]:
        """Return a command that has just been started."""
        return self._started("harness", *options)

    def lines(self) -> list[str]:
        """Return every line written so far to its runs."""
        parts = self.folder.glob("runs/*/*.jsonl")
        return [line for part in parts for line in part.read_text().splitlines()]

    def baseline(self, text: str) -> None:
        """Replace what is known of the cpu variant."""
        self.folder.joinpath("fixtures", "baselines", "cpu.toml").write_text(text)

    def _started(self, module: str, *options: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", module, *options],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            # Whoever runs these tests in the background of a shell has Ctrl-C ignored, and so
            # would every child.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
        )

    def _finished(self, module: str, *options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", module, *options],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return a copy of the project without its parts that no run reads."""
    folder = tmp_path / "project"
    folder.mkdir()
    for name in ("pyproject.toml", "matrix.toml"):
        shutil.copy(ROOT / name, folder)
    parts = ("baselines", "golden", "known", "regressions")
    for name in ("tests/conformance", "models", *(f"fixtures/{part}" for part in parts)):
        shutil.copytree(ROOT / name, folder / name)
    return Project(folder=folder)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Return a corpus of one case each that passes, is wrong, knows no answer and kills."""
    folder = tmp_path / "mine"
    one, two = np.array([1, 2], np.int32), np.array([3, 4], np.int32)
    write_case(folder / "a_right", "Add", [one, two], one + two)
    write_case(folder / "b_wrong", "Add", [one, two], one - two)
    write_case(folder / "c_unknown", "Add", [one, two], None)
    smallest = np.array([np.iinfo(np.int32).min], np.int32)
    # Kills every release up to 1.32.0 with SIGFPE.
    write_case(folder / "d_deadly", "Div", [smallest, np.array([-1], np.int32)], None)
    write_case(folder / "e_right", "Mul", [one, two], one * two)
    return folder


def write_case(
    folder: Path, operator: str, inputs: list[np.ndarray], output: np.ndarray | None
) -> None:
    """Write a case of one node over int32 vectors in the ONNX test-data layout."""
    names = [f"x{index}" for index in range(len(inputs))]
    graph = helper.make_graph(
        [helper.make_node(operator, names, ["y"])],
        "g",
        [helper.make_tensor_value_info(name, TensorProto.INT32, ["n"]) for name in names],
        [helper.make_tensor_value_info("y", TensorProto.INT32, ["n"])],
    )
    data = folder / "test_data_set_0"
    data.mkdir(parents=True)
    opset = helper.make_opsetid("", 17)
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=8), folder / "model.onnx")
    for index, array in enumerate(inputs):
        data.joinpath(f"input_{index}.pb").write_bytes(_bytes(array))
    if output is not None:
        data.joinpath("output_0.pb").write_bytes(_bytes(output))


def _bytes(array: np.ndarray) -> bytes:
    return numpy_helper.from_array(array).SerializeToString()


def until(true: Callable[[], bool]) -> None:
    """Wait for a condition, at most as long as only a hang takes."""
    ends = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.05)


def kill_session(process: subprocess.Popen[str]) -> None:
    """End a process that a test has started, with its group."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=PATIENCE_S)
