"""A model of the user's own as a case: what it is run on, and what counts as its failure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from harness.corpus.given import made_inputs, read_inputs, read_model
from harness.corpus.packing import PACK_FORMAT, Packable, model_case, packed
from harness.errors import ConfigurationError
from harness.probing import Subject
from harness.reducing.references import ReferenceEvaluator
from harness.reducing.start import of_cell
from harness.triage.graph_passes.candidate import Candidate
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.cases import Case
    from harness.corpus.packing import Packer
    from harness.matrix import Cell
    from harness.reducing.start import Bench

SUITE = "model"
RTOL, ATOL = 1e-3, 1e-5
"""How far an answer may be from the right one: float32 through a network."""


class Fails(StrEnum):
    """What counts as the failure of a model."""

    CRASH = "crash"
    ERROR = "error"
    MISMATCH = "mismatch"
    """Another answer than onnx's reference evaluator gives."""
    DIFFERS = "differs"
    """Another answer than a build gives that is named."""

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """What is then observed."""
        match self:
            case Fails.CRASH:
                return (Outcome.CRASH, Outcome.TIMEOUT)
            case Fails.ERROR:
                return (Outcome.ERROR, Outcome.UNSUPPORTED)
        return (Outcome.FAIL,)


@dataclass(frozen=True, kw_only=True)
class Brought:
    """What a user says of a model."""

    file: Path
    inputs: Path | None = None
    """An .npz; None: made of what the model declares."""
    fails: Fails | None = None
    """None: anything counts, an answer too where somebody says what is right."""
    against: Cell | None = None
    """Who says what is right, if not onnx's reference evaluator."""


def case_of(said: Brought, bench: Bench, cache: Path) -> Subject:
    """Return the model as a case, packed under `cache` with what is right of it.

    Raise ConfigurationError for what cannot be read, and where nobody answers the model.
    """
    file, fails, against = said.file, said.fails, said.against
    model = read_model(file)
    given = made_inputs(model) if said.inputs is None else read_inputs(said.inputs, model)
    candidate = Candidate(model=model, inputs=given)
    compares = fails not in (Fails.CRASH, Fails.ERROR)

    def write(packer: Packer) -> Iterator[Case]:
        want = _right(candidate, against, bench) if compares else None
        if compares and fails is not None and want is None:
            raise ConfigurationError(
                f"{file}: {_name(against)} does not answer it, so that nobody knows what is right: "
                "give --against CELL, a build that does"
            )
        packable = Packable(
            id=f"{SUITE}/{file.stem}",
            model=candidate.data,
            data_sets=[(list(given.values()), want)],
            rtol=RTOL,
            atol=ATOL,
        )
        yield model_case(packable, packer)

    about = f"{PACK_FORMAT} {file.stem} {fails} {_name(against)}"
    key = hashlib.sha256(candidate.digest + about.encode()).hexdigest()[:12]
    (case,) = packed(cache / "corpora" / f"{SUITE}-{key}", write)
    return Subject(suite=SUITE, case=case)


def _right(candidate: Candidate, against: Cell | None, bench: Bench) -> list[Any] | None:
    if against is not None:
        return of_cell(against, bench).answer(candidate)
    return ReferenceEvaluator(evaluator=bench.evaluator).answer(candidate)


def _name(against: Cell | None) -> str:
    return "onnx's reference evaluator" if against is None else against.id
