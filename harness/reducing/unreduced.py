"""Reproducers of faults that are not one model's: a leak of many runs, a provider not got."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.corpus.given import handing_on
from harness.errors import ConfigurationError
from harness.reducing.reproducer import Kind, Reproducer
from harness.reducing.written import Shown, numpy_of
from harness.triage.graph_passes.candidate import Candidate
from harness.wire.catalogue.fallback import OWN_SILENT
from harness.wire.catalogue.leaks import INT64, SAME_INPUTS, STRINGS
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.matrix import Cell
    from harness.probing import Probes, Subject

INPUTS: Mapping[str, tuple[Kind, np.ndarray[Any, Any]]] = {
    STRINGS.id: (Kind.LEAK, np.array(["a", "b", "c"], object)),
    INT64.id: (Kind.LEAK, np.array([1, 2, 3], np.int64)),
    SAME_INPUTS.id: (Kind.LEAK, np.array([1, 2, 3], np.float32)),
    OWN_SILENT.id: (Kind.FALLBACK, np.array([1, 2, 3], np.float32)),
}
"""By case: how it shows, on a model that hands this value on."""


def is_unreduced(subject: Subject) -> bool:
    """Say whether a case has a reproducer without a model to reduce."""
    return subject.case.id in INPUTS


def _what(kind: Kind, value: np.ndarray[Any, Any], cell: Cell) -> str:
    if kind is Kind.FALLBACK:
        return f"{cell.variant.device} is asked for, another provider is got, and nothing says so"
    of = "string" if value.dtype.kind == "O" else value.dtype.name
    return f"each run on a {of} input leaves memory behind"


def shown_by(subject: Subject, cell: Cell, probes: Probes) -> Shown:
    """Return what the reproducer of such a case is made of.

    Raise ConfigurationError where the case does not fail on the cell.
    """
    result = probes.probe(subject, cell)
    evidence = result.evidence
    if result.outcome is not Outcome.FAIL:
        said = evidence.requirement or evidence.text
        raise ConfigurationError(
            f"{subject.case.id} does not fail on {cell.id}: {result.outcome} {said}".rstrip()
        )
    kind, value = INPUTS[subject.case.id]
    model = Candidate(model=handing_on(value), inputs={"x": value})
    return Shown(
        fault=Reproducer(
            case=subject.case.id,
            cell=cell,
            numpy=numpy_of(probes.cell(cell)),
            kind=kind,
            what=_what(kind, value, cell),
        ),
        details=[f"the case says: {' '.join(evidence.text.split())}"],
        model=model.data,
        text=model.text,
        inputs=model.inputs,
    )
