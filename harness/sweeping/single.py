"""One generated case as a case like any other, by its description: ``generated/1:Conv:11:0:7``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.cases import Case
from harness.errors import ConfigurationError
from harness.generate.cases import check_drawn
from harness.generate.description import RANDOM, Description
from harness.sweeping.known import entry_for, expected
from harness.sweeping.pack import packed_cases
from harness.triage.generated.disagreements import SAME_ON_CPU, VALID, finding, is_same_on_cpu
from harness.triage.generated.patterns import features
from harness.triage.generated.sights import Sight
from harness.wire.catalogue.generated import (
    AGAIN,
    LIKE_UNOPTIMISED,
    SAME_AGAIN,
    UNLIKE_UNOPTIMISED,
    UNOPTIMISED,
)
from harness.wire.catalogue.procedures import MODEL_CASE
from harness.wire.generated import Answered, Seen
from harness.wire.malformed import Wrong
from harness.wire.outcomes import Outcome
from harness.wire.providers import ExecutionProvider
from harness.wire.values import Blob, DataSet, ModelCase

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.baseline import Expectation
    from harness.corpus.generated.record import Packed
    from harness.results import CaseResult
    from harness.sweeping.known import Known
    from harness.wire.catalogue.procedures import Procedure

SUITE = "generated"

ALONE = Answered(digest="alone")
"""An answer, whatever it is."""


def generated_case(name: str, cache: Path) -> Case:
    """Return the case of that id, which asks of one build what the oracles ask.

    It passes where it answers as the reference evaluator does, if that votes, the same when run
    again and, if it is valid, the same without optimisations; one whose answer is random where it
    is answered at all. Raise ConfigurationError for what describes no case.
    """
    packed = _packed(name, cache)
    return Case(id=name, procedure=_procedure(packed), arguments=_model_case(packed).to_json())


def known_alone(
    result: CaseResult, known: Sequence[Known], cache: Path, on_cpu: CaseResult | None = None
) -> Expectation | None:
    """Return what is known of how such a case fails; None where it passes or nobody knows.

    `on_cpu` is what the same build's CPU EP came to, where another EP was asked.
    What is said in `known` of a disagreement between opsets is not found: here is only one.
    """
    if result.outcome is Outcome.FALLBACK:
        return expected(result, (), "right, and all of it was left to the CPU EP")
    packed = _packed(result.case, cache)
    (about,) = features([packed])
    others = () if on_cpu is None else _sights(on_cpu)
    for sight in _sights(result):
        if (found := finding(packed, sight)) is None:
            continue
        both = any(is_same_on_cpu(packed, replace(sight, on_cpu=other)) for other in others)
        said = about | {SAME_ON_CPU} if both else about
        if (entry := entry_for(known, found, said)) is not None:
            return expected(result, [entry])
    return None


def _sights(result: CaseResult) -> tuple[Sight, ...]:
    """Return what the oracles saw of a case alone; of a refusal both that it may have been."""
    evidence = result.evidence
    if result.outcome in (Outcome.CRASH, Outcome.TIMEOUT):
        return (Sight(outcome=result.outcome, ending=evidence),)
    if result.outcome in (Outcome.ERROR, Outcome.UNSUPPORTED):
        text = evidence.text or evidence.requirement
        refused = Answered(stage=evidence.stage, status=evidence.status, text=text)
        return (
            Sight(seen=Seen(default=refused, unoptimised=ALONE)),
            Sight(seen=Seen(default=ALONE, unoptimised=refused)),
        )
    unlike = evidence.mismatches[0].text if evidence.mismatches else ""
    is_unset = Wrong.told_in(evidence.text) is Wrong.UNSET
    by_itself = evidence.text.startswith(UNLIKE_UNOPTIMISED)
    ran = evidence.placement
    seen = Seen(
        default=ALONE,
        unoptimised=ALONE,
        unlike_again=evidence.text if is_unset else evidence.answer.get(AGAIN),
        unlike_unoptimised=unlike if by_itself else evidence.answer.get(UNOPTIMISED),
        unlike_reference=None if by_itself else unlike,
        on_ep=not ran or any(name != ExecutionProvider.CPU for name in ran),
    )
    return (Sight(seen=seen),)


def _packed(name: str, cache: Path) -> Packed:
    described = Description.parse(name.removeprefix(f"{SUITE}/"))
    check_drawn([described.operator])
    pack = packed_cases([described], cache)
    if pack.lost:
        raise ConfigurationError(f"'{name}': this case cannot be made")
    return pack.cases[0]


def _procedure(packed: Packed) -> Procedure:
    if RANDOM in packed.reason:
        return MODEL_CASE
    return LIKE_UNOPTIMISED if packed.kind == VALID else SAME_AGAIN


def _model_case(packed: Packed) -> ModelCase:
    asked = packed.asked
    offset, size = asked.model
    outputs = None if asked.outputs is None else tuple(asked.outputs)
    return ModelCase(
        model=Blob(file=asked.data, offset=offset, size=size),
        in_place=False,
        ir=packed.ir,
        opsets=packed.opsets,
        data=asked.data,
        data_sets=(DataSet(inputs=tuple(asked.inputs), outputs=outputs),),
        rtol=max((rtol for rtol, _ in asked.tolerances), default=0.0),
        atol=max((atol for _, atol in asked.tolerances), default=0.0),
    )
