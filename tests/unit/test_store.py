"""Whatever ends a run, what was written of it is read, and what is missing is told.

The writers are real processes where there is more than one.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.errors import ConfigurationError
from harness.results import (
    SCHEMA,
    CaseResult,
    CellRecord,
    CellState,
    EndRecord,
    PartRecord,
    SelectionRecord,
)
from harness.store import names
from harness.store.names import new_run_id, run_ids
from harness.store.run import PartWriter, Run, read_run
from harness.wire.messages import Evidence, FallbackStep, Hello, Mismatch
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.results import Record

PATIENCE_S = 60
CELL = "cpu-1.32.0-py311"
HELLO = Hello(
    protocol=1,
    release="1.32.0",
    distributions=("onnxruntime==1.32.0",),
    providers=("CPUExecutionProvider",),
    python="3.11.7",
    numpy="2.0.0",
)
EVIDENCE = Evidence(
    text="line\nbreak \u2028 and a lone \udcff",
    requirement="r",
    stage="run",
    status="FAIL",
    attached="CPU",
    fallback=(FallbackStep(attached="CUDA", provider="C", stage="creation", status="s", text="t"),),
    mismatches=(Mismatch(output="y", text="m", largest_error=0.5, at=(0, 1), rtol_needed=0.1),),
    answer={"label": "cat"},
    traceback="t",
    signal="SIGSEGV",
    exit_status=3,
    log="l",
)
WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.unit.test_store import CELL, a_cell, a_result
from harness.results import SelectionRecord
from harness.store.run import PartWriter

runs, run, part, first, end = Path(sys.argv[2]), *sys.argv[3:5], int(sys.argv[5]), int(sys.argv[6])
writer = PartWriter.open(runs, run, part=part, suites={})
writer.append(a_cell())
writer.append(SelectionRecord(cell=CELL, suite="onnx", cases=int(sys.argv[7])))
print("writing", flush=True)
sys.stdin.readline()
for number in range(first, end):
    writer.append(a_result(f"onnx/{number}", log="x" * 2000))
writer.close()
"""
"""Another process that writes some numbered cases of a run, once it is told to."""


def a_cell(state: CellState = CellState.READY, reason: str = "") -> CellRecord:
    """Return the record of a cell."""
    return CellRecord(
        cell=CELL,
        variant="cpu",
        release="1.32.0",
        python="3.11",
        device="CPU",
        state=state,
        reason=reason,
        hello=HELLO,
    )


def a_result(case: str = "onnx/a", outcome: Outcome = Outcome.PASS, log: str = "") -> CaseResult:
    """Return the result of a case of the suite onnx."""
    evidence = Evidence(log=log)
    return CaseResult(
        cell=CELL, suite="onnx", case=case, outcome=outcome, duration_s=0.25, evidence=evidence
    )


def a_selection(cases: int) -> SelectionRecord:
    """Return how many cases were selected of the suite onnx."""
    return SelectionRecord(cell=CELL, suite="onnx", cases=cases)


def write(runs: Path, *records: Record, run: str = "r", part: str = "p") -> Path:
    """Return the file of a part that holds these records and came to its end."""
    before = set(runs.glob("*/*"))
    writer = PartWriter.open(runs, run, part=part, suites={"onnx": "1"})
    for record in records:
        writer.append(record)
    writer.close()
    (path,) = set(runs.glob("*/*")) - before
    return path


def start(runs: Path, part: str, first: int, end: int, selected: int) -> subprocess.Popen[bytes]:
    """Return a WRITER that waits to be told to go on."""
    root = str(Path(__file__).parents[2])
    words = [root, str(runs), "r", part, str(first), str(end), str(selected)]
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout
    assert process.stdout.readline() == b"writing\n"
    return process


def go_on(process: subprocess.Popen[bytes]) -> None:
    """Let a WRITER write."""
    assert process.stdin
    process.stdin.write(b"go on\n")
    process.stdin.flush()


@pytest.mark.parametrize(
    "record",
    [
        PartRecord(run="r", started="2026-01-01T00:00:00+00:00", harness="1", suites={}, host="h"),
        a_cell(),
        CellRecord(
            cell="c",
            variant="cuda",
            release="1.0.0",
            python="3.12",
            device="CUDA",
            state=CellState.BROKEN,
            reason="two\nlines",
        ),
        a_selection(3),
        a_result(),
        CaseResult(
            cell="c",
            suite="onnx",
            case="onnx/ü",
            outcome=Outcome.CRASH,
            duration_s=1.5,
            evidence=EVIDENCE,
            again=Outcome.PASS,
        ),
        EndRecord(ended="2026-01-01T00:00:00+00:00"),
    ],
)
def test_a_record_comes_back(record: Record) -> None:
    """Each kind of record is read as it was written, through JSON on one line."""
    line = json.dumps(record.to_json())

    read = type(record).from_json(json.loads(line))

    assert read == record
    assert "\n" not in line


def test_a_run_comes_back(tmp_path: Path) -> None:
    """Cells, selections and results of a run stand in it as they were written."""
    odd = CaseResult(
        cell=CELL,
        suite="onnx",
        case="onnx/odd",
        outcome=Outcome.FAIL,
        duration_s=2.0,
        evidence=EVIDENCE,
        again=Outcome.PASS,
    )
    path = write(tmp_path, a_cell(), a_selection(2), a_result(), odd)

    run = read_run(tmp_path, "r")

    assert (run.id, run.folder) == ("r", path.parent)
    assert run.cells == {CELL: a_cell()}
    assert run.results == {(CELL, "onnx/a"): a_result(), (CELL, "onnx/odd"): odd}
    assert run.selected == {(CELL, "onnx"): 2}
    assert [(part.run, part.suites, part.schema) for part in run.parts] == [("r", {"onnx": "1"}, 1)]
    assert (run.damage, run.complete) == ([], True)


def test_every_record_is_one_line_that_begins_with_its_kind(tmp_path: Path) -> None:
    """Whoever reads a run with other tools finds JSON lines, in ASCII, each with its kind."""
    path = write(tmp_path, a_cell(), a_selection(1), a_result())

    lines = path.read_text("ascii").splitlines()

    kinds = [json.loads(line)["record"] for line in lines]
    assert kinds == ["part", "cell", "selection", "case", "end"]


def test_a_case_recorded_twice_counts_as_it_was_seen_last(tmp_path: Path) -> None:
    """A later result of a case stands in place of an earlier one."""
    write(tmp_path, a_cell(), a_result(outcome=Outcome.CRASH), a_result())

    run = read_run(tmp_path)

    assert [result.outcome for result in run.results.values()] == [Outcome.PASS]


@pytest.mark.parametrize(
    ("first", "second"),
    [(CellState.READY, CellState.BROKEN), (CellState.BROKEN, CellState.READY)],
)
def test_a_cell_that_one_process_found_broken_is_broken(
    tmp_path: Path, first: CellState, second: CellState
) -> None:
    """Of what several processes found of a cell the worst counts: an outage never hides."""
    write(tmp_path, a_cell(first, f"it is {first}"), part="a")
    write(tmp_path, a_cell(second, f"it is {second}"), part="b")

    run = read_run(tmp_path)

    found = run.cells[CELL]
    assert (found.state, found.reason) == (CellState.BROKEN, "it is BROKEN")


def test_a_line_that_was_cut_off_is_told(tmp_path: Path) -> None:
    """Who is killed while writing loses that line alone, and the run is not whole."""
    path = write(tmp_path, a_cell(), a_selection(2), a_result(), a_result("onnx/b"))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:4]) + lines[4][:30])

    run = read_run(tmp_path)

    assert list(run.results) == [(CELL, "onnx/a")]
    (damage,) = run.damage
    assert damage.startswith(f"{path.name}:5: ")
    assert not run.complete


@pytest.mark.parametrize(
    "garbage",
    [
        b"\0" * 100,  # what a lost power line leaves
        b"",
        b"<html>",
        b'{"record": "case", "cell": "\xc3',
        b"\xff\xfe{\0}\0",
        b"{}",
        b"[]",
        b'"text"',
        b"7",
        b"null",
        b'{"record": "added later"}',
        b'{"record": ["case"]}',
        b'{"record": "case"}',
        b'{"record": "end", "ended": "now", "added_later": 1}',
        b'{"record": "case", "outcome": "SPLENDID", "evidence": {}, "again": null}',
        b'{"record": "case", "outcome": "PASS", "evidence": [], "again": null}',
        b'{"record": "case", "outcome": "PASS", "evidence": {"fallback": 1}, "again": null}',
        b'{"record": "cell", "state": "READY", "hello": "hello"}',
        b"[" * 100_000,
    ],
)
def test_garbage_in_the_middle_is_told_and_the_rest_is_read(tmp_path: Path, garbage: bytes) -> None:
    """Whatever stands in a line, the lines before and after it count, and its place is told."""
    path = write(tmp_path, a_cell(), a_selection(2), a_result(), a_result("onnx/b"))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:4], garbage + b"\n", *lines[4:]]))

    run = read_run(tmp_path)

    assert list(run.results) == [(CELL, "onnx/a"), (CELL, "onnx/b")]
    (damage,) = run.damage
    assert damage.startswith(f"{path.name}:5: ")


def test_a_half_written_character_costs_its_line_alone(tmp_path: Path) -> None:
    """A line cut in the midst of a character that another tool wrote is damage, and no error."""
    path = write(tmp_path, a_cell(), a_result(), a_result("onnx/b"))
    lines = path.read_bytes().splitlines(keepends=True)
    raw = lines[3].replace(b"onnx/b", "onnx/ü".encode())
    path.write_bytes(b"".join(lines[:3]) + raw[: raw.index("ü".encode()) + 1])

    run = read_run(tmp_path)

    assert list(run.results) == [(CELL, "onnx/a")]
    assert [line.split(": ")[0] for line in run.damage] == [f"{path.name}:4"]


@pytest.mark.parametrize("missing", range(6))
def test_a_run_with_a_line_less_is_not_complete(tmp_path: Path, missing: int) -> None:
    """Whichever line is damaged, nobody takes the run for whole."""
    path = write(tmp_path, a_cell(), a_selection(2), a_result(), a_result("onnx/b"))
    lines = path.read_bytes().splitlines(keepends=True)
    lines[missing] = lines[missing][:20] + b"\n"

    whole = read_run(tmp_path).complete
    path.write_bytes(b"".join(lines))
    run = read_run(tmp_path)

    assert whole
    assert not run.complete
    assert len(run.damage) == 1


@pytest.mark.parametrize("left", range(6))
def test_a_run_that_was_cut_off_is_not_complete(tmp_path: Path, left: int) -> None:
    """Wherever its process was killed, also before the first line, a run is not whole."""
    path = write(tmp_path, a_cell(), a_selection(2), a_result(), a_result("onnx/b"))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:left]))

    run = read_run(tmp_path)

    assert not run.complete
    assert run.damage == []
    assert len(run.results) == max(0, left - 3)


def test_two_parts_make_one_run(tmp_path: Path) -> None:
    """Processes that share a selection are complete together, as under pytest-xdist."""
    write(tmp_path, a_cell(), a_selection(2), a_result("onnx/a"), part="a")

    alone = read_run(tmp_path)
    write(tmp_path, a_cell(), a_selection(2), a_result("onnx/b"), part="b")
    both = read_run(tmp_path)

    assert not alone.complete
    assert both.complete
    assert len(both.parts) == 2
    assert len(both.results) == 2


@pytest.mark.parametrize("left", [0, 4])
def test_one_part_without_an_end_leaves_a_run_open(tmp_path: Path, left: int) -> None:
    """Another process's end and another's results do not stand in for a lost one's."""
    write(tmp_path, a_cell(), a_selection(2), a_result("onnx/a"), a_result("onnx/b"), part="a")
    path = write(tmp_path, a_cell(), a_selection(2), a_result("onnx/b"), part="b")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:left]))

    run = read_run(tmp_path)

    assert len(run.results) == 2
    assert not run.complete


def test_parts_that_selected_differently_need_the_larger_selection(tmp_path: Path) -> None:
    """The order of the parts' names does not decide how many results a run needs."""
    write(tmp_path, a_cell(), a_selection(3), part="a")
    write(tmp_path, a_cell(), a_selection(1), a_result(), part="b")

    run = read_run(tmp_path)

    assert not run.complete


def test_a_run_of_nothing_is_not_complete(tmp_path: Path) -> None:
    """A run without any part has not been."""
    run = Run(id="r", folder=tmp_path)

    complete = run.complete

    assert not complete


def test_two_processes_write_one_run_at_once(tmp_path: Path) -> None:
    """Each writes a part of its own, no line is lost or torn, and together they are whole."""
    writers = [start(tmp_path, "p", at, at + 200, selected=400) for at in (0, 200)]
    for writer in writers:
        go_on(writer)

    codes = [writer.communicate(timeout=PATIENCE_S) and writer.returncode for writer in writers]
    run = read_run(tmp_path)

    assert codes == [0, 0]
    assert {case for _, case in run.results} == {f"onnx/{number}" for number in range(400)}
    assert len(run.parts) == 2
    assert (run.damage, run.complete) == ([], True)


def test_a_reader_sees_a_run_grow(tmp_path: Path) -> None:
    """A run is read at any moment while it is written: at most the line of the moment is torn."""
    seen = []
    with start(tmp_path, "p", 0, 1000, selected=1000) as writer:
        go_on(writer)
        while writer.poll() is None:
            seen.append(read_run(tmp_path))

    last = read_run(tmp_path)

    counts = [len(run.results) for run in seen]
    assert counts == sorted(counts)
    assert all(len(run.damage) <= 1 for run in seen)
    assert not any(run.complete and len(run.results) < 1000 for run in seen)
    assert (len(last.results), last.damage, last.complete) == (1000, [], True)


def test_a_killed_writer_loses_at_most_a_line(tmp_path: Path) -> None:
    """After kill -9 in the midst of writing, all that came before is read."""
    with start(tmp_path, "p", 0, 10**6, selected=10**6) as writer:
        go_on(writer)
        while not read_run(tmp_path).results:
            assert writer.poll() is None
        writer.send_signal(signal.SIGKILL)

    run = read_run(tmp_path)

    cases = [int(case.removeprefix("onnx/")) for _, case in run.results]
    assert cases == list(range(len(cases)))
    assert cases
    assert len(run.damage) <= 1
    assert not run.complete


def test_an_older_reader_refuses_a_newer_run(tmp_path: Path) -> None:
    """A schema that this version does not know is told with its place, and nothing is guessed."""
    path = write(tmp_path, a_cell())
    later = f'"schema":{SCHEMA + 1},"added_later":1'
    path.write_text(path.read_text("utf-8").replace(f'"schema":{SCHEMA}', later), "utf-8")

    with pytest.raises(ConfigurationError) as error:
        read_run(tmp_path)

    assert str(error.value) == f"{path}:1: schema {SCHEMA + 1}, this version reads {SCHEMA}"


def test_an_unknown_run_is_told_with_the_newest(tmp_path: Path) -> None:
    """Who mistypes an id learns one that is there."""
    for run in ("20260101-000000-aaaa", "20260102-000000-aaaa"):
        write(tmp_path, run=run)

    with pytest.raises(ConfigurationError) as error:
        read_run(tmp_path, "20270101")

    wanted = f"{tmp_path}: no run '20270101'; the newest of 2 is 20260102-000000-aaaa"
    assert str(error.value) == wanted


@pytest.mark.parametrize("make", [Path.mkdir, lambda _: None])
def test_no_run_at_all_is_told(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """An empty folder and one that is not there are no traceback."""
    runs = tmp_path / "runs"
    make(runs)

    with pytest.raises(ConfigurationError) as error:
        read_run(runs)

    assert str(error.value) == f"{runs}: no run 'latest'; no run is stored there yet"


def test_only_folders_with_parts_are_runs(tmp_path: Path) -> None:
    """What else stands in the folder of runs is not taken for one."""
    write(tmp_path, run="20260101-000000-aaaa")
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").touch()

    found = run_ids(tmp_path)

    assert found == ["20260101-000000-aaaa"]


def test_run_ids_sort_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """An id made a second, a day or a year later sorts behind."""
    begin = datetime(2026, 9, 30, 23, 59, 59, tzinfo=UTC)
    moments = [begin + timedelta(seconds=s) for s in (0, 1, 9 * 3600, 86400, 100 * 86400)]
    clock = iter(moments)

    class Clock(datetime):
        """A clock that tells those moments."""

        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            """Return the next of the moments."""
            del tz
            return next(clock)

    monkeypatch.setattr(names, "datetime", Clock)

    ids = [new_run_id() for _ in moments]

    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    assert re.fullmatch(r"20260930-235959-[0-9a-f]{4}", ids[0])


def test_the_latest_run_is_the_newest(tmp_path: Path) -> None:
    """Without an id, the run with the newest one is read."""
    for name in ("20260102-000000-aaaa", "20251231-000000-ffff"):
        write(tmp_path, run=name)

    run = read_run(tmp_path)

    assert run.id == "20260102-000000-aaaa"


def test_a_run_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A file where the folder should be is an error with the path, before any case is run."""
    (tmp_path / "runs").touch()

    with pytest.raises(ConfigurationError) as error:
        PartWriter.open(tmp_path / "runs", "r", part="p", suites={})

    assert f"{tmp_path / 'runs' / 'r'}" in str(error.value)
    assert "the run cannot be written" in str(error.value)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this host has no /dev/full")
def test_a_full_disk_is_told_and_leaves_the_part_without_an_end() -> None:
    """A result that finds no room is an error, and closing the part after it is none."""
    writer = PartWriter(os.open("/dev/full", os.O_WRONLY))

    with pytest.raises(ConfigurationError) as error:
        writer.append(a_result())
    writer.close()

    assert "a result cannot be written: " in str(error.value)
