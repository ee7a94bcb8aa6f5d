"""One cell under test: its environment made, its worker greeted, its canaries heard."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

from packaging.version import Version

from harness.cases import Worker
from harness.controller.poison import in_words, poison_among
from harness.controller.process import Launch
from harness.controller.staging import staged_worker
from harness.controller.supervisor import Supervisor, Supervisors
from harness.environments.interpreter import ensure
from harness.errors import EnvironmentUnusableError
from harness.matrix import ON_CPU
from harness.results import Carried, CaseResult, CellRecord, CellState, Observed
from harness.wire.catalogue.procedures import CANARY_BUILD, CANARY_DEVICE
from harness.wire.messages import Evidence, Hello, Request
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.cases import Case
    from harness.environments.interpreter import Interpreter
    from harness.environments.sources import Sources
    from harness.matrix import Cell, Limits
    from harness.wire.catalogue.procedures import Procedure

CANARY_DEADLINE_S = 120.0
"""A first session on a GPU may compile kernels for minutes."""

POISON_S = 120.0
"""How long it is looked for what spoilt a case: a bound, where most take a second."""

UNSET_MEMORY = {Worker.ANY: "165", Worker.OTHER: "90"}
"""glibc fills new memory with the complement of this, so that an output which the build never set
is the same garbage every time (0x5a5a5a5a is 1.5e+16 as float32) instead of now and then the right
answer by luck; and other garbage in the other workers.

Source: https://man7.org/linux/man-pages/man3/mallopt.3.html (M_PERTURB)
"""


@dataclass(frozen=True, kw_only=True)
class Program:
    """What speaks the wire inside a build's environment."""

    arguments: tuple[str, ...] = ("-m", "harness.worker")
    folder: Path | None = None
    """Where it stands, if not in the harness; it sees the harness's worker as well."""


THE_WORKER = Program()


class CellUnderTest:
    """A cell that can carry out cases, or that says why it cannot."""

    def __init__(
        self,
        cell: Cell,
        supervisors: dict[Worker, Supervisors],
        record: CellRecord,
        settings: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self.cell = cell
        self._settings = settings
        self.record = record
        """How the cell was found before its first case."""
        self._supervisors = supervisors
        self._suspects: dict[str, tuple[Carried, Observed]] = {}
        """By case that did not pass: its request, and what was carried out before it."""

    @classmethod
    def open(cls, cell: Cell, sources: Sources, program: Program = THE_WORKER) -> Self:
        """Return the cell, READY, without its device, or BROKEN with a reason; never raise."""
        supervisors: dict[Worker, Supervisors] = {}
        hello = None
        try:
            interpreter = _interpreter(cell, sources)
            for worker, perturb in UNSET_MEMORY.items():
                launch = _launch(cell, interpreter, sources, program, perturb)
                supervisors[worker] = Supervisors(launch)
            with supervisors[Worker.ANY].lent() as supervisor:
                hello = supervisor.hello()
                _check(cell, hello)
                state, reason = _canaries(cell, supervisor)
        except (EnvironmentUnusableError, OSError) as error:  # OSError: a cache on a full disk
            state, reason = CellState.BROKEN, str(error)
        return cls(cell, supervisors, _record(cell, state, reason, hello))

    def execute(
        self, suite: str, case: Case, limits: Limits, *, worker: Worker = Worker.ANY
    ) -> CaseResult:
        """Return what was observed of one case; without the device only what needs none is asked.

        May be called from several threads: each call has a worker to itself. `worker` is the one
        for the first request of the case.
        """
        first = iter([worker])
        asked: list[tuple[Carried, Observed]] = []

        def ask(
            procedure: Procedure, arguments: dict[str, Any], worker: Worker = Worker.ANY
        ) -> Observed:
            of_first = next(first, Worker.ANY)
            chosen = worker if of_first is Worker.ANY else of_first
            observed = self.ask(procedure, arguments, limits.deadline_s, chosen, case.id)
            request = self._request(procedure, arguments)
            own = Carried(case=case.id, request=request, deadline_s=limits.deadline_s)
            asked.append((own, observed))
            return observed

        if self._can_carry_out(case.procedure):
            observed = case.on(self.cell.id).carried_out(ask)
            # Of a property's many requests nothing tells which spoilt which.
            if len(asked) == 1 and observed.before:
                self._suspects[case.id] = asked[0]
        else:
            evidence = Evidence(requirement=self.record.reason)
            observed = Observed(outcome=Outcome.NOT_TESTED, evidence=evidence, duration_s=0.0)
        return CaseResult(
            cell=self.cell.id,
            suite=suite,
            case=case.id,
            outcome=observed.outcome,
            duration_s=observed.duration_s,
            evidence=observed.evidence,
        )

    def turned(self, changes: Mapping[str, Any]) -> CellUnderTest:
        """Return the cell with some session settings turned, on the same workers.

        `changes` is as `SessionSettings.turned` takes it.
        """
        return CellUnderTest(self.cell, self._supervisors, self.record, changes)

    def on_cpu(self) -> CellUnderTest:
        """Return the same build on its CPU EP, on the same workers."""
        cell = self.cell.turned(ON_CPU)
        return CellUnderTest(cell, self._supervisors, self.record, self._settings)

    def ask(
        self,
        procedure: Procedure,
        arguments: dict[str, Any],
        deadline_s: float,
        worker: Worker = Worker.ANY,
        case: str = "",
    ) -> Observed:
        """Return what a procedure observed on the cell's device; `case` is the one it is for."""
        if procedure.own_worker and worker is Worker.ANY:
            worker = Worker.FRESH
        supervisors = self._supervisors[Worker.OTHER if worker is Worker.OTHER else Worker.ANY]
        request = self._request(procedure, arguments)
        try:
            with supervisors.lent() as supervisor:
                return supervisor.execute(request, deadline_s=deadline_s, worker=worker, case=case)
        except EnvironmentUnusableError as error:  # it was usable before: an outage of our own
            evidence = Evidence(text=f"no worker can be had any more: {error}")
            return Observed(outcome=Outcome.HARNESS_FAULT, evidence=evidence, duration_s=0.0)

    def poisoned_by(self, result: CaseResult) -> str:
        """Return behind which earlier cases a case comes out so again; empty where none are found.

        They are carried out again, in their order, on one fresh worker, for at most POISON_S.
        """
        own, observed = self._suspects.pop(result.case, (None, None))
        if own is None or observed is None or observed.outcome is not result.outcome:
            return ""
        ends = time.monotonic() + POISON_S

        def reproduces(suspects: Sequence[Carried]) -> bool:
            return self._behind(suspects, own, ends) is result.outcome

        return in_words([one.case for one in poison_among(observed.before, reproduces)])

    def _behind(self, suspects: Iterable[Carried], own: Carried, ends: float) -> Outcome | None:
        """Return how a case comes out behind others; None where it did not come to it."""
        with (
            contextlib.suppress(EnvironmentUnusableError),  # it ended under us: nothing is known
            self._supervisors[Worker.ANY].lent() as supervisor,
        ):
            supervisor.renew()
            for one in (*suspects, own):
                if time.monotonic() > ends:
                    return None
                found = supervisor.execute(one.request, deadline_s=one.deadline_s, case=one.case)
                if one is own:
                    return found.outcome
                if found.outcome in (Outcome.CRASH, Outcome.TIMEOUT):
                    return None  # it took the worker with it
        return None

    def close(self) -> None:
        """End the cell's workers, also under whoever is waiting for one."""
        for supervisors in self._supervisors.values():
            supervisors.close()

    def _request(self, procedure: Procedure, arguments: dict[str, Any]) -> Request:
        return _request(self.cell, procedure, arguments, self._settings)

    def _can_carry_out(self, procedure: Procedure) -> bool:
        if self.record.state is CellState.NO_DEVICE:
            return not procedure.needs_device
        return self.record.state is CellState.READY


def _interpreter(cell: Cell, sources: Sources) -> Interpreter:
    return ensure(cell, wheelhouse=sources.wheelhouse, cache=sources.cache)


def _launch(
    cell: Cell, interpreter: Interpreter, sources: Sources, program: Program, perturb: str
) -> Launch:
    isolated = ("-P", "-s", "-X", "faulthandler", *program.arguments)
    # The worker's own code first: what stands beside it must not hide it.
    path = [staged_worker(sources.cache), *([program.folder] if program.folder else [])]
    return Launch(
        command=(str(interpreter.python), *isolated),
        environment={
            "MALLOC_PERTURB_": perturb,
            # From 1.29 on it is on by default, also on Linux: https://github.com/microsoft/onnxruntime/pull/27379
            # Its queue of up to 1.4 MB would hide a leak, and nobody asked to be reported on.
            "ORT_DISABLE_TELEMETRY": "1",
            "PYTHONPATH": os.pathsep.join(map(str, path)),
            **cell.variant.environment,
        },
        memory_limit_mib=cell.variant.limits.memory_mib,
    )


def _check(cell: Cell, hello: Hello) -> None:
    """Raise EnvironmentUnusableError unless the worker is the build that was asked for."""
    wanted = f"{cell.variant.distribution}=={cell.build.release}"
    if hello.distributions != (wanted,):
        owners = ", ".join(hello.distributions) or "no distribution"
        raise EnvironmentUnusableError(f"onnxruntime belongs to {owners}; wanted only {wanted}")
    if Version(hello.release).base_version != Version(cell.build.release).base_version:
        raise EnvironmentUnusableError(
            f"onnxruntime says that it is {hello.release}; wanted {cell.build.release}"
        )
    if not f"{hello.python}.".startswith(f"{cell.python}."):
        raise EnvironmentUnusableError(
            f"the worker runs Python {hello.python}; wanted {cell.python}"
        )


def _canaries(cell: Cell, supervisor: Supervisor) -> tuple[CellState, str]:
    """Return what the canaries say of the cell, and why if it is not READY."""
    for procedure in (CANARY_BUILD, CANARY_DEVICE):
        request = _request(cell, procedure, {})
        observed = supervisor.execute(request, deadline_s=CANARY_DEADLINE_S)
        if observed.outcome is not Outcome.PASS:
            evidence = observed.evidence
            said = " ".join((evidence.requirement or evidence.text).split())
            reason = f"{procedure.id}: {observed.outcome}: {evidence.status} {said}"
            # Where the host shows the device, losing it is an outage.
            lost = procedure is CANARY_BUILD or evidence.stage != "open" or _device_is_here(cell)
            if lost:
                return CellState.BROKEN, reason
            files = " or ".join(cell.variant.host_devices)
            return CellState.NO_DEVICE, f"{reason}; this host has no {files}"
    return CellState.READY, ""


def _device_is_here(cell: Cell) -> bool:
    wanted = cell.variant.host_devices
    return not wanted or any(Path(path).exists() for path in wanted)


def _request(
    cell: Cell,
    procedure: Procedure,
    arguments: dict[str, Any],
    settings: Mapping[str, Any] = MappingProxyType({}),
) -> Request:
    return Request(
        procedure=procedure.id,
        device=cell.variant.device,
        providers={name: dict(options) for name, options in cell.variant.providers.items()},
        arguments=arguments,
        settings=dict(settings),
    )


def _record(cell: Cell, state: CellState, reason: str, hello: Hello | None) -> CellRecord:
    return CellRecord(
        cell=cell.id,
        variant=cell.variant.name,
        release=cell.build.release,
        python=cell.python,
        device=cell.variant.device,
        state=state,
        reason=reason,
        hello=hello,
    )
