"""What every case of the suite holds against: the promise, the models and how a verdict is made.

The promised chains stand here a second time on purpose: a check that read the backend's own table
would agree with whatever stands in it.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.wire.messages import Evidence, FallbackStep
from harness.wire.outcomes import Outcome
from harness.wire.providers import DeviceRequest, ExecutionProvider
from harness.wire.settings import SessionSettings
from harness.wire.values import ElementType
from harness.worker.backend import Backend, BackendError, OpenError, OpenOptions
from harness.worker.bindings import BindingError
from harness.worker.cases import Observation, implements
from harness.worker.models import smallest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from harness.wire.catalogue.procedures import Procedure
    from harness.wire.messages import Request
    from harness.worker.bindings import Binding
    from harness.worker.cases import CaseFunction
    from harness.worker.under_test import UnderTest

PROMISED: Mapping[DeviceRequest, tuple[str, ...]] = {
    DeviceRequest.AUTO: ("CUDA", "OpenVINO:GPU", "OpenVINO:CPU", "ROCm", "MIGraphX", "CPU"),
    DeviceRequest.CPU: ("CPU",),
    DeviceRequest.CUDA: ("CUDA", "CPU"),
    DeviceRequest.TENSORRT: ("TensorRT", "CUDA", "CPU"),
    DeviceRequest.OPENVINO: ("OpenVINO:GPU", "OpenVINO:CPU", "CPU"),
    DeviceRequest.OPENVINO_GPU: ("OpenVINO:GPU", "CPU"),
    DeviceRequest.OPENVINO_CPU: ("OpenVINO:CPU", "CPU"),
    DeviceRequest.OPENVINO_NPU: ("OpenVINO:NPU", "CPU"),
    DeviceRequest.ROCM: ("ROCm", "MIGraphX", "CPU"),
    DeviceRequest.MIGRAPHX: ("MIGraphX", "CPU"),
}
"""What is tried for each request, in order, as the caller reads it in the attached EP."""

PROVIDERS = {
    "CPU": "CPUExecutionProvider",
    "CUDA": "CUDAExecutionProvider",
    "TensorRT": "TensorrtExecutionProvider",
    "OpenVINO:GPU": "OpenVINOExecutionProvider",
    "OpenVINO:CPU": "OpenVINOExecutionProvider",
    "OpenVINO:NPU": "OpenVINOExecutionProvider",
    "ROCm": "ROCMExecutionProvider",
    "MIGraphX": "MIGraphXExecutionProvider",
}
"""Whose session is meant by each attached EP."""

DEVICE_TYPES = {"OpenVINO:GPU": "GPU", "OpenVINO:CPU": "CPU", "OpenVINO:NPU": "NPU"}

GPUS = ("CUDA", "TensorRT", "ROCm", "MIGraphX")

NODES = ("Tanh", "Exp") * 5
MODEL = smallest.steps(*NODES)
"""So long that every provider takes it: OpenVINO up to 1.23 leaves three nodes to the CPU EP."""

HALF_MODEL = smallest.steps(*NODES, of=ElementType.FLOAT16)

X = np.array([-1.5, 0.25, 0.75], np.float32)

ONE_THREAD = SessionSettings(intra_threads=1, inter_threads=1)


class Faults:
    """What was found wrong, in the order found; a case without any has passed."""

    def __init__(self) -> None:
        self._found: list[str] = []

    @property
    def any(self) -> bool:
        """Whether a fault has been noted."""
        return bool(self._found)

    def expect(self, what: str, got: Any, wanted: Any) -> None:
        """Note a fault unless both are equal."""
        if got != wanted:
            self.note(f"{what}: got {got!r}, wanted {wanted!r}")

    def note(self, fault: str) -> None:
        """Note a fault."""
        self._found.append(fault)

    def observation(
        self, *, attached: str = "", fallback: Sequence[FallbackStep] = (), **answer: Any
    ) -> Observation:
        """Return a pass, or FAIL with what was found; the answer is kept either way."""
        text = "\n".join(self._found[:SHOWN])
        if more := len(self._found) - SHOWN:
            text += f"\n… and {more} more" if more > 0 else ""
        evidence = Evidence(
            text=text, attached=attached, fallback=tuple(fallback), answer=dict(answer)
        )
        outcome = Outcome.FAIL if self._found else Outcome.PASS
        return Observation(outcome=outcome, evidence=evidence)


SHOWN = 5
"""How many faults of one case are told; the first ones say most."""


def carries_out(procedure: Procedure) -> Callable[[CaseFunction], CaseFunction]:
    """Register the decorated function for `procedure`; what it lets through is told as ERROR.

    A case names what it expects to be raised. Anything else that backend or build raise is theirs.
    """

    def register(function: CaseFunction) -> CaseFunction:
        @functools.wraps(function)
        def told(request: Request, under_test: UnderTest) -> Observation:
            try:
                return function(request, under_test)
            except (BackendError, BindingError) as error:
                steps = error.steps if isinstance(error, OpenError) else ()
                evidence = Evidence(status=type(error).__name__, text=str(error), fallback=steps)
                return Observation(outcome=Outcome.ERROR, evidence=evidence)

        return implements(procedure)(told)

    return register


def not_tested(requirement: str) -> Observation:
    """Return that this host or this build lacks what the case is about."""
    return Observation(outcome=Outcome.NOT_TESTED, evidence=Evidence(requirement=requirement))


def on_the_cpu(under_test: UnderTest, model: bytes, *, fp16_io: bool = False) -> Any:
    """Return what the CPU EP answers when it is asked for."""
    options = OpenOptions(device=DeviceRequest.CPU, fp16_io=fp16_io, settings=ONE_THREAD)
    with under_test.open(model, options) as backend:
        return backend.run([X])[0]


def opened(under_test: UnderTest, binding: Binding, model: bytes, options: OpenOptions) -> Backend:
    """Return the model opened by the backend under test, on another binding than its own."""
    return under_test.backend.open(model, options, binding=binding)


def told(steps: Iterable[FallbackStep]) -> list[tuple[str, str, str, str]]:
    """Return the steps without their texts."""
    return [(step.attached, step.provider, step.stage, step.status) for step in steps]


def same(got: Any, wanted: Any) -> bool:
    """Return whether two results are of one type and equal to the bit."""
    return (
        isinstance(got, np.ndarray)
        and got.dtype == wanted.dtype
        and got.shape == wanted.shape
        and got.tobytes() == wanted.tobytes()
    )


def is_here(attached: str, available: Sequence[str]) -> bool:
    """Return whether the provider of an attached EP is in the build."""
    return PROVIDERS[attached] in available


CPU = str(ExecutionProvider.CPU)
