"""Hello, then request → case → reply, one at a time, until the controller closes the channel."""

from __future__ import annotations

import argparse
import contextlib
import sys
import traceback
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.wire.channel import Channel, ChannelClosedError
from harness.wire.messages import Evidence, Reply, Request
from harness.wire.outcomes import Outcome
from harness.worker import probe
from harness.worker.bindings.turned import TurnedBinding
from harness.worker.cases import implemented
from harness.worker.under_test import UnderTest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.worker.bindings import Binding
    from harness.worker.cases import Observation


def main(arguments: Sequence[str], make: Callable[[Binding], UnderTest]) -> int:
    """Serve one controller; 0 when it closed the channel, 1 when no build can be served.

    `make` says what is put under test, given the way to this build.
    """
    parser = argparse.ArgumentParser(description="Carry out conformance cases on one build.")
    parser.add_argument("--channel", type=int, required=True, help="descriptor to the controller")
    channel = Channel.inherit(parser.parse_args(arguments).channel)
    try:
        hello = probe.hello().to_json()
    except BaseException:  # noqa: BLE001 - boundary: an import of the build may raise anything
        channel.send({"unusable": traceback.format_exc()})
        return 1
    channel.send(hello)
    # After the hello: what follows needs a build that can be imported.
    from harness.worker.bindings.python import PythonBinding  # noqa: PLC0415

    serve(channel, make(PythonBinding()))
    return 0


def sound(binding: Binding) -> UnderTest:
    """Return the shared backend as it is."""
    return UnderTest(binding=binding)


def serve(channel: Channel, under_test: UnderTest) -> None:
    """Answer requests until the channel is closed."""
    with contextlib.suppress(ChannelClosedError):
        while (message := channel.receive()) is not None:
            reply = carry_out(message, under_test)
            try:
                channel.send(reply.to_json())
            except (TypeError, ValueError) as error:  # not JSON: told before a byte of it is sent
                channel.send(_fault(reply.number, error).to_json())


def carry_out(message: dict[str, Any], under_test: UnderTest) -> Reply:
    """Return what the case observed; an error that no case named is our own fault."""
    try:
        request = Request.from_json(message)
        if request.settings:
            turned = TurnedBinding(under_test.binding, request.settings)
            under_test = replace(under_test, binding=turned)
        seen: Observation = implemented()[request.procedure](request, under_test)
    except Exception as error:  # noqa: BLE001 - boundary: the next case must still run
        return _fault(message.get("number", 0), error)
    return Reply(number=request.number, outcome=seen.outcome, evidence=seen.evidence)


def _fault(number: int, error: Exception) -> Reply:
    """Return the reply that blames us and not the build; to be called where `error` is handled."""
    text = f"{type(error).__name__}: {error}"
    evidence = Evidence(text=text, traceback=traceback.format_exc())
    return Reply(number=number, outcome=Outcome.HARNESS_FAULT, evidence=evidence)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], sound))
