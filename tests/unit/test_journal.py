"""Answers that are kept while work goes on, and what is left of them by a killed process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.journal import Journal
from harness.results import CaseResult
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return where answers are kept."""
    return tmp_path / "journals" / "work.jsonl"


def result(case: str, outcome: Outcome = Outcome.PASS) -> CaseResult:
    """Return an answer."""
    return CaseResult(cell="cpu", suite="s", case=case, outcome=outcome, duration_s=0.5)


def never() -> CaseResult:
    """Be asked what must not be asked again."""
    raise AssertionError("it was asked again")


def test_work_goes_on_with_what_was_answered_before(file: Path) -> None:
    """A question that was asked twice gets both answers in their order, the third time a new."""
    with Journal(file) as journal:
        journal.answer("a", lambda: result("first"))
        journal.answer("b", lambda: result("other"))
        journal.answer("a", lambda: result("second", Outcome.CRASH))

    with Journal(file) as again:
        left = again.left
        earlier = [again.answer("a", never), again.answer("a", never)]
        new = again.answer("a", lambda: result("third"))

    assert left == 3
    assert earlier == [result("first"), result("second", Outcome.CRASH)]
    assert new == result("third")


def test_finished_work_leaves_nothing(file: Path) -> None:
    """Whoever asks again wants to know it anew; nor does work leave a file that asked nothing."""
    with Journal(file) as journal:
        journal.answer("a", lambda: result("first"))
        journal.finish()

    assert not file.exists()
    with Journal(file) as again:
        assert again.left == 0
    assert not file.exists()


@pytest.mark.parametrize("torn", [b'{"question": "b", "res', b'{"question": "b"}\n', b"\xff\n"])
def test_a_torn_line_is_cut_off(file: Path, torn: bytes) -> None:
    """What was whole before a process was killed is kept, and the next line is whole again."""
    with Journal(file) as journal:
        journal.answer("a", lambda: result("first"))
    with file.open("ab") as out:
        out.write(torn)

    with Journal(file) as again:
        again.answer("b", lambda: result("new"))

    with Journal(file) as last:
        assert last.left == 2
        assert last.answer("b", never) == result("new")


@pytest.mark.parametrize("outcome", [Outcome.NOT_TESTED, Outcome.HARNESS_FAULT])
def test_what_says_nothing_of_the_build_is_not_kept(file: Path, outcome: Outcome) -> None:
    """A device may be there the next time, and a fault of our own may be mended."""
    with Journal(file) as journal:
        journal.answer("a", lambda: result("first", outcome))

    with Journal(file) as again:
        assert again.left == 0


def test_a_second_process_at_the_same_work_neither_reads_nor_writes(file: Path) -> None:
    """It asks for itself; the first one's answers are whole afterwards."""
    with Journal(file) as first:
        first.answer("a", lambda: result("first"))
        with Journal(file) as second:
            left = second.left
            asked = second.answer("a", lambda: result("second"))
            second.finish()
        first.answer("b", lambda: result("third"))

    assert (left, asked) == (0, result("second"))
    with Journal(file) as again:
        assert again.answer("a", never) == result("first")
        assert again.answer("b", never) == result("third")
