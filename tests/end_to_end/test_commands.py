"""The command line as a user meets it, mistakes included."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.end_to_end.conftest import Project


def test_matrix_lists_cells_with_why_one_is_not_runnable(project: Project) -> None:
    """`matrix --json` lists every variant's cells with the reason where one cannot run here."""
    done = project.ort_matrix("matrix", "--json")

    cells = json.loads(done.stdout)["cells"]
    assert {cell["variant"] for cell in cells} == {"cpu", "cuda", "openvino", "rocm", "migraphx"}
    assert any(cell["variant"] == "cpu" and cell["not_runnable"] is None for cell in cells)
    assert done.returncode == 0


def test_probe_shows_what_a_build_offers(project: Project) -> None:
    """`probe` shows the release, its owner, the providers and the opset range."""
    done = project.ort_matrix("probe", "cpu", "--json")

    found = json.loads(done.stdout)
    assert found["hello"]["distributions"] == ["onnxruntime==1.32.0"]
    assert "CPUExecutionProvider" in found["providers"]
    assert found["highest_opset"]["ai.onnx"] >= 26
    assert done.returncode == 0


def test_case_shows_its_evidence(project: Project, corpus: Path) -> None:
    """`case` shows the largest error and the tolerance that would have passed."""
    where = ("--cell", "cpu", "--corpus", str(corpus))

    done = project.ort_matrix("case", "mine/b_wrong", *where)

    assert done.returncode == 1
    assert "largest error 8 at [1]" in done.stdout
    assert "would have passed with rtol" in done.stdout
    assert "verdict: UNEXPECTED_FAILURE" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("probe", "cup"), 2, "'cup': unknown variant 'cup'. Did you mean 'cpu'?"),
        (("probe", "cpu-1.2.3"), 2, "too old"),
        (("probe", "cpu-9.9.9"), 4, "9.9.9"),
        (("case", "onnx/node/test_abz", "--cell", "cpu"), 3, "Did you mean onnx/node/test_abs"),
        (("case", "onyx/node/test_abs", "--cell", "cpu"), 2, "no suite is called 'onyx'"),
        (("report", "nope"), 2, "no run 'nope'"),
        (("--matrix", "nope.toml", "matrix"), 2, "nope.toml: cannot be read"),
        (("wheelhouse", "cpu-0", "--to", "w"), 2, "cpu-0"),
    ],
)
def test_a_mistake_gets_one_line_and_an_exit_code(
    project: Project, arguments: tuple[str, ...], code: int, said: str
) -> None:
    """A wrong argument is told in words with the nearest right thing, without a traceback."""
    done = project.ort_matrix(*arguments)

    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert done.stderr.startswith("ort-matrix: ")
    assert "Traceback" not in done.stderr


def test_a_corrupt_matrix_is_told_with_its_place(project: Project) -> None:
    """A matrix.toml that is no TOML is told with file and line."""
    matrix = project.folder / "matrix.toml"
    matrix.write_text(matrix.read_text() + "\n[variant.cpu\n")

    done = project.ort_matrix("matrix")

    assert done.returncode == 2
    assert "matrix.toml: is not TOML" in done.stderr
    assert "line" in done.stderr


def test_a_damaged_run_is_read_as_far_as_it_goes(project: Project) -> None:
    """A truncated last line is told and the rest of the run is shown."""
    project.pytest("--cell", "cpu", "--case", "onnx/node/test_abs")
    (part,) = project.folder.glob("runs/*/*.jsonl")
    part.write_bytes(part.read_bytes()[:-30])

    done = project.ort_matrix("report")

    assert done.returncode == 0
    assert "damaged line" in done.stdout
    assert "incomplete" in done.stdout
    assert "cpu-1.32.0" in done.stdout
