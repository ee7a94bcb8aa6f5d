"""Which provider really ran the nodes: what a session states, what its profile shows."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.wire.catalogue.fallback import EVERY_NODE, SOME_NODES, TWO_WAYS
from harness.wire.messages import Evidence
from harness.wire.outcomes import Outcome
from harness.wire.providers import CHAINS, DeviceRequest
from harness.wire.settings import SessionSettings
from harness.worker.backend import OpenError, OpenOptions, provider_options
from harness.worker.cases.fallback.promises import (
    CPU,
    MODEL,
    NODES,
    Faults,
    X,
    carries_out,
    not_tested,
    on_the_cpu,
)
from harness.worker.cases.refusals import Seen, observed
from harness.worker.models import smallest

if TYPE_CHECKING:
    from harness.wire.messages import Request
    from harness.worker.cases import Observation
    from harness.worker.under_test import UnderTest

PLACED = SessionSettings(intra_threads=1, inter_threads=1, records_placement=True)

SORTS = "Unique"
"""An operator of one input that the CPU EP has and few others do; sorted here."""

PART = smallest.steps(*NODES, SORTS)
NONE = smallest.steps(SORTS)


def _asked(request: Request, **options: Any) -> OpenOptions:
    return OpenOptions(device=request.device, strict=True, providers=request.providers, **options)


@carries_out(EVERY_NODE)
def every_node(request: Request, under_test: UnderTest) -> Observation:
    """Run ten nodes that every provider takes, look twice, and let a second session run as well."""
    faults = Faults()
    with observed(under_test.binding) as seen:
        with under_test.open(MODEL, _asked(request, settings=PLACED)) as backend:
            seen.attached, seen.stage = backend.attached, "run"
            backend.run([X])
            backend.run([X])
            seen.has_run(backend)
            faults.expect("nodes, asked again", dict(backend.placement()), dict(seen.placement))
            with under_test.open(MODEL, _asked(request, settings=PLACED)) as other:
                other.run([X])
                faults.expect("nodes of another", dict(other.placement()), dict(seen.placement))
        faults.expect("providers with nodes", sorted(seen.placement), [str(backend.provider)])
        # In a profile, all that an accelerator has fused into one is one.
        if backend.provider == CPU:
            faults.expect("nodes", seen.placement.total(), len(NODES))
        _conclude(seen, faults)
    return seen.observation


def _conclude(seen: Seen, faults: Faults) -> None:
    if text := faults.observation().evidence.text:
        seen.conclude(Outcome.FAIL, Evidence(text=text))


@carries_out(SOME_NODES)
def some_nodes(request: Request, under_test: UnderTest) -> Observation:
    """Run what the provider takes in part or not at all, and see if it runs without the CPU."""
    faults, placements = Faults(), {}
    provider = str(CHAINS[request.device][0].provider)
    if request.device is DeviceRequest.CPU:
        return not_tested("a provider beside the CPU EP")
    for what, model in (("part", PART), ("none", NONE)):
        seen = Seen()
        with under_test.open(model, _asked(request, settings=PLACED)) as backend:
            (got,) = backend.run([X])
            seen.has_run(backend)
        wanted = on_the_cpu(under_test, model)
        if not np.allclose(got, wanted, rtol=1e-4, atol=0):
            faults.note(f"{what}: the result is {got!r}, the CPU's {wanted!r}")
        nodes = placements[what] = dict(seen.placement)
        outcome = Outcome.PASS if nodes.get(provider) else Outcome.FALLBACK
        faults.expect(f"{what}: outcome of {nodes}", seen.observation.outcome, outcome)
        alone = not nodes.get(CPU)
        faults.expect(
            f"{what}: runs without the CPU", _runs_alone(request, under_test, model), alone
        )
    if placements["none"].get(provider):
        return not_tested(f"an operator that {provider} does not take")
    return faults.observation(placements=placements)


def _runs_alone(request: Request, under_test: UnderTest, model: bytes) -> bool:
    """Return whether the model opens on the asked device with the CPU EP forbidden."""
    forbidden = SessionSettings(intra_threads=1, config=(("session.disable_cpu_ep_fallback", "1"),))
    try:
        under_test.open(model, _asked(request, settings=forbidden)).close()
    except OpenError:
        return False
    return True


@carries_out(TWO_WAYS)
def two_ways(request: Request, _under_test: UnderTest) -> Observation:
    """Make sessions that state the assignment and keep a profile as well, and compare."""
    import onnxruntime  # noqa: PLC0415 - a case's module is read where there is none, too

    from harness.worker.bindings.python import assigned, profiled  # noqa: PLC0415

    if not hasattr(onnxruntime.InferenceSession, "get_provider_graph_assignment_info"):
        return not_tested("get_provider_graph_assignment_info, which came with 1.24")
    faults = Faults()
    answer: dict[str, Any] = {}
    candidate = CHAINS[request.device][0]
    provider = str(candidate.provider)
    own = provider_options(candidate, _asked(request))
    for what, model in (("whole", MODEL), ("part", PART), ("none", NONE)):
        with tempfile.TemporaryDirectory() as folder:
            options = onnxruntime.SessionOptions()
            options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
            options.enable_profiling = True
            options.profile_file_prefix = f"{folder}/profile"
            session = onnxruntime.InferenceSession(
                model, options, providers=[(provider, own)], enable_fallback=0
            )
            session.run(None, {"x": X})
            stated, ran = assigned(session), profiled(session)
        answer[what] = {"assigned": stated, "profiled": ran}
        faults.expect(f"{what}: providers in the profile", sorted(ran), sorted(stated))
        # The CPU EP runs node by node; what another one fuses has a single name in the profile.
        faults.expect(f"{what}: nodes of the CPU", ran.get(CPU, 0), stated.get(CPU, 0))
    return faults.observation(**answer)
