"""What a build refuses becomes the outcome that it means, with what is lacking."""

from __future__ import annotations

from typing import TYPE_CHECKING

import onnx
import pytest

from harness.wire.messages import Evidence
from harness.wire.outcomes import Outcome
from harness.wire.providers import DeviceRequest
from harness.worker import probe
from harness.worker.backend import Backend, InputError, OpenOptions
from harness.worker.bindings import BindingError, BindingLimitError, Slot
from harness.worker.cases.refusals import Seen, observed
from harness.worker.models import smallest
from tests.unit.scripted_binding import Drops, ScriptedBinding, ScriptedSession, X, Y

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.wire.settings import SessionSettings
    from harness.worker.cases import Observation

LOCALE = "Failed to construct locale with name:de_DE.UTF-8:locale::facet::_S_create_c_locale"


class RangedBinding(ScriptedBinding):
    """A build that loads models up to IR version 10 and opset 21 of ai.onnx, 3 of ai.onnx.ml."""

    MOST = {"": 21, "ai.onnx.ml": 3, "com.microsoft": 1}  # noqa: RUF012 - it stays as it is

    def create(
        self,
        model: bytes | str,
        *,
        provider: str,
        options: Mapping[str, str],
        settings: SessionSettings,
    ) -> ScriptedSession:
        """Return a session, or refuse the model as ONNX Runtime does."""
        assert isinstance(model, bytes)
        asks = onnx.load_model_from_string(model)
        if asks.ir_version > 10:
            raise BindingError("FAIL", f"Unsupported model IR version: {asks.ir_version}")
        for opset in asks.opset_import:
            if opset.version > self.MOST.get(opset.domain, 0):
                raise BindingError("FAIL", "ONNX Runtime only guarantees support for less")
        return super().create(model, provider=provider, options=options, settings=settings)


@pytest.fixture(autouse=True)
def _another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the probe forget the range of the build before: a worker serves one build only."""
    monkeypatch.setattr(probe, "_HIGHEST", {})


def seen_of_opening(
    binding: ScriptedBinding,
    model: bytes | None = None,
    *,
    ir: int = 8,
    opsets: Mapping[str, int] | None = None,
) -> Observation:
    """Return what is observed of opening a model strictly on CUDA."""
    options = OpenOptions(device=DeviceRequest.CUDA, strict=True)
    opsets = dict(opsets or {"": 13})
    with observed(binding) as seen:
        seen.ir, seen.opsets = ir, opsets
        model = model or smallest.identity(ir=ir, opsets=opsets)
        seen.attached = Backend.open(model, options, binding=binding).attached
    return seen.observation


def seen_of_running(error: Exception) -> Observation:
    """Return what is observed of a run that raises."""
    with observed(ScriptedBinding()) as seen:
        seen.attached, seen.stage = "CUDA", "run"
        raise error
    return seen.observation


def test_what_concludes_nothing_has_passed() -> None:
    """Without a refusal the outcome is PASS, with the attached EP and the answer."""
    binding = ScriptedBinding()

    with observed(binding) as seen:
        seen.attached, seen.answer = "CUDA", {"label": "png"}

    assert seen.observation.outcome is Outcome.PASS
    assert seen.observation.evidence == Evidence(attached="CUDA", answer={"label": "png"})


def test_a_conclusion_keeps_its_own_stage() -> None:
    """Evidence without a stage gets how far the case came; one with a stage keeps it."""
    seen = Seen()
    seen.stage = "run"

    seen.conclude(Outcome.FAIL, Evidence(text="wrong"))
    first = seen.observation.evidence.stage
    seen.conclude(Outcome.FAIL, Evidence(text="wrong", stage="compare"))

    assert (first, seen.observation.evidence.stage) == ("run", "compare")


@pytest.mark.parametrize(
    ("binding", "requirement"),
    [
        (
            ScriptedBinding(available=["CPUExecutionProvider"]),
            "CUDA: NOT_IN_BUILD: this build has CPUExecutionProvider",
        ),
        (
            ScriptedBinding(script={"CUDA": Drops.SILENTLY}),
            "CUDA: SILENT_FALLBACK: the session has CPUExecutionProvider",
        ),
    ],
)
def test_a_provider_that_is_not_there_means_not_tested(
    binding: ScriptedBinding, requirement: str
) -> None:
    """Neither a build without the EP nor one that falls back silently says anything of a case."""
    build = binding

    observation = seen_of_opening(build)

    assert observation.outcome is Outcome.NOT_TESTED
    assert observation.evidence.requirement == requirement
    assert observation.evidence.stage == "open"
    assert [step.attached for step in observation.evidence.fallback] == ["CUDA"]


@pytest.mark.parametrize(
    ("ir", "opsets", "requirement"),
    [
        (11, {"": 13}, "IR version 11: the build loads up to 10"),
        (8, {"": 22}, "opset 22 of ai.onnx: the build loads up to 21"),
        (8, {"": 13, "ai.onnx.ml": 5}, "opset 5 of ai.onnx.ml: the build loads up to 3"),
        (8, {"ai.onnx.training": 1}, "opset 1 of ai.onnx.training: the build loads up to 0"),
    ],
)
def test_a_model_beyond_the_range_is_unsupported(
    ir: int, opsets: dict[str, int], requirement: str
) -> None:
    """The requirement names what the model asks and the most that the build loads."""
    binding = RangedBinding()

    observation = seen_of_opening(binding, ir=ir, opsets=opsets)

    assert observation.outcome is Outcome.UNSUPPORTED
    assert observation.evidence.requirement == requirement
    assert observation.evidence.status == "FAIL"
    assert observation.evidence.text


def test_a_model_within_the_range_is_refused_for_itself() -> None:
    """A build that loads the model's IR version and opsets has no such excuse."""
    broken = BindingError("INVALID_GRAPH", "This is an invalid model")
    binding = RangedBinding(script={"CUDA": broken})

    observation = seen_of_opening(binding, ir=10, opsets={"": 21, "ai.onnx.ml": 3})

    assert observation.outcome is Outcome.ERROR
    assert observation.evidence == Evidence(
        stage="open", status="INVALID_GRAPH", text="This is an invalid model"
    )


def test_a_domain_that_no_range_is_known_of_is_judged_by_the_status() -> None:
    """A foreign domain has no range to be beyond of."""
    binding = RangedBinding()

    observation = seen_of_opening(binding, opsets={"": 13, "org.example": 1})

    assert observation.outcome is Outcome.ERROR


@pytest.mark.parametrize("said", ["Could not find an implementation for Foo(7)", ""])
def test_not_implemented_is_unsupported(said: str) -> None:
    """The build's own words are the requirement, at open as at run; there always is one."""
    refusal = BindingError("NOT_IMPLEMENTED", said)

    observations = [
        seen_of_opening(ScriptedBinding(script={"CUDA": refusal})),
        seen_of_running(refusal),
    ]

    for observation, stage in zip(observations, ("open", "run"), strict=True):
        assert observation.outcome is Outcome.UNSUPPORTED
        assert observation.evidence.requirement == (said or "NOT_IMPLEMENTED")
        assert observation.evidence.status == "NOT_IMPLEMENTED"
        assert observation.evidence.stage == stage


@pytest.mark.parametrize("status", ["FAIL", "RUNTIME_EXCEPTION", "NOT_IMPLEMENTED"])
def test_a_missing_locale_is_the_hosts_lack(status: str) -> None:
    """Whatever the status, a locale that the host lacks is not held against the build."""
    refusal = BindingError(status, f"Exception during initialization: {LOCALE}")

    observations = [
        seen_of_opening(ScriptedBinding(script={"CUDA": refusal})),
        seen_of_running(refusal),
    ]

    for observation in observations:
        assert observation.outcome is Outcome.NOT_TESTED
        assert observation.evidence.requirement == "locale de_DE.UTF-8 on the host"


def test_a_limit_of_the_binding_is_not_the_builds() -> None:
    """What only the way to the runtime cannot express is not tested, and says so."""
    limit = BindingLimitError("the Python binding makes no tensor(int4)")

    observation = seen_of_running(limit)

    assert observation.outcome is Outcome.NOT_TESTED
    assert observation.evidence == Evidence(
        stage="run", attached="CUDA", requirement="the Python binding makes no tensor(int4)"
    )


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BindingError("INVALID_ARGUMENT", "Got invalid dimensions"), "INVALID_ARGUMENT"),
        (BindingError("ValueError", "Required inputs (['x']) are missing"), "ValueError"),
        (InputError("input 'x' wants float, given double"), "InputError"),
        (MemoryError("std::bad_alloc"), "MemoryError"),
    ],
)
def test_any_other_refusal_is_an_error(error: Exception, status: str) -> None:
    """The outcome is ERROR with the status or the exception's class, its text and the stage."""
    text = str(error).removeprefix(f"{status}: ")

    observation = seen_of_running(error)

    assert observation.outcome is Outcome.ERROR
    assert observation.evidence == Evidence(stage="run", attached="CUDA", status=status, text=text)


def test_a_slot_that_cannot_be_named_is_an_error() -> None:
    """A malformed model is an error at open that names the slot."""
    binding = ScriptedBinding(inputs=(Slot(name="odd", type="?", shape=()),))

    observation = seen_of_opening(binding)

    assert observation.outcome is Outcome.ERROR
    assert observation.evidence.status == "BackendError"
    assert observation.evidence.stage == "open"
    assert "input 'odd'" in observation.evidence.text


def test_what_no_build_says_is_not_caught() -> None:
    """An error of our own comes out, to become a fault of the harness."""
    ours = ZeroDivisionError("ours")

    with pytest.raises(ZeroDivisionError) as error:
        seen_of_running(ours)

    assert error.value is ours


def test_the_range_of_a_build_is_probed_once() -> None:
    """A second refusal costs no second search."""
    binding = RangedBinding(inputs=(X,), outputs=(Y,))
    seen_of_opening(binding, opsets={"": 22})
    asked = len(binding.asked)

    seen_of_opening(binding, opsets={"": 23})

    assert asked > 0
    assert len(binding.asked) == asked
