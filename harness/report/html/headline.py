"""What a run comes to in a few sentences, for who reads nothing else; pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from harness.results import CellState
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.report.html.groups import Line
    from harness.report.html.past import Past
    from harness.report.summary import CellSummary
    from harness.store.run import Run


def headline(past: Past) -> str:
    """Return when the newest run was."""
    begun = past.runs[-1].begun
    return f"{begun:%A}, {begun.day} {begun:%B %Y}"


def sentences(run: Run, cells: Sequence[CellSummary], changed: Sequence[Line]) -> Iterator[str]:
    """Return what there is to know first."""
    tested = sum(suite.tested for cell in cells for suite in cell.suites.values())
    passed = sum(s.outcomes[Outcome.PASS] for cell in cells for s in cell.suites.values())
    yield f"{_many(len(cells), 'cell')}, {tested:,} results, {passed:,} passed."
    unexpected = sum(len(cell.attention) for cell in cells)
    yield f"{unexpected:,} unexpected." if unexpected else "All as the baselines say."
    kinds = Counter(line.kind for line in changed)
    if kinds:
        causes = _listed([f"{count} {kind}" for kind, count in kinds.items()])
        yield f"By cause, since the run before: {causes}."
    for state, words in (
        (CellState.BROKEN, "could not be used"),
        (CellState.NO_DEVICE, "found no device"),
    ):
        if found := [cell.record.cell for cell in cells if cell.record.state is state]:
            yield f"{_listed(found)} {words}."
    if not run.complete:
        yield "The run is incomplete: it was cut off, or is still going on."


def _many(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{count:,} {what}s"


def _listed(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
