"""One generated case as a case like any other, by its description: ``generated/1:Conv:11:0:7``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.cases import Case
from harness.errors import ConfigurationError
from harness.generate.cases import check_drawn
from harness.generate.description import RANDOM, Description
from harness.sweeping.pack import packed_cases
from harness.triage.generated.disagreements import VALID
from harness.wire.catalogue.generated import LIKE_UNOPTIMISED, SAME_AGAIN
from harness.wire.catalogue.procedures import MODEL_CASE
from harness.wire.values import Blob, DataSet, ModelCase

if TYPE_CHECKING:
    from pathlib import Path

    from harness.corpus.generated.record import Packed
    from harness.wire.catalogue.procedures import Procedure

SUITE = "generated"


def generated_case(name: str, cache: Path) -> Case:
    """Return the case of that id, which asks of one build what the oracles ask.

    It passes where it answers as the reference evaluator does, if that votes, the same when run
    again and, if it is valid, the same without optimisations; one whose answer is random where it
    is answered at all. Raise ConfigurationError for what describes no case.
    """
    described = Description.parse(name.removeprefix(f"{SUITE}/"))
    check_drawn([described.operator])
    pack = packed_cases([described], cache)
    if pack.lost:
        raise ConfigurationError(f"'{name}': this case cannot be made")
    (packed,) = pack.cases
    return Case(id=name, procedure=_procedure(packed), arguments=_model_case(packed).to_json())


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
