"""Results that look alike told as one line: one cause, one line; pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from harness.report.html.addresses import case_page
from harness.report.html.marks import MARKS, VERDICT_LETTERS, word
from harness.signatures import signature
from harness.triage.compare import Context, Transition
from harness.verdicts import Verdict
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from harness.report.html.marks import Mark
    from harness.report.summary import CellSummary, Judged
    from harness.signatures import Signature
    from harness.triage.compare import Comparison, Group

SHOWN = 60
"""Cases that a line names when it is opened; search finds the others."""

TONES: Mapping[str, str] = {
    Transition.REGRESSED: "bad",
    Transition.CHANGED: "odd",
    Transition.FIXED: "good",
    Verdict.UNEXPECTED_FAILURE: "bad",
    Verdict.UNEXPECTED_PASS: "good",
    Verdict.FLAKY: "odd",
    Verdict.POISONED: "odd",
    Verdict.INCONCLUSIVE: "odd",
}

CONTEXTS: Mapping[Context, str] = {
    Context.SAME: "",
    Context.BUILD: "Another build stands in the cell's place.",
    Context.SUITE: "The suite has another version: what it asks may be what changed.",
}


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One case of a line."""

    case: str
    href: str
    """Its page; empty where the run does not have it."""
    where: str
    """On which cells; empty where the count says so already."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """Results with one signature."""

    kind: str
    tone: str
    """How it looks: ``bad``, ``good``, ``odd`` or nothing."""
    mark: Mark
    code: str
    text: str
    count: str
    context: str = ""
    shown: tuple[Shown, ...]
    more: int
    """How many cases are not shown."""
    search: str
    """Where search finds all of them."""


def changed(comparison: Comparison, cases: Collection[str]) -> tuple[Line, ...]:
    """Return what the builds do otherwise than in the run before; `cases` are those with a page."""
    return tuple(
        _of_group(group, cases)
        for group in comparison.groups
        if group.transition not in (Transition.PERSISTING, Transition.UNCHANGED)
    )


def _of_group(group: Group, cases: Collection[str]) -> Line:
    found = [(change.result.case, change.result.cell) for change in group.changes]
    outcome = next((change.new.outcome for change in group.changes if change.new), None)
    return _line(
        kind="flaky" if group.flaky else group.transition.lower(),
        tone="odd" if group.flaky else TONES.get(group.transition, ""),
        of=group.signature,
        found=found,
        context=CONTEXTS[group.context],
        search={"outcome": MARKS[outcome].letter} if outcome else {},
        cases=cases,
    )


def unexpected(cells: Iterable[CellSummary]) -> tuple[Line, ...]:
    """Return the results that somebody must look at."""
    by_cause: dict[tuple[Verdict, Signature], list[Judged]] = defaultdict(list)
    for cell in cells:
        for judged in cell.attention:
            by_cause[judged.verdict, signature(judged.result)].append(judged)
    return tuple(
        _line(
            kind=word(verdict),
            tone=TONES[verdict],
            of=of,
            found=[(one.result.case, one.result.cell) for one in alike],
            search={"outcome": MARKS[of.outcome].letter, "verdict": VERDICT_LETTERS[verdict]},
        )
        for (verdict, of), alike in sorted(
            by_cause.items(), key=lambda item: (item[0][0], -len(item[1]), item[0][1])
        )
    )


def not_passed(cell: CellSummary) -> tuple[Line, ...]:
    """Return what did not pass on a cell, the most frequent first."""
    by_cause: dict[Signature, list[Judged]] = defaultdict(list)
    for judged in cell.judged:
        if judged.result.outcome is not Outcome.PASS:
            by_cause[signature(judged.result)].append(judged)
    return tuple(
        _line(
            kind="unexpected" if any(one.verdict.needs_attention for one in alike) else "",
            tone="bad",
            of=of,
            found=[(one.result.case, one.result.cell) for one in alike],
            search={"outcome": MARKS[of.outcome].letter},
        )
        for of, alike in sorted(by_cause.items(), key=lambda item: (-len(item[1]), item[0]))
    )


def _line(  # noqa: PLR0913 - the one place where each list's results become a line
    *,
    kind: str,
    tone: str,
    of: Signature,
    found: Sequence[tuple[str, str]],
    search: Mapping[str, str],
    context: str = "",
    cases: Collection[str] | None = None,
) -> Line:
    cells = sorted({cell for _, cell in found})
    cells_of: dict[str, list[str]] = defaultdict(list)
    for case, cell in found:
        cells_of[case].append(cell)
    if len(cells) == 1:
        search = {**search, "cell": cells[0]}
    return Line(
        kind=kind,
        tone=tone,
        mark=MARKS[of.outcome],
        code=of.code,
        text=of.line,
        count=_count(cells_of, cells),
        context=context,
        shown=tuple(
            Shown(
                case=case,
                href=case_page(case) if cases is None or case in cases else "",
                where="" if len(of_case) == len(cells) else _cells(of_case),
            )
            for case, of_case in list(cells_of.items())[:SHOWN]
        ),
        more=max(len(cells_of) - SHOWN, 0),
        search="cases.html#" + urlencode(search),
    )


def _count(cases: Collection[str], cells: Sequence[str]) -> str:
    many = "1 case" if len(cases) == 1 else f"{len(cases)} cases"
    return f"{many} on {_cells(cells)}"


def _cells(cells: Sequence[str]) -> str:
    return cells[0] if len(cells) == 1 else f"{len(cells)} cells"
