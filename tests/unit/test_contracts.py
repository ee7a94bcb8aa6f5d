"""What an EP allows is measured, and a backend that does otherwise is seen, without any device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fixtures.defects.planted import DEFECTS
from harness.wire.catalogue import concurrency as catalogue
from harness.wire.messages import Request
from harness.wire.outcomes import Outcome
from harness.wire.providers import DeviceRequest, ExecutionProvider
from harness.worker.bindings import Slot
from harness.worker.cases import implemented
from harness.worker.cases.concurrency import contracts
from harness.worker.under_test import UnderTest
from tests.unit.scripted_binding import ScriptedBinding

if TYPE_CHECKING:
    from harness.wire.catalogue.procedures import Procedure
    from harness.worker.cases import Observation

XBYZ = tuple(Slot(name=name, type="tensor(float)", shape=("n", 32)) for name in "xbyz")

ON_THE_CPU = Request(procedure="", device=DeviceRequest.CPU)
ON_A_CAPTURED_GRAPH = Request(
    procedure="",
    device=DeviceRequest.CUDA,
    providers={ExecutionProvider.CUDA: {"enable_cuda_graph": "1"}},
)


def answer(feeds: Any) -> list[Any]:
    """Answer as any model of two inputs and outputs could."""
    return [feeds["x"] + feeds["b"], feeds["x"] - feeds["b"]]


def build() -> ScriptedBinding:
    """Return a build of which every model has the inputs and outputs of `mixing`."""
    return ScriptedBinding(inputs=XBYZ[:2], outputs=XBYZ[2:], answer=answer)


def seen_of(procedure: Procedure, request: Request, defect: str = "") -> Observation:
    """Return what a case observes of the shared backend, or of one with a planted fault."""
    under_test = DEFECTS[defect].plant(build()) if defect else UnderTest(binding=build())
    seen: Observation = implemented()[procedure.id](request, under_test)
    return seen


@pytest.mark.parametrize(
    "procedure",
    [
        catalogue.DEVICE_CONTRACT,
        catalogue.ALLOWED_OVERLAP,
        catalogue.SERIALISED_TURNS,
        catalogue.FORBIDDEN_THREAD,
        catalogue.TURNS_OF_OTHERS,
    ],
    ids=lambda procedure: procedure.id,
)
def test_the_shared_backend_does_what_the_data_says(procedure: Procedure) -> None:
    """It lets in, lets wait and refuses as each EP wants it."""
    seen = seen_of(procedure, ON_THE_CPU)

    assert seen.outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("procedure", "defect", "text"),
    [
        (catalogue.ALLOWED_OVERLAP, "lock-for-all", "no second one came"),
        (catalogue.SERIALISED_TURNS, "no-lock", "runs were in a session at once"),
        (catalogue.FORBIDDEN_THREAD, "any-thread", "a second thread got an answer"),
        (catalogue.TURNS_OF_OTHERS, "one-lock", "waited while one was held"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.id,
)
def test_a_backend_that_does_otherwise_is_seen(
    monkeypatch: pytest.MonkeyPatch, procedure: Procedure, defect: str, text: str
) -> None:
    """The text says what was in the session, or what did not come."""
    monkeypatch.setattr(contracts, "OVERLAP_S", 0.3)
    monkeypatch.setattr("harness.worker.cases.concurrency.schedules.PATIENCE_S", 1.0)

    seen = seen_of(procedure, ON_THE_CPU, defect)

    assert seen.outcome is Outcome.FAIL
    assert text in seen.evidence.text


def test_what_only_one_thread_may_run_is_not_raced() -> None:
    """The case says what it would need, and no build is blamed."""
    seen = seen_of(catalogue.DEVICE_CONTRACT, ON_A_CAPTURED_GRAPH)

    assert seen.outcome is Outcome.NOT_TESTED
    assert "several threads may run" in seen.evidence.requirement
