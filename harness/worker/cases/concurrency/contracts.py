"""Whether several threads may be in one session, as the data says it of each EP, is measured.

What a host has no device for is measured with a pretended provider: its sessions are of the CPU EP
and deny it, so that the backend must treat them as the provider's.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.wire.catalogue import concurrency as catalogue
from harness.wire.messages import Evidence, Request
from harness.wire.outcomes import Outcome
from harness.wire.providers import (
    CAPTURES_GRAPH,
    CHAINS,
    ConcurrentRun,
    DeviceRequest,
    concurrent_run,
)
from harness.worker.backend import OpenOptions, ThreadError
from harness.worker.cases import Observation, implements
from harness.worker.cases.concurrency import models
from harness.worker.cases.concurrency.races import (
    THREADS,
    Race,
    compete,
    judge,
    run_alone,
    run_together,
)
from harness.worker.cases.concurrency.racing import (
    SETTINGS,
    Device,
    code_of,
    matrices,
    racing,
    uneven,
)
from harness.worker.cases.concurrency.schedules import (
    EdgedBinding,
    Hold,
    Inputs,
    Perturbation,
    Place,
    at_once,
)

if TYPE_CHECKING:
    from harness.worker.backend import Backend
    from harness.worker.cases.concurrency.schedules import Edge
    from harness.worker.cases.refusals import Seen
    from harness.worker.under_test import UnderTest

OVERLAP_S = 10.0
"""How long a second run may take to come to the first, where it may: it has nothing to wait for."""

TURN_S = 0.5
"""How long a second run is given to come to the first where it must not."""

PRETENDED = {
    ConcurrentRun.ALLOWED: DeviceRequest.CUDA,
    ConcurrentRun.SERIALISED: DeviceRequest.TENSORRT,
    ConcurrentRun.FORBIDDEN: DeviceRequest.CUDA,
}
"""A request for a provider of each contract."""


@implements(catalogue.DEVICE_CONTRACT)
def device_contract(request: Request, under_test: UnderTest) -> Observation:
    """Hold the asked device's runs in the session and count them."""
    device = Device(request, under_test)
    with racing(under_test) as seen:
        device.perturbation(THREADS)  # says whether there is anything to measure
        device.note_placement(seen)
        hold = Hold(Place.BEFORE)
        with device.open(hold) as backend:
            _measure(backend, hold, device.contract, seen)
    return seen.observation


@implements(catalogue.ALLOWED_OVERLAP)
def allowed_overlap(_request: Request, under_test: UnderTest) -> Observation:
    """Hold the runs of a pretended provider that allows them at once."""
    with racing(under_test) as seen:
        hold = Hold(Place.BEFORE)
        with _pretended(under_test, ConcurrentRun.ALLOWED, hold) as backend:
            _measure(backend, hold, ConcurrentRun.ALLOWED, seen)
    return seen.observation


@implements(catalogue.SERIALISED_TURNS)
def serialised_turns(_request: Request, under_test: UnderTest) -> Observation:
    """Hold the runs of a pretended provider that promises nothing, and then let many go."""
    with racing(under_test) as seen:
        hold = Hold(Place.BEFORE)
        with _pretended(under_test, ConcurrentRun.SERIALISED, hold) as backend:
            _measure(backend, hold, ConcurrentRun.SERIALISED, seen)
        edge = Perturbation(1, code=code_of(under_test))
        with _pretended(under_test, ConcurrentRun.SERIALISED, edge) as backend:
            race = Race(
                inputs=lambda thread, round_: Inputs(edge, matrices(thread, round_)),
                run=lambda _thread, _round, inputs: backend.run(inputs),
            )
            compete(race, edge, seen)
        if edge.most > 1:
            _overlapped(edge.most, seen)
    return seen.observation


@implements(catalogue.FORBIDDEN_THREAD)
def forbidden_thread(_request: Request, under_test: UnderTest) -> Observation:
    """Run in one thread, then in others, then in the first again."""
    with racing(under_test) as seen:
        edge = Perturbation(1, code=code_of(under_test))
        with _pretended(under_test, ConcurrentRun.FORBIDDEN, edge) as backend:
            seen.stage = "run"
            inputs = matrices(0, 0)
            (want, _) = backend.run(inputs)
            attempts = at_once(lambda _t, _r: backend.run(inputs), threads=THREADS, rounds=2)
            (again, _) = backend.run(inputs)
        others = [one for one in attempts if not isinstance(one.error, ThreadError)]
        seen.answer["refused"] = len(attempts) - len(others)
        if others:
            got = repr(others[0].error) if others[0].error else "an answer"
            text = f"a second thread got {got}, not ThreadError"
            seen.conclude(Outcome.FAIL, Evidence(text=text))
        elif not np.array_equal(want, again):
            seen.conclude(Outcome.FAIL, Evidence(text="the first thread got another answer later"))
    return seen.observation


@implements(catalogue.TURN_AFTER_ERROR)
def turn_after_error(_request: Request, under_test: UnderTest) -> Observation:
    """Let every second run be refused by the session, where runs take turns."""
    with racing(under_test) as seen:
        edge = Perturbation(1, code=code_of(under_test))

        def inputs(thread: int, round_: int) -> Any:
            values = matrices(thread, round_)
            return Inputs(edge, uneven(values) if thread in refused else values)

        refused = frozenset(range(1, THREADS, 2))
        with _pretended(under_test, ConcurrentRun.SERIALISED, edge) as backend:
            race = Race(
                inputs=inputs,
                run=lambda _thread, _round, given: backend.run(given),
                refused=refused,
            )
            compete(race, edge, seen)
    return seen.observation


@implements(catalogue.TURNS_OF_OTHERS)
def turns_of_others(_request: Request, under_test: UnderTest) -> Observation:
    """Hold a run in one session, let another wait for its turn there, and run other sessions."""
    with racing(under_test) as seen:
        hold, free = Hold(Place.BEFORE), Perturbation(1)
        held = _pretended(under_test, ConcurrentRun.SERIALISED, hold)
        others = [
            _pretended(under_test, contract, free)
            for contract in (ConcurrentRun.SERIALISED, ConcurrentRun.ALLOWED)
        ]
        seen.stage = "run"
        hold.arm()
        ended: list[int] = []

        def work(thread: int, _round: int) -> bool:
            """Return whether the held run was still held when this one ended."""
            if thread >= len(others):
                held.run(matrices(thread, 0))
                return True
            hold.holds(1, OVERLAP_S)
            others[thread].run(matrices(thread, 0))
            waited = hold.in_flight == 0
            ended.append(thread)
            if len(ended) == len(others):
                hold.release()
            return not waited

        attempts = at_once(work, threads=len(others) + 2, rounds=1)
        seen.answer["runs of other sessions while one was held"] = len(ended)
        if waiting := [one for one in attempts if not one.value]:
            said = repr(waiting[0].error) if waiting[0].error else "waited"
            text = f"a run of another session {said} while one was held in its own"
            seen.conclude(Outcome.FAIL, Evidence(text=text))
    return seen.observation


def _pretended(under_test: UnderTest, contract: ConcurrentRun, edge: Edge) -> Backend:
    """Return `mixing` opened on a provider of that contract, which is the CPU EP in truth."""
    device = PRETENDED[contract]
    provider = CHAINS[device][0].provider
    captures = contract is ConcurrentRun.FORBIDDEN
    added: dict[str, dict[str, str]] = {
        provider: {CAPTURES_GRAPH[provider]: "1"} if captures else {}
    }
    assert concurrent_run(provider, added[provider]) is contract
    options = OpenOptions(
        device=device,
        strict=True,
        providers=added,
        settings=SETTINGS,
    )
    binding = EdgedBinding(inner=under_test.binding, edge=edge, claims=provider)
    return under_test.backend.open(models.mixing(), options, binding=binding)


def _measure(backend: Backend, hold: Hold, contract: ConcurrentRun, seen: Seen) -> None:
    """Hold the first run in the session until a second one comes, or long enough."""
    race = Race(
        inputs=matrices,
        run=lambda _thread, _round, inputs: backend.run(inputs),
        threads=2,
        rounds=1,
    )
    alone = run_alone(race)
    hold.arm()

    def watch() -> None:
        hold.holds(1, OVERLAP_S)
        hold.holds(2, OVERLAP_S if contract is ConcurrentRun.ALLOWED else TURN_S)
        hold.release()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    attempts = run_together(race, Perturbation(1), alone.longest_s)
    watcher.join(OVERLAP_S)
    judge(alone, attempts, seen)
    seen.answer |= {"contract": str(contract), "most runs in the session at once": hold.most}
    if contract is ConcurrentRun.ALLOWED and hold.most < race.threads:
        text = f"the EP allows runs at once, but no second one came within {OVERLAP_S:.0f} s"
        seen.conclude(Outcome.FAIL, Evidence(text=text))
    if contract is ConcurrentRun.SERIALISED and hold.most > 1:
        _overlapped(hold.most, seen)


def _overlapped(most: int, seen: Seen) -> None:
    text = f"{most} runs were in a session at once that the EP does not promise to take"
    seen.conclude(Outcome.FAIL, Evidence(text=text))
