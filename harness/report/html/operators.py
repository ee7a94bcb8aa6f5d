"""Which operators a build has and gets right, by the cases whose model is of one operator; pure.

An operator's cases are those whose model has nodes of this operator and of no other: in a larger
model nobody can say which of them was wrong. One without such a case is told by the larger models.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from harness.report.html.overview import level
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.report.summary import CellSummary

RAN = (Outcome.PASS, Outcome.FAIL)
"""What says that the asked execution provider has what the case needs: there was an answer."""
LACKING = (Outcome.UNSUPPORTED, Outcome.FALLBACK)
"""What says that it has not. An error, a crash or a timeout says neither."""


@dataclass(frozen=True, kw_only=True)
class OperatorField:
    """One operator on one cell."""

    passed: int
    tested: int
    implemented: str
    """Whether the asked execution provider has it; empty where nothing was tested.

    ``yes``, ``partly``, ``no`` or, where every case ended in an error or worse, ``never ran``.
    """
    level: int | None
    href: str


@dataclass(frozen=True, kw_only=True)
class OperatorRow:
    """One operator."""

    name: str
    cases: int
    alone: bool
    """Whether these cases are of this operator only."""
    fields: tuple[OperatorField, ...]

    @property
    def lacking(self) -> bool:
        """Whether some build that was tested does not have all of it."""
        return any(field.implemented not in ("", "yes") for field in self.fields)

    @property
    def wrong(self) -> bool:
        """Whether some build that was tested does not get all of it right."""
        return any(field.passed < field.tested for field in self.fields)


def operator_rows(
    cells: Sequence[CellSummary], operators: Mapping[str, Sequence[str]]
) -> tuple[OperatorRow, ...]:
    """Return the operators of the run's cases, sorted by name, with a field for each cell."""
    outcomes = [
        {judged.result.case: judged.result.outcome for judged in cell.judged} for cell in cells
    ]
    seen = {case for of_cell in outcomes for case in of_cell}
    alone, within = _cases_of({case: operators[case] for case in seen & operators.keys()})
    return tuple(
        OperatorRow(
            name=name,
            cases=len(cases := alone.get(name) or within[name]),
            alone=name in alone,
            fields=tuple(
                _field(name, cell.record.cell, [of_cell[case] for case in cases if case in of_cell])
                for cell, of_cell in zip(cells, outcomes, strict=True)
            ),
        )
        for name in sorted({*alone, *within}, key=_order)
    )


def _order(name: str) -> tuple[bool, str]:
    return "." in name, name.lower()  # those of ONNX's own domain first


def _cases_of(
    operators: Mapping[str, Sequence[str]],
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return by operator the cases of it alone, and those with others."""
    alone: dict[str, list[str]] = defaultdict(list)
    within: dict[str, list[str]] = defaultdict(list)
    for case, names in operators.items():
        for name in names:
            (alone if len(names) == 1 else within)[name].append(case)
    return alone, within


def _field(name: str, cell: str, outcomes: Iterable[Outcome]) -> OperatorField:
    about = [outcome for outcome in outcomes if outcome.is_about_the_build]
    passed = about.count(Outcome.PASS)
    return OperatorField(
        passed=passed,
        tested=len(about),
        implemented=_implemented(about),
        level=level(passed / len(about)) if about else None,
        href="cases.html#" + urlencode({"cell": cell, "operator": name}),
    )


def _implemented(outcomes: Sequence[Outcome]) -> str:
    if not outcomes:
        return ""
    lacking = any(outcome in LACKING for outcome in outcomes)
    if any(outcome in RAN for outcome in outcomes):
        return "partly" if lacking else "yes"
    return "no" if lacking else "never ran"
