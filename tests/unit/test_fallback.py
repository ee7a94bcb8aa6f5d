"""The suite `fallback` passes a sound backend and sees faults, without any onnxruntime."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.defects.fallback import DEFECTS
from harness.wire.catalogue.fallback import CASES, CHAIN
from harness.wire.messages import Reply, Request
from harness.wire.outcomes import Outcome
from harness.wire.providers import CHAINS, DeviceRequest
from harness.wire.settings import SessionSettings
from harness.worker.__main__ import carry_out
from harness.worker.backend import Backend, BackendError, OpenOptions, ProviderError
from harness.worker.bindings import BindingError
from harness.worker.cases.fallback.native import NativeLayer, listening
from harness.worker.cases.fallback.pretended import Pretended, Way
from harness.worker.cases.fallback.promises import PROMISED, PROVIDERS, Faults
from harness.worker.under_test import UnderTest
from tests.unit.scripted_binding import ScriptedBinding

if TYPE_CHECKING:
    from fixtures.defects import Defect

ON_ANY_BINDING = (
    *(procedure.id for procedure in CHAIN.values()),
    "fallback/kept/options",
    "fallback/kept/config",
    "fallback/strict",
    "fallback/nothing-serves",
    "fallback/released",
    "fallback/run-fails",
    "fallback/unknown-provider",
)
"""Cases that ask nothing of the sessions below but to be there."""


def observed(case: str, under_test: UnderTest) -> Reply:
    """Return what a worker replies to a case."""
    return carry_out(Request(procedure=case, device=DeviceRequest.CPU).to_json(), under_test)


def matching(defect: Defect) -> str:
    """Return a case that must see the defect."""
    return defect.caught_by.replace("*", "auto")


@pytest.mark.parametrize("case", ON_ANY_BINDING)
def test_a_sound_backend_passes(case: str) -> None:
    """The shared backend does what the suite promises."""
    under_test = UnderTest(binding=ScriptedBinding(available=["CPUExecutionProvider"]))

    seen = observed(case, under_test)

    assert (seen.outcome, seen.evidence.text) == (Outcome.PASS, "")


@pytest.mark.parametrize(
    "defect", [d for d in DEFECTS if matching(d) in ON_ANY_BINDING], ids=lambda d: d.name
)
def test_a_planted_fault_is_told(defect: Defect) -> None:
    """What is wrong is FAIL with a text, or ERROR where the backend raises; never our own fault."""
    under_test = defect.plant(ScriptedBinding(available=["CPUExecutionProvider"]))

    seen = observed(matching(defect), under_test)

    assert seen.outcome in (Outcome.FAIL, Outcome.ERROR)
    assert seen.evidence.text


def test_the_promise_is_what_the_backend_goes_by() -> None:
    """The suite's own table of chains, providers and devices agrees with the backend's."""
    chains = CHAINS.items()

    kept = {device: tuple(candidate.attached for candidate in chain) for device, chain in chains}

    assert kept == PROMISED
    assert {c.attached: str(c.provider) for _, chain in chains for c in chain} == PROVIDERS


def test_only_placement_needs_the_device() -> None:
    """Fallback is what happens without the device, so nearly every case runs without it."""
    needing = [procedure.id for procedure in CASES if procedure.needs_device]

    others = [case for case in needing if not case.startswith("fallback/placement/")]

    assert needing
    assert not others


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("CUDAExcutionProvider", "Did you mean 'CUDAExecutionProvider'?"),
        ("HouseExecutionProvidr", "Did you mean 'HouseExecutionProvider'?"),
        ("Abacus", "Known: CPUExecutionProvider, CUDAExecutionProvider, "),
    ],
)
def test_an_unknown_provider_is_refused_with_the_nearest_name(wrong: str, said: str) -> None:
    """Options that nobody would ever use are an error before any session is asked for."""
    binding = ScriptedBinding(available=["HouseExecutionProvider", "CPUExecutionProvider"])
    options = OpenOptions(providers={wrong: {"device_id": "0"}})

    with pytest.raises(ProviderError) as error:
        Backend.open(b"model", options, binding=binding)

    assert str(error.value).startswith(f"no execution provider is called {wrong!r}. {said}")
    assert not binding.asked


def created(binding: Pretended, attached: str, device_type: str | None = None) -> Any:
    """Return what a pretended build makes of a candidate."""
    options = {"device_type": device_type} if device_type else {}
    return binding.create(
        b"model", provider=PROVIDERS[attached], options=options, settings=SessionSettings()
    )


def test_a_pretended_build_has_every_provider_but_the_missing() -> None:
    """A missing candidate takes its provider with it, and all that is claimed is on the CPU."""
    real = ScriptedBinding(available=["CPUExecutionProvider"])
    binding = Pretended(real, {"CUDA": Way.MISSING})

    available = binding.available_providers()
    session = created(binding, "ROCm")

    assert "CUDAExecutionProvider" not in available
    assert len(available) == len(set(PROVIDERS.values())) - 1
    assert session.providers == ("ROCMExecutionProvider", "CPUExecutionProvider")
    assert [creation.attached for creation in real.asked] == ["CPU"]


def test_a_pretended_candidate_fails_in_its_way() -> None:
    """Raising, falling back silently, failing at run and taking no node are four things."""
    ways = {
        "CUDA": Way.RAISES,
        "ROCm": Way.SILENT,
        "OpenVINO:GPU": Way.FAILS_AT_RUN,
        "OpenVINO:CPU": Way.TAKES_NO_NODE,
    }
    binding = Pretended(ScriptedBinding(), ways)

    silent = created(binding, "ROCm")
    fails, takes_none = (created(binding, f"OpenVINO:{on}", on) for on in ("GPU", "CPU"))

    with pytest.raises(BindingError, match="CUDA"):
        created(binding, "CUDA")
    with pytest.raises(BindingError, match="EP_FAIL"):
        fails.run({})
    assert silent.providers == ("CPUExecutionProvider",)
    assert takes_none.providers[0] == "OpenVINOExecutionProvider"
    assert takes_none.placement() == {"CPUExecutionProvider": 1}


def test_what_a_backend_raises_beside_the_case_is_its_error() -> None:
    """A refusal that the case did not ask for speaks against the backend, not against us."""

    class Refuses(Backend):
        @classmethod
        def open(cls, *_: Any, **__: Any) -> Any:
            raise BackendError("not today")

    seen = observed("fallback/released", UnderTest(binding=ScriptedBinding(), backend=Refuses))

    assert (seen.outcome, seen.evidence.text) == (Outcome.ERROR, "not today")
    assert seen.evidence.status == "BackendError"


def test_many_faults_are_told_in_few_lines() -> None:
    """The first five say most; the rest is counted."""
    faults = Faults()
    for number in range(7):
        faults.expect(f"line {number}", number, -1)

    seen = faults.observation(attached="CPU", kept=1)

    assert seen.evidence.text.splitlines()[0] == "line 0: got 0, wanted -1"
    assert seen.evidence.text.splitlines()[-1] == "… and 2 more"
    assert (seen.evidence.attached, seen.evidence.answer) == ("CPU", {"kept": 1})


class FakeNative:
    """A native layer as the wrapper sees it."""

    class EPFail(Exception):  # noqa: N818 - ONNX Runtime's name
        """The provider failed at run."""

    class InferenceSession:
        """A native session."""

        def __init__(self, *_: Any) -> None:
            self.made_on: Any = None

        def initialize_session(self, providers: Any, *_: Any) -> None:
            """Keep what it is made on."""
            self.made_on = providers

        def run(self, *_: Any) -> list[int]:
            """Answer."""
            return [1]

    def get_available_providers(self) -> list[str]:
        """Return the CPU EP."""
        return ["CPUExecutionProvider"]


def test_a_native_layer_fails_where_it_is_told_to() -> None:
    """A claimed provider fails at creation or at run, and any other is the real CPU EP's."""
    layer = NativeLayer(FakeNative(), ["A", "B"], fails=["A"], fails_at_run=["B"])
    broken, lost, works = (layer.InferenceSession() for _ in range(3))

    with pytest.raises(RuntimeError, match="pretended driver of A"):
        broken.initialize_session(["A", "CPUExecutionProvider"], [{"x": "1"}, {}], set())
    lost.initialize_session(["B"], [{}], set())
    works.initialize_session(["CPUExecutionProvider"], [], set())

    with pytest.raises(FakeNative.EPFail):
        lost.run()
    assert works.run() == [1]
    assert lost.made_on == ["CPUExecutionProvider"]
    assert lost.get_providers() == ["B", "CPUExecutionProvider"]
    assert layer.get_available_providers() == ["A", "B", "CPUExecutionProvider"]
    assert layer.initialised == [
        (("A", "CPUExecutionProvider"), ({"x": "1"}, {})),
        (("B",), ({},)),
        (("CPUExecutionProvider",), ({},)),
    ]


def test_listening_keeps_both_streams_and_gives_them_back(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written while listening is kept, what is written afterwards is not."""
    monkeypatch.setattr(sys, "stdout", sys.__stdout__)
    monkeypatch.setattr(sys, "stderr", sys.__stderr__)

    with listening() as said:
        print("out")  # noqa: T201 - this is what is listened to
        print("log", file=sys.stderr)  # noqa: T201
    print("after", flush=True)  # noqa: T201

    assert (said.printed, said.logged) == ("out\n", "log\n")
    assert capfd.readouterr().out == "after\n"
