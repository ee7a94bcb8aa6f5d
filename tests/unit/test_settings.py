"""Session settings can be turned from outside a case, and reach the session that it opens."""

from __future__ import annotations

from typing import Any

import pytest

from harness.wire.catalogue.procedures import CANARY_BUILD
from harness.wire.messages import Request
from harness.wire.outcomes import Outcome
from harness.wire.providers import DeviceRequest
from harness.wire.settings import Execution, Optimisation, SessionSettings
from harness.worker.__main__ import carry_out
from harness.worker.bindings import Slot
from harness.worker.under_test import UnderTest
from tests.unit.scripted_binding import ScriptedBinding, X, Y


def test_only_what_is_named_is_turned() -> None:
    """A setting that the changes do not name stays as the case sets it."""
    settings = SessionSettings(intra_threads=1, config=(("session.a", "1"),))

    turned = settings.turned({"optimisation": "none", "execution": "parallel"})

    assert turned.optimisation is Optimisation.NONE
    assert turned.execution is Execution.PARALLEL
    assert (turned.intra_threads, turned.config) == (1, settings.config)


def test_entries_of_the_configuration_are_added() -> None:
    """What a case needs of its configuration is not lost where another entry is asked for."""
    settings = SessionSettings(config=(("session.a", "1"),))

    turned = settings.turned({"config": [["session.b", "0"]]})

    assert turned.config == (("session.a", "1"), ("session.b", "0"))


@pytest.mark.parametrize("changes", [{"threads": 1}, {"optimisation": "most"}, {"config": [1]}])
def test_what_is_no_setting_is_refused(changes: dict[str, Any]) -> None:
    """An unknown name, an unknown member and a malformed entry are errors, never dropped."""
    with pytest.raises((ValueError, TypeError)):
        SessionSettings().turned(changes)


def test_a_request_turns_what_its_case_opens() -> None:
    """Whatever procedure is asked, the session is made with the settings of the request."""
    slot = Slot(name="w", type="tensor(float)", shape=(3,))
    binding = ScriptedBinding(
        inputs=(X, slot), outputs=(Y,), answer=lambda feeds: [feeds["x"] + feeds["w"]]
    )
    request = Request(
        procedure=CANARY_BUILD.id,
        device=DeviceRequest.CPU,
        settings={"optimisation": "basic", "arena": False},
    )

    reply = carry_out(request.to_json(), UnderTest(binding=binding))

    assert reply.outcome is Outcome.PASS
    (creation,) = binding.asked
    assert creation.settings.optimisation is Optimisation.BASIC
    assert not creation.settings.arena
