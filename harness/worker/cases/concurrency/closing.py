"""Sessions that are closed while others run them, after which nobody can, and twice."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.wire.catalogue import concurrency as catalogue
from harness.wire.messages import Evidence, Request
from harness.wire.outcomes import Outcome
from harness.wire.providers import ConcurrentRun
from harness.worker.backend import ClosedError
from harness.worker.cases import Observation, implements
from harness.worker.cases.concurrency.races import (
    THREADS,
    Alone,
    Answer,
    Race,
    Refusal,
    judge,
    run_alone,
    run_together,
    tell,
)
from harness.worker.cases.concurrency.racing import Device, matrices, racing
from harness.worker.cases.concurrency.schedules import MEET_S, Attempt, Hold, Inputs, Place, at_once

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.worker.cases.refusals import Seen
    from harness.worker.under_test import UnderTest

CLOSINGS = 16
"""Sessions that are closed at a moment that is left to chance."""

STEPS = 3
"""Runs that each thread tries on such a session: before the close, at the same time, and after."""

ROUNDS_AFTER = 4

CLOSER = (0, 1)
"""The thread that closes, and at which step."""


@implements(catalogue.CLOSE_WHILE_RUNNING)
def close_while_running(request: Request, under_test: UnderTest) -> Observation:
    """Close while runs are held at each place of their way, and then at any moment."""
    device = Device(request, under_test)
    with racing(under_test) as seen:
        device.note_placement(seen)
        for place in Place:
            _close_with_runs_at(place, device, seen)
        _close_at_any_moment(device, seen)
    return seen.observation


@implements(catalogue.RUN_AFTER_CLOSE)
def run_after_close(request: Request, under_test: UnderTest) -> Observation:
    """Run in all threads what has been run and closed."""
    device = Device(request, under_test)
    with racing(under_test) as seen:
        device.note_placement(seen)
        edge = device.perturbation(THREADS)
        backend = device.open(edge)
        backend.run(matrices(0, 0))
        backend.close()
        seen.stage = "run"
        attempts = at_once(
            lambda thread, round_: backend.run(Inputs(edge, matrices(thread, round_))),
            threads=THREADS,
            rounds=ROUNDS_AFTER,
            perturbation=edge,
        )
        seen.answer["runs"] = len(attempts)
        if others := [one for one in attempts if not isinstance(one.error, ClosedError)]:
            first = others[0]
            got = repr(first.error) if first.error else "an answer"
            text = f"thread {first.thread}, round {first.round}: got {got}, not ClosedError"
            seen.conclude(Outcome.FAIL, Evidence(text=text))
    return seen.observation


@implements(catalogue.CLOSE_AT_ONCE)
def close_at_once(request: Request, under_test: UnderTest) -> Observation:
    """Close each of many sessions in all threads at once, and once more."""
    device = Device(request, under_test)
    with racing(under_test) as seen:
        device.note_placement(seen)
        edge = device.perturbation(THREADS, places=(Place.LINE,))
        backends = [device.open(edge) for _ in range(CLOSINGS)]
        seen.stage = "close"
        attempts = at_once(
            lambda _thread, round_: backends[round_].close(),
            threads=THREADS,
            rounds=CLOSINGS,
            perturbation=edge,
        )
        for backend in backends:
            backend.close()
        seen.answer["closings"] = len(attempts)
        _want_no_error(attempts, seen)
    return seen.observation


def _close_with_runs_at(place: Place, device: Device, seen: Seen) -> None:
    """Close when a run of every thread has come to the place, and let them go on after that."""
    hold = Hold(place)
    backend = device.open(hold)
    race = Race(
        inputs=lambda thread, round_: Inputs(hold, matrices(thread, round_)),
        run=lambda _thread, _round, inputs: backend.run(inputs),
        rounds=1,
    )
    alone = run_alone(race)
    # Those that take turns wait in the backend while one is in the session.
    taking_turns = device.contract is ConcurrentRun.SERIALISED and place is not Place.INPUTS
    count = 1 if taking_turns else THREADS
    hold.arm()

    def close() -> None:
        hold.holds(count, MEET_S)
        backend.close()
        hold.release()

    closing = threading.Thread(target=close, daemon=True)
    closing.start()
    attempts = run_together(race, device.perturbation(1), alone.longest_s)
    closing.join(MEET_S)
    seen.answer[f"held at {place.name.lower()}"] = hold.held
    _judge_overtaken(alone, attempts, seen)


def _close_at_any_moment(device: Device, seen: Seen) -> None:
    """Run each of many sessions three times, and close it during the second."""
    edge = device.perturbation(1)
    backends = [device.open(edge) for _ in range(CLOSINGS)]

    def run(thread: int, round_: int, inputs: Any) -> Sequence[Any]:
        backend = backends[round_ // STEPS]
        if (thread, round_ % STEPS) != CLOSER:
            return backend.run(inputs)
        edge.at(Place.BEFORE)  # a pause
        backend.close()
        return []

    race = Race(
        inputs=lambda thread, round_: Inputs(edge, matrices(thread, round_)),
        run=run,
        rounds=CLOSINGS * STEPS,
    )
    with device.open(edge) as reference:
        never_closed = replace(race, run=lambda _thread, _round, inputs: reference.run(inputs))
        alone = run_alone(never_closed)
    attempts = run_together(race, edge, alone.longest_s)
    wanted = {
        (thread, round_): Refusal.of(ClosedError()) if round_ % STEPS > CLOSER[1] else answer
        for (thread, round_), answer in alone.answers.items()
    }
    closes = (one for one in attempts if (one.thread, one.round % STEPS) == CLOSER)
    runs = [one for one in attempts if (one.thread, one.round % STEPS) != CLOSER]
    _judge_overtaken(replace(alone, answers=wanted), runs, seen)
    _want_no_error(closes, seen)
    tell(race, edge, seen)


def _judge_overtaken(alone: Alone, attempts: list[Attempt[Answer]], seen: Seen) -> None:
    """Conclude FAIL for an attempt that is neither right nor refused because of the close."""
    overtaken = [one for one in attempts if isinstance(one.error, ClosedError)]
    judge(alone, [one for one in attempts if one not in overtaken], seen)


def _want_no_error(closes: Iterable[Attempt[Any]], seen: Seen) -> None:
    if failed := [one for one in closes if one.error]:
        first = failed[0]
        text = f"thread {first.thread}, round {first.round}: close raised {first.error!r}"
        seen.conclude(Outcome.FAIL, Evidence(text=text, status=type(first.error).__name__))
