"""Many runs are asked at once; a table beside a run is believed only while it is true."""

from __future__ import annotations

import os
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from fixtures.nights import Nights
from harness.results import SCHEMA
from harness.store.archive import Archive
from harness.store.compacted import FILE
from harness.store.run import PartWriter, read_run
from harness.triage.compare import Transition, compare
from harness.triage.history import Course, histories
from harness.triage.lookback import flaky_among, since_when
from harness.wire.outcomes import Outcome
from tests.unit.made_runs import CPU, a_cell, a_result

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.results import Record

PLAN = Nights(nights=20, cells=8, cases=220)


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """Return a store of planned nights, and leave it to each test to close nothing."""
    runs = tmp_path_factory.mktemp("nights")
    PLAN.write(runs)
    with Archive(runs) as archive:
        yield archive


def write(runs: Path, run: str, *results: Record, ended: bool = True) -> Path:
    """Write a run of one part and return the folder."""
    writer = PartWriter.open(runs, run, part="p", suites={"onnx": "1"})
    for record in (a_cell(), *results):
        writer.append(record)
    if ended:
        writer.close()
    else:
        os.close(writer._descriptor)
    return runs / run


def outcomes(runs: Path, case: str = "onnx/a") -> list[Outcome]:
    """Return what every run saw of a case, oldest first."""
    with Archive(runs) as archive:
        return [one.outcome for one in archive.sightings([case])]


def test_what_is_planted_in_a_night_is_found_and_nothing_else(nights: Archive) -> None:
    """Each regression, fix, flake, outage, release and renamed suite is named rightly."""
    runs = [read_run(nights.runs, PLAN.run_id(night)) for night in range(PLAN.nights)]

    found = []
    for old, new in pairwise(runs):
        flaky = flaky_among(compare(old, new), new, nights)
        found.append(compare(old, new, flaky=flaky))

    for night, comparison in enumerate(found, start=1):
        changes = Counter(
            (group.transition, group.context, group.flaky, one.result.cell, one.result.case)
            for group in comparison.groups
            if group.transition not in (Transition.PERSISTING, Transition.UNCHANGED)
            for one in group.changes
        )
        assert changes == PLAN.expected(night)
        notes = {(note.kind, note.cell or note.suite) for note in comparison.notes}
        assert notes == PLAN.expected_notes(night)


def test_every_planted_history_is_judged_rightly(nights: Archive) -> None:
    """All that steps and all that flakes is found among all cases, and all else is steady."""
    found = histories(nights.sightings())

    judged = {
        (one.track, one.case): str(one.course)
        for one in found
        if one.course is not Course.STEADY and not one.case.startswith("forms/")
    }
    assert judged == {(track, case): course for _, track, case, course in PLAN.planted()}


def test_it_is_told_since_when_a_case_fails(tmp_path: Path) -> None:
    """What persists is followed back to the run in which it began, not to the one before."""
    for at, outcome in enumerate((Outcome.PASS, Outcome.FAIL, Outcome.FAIL, Outcome.FAIL)):
        write(tmp_path, f"r{at}", a_result("onnx/a", outcome))
    old, new = read_run(tmp_path, "r2"), read_run(tmp_path, "r3")

    with Archive(tmp_path) as archive:
        since = since_when(compare(old, new), new, archive, lambda _: False)
        known = since_when(compare(old, new), new, archive, lambda _: True)

    assert since == {(CPU, "onnx/a"): "r1"}
    assert known == {}


def test_a_strip_has_a_letter_per_run(nights: Archive) -> None:
    """The strips of all cases say at a glance what the sightings say one by one."""
    ids = [PLAN.run_id(night) for night in range(PLAN.nights)]

    strips = nights.strips(ids, suites=["onnx"])

    first, end = PLAN.at(1 / 3), PLAN.at(1 / 3) + PLAN.at(0.2)
    wanted = "P" * first + "C" * (end - first) + "P" * (PLAN.nights - end)
    assert strips["cpu-py311", "onnx/group/test_0000"] == wanted
    appeared = strips["cpu-py311", "onnx/group/test_0020"]
    assert appeared == "." * PLAN.suite_changes + "P" * (PLAN.nights - PLAN.suite_changes)


def test_durations_and_their_sums_are_those_of_the_sightings(nights: Archive) -> None:
    """What a case took stands where its letter does, and a cell's sum is that of its cases."""
    ids = [PLAN.run_id(night) for night in range(PLAN.nights)]
    case = "onnx/group/test_0020"

    durations = nights.durations(ids)
    together = nights.seconds(ids)

    seen = [one for one in nights.sightings([case]) if one.track == "cpu-py311"]
    gaps = PLAN.nights - len(seen)
    assert gaps > 0
    assert durations["cpu-py311", case] == [None] * gaps + [one.duration_s for one in seen]
    last = nights.sightings(runs=ids[-1:], variant="cuda")
    (cell,) = {one.cell for one in last}
    assert together[ids[-1], cell] == pytest.approx(sum(one.duration_s for one in last))


def test_a_table_is_made_once(tmp_path: Path) -> None:
    """The second time that it is asked, a run's lines are not read again."""
    table = write(tmp_path, "r", a_result("onnx/a")) / FILE
    first = outcomes(tmp_path), table.stat().st_mtime_ns

    second = outcomes(tmp_path), table.stat().st_mtime_ns

    assert first == second
    assert first[0] == [Outcome.PASS]


def test_a_run_that_has_grown_is_read_again(tmp_path: Path) -> None:
    """A table made while the run was still being written is not believed afterwards."""
    folder = write(tmp_path, "r", a_result("onnx/a"), ended=False)
    before = outcomes(tmp_path)
    (part,) = folder.glob("*.jsonl")
    line = part.read_text("ascii").splitlines(keepends=True)[-1].replace("PASS", "FAIL")
    part.write_text(part.read_text("ascii") + line, "ascii")

    after = outcomes(tmp_path)

    assert (before, after) == ([Outcome.PASS], [Outcome.FAIL])


@pytest.mark.parametrize("damage", ["empty", "cut", "garbage", "other", "middle"])
def test_a_damaged_table_is_made_again(tmp_path: Path, damage: str) -> None:
    """Nothing that stands in the table's place is taken for the run."""
    results = [a_result(f"onnx/{name}") for name in "abcdefgh"]
    table = write(tmp_path, "r", *results) / FILE
    other = write(tmp_path / "elsewhere", "r", a_result("onnx/a", Outcome.CRASH)) / FILE
    outcomes(tmp_path)
    outcomes(tmp_path / "elsewhere")
    whole = table.read_bytes()
    table.write_bytes(
        {
            "empty": b"",
            "cut": whole[:-10],
            "garbage": b"\0" * len(whole),
            "other": other.read_bytes(),
            "middle": whole[:4] + b"\xff" * 40 + whole[44:],
        }[damage]
    )

    found = outcomes(tmp_path)

    assert found == [Outcome.PASS]


def test_damage_is_told_and_the_rest_is_there(tmp_path: Path) -> None:
    """A truncated last line costs its case alone, and the head of the run says so."""
    folder = write(tmp_path, "r", a_result("onnx/a"), a_result("onnx/b"), ended=False)
    (part,) = folder.glob("*.jsonl")
    part.write_bytes(part.read_bytes()[:-20])

    with Archive(tmp_path) as archive:
        (head,) = archive.heads

    assert outcomes(tmp_path) == [Outcome.PASS]
    assert outcomes(tmp_path, "onnx/b") == []
    assert len(head.damage) == 1
    assert not head.complete


def test_a_run_of_another_schema_is_refused_alone(tmp_path: Path) -> None:
    """What another version wrote is left out with a word, and the other runs are asked."""
    write(tmp_path, "good", a_result("onnx/a"))
    folder = write(tmp_path, "newer", a_result("onnx/a", Outcome.CRASH))
    (part,) = folder.glob("*.jsonl")
    newer = part.read_text("ascii").replace(f'"schema":{SCHEMA}', f'"schema":{SCHEMA + 1}')
    part.write_text(newer, "ascii")

    with Archive(tmp_path) as archive:
        refused = archive.refused

    assert outcomes(tmp_path) == [Outcome.PASS]
    assert len(refused) == 1
    assert refused[0].startswith("newer is left out: ")
    assert f"schema {SCHEMA + 1}, this version reads {SCHEMA}" in refused[0]


def test_a_store_that_takes_no_table_is_asked_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk, or somebody else's store, costs the table and not the answer."""
    folder = write(tmp_path, "r", a_result("onnx/a"))
    (folder / FILE).mkdir()  # nothing can be put in its place, not even by root

    found = outcomes(tmp_path)

    monkeypatch.undo()
    assert found == [Outcome.PASS]
    assert not list(folder.glob(f".*{FILE}"))


def test_two_releases_of_a_variant_are_followed_apart(tmp_path: Path) -> None:
    """Where a run has two cells of a variant on one Python, each has a track of its own."""
    older = "cpu-1.31.1-py311"
    write(tmp_path, "r", a_cell(older), a_result("onnx/a"), a_result("onnx/a", cell=older))

    with Archive(tmp_path) as archive:
        tracks = [one.track for one in archive.sightings(["onnx/a"])]

    assert tracks == [older, CPU]


def test_an_empty_store_has_no_run(tmp_path: Path) -> None:
    """A folder that is not there is a store without runs."""
    with Archive(tmp_path / "nothing") as archive:
        found = archive.heads, archive.sightings(), archive.strips([])

    assert found == ([], [], {})
