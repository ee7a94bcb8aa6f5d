"""Runs are put together and thrown away whole, or not at all."""

from __future__ import annotations

import os
import shutil
import time
from typing import TYPE_CHECKING

import pytest

from harness.errors import ConfigurationError
from harness.results import SCHEMA, SelectionRecord
from harness.store import upkeep
from harness.store.names import run_ids
from harness.store.run import PartWriter, read_run
from tests.unit.made_runs import CPU, a_cell, a_result

if TYPE_CHECKING:
    from pathlib import Path


def write(runs: Path, run: str, *cases: str, cell: str = CPU, ended: bool = True) -> Path:
    """Write a run of one part and return the folder."""
    writer = PartWriter.open(runs, run, part="p", suites={})
    writer.append(a_cell(cell))
    writer.append(SelectionRecord(cell=cell, suite="onnx", cases=len(cases)))
    for case in cases:
        writer.append(a_result(case, cell=cell))
    if ended:
        writer.close()
    else:
        os.close(writer._descriptor)
    return runs / run


def test_shards_and_machines_become_one_run(tmp_path: Path) -> None:
    """The parts of all runs stand in the new one, which is whole, and the old ones stay."""
    runs, other = tmp_path / "runs", "cuda-1.31.1-py311"
    write(runs, "one", "onnx/a")
    write(tmp_path / "machine" / "runs", "two", "onnx/a", "onnx/b", cell=other)

    upkeep.merge(runs, ["one", str(tmp_path / "machine")], "both")

    both = read_run(runs, "both")
    assert set(both.results) == {(CPU, "onnx/a"), (other, "onnx/a"), (other, "onnx/b")}
    assert both.complete
    assert sorted(run_ids(runs)) == ["both", "one"]


def test_a_shard_given_twice_counts_once(tmp_path: Path) -> None:
    """The same part is one part; another part of the same name is another."""
    first = write(tmp_path / "a", "r", "onnx/a")
    second = write(tmp_path / "b", "r", "onnx/b")
    (part,), (other) = first.glob("*.jsonl"), next(second.glob("*.jsonl"))
    other.rename(other.with_name(part.name))
    shutil.copytree(first, tmp_path / "again")

    names = [str(first), str(second), str(tmp_path / "again")]
    upkeep.merge(tmp_path / "runs", names, "all")

    run = read_run(tmp_path / "runs", "all")
    assert run.begun == 2
    assert {case for _, case in run.results} == {"onnx/a", "onnx/b"}


def test_what_cannot_be_merged_leaves_nothing_behind(tmp_path: Path) -> None:
    """An unknown run, an empty folder, a taken name and another schema are told beforehand."""
    runs = tmp_path / "runs"
    write(runs, "one", "onnx/a")
    newer = write(tmp_path / "newer", "r", "onnx/a")
    (part,) = newer.glob("*.jsonl")
    part.write_text(part.read_text("ascii").replace(f'"schema":{SCHEMA}', '"schema":99'), "ascii")
    (tmp_path / "empty").mkdir()
    said = {
        ("nope", "new"): "no run 'nope'",
        (str(tmp_path / "empty"), "new"): "no run is in this folder",
        ("one", "one"): "there is a run of this name already",
        (str(newer), "new"): f"schema 99, this version reads {SCHEMA}",
    }

    errors = {}
    for name, into in said:
        with pytest.raises(ConfigurationError) as error:
            upkeep.merge(runs, [name], into)
        errors[name, into] = str(error.value)

    assert all(said[key] in text for key, text in errors.items()), errors
    assert [path.name for path in runs.iterdir()] == ["one"]


def test_the_newest_runs_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All but the newest are deleted, whole, and named."""
    monkeypatch.setattr(upkeep, "IN_USE_S", 0.0)
    for at, run in enumerate("dbac"):
        folder = write(tmp_path, run, "onnx/a")
        (part,) = folder.glob("*.jsonl")
        text = part.read_text("ascii")
        at_that_time = f'"started":"2026-01-0{at + 1}'
        part.write_text(text.replace(f'"started":"{time.strftime("%Y-%m-%d")}', at_that_time))

    deleted = upkeep.prune(tmp_path, 2)

    assert deleted == ["d", "b"]
    assert run_ids(tmp_path) == ["a", "c"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "c"]


def test_a_run_that_is_being_written_is_not_deleted(tmp_path: Path) -> None:
    """A run without an end whose last line is young stays; a dead one goes."""
    write(tmp_path, "alive", "onnx/a", ended=False)
    dead = write(tmp_path, "dead", "onnx/a", ended=False)
    (part,) = dead.glob("*.jsonl")
    long_ago = time.time() - 2 * upkeep.IN_USE_S
    os.utime(part, (long_ago, long_ago))
    write(tmp_path, "zeta", "onnx/a")

    deleted = upkeep.prune(tmp_path, 1)

    assert deleted == ["dead"]
    assert sorted(run_ids(tmp_path)) == ["alive", "zeta"]
