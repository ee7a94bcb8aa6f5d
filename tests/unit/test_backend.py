"""The shared backend degrades along its chain, binds, casts, closes and locks as it promises."""

from __future__ import annotations

import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from harness.wire.providers import (
    CHAINS,
    CONCURRENT_RUN,
    ConcurrentRun,
    DeviceRequest,
    ExecutionProvider,
    concurrent_run,
)
from harness.wire.settings import SessionSettings
from harness.wire.values import ElementType
from harness.worker.backend import (
    Backend,
    BackendError,
    ClosedError,
    InputError,
    OpenError,
    OpenOptions,
    ThreadError,
)
from harness.worker.bindings import BindingError, Slot
from harness.worker.tensors import PackedTensor
from tests.unit.scripted_binding import Drops, ScriptedBinding, X, Y

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MODEL = b"model"
WAIT_S = 30.0
"""Longer than anything here takes: a wait of this length has failed."""

TRIED_BEFORE_CPU = {
    DeviceRequest.AUTO: ["CUDA", "OpenVINO:GPU", "OpenVINO:CPU", "ROCm", "MIGraphX"],
    DeviceRequest.CPU: [],
    DeviceRequest.CUDA: ["CUDA"],
    DeviceRequest.TENSORRT: ["TensorRT", "CUDA"],
    DeviceRequest.OPENVINO: ["OpenVINO:GPU", "OpenVINO:CPU"],
    DeviceRequest.OPENVINO_GPU: ["OpenVINO:GPU"],
    DeviceRequest.OPENVINO_CPU: ["OpenVINO:CPU"],
    DeviceRequest.OPENVINO_NPU: ["OpenVINO:NPU"],
    DeviceRequest.ROCM: ["ROCm", "MIGraphX"],
    DeviceRequest.MIGRAPHX: ["MIGraphX"],
}

ACCELERATORS = [
    "CUDA",
    "TensorRT",
    "OpenVINO:GPU",
    "OpenVINO:CPU",
    "OpenVINO:NPU",
    "ROCm",
    "MIGraphX",
]

DEVICE_TYPE = {"OpenVINO:GPU": "GPU", "OpenVINO:CPU": "CPU", "OpenVINO:NPU": "NPU"}


def failing(*attached: str) -> dict[str, BindingError | Drops]:
    """Return a script in which each of these candidates fails at creation with its own text."""
    return {name: BindingError("FAIL", f"no device for {name}") for name in attached}


def f32(*values: Any) -> Any:
    """Return a float32 vector."""
    return np.array(values, np.float32)


def slot(name: str, of: str) -> Slot:
    """Return a slot of some element type."""
    return Slot(name=name, type=f"tensor({of})", shape=(None,))


def opened(binding: ScriptedBinding, **options: Any) -> Backend:
    """Return the model opened with these options."""
    return Backend.open(MODEL, OpenOptions(**options), binding=binding)


# --- The chain -----------------------------------------------------------------------------------


def test_every_request_and_provider_is_planned_for() -> None:
    """Each device request has a chain, and each provider a word on concurrent runs."""
    requests, providers = set(DeviceRequest), set(ExecutionProvider)

    planned = set(CHAINS), set(CONCURRENT_RUN)

    assert planned == (requests, providers)


def test_the_attached_strings_are_stable() -> None:
    """What a caller reads as the attached EP is one of these, whatever release comes."""
    chains = CHAINS.values()

    attached = {candidate.attached for chain in chains for candidate in chain}

    assert attached == {"CPU", *ACCELERATORS}


@pytest.mark.parametrize("device", DeviceRequest)
def test_a_failed_creation_goes_on_to_the_next_candidate(device: DeviceRequest) -> None:
    """Every candidate is tried in the chain's order, CPU last, and each failure is recorded."""
    binding = ScriptedBinding(script=failing(*ACCELERATORS))

    backend = opened(binding, device=device)

    tried = TRIED_BEFORE_CPU[device]
    assert backend.attached == "CPU"
    assert [creation.attached for creation in binding.asked] == [*tried, "CPU"]
    assert [step.attached for step in backend.fallback] == tried
    assert {step.stage for step in backend.fallback} <= {"creation"}
    assert [(step.status, step.text) for step in backend.fallback] == [
        ("FAIL", f"no device for {name}") for name in tried
    ]


@pytest.mark.parametrize("device", DeviceRequest)
def test_a_provider_that_is_not_in_the_build_is_not_asked_for(device: DeviceRequest) -> None:
    """On a build with the CPU EP alone each other candidate is a step at registration."""
    binding = ScriptedBinding(available=["CPUExecutionProvider"])

    backend = opened(binding, device=device)

    assert [creation.attached for creation in binding.asked] == ["CPU"]
    assert [step.attached for step in backend.fallback] == TRIED_BEFORE_CPU[device]
    for step in backend.fallback:
        assert (step.stage, step.status) == ("registration", "NOT_IN_BUILD")
        assert step.text == "this build has CPUExecutionProvider"


@pytest.mark.parametrize("works", [*TRIED_BEFORE_CPU[DeviceRequest.AUTO], "CPU"])
def test_auto_takes_the_first_candidate_that_works(works: str) -> None:
    """AUTO tries CUDA, OpenVINO on GPU then CPU, ROCm or MIGraphX, CPU, and stops where it can."""
    order = [*TRIED_BEFORE_CPU[DeviceRequest.AUTO], "CPU"]
    before = order[: order.index(works)]
    binding = ScriptedBinding(script=failing(*before))

    backend = opened(binding)

    assert backend.attached == works
    assert [step.attached for step in backend.fallback] == before
    assert [creation.attached for creation in binding.asked] == [*before, works]


def test_only_a_request_for_the_npu_gets_the_npu() -> None:
    """No other request, AUTO least of all, has the NPU among its candidates."""
    chains = CHAINS.items()

    on_npu = [r for r, chain in chains if any(c.options.get("device_type") == "NPU" for c in chain)]

    assert on_npu == [DeviceRequest.OPENVINO_NPU]


def test_both_stages_of_a_fallback_are_told_apart() -> None:
    """A step says which provider did not serve, and whether the build or the host lacks it."""
    available = ["OpenVINOExecutionProvider", "CPUExecutionProvider"]
    binding = ScriptedBinding(available=available, script=failing("OpenVINO:GPU"))

    backend = opened(binding)

    assert backend.attached == "OpenVINO:CPU"
    assert [(step.provider, step.stage, step.status) for step in backend.fallback] == [
        ("CUDAExecutionProvider", "registration", "NOT_IN_BUILD"),
        ("OpenVINOExecutionProvider", "creation", "FAIL"),
    ]


def test_a_silent_fallback_is_seen_and_the_next_candidate_tried() -> None:
    """A session without the asked provider counts as a failure, and is let go."""
    binding = ScriptedBinding(script={"CUDA": Drops.SILENTLY})

    backend = opened(binding)

    (step,) = backend.fallback
    assert backend.attached == "OpenVINO:GPU"
    assert (step.attached, step.stage, step.status) == ("CUDA", "creation", "SILENT_FALLBACK")
    assert step.text == "the session has CPUExecutionProvider"
    assert len(binding.alive) == 1


@pytest.mark.parametrize("fp16_io", [False, True])
def test_each_candidate_gets_its_own_options_and_all_of_the_callers(fp16_io: bool) -> None:  # noqa: FBT001
    """Threads, configuration, FP16 and the caller's options hold on every retry of the chain."""
    settings = SessionSettings(intra_threads=2, inter_threads=3, config=(("session.x", "1"),))
    callers = {
        "CUDAExecutionProvider": {"device_id": "1"},
        "OpenVINOExecutionProvider": {"num_streams": "4"},
    }
    binding = ScriptedBinding(script=failing(*ACCELERATORS))

    opened(binding, settings=settings, fp16_io=fp16_io, providers=callers)

    fp16 = {"precision": "FP16"} if fp16_io else {}
    assert {creation.settings for creation in binding.asked} == {settings}
    assert {creation.model for creation in binding.asked} == {MODEL}
    assert {creation.attached: creation.options for creation in binding.asked} == {
        "CUDA": {"device_id": "1"},
        "OpenVINO:GPU": {"device_type": "GPU", "num_streams": "4", **fp16},
        "OpenVINO:CPU": {"device_type": "CPU", "num_streams": "4", **fp16},
        "ROCm": {},
        "MIGraphX": {},
        "CPU": {},
    }


def test_the_caller_cannot_make_the_attached_ep_a_lie() -> None:
    """A caller's device_type gives way to the candidate's: OpenVINO:CPU is the CPU."""
    callers = {"OpenVINOExecutionProvider": {"device_type": "GPU"}}
    binding = ScriptedBinding()

    opened(binding, device=DeviceRequest.OPENVINO_CPU, providers=callers)

    assert binding.asked[0].options == {"device_type": "CPU"}


def test_the_caller_may_set_another_precision() -> None:
    """An option that the caller names is the caller's, also beside fp16_io."""
    binding = ScriptedBinding()

    opened(
        binding,
        device=DeviceRequest.OPENVINO_CPU,
        fp16_io=True,
        providers={"OpenVINOExecutionProvider": {"precision": "ACCURACY"}},
    )

    assert binding.asked[0].options == {"device_type": "CPU", "precision": "ACCURACY"}


@pytest.mark.parametrize(
    ("available", "script", "status"),
    [
        (["CPUExecutionProvider"], {}, "NOT_IN_BUILD"),
        (["CUDAExecutionProvider", "CPUExecutionProvider"], failing("CUDA"), "FAIL"),
        (
            ["CUDAExecutionProvider", "CPUExecutionProvider"],
            {"CUDA": Drops.SILENTLY},
            "SILENT_FALLBACK",
        ),
    ],
)
def test_strict_tries_the_first_candidate_only(
    available: list[str], script: Mapping[str, BindingError | Drops], status: str
) -> None:
    """Opened strictly, a request that cannot be met is an error with the one step in it."""
    binding = ScriptedBinding(available=available, script=script)

    with pytest.raises(OpenError) as error:
        opened(binding, device=DeviceRequest.CUDA, strict=True)

    (step,) = error.value.steps
    assert (step.attached, step.status) == ("CUDA", status)
    assert str(error.value) == f"CUDA: {status}: {step.text}"


def test_strict_is_content_with_the_first_candidate() -> None:
    """Opened strictly, a request that can be met is."""
    binding = ScriptedBinding()

    backend = opened(binding, device=DeviceRequest.TENSORRT, strict=True)

    assert (backend.attached, backend.fallback) == ("TensorRT", ())


def test_when_no_candidate_serves_the_error_has_every_step() -> None:
    """A model that nothing opens is an error that says what each candidate said."""
    binding = ScriptedBinding(script=failing("OpenVINO:GPU", "OpenVINO:CPU", "CPU"))

    with pytest.raises(OpenError) as error:
        opened(binding, device=DeviceRequest.OPENVINO)

    assert [step.attached for step in error.value.steps] == ["OpenVINO:GPU", "OpenVINO:CPU", "CPU"]
    assert str(error.value) == "; ".join(
        f"{name}: FAIL: no device for {name}" for name in ("OpenVINO:GPU", "OpenVINO:CPU", "CPU")
    )


# --- Inputs and outputs --------------------------------------------------------------------------


@pytest.mark.parametrize("side", ["input", "output"])
@pytest.mark.parametrize("spelling", ["tensor(undefined)", "opaque(a,b)", ""])
def test_an_element_type_that_cannot_be_named_is_an_error(side: str, spelling: str) -> None:
    """No float32 is assumed: the error names the side, the slot and what ORT said."""
    odd = (Slot(name="odd", type=spelling, shape=()),)
    binding = ScriptedBinding(
        inputs=odd if side == "input" else (X,), outputs=odd if side == "output" else (Y,)
    )

    with pytest.raises(BackendError) as error:
        opened(binding)

    assert str(error.value) == f"{side} 'odd': no element type can be named for {spelling!r}"


@pytest.mark.parametrize("given", [{"b": f32(2), "a": f32(1)}, [f32(1), f32(2)], (f32(1), f32(2))])
def test_inputs_bind_by_name_or_by_position(given: Any) -> None:
    """A mapping binds by name in any order, a sequence in the model's order."""
    binding = ScriptedBinding(
        inputs=(slot("a", "float"), slot("b", "float")),
        answer=lambda feeds: [feeds["a"] - 10 * feeds["b"]],
    )

    (y,) = opened(binding).run(given)

    assert y.tolist() == [-19]


def test_only_an_optional_input_may_be_left_out() -> None:
    """What is missing is named with what is wanted and what was given, unless it is optional."""
    inputs = (slot("a", "float"), Slot(name="b", type="tensor(int64)", shape=("n", 3)))
    optional = Slot(name="c", type="optional(tensor(float))", shape=())
    binding = ScriptedBinding(inputs=(*inputs, optional), answer=lambda feeds: [list(feeds)])
    backend = opened(binding)

    (without_c,) = backend.run([f32(1), np.zeros((2, 3), np.int64)])

    assert without_c == ["a", "b"]
    for given in ([f32(1)], {"a": f32(1)}):
        with pytest.raises(InputError) as error:
            backend.run(given)
        assert str(error.value) == (
            "input 'b' is missing: tensor(int64) of shape [n, 3]; given ['a']"
        )


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"x": f32(1), "z": f32(1)}, "no input is named 'z'; the model has ['x']"),
        ([f32(1), f32(1)], "2 inputs given, the model has 1: ['x']"),
        ([np.zeros(3)], "input 'x' wants float, given double"),
        ([np.zeros(3, np.float16)], "input 'x' wants float, given float16"),
        ([np.array(["a"])], "input 'x' wants float, given string"),
        ([np.zeros(3, ">f4")], "input 'x' wants float, given numpy >f4"),
        (
            [PackedTensor(element_type=ElementType.INT4, shape=(1,), data=b"\0")],
            "input 'x' wants float, given int4",
        ),
        ([f32([1])], "input 'x' wants shape [n], given [1, 1]"),
        ([[1.0]], "input 'x' wants an array of float, given list"),
        ([np.float32(1)], "input 'x' wants an array of float, given float32"),
        (f32(1), "inputs come by name or by position, given ndarray; wants ['x']"),
        ([], "input 'x' is missing: tensor(float) of shape [n]; given []"),
    ],
)
def test_a_wrong_input_is_told_by_name_given_and_wanted(given: Any, text: str) -> None:
    """What cannot be an input of the model is refused before ONNX Runtime sees it."""
    binding = ScriptedBinding()
    backend = opened(binding)

    with pytest.raises(InputError) as error:
        backend.run(given)

    assert str(error.value) == text
    assert not binding.fed


@pytest.mark.parametrize(
    ("of", "value"),
    [
        ("string", np.array(["a", "ü"])),
        ("string", np.array(["a", "ü"], object)),
        ("bfloat16", PackedTensor(element_type=ElementType.BFLOAT16, shape=(1,), data=b"\x80?")),
        ("bool", np.array([True])),
        ("complex64", np.array([1j], np.complex64)),
        ("seq(tensor(float))", [f32(1), f32(2)]),
        ("map(string,tensor(float))", {"a": 1.0}),
        ("optional(tensor(float))", None),
    ],
)
def test_inputs_reach_the_session_as_they_are(of: str, value: Any) -> None:
    """What is of the declared type, and what is no tensor at all, is handed on untouched."""
    spelling = of if "(" in of else f"tensor({of})"
    binding = ScriptedBinding(inputs=(Slot(name="x", type=spelling, shape=(None,)),))

    opened(binding).run([value])

    assert binding.fed[0]["x"] is value


def test_inputs_are_not_modified() -> None:
    """Neither arrays nor the mapping that holds them change, cast or not."""
    binding = ScriptedBinding(inputs=(slot("half", "float16"), slot("full", "float")))
    binding.outputs = (Y, Y)
    given = {"half": f32(0.1, 2), "full": f32(3, 4)}
    for array in given.values():
        array.setflags(write=False)

    opened(binding, fp16_io=True).run(given)

    assert {name: (a.dtype.name, a.tolist()) for name, a in given.items()} == {
        "half": ("float32", f32(0.1, 2).tolist()),
        "full": ("float32", [3, 4]),
    }


HALF_AND_FULL = (slot("half", "float16"), slot("full", "float"))


def test_fp16_io_casts_at_float16_slots_both_ways() -> None:
    """float32 goes in and comes out where float16 is declared; other slots are left alone."""
    answers = [np.array([0.5], np.float16), f32(0.25)]
    binding = ScriptedBinding(
        inputs=HALF_AND_FULL, outputs=HALF_AND_FULL, answer=lambda _feeds: answers
    )

    outputs = opened(binding, fp16_io=True).run([f32(1), f32(1)])

    assert [value.dtype.name for value in binding.fed[0].values()] == ["float16", "float32"]
    assert [(y.dtype.name, y.tolist()) for y in outputs] == [
        ("float32", [0.5]),
        ("float32", [0.25]),
    ]


def test_fp16_io_takes_float16_as_well() -> None:
    """Who has float16 already need not widen it first."""
    half = np.array([1], np.float16)
    binding = ScriptedBinding(inputs=HALF_AND_FULL[:1])

    opened(binding, fp16_io=True).run([half])

    assert binding.fed[0]["half"] is half


@pytest.mark.parametrize("value", [np.zeros(1), np.zeros(1, np.int32)])
def test_fp16_io_casts_nothing_but_float32(value: Any) -> None:
    """Another type at a float16 slot is as wrong as it is without."""
    binding = ScriptedBinding(inputs=HALF_AND_FULL[:1])

    with pytest.raises(InputError, match="input 'half' wants float16, given "):
        opened(binding, fp16_io=True).run([value])

    assert len(binding.asked) == 1


@pytest.mark.parametrize("of", ["bfloat16", "double", "float8e4m3fn"])
def test_fp16_io_casts_to_nothing_but_float16(of: str) -> None:
    """A slot of any other type wants that type."""
    binding = ScriptedBinding(inputs=(slot("x", of),))

    with pytest.raises(InputError) as error:
        opened(binding, fp16_io=True).run([f32(1)])

    assert str(error.value) == f"input 'x' wants {of}, given float"


def test_without_fp16_io_nothing_is_cast() -> None:
    """float32 is refused at a float16 slot, and float16 comes out as it is."""
    answer = [np.array([0.5], np.float16)]
    binding = ScriptedBinding(
        inputs=HALF_AND_FULL[:1], outputs=HALF_AND_FULL[:1], answer=lambda _feeds: answer
    )
    backend = opened(binding)

    outputs = backend.run([np.array([1], np.float16)])

    assert outputs[0] is answer[0]
    with pytest.raises(InputError, match="input 'half' wants float16, given float"):
        backend.run([f32(1)])


def test_what_onnx_runtime_refuses_at_run_is_handed_on() -> None:
    """An error of the binding passes through as it is, and the backend stays usable."""
    refusals = iter([True, False])

    def answer(_feeds: Mapping[str, Any]) -> Sequence[Any]:
        if next(refusals):
            raise BindingError("FAIL", "odd")
        return [f32(1)]

    backend = opened(ScriptedBinding(answer=answer))

    with pytest.raises(BindingError, match="FAIL: odd"):
        backend.run([f32(1)])

    assert backend.run([f32(1)])[0].tolist() == [1]


# --- Closing -------------------------------------------------------------------------------------


def test_a_closed_backend_holds_no_session_and_runs_no_more() -> None:
    """Close lets the session go at once; a second close does nothing; run says what is wrong."""
    binding = ScriptedBinding()
    backend = opened(binding)

    backend.close()
    backend.close()

    assert not binding.alive
    with pytest.raises(ClosedError, match="run after close"):
        backend.run([f32(1)])


def test_a_context_closes_also_on_an_error() -> None:
    """Whatever ends the block, the session is gone behind it, and the error comes out."""
    binding = ScriptedBinding()

    with pytest.raises(InputError), opened(binding) as backend:
        backend.run({"no such input": f32(1)})

    gc.collect()  # the error's traceback is gone with the `raises` block
    assert not binding.alive
    with pytest.raises(ClosedError):
        backend.run([f32(1)])


def test_an_open_that_fails_half_way_leaves_nothing() -> None:
    """A session whose slots cannot be read is let go, and the next open is not troubled."""
    binding = ScriptedBinding(inputs=(X, Slot(name="odd", type="?", shape=())))
    with pytest.raises(BackendError):
        opened(binding)
    gc.collect()
    left = len(binding.alive)
    binding.inputs = (X,)

    (y,) = opened(binding).run([f32(7)])

    assert left == 0
    assert y.tolist() == [7]


@pytest.mark.parametrize("device", [DeviceRequest.CPU, DeviceRequest.TENSORRT])
def test_close_lets_a_run_under_way_finish(device: DeviceRequest) -> None:
    """A run that has begun answers on the session that it holds; that is freed behind it."""
    inside, closed = threading.Event(), threading.Event()

    def answer(_feeds: Mapping[str, Any]) -> Sequence[Any]:
        inside.set()
        assert closed.wait(WAIT_S)
        return [f32(5)]

    binding = ScriptedBinding(answer=answer)
    backend = opened(binding, device=device)

    with ThreadPoolExecutor() as threads:
        running = threads.submit(backend.run, [f32(1)])
        assert inside.wait(WAIT_S)
        backend.close()
        alive_while_running = len(binding.alive)
        closed.set()
        outputs = running.result(WAIT_S)

    assert alive_while_running == 1
    assert outputs[0].tolist() == [5]
    gc.collect()
    assert not binding.alive


# --- Several threads -----------------------------------------------------------------------------

REQUEST_FOR = {
    ExecutionProvider.CPU: DeviceRequest.CPU,
    ExecutionProvider.CUDA: DeviceRequest.CUDA,
    ExecutionProvider.TENSORRT: DeviceRequest.TENSORRT,
    ExecutionProvider.OPENVINO: DeviceRequest.OPENVINO_CPU,
    ExecutionProvider.ROCM: DeviceRequest.ROCM,
    ExecutionProvider.MIGRAPHX: DeviceRequest.MIGRAPHX,
}


@pytest.mark.parametrize("provider", ExecutionProvider)
def test_runs_meet_on_one_session_only_where_that_is_allowed(provider: ExecutionProvider) -> None:
    """Two threads are inside one session at once on an EP that allows it, and on no other."""
    allowed = CONCURRENT_RUN[provider] is ConcurrentRun.ALLOWED
    meeting = threading.Barrier(2, timeout=WAIT_S if allowed else 0.05)

    def answer(_feeds: Mapping[str, Any]) -> Sequence[Any]:
        try:
            meeting.wait()
        except threading.BrokenBarrierError:
            return [f32(0)]
        return [f32(1)]

    backend = opened(ScriptedBinding(answer=answer), device=REQUEST_FOR[provider], strict=True)

    with ThreadPoolExecutor(2) as threads:
        met = [y.tolist() == [1] for (y,) in threads.map(backend.run, [[f32(1)], [f32(2)]])]

    assert met == [allowed, allowed]


@pytest.mark.parametrize(
    ("provider", "option"), [("CUDA", "enable_cuda_graph"), ("TENSORRT", "trt_cuda_graph_enable")]
)
def test_a_captured_graph_belongs_to_one_thread(provider: str, option: str) -> None:
    """The first thread that runs keeps the session; another one gets ThreadError."""
    added = {ExecutionProvider[provider]: {option: "1"}}
    backend = opened(
        ScriptedBinding(), device=DeviceRequest[provider], strict=True, providers=added
    )
    before = backend.run([f32(1)])

    with ThreadPoolExecutor(1) as threads:
        other = threads.submit(backend.run, [f32(2)]).exception()

    assert backend.concurrent_run is ConcurrentRun.FORBIDDEN
    assert isinstance(other, ThreadError)
    assert "only MainThread may run this session" in str(other)
    assert backend.run([f32(1)]) == before


def test_a_graph_that_is_not_captured_forbids_nothing() -> None:
    """The option may stand there and say no."""
    options = {"enable_cuda_graph": "0"}

    allowed = concurrent_run(ExecutionProvider.CUDA, options)

    assert allowed is ConcurrentRun.ALLOWED


def test_two_sessions_of_a_serialised_provider_run_at_once() -> None:
    """The lock is a session's own: another model need not wait."""
    meeting = threading.Barrier(2, timeout=WAIT_S)

    def answer(_feeds: Mapping[str, Any]) -> Sequence[Any]:
        meeting.wait()
        return [f32(1)]

    binding = ScriptedBinding(answer=answer)
    backends = [opened(binding, device=DeviceRequest.TENSORRT) for _ in range(2)]

    with ThreadPoolExecutor(2) as threads:
        outputs = list(threads.map(lambda backend: backend.run([f32(1)]), backends))

    assert [y.tolist() for (y,) in outputs] == [[1], [1]]


def test_a_refused_run_gives_the_lock_back() -> None:
    """After an error at a serialised provider the next run gets its turn."""
    refusals = iter([True, False])

    def answer(_feeds: Mapping[str, Any]) -> Sequence[Any]:
        if next(refusals):
            raise BindingError("FAIL", "odd")
        return [f32(1)]

    backend = opened(ScriptedBinding(answer=answer), device=DeviceRequest.TENSORRT)

    with pytest.raises(BindingError):
        backend.run([f32(1)])
    with ThreadPoolExecutor() as threads:
        outputs = threads.submit(backend.run, [f32(1)]).result(WAIT_S)

    assert outputs[0].tolist() == [1]


def test_concurrent_runs_share_no_buffer() -> None:
    """Each thread gets the answer to its own input, through the cast as well."""
    count = 4
    everyone = threading.Barrier(count, timeout=WAIT_S)

    def answer(feeds: Mapping[str, Any]) -> Sequence[Any]:
        everyone.wait()  # every input has been cast by now
        return [feeds["half"] * np.float16(2)]

    binding = ScriptedBinding(inputs=HALF_AND_FULL[:1], outputs=HALF_AND_FULL[:1], answer=answer)
    backend = opened(binding, device=DeviceRequest.CPU, fp16_io=True)

    with ThreadPoolExecutor(count) as threads:
        outputs = list(threads.map(lambda n: backend.run([f32(n)]), range(count)))

    assert [y.tolist() for (y,) in outputs] == [[0], [2], [4], [6]]
