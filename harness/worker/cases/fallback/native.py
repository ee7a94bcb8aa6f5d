"""ONNX Runtime's Python wrapper over a native layer that fails where a case wants it to.

The wrapper (`onnxruntime_inference_collection`) is what falls back by itself, and is left as it is;
what it calls `C` is replaced. So its fallback can be seen in every build, without any device.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import warnings
from typing import TYPE_CHECKING, Any, TextIO

from harness.worker.cases.fallback.promises import CPU

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

Initialised = tuple[tuple[str, ...], tuple[dict[str, str], ...]]
"""The providers of one native session, and the options of each."""


class NativeLayer:
    """The native layer of the build, with every provider of `claims` in it as well."""

    def __init__(
        self, real: Any, claims: Sequence[str], *, fails: Sequence[str], fails_at_run: Sequence[str]
    ) -> None:
        self._real = real
        self._claims = claims
        self.fails = fails
        self.fails_at_run = fails_at_run
        self.initialised: list[Initialised] = []
        """What each native session was asked to be made on, those that failed too."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def get_available_providers(self) -> list[str]:
        """Return the build's providers and the claimed ones."""
        return [*self._claims, *self._real.get_available_providers()]

    def InferenceSession(self, *arguments: Any) -> NativeSession:  # noqa: N802 - its name there
        """Return a native session that fails as the layer says."""
        return NativeSession(self._real.InferenceSession(*arguments), self)

    def register_tensorrt_plugins_as_custom_ops(self, *_: Any) -> None:
        """Do nothing, as TensorRT does where it has no plug-ins."""


class NativeSession:
    """A native session on the CPU EP that claims the first provider it is asked for."""

    def __init__(self, real: Any, layer: NativeLayer) -> None:
        self._real = real
        self._layer = layer
        self._providers: tuple[str, ...] = ()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def initialize_session(
        self, providers: Sequence[str], options: Sequence[Mapping[str, str]], *_: Any
    ) -> None:
        """Make the session, or raise, as the layer says."""
        kept = tuple(dict(of) for of in options) or tuple({} for _ in providers)
        self._layer.initialised.append((tuple(providers), kept))
        if providers and providers[0] in self._layer.fails:
            raise RuntimeError(f"the pretended driver of {providers[0]} would not load")
        self._providers = tuple(dict.fromkeys((*providers, CPU)))
        self._real.initialize_session([CPU], [{}], set())

    def get_providers(self) -> list[str]:
        """Return what the session claims to be on."""
        return list(self._providers)

    def run(self, *arguments: Any) -> Any:
        """Return the outputs, or raise EPFail as ONNX Runtime does for a provider that fails."""
        if self._providers[0] in self._layer.fails_at_run:
            text = "[ONNXRuntimeError] : 11 : EP_FAIL : the pretended device is lost"
            raise self._layer.EPFail(text)
        return self._real.run(*arguments)


@contextlib.contextmanager
def native_layer(
    claims: Sequence[str], *, fails: Sequence[str] = (), fails_at_run: Sequence[str] = ()
) -> Iterator[NativeLayer]:
    """Put a native layer under the wrapper as long as the context lasts."""
    from onnxruntime.capi import onnxruntime_inference_collection as wrapper  # noqa: PLC0415

    real = wrapper.C
    layer = NativeLayer(real, claims, fails=fails, fails_at_run=fails_at_run)
    wrapper.C = layer
    try:
        yield layer
    finally:
        wrapper.C = real


class Said:
    """What was written and warned of; filled when `listening` ends."""

    def __init__(self) -> None:
        self.printed = ""
        """All of stdout, what native code wrote there as well."""
        self.logged = ""
        """All of stderr: ONNX Runtime's log."""
        self.warned: list[str] = []


@contextlib.contextmanager
def listening() -> Iterator[Said]:
    """Keep every warning and what is written to the descriptors of stdout and stderr."""
    said = Said()
    with warnings.catch_warnings(record=True) as warned, contextlib.ExitStack() as streams:
        warnings.simplefilter("always")
        out, log = (streams.enter_context(_kept(stream)) for stream in (sys.stdout, sys.stderr))
        try:
            yield said
        finally:
            said.printed, said.logged = out(), log()
            said.warned = [str(warning.message) for warning in warned]


@contextlib.contextmanager
def _kept(stream: TextIO) -> Iterator[Callable[[], str]]:
    """Lead a standard stream's descriptor into a file; give a function that reads it so far."""
    number = STREAMS[stream.name]
    stream.flush()
    with tempfile.TemporaryFile() as file:
        real = os.dup(number)
        os.dup2(file.fileno(), number)

        def written() -> str:
            stream.flush()
            file.seek(0)
            return file.read().decode(errors="replace")

        try:
            yield written
        finally:
            stream.flush()
            os.dup2(real, number)
            os.close(real)


STREAMS = {"<stdout>": 1, "<stderr>": 2}
