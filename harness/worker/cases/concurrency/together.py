"""Runs and sessions at once: each thread gets what it gets alone."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.wire.catalogue import concurrency as catalogue
from harness.wire.messages import Evidence, Request
from harness.wire.outcomes import Outcome
from harness.wire.providers import CHAINS, DeviceRequest
from harness.worker.cases import Observation, implements
from harness.worker.cases.concurrency import models
from harness.worker.cases.concurrency.races import (
    ROUNDS,
    THREADS,
    Race,
    compete,
    judge,
    run_alone,
    run_together,
    tell,
)
from harness.worker.cases.concurrency.racing import Device, matrices, racing, uneven
from harness.worker.cases.concurrency.schedules import SEED, Inputs, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.worker.backend import Backend
    from harness.worker.cases.concurrency.schedules import Edge
    from harness.worker.cases.refusals import Seen
    from harness.worker.tensors import Array
    from harness.worker.under_test import UnderTest

OPENING_ROUNDS = 5
"""Rounds of a case that opens a session in each: an EP that compiles takes 25 ms and more."""

MODELS = tuple(models.mixing(model) for model in range(4))
"""Models that differ in their weights alone, so that an answer of the wrong session shows."""


def _drawn(edge: Edge) -> Callable[[int, int], Any]:
    return lambda thread, round_: Inputs(edge, matrices(thread, round_))


@implements(catalogue.ONE_SESSION)
def one_session(request: Request, under_test: UnderTest) -> Observation:
    """Run one session in all threads, in every kind of schedule."""
    device = Device(request, under_test)
    with racing(under_test) as seen:
        device.note_placement(seen)
        edge = device.perturbation(THREADS)
        with device.open(edge) as backend:
            run = _runs(backend)
            compete(Race(inputs=_drawn(edge), run=run), edge, seen)
    return seen.observation


@implements(catalogue.DYNAMIC_SHAPES)
def dynamic_shapes(request: Request, under_test: UnderTest) -> Observation:
    """Run one session with as many rows as no other thread of the round has."""
    device = Device(request, under_test)
    with racing(under_test) as seen:
        device.note_placement(seen)
        edge = device.perturbation(THREADS)
        sizes = 12

        def inputs(thread: int, round_: int) -> Any:
            rows = 1 + (thread * 7 + round_ * 3) % sizes
            return Inputs(edge, matrices(thread, round_, rows))

        with device.open(edge) as backend:
            compete(Race(inputs=inputs, run=_runs(backend)), edge, seen)
    return seen.observation


@implements(catalogue.KINDS_OF_INPUT)
def kinds_of_input(request: Request, under_test: UnderTest) -> Observation:
    """Run one session with inputs of five element types."""
    device, model = Device(request, under_test), models.kinds()
    with racing(under_test) as seen:
        device.note_placement(seen, model, _kinds(0, 0))
        edge = device.perturbation(THREADS)
        with device.open(edge, model) as backend:
            race = Race(
                inputs=lambda thread, round_: Inputs(edge, _kinds(thread, round_)),
                run=_runs(backend),
            )
            compete(race, edge, seen)
    return seen.observation


@implements(catalogue.FIRST_SESSIONS)
def first_sessions(request: Request, under_test: UnderTest) -> Observation:
    """Open, run and close at once before anything else was opened; only then do it alone."""
    device = Device(request, under_test)
    with racing(under_test) as seen:
        edge = device.perturbation(THREADS)
        race = Race(inputs=_drawn(edge), run=_opens_runs_closes(device, edge, MODELS), rounds=1)
        attempts = run_together(race, edge)
        device.note_placement(seen)
        judge(run_alone(race), attempts, seen)
        tell(race, edge, seen)
    return seen.observation


@implements(catalogue.MANY_SESSIONS)
def many_sessions(request: Request, under_test: UnderTest) -> Observation:
    """Open, run and close a session in every thread and round, of models that differ."""
    device = Device(request, under_test)
    with racing(under_test) as seen:
        device.note_placement(seen)
        edge = device.perturbation(THREADS)
        run = _opens_runs_closes(device, edge, MODELS)
        compete(Race(inputs=_drawn(edge), run=run, rounds=OPENING_ROUNDS), edge, seen)
    return seen.observation


@implements(catalogue.ONE_FILE)
def one_file(request: Request, under_test: UnderTest) -> Observation:
    """Open one file by its path and as bytes, and one whose weights stand beside it."""
    device = Device(request, under_test)
    with racing(under_test) as seen, tempfile.TemporaryDirectory() as folder:
        device.note_placement(seen)
        edge = device.perturbation(THREADS)
        run = _opens_runs_closes(device, edge, _model_files(Path(folder)))
        compete(Race(inputs=_drawn(edge), run=run, rounds=OPENING_ROUNDS), edge, seen)
    return seen.observation


@implements(catalogue.TWO_BACKENDS)
def two_backends(request: Request, under_test: UnderTest) -> Observation:
    """Run three backends: of two models, one of them twice."""
    device = Device(request, under_test)
    with racing(under_test) as seen:
        device.note_placement(seen)
        edge = device.perturbation(THREADS)
        opened = [device.open(edge, models.mixing(model)) for model in (0, 1, 0)]
        _compete_between(opened, edge, seen)
    return seen.observation


@implements(catalogue.TWO_PROVIDERS)
def two_providers(request: Request, under_test: UnderTest) -> Observation:
    """Run a session on the asked device and one on the CPU EP."""
    device = Device(request, under_test)
    cpu = Device(request, under_test, device=DeviceRequest.CPU)
    with racing(under_test) as seen:
        if CHAINS[request.device][0] in CHAINS[DeviceRequest.CPU]:
            requirement = "a device other than the CPU EP's"
            seen.conclude(Outcome.UNSUPPORTED, Evidence(requirement=requirement))
            return seen.observation
        device.note_placement(seen)
        edge = device.perturbation(THREADS)
        _compete_between([device.open(edge), cpu.open(edge)], edge, seen)
    return seen.observation


@implements(catalogue.ERROR_BESIDE)
def error_beside(request: Request, under_test: UnderTest) -> Observation:
    """Run one session in all threads, two of them with inputs that must be refused."""
    device, good = Device(request, under_test), THREADS - 2
    with racing(under_test) as seen:
        device.note_placement(seen)
        edge = device.perturbation(good)

        def inputs(thread: int, round_: int) -> Any:
            values = matrices(thread, round_)
            return Inputs(edge, values if thread < good else _spoilt(values, round_))

        with device.open(edge) as backend:
            refused = frozenset(range(good, THREADS))
            compete(Race(inputs=inputs, run=_runs(backend), refused=refused), edge, seen)
    return seen.observation


@implements(catalogue.FAILED_OPEN_BESIDE)
def failed_open_beside(request: Request, under_test: UnderTest) -> Observation:
    """Run one session in most threads while two open others, and two open what cannot be opened."""
    device, running, opening = Device(request, under_test), THREADS - 4, THREADS - 2
    hopeless = (b"not a model", "/no/such/model.onnx", models.unknown_operator())
    with racing(under_test) as seen:
        device.note_placement(seen)
        edge = device.perturbation(running)

        def run(thread: int, round_: int, inputs: Any) -> Sequence[Any]:
            if thread < running:
                return backend.run(inputs)
            model = models.mixing(1) if thread < opening else hopeless[round_ % len(hopeless)]
            with device.open(edge, model) as other:
                return other.run(inputs)

        with device.open(edge) as backend:
            refused = frozenset(range(opening, THREADS))
            race = Race(inputs=_drawn(edge), run=run, rounds=2 * OPENING_ROUNDS, refused=refused)
            compete(race, edge, seen)
    return seen.observation


def _runs(backend: Backend) -> Callable[[int, int, Any], Sequence[Any]]:
    return lambda _thread, _round, inputs: backend.run(inputs)


def _opens_runs_closes(
    device: Device, edge: Edge, models: Sequence[bytes | str]
) -> Callable[[int, int, Any], Sequence[Any]]:
    """Return work in which every second thread runs when the other half has closed, or at once."""

    def run(thread: int, _round: int, inputs: Any) -> Sequence[Any]:
        with device.open(edge, models[thread % len(models)]) as backend:
            if thread % 2:
                edge.at(Place.BETWEEN)
            outputs = backend.run(inputs)
        if thread % 2 == 0:
            edge.at(Place.BETWEEN)
        return outputs

    return run


def _compete_between(opened: Sequence[Backend], edge: Any, seen: Seen) -> None:
    """Let each thread run one of the backends, and close them."""

    def run(thread: int, _round: int, inputs: Any) -> Sequence[Any]:
        return opened[thread % len(opened)].run(inputs)

    compete(Race(inputs=_drawn(edge), run=run, rounds=ROUNDS), edge, seen)
    for backend in opened:
        backend.close()


def _kinds(thread: int, round_: int) -> dict[str, Array]:
    """Return inputs of `kinds` that nobody else has."""
    draw = np.random.default_rng([SEED, thread, round_])
    numbers = draw.integers(-99, 100, 24)
    return {
        "s": np.array([f"thread {thread}, round {round_}: {n}" for n in numbers], dtype=object),
        "i": numbers,
        "f": numbers > 0,
        "h": numbers.astype(np.float16),
        "x": numbers.astype(np.float32),
    }


def _spoilt(values: dict[str, Array], round_: int) -> dict[str, Array]:
    """Return inputs of `mixing` that are wrong: for the session, or for the backend already."""
    ways: tuple[Callable[[], dict[str, Array]], ...] = (
        lambda: uneven(values),
        lambda: {**values, "b": values["b"].astype(np.float64)},
        lambda: {"x": values["x"]},
        lambda: {**values, "unknown": values["x"]},
    )
    return ways[round_ % len(ways)]()


def _model_files(folder: Path) -> tuple[bytes | str, ...]:
    """Return a model as bytes, as its file, and as a file with the weights in another file."""
    whole, parted = folder / "whole.onnx", folder / "parted.onnx"
    whole.write_bytes(models.mixing())
    parted.write_bytes(models.mixing(weights_file="weights.bin"))
    (folder / "weights.bin").write_bytes(models.weights(0))
    return whole.read_bytes(), str(whole), str(parted)
