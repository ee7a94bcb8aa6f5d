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
    """Whether several threads may run one session at once."""

    ALLOWED = "allowed"
    SERIALISED = "serialised by the backend"


CONCURRENT_RUN: Mapping[ExecutionProvider, ConcurrentRun] = {
    # https://onnxruntime.ai/docs/api/c/struct_ort_api.html (Run): safe on these EPs.
    ExecutionProvider.CPU: ConcurrentRun.ALLOWED,
    ExecutionProvider.CUDA: ConcurrentRun.ALLOWED,
    ExecutionProvider.OPENVINO: ConcurrentRun.ALLOWED,
    # One engine context per session, or nothing promised: the backend takes a lock.
    ExecutionProvider.TENSORRT: ConcurrentRun.SERIALISED,
    ExecutionProvider.ROCM: ConcurrentRun.SERIALISED,
    ExecutionProvider.MIGRAPHX: ConcurrentRun.SERIALISED,
}


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
