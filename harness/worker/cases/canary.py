"""The canaries: if one of these fails, no other outcome of the cell means what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.wire.catalogue.procedures import CANARY_BUILD, CANARY_DEVICE
from harness.wire.messages import Evidence, Request
from harness.wire.outcomes import Outcome
from harness.wire.providers import DeviceRequest
from harness.worker.backend import OpenOptions
from harness.worker.cases import Observation, implements
from harness.worker.cases.refusals import observed
from harness.worker.models import smallest

if TYPE_CHECKING:
    from harness.worker.under_test import UnderTest


@implements(CANARY_BUILD)
def build(_request: Request, under_test: UnderTest) -> Observation:
    """Add on the CPU EP, which every build has."""
    return _adds(OpenOptions(device=DeviceRequest.CPU, strict=True), under_test)


@implements(CANARY_DEVICE)
def device(request: Request, under_test: UnderTest) -> Observation:
    """Add on the asked device, strictly."""
    options = OpenOptions(device=request.device, strict=True, providers=request.providers)
    return _adds(options, under_test)


def _adds(options: OpenOptions, under_test: UnderTest) -> Observation:
    x, w = np.array([1, 2, 3], np.float32), np.array([0.5, -2, 40], np.float32)
    with observed(under_test.binding) as seen:
        with under_test.open(smallest.addition(), options) as backend:
            seen.attached = backend.attached
            seen.stage = "run"
            (y,) = backend.run({"x": x, "w": w})
        if not np.array_equal(y, x + w):
            text = f"{x.tolist()} + {w.tolist()} gave {np.asarray(y).tolist()}"
            seen.conclude(Outcome.FAIL, Evidence(stage="compare", text=text))
    return seen.observation
