"""How a case of `leaks` is carried out: one thing over and over while every meter is read."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from harness.wire.messages import Evidence, Request
from harness.wire.outcomes import Outcome
from harness.wire.providers import CHAINS, Candidate, DeviceRequest
from harness.wire.settings import SessionSettings
from harness.worker.backend import Backend, BackendError, OpenOptions
from harness.worker.bindings.wrapped import WrappedBinding
from harness.worker.cases import Observation, implements
from harness.worker.cases.leaks.allocations import growing_lines, native_allocations
from harness.worker.cases.leaks.growth import WARM_UP_WINDOWS, Pace, Plan, Series, watch
from harness.worker.cases.leaks.meters import Alive, Kind, WatchedBinding, meters, not_of_python
from harness.worker.cases.leaks.slopes import Trend
from harness.worker.cases.refusals import observed
from harness.worker.models import smallest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from harness.wire.catalogue.procedures import Procedure
    from harness.worker.bindings import Binding, Session
    from harness.worker.cases.refusals import Seen
    from harness.worker.under_test import UnderTest

ADDITION = smallest.addition()
THREE = np.array([1, 2, 3], np.float32)
TWO_THREADS = SessionSettings(intra_threads=2, config=(("session.intra_op.allow_spinning", "0"),))
"""So that each session has a thread of its own to give back, which sleeps when it has no work."""
AT_ONCE = 2


class NotRefusedError(BackendError):
    """What had to be refused was not, so that nothing can be said of how it is refused."""


def nothing() -> None:
    """Do nothing: what a cycle costs by itself."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """What a case does over and over."""

    cycle: Callable[[], None]
    control: Callable[[], None] = nothing
    """The same without the build: what it leaves is our own."""


class Stand:
    """What a case opens models with: every session and backend is known to be alive or gone."""

    def __init__(self, request: Request, under_test: UnderTest, alive: Alive) -> None:
        self.options = OpenOptions(
            device=request.device, strict=True, providers=request.providers, settings=TWO_THREADS
        )
        self._alive = alive
        self.under_test = replace(under_test, binding=WatchedBinding(under_test.binding, alive))

    def open(self, model: bytes, options: OpenOptions | None = None) -> Backend:
        """Return a model opened strictly on the asked device, or with other options."""
        return self._watched(self.under_test, model, options or self.options)

    def opens_next(self, model: bytes, options: OpenOptions, fails: Candidate) -> Backend:
        """Return a model opened where the build has `fails`, whose sessions cannot be created."""
        pretending = PretendingBinding(self.under_test.binding, fails)
        return self._watched(replace(self.under_test, binding=pretending), model, options)

    def _watched(self, under_test: UnderTest, model: bytes, options: OpenOptions) -> Backend:
        backend = under_test.open(model, options)
        self._alive.backends.add(backend)
        return backend


class PretendingBinding(WrappedBinding):
    """A build that claims a provider, and fails in ONNX Runtime when it is to make a session."""

    def __init__(self, binding: Binding, claims: Candidate) -> None:
        super().__init__(binding)
        self._claims = claims

    def available_providers(self) -> tuple[str, ...]:
        """Return the providers of the build and the claimed one."""
        return (*super().available_providers(), self._claims.provider)

    def create(
        self,
        model: bytes | str,
        *,
        provider: str,
        options: Mapping[str, str],
        settings: SessionSettings,
    ) -> Session:
        """Return a session of the build, or let it fail as a provider without hardware does."""
        if provider != self._claims.provider:
            return super().create(model, provider=provider, options=options, settings=settings)
        cut = model[: len(model) // 2]
        return super().create(
            cut, provider=CHAINS[DeviceRequest.CPU][0].provider, options={}, settings=settings
        )


Make: TypeAlias = "Callable[[Stand], Work]"


def leak_case(
    procedure: Procedure, *, runs: bool = False, collects: bool = True, coarseness: int = 1
) -> Callable[[Make], Make]:
    """Register the decorated function as what the case does; `runs` where a cycle opens nothing."""

    def register(make: Make) -> Make:
        @implements(procedure)
        def carry_out(request: Request, under_test: UnderTest) -> Observation:
            opens = Pace.OPENS if request.device is DeviceRequest.CPU else Pace.COMPILES
            pace = Pace.RUNS if runs else opens
            plan = Plan(pace=pace, collects=collects, coarseness=coarseness)
            alive = Alive()
            with observed(under_test.binding) as seen:
                work = make(Stand(request, under_test, alive))
                read = meters(alive) if collects else not_of_python(meters(alive))
                control = watch(work.control, read, plan)
                _conclude(seen, work, control, watch(work.cycle, read, plan))
            return seen.observation

        return make

    return register


def _conclude(
    seen: Seen, work: Work, control: tuple[Series, ...], found: tuple[Series, ...]
) -> None:
    """Set the outcome: a leak with where it was allocated, or our own fault if the control grew."""
    seen.stage = "compare"
    seen.answer["cycles a window"] = found[0].plan.pace.value
    seen.answer["cycles of warm-up"] = found[0].plan.pace.value * WARM_UP_WINDOWS
    for one, of_control in zip(found, control, strict=True):
        by_itself = {"control a cycle": round(of_control.per_cycle, 3)}
        seen.answer[one.meter.name] = one.to_json() | by_itself
    if noisy := _growing(control):
        text = f"grows with nothing under test: {_told(noisy)}"
        seen.conclude(Outcome.HARNESS_FAULT, Evidence(text=text))
    elif grown := _growing(found):
        where = _allocated(work, grown, seen.answer)
        text = "; ".join([f"grows: {_told(grown)}", *where])
        seen.conclude(Outcome.FAIL, Evidence(text=text))


def _growing(series: tuple[Series, ...]) -> list[Series]:
    return [one for one in series if one.trend is Trend.GROWS]


def _told(grown: list[Series]) -> str:
    windows = f"{len(grown[0].levels) - 1} windows of {grown[0].plan.pace.value} cycles"
    return f"{', '.join(one.text for one in grown)}, over {windows}"


def _allocated(work: Work, grown: list[Series], answer: dict[str, Any]) -> Iterator[str]:
    """Say where what grew was allocated; all that is known of it goes into the answer."""
    cycles, kinds = grown[0].plan.pace.value, {one.meter.kind for one in grown}
    for kind, name, find in (
        (Kind.PYTHON, "growing lines", growing_lines),
        (Kind.NATIVE, "native allocations", native_allocations),
    ):
        if kind in kinds and (places := find(work.cycle, cycles)):
            answer[name] = places
            yield f"{name}: {places[0]}"


def in_threads(work: Callable[[], Any]) -> None:
    """Do the work in some threads at once, and raise what one of them raised."""
    errors: list[Exception] = []

    def guarded() -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - boundary: raised again below
            errors.append(error)

    threads = [threading.Thread(target=guarded) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors.pop()


def refused(
    kind: type[Exception] | tuple[type[Exception], ...], act: Callable[..., Any], *arguments: Any
) -> None:
    """Do what must raise one of `kind`; raise NotRefusedError where it does not."""
    try:
        act(*arguments)
    except kind:
        return
    raise NotRefusedError(f"{act.__qualname__} did not refuse {arguments!r:.100}")


def drop(_values: list[Any]) -> None:
    """Let the values go."""
