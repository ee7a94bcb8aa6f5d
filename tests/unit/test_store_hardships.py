"""Two runs at once, a reader meanwhile, kill -9, a full disk: what is finished is never lost."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import ConfigurationError
from harness.store import upkeep
from harness.store.archive import Archive
from harness.store.names import run_ids
from harness.store.run import PartWriter, read_run
from harness.triage.compare import NoteKind, Transition, compare
from harness.wire.outcomes import Outcome
from tests.unit.made_runs import a_cell, a_result

ROOT = Path(__file__).parents[2]
PATIENCE_S = 120
CASES = 400
WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from harness.results import SelectionRecord
from harness.store.run import PartWriter
from tests.unit.made_runs import CPU, a_cell, a_result

runs, run, cases = Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
writer = PartWriter.open(runs, run, part="p", suites={})
writer.append(a_cell())
writer.append(SelectionRecord(cell=CPU, suite="onnx", cases=cases))
print("writing", flush=True)
for number in range(cases):
    writer.append(a_result(f"onnx/{number}", text="x" * 500))
writer.close()
"""
"""Another process that writes a run."""


def start(runs: Path, run: str, cases: int = CASES) -> subprocess.Popen[bytes]:
    """Return a WRITER that has begun."""
    words = [str(ROOT), str(runs), run, str(cases)]
    process = subprocess.Popen([sys.executable, "-c", WRITER, *words], stdout=subprocess.PIPE)
    assert process.stdout
    assert process.stdout.readline() == b"writing\n"
    return process


def fill(writer: PartWriter) -> int:
    """Write results until the disk takes no more, and return how many it took."""
    for number in range(10**6):
        try:
            writer.append(a_result(f"onnx/{number}", text="x" * 500))
        except ConfigurationError as error:
            assert "a result cannot be written" in str(error)  # noqa: PT017 - counted on the way
            return number
    pytest.fail("the disk is not small")


def test_two_runs_are_written_while_others_read(tmp_path: Path) -> None:
    """Each reader sees both runs as far as they are, and at the end both are whole."""
    writers = [start(tmp_path, run) for run in ("one", "two")]
    seen = []

    while any(writer.poll() is None for writer in writers):
        with Archive(tmp_path) as archive:
            seen.append(len(archive.sightings()))
        compare(read_run(tmp_path, "one"), read_run(tmp_path, "two"))

    codes = [writer.communicate(timeout=PATIENCE_S) and writer.returncode for writer in writers]
    with Archive(tmp_path) as archive:
        heads = {head.id: (head.complete, head.damage) for head in archive.heads}
        count = len(archive.sightings())
    assert codes == [0, 0]
    assert seen == sorted(seen)
    assert heads == {"one": (True, ()), "two": (True, ())}
    assert count == 2 * CASES


def test_a_killed_run_is_told_and_costs_the_other_nothing(tmp_path: Path) -> None:
    """After kill -9 what was finished is compared, and what was not has not vanished."""
    with start(tmp_path, "whole") as whole, start(tmp_path, "killed", 10**6) as killed:
        whole.communicate(timeout=PATIENCE_S)
        while len(read_run(tmp_path, "killed").results) < 10:
            assert killed.poll() is None
        killed.send_signal(signal.SIGKILL)

    found = compare(read_run(tmp_path, "whole"), read_run(tmp_path, "killed"))
    with Archive(tmp_path) as archive:
        complete = {head.id: head.complete for head in archive.heads}

    assert complete == {"whole": True, "killed": False}
    assert found.counts[Transition.UNCHANGED] >= 10
    assert Transition.VANISHED not in found.counts
    kinds = {note.kind for note in found.notes}
    assert kinds <= {NoteKind.CUT_OFF}
    assert found.counts[Transition.UNCHANGED] == CASES or kinds


def test_a_full_disk_loses_nothing_that_is_finished(small_disk: Path) -> None:
    """What was written before is read and asked; what finds no room is told and leaves no trace."""
    runs = small_disk / "runs"
    whole = PartWriter.open(runs, "early", part="p", suites={})
    for record in (a_cell(), a_result("onnx/0")):
        whole.append(record)
    whole.close()
    writer = PartWriter.open(runs, "full", part="p", suites={})
    writer.append(a_cell())
    written = fill(writer)
    writer.close()

    with pytest.raises(ConfigurationError, match="cannot be written"):
        upkeep.merge(runs, ["early", "full"], "both")
    with Archive(runs) as archive:
        seen = archive.sightings(["onnx/0"])
        heads = {head.id: head.complete for head in archive.heads}

    assert [one.outcome for one in seen] == [Outcome.PASS, Outcome.PASS]
    assert heads == {"early": True, "full": False}
    assert len(read_run(runs, "full").results) == written
    assert sorted(path.name for path in runs.iterdir()) == ["early", "full"]
    assert upkeep.prune(runs, 1) == ["early"]
    assert run_ids(runs) == ["full"]
