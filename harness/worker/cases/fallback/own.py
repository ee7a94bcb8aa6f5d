"""ONNX Runtime's own fallback, as the Python wrapper of this build does it: observed and told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.wire.catalogue.fallback import (
    BINDING_NEVER_FALLS_BACK,
    OWN_AT_CREATION,
    OWN_AT_RUN,
    OWN_HERE,
    OWN_KEEPS_OPTIONS,
    OWN_SILENT,
    OWN_SWITCHED_OFF,
)
from harness.worker.bindings import BindingError
from harness.worker.cases.fallback.native import NativeLayer, listening, native_layer
from harness.worker.cases.fallback.promises import (
    CPU,
    DEVICE_TYPES,
    GPUS,
    MODEL,
    ONE_THREAD,
    PROVIDERS,
    Faults,
    X,
    carries_out,
    is_here,
    not_tested,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.wire.messages import Request
    from harness.worker.cases import Observation
    from harness.worker.under_test import UnderTest

CUDA, TENSORRT = PROVIDERS["CUDA"], PROVIDERS["TensorRT"]
THREADS = 3


def _session(providers: Sequence[Any], **fallback: int) -> Any:
    """Return a session as a caller makes it who knows nothing of fallbacks."""
    import onnxruntime  # noqa: PLC0415 - a case's module is read where there is none, too

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    return onnxruntime.InferenceSession(MODEL, options, providers=list(providers), **fallback)


def _told(layer: NativeLayer, session: Any, printed: str) -> dict[str, Any]:
    """Return what can be seen of a fallback by its caller, and what really happened below."""
    return {
        "providers": session.get_providers(),
        "threads": session.get_session_options().intra_op_num_threads,
        "made on": [list(providers) for providers, _ in layer.initialised],
        "with options": [list(options) for _, options in layer.initialised],
        "printed": printed,
    }


def _judged(answer: dict[str, Any], failed: str) -> Observation:
    """Return whether a session that fell back from a provider says so and kept its threads."""
    faults = Faults()
    if failed in answer["providers"]:
        faults.note(f"the session says that it is on {failed}, which failed")
    if not answer["printed"]:
        faults.note("fell back without a word: nothing raised, nothing printed")
    faults.expect("threads after the fallback", answer["threads"], THREADS)
    return faults.observation(**answer)


@carries_out(OWN_AT_CREATION)
def at_creation(_request: Request, _under_test: UnderTest) -> Observation:
    """Let CUDA fail at creation under a session made as most programs make it."""
    with native_layer([CUDA], fails=[CUDA]) as layer, listening() as said:
        session = _session([(CUDA, {"device_id": "1"}), CPU])
        session.run(None, {"x": X})
    return _judged(_told(layer, session, said.printed), CUDA)


@carries_out(OWN_AT_RUN)
def at_run(_request: Request, _under_test: UnderTest) -> Observation:
    """Let CUDA fail at run under a session made as most programs make it."""
    with native_layer([CUDA], fails_at_run=[CUDA]) as layer, listening() as said:
        session = _session([(CUDA, {"device_id": "1"}), CPU])
        session.run(None, {"x": X})
    return _judged(_told(layer, session, said.printed), CUDA)


@carries_out(OWN_HERE)
def as_it_is(_request: Request, under_test: UnderTest) -> Observation:
    """Ask this build for every provider there is, and for one that there is not."""
    faults = Faults()
    answer: dict[str, Any] = {}
    available = under_test.binding.available_providers()
    for provider in (*dict.fromkeys(PROVIDERS.values()), "CUDAExcutionProvider"):
        told = answer[provider] = {}
        with listening() as said:
            try:
                session = _session([provider])
                told["providers"] = session.get_providers()
                session.run(None, {"x": X})
            except Exception as error:  # noqa: BLE001 - what a caller would get is the finding
                told["raised"] = f"{type(error).__name__}: {error}"
        told |= {"warned": said.warned, "printed": said.printed}
        on = told.get("providers", [])
        if provider in on and provider not in available:
            faults.note(f"a session says that it is on {provider}, which is not in the build")
        if on and provider not in (*on, *available) and not (said.warned or said.printed):
            faults.note(f"{provider} is not in the build, and nothing was said")
    return faults.observation(**answer)


@carries_out(OWN_KEEPS_OPTIONS)
def keeps_options(_request: Request, _under_test: UnderTest) -> Observation:
    """Let TensorRT fail with CUDA on the second device behind it, and see where CUDA is now."""
    second = {"device_id": "1"}
    with native_layer([TENSORRT, CUDA], fails=[TENSORRT]) as layer, listening() as said:
        session = _session([(TENSORRT, second), (CUDA, second), CPU])
    answer, faults = _told(layer, session, said.printed), Faults()
    on, options = layer.initialised[-1]
    faults.expect("made on", list(on), [CUDA, CPU])
    faults.expect(f"options of {on[0]} after the fallback", options[0], second)
    return faults.observation(**answer)


@carries_out(OWN_SWITCHED_OFF)
def switched_off(_request: Request, _under_test: UnderTest) -> Observation:
    """Switch it off and let CUDA fail, once at creation and once at run."""
    faults = Faults()
    for at in ("creation", "run"):
        fails = {"fails": [CUDA]} if at == "creation" else {"fails_at_run": [CUDA]}
        with native_layer([CUDA], **fails), listening():
            try:
                session = _session([CUDA, CPU], enable_fallback=0)
                session.run(None, {"x": X})
            except Exception:  # noqa: BLE001 S112 - that it raises, whatever it is, is right
                continue
        faults.note(f"CUDA failed at {at}: fell back to {', '.join(session.get_providers())}")
    return faults.observation()


@carries_out(OWN_SILENT)
def silent(_request: Request, under_test: UnderTest) -> Observation:
    """Switch it off and ask for each device of the build; keep what was said where none is had."""
    import onnxruntime  # noqa: PLC0415 - a case's module is read where there is none, too

    faults = Faults()
    answer: dict[str, Any] = {}
    available = under_test.binding.available_providers()
    devices = [name for name in ("OpenVINO:GPU", *GPUS) if is_here(name, available)]
    onnxruntime.set_default_logger_severity(WARNING)
    for name in devices:
        own = {"device_type": DEVICE_TYPES[name]} if name in DEVICE_TYPES else {}
        with listening() as said:
            try:
                on = _session([(PROVIDERS[name], own)], enable_fallback=0).get_providers()
            except Exception as error:  # noqa: BLE001 - that it raises, whatever it is, is right
                answer[name] = f"{type(error).__name__}: {error}"
                continue
        if PROVIDERS[name] not in on:
            faults.note(
                f"{name} was asked for, no error was raised, the session has {', '.join(on)}"
            )
            answer[name] = {"printed": said.printed, "logged": said.logged, "warned": said.warned}
    onnxruntime.set_default_logger_severity(FATAL_ONLY)
    if not answer:
        return not_tested("a build with a provider whose device this host lacks")
    return faults.observation(**answer)


WARNING, FATAL_ONLY = 2, 4
"""ORT's severities: its default, and what the binding has set."""


@carries_out(BINDING_NEVER_FALLS_BACK)
def not_in_the_binding(_request: Request, under_test: UnderTest) -> Observation:
    """Let CUDA fail under the binding, once at creation and once at run."""
    faults, said = Faults(), {}
    for at in ("creation", "run"):
        fails = {"fails": [CUDA]} if at == "creation" else {"fails_at_run": [CUDA]}
        with native_layer([CUDA], **fails) as layer, listening() as heard:
            try:
                session = under_test.binding.create(
                    MODEL, provider=CUDA, options={}, settings=ONE_THREAD
                )
                session.run({"x": X})
                faults.note(f"CUDA failed at {at}, and nothing was raised")
            except BindingError as error:
                said[at] = f"{error.status}: {error.text}"
                if "pretended" not in error.text:
                    faults.note(f"CUDA failed at {at}, and the error is another: {error}")
        faults.expect(f"native sessions where CUDA fails at {at}", len(layer.initialised), 1)
        faults.expect(f"printed where CUDA fails at {at}", heard.printed, "")
    return faults.observation(said=said)
