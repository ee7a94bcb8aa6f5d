"""A generated case as the controller keeps it, beside what a worker is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from harness.generate.description import Description, Kind
from harness.wire.generated import Asked


@dataclass(frozen=True, kw_only=True)
class Packed:
    """One generated case in a pack."""

    description: str
    operator: str
    opset: int
    kind: str
    """``valid``, ``doubtful`` or ``invalid``: see generate.description.Kind."""
    reason: str
    """Why it is not valid."""
    attributes: dict[str, str]
    types: tuple[str, ...]
    """Of what is given to the operator: inputs and constants."""
    shapes: tuple[str, ...]
    """Of the inputs alone; empty text for what is no tensor."""
    ir: int
    opsets: dict[str, int]
    votes: bool
    """Whether the reference evaluator has an answer that counts."""
    reference: str
    """Why it does not vote."""
    asked: Asked
    forms: tuple[str, ...]
    """What was changed of it when all was drawn, and whether no node reads an input."""

    @property
    def is_spoilt(self) -> bool:
        """Whether one thing was made wrong, or taken to its edge: its reason says it first."""
        return self.kind == Kind.INVALID or Description.parse(self.description).index < 0

    def to_json(self) -> dict[str, Any]:
        """Return what ``from_json`` reads back."""
        return {**vars(self), "asked": self.asked.to_json()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Return what was written."""
        lists = {name: tuple(data[name]) for name in ("types", "shapes", "forms")}
        return cls(**{**data, **lists, "asked": Asked.from_json(data["asked"])})
