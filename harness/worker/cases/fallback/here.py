"""The build and the host as they are: what falls back here, and how it is told."""

from __future__ import annotations

import ctypes
import itertools
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.wire.catalogue.fallback import (
    BAD_MODEL,
    CPU_FORBIDDEN,
    DEVICE_INDEX,
    DEVICES_HIDDEN,
    DRIVER_MISSING,
    HERE,
    NOT_IN_BUILD,
    PLUGIN_LIBRARY,
    PROVIDER_LIBRARY,
    UNKNOWN_PROVIDER,
)
from harness.wire.providers import DeviceRequest
from harness.wire.settings import SessionSettings
from harness.worker.backend import BackendError, OpenError, OpenOptions
from harness.worker.bindings import BindingError
from harness.worker.cases.fallback.chain import device_of
from harness.worker.cases.fallback.pretended import Recording
from harness.worker.cases.fallback.promises import (
    CPU,
    MODEL,
    ONE_THREAD,
    PROMISED,
    PROVIDERS,
    Faults,
    X,
    carries_out,
    is_here,
    not_tested,
    on_the_cpu,
    opened,
    same,
)
from harness.worker.cases.refusals import Seen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.wire.messages import FallbackStep, Request
    from harness.worker.backend import Backend
    from harness.worker.bindings import Binding
    from harness.worker.cases import Observation
    from harness.worker.under_test import UnderTest

PLACED = SessionSettings(intra_threads=1, inter_threads=1, records_placement=True)
CLOSE = 1e-4
"""How far, relatively, an accelerator's float32 may be off after ten functions."""


def here(request: Request, under_test: UnderTest) -> Observation:
    """Open on the device as a caller would, and hold the way down the chain against the build."""
    device, faults, seen = device_of(request), Faults(), Seen()
    binding = Recording(under_test.binding)
    options = OpenOptions(device=device, settings=PLACED, providers=request.providers)
    with opened(under_test, binding, MODEL, options) as backend:
        _expect_descent(faults, device, backend, binding)
        (got,) = backend.run([X])
        seen.has_run(backend)
    wanted = on_the_cpu(under_test, MODEL)
    alike = same(got, wanted) if backend.attached == "CPU" else _near(got, wanted)
    if not alike:
        faults.note(f"on {backend.attached} the result is {got!r}, the CPU's {wanted!r}")
    if not seen.placement[backend.provider]:
        faults.note(f"{backend.attached} ran no node of {dict(seen.placement)}")
    return faults.observation(
        attached=backend.attached, fallback=backend.fallback, placement=dict(seen.placement)
    )


for _procedure in HERE.values():
    carries_out(_procedure)(here)


def _near(got: Any, wanted: Any) -> bool:
    return got.dtype == wanted.dtype and np.allclose(got, wanted, rtol=CLOSE, atol=0)


def _expect_descent(
    faults: Faults, device: DeviceRequest, backend: Backend, binding: Recording
) -> None:
    """Note where the backend did not go down the promised chain, or did not say why."""
    promised, available = PROMISED[device], binding.available_providers()
    down = [*(step.attached for step in backend.fallback), backend.attached]
    faults.expect(f"{device}: the way down", down, list(promised[: len(down)]))
    tried = [name for name in down if is_here(name, available)]
    faults.expect(f"{device}: tried", [asked.attached for asked in binding.asked], tried)
    for asked in binding.asked:
        faults.expect(f"{device}: settings of {asked.attached}", asked.settings, PLACED)
    for step in backend.fallback:
        _expect_stage(faults, step, available)


def _expect_stage(faults: Faults, step: FallbackStep, available: Sequence[str]) -> None:
    stage = "creation" if is_here(step.attached, available) else "registration"
    faults.expect(f"stage of {step.attached}", step.stage, stage)
    if not step.text or not step.status:
        faults.note(f"the step of {step.attached} has status {step.status!r}, text {step.text!r}")


@carries_out(NOT_IN_BUILD)
def not_in_build(_request: Request, under_test: UnderTest) -> Observation:
    """Ask for each provider that this build does not have: strictly, not, and past the backend."""
    faults = Faults()
    available = under_test.binding.available_providers()
    steps: Sequence[FallbackStep] = ()
    absent = {
        chain[0]: device for device, chain in PROMISED.items() if not is_here(chain[0], available)
    }
    for name, device in absent.items():
        with under_test.open(MODEL, OpenOptions(device=device, settings=ONE_THREAD)) as backend:
            first, *steps = backend.fallback
        told = (first.attached, first.stage, first.status)
        faults.expect(f"first step of {device}", told, (name, "registration", "NOT_IN_BUILD"))
        if CPU not in first.text:
            faults.note(f"the step of {name} does not say what the build has: {first.text!r}")
        _expect_strictly_refused(faults, under_test, device, "NOT_IN_BUILD")
        faults.expect(f"{name} past the backend", _claims(under_test.binding, name, {}), "refused")
        steps = backend.fallback
    return faults.observation(fallback=steps, absent=sorted(absent))


def _expect_strictly_refused(
    faults: Faults, under_test: UnderTest, device: DeviceRequest, status: str
) -> None:
    try:
        with under_test.open(MODEL, OpenOptions(device=device, strict=True)) as backend:
            faults.note(f"{device}: opened strictly, it is on {backend.attached}")
    except OpenError as error:
        faults.expect(f"{device}: strictly", [step.status for step in error.steps], [status])


def _claims(binding: Binding, attached: str, options: Mapping[str, str]) -> str:
    """Return what asking the build for a provider gives: "refused", or "made" if it is listed."""
    provider = PROVIDERS[attached]
    try:
        session = binding.create(MODEL, provider=provider, options=options, settings=ONE_THREAD)
    except BindingError:
        return "refused"
    return "made" if provider in session.providers else "refused"


@carries_out(BAD_MODEL)
def bad_model(_request: Request, under_test: UnderTest) -> Observation:
    """Ask for each device with bytes that are no model, then with a model."""
    faults = Faults()
    wanted = on_the_cpu(under_test, MODEL)
    available = under_test.binding.available_providers()
    steps: Sequence[FallbackStep] = ()
    for device, broken in itertools.product(DeviceRequest, (MODEL[:-1], b"no model")):
        options = OpenOptions(device=device, settings=ONE_THREAD)
        try:
            under_test.open(broken, options).close()
            faults.note(f"{device}: opened {broken!r}")
        except OpenError as error:
            steps = error.steps
            tried = [step.attached for step in steps]
            faults.expect(f"{device}: refused by", tried, list(PROMISED[device]))
            for step in steps:
                _expect_stage(faults, step, available)
        with under_test.open(MODEL, options) as backend:
            (got,) = backend.run([X])
        if backend.attached == "CPU" and not same(got, wanted):
            faults.note(f"{device}: the result after it is {got!r}, the CPU's {wanted!r}")
    return faults.observation(fallback=steps)


@carries_out(UNKNOWN_PROVIDER)
def unknown_provider(_request: Request, under_test: UnderTest) -> Observation:
    """Misspell each provider in the options, and give one that is like no other."""
    faults = Faults()
    right = {name.replace("Execution", "Excution"): name for name in PROVIDERS.values()}
    said = {}
    for wrong, nearest in {**right, "Abacus": ", ".join(PROVIDERS.values())}.items():
        options = OpenOptions(providers={wrong: {"device_id": "0"}}, settings=ONE_THREAD)
        try:
            with under_test.open(MODEL, options) as backend:
                faults.note(f"options for {wrong!r} were taken, on {backend.attached}")
        except BackendError as error:
            said[wrong] = str(error)
            parts = (repr(wrong), *nearest.split(", "))
            if missing := [part for part in parts if part not in str(error)]:
                faults.note(f"the error for {wrong!r} does not name {missing}: {error}")
    with under_test.open(MODEL, OpenOptions(settings=ONE_THREAD)) as backend:
        backend.run([X])
    return faults.observation(said=said)


# --- Devices --------------------------------------------------------------------------------------

DRIVERS = {
    "CUDA": ("libcuda.so.1", "/dev/nvidiactl"),
    "TensorRT": ("libcuda.so.1", "/dev/nvidiactl"),
    "ROCm": ("libamdhip64.so", "/dev/kfd"),
    "MIGraphX": ("libamdhip64.so", "/dev/kfd"),
}
"""The library and the device file without either of which a GPU cannot be had."""


def _lacks_driver(attached: str) -> bool:
    library, file = DRIVERS[attached]
    try:
        ctypes.CDLL(library)
    except OSError:
        return True
    return not Path(file).exists() and not Path("/dev/dxg").exists()


def _of_build(under_test: UnderTest) -> Iterator[tuple[str, DeviceRequest]]:
    """Return each GPU's attached EP that this build claims, with the request for it."""
    available = under_test.binding.available_providers()
    for device, chain in PROMISED.items():
        if chain[0] in DRIVERS and is_here(chain[0], available):
            yield chain[0], device


@carries_out(DRIVER_MISSING)
def driver_missing(request: Request, under_test: UnderTest) -> Observation:
    """Ask for each GPU of the build whose driver this host does not have."""
    lacking = [(name, device) for name, device in _of_build(under_test) if _lacks_driver(name)]
    if not lacking:
        return not_tested("a build with a GPU's provider, on a host without that GPU's driver")
    return _without_device(request, under_test, lacking, {})


@carries_out(DEVICES_HIDDEN)
def devices_hidden(request: Request, under_test: UnderTest) -> Observation:
    """Hide all GPUs before the first session, then ask for each."""
    for variable in ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES"):
        os.environ[variable] = "-1"
    gpus = list(_of_build(under_test))
    if not gpus:
        return not_tested("a build with the provider of a GPU that can be hidden")
    return _without_device(request, under_test, gpus, {})


def _without_device(
    request: Request,
    under_test: UnderTest,
    gpus: Sequence[tuple[str, DeviceRequest]],
    added: Mapping[str, str],
) -> Observation:
    """Return whether none of the GPUs is had, each is told at creation and the CPU serves."""
    faults = Faults()
    steps: list[FallbackStep] = []
    wanted = on_the_cpu(under_test, MODEL)
    for name, device in gpus:
        own = {**request.providers.get(PROVIDERS[name], {}), **added}
        options = OpenOptions(device=device, settings=ONE_THREAD, providers={PROVIDERS[name]: own})
        with under_test.open(MODEL, options) as backend:
            (got,) = backend.run([X])
        if not backend.fallback:
            faults.note(f"{device}: on {backend.attached} at once")
            continue
        first = backend.fallback[0]
        steps += backend.fallback
        faults.expect(f"{device}: first step", (first.attached, first.stage), (name, "creation"))
        faults.expect(f"{device}: attached EP", backend.attached, "CPU")
        if not same(got, wanted):
            faults.note(f"{device}: the result is {got!r}, the CPU's {wanted!r}")
    return faults.observation(fallback=steps)


@carries_out(DEVICE_INDEX)
def device_index(request: Request, under_test: UnderTest) -> Observation:
    """Ask each provider of the build for its hundredth device, or OpenVINO for its tenth GPU."""
    available = under_test.binding.available_providers()
    gpus = list(_of_build(under_test))
    if is_here("OpenVINO:GPU", available):
        faults = Faults()
        claims = _claims(under_test.binding, "OpenVINO:GPU", {"device_type": "GPU.9"})
        faults.expect("a session on OpenVINO's GPU.9", claims, "refused")
        return faults.observation()
    if not gpus:
        return not_tested("a build with a provider that has devices by number")
    return _without_device(request, under_test, gpus, {"device_id": "99"})


@carries_out(CPU_FORBIDDEN)
def cpu_forbidden(_request: Request, under_test: UnderTest) -> Observation:
    """Forbid the CPU EP as fallback and ask for every device: had in full, or an error."""
    faults, refused = Faults(), {}
    config = (("session.disable_cpu_ep_fallback", "1"),)
    settings = SessionSettings(intra_threads=1, config=config, records_placement=True)
    for device in DeviceRequest:
        binding = Recording(under_test.binding)
        try:
            with opened(
                under_test, binding, MODEL, OpenOptions(device=device, settings=settings)
            ) as backend:
                backend.run([X])
                nodes = dict(backend.placement())
                if nodes.get(CPU) or not nodes:
                    faults.note(f"{device}: on {backend.attached}, nodes by provider: {nodes}")
        except OpenError as error:
            refused[device] = [f"{step.attached}: {step.status}" for step in error.steps]
            steps = [step.attached for step in error.steps]
            faults.expect(f"{device}: refused by", steps, list(PROMISED[device]))
    return faults.observation(refused=refused)


# --- Libraries ------------------------------------------------------------------------------------


def _bad_libraries(folder: Path) -> Iterator[tuple[str, str]]:
    """Return paths of what is no provider's library, by what it is."""
    empty, text = folder / "empty.so", folder / "text.so"
    empty.touch()
    text.write_text("#!/bin/sh\nexit 1\n")
    yield "missing", str(folder / "missing.so")
    yield "empty", str(empty)
    yield "text", str(text)
    yield "a folder", str(folder)
    yield "a library without the entry point", _other_library()


def _other_library() -> str:
    """Return the path of a library that is loaded already and is no provider's."""
    maps = Path("/proc/self/maps").read_text("utf-8").splitlines()
    return next(line.split()[-1] for line in maps if "/libm.so" in line or "/libm-" in line)


@carries_out(PROVIDER_LIBRARY)
def provider_library(_request: Request, under_test: UnderTest) -> Observation:
    """Name bad libraries as that of a provider, in the options that ONNX Runtime has for it."""
    faults, said = Faults(), {}
    wanted = on_the_cpu(under_test, MODEL)
    with tempfile.TemporaryDirectory() as folder:
        for what, path in _bad_libraries(Path(folder)):
            try:
                session = under_test.binding.create(
                    MODEL,
                    provider="PretendedExecutionProvider",
                    options={"shared_lib_path": path, "provider_factory_entry_point": "Create"},
                    settings=ONE_THREAD,
                )
            except BindingError as error:
                said[what] = f"{error.status}: {error.text}"
            else:
                faults.note(f"{what}: a session was made on {', '.join(session.providers)}")
    if not same(on_the_cpu(under_test, MODEL), wanted):
        faults.note("afterwards the CPU EP gives another result")
    return faults.observation(said=said)


@carries_out(PLUGIN_LIBRARY)
def plugin_library(_request: Request, under_test: UnderTest) -> Observation:
    """Register bad libraries as plug-ins, each under a name that is good afterwards."""
    import onnxruntime  # noqa: PLC0415 - a case's module is read where there is none, too

    if not hasattr(onnxruntime, "register_execution_provider_library"):
        return not_tested("onnxruntime.register_execution_provider_library, which came with 1.23")
    faults, said = Faults(), {}
    before = under_test.binding.available_providers()
    with tempfile.TemporaryDirectory() as folder:
        for what, path in _bad_libraries(Path(folder)):
            try:
                onnxruntime.register_execution_provider_library("pretended", path)
            except Exception as error:  # noqa: BLE001 - which class it is, is looked at
                said[what] = f"{type(error).__name__}: {error}"
                file = Path(path).name  # the loader may have found it by another path
                if not str(error).startswith("[ONNXRuntimeError]") or file not in str(error):
                    faults.note(f"{what}: not ONNX Runtime's error, or not of {file}: {error}")
            else:
                faults.note(f"{what}: was registered")
    faults.expect("providers afterwards", under_test.binding.available_providers(), before)
    with under_test.open(MODEL, OpenOptions(device=DeviceRequest.CPU)) as backend:
        backend.run([X])
    return faults.observation(said=said)
