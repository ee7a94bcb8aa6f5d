"""Generated cases: each opened with and without optimisations, run twice, and compared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from harness.wire.catalogue.generated import GENERATED, GENERATED_COMPARED
from harness.wire.generated import Answered, Asked, Pair, Seen, Way
from harness.wire.messages import Evidence, Request
from harness.wire.outcomes import Outcome
from harness.wire.providers import DeviceRequest, ExecutionProvider
from harness.wire.settings import Optimisation, SessionSettings
from harness.wire.values import Blob
from harness.worker.backend import BackendError, OpenOptions
from harness.worker.bindings import BindingError, BindingLimitError
from harness.worker.cases import Observation, implements
from harness.worker.cases.generated.forked import CAN_FORK, carried_out_forked, write_line
from harness.worker.cases.generated.kept import keep
from harness.worker.cases.malformed.digests import digest
from harness.worker.cases.refusals import said_by
from harness.worker.comparison import compare
from harness.worker.garbage import other_garbage
from harness.worker.tensors import load, read_blob

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.worker.backend import Backend
    from harness.worker.under_test import UnderTest

MOST_SAID = 2_000
"""Characters of an error that are kept: some builds print the whole model.

OpenVINO's reason stands behind a thousand characters of C++ functions.
"""

Tolerances = list[list[float]]


@implements(GENERATED)
def generated(request: Request, under_test: UnderTest) -> Observation:
    """Carry out the cases in their order, each with a line in the report; PASS: all were."""
    arguments = request.arguments
    cases = [Asked.from_json(case) for case in arguments["cases"]]
    trial = _Trial(request, under_test)
    report = Path(arguments["report"])
    if CAN_FORK and request.device is DeviceRequest.CPU:
        memory_mib = arguments["memory_mib"]
        carried_out_forked(cases, trial.carry_out, report, memory_mib=memory_mib)
    else:
        trial.carry_out(cases, report)
    return Observation(outcome=Outcome.PASS, evidence=Evidence())


@implements(GENERATED_COMPARED)
def generated_compared(request: Request, under_test: UnderTest) -> Observation:
    """Compare pairs of kept answers, each with a line in the report; PASS: all were compared."""
    del under_test
    report = Path(request.arguments["report"])
    for pair in map(Pair.from_json, request.arguments["pairs"]):
        got = [load(value, pair.got_data) for value in pair.got]
        want = [load(value, pair.want_data) for value in pair.want]
        write_line(report, {"unlike": unlike(got, want, pair.tolerances)})
    return Observation(outcome=Outcome.PASS, evidence=Evidence())


class _Trial:
    """How the cases of one request are carried out."""

    def __init__(self, request: Request, under_test: UnderTest) -> None:
        self._request = request
        self._under_test = under_test
        self._ways = [Way(way) for way in request.arguments["ways"]]
        self._twice = bool(request.arguments["twice"])
        self._records_placement = request.device is not DeviceRequest.CPU

    def carry_out(self, cases: Sequence[Asked], report: Path) -> None:
        """Carry out cases, each with its answer kept and a line in the report."""
        with Path(self._request.arguments["outputs"]).open("ab") as kept:
            for case in cases:
                write_line(report, self._seen(case, kept).to_json())

    def _seen(self, case: Asked, kept: BinaryIO) -> Seen:
        """Return what the build makes of a case."""
        offset, size = case.model
        model = read_blob(Blob(file=case.data, offset=offset, size=size))
        inputs = [load(value, case.data) for value in case.inputs]
        first = _Answer(self, model, inputs, Way.DEFAULT, again=self._twice)
        plain = None
        if Way.UNOPTIMISED in self._ways:
            plain = _Answer(self, model, inputs, Way.UNOPTIMISED, again=False)
        right = None if case.outputs is None else [load(one, case.data) for one in case.outputs]
        outputs = None if first.outputs is None else keep(first.outputs, kept)
        kept.flush()
        seen = Seen(
            default=first.answered,
            unlike_reference=_compared(first.outputs, right, case.tolerances),
            unlike_again=first.unlike_again(case.tolerances) if self._twice else None,
            outputs=outputs,
            data="" if outputs is None else kept.name,
            on_ep=first.on_ep,
        )
        if plain is None:
            return seen
        return replace(
            seen,
            unoptimised=plain.answered,
            unlike_unoptimised=first.unlike(plain, case.tolerances),
            unoptimised_unlike_reference=_compared(plain.outputs, right, case.tolerances),
        )

    def open(self, model: bytes, way: Way) -> Backend:
        """Return the model opened strictly on the asked device, the given way.

        Every tensor comes from malloc, which fills it with the garbage of the process.
        """
        settings = SessionSettings(
            intra_threads=1,
            inter_threads=1,
            arena=False,
            optimisation=Optimisation.NONE if way is Way.UNOPTIMISED else None,
            records_placement=self._records_placement,
        )
        options = OpenOptions(
            device=self._request.device,
            strict=True,
            providers=self._request.providers,
            settings=settings,
        )
        return self._under_test.open(model, options)


class _Answer:
    """What one way of opening and running a case came to."""

    def __init__(
        self, trial: _Trial, model: bytes, inputs: list[Any], way: Way, *, again: bool
    ) -> None:
        self.outputs: list[Any] | None = None
        self.on_ep = True
        self._again: list[Any] | Answered | None = None
        self._stage = "open"
        try:
            with trial.open(model, way) as backend:
                self._stage = "run"
                self.outputs = backend.run(inputs)
                if again:
                    self._again = self._ran_again(backend, inputs)
                self.on_ep = _on_ep(backend)
            self.answered = Answered(digest=digest(self.outputs))
        except (BackendError, BindingError, BindingLimitError, MemoryError) as error:
            self.answered = self._refused(error)

    def unlike(self, other: _Answer, tolerances: Tolerances) -> str | None:
        """Return how two answers differ, "" where they do not; None where one is a refusal."""
        if self.answered.digest and self.answered.digest == other.answered.digest:
            return ""
        return _compared(self.outputs, other.outputs, tolerances)

    def unlike_again(self, tolerances: Tolerances) -> str | None:
        """Return how the second run differs, "" where it does not; None where there was none."""
        match self._again:
            case Answered():
                return f"refused: {self._again.status}: {self._again.text}"
            case None:
                return None
        return _compared(self._again, self.outputs, tolerances)

    def _ran_again(self, backend: Backend, inputs: list[Any]) -> list[Any] | Answered:
        try:
            with other_garbage():
                return backend.run(inputs)
        except (BackendError, BindingError, MemoryError) as error:
            return self._refused(error)

    def _refused(self, error: Exception) -> Answered:
        status, text = said_by(error)
        said = " ".join(text.split())[:MOST_SAID]
        return Answered(stage=self._stage, status=status, text=said or status)


def unlike(got: Sequence[Any], want: Sequence[Any], tolerances: Tolerances) -> str:
    """Return how outputs differ beyond their tolerances; "" where they do not."""
    if len(got) != len(want):
        return f"want {len(want)} outputs, got {len(got)}"
    for at, (one, other) in enumerate(zip(got, want, strict=True)):
        rtol, atol = tolerances[at] if at < len(tolerances) else (0.0, 0.0)
        if found := compare(str(at), one, other, rtol=rtol, atol=atol):
            return f"output {at}: {found.text}"
    return ""


def _compared(got: list[Any] | None, want: list[Any] | None, tolerances: Tolerances) -> str | None:
    return None if got is None or want is None else unlike(got, want, tolerances)


def _on_ep(backend: Backend) -> bool:
    """Say whether the asked EP ran a node, as far as the session tells."""
    if backend.provider == ExecutionProvider.CPU:
        return True
    placement = backend.placement()
    return not placement or placement.get(backend.provider, 0) > 0
