"""The backend's chain on a pretended build: order, what is told, what is kept, what is let go."""

from __future__ import annotations

import contextlib
import gc
import itertools
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.wire.catalogue.fallback import (
    CHAIN,
    CONFIG_KEPT,
    FP16_KEPT,
    NO_NODE_TAKEN,
    NOTHING_SERVES,
    OPTIONS_KEPT,
    RELEASED,
    RUN_FAILS,
    STRICT,
    THREADS_KEPT,
)
from harness.wire.outcomes import Outcome
from harness.wire.providers import DeviceRequest
from harness.wire.settings import SessionSettings
from harness.worker.backend import Backend, ClosedError, OpenError, OpenOptions
from harness.worker.bindings import BindingError
from harness.worker.cases.fallback.pretended import EP_FAIL, Pretended, Way, said_by
from harness.worker.cases.fallback.promises import (
    CPU,
    DEVICE_TYPES,
    HALF_MODEL,
    MODEL,
    NODES,
    ONE_THREAD,
    PROMISED,
    PROVIDERS,
    Faults,
    X,
    carries_out,
    on_the_cpu,
    opened,
    same,
    told,
)
from harness.worker.cases.refusals import Seen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.wire.messages import FallbackStep, Request
    from harness.worker.cases import Observation
    from harness.worker.under_test import UnderTest

WAYS = (Way.RAISES, Way.SILENT, Way.MISSING)
"""How a candidate fails before it has a session."""


def device_of(request: Request) -> DeviceRequest:
    """Return the device request that a case of one is called by: ``…/openvino-gpu``."""
    return DeviceRequest(request.procedure.rpartition("/")[2].replace("-", "_").upper())


def chain(request: Request, under_test: UnderTest) -> Observation:
    """Let the first candidates fail, one more each time and in each way, and see what is told."""
    device, faults = device_of(request), Faults()
    wanted = on_the_cpu(under_test, MODEL)
    steps: Sequence[FallbackStep] = ()
    for serving, ways in _scripts(PROMISED[device]):
        binding = Pretended(under_test.binding, ways)
        case = f"{device} where {_shown(ways)}"
        options = OpenOptions(device=device, settings=ONE_THREAD)
        try:
            backend = opened(under_test, binding, MODEL, options)
        except OpenError as error:
            faults.note(f"{case}: nothing opened, though {serving} would have: {error}")
            continue
        with backend:
            steps = backend.fallback
            faults.expect(f"{case}: attached EP", backend.attached, serving)
            faults.expect(f"{case}: provider", str(backend.provider), PROVIDERS[serving])
            _expect_steps(faults, case, steps, ways)
            tried = [name for name, way in ways.items() if way is not Way.MISSING]
            asked = [one.attached for one in binding.asked]
            faults.expect(f"{case}: sessions asked for", asked, [*tried, serving])
            (got,) = backend.run([X])
            if not same(got, wanted):
                faults.note(f"{case}: the result is {got!r}, the CPU's {wanted!r}")
    return faults.observation(attached=backend.attached, fallback=steps)


for _procedure in CHAIN.values():
    carries_out(_procedure)(chain)


def _scripts(promised: Sequence[str]) -> Iterator[tuple[str, dict[str, Way]]]:
    """Return which candidate must serve where those before it fail: all alike, and mixed."""
    for number, serving in enumerate(promised):
        before = promised[:number]
        mixed = itertools.cycle(WAYS)
        for ways in (
            *([way] * number for way in WAYS),
            [next(mixed) for _ in before],
        ):
            script = dict(zip(before, ways, strict=True))
            missing = {PROVIDERS[name] for name, way in script.items() if way is Way.MISSING}
            # What is missing is a provider with all its candidates.
            if all(
                PROVIDERS[name] not in missing or script.get(name) is Way.MISSING
                for name in (*before, serving)
            ):
                yield serving, script


def _shown(ways: dict[str, Way]) -> str:
    return ", ".join(f"{name} {way}" for name, way in ways.items()) or "all works"


STAGE_AND_STATUS = {
    Way.MISSING: ("registration", "NOT_IN_BUILD"),
    Way.RAISES: ("creation", "FAIL"),
    Way.SILENT: ("creation", "SILENT_FALLBACK"),
}


def _expect_steps(
    faults: Faults, case: str, steps: Iterable[FallbackStep], ways: dict[str, Way]
) -> None:
    """Note what the steps do not say of the candidates that failed in these ways."""
    wanted = [(name, PROVIDERS[name], *STAGE_AND_STATUS[way]) for name, way in ways.items()]
    faults.expect(f"{case}: steps", told(steps), wanted)
    for step in steps:
        raised = ways.get(step.attached) is Way.RAISES
        if not step.text or (raised and said_by(step.attached) not in step.text):
            faults.note(f"{case}: the step of {step.attached} says {step.text!r}")


# --- What is kept ---------------------------------------------------------------------------------


def _all_fail(device: DeviceRequest, way: Way = Way.RAISES) -> dict[str, Way]:
    return dict.fromkeys(PROMISED[device][:-1], way)


@carries_out(OPTIONS_KEPT)
def options_kept(_request: Request, under_test: UnderTest) -> Observation:
    """Give every provider an option, let all but the CPU fail and see what each was given."""
    faults = Faults()
    given = {provider: {f"of_{provider}": "1"} for provider in PROVIDERS.values()}
    for device, way in itertools.product(DeviceRequest, (Way.RAISES, Way.SILENT)):
        binding = Pretended(under_test.binding, _all_fail(device, way))
        options = OpenOptions(device=device, settings=ONE_THREAD, providers=given)
        opened(under_test, binding, MODEL, options).close()
        for asked in binding.asked:
            provider = PROVIDERS.get(asked.attached, "")
            own = DEVICE_TYPES.get(asked.attached)
            wanted = {**given.get(provider, {}), **({"device_type": own} if own else {})}
            faults.expect(f"{device}: options of {asked.attached}", dict(asked.options), wanted)
        asked_for = [asked.attached for asked in binding.asked]
        faults.expect(f"{device}: asked", asked_for, list(PROMISED[device]))
    return faults.observation()


@carries_out(CONFIG_KEPT)
def config_kept(_request: Request, under_test: UnderTest) -> Observation:
    """Set entries and threads, let all but the CPU fail and see what each candidate was given."""
    faults = Faults()
    settings = SessionSettings(
        intra_threads=1,
        inter_threads=1,
        config=(("session.dynamic_block_base", "4"), ("session.intra_op.allow_spinning", "0")),
        records_placement=True,
    )
    for device, way in itertools.product(DeviceRequest, (Way.RAISES, Way.SILENT)):
        binding = Pretended(under_test.binding, _all_fail(device, way))
        opened(under_test, binding, MODEL, OpenOptions(device=device, settings=settings)).close()
        for asked in binding.asked:
            faults.expect(f"{device}: settings of {asked.attached}", asked.settings, settings)
        faults.expect(f"{device}: sessions asked for", len(binding.asked), len(PROMISED[device]))
    return faults.observation()


@carries_out(THREADS_KEPT)
def threads_kept(_request: Request, under_test: UnderTest) -> Observation:
    """Count the threads of a session asked of the CPU, and of one that fell back to it."""
    faults = Faults()
    settings = SessionSettings(intra_threads=UNUSUAL_THREADS)
    at_rest = _threads()
    for device, way in itertools.product(DeviceRequest, (Way.RAISES, Way.SILENT)):
        binding = Pretended(under_test.binding, _all_fail(device, way))
        with opened(under_test, binding, MODEL, OpenOptions(device=device, settings=settings)):
            # The caller's own thread is one of them.
            threads = _threads() - at_rest + 1
        faults.expect(f"{device} where all {way}: threads", threads, settings.intra_threads)
        _wait_for_rest(at_rest)
    return faults.observation()


def _threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


def _wait_for_rest(at_rest: int) -> None:
    """Wait until the kernel has let go of threads that are joined already, or for a while."""
    end = time.monotonic() + REST_S
    while _threads() > at_rest and time.monotonic() < end:
        time.sleep(0.001)


REST_S = 5.0

UNUSUAL_THREADS = 3 if (os.cpu_count() or 1) <= 2 else 1  # noqa: PLR2004 - cores
"""Not what ONNX Runtime takes by itself, which is a thread per core."""


@carries_out(FP16_KEPT)
def fp16_kept(_request: Request, under_test: UnderTest) -> Observation:
    """Run a float16 model on float32 with fp16_io after every fallback."""
    faults = Faults()
    wanted = on_the_cpu(under_test, HALF_MODEL, fp16_io=True)
    for device in DeviceRequest:
        promised = PROMISED[device]
        for number in range(len(promised)):
            binding = Pretended(under_test.binding, dict.fromkeys(promised[:number], Way.RAISES))
            options = OpenOptions(device=device, fp16_io=True, settings=ONE_THREAD)
            with opened(under_test, binding, HALF_MODEL, options) as backend:
                case = f"{device} on {backend.attached}"
                try:
                    (got,) = backend.run([X])
                except Exception as error:  # noqa: BLE001 - whatever it raises is the finding
                    faults.note(f"{case}: float32 is refused: {type(error).__name__}: {error}")
                    continue
                if not same(got, wanted):
                    faults.note(f"{case}: the result is {got!r}, the CPU's {wanted!r}")
            for asked in binding.asked:
                precision = "FP16" if asked.attached in DEVICE_TYPES else None
                name = f"{device}: precision of {asked.attached}"
                faults.expect(name, asked.options.get("precision"), precision)
    return faults.observation()


# --- Refusals -------------------------------------------------------------------------------------


@carries_out(STRICT)
def strict(_request: Request, under_test: UnderTest) -> Observation:
    """Let the first candidate of each request fail, in each way, and open strictly."""
    faults = Faults()
    for device, way in itertools.product(DeviceRequest, WAYS):
        first = PROMISED[device][0]
        if device is DeviceRequest.CPU and way is not Way.RAISES:
            continue  # the CPU EP is in every build and is its own fallback
        binding = Pretended(under_test.binding, {first: way})
        case = f"{device} where {first} {way}"
        options = OpenOptions(device=device, strict=True, settings=ONE_THREAD)
        try:
            with opened(under_test, binding, MODEL, options) as backend:
                faults.note(f"{case}: opened strictly, it is on {backend.attached}")
        except OpenError as error:
            _expect_steps(faults, case, error.steps, {first: way})
        asked = [one.attached for one in binding.asked]
        faults.expect(f"{case}: asked", asked, [] if way is Way.MISSING else [first])
    return faults.observation()


@carries_out(NOTHING_SERVES)
def nothing_serves(_request: Request, under_test: UnderTest) -> Observation:
    """Let every candidate fail, then open again where all of them work, three times over."""
    faults = Faults()
    wanted = on_the_cpu(under_test, MODEL)
    steps: Sequence[FallbackStep] = ()
    for device, _ in itertools.product(DeviceRequest, range(3)):
        ways = dict.fromkeys(PROMISED[device], Way.RAISES)
        options = OpenOptions(device=device, settings=ONE_THREAD)
        failing, working = Pretended(under_test.binding, ways), Pretended(under_test.binding)
        try:
            opened(under_test, failing, MODEL, options).close()
            faults.note(f"{device}: opened, though no candidate makes a session")
        except OpenError as error:
            steps = error.steps
            _expect_steps(faults, f"{device} where all raise", steps, ways)
        try:
            with opened(under_test, working, MODEL, options) as backend:
                faults.expect(f"{device} after it: attached", backend.attached, PROMISED[device][0])
                if not same(got := backend.run([X])[0], wanted):
                    faults.note(f"{device} after it: the result is {got!r}, the CPU's {wanted!r}")
        except Exception as error:  # noqa: BLE001 - whatever it raises is the finding
            faults.note(f"{device}: the open after it failed: {type(error).__name__}: {error}")
    return faults.observation(fallback=steps)


@carries_out(RELEASED)
def released(_request: Request, under_test: UnderTest) -> Observation:
    """Count the sessions that are held after silent fallbacks, after close and after failing."""
    faults = Faults()
    for device in DeviceRequest:
        binding = Pretended(under_test.binding, _all_fail(device, Way.SILENT))
        backend = opened(
            under_test, binding, MODEL, OpenOptions(device=device, settings=ONE_THREAD)
        )
        _expect_held(faults, f"while {device} is open", binding, 1)
        backend.close()
        backend.close()
        _expect_held(faults, f"after {device} is closed", binding, 0)
        try:
            backend.run([X])
            faults.note(f"{device}: a closed backend runs")
        except ClosedError:
            pass
        binding.ways[PROMISED[device][-1]] = Way.RAISES
        with contextlib.suppress(OpenError):
            opened(under_test, binding, MODEL, OpenOptions(device=device, settings=ONE_THREAD))
        _expect_held(faults, f"after {device} failed to open", binding, 0)
        if faults.any:  # each further look would be a long one
            break
    return faults.observation()


def _expect_held(faults: Faults, when: str, binding: Pretended, wanted: int) -> None:
    if len(binding.alive) != wanted:
        gc.collect()  # what stands in a circle is not held by anybody
    faults.expect(f"sessions held {when}", len(binding.alive), wanted)


@carries_out(RUN_FAILS)
def run_fails(_request: Request, under_test: UnderTest) -> Observation:
    """Run on each provider that fails at run, twice."""
    faults = Faults()
    for device in DeviceRequest:
        first = PROMISED[device][0]
        binding = Pretended(under_test.binding, {first: Way.FAILS_AT_RUN})
        options = OpenOptions(device=device, settings=ONE_THREAD)
        with opened(under_test, binding, MODEL, options) as backend:
            for attempt in ("first", "second"):
                _expect_ep_fail(faults, f"{device}: {attempt} run", backend)
            faults.expect(f"{device}: attached EP", backend.attached, first)
        faults.expect(f"{device}: sessions asked for", len(binding.asked), 1)
    return faults.observation()


def _expect_ep_fail(faults: Faults, case: str, backend: Backend) -> None:
    try:
        (got,) = backend.run([X])
    except BindingError as error:
        faults.expect(f"{case}: status", error.status, EP_FAIL)
    else:
        faults.note(f"{case}: gave {got!r}, though the provider fails at run")


@carries_out(NO_NODE_TAKEN)
def no_node_taken(_request: Request, under_test: UnderTest) -> Observation:
    """Run on each provider that takes no node, and on each that takes all, and see what is told."""
    faults = Faults()
    settings = SessionSettings(intra_threads=1, records_placement=True)
    placements: dict[str, Any] = {}
    for device, takes in itertools.product(DeviceRequest, (False, True)):
        first = PROMISED[device][0]
        ways = {} if takes else {first: Way.TAKES_NO_NODE}
        seen = Seen()
        binding = Pretended(under_test.binding, ways)
        options = OpenOptions(device=device, settings=settings)
        with opened(under_test, binding, MODEL, options) as backend:
            backend.run([X])
            seen.has_run(backend)
        name = f"{first} that takes {'every' if takes else 'no'} node"
        here = PROVIDERS[first] if takes else CPU
        faults.expect(f"nodes by provider of {name}", dict(seen.placement), {here: len(NODES)})
        right = takes or first == "CPU"
        wanted = Outcome.PASS if right else Outcome.FALLBACK
        faults.expect(f"the outcome of {name}", seen.observation.outcome, wanted)
        placements[name] = dict(seen.placement)
    return faults.observation(placements=placements)
