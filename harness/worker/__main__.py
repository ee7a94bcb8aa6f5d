"""Hello, then request → case → reply, one at a time, until the controller closes the channel."""

from __future__ import annotations

import argparse
import contextlib
import sys
import traceback
from typing import TYPE_CHECKING

from harness.wire.channel import Channel, ChannelClosedError
from harness.wire.messages import Evidence, Reply, Request
from harness.wire.outcomes import Outcome
from harness.worker import probe
from harness.worker.cases import IMPLEMENTED, canary, model_case, offers, pipeline

if TYPE_CHECKING:
    from harness.worker.bindings import Binding
    from harness.worker.cases import Observation

SUITES = (canary, model_case, offers, pipeline)
"""The modules that implement the catalogue: importing them registers their functions."""


def main() -> int:
    """Serve one controller; 0 when it closed the channel, 1 when no build can be served."""
    parser = argparse.ArgumentParser(description="Carry out conformance cases on one build.")
    parser.add_argument("--channel", type=int, required=True, help="descriptor to the controller")
    channel = Channel.inherit(parser.parse_args().channel)
    try:
        hello = probe.hello().to_json()
    except BaseException:  # noqa: BLE001 - boundary: an import of the build may raise anything
        channel.send({"unusable": traceback.format_exc()})
        return 1
    channel.send(hello)
    with contextlib.suppress(ChannelClosedError):
        serve(channel)
    return 0


def serve(channel: Channel) -> None:
    """Answer requests until the channel is closed."""
    # After the hello: what follows needs a build that can be imported.
    from harness.worker.bindings.python import PythonBinding  # noqa: PLC0415

    binding = PythonBinding()
    while message := channel.receive():
        request = Request.from_json(message)
        channel.send(carry_out(request, binding).to_json())


def carry_out(request: Request, binding: Binding) -> Reply:
    """Return what the case observed; an error that no case named is our own fault."""
    try:
        seen: Observation = IMPLEMENTED[request.procedure](request, binding)
    except Exception as error:  # noqa: BLE001 - boundary: the next case must still run
        evidence = Evidence(
            text=f"{type(error).__name__}: {error}", traceback=traceback.format_exc()
        )
        return Reply(number=request.number, outcome=Outcome.HARNESS_FAULT, evidence=evidence)
    return Reply(number=request.number, outcome=seen.outcome, evidence=seen.evidence)


if __name__ == "__main__":
    sys.exit(main())
