"""The binding through onnxruntime.InferenceSession, for every release from 1.16 on."""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import json
import re
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime as ort

from harness.wire.providers import ExecutionProvider
from harness.wire.settings import Execution, Optimisation, SessionSettings
from harness.wire.values import ElementType
from harness.worker.bindings import BindingError, BindingLimitError, Slot
from harness.worker.tensors import NUMPY_TYPES, PackedTensor, element_type, packed_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

FATAL_ONLY = 4
"""ORT's severity: errors come back as exceptions, and their second copy in the log is noise."""

OPTIMISATION_LEVELS = {
    Optimisation.NONE: ort.GraphOptimizationLevel.ORT_DISABLE_ALL,
    Optimisation.BASIC: ort.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    Optimisation.EXTENDED: ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    Optimisation.ALL: ort.GraphOptimizationLevel.ORT_ENABLE_ALL,
}
EXECUTION_MODES = {
    Execution.SEQUENTIAL: ort.ExecutionMode.ORT_SEQUENTIAL,
    Execution.PARALLEL: ort.ExecutionMode.ORT_PARALLEL,
}

_SPARSE = ort.capi.onnxruntime_pybind11_state.SparseTensor
"""What a session gives for a sparse output: the class beneath the one of the package."""

_PROFILES = itertools.count()

_STATUS = re.compile(r"\[ONNXRuntimeError\] : \d+ : (\w+) : (.*)", re.DOTALL)


class PythonBinding:
    """ONNX Runtime through its Python package, with its own fallback switched off."""

    def __init__(self) -> None:
        ort.set_default_logger_severity(FATAL_ONLY)
        has_cuda = ExecutionProvider.CUDA in ort.get_available_providers()
        if has_cuda and hasattr(ort, "preload_dlls"):  # from 1.21 on
            # CUDA and cuDNN from wheels stand where no loader looks; what is missing it prints.
            # https://onnxruntime.ai/docs/execution-providers/CUDA-ExecutionProvider.html
            ort.preload_dlls()

    def available_providers(self) -> tuple[str, ...]:
        """Return the providers of this build."""
        return tuple(ort.get_available_providers())

    def create(
        self,
        model: bytes | str,
        *,
        provider: str,
        options: Mapping[str, str],
        settings: SessionSettings,
    ) -> PythonSession:
        """Return a session on `provider` with the CPU EP behind it; raise BindingError."""
        with _ort_errors():
            return PythonSession(
                _WithoutFallback(
                    model,
                    _session_options(settings),
                    providers=[(provider, dict(options))],
                    **_left_out(settings),
                ),
                records_placement=settings.records_placement,
            )


class _WithoutFallback(ort.InferenceSession):  # type: ignore[misc]  # of a package without types
    """InferenceSession that never falls back by itself, neither at creation nor at run.

    `enable_fallback=0` does not do it: until 1.22 the constructor does not read it. What decides
    in every release is this attribute, which the constructor sets.
    """

    @property
    def _enable_fallback(self) -> bool:
        return False

    @_enable_fallback.setter
    def _enable_fallback(self, value: bool) -> None:
        pass


class PythonSession:
    """One InferenceSession."""

    def __init__(self, session: ort.InferenceSession, *, records_placement: bool = False) -> None:
        self._session = session
        self._records_placement = records_placement
        self._profiled: Mapping[str, int] | None = None
        self.providers = tuple(session.get_providers())
        self.inputs = _slots(session.get_inputs())
        self.outputs = _slots(session.get_outputs())
        self._packs_outputs = any(element_type(s.type) not in NUMPY_TYPES for s in self.outputs)

    def run(self, feeds: Mapping[str, Any]) -> Sequence[Any]:
        """Return the outputs: arrays, lists, dicts, or PackedTensor where numpy lacks the type."""
        with _ort_errors():
            if self._packs_outputs:  # run() raises there, or hands float8 out as uint8
                values = {name: _ort_value(value) for name, value in feeds.items()}
                outputs = self._session.run_with_ort_values(None, values)
                return [_from_ort_value(output) for output in outputs]
            ready = {
                name: _ort_value(value) if isinstance(value, PackedTensor) else value
                for name, value in feeds.items()
            }
            return [_readable(output) for output in self._session.run(None, ready)]

    def placement(self) -> Mapping[str, int]:
        """Return how many nodes each provider has run, after the last run; {} if not recorded.

        From 1.24 on the nodes of the model as they were assigned; before, what the profiler saw
        run, where all that a provider has fused into one is one.
        """
        if not self._records_placement:
            return {}
        if hasattr(self._session, "get_provider_graph_assignment_info"):
            with _ort_errors():
                return assigned(self._session)
        if self._profiled is None:  # a session ends its profile once
            self._profiled = profiled(self._session)
        return self._profiled


def assigned(session: ort.InferenceSession) -> dict[str, int]:
    """Return how many nodes were assigned to each provider, as the session says (from 1.24 on)."""
    nodes: Counter[str] = Counter()
    for part in session.get_provider_graph_assignment_info():
        nodes[part.ep_name] += len(part.get_nodes())
    return dict(nodes)


def profiled(session: ort.InferenceSession) -> dict[str, int]:
    """Return how many nodes each provider has run, by the session's profile, which ends here."""
    profile = Path(session.end_profiling())
    events = json.loads(profile.read_bytes())
    profile.unlink()
    # A node has an event per run, always of one name; it is made of its operator and its index in
    # its graph where the model gives none, so that two of different sub-graphs may count as one.
    ran = {
        (event["args"]["provider"], event["name"])
        for event in events
        if event.get("cat") == "Node" and event.get("args", {}).get("provider")
    }
    return dict(Counter(provider for provider, _ in ran))


@contextlib.contextmanager
def _ort_errors() -> Iterator[None]:
    """Turn what ONNX Runtime raises into a BindingError that keeps the original as its cause."""
    try:
        yield
    except (MemoryError, BindingLimitError):
        raise
    except Exception as error:  # its exception classes share no base and differ by release
        if found := _STATUS.match(str(error)):
            raise BindingError(found[1], found[2].strip()) from error
        raise BindingError(type(error).__name__, str(error)) from error


def _session_options(settings: SessionSettings) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.log_severity_level = FATAL_ONLY
    options.enable_cpu_mem_arena = settings.arena
    options.enable_mem_pattern = settings.memory_pattern
    if settings.optimisation is not None:
        options.graph_optimization_level = OPTIMISATION_LEVELS[settings.optimisation]
    if settings.execution is not None:
        options.execution_mode = EXECUTION_MODES[settings.execution]
    if settings.intra_threads is not None:
        options.intra_op_num_threads = settings.intra_threads
    if settings.inter_threads is not None:
        options.inter_op_num_threads = settings.inter_threads
    if settings.records_placement:
        if hasattr(ort.InferenceSession, "get_provider_graph_assignment_info"):
            options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
        else:
            options.enable_profiling = True
            # Two sessions of one second would write one file.
            options.profile_file_prefix = f"{tempfile.gettempdir()}/profile-{next(_PROFILES)}"
    for key, value in settings.config:
        options.add_session_config_entry(key, value)
    return options


def _left_out(settings: SessionSettings) -> dict[str, Any]:
    """Return how the constructor is told which optimisers to leave out; {} where none are."""
    left_out = list(settings.without_optimisers)
    return {"disabled_optimizers": left_out} if left_out else {}


def _slots(arguments: Iterable[Any]) -> tuple[Slot, ...]:
    return tuple(Slot(name=a.name, type=a.type, shape=tuple(a.shape or ())) for a in arguments)


def _ort_value(value: Any) -> ort.OrtValue:
    match value:
        case PackedTensor():
            return _packed_ort_value(value)
        case np.ndarray():
            return ort.OrtValue.ortvalue_from_numpy(np.asarray(value, order="C"))
    raise BindingLimitError(
        f"the Python binding makes no OrtValue of {type(value).__name__}, "
        "which an output of a type that numpy lacks asks for"
    )


def _packed_ort_value(value: PackedTensor) -> ort.OrtValue:
    try:
        made = ort.OrtValue.ortvalue_from_shape_and_type(list(value.shape), int(value.element_type))
    except Exception as error:  # its class differs by release
        raise BindingLimitError(
            f"the Python binding of {ort.__version__} makes no "
            f"tensor({value.element_type.ort_name}): {error}"
        ) from error
    ctypes.memmove(made.data_ptr(), value.data, len(value.data))
    return made


def _readable(output: Any) -> Any:
    """Return an output that has a form outside of ONNX Runtime; a sparse tensor has none here."""
    if isinstance(output, ort.SparseTensor | _SPARSE):
        raise BindingLimitError("the Python binding reads no sparse tensor")
    return output


def _from_ort_value(value: ort.OrtValue) -> Any:
    if not value.is_tensor() or value.device_name() != "cpu":
        raise BindingLimitError(
            f"the Python binding reads no {value.data_type()} on {value.device_name()}"
        )
    of = ElementType(value.element_type())
    if of in NUMPY_TYPES:
        return value.numpy()
    shape = tuple(value.shape())
    data = ctypes.string_at(value.data_ptr(), packed_size(of, shape))
    return PackedTensor(element_type=of, shape=shape, data=data)
