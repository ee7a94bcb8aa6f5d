"""The onnx suite on the cpu variant against the usual way of running it, and against bare ORT.

The usual way is onnx.backend.test.BackendTest on onnxruntime.backend under pytest: the same cases
on the same build, in one process. Bare ORT is a loop over the packed cases that creates each
session, runs it and compares nothing. All environments are warm; the three take turns, and what is
quoted is the median and the ratio within this run.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import uv

from harness.controller.staging import staged_worker
from harness.corpus.onnx_suite import SUITE_VERSION, onnx_cases
from harness.environments.interpreter import cache_root, ensure
from harness.matrix import read_matrix

ROOT = Path(__file__).parents[1]
ROUNDS = 3
USUAL_WAY = """\
import onnx.backend.test
import onnxruntime.backend

globals().update(onnx.backend.test.BackendTest(onnxruntime.backend, __name__).test_cases)
"""
BARE_LOOP = """\
import json, sys, time
import onnxruntime as ort
from harness.wire.values import ModelCase
from harness.worker.tensors import PackedTensor, load, read_blob

ort.set_default_logger_severity(4)
index = json.load(open(sys.argv[1]))["cases"]
spent = 0.0
for _, _, arguments in index:
    case = ModelCase.from_json(arguments)
    model = read_blob(case.model)
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    inputs = [load(value, case.data) for value in case.data_sets[0].inputs]
    began = time.perf_counter()
    try:
        session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        if not any(isinstance(value, PackedTensor) for value in inputs):
            session.run(None, dict(zip([i.name for i in session.get_inputs()], inputs)))
        del session
    except Exception:
        pass
    spent += time.perf_counter() - began
print(spent)
"""


def main() -> None:
    """Measure and print."""
    cell = read_matrix(ROOT / "matrix.toml").cell("cpu")
    cache = cache_root()
    cell_python = str(ensure(cell).python)
    data = Path(onnx_cases(cache)[0].arguments["data"])
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        usual_python = _usual_environment(folder, cell.build.requirements)
        (folder / "test_usual.py").write_text(USUAL_WAY)
        usual = [usual_python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_usual.py"]
        conformance = str(ROOT / "tests" / "conformance" / "test_onnx.py")
        options = ["--cell", "cpu", "--runs", str(folder / "runs"), "-p", "no:cacheprovider"]
        options += ["-p", "no:hypothesispytest"]  # as the nox session does
        ours = [sys.executable, "-m", "pytest", "-q", conformance, "-c", "pyproject.toml", *options]
        bare = [cell_python, "-c", BARE_LOOP, str(data.with_name("cases.json"))]
        timings: dict[str, list[float]] = {"usual": [], "ours": [], "bare ORT": []}
        for turn in range(ROUNDS + 1):
            seconds = {
                "usual": _timed(usual, folder, ONNX_HOME=str(folder / "home")),
                "ours": _timed(ours, ROOT),
                "bare ORT": _printed(bare, folder, PYTHONPATH=str(staged_worker(cache))),
            }
            for name, value in seconds.items():
                if turn:  # the first turn warms up
                    timings[name].append(value)
    _tell(timings)


def _usual_environment(folder: Path, requirements: tuple[str, ...]) -> str:
    environment = folder / "usual"
    python = environment / "bin" / "python"
    binary = uv.find_uv_bin()
    made = [binary, "venv", "-q", "--python", sys.executable, str(environment)]
    install = [binary, "pip", "install", "-q", "--python", str(python), *requirements]
    subprocess.run(made, check=True)
    subprocess.run([*install, f"onnx=={SUITE_VERSION}", "pytest"], check=True)
    return str(python)


def _timed(command: list[str], folder: Path, **environment: str) -> float:
    began = time.perf_counter()
    _run(command, folder, environment)
    return time.perf_counter() - began


def _printed(command: list[str], folder: Path, **environment: str) -> float:
    return float(_run(command, folder, environment).split()[-1])


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    settings = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    finished = subprocess.run(
        command,
        cwd=folder,
        env=settings | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    # The usual way ends in 1, because cases fail; whatever else is not what is to be measured.
    if finished.returncode not in (0, 1) or "error" in finished.stderr:
        raise SystemExit(f"{command}: {finished.returncode}\n{finished.stdout}{finished.stderr}")
    return finished.stdout


def _tell(timings: dict[str, list[float]]) -> None:
    medians = {name: statistics.median(values) for name, values in timings.items()}
    for name, values in timings.items():
        spread = f"{min(values):.2f} to {max(values):.2f}"
        print(f"{name:>9}: median {medians[name]:6.2f} s ({spread}, {len(values)} rounds)")
    print(f"ours / usual: 1/{medians['usual'] / medians['ours']:.1f}")
    print(f"ours / bare ORT: {medians['ours'] / medians['bare ORT']:.2f}")


if __name__ == "__main__":
    main()
