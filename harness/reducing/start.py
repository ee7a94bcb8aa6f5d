"""What a reduction begins with: the model of a failing case, and how its failure is known."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.corpus.aside import bounded
from harness.corpus.given import made_inputs, open_inputs, parsed_model, read_model
from harness.corpus.packing import value_of
from harness.errors import ConfigurationError, EnvironmentUnusableError, NotReducibleError
from harness.probing import AS_IT_IS
from harness.properties.search import Property
from harness.reducing.references import (
    OPTIMISATIONS_OFF,
    OfCell,
    ReferenceEvaluator,
)
from harness.reducing.trials import (
    FLOORS,
    Right,
    SameFailure,
    Tolerance,
    Trial,
    agrees,
    complaint_of,
    told,
)
from harness.triage.graph_passes.candidate import Candidate
from harness.wire.catalogue.generated import OF_ONE_MODEL, SAME_AGAIN, UNLIKE_UNOPTIMISED
from harness.wire.catalogue.malformed import MALFORMED, MALFORMED_APART
from harness.wire.malformed import MalformedCase, Wrong
from harness.wire.outcomes import Outcome
from harness.wire.providers import DeviceRequest
from harness.wire.values import Blob, ModelCase

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from harness.controller.cell import CellUnderTest
    from harness.corpus.given import Model
    from harness.corpus.reference import Evaluator
    from harness.matrix import Cell, Matrix
    from harness.probing import Probes, Subject
    from harness.reducing.references import Reference
    from harness.results import CaseResult

WITHOUT_ARENA = {"arena": False}
"""What malformed models are opened with, and what is run again to see memory that is not set."""

_DATA_SET = re.compile(r"data set (\d+): ")


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What reductions work with."""

    probes: Probes
    matrix: Matrix
    evaluator: Evaluator
    files: Path
    """A folder for what workers are given, empty afterwards."""


@dataclass(frozen=True, kw_only=True)
class Start:
    """A failing case as a model with its inputs, and what makes a smaller one interesting."""

    subject: Subject
    cell: Cell
    result: CaseResult
    """Of the case as it is."""
    candidate: Candidate
    same: SameFailure
    tracers: tuple[Reference, ...]
    """Who is asked for the values of tensors, in this order."""
    opened: CellUnderTest


@dataclass(frozen=True, kw_only=True)
class Given:
    """The model of a case with the data sets that may be why it fails."""

    candidates: tuple[tuple[Candidate, Sequence[Any] | None], ...]
    """Each with the right answer, where the case knows one."""
    tolerance: Tolerance
    settings: Mapping[str, Any]

    def without_answers(self) -> Given:
        """Return the same where the case's own right answers do not matter."""
        return replace(self, candidates=tuple((one, None) for one, _ in self.candidates))

    def failing(self, result: CaseResult) -> tuple[Candidate, Sequence[Any] | None]:
        """Return the data set that a result says is answered wrongly."""
        found = _DATA_SET.match(result.evidence.text)
        return self.candidates[int(found[1]) if found else 0]


def started(subject: Subject, cell: Cell, bench: Bench, against: Reference | None = None) -> Start:
    """Return what the reduction of a case on a cell begins with.

    `against` is asked for right answers, in place of whoever agrees with the case; a case that
    passes is wrong where it answers otherwise. Raise ConfigurationError where the case has no
    model, does not fail, or fails in a way that its model alone does not, and NotReducibleError
    where nobody knows what is right of a smaller model.
    """
    given = given_by(subject)
    result = failing(subject, cell, bench, or_passing=against is not None)
    deadline_s = bench.matrix.limits(cell, subject.suite).deadline_s
    is_unlike_itself = result.evidence.text.startswith(UNLIKE_UNOPTIMISED)
    if is_unlike_itself:
        given = given.without_answers()
    references = (against,) if against else _references(cell, bench, alone=is_unlike_itself)
    trial = Trial(
        probes=bench.probes,
        cell=cell,
        suite=subject.suite,
        deadline_s=deadline_s,
        files=bench.files,
        settings=given.settings,
        malformed=subject.case if _is_answered_wrongly(subject, result) else None,
    )
    if trial.malformed is None and Wrong.told_in(result.evidence.text) is Wrong.UNSET:
        trial = replace(trial, procedure=SAME_AGAIN, settings=WITHOUT_ARENA)
    if result.outcome is Outcome.PASS or result.evidence.mismatches:
        candidate, trial, result_alone = _numeric(given, result, trial, references)
        right = trial.right
        assert right is not None
        tracers: tuple[Reference, ...] = (right.reference, *right.witnesses)
    else:
        candidate, result_alone = _other(given, result, trial)
        tracers = references
    hangs = result.outcome is Outcome.TIMEOUT
    seconds = 0.0 if hangs else result_alone.duration_s
    trial = replace(trial, deadline_s=bounded(deadline_s, seconds))
    same = SameFailure(
        trial=trial,
        wanted=told(result_alone),
        validity=candidate.validity,
        complaint=_complaint(candidate, result) if trial.malformed else None,
    )
    return Start(
        subject=subject,
        cell=cell,
        result=result,
        candidate=candidate,
        same=same,
        tracers=tracers,
        opened=bench.probes.cell(cell),
    )


def failing(subject: Subject, cell: Cell, bench: Bench, *, or_passing: bool = False) -> CaseResult:
    """Return how a case fails on a cell; raise ConfigurationError where it does not."""
    result = bench.probes.probe(subject, cell)
    if result.outcome is Outcome.PASS and or_passing:
        return result
    if result.outcome is Outcome.PASS or not result.outcome.is_about_the_build:
        said = result.evidence.requirement or result.evidence.text
        raise ConfigurationError(
            f"{subject.case.id} does not fail on {cell.id}: {result.outcome} {said}".rstrip()
        )
    return result


def _is_answered_wrongly(subject: Subject, result: CaseResult) -> bool:
    """Say whether a malformed model lives, so that only its own suite can tell what is wrong."""
    is_malformed = subject.case.procedure in (MALFORMED, MALFORMED_APART)
    return is_malformed and result.outcome is Outcome.FAIL


def _complaint(candidate: Candidate, result: CaseResult) -> str | None:
    """Return what the checker has to say of a smaller model too; None where it does not matter."""
    wrong = Wrong.told_in(result.evidence.text)
    if wrong is None or not wrong.is_for_the_model:
        return None
    if not candidate.complaint:
        raise NotReducibleError(
            f"{result.case}: onnx.checker takes the model, so that nobody knows of a smaller one "
            "whether it is still wrong"
        )
    return complaint_of(candidate)


def given_by(subject: Subject) -> Given:
    """Return the model of a case; raise ConfigurationError where it has none."""
    case = subject.case
    if isinstance(case, Property):
        raise ConfigurationError(
            f"{case.id}: it draws its models, so that there is no one model to reduce: its example "
            "is the smallest already; "
            f"`ort-matrix case {case.id} --cell CELL --example JSON` shows it, and bisect and "
            "attribute take it as well"
        )
    if case.procedure in OF_ONE_MODEL:
        return _given_model(case.id, ModelCase.from_json(case.arguments))
    if case.procedure in (MALFORMED, MALFORMED_APART):
        return _given_malformed(case.id, MalformedCase.from_json(case.arguments))
    raise ConfigurationError(
        f"{case.id}: there is no model to reduce: it shows with the procedure alone, as in "
        f"`ort-matrix case {case.id} --cell CELL`, and bisect and attribute take it; there is a "
        "model in the suites onnx and malformed, in corpora such as regressions, and with "
        "--model FILE"
    )


def _given_model(name: str, case: ModelCase) -> Given:
    model = (
        read_model(Path(case.model.file))
        if case.in_place
        else parsed_model(_bytes(case.model), name)
    )
    data = Path(case.data).read_bytes()
    candidates = tuple(
        (
            _candidate(model, [value_of(value, data) for value in one.inputs]),
            None if one.outputs is None else [value_of(value, data) for value in one.outputs],
        )
        for one in case.data_sets
    )
    tolerance = Tolerance(rtol=case.rtol, atol=case.atol)
    return Given(candidates=candidates, tolerance=tolerance, settings={})


def _given_malformed(name: str, case: MalformedCase) -> Given:
    if case.beside is not None or case.declares:
        raise ConfigurationError(
            f"{name}: its fault is in what stands around the model: there is no model to reduce"
        )
    model = parsed_model(_bytes(case.model), name)
    if case.inputs is None:
        try:
            candidate = Candidate(model=model, inputs=made_inputs(model))
        except ConfigurationError as error:
            raise NotReducibleError(f"{name}: nobody can run a smaller model: {error}") from error
    else:
        data = Path(case.data).read_bytes()
        candidate = _candidate(model, [value_of(value, data) for value in case.inputs])
    try:
        _ = candidate.text
    except UnicodeDecodeError as error:
        raise NotReducibleError(
            f"{name}: a name in it is no UTF-8, so that nothing can be made of its parts"
        ) from error
    return Given(
        candidates=((candidate, None),),
        tolerance=Tolerance(rtol=0, atol=0),
        settings=WITHOUT_ARENA,
    )


def malformed_bytes(subject: Subject) -> bytes:
    """Return the model of a malformed case, be it one that can be read or not."""
    return _bytes(MalformedCase.from_json(subject.case.arguments).model)


def _bytes(model: Blob | bytes) -> bytes:
    if isinstance(model, bytes):
        return model
    data = Path(model.file).read_bytes()
    return data[model.offset : None if model.size is None else model.offset + model.size]


def _candidate(model: Model, values: Iterable[Any]) -> Candidate:
    names = (value.name for value in open_inputs(model))
    return Candidate(model=model, inputs=dict(zip(names, values, strict=False)))


def of_cell(
    cell: Cell, bench: Bench, *, name: str = "", settings: Mapping[str, Any] = AS_IT_IS
) -> OfCell:
    """Return a build as a reference; raise EnvironmentUnusableError where it is BROKEN."""
    return OfCell(
        cell=bench.probes.cell(cell),
        files=bench.files,
        deadline_s=cell.variant.limits.deadline_s,
        name=name or cell.id,
        settings=settings,
    )


def _references(cell: Cell, bench: Bench, *, alone: bool) -> tuple[Reference, ...]:
    """Return who may know what is right; of a build that has to agree with itself, it alone."""
    name = f"{cell.id} without graph optimisation"
    unoptimised = of_cell(cell, bench, name=name, settings=OPTIMISATIONS_OFF)
    if alone:
        return (unoptimised,)
    others = (ReferenceEvaluator(evaluator=bench.evaluator), unoptimised)
    try:
        return (*others, *(of_cell(one, bench) for one in _on_cpu(bench.matrix) if one != cell))
    except EnvironmentUnusableError:  # as where a folder of wheels lacks it
        return others


def _on_cpu(matrix: Matrix) -> Iterator[Cell]:
    """Yield the pinned build of ONNX Runtime's own CPU EP, which shares little with other EPs."""
    for variant in matrix.variants.values():
        if variant.device is DeviceRequest.CPU:
            yield matrix.cell(variant.name)
            return


def _numeric(
    given: Given, result: CaseResult, trial: Trial, references: Sequence[Reference]
) -> tuple[Candidate, Trial, CaseResult]:
    """Return the data set that fails, how right answers are known, and what it then looks like."""
    candidate, want = given.failing(result)
    answers = [(one, one.answer(candidate)) for one in references]
    agreeing = [
        one
        for one, answer in answers
        if (answer is not None and want is None) or agrees(answer, want, given.tolerance)
    ]
    if not agreeing:
        asked = " nor ".join(one.name for one in references)
        raise NotReducibleError(
            f"{result.case}: neither {asked} answers what the case expects, so that nobody knows "
            "what is right of a smaller model: give --against CELL, a build that answers rightly"
        )
    for floor in FLOORS:
        right = Right(
            reference=agreeing[0],
            witnesses=tuple(agreeing[1:]),
            tolerance=replace(given.tolerance, floor=floor),
        )
        tried = replace(trial, right=right)
        seen = tried.observed(candidate)
        if seen is not None and seen.outcome is Outcome.FAIL:
            return candidate, tried, seen
    if result.outcome is Outcome.PASS:
        raise ConfigurationError(
            f"{result.case} does not fail on {result.cell}, nor does {agreeing[0].name} answer "
            "otherwise"
        )
    raise _otherwise(result, seen)


def _other(given: Given, result: CaseResult, trial: Trial) -> tuple[Candidate, CaseResult]:
    """Return the data set that fails as the case does, and the result."""
    wanted, seen = told(result), None
    for candidate, _ in given.candidates:
        seen = trial.compared(candidate, None)
        if told(seen) == wanted:
            return candidate, seen
    raise _otherwise(result, seen)


def _otherwise(result: CaseResult, seen: CaseResult | None) -> ConfigurationError:
    alone = "nothing" if seen is None else str(told(seen))
    return ConfigurationError(
        f"{result.case} fails by more than its model on its inputs, and cannot be reduced: "
        f"the case gives {told(result)}, the model alone {alone}; "
        f"`ort-matrix case {result.case} --cell {result.cell}` shows it, and bisect and attribute "
        "take it"
    )
