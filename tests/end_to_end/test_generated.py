"""Generated cases on real builds: swept, fuzzed, asked one by one, and kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harness.results import CellState
from harness.store.run import read_run

if TYPE_CHECKING:
    from tests.end_to_end.conftest import Project

FEW = ("--ops", "Add", "Relu", "--cases", "40")


def test_a_build_compared_with_itself_shows_nothing(project: Project) -> None:
    """The same build twice has no change point, and the run that is kept has each operator."""
    done = project.ort_matrix("sweep", "--against", "cpu", *FEW, "--json")

    found = json.loads(done.stdout)
    run = read_run(project.folder / "runs", found["run"])
    assert done.returncode == 0, done.stderr
    assert found["points"] == []
    assert found["cases"] == 40
    assert {case for _, case in run.results} == {"generated/Add", "generated/Relu"}
    assert [cell.state for cell in run.cells.values()] == [CellState.READY]
    assert run.complete


def test_a_night_shows_again_what_its_seed_shows(project: Project) -> None:
    """The seed that a night tells makes the same cases again; each is a case of its own."""
    first = project.ort_matrix("fuzz", "--cell", "cpu", *FEW, "--json")
    seed = json.loads(first.stdout)["seed"]

    again = project.ort_matrix("fuzz", "--cell", "cpu", *FEW, "--json", "--seed", str(seed))
    one = project.ort_matrix("case", "generated/1:Add:13:5:2", "--cell", "cpu", "--json")

    assert f"seed {seed}" in first.stderr
    assert json.loads(again.stdout) == json.loads(first.stdout)
    assert json.loads(one.stdout)["outcome"] == "PASS"


def test_what_a_build_accepts_is_counted_and_kept_as_files(project: Project) -> None:
    """The counts are of the cases that are drawn, and each is a folder in the ONNX layout."""
    written = project.folder / "cases"
    wanted = ("generate", "Add", "Softmax", "--cases", "30", "--to", str(written))

    done = project.ort_matrix(*wanted, "--coverage", "cpu", "--json")

    found = json.loads(done.stdout)
    by_name = {one["operator"]: one for one in found["coverage"]["operators"]}
    assert done.returncode == 0, done.stderr
    assert set(by_name) == {"Add", "Softmax"}
    assert all(0 < one["accepted"] <= one["kinds"]["valid"] for one in by_name.values())
    assert by_name["Softmax"]["values"]["axis"] > 1
    assert len(list(written.glob("*/model.onnx"))) == len(found["cases"]) == 30


def test_mistakes_are_told_in_one_line(project: Project) -> None:
    """What names no operator, no case and no range is said with what would be right."""
    mistakes = {
        ("fuzz", "--cell", "cpu", "--ops", "Ad"): "no cases are drawn of 'Ad'. Did you mean",
        ("case", "generated/Add", "--cell", "cpu"): "wanted VERSION:OPERATOR:OPSET:SEED:INDEX",
        ("sweep", "--releases", "1.31..1.30"): "1.31 is newer than 1.30",
        ("sweep", "--against", "cpu", "--every-release"): "give no releases with it",
    }

    said = {command: project.ort_matrix(*command) for command in mistakes}

    for command, text in mistakes.items():
        assert said[command].returncode == 2
        assert text in said[command].stderr
        assert said[command].stderr.count("\n") == 1
