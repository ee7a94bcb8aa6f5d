"""What a malformed model is before it is packed, and the case that it becomes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.cases import InTwoProcesses
from harness.wire.catalogue.malformed import MALFORMED, MALFORMED_APART
from harness.wire.malformed import Beside, MalformedCase, Right, Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.cases import Case
    from harness.corpus.packing import Packer


@dataclass(frozen=True, kw_only=True)
class Malformed:
    """A model with one fault in it, and what that has to lead to; see `MalformedCase`."""

    id: str
    """``kind/place/value``."""
    model: bytes
    right: Right
    latest: Stage = Stage.OPEN
    meaning: str = ""
    inputs: Sequence[Any] | None = None
    """Arrays and the like, as `Packer.value` takes them."""
    outputs: Sequence[Any] | None = None
    beside: Beside | None = None
    declares: dict[str, str] = field(default_factory=dict)
    corrupts: bool = False
    """Whether a build without the check would write beyond its memory, and live on."""


def packed_case(malformed: Malformed, packer: Packer) -> Case:
    """Write a malformed model and its values, and return the case that tries it."""
    described = MalformedCase(
        model=packer.blob(malformed.model),
        right=malformed.right,
        latest=malformed.latest,
        meaning=malformed.meaning,
        data=packer.data_file,
        inputs=_values(malformed.inputs, packer),
        outputs=_values(malformed.outputs, packer),
        beside=malformed.beside,
        declares=malformed.declares,
    )
    return InTwoProcesses(
        id=f"malformed/{malformed.id}",
        procedure=MALFORMED_APART if malformed.corrupts else MALFORMED,
        arguments=described.to_json(),
    )


def _values(values: Sequence[Any] | None, packer: Packer) -> tuple[dict[str, Any], ...] | None:
    return None if values is None else tuple(packer.value(value) for value in values)
