"""Reproducers of models as their cases have them: nobody knows what is right of a smaller one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.errors import NotReducibleError
from harness.reducing.reproducer import Kind, Reproducer
from harness.reducing.start import WITHOUT_ARENA, failing, given_by, malformed_bytes
from harness.reducing.written import MOST_SAID, Shown, kind_of, numpy_of

if TYPE_CHECKING:
    from harness.matrix import Cell
    from harness.probing import Subject
    from harness.reducing.start import Bench

BYTES_A_LINE = 32


def shown_by(subject: Subject, cell: Cell, bench: Bench, why: str) -> Shown:
    """Return what the reproducer of a case's own model is made of.

    `why` says why it is no smaller one. Raise ConfigurationError where the case does not fail, or
    by more than its model.
    """
    result = failing(subject, cell, bench)
    fault = Reproducer(
        case=subject.case.id,
        cell=cell,
        numpy=numpy_of(bench.probes.cell(cell)),
        kind=kind_of(result),
        what=" ".join(result.evidence.text.split())[:MOST_SAID],
        status=result.evidence.status,
        settings=WITHOUT_ARENA,
    )
    try:
        given = given_by(subject)
    except NotReducibleError:  # bytes that are no model, or with inputs that nobody can make
        model = malformed_bytes(subject)
        return Shown(fault=fault, model=model, text=_dumped(model), details=[why])
    candidate, want = given.failing(result)
    rtol, atol = given.tolerance.rtol, given.tolerance.atol_for(want or ())
    return Shown(
        fault=replace(fault, rtol=rtol, atol=atol, settings=given.settings),
        model=candidate.data,
        text=candidate.text,
        inputs=candidate.inputs,
        want=candidate.outputs(want),
        right="the case" if fault.kind is Kind.MISMATCH else "",
        details=[why],
    )


def _dumped(model: bytes) -> str:
    """Return bytes in hexadecimal digits, a line for each 32."""
    lines = range(0, len(model), BYTES_A_LINE)
    return "\n".join(model[at : at + BYTES_A_LINE].hex(" ") for at in lines)
