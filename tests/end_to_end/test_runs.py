"""Whole runs on the cpu variant, as a user starts them."""

from __future__ import annotations

import json
import os
import resource
import signal
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import psutil
import pytest

from tests.end_to_end.conftest import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.end_to_end.conftest import Project

SOME = ("--case", "onnx/node/test_abs*", "--case", "models/magika/*")


def runs_of(project: Project) -> list[Path]:
    """Return the run folders of a project."""
    return sorted(project.folder.joinpath("runs").iterdir())


def cell_report(project: Project) -> dict[str, object]:
    """Return the only cell of the newest run."""
    report = json.loads(project.ort_matrix("report", "--json").stdout)
    (cell,) = report["cells"]
    return {"run": report, **cell}


def test_a_run_as_expected_ends_in_zero_and_prints_its_table(project: Project) -> None:
    """A run in which all is as the baseline says exits with 0 and names its folder."""
    project.baseline("")

    done = project.pytest("--cell", "cpu", *SOME)

    assert done.returncode == 0, done.stdout
    assert "as expected" in done.stdout
    (run,) = runs_of(project)
    assert str(run) in done.stdout


def test_the_json_report_counts_every_outcome(project: Project) -> None:
    """`report --json` prints one object with counts per cell, suite and outcome."""
    project.pytest("--cell", "cpu", *SOME)

    cell = cell_report(project)

    assert cell["cell"] == "cpu-1.32.0-py311" or str(cell["cell"]).startswith("cpu-1.32.0-py3")
    assert cell["state"] == "READY"
    suites = cell["suites"]
    assert isinstance(suites, dict)
    assert suites["models"]["pass"] == 8
    assert set(suites["onnx"]) == {
        *("pass", "fail", "fallback", "error", "unsupported", "crash", "timeout", "not_tested"),
        *("harness_fault", "verdicts", "placement"),
    }


def test_wrong_unknown_and_deadly_cases_end_as_what_they_are(
    project: Project, corpus: Path
) -> None:
    """A wrong answer is FAIL, a signal is CRASH with its name, and the next case still runs."""
    done = project.pytest("--cell", "cpu", "--corpus", str(corpus), "--case", "mine/*")

    assert done.returncode == 1, done.stdout
    suites = cell_report(project)["suites"]
    assert isinstance(suites, dict)
    mine = suites["mine"]
    assert (mine["pass"], mine["fail"], mine["crash"]) == (3, 1, 1)
    assert "SIGFPE" in done.stdout
    assert "largest error" in done.stdout
    assert "again: ort-matrix case mine/b_wrong --cell cpu-1.32.0" in done.stdout


def test_a_known_failure_is_as_expected_and_says_why(project: Project, corpus: Path) -> None:
    """An expectation with the right outcome makes a failure known."""
    project.baseline(
        '[[expect]]\noutcome = "FAIL"\nreason = "planted"\ncases = ["mine/b_wrong"]\n'
        '[[expect]]\noutcome = "CRASH"\nreason = "planted"\ncases = ["mine/d_*"]\n'
    )

    done = project.pytest("--cell", "cpu", "--corpus", str(corpus), "--case", "mine/*", "-rx")

    assert done.returncode == 0, done.stdout
    assert "FAIL: planted" in done.stdout
    assert "as expected, 2 known" in done.stdout


def test_an_unexpected_pass_names_the_entry_to_delete(project: Project, corpus: Path) -> None:
    """A case that passes against its expectation is unexpected and says what to delete."""
    project.baseline('[[expect]]\noutcome = "FAIL"\nreason = "r"\ncases = ["mine/a_right"]\n')

    done = project.pytest("--cell", "cpu", "--corpus", str(corpus), "--case", "mine/a*")

    assert done.returncode == 1, done.stdout
    assert "delete 'mine/a_right' from" in done.stdout
    assert "cpu.toml: entry 1" in done.stdout


def test_an_expectation_that_matches_nothing_is_an_error(project: Project) -> None:
    """A stale expectation ends the run before it begins, with its place."""
    project.baseline('[[expect]]\noutcome = "FAIL"\nreason = "r"\ncases = ["onnx/node/gone"]\n')

    done = project.pytest("--cell", "cpu", *SOME)

    assert done.returncode == 2, done.stdout
    assert "cpu.toml: entry 1: cases: 'onnx/node/gone' matches no case" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_no_case_selected_is_not_as_expected(project: Project) -> None:
    """A pattern that selects nothing exits with 3."""
    done = project.pytest("--cell", "cpu", "--case", "onnx/no/such")

    assert done.returncode == 3, done.stdout


def test_a_cell_that_cannot_be_made_is_broken(project: Project, tmp_path: Path) -> None:
    """A cell without an environment is BROKEN with a reason, never a 0 % and never a skip."""
    empty = tmp_path / "empty"
    empty.mkdir()

    done = project.pytest("--cell", "cpu-9.9.9", "--wheelhouse", str(empty), *SOME)

    assert done.returncode == 4, done.stdout
    assert "BROKEN" in done.stdout
    assert cell_report(project)["state"] == "BROKEN"


def test_junit_names_the_cell(project: Project, tmp_path: Path) -> None:
    """The --junitxml of pytest has an entry per case that names the cell."""
    xml = tmp_path / "out.xml"

    project.pytest("--cell", "cpu", *SOME, f"--junitxml={xml}")

    cases = list(ET.parse(xml).iter("testcase"))  # noqa: S314 - written by ourselves just now
    assert len(cases) == 9 + len([c for c in cases if "test_abs_" in c.get("name", "")])
    assert all("cpu-1.32.0" in case.get("classname", "") for case in cases)


def test_processes_of_xdist_write_one_run(project: Project) -> None:
    """pytest-xdist's processes share a run, each with a part of its own."""
    done = project.pytest("--cell", "cpu", *SOME, "-n", "2")

    assert done.returncode == 0, done.stdout
    (run,) = runs_of(project)
    assert len(list(run.glob("*.jsonl"))) == 2
    assert "incomplete" not in done.stdout


@pytest.mark.parametrize("name", ["SIGKILL", "SIGINT"])
def test_an_interrupted_run_keeps_what_was_finished(project: Project, name: str) -> None:
    """After kill -9 or Ctrl-C the finished results are readable and no worker is left."""
    process = project.start_pytest("--cell", "cpu")
    until(lambda: len(project.lines()) > 100)
    workers = psutil.Process(process.pid).children(recursive=True)

    process.send_signal(signal.Signals[name])
    output, _ = process.communicate(timeout=300)

    assert process.returncode == {"SIGKILL": -9, "SIGINT": 130}[name], output
    assert workers
    psutil.wait_procs(workers, timeout=60)
    assert not [worker for worker in workers if worker.is_running()]
    report = project.ort_matrix("report")
    assert "incomplete" in report.stdout
    assert "Traceback" not in report.stdout + report.stderr + output


def test_a_full_disk_is_told_and_ends_the_run(project: Project) -> None:
    """A run that cannot be written any more says so in one line and loses nothing finished."""
    limit = 20_000

    def full_disk() -> None:
        # A write beyond the limit fails as on a full disk.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    pid = os.fork()
    if pid == 0:
        try:
            full_disk()
            done = project.pytest("--cell", "cpu", "--case", "onnx/node/test_a*")
            project.folder.joinpath("said").write_text(f"{done.returncode}\n{done.stdout}"[:9000])
        finally:
            os._exit(0)
    os.waitpid(pid, 0)

    code, _, said = project.folder.joinpath("said").read_text().partition("\n")
    assert code == "2", said
    assert "a result cannot be written" in said
    assert project.lines()
