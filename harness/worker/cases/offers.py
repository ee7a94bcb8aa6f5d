"""What a build offers, for a person who asks, and what asking costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.wire.catalogue.procedures import NOTHING, PROBE
from harness.wire.messages import Evidence, Request
from harness.wire.outcomes import Outcome
from harness.worker.cases import Observation, implements
from harness.worker.probe import DOMAINS, highest_ir, highest_opset

if TYPE_CHECKING:
    from harness.worker.under_test import UnderTest


@implements(PROBE)
def probe(_request: Request, under_test: UnderTest) -> Observation:
    """Return the highest opset of each domain and the highest IR version that the build loads."""
    binding = under_test.binding
    opsets = {domain or "ai.onnx": highest_opset(domain, binding) for domain in DOMAINS}
    answer = {
        "providers": list(binding.available_providers()),
        "highest_ir": highest_ir(binding),
        "highest_opset": opsets,
    }
    return Observation(outcome=Outcome.PASS, evidence=Evidence(answer=answer))


@implements(NOTHING)
def nothing(_request: Request, _under_test: UnderTest) -> Observation:
    """Return at once."""
    return Observation(outcome=Outcome.PASS, evidence=Evidence())
