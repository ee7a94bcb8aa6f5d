"""ONNX Runtime's own fallback, as the Python wrapper of this build does it: observed and told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.wire.catalogue.fallback import (
    BINDING_NEVER_FALLS_BACK,
    OWN_AT_CREATION,
    OWN_AT_RUN,
    OWN_KEEPS_OPTIONS,
    OWN_SWITCHED_OFF,
)
from harness.worker.bindings import BindingError
from harness.worker.cases import Observation, implements
from harness.worker.cases.fallback.native import NativeLayer, listening, native_layer
from harness.worker.cases.fallback.promises import CPU, MODEL, ONE_THREAD, PROVIDERS, Faults, X

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.wire.messages import Request
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


@implements(OWN_AT_CREATION)
def at_creation(_request: Request, _under_test: UnderTest) -> Observation:
    """Let CUDA fail at creation under a session made as most programs make it."""
    with native_layer([CUDA], fails=[CUDA]) as layer, listening() as said:
        session = _session([(CUDA, {"device_id": "1"}), CPU])
        session.run(None, {"x": X})
    return _judged(_told(layer, session, said.printed), CUDA)


@implements(OWN_AT_RUN)
def at_run(_request: Request, _under_test: UnderTest) -> Observation:
    """Let CUDA fail at run under a session made as most programs make it."""
    with native_layer([CUDA], fails_at_run=[CUDA]) as layer, listening() as said:
        session = _session([(CUDA, {"device_id": "1"}), CPU])
        session.run(None, {"x": X})
    return _judged(_told(layer, session, said.printed), CUDA)


@implements(OWN_KEEPS_OPTIONS)
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


@implements(OWN_SWITCHED_OFF)
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


@implements(BINDING_NEVER_FALLS_BACK)
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
