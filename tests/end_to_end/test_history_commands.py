"""The commands that look at many runs, as a user calls them on a store of planned nights."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.nights import Nights

if TYPE_CHECKING:
    from pathlib import Path

    from tests.end_to_end.conftest import Project

PLAN = Nights(nights=12, cells=6, cases=220)


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store of planned nights."""
    runs = tmp_path_factory.mktemp("store") / "runs"
    PLAN.write(runs)
    return runs


@pytest.fixture
def stored(project: Project, nights: Path) -> Project:
    """Return a project that has these nights behind it."""
    shutil.copytree(nights, project.folder / "runs")
    return project


def answer(project: Project, *words: str) -> Any:
    """Return the object that a command prints."""
    done = project.ort_matrix(*words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_runs_are_listed_and_asked(stored: Project) -> None:
    """`runs`, `compare` and `history` say what each night did, in words and as objects."""
    runs = answer(stored, "runs")["runs"]
    compared = answer(stored, "compare")
    case = "onnx/group/test_0000"
    history = answer(stored, "history", case, "--variant", "cpu")["histories"]
    said = {
        words: stored.ort_matrix(*words)
        for words in (("runs",), ("compare", "latest~1"), ("history", case))
    }

    assert [one["run"] for one in runs] == [PLAN.run_id(night) for night in range(PLAN.nights)]
    expected = PLAN.expected(PLAN.last)
    regressed = sum(count for key, count in expected.items() if key[0] == "REGRESSED")
    assert compared["counts"]["regressed"] == regressed
    assert [one["course"] for one in history] == ["STEP"] * 3
    assert {done.returncode for done in said.values()} == {0}
    assert PLAN.run_id(0) in said["runs",].stdout
    assert "REGRESSED" in said["compare", "latest~1"].stdout
    assert "stepped 2 times: PASS since" in said["history", case].stdout


def test_a_damaged_run_costs_itself_alone(stored: Project) -> None:
    """A truncated line and a run of another schema are told, and the rest is compared."""
    runs = stored.folder / "runs"
    newer, cut = (runs / PLAN.run_id(night) for night in (3, PLAN.last))
    for part in newer.glob("*.jsonl"):
        part.write_text(part.read_text().replace('"schema": 1', '"schema": 9'))
    part = min(cut.glob("cpu*.jsonl"))
    part.write_bytes(part.read_bytes()[:-300])

    listed, compared = stored.ort_matrix("runs"), stored.ort_matrix("compare")

    assert (listed.returncode, compared.returncode) == (0, 0)
    assert f"{newer.name} is left out: " in listed.stderr
    assert "schema 9, this version reads 1" in listed.stderr
    assert "damaged" in listed.stdout
    assert "cut off" in compared.stdout
    assert "Traceback" not in listed.stderr + compared.stderr


def test_runs_are_merged_and_pruned(stored: Project) -> None:
    """Shards become a run that reports can be made of, and old runs go."""
    shards = [PLAN.run_id(night) for night in (0, 1)]

    merged = stored.ort_matrix("merge", *shards, "--run", "both")
    pruned = stored.ort_matrix("prune", "--keep", "2")

    assert (merged.returncode, merged.stdout) == (0, "both\n")
    assert pruned.returncode == 0, pruned.stderr
    left = {path.name for path in (stored.folder / "runs").iterdir()}
    assert left == {PLAN.run_id(PLAN.last - 1), PLAN.run_id(PLAN.last)}


def test_the_failures_of_a_run_are_accepted_and_checked(project: Project, corpus: Path) -> None:
    """What a run found becomes text in the baseline, with which the next run is as expected."""
    options = ("--cell", "cpu", "--corpus", str(corpus), "--case", "mine/*")
    text = "# known outcomes\n"
    project.baseline(text)
    before = project.pytest(*options)

    accepted = project.ort_matrix("baseline", "accept", "latest", "--reason", "planted")
    after = project.pytest(*options)

    baseline = project.folder.joinpath("fixtures", "baselines", "cpu.toml").read_text()
    assert (before.returncode, accepted.returncode, after.returncode) == (1, 0, 0), accepted.stderr
    assert baseline.startswith(text)
    assert baseline.count("[[expect]]") == 2
    assert "2 entries added" in accepted.stdout
    again = project.ort_matrix("baseline", "accept", "latest", "--reason", "planted")
    assert again.returncode == 3


def test_a_false_expectation_is_listed(project: Project, corpus: Path) -> None:
    """`baseline check` names what is stale, what contradicts the run and what has expired."""
    options = ("--cell", "cpu", "--corpus", str(corpus), "--case", "mine/[ab]*")
    project.baseline("")
    project.pytest(*options)
    entries = [("FAIL", "mine/a_right", ""), ("CRASH", "mine/b_wrong", "")]
    entries += [("FAIL", "fallback/gone", ""), ("FAIL", "fallback/*", "expires = 2026-01-01\n")]
    project.baseline(
        "".join(
            f'[[expect]]\noutcome = "{outcome}"\nreason = "r"\n{more}cases = ["{case}"]\n'
            for outcome, case, more in entries
        )
    )

    done = project.ort_matrix("baseline", "check", "--json")

    findings = json.loads(done.stdout)["findings"]
    of_cpu = {one["pattern"]: one["flaw"] for one in findings if "cpu.toml" in one["place"]}
    assert done.returncode == 1
    assert of_cpu == {
        "mine/a_right": "STALE",
        "mine/b_wrong": "CONTRADICTED",
        "fallback/gone": "UNMATCHED",
        "fallback/*": "EXPIRED",
    }


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("compare", "nope"), 2, "no run 'nope'"),
        (("compare", "2026-08-01", "0"), 2, "'0' could be any of"),
        (("history", "onnx/nope"), 3, "no stored run has seen 'onnx/nope'"),
        (("merge", "nope"), 2, "no run 'nope'"),
        (("prune", "--keep", "0"), 2, "give 1 or more"),
        (("baseline", "accept", "latest", "--reason", " "), 2, "say why"),
        (("baseline", "accept", PLAN.run_id(7), "--reason", "r"), 2, "are flaky"),
    ],
)
def test_a_mistake_is_told_in_one_line(
    stored: Project, words: tuple[str, ...], code: int, said: str
) -> None:
    """What cannot be done is told with the right thing, and nothing is changed."""
    done = stored.ort_matrix(*words)

    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
