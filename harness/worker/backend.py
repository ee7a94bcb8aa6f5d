"""The shared backend: one way to open, run and close a model on every build, with its fallback.

The behaviour is that of an audited C backend over ONNX Runtime, with what the audit asked of it: a
failed candidate is recorded and the *next candidate* of the chain is tried (not CPU at once), with
its own options and the caller's settings; OpenVINO:CPU stands in AUTO after OpenVINO:GPU; and an
element type that cannot be named is an error, never a silent float32.
"""

from __future__ import annotations

import contextlib
import difflib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self, assert_never

import numpy as np

from harness.wire.messages import FallbackStep
from harness.wire.providers import (
    CHAINS,
    Candidate,
    ConcurrentRun,
    DeviceRequest,
    ExecutionProvider,
    concurrent_run,
)
from harness.wire.settings import SessionSettings
from harness.wire.values import ElementType
from harness.worker.bindings import BindingError
from harness.worker.inputs import aligned, objection, shape_text
from harness.worker.tensors import element_type

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from types import TracebackType

    from harness.worker.bindings import Binding, Session, Slot


class BackendError(Exception):
    """What the backend refuses; the text names the slot, what was given and what is wanted."""


class OpenError(BackendError):
    """No candidate made a session; `steps` says what each of them said."""

    def __init__(self, steps: tuple[FallbackStep, ...]) -> None:
        super().__init__("; ".join(f"{s.attached}: {s.status}: {s.text}" for s in steps))
        self.steps = steps


class ProviderError(BackendError):
    """Options are given for a provider that nobody knows; the text suggests the nearest name."""


class InputError(BackendError):
    """An input is missing, unknown, one too many, or not what its slot wants."""


class ClosedError(BackendError):
    """The backend was used after close."""


class ThreadError(BackendError):
    """A second thread ran a session of an EP that allows only one."""


@dataclass(frozen=True, kw_only=True)
class OpenOptions:
    """How to open a model; what is set here holds on every candidate of the chain."""

    device: DeviceRequest = DeviceRequest.AUTO
    strict: bool = False
    """Raise OpenError when the first candidate does not make the session."""
    fp16_io: bool = False
    """Cast float32 to float16 and back at slots declared float16; OpenVINO computes in FP16."""
    settings: SessionSettings = field(default_factory=SessionSettings)
    providers: Mapping[str, Mapping[str, str]] | None = None
    """Options added to a provider's own, by provider name."""


class Backend:
    """One open model.

    Thread safety: `run` may be called from many threads at once. What the attached EP allows for
    one session is `concurrent_run`, from the data in wire.providers: ALLOWED (CPU, CUDA, OpenVINO)
    runs are in the session at once, SERIALISED ones (TensorRT, ROCm, MIGraphX) take turns by a lock
    of this backend, and where it is FORBIDDEN (a captured CUDA graph) the first thread that runs
    keeps the session and any other gets ThreadError.
    Nothing is shared between runs: no scratch buffer, and every output belongs to its caller.
    `close` may be called from any thread, also while others run: those finish on the session that
    they hold, which is freed when the last of them returns; runs that begin later raise
    ClosedError.
    """

    def __init__(
        self,
        session: Session,
        *,
        attached: Candidate,
        options: OpenOptions,
        steps: tuple[FallbackStep, ...],
    ) -> None:
        self._session: Session | None = session
        self._fp16_io = options.fp16_io
        self.attached = attached.attached
        """The candidate that the session was really created with: ``CPU``, ``CUDA``, …"""
        self.provider = attached.provider
        self.fallback = steps
        """The candidates that were tried before, in order, and why each did not serve."""
        self.inputs = session.inputs
        self.outputs = session.outputs
        self.input_types = {slot.name: _named_type(slot, "input") for slot in session.inputs}
        self.output_types = {slot.name: _named_type(slot, "output") for slot in session.outputs}
        self.concurrent_run = concurrent_run(attached.provider, provider_options(attached, options))
        """Whether several threads may run this session."""
        self._turn = _turn(self.concurrent_run)

    @classmethod
    def open(
        cls, model: bytes | str, options: OpenOptions | None = None, *, binding: Binding
    ) -> Self:
        """Return the model opened on the first candidate of the request's chain that takes it.

        `model` is the file's bytes, or its path where the model has data in files beside it. Raise
        OpenError when no candidate takes it (with `strict`: when the first does not),
        ProviderError when the options name an unknown provider, and BackendError when a slot's
        element type cannot be named.
        """
        options = options or OpenOptions()
        _check_names(options, binding)
        steps: list[FallbackStep] = []
        chain = CHAINS[options.device]
        for candidate in chain[:1] if options.strict else chain:
            session = _try(candidate, model, options, binding, steps)
            if session is not None:
                return cls(session, attached=candidate, options=options, steps=tuple(steps))
        raise OpenError(tuple(steps))

    def run(self, inputs: Mapping[str, Any] | Sequence[Any]) -> list[Any]:
        """Return the outputs in the model's order, each owned by the caller.

        `inputs` binds by name (a mapping) or by position (a sequence); values are arrays, or
        PackedTensor where numpy lacks the type. An array may have any strides, be read-only or not
        aligned, and is never changed. Raise InputError, which names the input, what is wanted and
        what is given, for an input that is missing, unknown or one too many, of another element
        type, byte order, rank or size than its slot declares, and for what is no array: lists and
        numbers are not converted. Raise BindingError for what ONNX Runtime refuses, ClosedError
        after close, and ThreadError where another thread has run and only one may.
        """
        session = self._session
        if session is None:
            raise ClosedError("run after close")
        feeds = self._ready(inputs)
        with self._turn:
            outputs = session.run(feeds)
        return [
            self._returned(slot, value) for slot, value in zip(self.outputs, outputs, strict=True)
        ]

    def placement(self) -> Mapping[str, int]:
        """Return how many nodes each provider has run, after the last run; {} if not recorded.

        Whoever asks sets `records_placement` in the options' settings. Raise ClosedError after
        close. Source: https://onnxruntime.ai/docs/api/python/api_summary.html
        """
        if (session := self._session) is None:
            raise ClosedError("placement after close")
        return session.placement()

    def close(self) -> None:
        """Let the session go; a second close does nothing."""
        self._session = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.close()

    def _ready(self, inputs: Mapping[str, Any] | Sequence[Any]) -> dict[str, Any]:
        """Return the inputs by name as the session takes them."""
        bound = self._bound(inputs)
        return {s.name: self._fed(s, bound[s.name]) for s in self.inputs if s.name in bound}

    def _bound(self, inputs: Mapping[str, Any] | Sequence[Any]) -> Mapping[str, Any]:
        names = [slot.name for slot in self.inputs]
        if isinstance(inputs, Mapping):
            if unknown := [name for name in inputs if name not in self.input_types]:
                raise InputError(f"no input is named {unknown[0]!r}; the model has {names}")
            bound = inputs
        elif not isinstance(inputs, Sequence) or isinstance(inputs, str | bytes):
            given = type(inputs).__name__
            raise InputError(f"inputs come by name or by position, given {given}; wants {names}")
        elif len(inputs) > len(names):
            raise InputError(f"{len(inputs)} inputs given, the model has {len(names)}: {names}")
        else:
            bound = dict(zip(names, inputs, strict=False))
        for slot in self.inputs:  # an input that has an initializer is none of these
            if slot.name not in bound and not slot.type.startswith("optional("):
                wanted = f"{slot.type} of shape {shape_text(slot)}"
                raise InputError(f"input {slot.name!r} is missing: {wanted}; given {list(bound)}")
        return bound

    def _fed(self, slot: Slot, value: Any) -> Any:
        """Return the input as the session takes it: of the declared type, cast if fp16_io asks."""
        wanted = self.input_types[slot.name]
        casts = self._fp16_io and wanted is ElementType.FLOAT16
        if casts and isinstance(value, np.ndarray) and value.dtype == np.float32:
            value = value.astype(np.float16)
        if text := objection(slot, wanted, value):
            raise InputError(text)
        return aligned(value)

    def _returned(self, slot: Slot, value: Any) -> Any:
        if self._fp16_io and self.output_types[slot.name] is ElementType.FLOAT16:
            return value.astype(np.float32) if isinstance(value, np.ndarray) else value
        return value


class _OneThread:
    """A turn that only the first thread to take it ever gets."""

    def __init__(self) -> None:
        self._looking = threading.Lock()
        self._first: threading.Thread | None = None

    def __enter__(self) -> None:
        caller = threading.current_thread()
        with self._looking:
            self._first = self._first or caller
        if self._first is not caller:
            raise ThreadError(f"only {self._first.name} may run this session, not {caller.name}")

    def __exit__(self, *_error: object) -> None:
        pass


def _turn(allowed: ConcurrentRun) -> AbstractContextManager[Any]:
    match allowed:
        case ConcurrentRun.ALLOWED:
            return contextlib.nullcontext()
        case ConcurrentRun.SERIALISED:
            return threading.Lock()
        case ConcurrentRun.FORBIDDEN:
            return _OneThread()
    assert_never(allowed)


def _try(
    candidate: Candidate,
    model: bytes | str,
    options: OpenOptions,
    binding: Binding,
    steps: list[FallbackStep],
) -> Session | None:
    """Return a session that really has the candidate's provider, or None with a step recorded."""

    def record(stage: str, status: str, text: str) -> None:
        steps.append(
            FallbackStep(
                attached=candidate.attached,
                provider=candidate.provider,
                stage=stage,
                status=status,
                text=text,
            )
        )

    available = binding.available_providers()
    if candidate.provider not in available:
        record("registration", "NOT_IN_BUILD", f"this build has {', '.join(available)}")
        return None
    try:
        session = binding.create(
            model,
            provider=candidate.provider,
            options=provider_options(candidate, options),
            settings=options.settings,
        )
    except BindingError as error:
        record("creation", error.status, error.text)
        return None
    if candidate.provider not in session.providers:  # CUDA and ROCm without a driver do this
        record("creation", "SILENT_FALLBACK", f"the session has {', '.join(session.providers)}")
        return None
    return session


def provider_options(candidate: Candidate, options: OpenOptions) -> dict[str, str]:
    """Return what fp16_io asks, what the caller adds, and the candidate's own options.

    The candidate's own go last: with another device_type the attached EP would not be what it says.
    """
    precision = {"precision": "FP16"} if options.fp16_io else {}
    asked = precision if candidate.provider is ExecutionProvider.OPENVINO else {}
    added = (options.providers or {}).get(candidate.provider, {})
    return {**asked, **added, **candidate.options}


def _check_names(options: OpenOptions, binding: Binding) -> None:
    """Raise ProviderError for a provider that neither we nor the build know: options unused."""
    known = [*map(str, ExecutionProvider), *binding.available_providers()]
    for name in options.providers or {}:
        if name not in known:
            nearest = difflib.get_close_matches(name, known, n=1)
            meant = f"Did you mean {nearest[0]!r}?" if nearest else f"Known: {', '.join(known)}."
            raise ProviderError(f"no execution provider is called {name!r}. {meant}")


def _named_type(slot: Slot, side: str) -> ElementType:
    found = element_type(slot.type)
    if found is None:
        raise BackendError(f"{side} {slot.name!r}: no element type can be named for {slot.type!r}")
    return found
