"""Threads at once: they meet where they should, every wait ends, and a hang is told with stacks."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest

from harness.wire.providers import ExecutionProvider
from harness.wire.settings import SessionSettings
from harness.worker.cases.concurrency import schedules
from harness.worker.cases.concurrency.schedules import (
    EdgedBinding,
    Hold,
    HungError,
    Inputs,
    Perturbation,
    Place,
    at_once,
    quick_switches,
)
from tests.unit.scripted_binding import ScriptedBinding

if TYPE_CHECKING:
    from harness.worker.cases.concurrency.schedules import Edge, EdgedSession

WAIT_S = 30.0


def edged(edge: Edge, claims: ExecutionProvider | None = None) -> EdgedSession:
    """Return a session behind an edge that answers with its inputs."""
    binding = EdgedBinding(inner=ScriptedBinding(), edge=edge, claims=claims)
    return binding.create(
        b"", provider=ExecutionProvider.CPU, options={}, settings=SessionSettings()
    )


def test_every_member_works_in_every_round() -> None:
    """The values come back by thread and round, and an error is one of them."""

    def work(thread: int, round_: int) -> int:
        if (thread, round_) == (1, 1):
            raise ValueError("one of six")
        return 10 * thread + round_

    attempts = at_once(work, threads=3, rounds=2)

    values = {(one.thread, one.round): one.value for one in attempts}
    assert values == {(0, 0): 0, (1, 0): 10, (2, 0): 20, (0, 1): 1, (1, 1): None, (2, 1): 21}
    assert [str(one.error) for one in attempts if one.error] == ["one of six"]


def test_a_hang_is_told_with_the_stack_of_who_is_stuck() -> None:
    """The one who is stuck is named, and the line where it waits; the others go home."""
    never = threading.Event()

    def gets_stuck(thread: int, _round: int) -> None:
        if thread == 1:
            never.wait(WAIT_S)

    with pytest.raises(HungError, match=r"stuck: thread 1$") as hung:
        at_once(gets_stuck, threads=3, rounds=2, patience_s=0.2)
    never.set()

    assert "never.wait(WAIT_S)" in hung.value.stacks
    assert "thread 0" not in hung.value.stacks


@pytest.mark.parametrize("place", [Place.BEFORE, Place.AFTER])
def test_members_meet_in_the_session(place: Place) -> None:
    """In the round of a place all of them are in the session at once."""
    edge = Perturbation(4)
    session = edged(edge)
    rounds = 1 + list(Place).index(place)

    at_once(lambda _t, _r: session.run({}), threads=4, rounds=rounds, perturbation=edge)

    assert edge.most == 4
    assert edge.missed == 0
    assert edge.in_flight == 0


def checks_and_then_acts(done: list[str]) -> None:
    """Do something unless it was done before, which two threads at once both do."""
    if not done:
        done.append("done")


def test_members_meet_between_a_check_and_what_follows() -> None:
    """At each line of the named modules once: both have looked before either has acted."""
    edge = Perturbation(2, code=frozenset({__name__}), places=(Place.LINE,))
    done: list[list[str]] = [[] for _ in range(4)]

    at_once(
        lambda _thread, round_: checks_and_then_acts(done[round_]),
        threads=2,
        rounds=len(done),
        perturbation=edge,
    )

    assert ["done", "done"] in done
    assert edge.missed == 0


def test_a_missed_meeting_ends_and_is_no_meeting_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs that take turns never meet, and all of them end."""
    monkeypatch.setattr(schedules, "MEET_S", 0.05)
    edge, turn = Perturbation(3), threading.Lock()
    session = edged(edge)

    def takes_its_turn(_thread: int, _round: int) -> None:
        with turn:
            session.run({})

    attempts = at_once(takes_its_turn, threads=3, rounds=8, perturbation=edge)

    assert len(attempts) == 24
    assert edge.most == 1
    assert edge.missed == 2


def test_a_run_is_held_until_the_release() -> None:
    """It has come to the place, is counted, and goes on when it is told to."""
    hold = Hold(Place.BEFORE)
    session = edged(hold)
    hold.arm()
    running = threading.Thread(target=session.run, args=({},))
    running.start()

    came = hold.holds(1, WAIT_S)
    held = hold.in_flight
    hold.release()
    running.join(WAIT_S)

    assert came
    assert held == 1
    assert not running.is_alive()


def test_a_hold_that_nobody_ends_releases_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits half as long as a hang takes, once and not for each run."""
    monkeypatch.setattr(schedules, "PATIENCE_S", 0.1)
    hold = Hold(Place.INPUTS)
    hold.arm()

    values = dict(Inputs(hold, {"x": 1, "w": 2}))

    assert values == {"x": 1, "w": 2}
    assert hold.held == 1


def test_a_pretended_provider_is_the_cpu_in_truth() -> None:
    """The session says that it has the claimed provider; the binding was asked for the CPU's."""
    inner = ScriptedBinding(available=(ExecutionProvider.CPU,))
    binding = EdgedBinding(inner=inner, edge=Hold(Place.BEFORE), claims=ExecutionProvider.TENSORRT)

    session = binding.create(
        b"",
        provider=ExecutionProvider.TENSORRT,
        options={"device_id": "0"},
        settings=SessionSettings(),
    )

    assert ExecutionProvider.TENSORRT in binding.available_providers()
    assert session.providers[0] == ExecutionProvider.TENSORRT
    assert [(one.attached, one.options) for one in inner.asked] == [("CPU", {})]
    assert np.array_equal(session.run({"x": np.ones(3)})[0], np.ones(3))


def test_the_switch_interval_is_restored() -> None:
    """It is short inside, and what it was before after an error as well."""
    before = sys.getswitchinterval()
    inside = []

    def fails_inside() -> None:
        with quick_switches():
            inside.append(sys.getswitchinterval())
            raise ValueError("inside")

    with pytest.raises(ValueError, match="inside"):
        fails_inside()

    assert inside == [pytest.approx(schedules.SWITCH_S)]
    assert sys.getswitchinterval() == before
