"""Inputs of every shape, type and layout: the suite `shapes`."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.wire.catalogue.shapes import ANSWERS, ANSWERS_TWICE
from harness.wire.messages import Evidence, Mismatch, Request
from harness.wire.outcomes import Outcome
from harness.wire.settings import SessionSettings
from harness.wire.shapes import ShapeExample, ShapeModel, ShapeRun
from harness.worker.backend import OpenOptions
from harness.worker.cases import Observation, implements
from harness.worker.cases.refusals import observed
from harness.worker.cases.shapes.inputs import Given, bound, inputs_of
from harness.worker.cases.shapes.models import answer, model_bytes, versions
from harness.worker.comparison import compare
from harness.worker.tensors import Array, PackedTensor

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.worker.backend import Backend
    from harness.worker.cases.refusals import Seen
    from harness.worker.under_test import UnderTest

ONE_THREAD = SessionSettings(intra_threads=1, inter_threads=1, records_placement=True)


@dataclass(frozen=True, kw_only=True)
class Ran:
    """One run: what was given, what came out, and a copy of that."""

    given: list[Given]
    outputs: list[Any]
    kept: list[Any]
    want: list[Any]


class WrongError(Exception):
    """What the build did wrong, in one line, with the outputs that are wrong."""

    def __init__(self, text: str, mismatches: tuple[Mismatch, ...] = ()) -> None:
        super().__init__(text)
        self.evidence = Evidence(stage="compare", text=text, mismatches=mismatches)


@implements(ANSWERS)
def answers(request: Request, under_test: UnderTest) -> Observation:
    """Open a session, run it as often as the example says, and look at everything afterwards."""
    example = ShapeExample.from_json(request.arguments)
    model, runs = example.model, example.runs
    with judged(under_test) as seen, opened(model, request, under_test, seen) as backend:
        ran = [checked(backend, model, run) for run in runs]
        _outputs_are_the_callers(ran)
        _write_into(ran)
        checked(backend, model, runs[0])
        seen.has_run(backend)
    return seen.observation


@implements(ANSWERS_TWICE)
def answers_twice(request: Request, under_test: UnderTest) -> Observation:
    """Open two sessions, run both in turn, close the first, run the second, and open a third."""
    example = ShapeExample.from_json(request.arguments)
    model, (one, other) = example.model, example.runs
    with judged(under_test) as seen:
        first, second = (opened(model, request, under_test, seen) for _ in range(2))
        ran = [checked(first, model, one), checked(second, model, other)]
        ran += [checked(first, model, other), checked(second, model, one)]
        first.close()
        ran += [checked(second, model, other)]
        seen.has_run(second)
        second.close()
        with opened(model, request, under_test, seen) as third:
            ran += [checked(third, model, one)]
        _outputs_are_the_callers(ran)
    return seen.observation


@contextlib.contextmanager
def judged(under_test: UnderTest) -> Iterator[Seen]:
    """Give a record to fill; a WrongError inside becomes a FAIL in it."""
    with observed(under_test.binding) as seen:
        try:
            yield seen
        except WrongError as error:
            seen.conclude(Outcome.FAIL, error.evidence)


def opened(model: ShapeModel, request: Request, under_test: UnderTest, seen: Seen) -> Backend:
    """Return the model opened strictly on the asked device, and say so."""
    seen.stage = "open"
    seen.ir, opset = versions(model)
    seen.opsets = {"": opset}
    backend = under_test.open(model_bytes(model), options(request))
    seen.attached, seen.stage = backend.attached, "run"
    return backend


def options(request: Request) -> OpenOptions:
    """Return how every model of the suite is opened."""
    return OpenOptions(
        device=request.device, strict=True, providers=request.providers, settings=ONE_THREAD
    )


def checked(backend: Backend, model: ShapeModel, run: ShapeRun) -> Ran:
    """Return one run that did all right; raise WrongError for one that did not."""
    given = inputs_of(model, run)
    want = answer(model, [one.value for one in given])
    outputs = backend.run(bound(model, run, [one.value for one in given]))
    compare_outputs(model, outputs, want, [one.value for one in given])
    for name, one in zip(model.names, given, strict=True):
        if change := one.change():
            raise WrongError(f"input {name!r} was changed by the run: {change}")
    ran = Ran(given=given, outputs=outputs, kept=[_copy(value) for value in outputs], want=want)
    _outputs_lie_apart(model, ran)
    return ran


def compare_outputs(
    model: ShapeModel, outputs: Sequence[Any], want: Sequence[Any], inputs: Sequence[Any]
) -> None:
    """Raise WrongError for outputs that are not what is wanted of these inputs."""
    where = f"{model.operator} of {model.type}{[list(one.shape) for one in inputs]}"
    if len(outputs) != len(want):
        raise WrongError(f"{where}: want {len(want)} outputs, got {len(outputs)}")
    found = (
        compare(name, got, right, rtol=0.0, atol=0.0)
        for name, got, right in zip(model.results, outputs, want, strict=True)
    )
    if wrong := tuple(mismatch for mismatch in found if mismatch):
        raise WrongError(f"{where}: {wrong[0].output}: {wrong[0].text}", wrong)


def _outputs_lie_apart(model: ShapeModel, ran: Ran) -> None:
    """Raise WrongError for an output that shares memory with an input, or cannot be written to."""
    for name, output in zip(model.results, ran.outputs, strict=True):
        for source, one in zip(model.names, ran.given, strict=True):
            if one.shares(output):
                raise WrongError(f"output {name!r} lies in the memory of input {source!r}")
        if isinstance(output, np.ndarray) and not output.flags.writeable:
            raise WrongError(f"output {name!r} is read-only: it is not the caller's")


def _outputs_are_the_callers(ran: Sequence[Ran]) -> None:
    """Raise WrongError for outputs that a later run has changed, or that share memory."""
    arrays = list(_arrays(ran))
    for index, (output, number) in enumerate(arrays):
        for other, later in arrays[index + 1 :]:
            if output.nbytes and other.nbytes and np.may_share_memory(output, other):
                raise WrongError(f"an output of run {number} shares memory with one of run {later}")
    for number, one in enumerate(ran):
        for output, kept in zip(one.outputs, one.kept, strict=True):
            if not _same(output, kept):
                raise WrongError(f"an output of run {number} was changed by a later run")


def _write_into(ran: Sequence[Ran]) -> None:
    """Overwrite every output, as a caller may who owns it."""
    for output, _ in _arrays(ran):
        output[...] = "overwritten" if output.dtype.kind == "O" else 7


def _arrays(ran: Sequence[Ran]) -> Iterator[tuple[Array, int]]:
    for number, one in enumerate(ran):
        for output in one.outputs:
            if isinstance(output, np.ndarray):
                yield output, number


def _copy(output: Any) -> Any:
    return output if isinstance(output, PackedTensor) else np.array(output)


def _same(output: Any, kept: Any) -> bool:
    if isinstance(output, PackedTensor):
        return bool(output == kept)
    strings = output.dtype.kind == "O"
    return bool((output == kept).all()) if strings else output.tobytes() == kept.tobytes()
