"""What every case of the suite `concurrency` begins with: a session on the asked device."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.wire.messages import Evidence
from harness.wire.outcomes import Outcome
from harness.wire.providers import CHAINS, ConcurrentRun, concurrent_run
from harness.wire.settings import SessionSettings
from harness.worker.backend import OpenOptions, provider_options
from harness.worker.bindings import BindingLimitError
from harness.worker.cases.concurrency import models
from harness.worker.cases.concurrency.schedules import (
    SEED,
    Edge,
    EdgedBinding,
    HungError,
    Perturbation,
    Place,
    quick_switches,
)
from harness.worker.cases.refusals import observed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.wire.messages import Request
    from harness.wire.providers import DeviceRequest
    from harness.worker.backend import Backend
    from harness.worker.cases.refusals import Seen
    from harness.worker.tensors import Array
    from harness.worker.under_test import UnderTest

ROWS = 6

SETTINGS = SessionSettings(intra_threads=2, config=(("session.intra_op.allow_spinning", "0"),))
"""Threads inside the session as well, on any number of cores; spinning ones would eat two."""


@contextlib.contextmanager
def racing(under_test: UnderTest) -> Iterator[Seen]:
    """Give a record to fill while threads change quickly; a hang becomes TIMEOUT with stacks."""
    with observed(under_test.binding) as seen, quick_switches():
        try:
            yield seen
        except HungError as hung:
            evidence = Evidence(text=str(hung), traceback=hung.stacks)
            seen.conclude(Outcome.TIMEOUT, evidence)


class Device:
    """The asked device of one request: how sessions on it are opened, and what it allows."""

    def __init__(
        self, request: Request, under_test: UnderTest, *, device: DeviceRequest | None = None
    ) -> None:
        """Ask for the request's device, or for another one."""
        self._under_test = under_test
        self._device = device or request.device
        self._providers = request.providers

    def options(self, *, records_placement: bool = False) -> OpenOptions:
        """Return how sessions are opened: strictly, with threads of their own inside."""
        settings = replace(SETTINGS, records_placement=records_placement)
        return OpenOptions(
            device=self._device, strict=True, providers=self._providers, settings=settings
        )

    @property
    def contract(self) -> ConcurrentRun:
        """What the data says of the device's provider with the options that it gets."""
        candidate = CHAINS[self._device][0]
        return concurrent_run(candidate.provider, provider_options(candidate, self.options()))

    def open(self, edge: Edge, model: bytes | str | None = None) -> Backend:
        """Return the model, or `mixing`, opened behind an edge."""
        binding = EdgedBinding(inner=self._under_test.binding, edge=edge)
        model = models.mixing() if model is None else model
        return self._under_test.backend.open(model, self.options(), binding=binding)

    def perturbation(self, parties: int, places: tuple[Place, ...] = tuple(Place)) -> Perturbation:
        """Return a perturbation at which `parties` threads meet if the EP lets them run at once.

        Where even one after the other is too many, the case cannot be carried out.
        """
        if self.contract is ConcurrentRun.FORBIDDEN:
            raise BindingLimitError("an execution provider whose session several threads may run")
        return Perturbation(
            parties if self.contract is ConcurrentRun.ALLOWED else 1,
            code=code_of(self._under_test),
            places=places,
        )

    def note_placement(self, seen: Seen, model: bytes | None = None, inputs: Any = None) -> None:
        """Run the model once in a session that says on which provider; note that and the EP."""
        model = models.mixing() if model is None else model
        options = self.options(records_placement=True)
        with self._under_test.open(model, options) as backend:
            seen.attached = backend.attached
            backend.run(matrices(0, 0) if inputs is None else inputs)
            seen.has_run(backend)


def code_of(under_test: UnderTest) -> frozenset[str]:
    """Return the modules that the backend under test is written in."""
    return frozenset(one.__module__ for one in under_test.backend.__mro__) - {"builtins"}


def uneven(values: dict[str, Array]) -> dict[str, Array]:
    """Return inputs of `mixing` that only the session refuses: one has twice the other's rows."""
    return {**values, "b": np.concatenate([values["b"], values["b"]])}


def matrices(thread: int, round_: int, rows: int = ROWS) -> dict[str, Array]:
    """Return inputs of `mixing` that nobody else has: small whole numbers."""
    draw = np.random.default_rng([SEED, thread, round_])
    shape = (rows, models.WIDTH)
    return {name: draw.integers(-99, 100, shape).astype(np.float32) for name in "xb"}
