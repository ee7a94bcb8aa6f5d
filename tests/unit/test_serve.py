"""A worker answers every request, and an error of our own never ends it or blames the build."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from harness.wire.catalogue.procedures import CANARY_BUILD
from harness.wire.channel import Channel
from harness.wire.messages import Evidence, Reply, Request
from harness.wire.outcomes import Outcome
from harness.wire.providers import DeviceRequest
from harness.worker.__main__ import serve
from harness.worker.bindings import Slot
from harness.worker.cases import Observation, implemented
from harness.worker.under_test import UnderTest
from tests.unit.scripted_binding import ScriptedBinding, X, Y

if TYPE_CHECKING:
    from collections.abc import Iterator

WAIT_S = 30.0

ADDING = ScriptedBinding(
    inputs=(X, Slot(name="w", type="tensor(float)", shape=(3,))),
    outputs=(Y,),
    answer=lambda feeds: [feeds["x"] + feeds["w"]],
)


@pytest.fixture
def controller() -> Iterator[Channel]:
    """Return the controller's end of a channel to a worker that serves in a thread."""
    ours, theirs = Channel.pair()
    workers = Channel(theirs)
    worker = threading.Thread(target=serve, args=(workers, UnderTest(binding=ADDING)))
    worker.start()
    yield ours
    ours.close()
    worker.join(WAIT_S)
    workers.close()
    assert not worker.is_alive()


def asked(controller: Channel, message: dict[str, Any]) -> Reply:
    """Return what the worker replies."""
    controller.send(message)
    reply = controller.receive(WAIT_S)
    assert reply is not None
    return Reply.from_json(reply)


def canary(number: int) -> dict[str, Any]:
    """Return a request that passes."""
    request = Request(procedure=CANARY_BUILD.id, device=DeviceRequest.CPU, number=number)
    return request.to_json()


def test_requests_are_answered_in_order(controller: Channel) -> None:
    """Each reply has the number of its request and what the case observed."""
    numbers = [3, 4]

    replies = [asked(controller, canary(number)) for number in numbers]

    assert [reply.number for reply in replies] == numbers
    assert [reply.outcome for reply in replies] == [Outcome.PASS, Outcome.PASS]


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"number": 1, "procedure": "no such", "device": "CPU"}, "KeyError: 'no such'"),
        ({"number": 1, "procedure": "probe", "device": "TPU"}, "ValueError: 'TPU'"),
        ({"number": 1, "device": "CPU"}, "TypeError: Request"),
        ({"number": 1, **canary(1), "added_later": 2}, "TypeError: Request"),
    ],
)
def test_a_request_that_cannot_be_read_is_our_fault(
    controller: Channel, message: dict[str, Any], text: str
) -> None:
    """The worker says what is wrong with it, and goes on."""
    request = message

    reply = asked(controller, request)

    assert (reply.number, reply.outcome) == (1, Outcome.HARNESS_FAULT)
    assert reply.evidence.text.startswith(text)
    assert "Traceback" in reply.evidence.traceback
    assert asked(controller, canary(2)).outcome is Outcome.PASS


def test_an_error_that_no_case_named_is_our_fault(
    controller: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A case that raises what it should not is told with its traceback, and the worker goes on."""

    def raising(_request: Request, _binding: object) -> Observation:
        raise ZeroDivisionError("ours")

    monkeypatch.setitem(implemented(), "raising", raising)

    reply = asked(controller, {"number": 1, "procedure": "raising", "device": "CPU"})

    assert reply.outcome is Outcome.HARNESS_FAULT
    assert reply.evidence.text == "ZeroDivisionError: ours"
    assert "in raising" in reply.evidence.traceback
    assert asked(controller, canary(2)).outcome is Outcome.PASS


def test_evidence_that_is_not_json_is_our_fault(
    controller: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An array left in an answer does not kill the worker, which would look like a crash."""

    def careless(_request: Request, _binding: object) -> Observation:
        evidence = Evidence(answer={"scores": np.zeros(3)})
        return Observation(outcome=Outcome.PASS, evidence=evidence)

    monkeypatch.setitem(implemented(), "careless", careless)

    reply = asked(controller, {"number": 1, "procedure": "careless", "device": "CPU"})

    assert (reply.number, reply.outcome) == (1, Outcome.HARNESS_FAULT)
    assert reply.evidence.text.startswith("TypeError: Object of type ndarray is not JSON")
    assert asked(controller, canary(2)).outcome is Outcome.PASS
