"""The suite `leaks`: one thing is done over and over while every meter is read."""

from __future__ import annotations

import gc
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from harness.wire.catalogue import leaks as catalogue
from harness.wire.messages import Evidence, Request
from harness.wire.outcomes import Outcome
from harness.wire.providers import CHAINS, Candidate, DeviceRequest, ExecutionProvider
from harness.wire.settings import SessionSettings
from harness.wire.values import ElementType
from harness.worker.backend import Backend, BackendError, ClosedError, OpenError, OpenOptions
from harness.worker.bindings import BindingError
from harness.worker.cases import Observation, implements
from harness.worker.cases.leaks import models
from harness.worker.cases.leaks.allocations import growing_lines, native_allocations
from harness.worker.cases.leaks.growth import WARM_UP_WINDOWS, Pace, Plan, Series, watch
from harness.worker.cases.leaks.meters import Alive, Kind, WatchedBinding, meters, not_of_python
from harness.worker.cases.leaks.slopes import Trend
from harness.worker.cases.refusals import observed
from harness.worker.models import smallest
from harness.worker.tensors import PackedTensor

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


def _nothing() -> None:
    """Do nothing: what a cycle costs by itself."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """What a case does over and over."""

    cycle: Callable[[], None]
    control: Callable[[], None] = _nothing
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


class PretendingBinding:
    """A build that claims a provider, and fails in ONNX Runtime when it is to make a session."""

    def __init__(self, binding: Binding, claims: Candidate) -> None:
        self._binding = binding
        self._claims = claims

    def available_providers(self) -> tuple[str, ...]:
        """Return the providers of the build and the claimed one."""
        return (*self._binding.available_providers(), self._claims.provider)

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
            return self._binding.create(
                model, provider=provider, options=options, settings=settings
            )
        cut = model[: len(model) // 2]
        return self._binding.create(
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


# --- Cases whose every cycle opens ---------------------------------------------------------------


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
        _refused(ClosedError, backend.run, [THREE, THREE])
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

    return Work(cycle=cycle, control=lambda: _drop([gc.collect(0)]))


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
        cycle=lambda: _in_threads(lambda: _open_run_close(stand)),
        control=lambda: _in_threads(_nothing),
    )


def _in_threads(work: Callable[[], Any]) -> None:
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


@leak_case(catalogue.MALFORMED)
def failed_open_malformed(stand: Stand) -> Work:
    """Open half of a model, and a model with an operator that there is not."""
    unknown = ADDITION.replace(b"Add", b"Ads")
    cut = ADDITION[: len(ADDITION) // 2]
    any_device = replace(stand.options, strict=False)

    def cycle() -> None:
        for model in (cut, unknown):
            _refused(OpenError, stand.open, model, any_device)

    return Work(cycle=cycle)


@leak_case(catalogue.PROVIDER_MISSING)
def failed_open_provider_missing(stand: Stand) -> Work:
    """Open strictly where the first candidate is not in the build."""
    has = stand.under_test.binding.available_providers()
    lacking = next(one for one in DeviceRequest if CHAINS[one][0].provider not in has)
    options = replace(stand.options, device=lacking)
    return Work(cycle=lambda: _refused(OpenError, stand.open, ADDITION, options))


@leak_case(catalogue.FALLBACK_RETRY)
def fallback_retry(stand: Stand) -> Work:
    """Open on AUTO where CUDA fails at creation, and where the build's own candidates do."""
    options = replace(stand.options, device=DeviceRequest.AUTO, strict=False)
    first = CHAINS[DeviceRequest.AUTO][0]

    def cycle() -> None:
        stand.opens_next(ADDITION, options, fails=first).close()
        stand.open(ADDITION, options).close()

    return Work(cycle=cycle)


def _refused(
    kind: type[Exception] | tuple[type[Exception], ...], act: Callable[..., Any], *arguments: Any
) -> None:
    try:
        act(*arguments)
    except kind:
        return
    raise NotRefusedError(f"{act.__qualname__} did not refuse {arguments!r:.100}")


# --- Cases that run one session ------------------------------------------------------------------


def _runs(stand: Stand, model: bytes, feed: Callable[[], list[Any]], **options: Any) -> Work:
    """Return the work of running one session, on inputs that are made anew for each run."""
    backend = stand.open(model, replace(stand.options, **options))
    return Work(cycle=lambda: _drop(backend.run(feed())), control=lambda: _drop(feed()))


def _drop(_values: list[Any]) -> None:
    """Let the values go."""


@leak_case(catalogue.SAME_INPUTS, runs=True)
def run_same_inputs(stand: Stand) -> Work:
    """Run on the same arrays."""
    return _runs(stand, ADDITION, lambda: [THREE, THREE])


@leak_case(catalogue.CHANGING_SHAPES, runs=True)
def run_changing_shapes(stand: Stand) -> Work:
    """Run on sixteen shapes in turn."""
    return _runs(stand, models.doubling(ElementType.FLOAT, ("a", "b")), _shaped(4, 5))


@leak_case(catalogue.NEW_SHAPES, runs=True, coarseness=4)
def run_new_shapes(stand: Stand) -> Work:
    """Run on ever new shapes, as many as there are runs.

    OpenVINO 1.24.1 keeps about 100 bytes for each of the first 3,000 shapes, and then no more.
    """
    return _runs(stand, models.doubling(ElementType.FLOAT, ("a", "b")), _shaped(61, 67))


def _shaped(rows: int, columns: int) -> Callable[[], list[Any]]:
    """Return what makes an input of the next of `rows` times `columns` shapes, all different."""
    made = 0

    def feed() -> list[Any]:
        nonlocal made
        made += 1
        return [np.zeros((1 + made % rows, 1 + made % columns), np.float32)]

    return feed


@leak_case(catalogue.FAILED_RUN, runs=True)
def failed_run(stand: Stand) -> Work:
    """Run on a wrong type, a wrong shape, one input too few and one of no known name."""
    backend = stand.open(ADDITION)
    wrong: tuple[Any, ...] = (
        [THREE.astype(np.int64), THREE],
        [THREE[:2], THREE],
        [THREE],
        {"x": THREE, "w": THREE, "z": THREE},
    )

    def cycle() -> None:
        for inputs in wrong:
            _refused((BackendError, BindingError), backend.run, inputs)

    return Work(cycle=cycle)


@leak_case(catalogue.RUNS_IN_THREADS, runs=True)
def runs_in_threads(stand: Stand) -> Work:
    """Run one session in threads that end."""
    backend = stand.open(ADDITION)
    return Work(
        cycle=lambda: _in_threads(lambda: backend.run([THREE, THREE])),
        control=lambda: _in_threads(_nothing),
    )


@leak_case(catalogue.INT64, runs=True)
def inputs_int64(stand: Stand) -> Work:
    """Run on int64."""
    model = models.doubling(ElementType.INT64, (3,))
    return _runs(stand, model, lambda: [np.arange(3)])


@leak_case(catalogue.STRINGS, runs=True)
def inputs_strings(stand: Stand) -> Work:
    """Run on strings, each of which is a new one."""
    model = models.handing_on(ElementType.STRING, (3,))
    made = 0

    def feed() -> list[Any]:
        nonlocal made
        made += 1
        return [np.array([f"{made + n:040d}" for n in range(3)], object)]

    return _runs(stand, model, feed)


@leak_case(catalogue.FLOAT16, runs=True)
def inputs_float16(stand: Stand) -> Work:
    """Run on float32 that is cast at the boundary."""
    model = models.doubling(ElementType.FLOAT16, (3,))
    providers = dict(stand.options.providers or {})
    if stand.options.device is DeviceRequest.OPENVINO_CPU:
        # It refuses the precision FP16 that fp16_io asks for; the cast is what is under test.
        given = providers.get(ExecutionProvider.OPENVINO, {})
        providers[ExecutionProvider.OPENVINO] = {"precision": "FP32", **given}
    return _runs(stand, model, lambda: [THREE.copy()], fp16_io=True, providers=providers)


@leak_case(catalogue.STRIDED, runs=True)
def inputs_strided(stand: Stand) -> Work:
    """Run on every second row of a transposed array."""
    model = models.doubling(ElementType.FLOAT, (4, 3))
    return _runs(stand, model, lambda: [np.zeros((3, 8), np.float32).T[::2]])


@leak_case(catalogue.SEQUENCES, runs=True)
def inputs_sequences(stand: Stand) -> Work:
    """Run on a sequence of two tensors."""
    model = models.handing_on_sequence(ElementType.FLOAT, (3,))
    return _runs(stand, model, lambda: [[THREE.copy(), THREE.copy()]])


@leak_case(catalogue.BFLOAT16, runs=True)
def inputs_bfloat16(stand: Stand) -> Work:
    """Run on bfloat16, which numpy lacks."""
    return _packed(stand, ElementType.BFLOAT16)


@leak_case(catalogue.FLOAT8, runs=True)
def inputs_float8(stand: Stand) -> Work:
    """Run on float8, which numpy lacks."""
    return _packed(stand, ElementType.FLOAT8E4M3FN)


def _packed(stand: Stand, of: ElementType) -> Work:
    data = bytes(4 * of.bits // 8)
    model = models.handing_on(of, (4,))
    return _runs(stand, model, lambda: [PackedTensor(element_type=of, shape=(4,), data=data)])
