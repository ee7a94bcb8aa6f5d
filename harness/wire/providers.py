"""Execution providers in ONNX Runtime's spelling, and each device request's chain of candidates.

Source of the names: https://onnxruntime.ai/docs/execution-providers/
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class ExecutionProvider(StrEnum):
    """An execution provider, valued as ONNX Runtime spells it."""

    CPU = "CPUExecutionProvider"
    CUDA = "CUDAExecutionProvider"
    TENSORRT = "TensorrtExecutionProvider"
    OPENVINO = "OpenVINOExecutionProvider"
    ROCM = "ROCMExecutionProvider"
    MIGRAPHX = "MIGraphXExecutionProvider"


class DeviceRequest(StrEnum):
    """What a caller asks of the backend; each degrades along its chain unless opened strict."""

    AUTO = "AUTO"
    CPU = "CPU"
    CUDA = "CUDA"
    TENSORRT = "TENSORRT"
    OPENVINO = "OPENVINO"
    OPENVINO_GPU = "OPENVINO_GPU"
    OPENVINO_CPU = "OPENVINO_CPU"
    OPENVINO_NPU = "OPENVINO_NPU"
    ROCM = "ROCM"
    MIGRAPHX = "MIGRAPHX"


class ConcurrentRun(StrEnum):
    """Whether several threads may run one session."""

    ALLOWED = "allowed"
    """At once."""
    SERIALISED = "serialised by the backend"
    """One at a time."""
    FORBIDDEN = "forbidden"
    """Not even one after the other: all runs are of one thread."""


CONCURRENT_RUN: Mapping[ExecutionProvider, ConcurrentRun] = {
    # ORT's rule: run() of one session may be called from many threads at once, unless the EP says
    # otherwise (core/session/inference_session.h; OrtEp::IsConcurrentRunSupported, where an EP that
    # says nothing supports it). DirectML is one that says otherwise.
    # https://onnxruntime.ai/docs/execution-providers/DirectML-ExecutionProvider.html
    ExecutionProvider.CPU: ConcurrentRun.ALLOWED,
    ExecutionProvider.CUDA: ConcurrentRun.ALLOWED,
    ExecutionProvider.OPENVINO: ConcurrentRun.ALLOWED,
    # One engine context for all threads, wrong answers before 1.17, and a lock of its own since:
    # https://github.com/microsoft/onnxruntime/pull/19301
    ExecutionProvider.TENSORRT: ConcurrentRun.SERIALISED,
    # Nothing is promised, and users met faults: here the backend takes a lock.
    ExecutionProvider.ROCM: ConcurrentRun.SERIALISED,
    ExecutionProvider.MIGRAPHX: ConcurrentRun.SERIALISED,
}

CAPTURES_GRAPH: Mapping[ExecutionProvider, str] = {
    # "run() MAY NOT be invoked on the same InferenceSession object from multiple threads while
    # using CUDA Graphs": a captured graph belongs to the thread that captured it.
    # https://onnxruntime.ai/docs/execution-providers/CUDA-ExecutionProvider.html
    ExecutionProvider.CUDA: "enable_cuda_graph",
    ExecutionProvider.TENSORRT: "trt_cuda_graph_enable",
}
"""The option with which a provider captures its work as a graph, which forbids other threads."""


def concurrent_run(provider: ExecutionProvider, options: Mapping[str, str]) -> ConcurrentRun:
    """Return whether several threads may run one session of a provider with these options."""
    captures = options.get(CAPTURES_GRAPH.get(provider, ""), "0").lower()
    return ConcurrentRun.FORBIDDEN if captures in ("1", "true") else CONCURRENT_RUN[provider]


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One provider with its options: one link of a request's chain."""

    attached: str
    """What the caller reads as the attached EP when this candidate made the session."""
    provider: ExecutionProvider
    options: Mapping[str, str] = field(default_factory=dict)


CPU = Candidate(attached="CPU", provider=ExecutionProvider.CPU)
CUDA = Candidate(attached="CUDA", provider=ExecutionProvider.CUDA)
TENSORRT = Candidate(attached="TensorRT", provider=ExecutionProvider.TENSORRT)
OPENVINO_GPU = Candidate(
    attached="OpenVINO:GPU",
    provider=ExecutionProvider.OPENVINO,
    options={"device_type": "GPU"},
)
OPENVINO_CPU = Candidate(
    attached="OpenVINO:CPU",
    provider=ExecutionProvider.OPENVINO,
    options={"device_type": "CPU"},
)
OPENVINO_NPU = Candidate(
    attached="OpenVINO:NPU",
    provider=ExecutionProvider.OPENVINO,
    options={"device_type": "NPU"},
)
ROCM = Candidate(attached="ROCm", provider=ExecutionProvider.ROCM)
MIGRAPHX = Candidate(attached="MIGraphX", provider=ExecutionProvider.MIGRAPHX)

CHAINS: Mapping[DeviceRequest, tuple[Candidate, ...]] = {
    # NPU is never in AUTO: it is asked for by name or not at all.
    DeviceRequest.AUTO: (CUDA, OPENVINO_GPU, OPENVINO_CPU, ROCM, MIGRAPHX, CPU),
    DeviceRequest.CPU: (CPU,),
    DeviceRequest.CUDA: (CUDA, CPU),
    DeviceRequest.TENSORRT: (TENSORRT, CUDA, CPU),
    DeviceRequest.OPENVINO: (OPENVINO_GPU, OPENVINO_CPU, CPU),
    DeviceRequest.OPENVINO_GPU: (OPENVINO_GPU, CPU),
    DeviceRequest.OPENVINO_CPU: (OPENVINO_CPU, CPU),
    DeviceRequest.OPENVINO_NPU: (OPENVINO_NPU, CPU),
    # ROCm's successor in newer builds is MIGraphX; a build has one or the other.
    DeviceRequest.ROCM: (ROCM, MIGRAPHX, CPU),
    DeviceRequest.MIGRAPHX: (MIGRAPHX, CPU),
}
