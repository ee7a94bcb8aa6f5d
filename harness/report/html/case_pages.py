"""One case with everything that was seen of it on every cell; pure."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.report.html.addresses import case_page, cell_page
from harness.report.html.marks import MARKS, word
from harness.report.html.overview import short_provider
from harness.report.html.plots import strip_line
from harness.report.html.strips import Strip, strip
from harness.report.terminal import reproduction
from harness.results import CellState
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from harness.baseline import Expectation
    from harness.report.html.marks import Mark
    from harness.report.html.past import Past
    from harness.report.summary import CellSummary, Judged
    from harness.results import CaseResult
    from harness.verdicts import Verdict
    from harness.wire.messages import Evidence


@dataclass(frozen=True, kw_only=True)
class OnCell:
    """A case on one cell."""

    cell: str
    href: str
    anchor: str
    """Where on the page the evidence stands."""
    mark: Mark
    again: str
    """What a second try gave, as it is read; empty where there was none."""
    verdict: Verdict
    known: Expectation | None
    evidence: Evidence
    said: str
    """What was seen in one line; nothing where the whole cell says the same of every case."""
    facts: tuple[tuple[str, str], ...]
    """What was seen in short, by its label."""
    placement: str
    """Which execution providers ran how many of the nodes."""
    seconds: float
    strip: Strip
    time_line: str
    """The points of how long it took in each run, for a picture 100 high; empty without any."""
    command: str
    """What shows this result again."""

    @property
    def passed(self) -> bool:
        """Whether there is nothing to explain."""
        return self.mark.outcome is Outcome.PASS and not self.verdict.needs_attention


@dataclass(frozen=True, kw_only=True)
class CasePage:
    """One case."""

    case: str
    href: str
    suite: str
    operators: Sequence[str]
    cells: tuple[OnCell, ...]


def case_pages(
    cells: Iterable[CellSummary], past: Past, operators: Mapping[str, Sequence[str]]
) -> Iterator[CasePage]:
    """Return a page for each case of the run, one at a time: all of them are many."""
    by_case: dict[str, list[tuple[CellSummary, Judged]]] = defaultdict(list)
    for cell in cells:
        for judged in cell.judged:
            by_case[judged.result.case].append((cell, judged))
    for case, found in sorted(by_case.items()):
        yield CasePage(
            case=case,
            href=case_page(case),
            suite=found[0][1].result.suite,
            operators=operators.get(case, ()),
            cells=tuple(_on_cell(cell, judged, past) for cell, judged in found),
        )


def _on_cell(cell: CellSummary, judged: Judged, past: Past) -> OnCell:
    result = judged.result
    runs = [run.head.id for run in past.runs]
    return OnCell(
        cell=result.cell,
        href=cell_page(result.cell),
        anchor=f"on-{result.cell}",
        mark=MARKS[result.outcome],
        again=_again(result),
        verdict=judged.verdict,
        known=judged.expectation,
        evidence=result.evidence,
        said=_said(result.evidence) if cell.record.state is CellState.READY else "",
        facts=tuple(_facts(result.evidence)),
        placement=_placement(result.evidence, cell.asked_provider),
        seconds=result.duration_s,
        strip=strip(past.strip(result.cell, result.case), runs),
        time_line=strip_line(past.seconds(result.cell, result.case)),
        command=reproduction(result),
    )


def _said(evidence: Evidence) -> str:
    return (evidence.text or evidence.requirement).partition("\n")[0]


def _again(result: CaseResult) -> str:
    if result.again is None:
        return ""
    if result.poisoned_by:
        return f"only behind {result.poisoned_by}, alone {word(result.again)}"
    return "the same again" if result.again is result.outcome else f"then {word(result.again)}"


def _facts(evidence: Evidence) -> Iterator[tuple[str, str]]:
    example = json.dumps(evidence.example) if evidence.example else ""
    status = "" if evidence.exit_status is None else str(evidence.exit_status)
    for label, value in (
        ("seen", evidence.text),
        ("lacks", evidence.requirement),
        ("stage", evidence.stage),
        ("status", evidence.status),
        ("signal", evidence.signal),
        ("exit status", status),
        ("attached EP", evidence.attached),
        ("smallest example", example),
        *((name, _shown(value)) for name, value in evidence.answer.items()),
    ):
        if value:
            yield label, value


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _placement(evidence: Evidence, asked: str) -> str:
    nodes = sum(evidence.placement.values())
    if not nodes:
        return ""
    ran = ", ".join(
        f"{short_provider(name)} {count}" for name, count in sorted(evidence.placement.items())
    )
    return f"{evidence.placement.get(asked, 0)} of {nodes} as asked ({ran})"
