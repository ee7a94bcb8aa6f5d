"""What generated cases reach of the standard, and how much of it a build accepts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from harness.generate.description import Kind
from harness.generate.schemas import versions
from harness.triage.generated.sights import State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.corpus.generated.record import Packed
    from harness.triage.generated.sights import Sight

LEAST_OPERATORS = 170
"""Of ai.onnx and ai.onnx.ml, with a valid case that is accepted."""
LEAST_ACCEPTED = 0.6
"""Of all valid cases."""


@dataclass(frozen=True, kw_only=True)
class OperatorCoverage:
    """The cases of one operator over all its opsets."""

    operator: str
    kinds: Mapping[str, int]
    """How many cases of each kind."""
    accepted: int
    """The valid cases that the build answers; 0 where no build was asked."""
    refusals: Mapping[str, int]
    """What the build said of the valid cases that it does not answer."""
    values: Mapping[str, int]
    """How many different values each attribute had; those of the schema that have none as well."""

    @property
    def valid(self) -> int:
        """How many cases are valid."""
        return self.kinds.get(Kind.VALID, 0)

    @property
    def never_varied(self) -> list[str]:
        """The attributes that had fewer than two values."""
        few = 2
        return [name for name, count in self.values.items() if count < few]

    def to_json(self) -> dict[str, Any]:
        """Return the fields and what follows from them."""
        return {**vars(self), "never_varied": self.never_varied}


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """All operators, and how they stand against what is wanted."""

    operators: Sequence[OperatorCoverage]

    @property
    def of_the_standard(self) -> list[OperatorCoverage]:
        """The operators of ai.onnx and ai.onnx.ml."""
        return [
            one
            for one in self.operators
            if one.operator in versions() and "." not in one.operator.removeprefix("ai.onnx.ml.")
        ]

    @property
    def operators_accepted(self) -> int:
        """How many operators of the standard have a valid case that is accepted."""
        return sum(one.accepted > 0 for one in self.of_the_standard)

    @property
    def valid(self) -> int:
        """How many cases are valid."""
        return sum(one.valid for one in self.operators)

    @property
    def accepted(self) -> int:
        """How many valid cases are accepted."""
        return sum(one.accepted for one in self.operators)

    @property
    def never_varied(self) -> list[str]:
        """The attributes of accepted operators of the standard that had fewer than two values."""
        return [
            f"{one.operator}.{name}"
            for one in self.of_the_standard
            if one.accepted
            for name in one.never_varied
        ]

    @property
    def is_enough(self) -> bool:
        """Whether all that is wanted is reached."""
        return (
            self.operators_accepted >= LEAST_OPERATORS
            and self.accepted >= LEAST_ACCEPTED * self.valid
            and not self.never_varied
        )

    def to_json(self) -> dict[str, Any]:
        """Return the totals, with what is wanted of each, and all operators."""
        return {
            "operators_accepted": self.operators_accepted,
            "operators_wanted": LEAST_OPERATORS,
            "valid": self.valid,
            "accepted": self.accepted,
            "share_wanted": LEAST_ACCEPTED,
            "never_varied": self.never_varied,
            "is_enough": self.is_enough,
            "operators": [one.to_json() for one in self.operators],
        }


def coverage(cases: Sequence[Packed], sights: Sequence[Sight] | None) -> Coverage:
    """Return what the cases cover; None: no build was asked."""
    seen = [None] * len(cases) if sights is None else sights
    pairs = sorted(zip(cases, seen, strict=True), key=lambda pair: pair[0].operator)
    by_operator = groupby(pairs, key=lambda pair: pair[0].operator)
    return Coverage(operators=[_of(name, list(those)) for name, those in by_operator])


def _of(operator: str, pairs: Sequence[tuple[Packed, Sight | None]]) -> OperatorCoverage:
    asked = [sight for case, sight in pairs if sight is not None and case.kind == Kind.VALID]
    return OperatorCoverage(
        operator=operator,
        kinds=Counter(case.kind for case, _ in pairs),
        accepted=sum(sight.state is State.ANSWERED for sight in asked),
        refusals=Counter(_said(sight) for sight in asked if sight.state is not State.ANSWERED),
        values=_values(operator, [case for case, _ in pairs]),
    )


def _said(sight: Sight) -> str:
    longest = 150
    return f"{sight.state}: {sight.says}"[:longest]


def _values(operator: str, cases: Sequence[Packed]) -> dict[str, int]:
    """Return the counts of values by attribute; those of a case that is not valid count as well."""
    found: dict[str, set[str]] = {
        name: set() for one in versions().get(operator, {}).values() for name in one.attributes
    }
    for case in cases:
        for name, value in case.attributes.items():
            found.setdefault(name, set()).add(value)
    return {name: len(values) for name, values in sorted(found.items())}
