"""What a worker's procedures observe of a build that answers rightly, wrongly or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from harness.corpus.packing import Packable, Packer, model_case
from harness.wire.catalogue.procedures import (
    CANARY_BUILD,
    CANARY_DEVICE,
    MODEL_CASE,
    PIPELINE,
    PROBE,
)
from harness.wire.messages import Request
from harness.wire.outcomes import Outcome
from harness.wire.providers import DeviceRequest
from harness.wire.settings import SessionSettings
from harness.wire.values import PipelineCase
from harness.worker import __main__ as worker
from harness.worker import probe
from harness.worker.bindings import BindingLimitError, Slot
from harness.worker.models import smallest
from harness.worker.under_test import UnderTest
from tests.unit.scripted_binding import ScriptedBinding, X, Y

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from harness.wire.catalogue.procedures import Procedure
    from harness.wire.messages import Reply

X_AND_W = (X, Slot(name="w", type="tensor(float)", shape=(3,)))


@pytest.fixture(autouse=True)
def _another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the probe forget the range of the build before: a worker serves one build only."""
    monkeypatch.setattr(probe, "_HIGHEST", {})


def asked(
    procedure: Procedure,
    binding: ScriptedBinding,
    arguments: dict[str, Any] | None = None,
    device: DeviceRequest = DeviceRequest.CUDA,
) -> Reply:
    """Return what the worker replies to a request."""
    request = Request(procedure=procedure.id, device=device, arguments=arguments or {})
    return worker.carry_out(request.to_json(), UnderTest(binding=binding))


def adding(feeds: Mapping[str, Any]) -> Sequence[Any]:
    """Answer as addition does."""
    return [feeds["x"] + feeds["w"]]


def test_the_canary_of_a_build_sings_on_the_cpu() -> None:
    """Whatever device is asked for, the build's canary adds on the CPU EP."""
    binding = ScriptedBinding(inputs=X_AND_W, answer=adding)

    reply = asked(CANARY_BUILD, binding)

    assert reply.outcome is Outcome.PASS
    assert [creation.attached for creation in binding.asked] == ["CPU"]


def test_the_canary_of_a_device_does_not_fall_back() -> None:
    """On a build without the device nothing was tested."""
    binding = ScriptedBinding(available=["CPUExecutionProvider"], inputs=X_AND_W, answer=adding)

    reply = asked(CANARY_DEVICE, binding)

    assert reply.outcome is Outcome.NOT_TESTED
    assert reply.evidence.requirement.startswith("CUDA: NOT_IN_BUILD")


def test_a_canary_that_adds_wrongly_fails() -> None:
    """The sum that came out is told."""
    binding = ScriptedBinding(inputs=X_AND_W, answer=lambda feeds: [feeds["x"]])

    reply = asked(CANARY_DEVICE, binding)

    assert reply.outcome is Outcome.FAIL
    assert (reply.evidence.stage, reply.evidence.attached) == ("compare", "CUDA")
    assert reply.evidence.text == "[1.0, 2.0, 3.0] + [0.5, -2.0, 40.0] gave [1.0, 2.0, 3.0]"


def case_of(folder: Path, *data_sets: tuple[list[Any], list[Any] | None]) -> dict[str, Any]:
    """Return the arguments of a model case with these data sets, exact."""
    data_file = folder / "data.bin"
    given = Packable(id="c/one", model=smallest.identity(), data_sets=data_sets, rtol=0, atol=0)
    with data_file.open("wb") as out:
        return model_case(given, Packer(out, data_file)).arguments


def f32(*numbers: float) -> Any:
    """Return a float32 vector."""
    return np.array(numbers, np.float32)


def test_a_model_case_passes_on_every_data_set(tmp_path: Path) -> None:
    """Each data set is run on one session, with one thread and the model's own bytes."""
    case = case_of(tmp_path, ([f32(1)], [f32(1)]), ([f32(2)], [f32(2)]), ([f32(3)], None))
    binding = ScriptedBinding()

    reply = asked(MODEL_CASE, binding, case)

    assert reply.outcome is Outcome.PASS
    assert [feeds["x"].tolist() for feeds in binding.fed] == [[1], [2], [3]]
    (creation,) = binding.asked
    assert creation.model == smallest.identity()
    assert creation.settings == SessionSettings(
        intra_threads=1, inter_threads=1, records_placement=True
    )


def test_an_answer_that_the_asked_provider_had_no_part_in_is_a_fallback(tmp_path: Path) -> None:
    """A right answer is no pass where all of its nodes ran on another provider."""
    case = case_of(tmp_path, ([f32(1)], [f32(1)]))
    binding = ScriptedBinding()
    binding.placement = {"CPUExecutionProvider": 2}

    reply = asked(MODEL_CASE, binding, case)

    assert (reply.outcome, reply.evidence.attached) == (Outcome.FALLBACK, "CUDA")
    assert reply.evidence.placement == {"CPUExecutionProvider": 2}
    assert reply.evidence.text == (
        "CUDAExecutionProvider ran no node; nodes by provider: CPUExecutionProvider: 2"
    )


@pytest.mark.parametrize(
    ("device", "placement"),
    [
        (DeviceRequest.CUDA, {"CUDAExecutionProvider": 1, "CPUExecutionProvider": 9}),
        (DeviceRequest.CPU, {"CPUExecutionProvider": 1}),
    ],
)
def test_an_answer_that_the_asked_provider_had_a_part_in_is_none(
    tmp_path: Path, device: DeviceRequest, placement: dict[str, int]
) -> None:
    """One node on the asked provider is enough, and who asks for the CPU cannot fall back."""
    case = case_of(tmp_path, ([f32(1)], [f32(1)]))
    binding = ScriptedBinding()
    binding.placement = placement

    reply = asked(MODEL_CASE, binding, case, device)

    assert reply.outcome is Outcome.PASS
    assert reply.evidence.placement == placement


def test_a_wrong_answer_is_no_fallback(tmp_path: Path) -> None:
    """What differs has failed, wherever it ran; where that was is told."""
    case = case_of(tmp_path, ([f32(1)], [f32(2)]))
    binding = ScriptedBinding()
    binding.placement = {"CPUExecutionProvider": 1}

    reply = asked(MODEL_CASE, binding, case)

    assert reply.outcome is Outcome.FAIL
    assert reply.evidence.placement == {"CPUExecutionProvider": 1}


def test_a_model_case_fails_on_the_first_data_set_that_differs(tmp_path: Path) -> None:
    """The data set, the output and the figures are told, and no further one is run."""
    case = case_of(tmp_path, ([f32(1)], [f32(1)]), ([f32(2)], [f32(4)]), ([f32(3)], [f32(0)]))
    binding = ScriptedBinding()

    reply = asked(MODEL_CASE, binding, case)

    assert (reply.outcome, reply.evidence.stage) == (Outcome.FAIL, "compare")
    assert reply.evidence.text.startswith("data set 1: y: 1 of 1 differ")
    (mismatch,) = reply.evidence.mismatches
    assert (mismatch.output, mismatch.largest_error) == ("y", 2)
    assert len(binding.fed) == 2


def test_a_model_case_counts_outputs(tmp_path: Path) -> None:
    """Fewer outputs than there should be is a failure that says both numbers."""
    case = case_of(tmp_path, ([f32(1)], [f32(1), f32(1)]))

    reply = asked(MODEL_CASE, ScriptedBinding(), case)

    assert reply.outcome is Outcome.FAIL
    assert reply.evidence.text == "data set 0: all: want 2 outputs, got 1"


def test_the_probe_tells_what_the_build_offers() -> None:
    """Providers, the highest IR version and the highest opset of each domain are in the answer."""
    binding = ScriptedBinding(available=["CPUExecutionProvider"])

    reply = asked(PROBE, binding)

    highest = probe.HIGHEST_ASKED - 1  # this build loads anything
    assert reply.outcome is Outcome.PASS
    assert reply.evidence.answer["providers"] == ["CPUExecutionProvider"]
    assert reply.evidence.answer["highest_ir"] == highest
    assert reply.evidence.answer["highest_opset"] == {
        domain or "ai.onnx": highest for domain in probe.DOMAINS
    }


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (BindingLimitError("no tensor(int4)"), Outcome.NOT_TESTED),
        (MemoryError("std::bad_alloc"), Outcome.ERROR),
        (IndexError("an odd shape"), Outcome.ERROR),
    ],
)
def test_a_pipeline_tells_a_refusal_from_an_odd_answer(
    tmp_path: Path, error: Exception, outcome: Outcome
) -> None:
    """Only what is no refusal is an answer that cannot be read."""
    data_file = tmp_path / "data.bin"
    with data_file.open("wb") as out:
        samples = Packer(out, data_file).value(np.zeros(512, np.float32))
    case = PipelineCase(
        pipeline="silero_vad_16k",
        models={"detect": str(tmp_path / "model.onnx")},
        ir=8,
        opsets={"": 13},
        texts={},
        data=str(data_file),
        input=samples,
        golden={},
        meaning={},
        tolerance={"rtol": 0, "atol": 0},
        tolerance_on={},
    )

    def answer(_feeds: Mapping[str, Any]) -> Sequence[Any]:
        raise error

    slots = [Slot(name=n, type="tensor(float)", shape=()) for n in ("input", "state")]
    rate = Slot(name="sr", type="tensor(int64)", shape=())
    binding = ScriptedBinding(inputs=(*slots, rate), outputs=(Y,), answer=answer)

    reply = asked(PIPELINE, binding, case.to_json())

    unread = "the answer cannot be read" in reply.evidence.text
    assert (reply.outcome, reply.evidence.stage) == (outcome, "run")
    assert unread is isinstance(error, IndexError)
