"""A race is lost where a thread at once does not get what it gets alone; whose it got is told."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from harness.wire.outcomes import Outcome
from harness.worker.backend import BackendError, InputError
from harness.worker.cases.concurrency.races import Race, compete
from harness.worker.cases.concurrency.schedules import Perturbation
from harness.worker.cases.refusals import Seen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.worker.cases import Observation

MEMBERS = 4
"""Of two threads in two rounds."""


def numbers(thread: int, round_: int) -> Any:
    """Return inputs that nobody else has."""
    return np.array([thread, round_], np.float32)


def seen_of(
    run: Callable[[int, int, Any], Sequence[Any]], refused: frozenset[int] = frozenset()
) -> Observation:
    """Return what is observed of two threads that do this in two rounds."""
    seen = Seen()
    race = Race(inputs=numbers, run=run, threads=2, rounds=2, refused=refused)
    compete(race, Perturbation(1), seen)
    return seen.observation


def wrong(seen: Observation) -> list[str]:
    """Return what is told of wrong answers, one by one."""
    return list(seen.evidence.answer["wrong ones"])


def competing() -> Callable[[], bool]:
    """Return what says whether the calls have begun that come after those of each one alone."""
    calls = itertools.count()
    return lambda: next(calls) >= MEMBERS


def test_right_answers_pass() -> None:
    """Each got its own; the readings say how many runs there were."""
    seen = seen_of(lambda _thread, _round, inputs: [inputs + 1])

    assert seen.outcome is Outcome.PASS
    assert seen.evidence.answer["runs"] == 4
    assert seen.evidence.answer["wrong"] == 0


def test_the_answer_of_another_thread_names_the_race() -> None:
    """Thread 1 gets at once what thread 0 gets alone."""
    at_once = competing()

    def run(thread: int, round_: int, inputs: Any) -> list[Any]:
        return [numbers(0, round_) if at_once() and thread == 1 else inputs]

    seen = seen_of(run)

    assert seen.outcome is Outcome.FAIL
    assert "thread 1, round 0: output 0 is that of thread 0, round 0" in wrong(seen)
    assert seen.evidence.answer["wrong"] == 2


def test_an_answer_that_is_nobodys_is_told_by_its_difference() -> None:
    """The place and both values are in the text."""
    at_once = competing()

    def run(thread: int, round_: int, inputs: Any) -> list[Any]:
        return [numbers(thread, round_ + 7) if at_once() else inputs]

    seen = seen_of(run)

    assert seen.outcome is Outcome.FAIL
    assert "is nobody's: 1 of 2 differ" in seen.evidence.text
    assert seen.evidence.text.endswith("at (1,)")


def test_an_output_that_changes_after_its_return_is_told_so() -> None:
    """One buffer for all is right when each run returns it, and wrong at the end."""
    buffer, turn = np.zeros(2, np.float32), threading.Lock()

    def run(_thread: int, _round: int, inputs: Any) -> list[Any]:
        with turn:
            buffer[:] = inputs
            return [_Snapshot(inputs, buffer)]

    seen = seen_of(run)

    assert seen.outcome is Outcome.FAIL
    assert "was right when it returned, and changed later" in seen.evidence.text


class _Snapshot:
    """What reads right the first time, and as the buffer is from then on."""

    def __init__(self, first: Any, buffer: Any) -> None:
        self._reads = iter([first.copy()])
        self._buffer = buffer

    def __array__(self, *_arguments: Any, **_settings: Any) -> Any:
        return next(self._reads, self._buffer)


def test_an_error_that_nobody_gets_alone_is_a_lost_race() -> None:
    """The error is told with its kind, also where the answer would have been right."""
    at_once = competing()

    def run(thread: int, _round: int, inputs: Any) -> list[Any]:
        if at_once() and thread == 0:
            raise RuntimeError("gone")
        return [inputs]

    seen = seen_of(run)

    assert seen.outcome is Outcome.FAIL
    assert "thread 0, round 0: RuntimeError: gone; alone it got an answer" in wrong(seen)


def test_what_must_be_refused_is_refused_the_same_way() -> None:
    """An answer to it at once is a lost race, although nobody is wrong beside it."""
    at_once = competing()

    def run(thread: int, round_: int, inputs: Any) -> list[Any]:
        is_answered = at_once() and round_ == 1
        if thread == 1 and not is_answered:
            raise InputError("too many")
        return [inputs]

    seen = seen_of(run, refused=frozenset({1}))

    assert seen.outcome is Outcome.FAIL
    assert seen.evidence.text == "thread 1, round 1: was answered; alone it got InputError"


def test_what_must_be_refused_is_refused_alone_as_well() -> None:
    """Otherwise the race would be about nothing."""
    with pytest.raises(BackendError, match="thread 1 asks for what must be refused"):
        seen_of(lambda _thread, _round, inputs: [inputs], refused=frozenset({1}))
