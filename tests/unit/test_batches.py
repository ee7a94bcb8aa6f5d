"""One item that ends the other side costs itself alone, and our own faults are never its."""

from __future__ import annotations

import errno
import json
import os
import signal
from typing import TYPE_CHECKING

import pytest

from harness.cases import Worker
from harness.errors import ConfigurationError, HarnessFaultError, NothingSelectedError
from harness.results import Observed
from harness.sweeping.batches import Ended, Told, answered_all
from harness.sweeping.ranges import releases_between
from harness.sweeping.sweep import affordable
from harness.wire.messages import Evidence
from harness.wire.outcomes import Outcome
from harness.worker.cases.generated.forked import (
    OwnFaultError,
    carried_out_forked,
    write_line,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SERVED = ["1.19.2", "1.20.0", "1.20.1", "1.21.0", "1.21.1", "1.22.0rc1"]


def observed(outcome: Outcome) -> Observed:
    """Return how a request came out."""
    return Observed(outcome=outcome, evidence=Evidence(text="so"), duration_s=0.0)


class Other:
    """The other side: what it does at each item, alone or behind others."""

    def __init__(self, *, dies_of: frozenset[int], only_behind_others: bool = False) -> None:
        self._dies_of = dies_of
        self._only_behind_others = only_behind_others
        self.asked: list[list[int]] = []

    def __call__(self, items: Sequence[int], report: Path, worker: Worker) -> Observed:
        """Write a line for each item until one ends it."""
        self.asked.append(list(items))
        for item in items:
            if item in self._dies_of and not (self._only_behind_others and worker is Worker.FRESH):
                with report.open("a") as out:
                    out.write('{"half')
                return observed(Outcome.CRASH)
            with report.open("a") as out:
                out.write(json.dumps({"item": item}) + "\n")
        return observed(Outcome.PASS)


def test_every_item_has_its_line_in_order(tmp_path: Path) -> None:
    """What comes back stands in the order of what was asked, however many asked at once."""
    other = Other(dies_of=frozenset())

    found = list(answered_all(range(10), other, tmp_path, size=3, workers=2))

    assert found == [Told(line={"item": at}) for at in range(10)]


def test_an_item_that_ends_the_other_side_costs_itself_alone(tmp_path: Path) -> None:
    """It is asked again alone, and the rest from the next one on."""
    other = Other(dies_of=frozenset({2, 4}))

    found = list(answered_all(range(6), other, tmp_path, size=6, workers=1))

    assert [isinstance(one, Ended) for one in found] == [False, False, True, False, True, False]
    assert other.asked == [[0, 1, 2, 3, 4, 5], [2], [3, 4, 5], [4], [5]]


def test_an_item_that_only_dies_behind_others_says_so(tmp_path: Path) -> None:
    """Alone it has a line, which tells how it ended behind the others."""
    other = Other(dies_of=frozenset({1}), only_behind_others=True)

    found = list(answered_all(range(3), other, tmp_path, size=3, workers=1))

    assert [isinstance(one, Told) and one.spoilt is not None for one in found] == [
        False,
        True,
        False,
    ]


def test_a_fault_of_our_own_behind_others_is_theirs(tmp_path: Path) -> None:
    """Alone the item has a line, which tells of it; the rest is asked of another worker."""

    def ask(items: Sequence[int], report: Path, worker: Worker) -> Observed:
        if len(items) > 1 and worker is not Worker.FRESH:
            return observed(Outcome.HARNESS_FAULT)
        report.write_text("".join(json.dumps({"item": item}) + "\n" for item in items))
        return observed(Outcome.PASS)

    found = list(answered_all(range(3), ask, tmp_path, size=3, workers=1))

    told = [one for one in found if isinstance(one, Told)]
    assert [one.line for one in told] == [{"item": at} for at in range(3)]
    assert [one.spoilt is not None for one in told] == [True, True, False]


def test_a_fault_of_our_own_is_raised(tmp_path: Path) -> None:
    """An answer without a line is no death of the item."""

    def ask(items: Sequence[int], report: Path, worker: Worker) -> Observed:
        del items, report, worker
        return observed(Outcome.HARNESS_FAULT)

    with pytest.raises(HarnessFaultError, match="HARNESS_FAULT: so"):
        list(answered_all(range(3), ask, tmp_path, size=3, workers=1))


def test_a_full_disk_is_no_fault_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever could write no line because nothing is left of the disk is told that, and where."""
    monkeypatch.setattr("harness.sweeping.batches.LEAST_FREE", 2**62)

    def ask(items: Sequence[int], report: Path, worker: Worker) -> Observed:
        del items, report, worker
        return observed(Outcome.HARNESS_FAULT)

    with pytest.raises(OSError, match="No space left") as caught:
        list(answered_all(range(3), ask, tmp_path, size=3, workers=1))

    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(tmp_path))


def test_a_copy_of_the_process_dies_in_its_place(tmp_path: Path) -> None:
    """An item that kills the copy has a line that says how, and those around it have theirs."""
    report = tmp_path / "report.jsonl"

    def carry_out(items: Sequence[int], report: Path) -> None:
        for item in items:
            if item == 2:
                os.kill(os.getpid(), signal.SIGKILL)
            write_line(report, {"item": item})

    carried_out_forked(range(5), carry_out, report, memory_mib=4096)

    lines = [json.loads(line) for line in report.read_text().splitlines()]
    assert [line.get("item") for line in lines] == [0, 1, None, 3, 4]
    assert lines[2] == {
        "ended": {"outcome": "CRASH", "signal": "SIGKILL", "text": "ended by SIGKILL"}
    }


def test_an_error_of_ours_in_a_copy_is_no_death_of_the_item(tmp_path: Path) -> None:
    """A Python error there reaches the worker with its traceback."""

    def carry_out(_items: Sequence[int], _report: Path) -> None:
        raise ValueError("our own")

    with pytest.raises(OwnFaultError, match="our own"):
        carried_out_forked([1], carry_out, tmp_path / "report.jsonl", memory_mib=4096)


def test_an_error_of_ours_behind_others_alone_is_theirs(tmp_path: Path) -> None:
    """Who writes beyond his memory may hit one of Python's objects, on which others stumble."""
    report, providers = tmp_path / "report.jsonl", {"cpu": 0}

    def carry_out(items: Sequence[int], report: Path) -> None:
        for item in items:
            write_line(report, {"item": item, "of": providers["cpu"]})
            if item == 1:
                providers.clear()

    carried_out_forked(range(4), carry_out, report, memory_mib=4096)

    lines = [json.loads(line) for line in report.read_text().splitlines()]
    assert [line["item"] for line in lines] == [0, 1, 2, 3]
    assert [line.get("spoilt", {}).get("text") for line in lines] == [
        *(None, None, "an error of ours: KeyError: 'cpu'", None)
    ]


def test_an_error_of_ours_that_nobody_can_write_down_is_one(tmp_path: Path) -> None:
    """Where no disk takes its traceback the copy has still not died of the item."""

    def carry_out(_items: Sequence[int], report: Path) -> None:
        report.with_suffix(".fault").mkdir()  # nobody writes a file of that name any more
        raise ValueError("our own")

    with pytest.raises(OwnFaultError):
        carried_out_forked([1], carry_out, tmp_path / "report.jsonl", memory_mib=4096)


@pytest.mark.parametrize(
    ("before", "took_s", "left_s", "most", "wanted"),
    [
        (100, 10.0, 100.0, 9000, 400),
        (400, 10.0, 5.0, 9000, 200),
        (400, 10.0, 50.0, 30, 30),
        (400, 10.0, 1.0, 9000, 0),
        (400, 10.0, -1.0, 9000, 0),
        (20, 1.0, 1.2, 20, 20),
        (100, 10.0, 100.0, 0, 0),
    ],
)
def test_what_there_is_time_for_follows_from_what_went_before(
    before: int, took_s: float, left_s: float, most: int, wanted: int
) -> None:
    """A few times as many as before, never more than fit, and none where it is hardly any."""
    found = affordable(before, took_s, left_s, most)

    assert found == wanted


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("1.20.1..", "1.20.1", "1.22.0rc1"),
        ("..1.20.0", "1.19.2", "1.20.0"),
        ("1.21..1.21.1", "1.21.0", "1.21.1"),
    ],
)
def test_a_range_has_both_its_ends(text: str, first: str, last: str) -> None:
    """A range names the oldest and the newest, either of which may be left out."""
    found = releases_between(SERVED, text)

    assert (found[0], found[-1]) == (first, last)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("1.21..1.20", ConfigurationError),
        ("new..old", ConfigurationError),
        ("2.0..", NothingSelectedError),
    ],
)
def test_a_wrong_range_is_refused(text: str, error: type[Exception]) -> None:
    """What is no range, or has no release, is said in one line."""
    with pytest.raises(error, match="--releases"):
        releases_between(SERVED, text)
