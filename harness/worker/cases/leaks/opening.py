"""The cases of `leaks` in which every cycle opens a model."""

from __future__ import annotations

import gc
from dataclasses import replace
from typing import Any

from harness.wire.catalogue import leaks as catalogue
from harness.wire.providers import CHAINS, DeviceRequest
from harness.worker.backend import ClosedError, OpenError
from harness.worker.cases.leaks.work import (
    ADDITION,
    THREE,
    Stand,
    Work,
    drop,
    in_threads,
    leak_case,
    nothing,
    refused,
)


@leak_case(catalogue.OPEN_CLOSE)
def open_close(stand: Stand) -> Work:
    """Open and close."""
    return Work(cycle=lambda: stand.open(ADDITION).close())


@leak_case(catalogue.OPEN_RUN_CLOSE)
def open_run_close(stand: Stand) -> Work:
    """Open, run and close."""
    return Work(cycle=lambda: _open_run_close(stand))


def _open_run_close(stand: Stand) -> None:
    with stand.open(ADDITION) as backend:
        backend.run([THREE, THREE])


@leak_case(catalogue.FREED_AT_CLOSE, collects=False)
def freed_at_close(stand: Stand) -> Work:
    """Open, run and close while nothing collects what is unreachable."""
    return Work(cycle=lambda: _open_run_close(stand))


@leak_case(catalogue.CLOSE_TWICE)
def close_twice(stand: Stand) -> Work:
    """Close twice, with a run that must be refused in between."""

    def cycle() -> None:
        backend = stand.open(ADDITION)
        backend.close()
        refused(ClosedError, backend.run, [THREE, THREE])
        backend.close()

    return Work(cycle=cycle)


@leak_case(catalogue.IN_A_CYCLE)
def in_a_reference_cycle(stand: Stand) -> Work:
    """Forget an open backend in a list that holds itself, and collect what is young."""

    def cycle() -> None:
        backend = stand.open(ADDITION)
        backend.run([THREE, THREE])
        loop: list[Any] = [backend]
        loop.append(loop)
        del backend, loop
        gc.collect(0)

    return Work(cycle=cycle, control=lambda: drop([gc.collect(0)]))


@leak_case(catalogue.OUTPUTS_KEPT)
def outputs_kept(stand: Stand) -> Work:
    """Keep the outputs of a few runs until the next session has run."""
    kept: list[Any] = []

    def cycle() -> None:
        with stand.open(ADDITION) as backend:
            kept[:] = [backend.run([THREE, THREE]) for _ in range(8)]

    return Work(cycle=cycle)


@leak_case(catalogue.IN_THREADS)
def sessions_in_threads(stand: Stand) -> Work:
    """Open, run and close in threads that end."""
    return Work(
        cycle=lambda: in_threads(lambda: _open_run_close(stand)),
        control=lambda: in_threads(nothing),
    )


@leak_case(catalogue.MALFORMED)
def failed_open_malformed(stand: Stand) -> Work:
    """Open half of a model, and a model with an operator that there is not."""
    unknown = ADDITION.replace(b"Add", b"Ads")
    cut = ADDITION[: len(ADDITION) // 2]
    any_device = replace(stand.options, strict=False)

    def cycle() -> None:
        for model in (cut, unknown):
            refused(OpenError, stand.open, model, any_device)

    return Work(cycle=cycle)


@leak_case(catalogue.PROVIDER_MISSING)
def failed_open_provider_missing(stand: Stand) -> Work:
    """Open strictly where the first candidate is not in the build."""
    has = stand.under_test.binding.available_providers()
    lacking = next(one for one in DeviceRequest if CHAINS[one][0].provider not in has)
    options = replace(stand.options, device=lacking)
    return Work(cycle=lambda: refused(OpenError, stand.open, ADDITION, options))


@leak_case(catalogue.FALLBACK_RETRY)
def fallback_retry(stand: Stand) -> Work:
    """Open on AUTO where CUDA fails at creation, and where the build's own candidates do."""
    options = replace(stand.options, device=DeviceRequest.AUTO, strict=False)
    first = CHAINS[DeviceRequest.AUTO][0]

    def cycle() -> None:
        stand.opens_next(ADDITION, options, fails=first).close()
        stand.open(ADDITION, options).close()

    return Work(cycle=cycle)
