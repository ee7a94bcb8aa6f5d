"""Generated cases on real builds: swept, fuzzed, asked one by one, and kept."""

from __future__ import annotations

import contextlib
import json
import signal
from typing import TYPE_CHECKING

import psutil
import pytest

from harness.results import CellState
from harness.store.run import read_run
from tests.end_to_end.conftest import until

if TYPE_CHECKING:
    import subprocess

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
    found, shown = json.loads(first.stdout), json.loads(again.stdout)
    assert {**shown, "run": found["run"]} == found
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
        ("sweep", "--against", "nope"): "unknown variant 'nope'",
        ("sweep", "--variant", "cpu-1.24.4"): "'cpu-1.24.4' is one build; give 'cpu'",
        ("sweep", "--against", "cpu", *FEW, "--runs", "matrix.toml"): "the run cannot be written",
        ("fuzz", "--cell", "cpu", "--against", "nope"): "unknown variant 'nope'",
    }

    said = {command: project.ort_matrix(*command) for command in mistakes}

    for command, text in mistakes.items():
        assert said[command].returncode == 2
        assert text in said[command].stderr
        assert said[command].stderr.count("\n") == 1


def test_a_night_is_a_run_in_which_what_is_known_is_no_surprise(project: Project) -> None:
    """A disagreement that the list explains is known in the report; without the list it is not."""
    listed = project.folder / "fixtures" / "known" / "cpu.toml"
    night = ("fuzz", "--cell", "cpu", "--ops", "Gather", "Relu", "--cases", "400", "--seed", "7")

    done = project.ort_matrix(*night, "--json")
    known = project.ort_matrix("report", "--json")
    listed.write_text("")
    unknown = project.ort_matrix("report", "--json")
    compared = project.ort_matrix("compare", "latest", "latest")
    history = project.ort_matrix("history", "generated/Gather")

    found = json.loads(done.stdout)
    assert (found["new"], {one["operator"] for one in found["known"]}) == ([], {"Gather"})
    assert verdicts(known.stdout) == {"expected": 1, "known_failure": 1}
    assert verdicts(unknown.stdout) == {"expected": 1, "unexpected_failure": 1}
    assert compared.returncode == history.returncode == 0
    assert "FAIL" in history.stdout


def verdicts(report: str) -> dict[str, int]:
    """Return the verdicts on the generated cases of the one cell of a report."""
    (cell,) = json.loads(report)["cells"]
    found: dict[str, int] = cell["suites"]["generated"]["verdicts"]
    return found


def test_a_sweep_that_has_no_time_says_what_it_left_out(project: Project) -> None:
    """The first few cases go over all builds whatever the limit, and no others."""
    done = project.ort_matrix(
        *("sweep", "--against", "cpu", "--ops", "Add", "--cases", "900", "--json"),
        "--minutes=0.001",
    )

    found = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert found["cases"] == 100
    assert "time is up: 800 of 900 cases are left out" in done.stderr


def test_a_night_that_has_no_time_ends_after_the_first_few(project: Project) -> None:
    """The first round is small, and no second is begun."""
    done = project.ort_matrix(
        *("fuzz", "--cell", "cpu", "--ops", "Add", "--json", "--seed", "3"), "--minutes=0.001"
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["cases"] == 100


SWEEP = (
    *("sweep", "--every-release", "--releases", "1.20.1..1.21.1"),
    *("--ops", "Add", "Relu", "--cases", "6000"),
)
"""Three builds, on each of which it takes seconds."""


@pytest.mark.parametrize("name", ["SIGKILL", "SIGINT"])
def test_an_interrupted_sweep_keeps_what_was_finished(project: Project, name: str) -> None:
    """After kill -9 or Ctrl-C the builds that were done are in the run, and no worker is left."""
    process = project.start_ort_matrix(*SWEEP)
    until(lambda: len([line for line in project.lines() if '"record":"case"' in line]) == 2)
    workers = workers_of(process)

    process.send_signal(signal.Signals[name])
    output, _ = process.communicate(timeout=300)

    run = read_run(project.folder / "runs")
    assert process.returncode == {"SIGKILL": -9, "SIGINT": 130}[name], output
    assert "Traceback" not in output
    psutil.wait_procs(workers, timeout=60)
    assert not [worker for worker in workers if worker.is_running()]
    assert [cell for cell, _ in run.results] == [next(iter(run.cells))] * 2
    assert not run.complete
    assert "incomplete" in project.ort_matrix("report").stdout


def test_a_killed_worker_costs_the_sweep_nothing(project: Project) -> None:
    """What a worker carried out when a stranger killed it is asked again, and has its outcome."""
    process = project.start_ort_matrix(*SWEEP, "--json")
    worker = busy_worker_of(process)

    worker.kill()
    output, _ = process.communicate(timeout=300)

    run = read_run(project.folder / "runs")
    assert process.returncode in (0, 1), output
    assert run.complete
    assert {name: len(run.cells) for name in run.selected} == dict.fromkeys(run.selected, 3)
    counts = [one.evidence.answer["cases"] for one in run.results.values()]
    assert sum(counts) == 3 * 6000


def workers_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Return the processes that a command has started, and what these have started."""
    return psutil.Process(process.pid).children(recursive=True)


def busy_worker_of(process: subprocess.Popen[str]) -> psutil.Process:
    """Wait for a worker of which a copy is carrying out cases, and return it."""
    while process.poll() is None:
        with contextlib.suppress(psutil.Error):  # one that has just ended
            for one in psutil.Process(process.pid).children():
                if one.children() and "harness.worker" in one.cmdline():
                    return one
    pytest.fail("no worker was ever busy")


BROKEN = """
[variant.broken]
distribution = "onnxruntime"
release = "1.32.0"
device = "CPU"
pythons = ["3.11", "3.12", "3.13", "3.14"]
platforms = ["linux-x86_64", "linux-aarch64"]
environment = { PYTHONHOME = "/nowhere" }
"""


def test_a_sweep_without_one_of_its_builds_says_so(project: Project) -> None:
    """A build that cannot be used is passed over, and the sweep does not end as if it had been."""
    with project.folder.joinpath("matrix.toml").open("a") as matrix:
        matrix.write(BROKEN)

    done = project.ort_matrix("sweep", "--against", "broken", *FEW, "--json")

    found = json.loads(done.stdout)
    assert done.returncode == 4, done.stderr
    assert "broken-1.32.0" in done.stderr
    assert "Traceback" not in done.stderr
    assert {cell["state"] for cell in found["cells"]} == {"BROKEN", "READY"}
    assert found["points"] == []
