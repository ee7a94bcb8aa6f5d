"""A child's log stays small, its end is told, and nothing of it stays (see test_supervisor.py)."""

from __future__ import annotations

import sys
import tempfile
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from harness.controller import process
from harness.controller.process import Cause, Child, Deadline, Death, Launch

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0
REQUEST = {"procedure": "misbehave", "device": "CPU", "number": 1}


def start(way: str) -> Child:
    """Return the worker that misbehaves in the named way, after its hello."""
    program = str(ROOT / "fixtures" / "workers" / "misbehaving.py")
    child = Child(
        Launch(
            command=(sys.executable, "-X", "faulthandler", program, way),
            environment={"PYTHONPATH": str(ROOT)},
            memory_limit_mib=1024,
        )
    )
    assert isinstance(child.answer(Deadline(PATIENCE_S)), dict)
    return child


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the folder of all temporary files, and check that nothing is left when all is over."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    children, descriptors = psutil.Process().children(), psutil.Process().num_fds()
    yield folder
    assert psutil.Process().children() == children
    assert list(folder.iterdir()) == []
    assert psutil.Process().num_fds() == descriptors


def count_cuts(log: Path, asked: Future[object], *, enough: int) -> int:
    """Return how often a file became smaller until it was enough or until the child ended."""
    cuts, last = 0, 0
    while cuts < enough and not asked.done():
        size = log.stat().st_size
        cuts, last = cuts + (size < last), size
        time.sleep(0.001)
    return cuts


def test_endless_output_does_not_fill_the_disk(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log of a child that prints without an end is cut down again and again."""
    monkeypatch.setattr(process, "LOG_LIMIT", 2**20)
    child = start("hang_and_print")
    (log,) = temporary.glob("*/log")

    with ThreadPoolExecutor(1) as pool:
        asked: Future[object] = pool.submit(child.ask, REQUEST, Deadline(PATIENCE_S / 2))
        cuts = count_cuts(log, asked, enough=3)
        child.close()
        asked.result(timeout=PATIENCE_S)

    assert cuts == 3


def test_a_second_close_does_nothing(temporary: Path) -> None:
    """Whoever closes a child last finds all done."""
    child = start("abort")
    child.close()

    child.close()

    assert not child.is_alive
    assert list(temporary.iterdir()) == []


def test_many_may_close_a_child_that_is_asked() -> None:
    """Whichever thread closes it, on return the child is gone, and the asking thread knows."""
    child = start("hang_in_native_code")

    def close() -> bool:
        child.close()
        return child.is_alive

    with ThreadPoolExecutor(9) as pool:
        asked = pool.submit(child.ask, REQUEST, Deadline(PATIENCE_S))
        closed = [pool.submit(close) for _ in range(8)]
        death = asked.result(timeout=PATIENCE_S / 2)

    assert [each.result() for each in closed] == [False] * 8
    assert isinstance(death, Death)
    assert (death.cause, death.signal) == (Cause.DIED, "SIGKILL")


def test_asking_a_closed_child_tells_its_death() -> None:
    """A child that is closed already answers with how it ended."""
    child = start("abort")
    child.close()

    death = child.ask(REQUEST, Deadline(PATIENCE_S))

    assert isinstance(death, Death)
    assert (death.signal, death.log, death.unread) == ("SIGKILL", "", True)


def test_a_child_that_dies_at_the_deadline_is_not_said_to_hang() -> None:
    """What ended by itself is told by how it ended, also by whom gave up on it already."""
    child = start("be_killed")
    child.ask(REQUEST, Deadline(PATIENCE_S))

    death = child.end(Cause.HUNG, "no answer within 0 s")

    assert (death.cause, death.signal, death.text) == (Cause.DIED, "SIGKILL", "")


def test_a_program_that_cannot_be_started_leaves_nothing() -> None:
    """An error at the start is the operating system's own; the fixture looks for what is left."""
    launch = Launch(command=("/nowhere/python",), environment={}, memory_limit_mib=1)

    with pytest.raises(FileNotFoundError) as error:
        Child(launch)

    assert error.value.filename == "/nowhere/python"
