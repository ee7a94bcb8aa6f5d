"""Whether a candidate fails as the start does: asked of the cell, with the right answer anew."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.cases import Case
from harness.corpus.packing import Packer, domain_name
from harness.corpus.reference import agree
from harness.reducing.references import positional
from harness.signatures import Signature, normalised, signature
from harness.triage.graph_passes.candidate import Candidate, arrays_in
from harness.wire.catalogue.procedures import MODEL_CASE
from harness.wire.malformed import MalformedCase
from harness.wire.outcomes import Outcome
from harness.wire.values import DataSet, ModelCase

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from harness.matrix import Cell
    from harness.probing import Probes
    from harness.reducing.references import Reference
    from harness.results import CaseResult
    from harness.triage.graph_passes.examined import Validity
    from harness.wire.catalogue.procedures import Procedure

FLOORS = (1e-2, 1e-3, 1e-4, 1e-5, 0.0)
"""How far off a value may be, measured by the largest of the right answer, and still be noise.

The highest at which the start fails is taken: a wrong answer must not become, on the way, the last
bits of a right one, which differ from build to build.
"""


@dataclass(frozen=True, kw_only=True)
class Tolerance:
    """How far an answer may lie from the right one."""

    rtol: float
    atol: float
    floor: float = 0.0
    """Of the largest right value; see FLOORS."""

    def atol_for(self, want: Sequence[Any]) -> float:
        """Return what is added to rtol·|want| for this right answer."""
        return max(self.atol, self.floor * _largest(want))


@dataclass(frozen=True, kw_only=True)
class Right:
    """How the right answer of a candidate is known."""

    reference: Reference
    witnesses: tuple[Reference, ...] = ()
    """Others that agreed on the start, and so must on all that is taken."""
    tolerance: Tolerance


_DIED_IN = re.compile(r'onnxruntime_inference_collection\.py", line \d+ in (\w+)')
"""The call into ONNX Runtime that a process died in: making a session is another thing than run."""


def told(result: CaseResult) -> Signature:
    """Return the signature of a result as a smaller case has to have it.

    Of a wrong output it is without the output's name, of a death with the call that it came in.
    """
    if result.outcome is Outcome.FAIL and result.evidence.mismatches:
        text = result.evidence.mismatches[0].text
        return signature(replace(result, evidence=replace(result.evidence, text=text)))
    found = signature(result)
    if result.outcome is Outcome.CRASH and (died := _DIED_IN.search(result.evidence.log)):
        return replace(found, line=f"{found.line} in {died[1]}")
    return found


@dataclass(frozen=True, kw_only=True)
class Trial:
    """Candidates run as models on one cell, as often as it takes."""

    probes: Probes
    cell: Cell
    suite: str
    deadline_s: float
    files: Path
    settings: Mapping[str, Any] = field(default_factory=dict)
    right: Right | None = None
    """None: nothing is compared, the failure is another one."""
    malformed: Case | None = None
    """The case of a malformed model that is asked of candidates; None: they run as sound ones."""
    procedure: Procedure = MODEL_CASE
    """What is asked of sound ones."""
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    def observed(self, candidate: Candidate) -> CaseResult | None:
        """Return what the cell makes of a candidate; None where nobody knows what is right."""
        if self.right is None:
            return self.compared(candidate, None)
        want = self.right.reference.answer(candidate)
        return None if want is None else self.compared(candidate, want)

    def compared(self, candidate: Candidate, want: Sequence[Any] | None) -> CaseResult:
        """Return what the cell makes of a candidate, given its right answer or none."""
        file = self.files / f"{id(self)}-{next(self._numbers)}.bin"
        try:
            with file.open("wb") as out:
                case = self._case(candidate, want, Packer(out, file))
            limits = replace(self.cell.variant.limits, deadline_s=self.deadline_s)
            opened = self.probes.cell(self.cell).turned(self.settings)
            return opened.execute(self.suite, case, limits)
        finally:
            file.unlink(missing_ok=True)

    def _case(self, candidate: Candidate, want: Sequence[Any] | None, packer: Packer) -> Case:
        if self.malformed is not None:
            return self._malformed(self.malformed, candidate, packer)
        tolerance = self.right.tolerance if self.right else Tolerance(rtol=0, atol=0)
        data_set = DataSet(
            inputs=tuple(packer.value(value) for value in positional(candidate)),
            outputs=None if want is None else tuple(packer.value(value) for value in want),
        )
        opsets = candidate.model.opset_import
        described = ModelCase(
            model=packer.blob(candidate.data),
            in_place=False,
            ir=candidate.model.ir_version,
            opsets={domain_name(opset.domain): opset.version for opset in opsets},
            data=packer.data_file,
            data_sets=(data_set,),
            rtol=tolerance.rtol,
            atol=tolerance.atol_for(want or ()),
        )
        return Case(id="a candidate", procedure=self.procedure, arguments=described.to_json())

    def _malformed(self, asked: Case, candidate: Candidate, packer: Packer) -> Case:
        described = replace(
            MalformedCase.from_json(asked.arguments),
            model=packer.blob(candidate.data),
            data=packer.data_file,
            inputs=tuple(packer.value(value) for value in positional(candidate)),
        )
        return replace(asked, id="a candidate", arguments=described.to_json())


@dataclass(frozen=True, kw_only=True)
class SameFailure:
    """Whether candidates fail as the start did, and are as valid as it is."""

    trial: Trial
    wanted: Signature
    validity: Validity
    complaint: str | None = None
    """What the checker says of the start, where the answer is wrong because of that."""

    def __call__(self, candidate: Candidate) -> bool:
        """Say whether a candidate still is what is looked for."""
        if candidate.validity < self.validity:
            return False
        if self.complaint is not None and complaint_of(candidate) != self.complaint:
            return False
        result = self.trial.observed(candidate)
        return result is not None and told(result) == self.wanted and self._is_witnessed(candidate)

    def _is_witnessed(self, candidate: Candidate) -> bool:
        right = self.trial.right
        if right is None or not right.witnesses:
            return True
        want = right.reference.answer(candidate)
        return want is not None and all(
            agrees(one.answer(candidate), want, right.tolerance) for one in right.witnesses
        )


def complaint_of(candidate: Candidate) -> str:
    """Return what the checker says, without what is another one's in a smaller model."""
    return normalised(candidate.complaint)


def agrees(some: Sequence[Any] | None, want: Sequence[Any] | None, within: Tolerance) -> bool:
    """Say whether an answer is the right one."""
    if some is None or want is None:
        return False
    return agree(list(some), list(want), rtol=within.rtol, atol=within.atol_for(want))


def _largest(values: Sequence[Any]) -> float:
    largest = 0.0
    for value in values:
        for array in arrays_in(value):
            if array.dtype.kind in "OUSMb" or not array.size:
                continue
            numbers = np.abs(array.astype(np.complex128 if array.dtype.kind == "c" else np.float64))
            finite = numbers[np.isfinite(numbers)]
            largest = max(largest, float(finite.max(initial=0.0)))
    return largest
