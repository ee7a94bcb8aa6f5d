"""From a red case to the release and the axis, on released builds."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.end_to_end.conftest import kill_session

if TYPE_CHECKING:
    from pathlib import Path

    from tests.end_to_end.conftest import Project

POOL = "regressions/average_pool_counts_padding"
BETWEEN = ("--variant", "cpu", "--good", "1.20.1", "--bad", "1.21.1")


def test_bisect_names_the_first_bad_release(project: Project) -> None:
    """AveragePool counts padding wrongly since 1.21.0, told by outcome with three releases."""
    done = project.ort_matrix("bisect", POOL, *BETWEEN, "--json")

    found = json.loads(done.stdout)
    (change,) = found["changes"]
    assert (change["turn"], change["before"], change["after"]) == ("BROKE", "1.20.1", "1.21.0")
    assert (change["was"], change["now"]) == ("PASS", "FAIL")
    assert found["asked"] == found["releases"] == 3
    assert "1.21.0" in done.stderr
    assert done.returncode == 0


def test_bisect_tells_each_release_as_it_comes(project: Project) -> None:
    """By values the same change is seen, a line per release with the digest and the error."""
    done = project.ort_matrix("bisect", POOL, *BETWEEN, "--by", "values")

    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["1.20.1", "1.21.1", "1.21.0"]
    assert "largest error 0.5" in lines[1]
    assert any(line.startswith("first bad 1.21.0, last good 1.20.1: values") for line in lines)
    assert lines[-1] == "asked 3 of 3 releases (2 of them twice)"
    assert done.returncode == 0


def test_attribute_names_the_optimiser(project: Project, tmp_path: Path) -> None:
    """A fusion that loses an overflow is found by halving all optimisers, and nothing else."""
    folder = tmp_path / "overflowing"
    write_overflow(folder / "conv")

    done = project.ort_matrix(
        "attribute", "overflowing/conv", "--cell", "cpu", "--corpus", str(folder), "--json"
    )

    found = json.loads(done.stdout)
    assert found["decides"] == ["graph optimisation", "optimiser"]
    assert found["begins_at"] == "basic"
    (optimiser,) = [one for one in found["tried"] if one["axis"] == "optimiser"]
    assert optimiser["value"] == "without ConvMulFusion"
    assert {one["effect"] for one in found["tried"] if one["axis"] == "numpy"} == {"NOTHING"}
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("command", "first"),
    [
        (("bisect", "--variant", "cpu", "--good", "1.20.1", "--bad", "1.21.1"), "1.20.1"),
        (("attribute", "--cell", "cpu-1.20.1"), "mine/d_deadly"),
    ],
)
def test_what_was_killed_goes_on(
    project: Project, corpus: Path, command: tuple[str, ...], first: str
) -> None:
    """After kill -9 the answers are taken that were there; once it is finished none are kept."""
    asked = (*command, "mine/d_deadly", "--corpus", str(corpus))
    killed = project.start_ort_matrix(*asked)
    assert killed.stdout is not None
    while not killed.stdout.readline().startswith(first):
        pass
    kill_session(killed)

    done = project.ort_matrix(*asked)
    again = project.ort_matrix(*asked)

    assert "answers of one that was interrupted" in done.stderr
    assert "interrupted" not in again.stderr
    assert without_seconds(done.stdout) == without_seconds(again.stdout)
    assert done.returncode == again.returncode == 0


def without_seconds(text: str) -> str:
    """Return what a command printed but for how long things took."""
    return re.sub(r" +\d+\.\d s ", " ", text)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("bisect", POOL), "--variant is missing"),
        (("bisect", "--variant", "cpu", "--good", "1.20.1", "--bad", "1.21.0"), "CASE is missing"),
        (("bisect", POOL, "--variant", "cpu", "--bad", "1.24.9"), "no release 1.24.9 is served"),
        (("bisect", POOL, "--variant", "cup"), "Did you mean 'cpu'?"),
        (("bisect", POOL, "--across", "builds", "--good", "1.24.4"), "--good: says nothing"),
        (("attribute", POOL, "--cell", "cpu"), "it passes: there is nothing to attribute"),
    ],
)
def test_a_mistake_is_told_in_one_line(
    project: Project, arguments: tuple[str, ...], said: str
) -> None:
    """It names the argument and what would be right, and ends in exit code 2."""
    done = project.ort_matrix(*arguments)

    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == 2


def write_overflow(folder: Path) -> None:
    """Write a case whose product overflows in between, unless a fusion computes it otherwise."""
    large = np.full((1, 1, 1, 1), 1e30, np.float32)
    small = np.full((1, 1, 1), 1e-30, np.float32)
    slot = [1, 1, 1, 1]
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["c"]), helper.make_node("Mul", ["c", "s"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, slot)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, slot)],
        [numpy_helper.from_array(large, "w"), numpy_helper.from_array(small, "s")],
    )
    data = folder / "test_data_set_0"
    data.mkdir(parents=True)
    opset = helper.make_opsetid("", 17)
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=8), folder / "model.onnx")
    overflow = np.full((1, 1, 1, 1), np.inf, np.float32)
    for name, array in (("input_0", large), ("output_0", overflow)):
        data.joinpath(f"{name}.pb").write_bytes(numpy_helper.from_array(array).SerializeToString())
