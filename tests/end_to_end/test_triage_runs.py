"""A whole run looked into, each cause over all releases; slow, because it installs them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.end_to_end.conftest import Project


@pytest.mark.slow
def test_triage_makes_a_folder_for_each_cause(project: Project, corpus: Path) -> None:
    """Two causes are looked into; what is left of a killed one goes, what is whole is kept."""
    project.pytest("--cell", "cpu", "--corpus", str(corpus), "--case", "mine/*")
    where = ("--corpus", str(corpus), "--to", "found")
    folder = project.folder / "found"
    folder.joinpath(".partial-killed").mkdir(parents=True)

    none = project.ort_matrix("triage", *where, "--minutes", "1e-9", "--json")
    done = project.ort_matrix("triage", *where, "--json")
    again = project.ort_matrix("triage", *where, "--json")

    assert json.loads(none.stdout)["left"] == 2
    found = json.loads(done.stdout)
    assert found["left"] == 0
    by_case = {one["representative"]: one for one in found["causes"].values()}
    assert by_case.keys() == {"mine/b_wrong", "mine/d_deadly"}
    assert all(one["decides"] == one["changes"] == [] for one in by_case.values())
    assert by_case["mine/d_deadly"]["bisection"]["asked"] > 10
    assert json.loads(again.stdout) == found
    assert by_case["mine/d_deadly"]["reproducer"].startswith("SHOWS")
    assert "2 looked into before" in again.stderr
    names = {path.name for path in folder.iterdir()}
    assert names == {*found["causes"], "summary.md"}
    assert done.returncode == again.returncode == 1
