"""Who says what is right of a model that nobody has an answer for: asked anew at every step."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from harness.corpus.aside import bounded
from harness.corpus.packing import Packer, value_of
from harness.triage.graph_passes.candidate import Candidate, asked_for
from harness.wire.catalogue.procedures import MODEL_ANSWER
from harness.wire.outcomes import Outcome
from harness.wire.settings import Optimisation
from harness.wire.values import AnswerCase

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from harness.controller.cell import CellUnderTest
    from harness.corpus.reference import Evaluator

OPTIMISATIONS_OFF = {"optimisation": str(Optimisation.NONE)}


class Reference(Protocol):
    """Something that answers models."""

    @property
    def name(self) -> str:
        """What it is, for a person."""

    def answer(self, candidate: Candidate) -> list[Any] | None:
        """Return the model's outputs by position; None where it gives none."""


@dataclass(frozen=True, kw_only=True)
class ReferenceEvaluator:
    """onnx's own evaluator."""

    evaluator: Evaluator
    name: str = "onnx's reference evaluator"

    def answer(self, candidate: Candidate) -> list[Any] | None:
        """Return what it computes."""
        return self.evaluator.answer(candidate.data, candidate.inputs)


@dataclass(frozen=True, kw_only=True)
class OfCell:
    """A build, maybe the one under test with other settings."""

    cell: CellUnderTest
    files: Path
    """The folder to write models and values in."""
    deadline_s: float
    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    _seconds: list[float] = field(default_factory=list)
    """How long each answer took."""
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    def answer(self, candidate: Candidate) -> list[Any] | None:
        """Return what the build answers."""
        number = next(self._numbers)
        given = self.files / f"{id(self)}-{number}-given.bin"
        answered = given.with_name(f"{id(self)}-{number}-answer.bin")
        try:
            with given.open("wb") as out:
                packer = Packer(out, given)
                asked = AnswerCase(
                    model=packer.blob(candidate.data),
                    data=str(given),
                    inputs=tuple(packer.value(value) for value in positional(candidate)),
                    to=str(answered),
                )
            turned = self.cell.turned(self.settings)
            deadline_s = bounded(self.deadline_s, max(self._seconds, default=None))
            found = turned.ask(MODEL_ANSWER, asked.to_json(), deadline_s)
            if found.outcome not in (Outcome.PASS, Outcome.FALLBACK):
                return None
            self._seconds.append(found.duration_s)
            data = answered.read_bytes()
            return [value_of(one, data) for one in found.evidence.answer["outputs"]]
        finally:
            given.unlink(missing_ok=True)
            answered.unlink(missing_ok=True)


def positional(candidate: Candidate) -> list[Any]:
    """Return the values of the inputs that have no initialiser, in the model's order."""
    initialised = {tensor.name for tensor in candidate.model.graph.initializer}
    names = [v.name for v in candidate.model.graph.input if v.name not in initialised]
    return [candidate.inputs.get(name) for name in names]


class Tracer:
    """The values that tensors of a candidate have, from the first reference that can say."""

    def __init__(self, references: Sequence[Reference]) -> None:
        self._references = references
        self._case: Candidate | None = None
        self._known: dict[str, Any] = {}

    def __call__(self, case: Candidate, names: Sequence[str]) -> Mapping[str, Any]:
        """Return the values by name; those that nobody can say are missing."""
        if case is not self._case:
            self._case, self._known = case, {}
        if missing := [name for name in names if name not in self._known]:
            asked = asked_for(case, missing)
            answers = (one.answer(asked) for one in self._references)
            found = next((answer for answer in answers if answer is not None), None)
            self._known |= dict(zip(missing, found or [], strict=False))
        return {name: self._known[name] for name in names if name in self._known}
