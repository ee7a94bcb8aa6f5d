"""A run, and what changed since another, as Markdown that fits the summary of a CI job."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.report.changes import (
    NOTHING_OLDER,
    counts_line,
    group_title,
    known_in,
    listed,
    named,
    note_line,
    said,
    since_run,
)
from harness.report.summary import OUTCOMES
from harness.report.terminal import one_line, reproduction, verdict_text
from harness.results import CellState
from harness.triage.compare import Transition

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.report.changes import IsKnown, Since
    from harness.report.summary import CellSummary
    from harness.store.run import Run
    from harness.triage.compare import Comparison, Group

LIMIT = 1024 * 1024
"""Bytes that GitHub takes of one step's summary; of a longer one it shows nothing at all.

Source: https://docs.github.com/actions/using-workflows/workflow-commands-for-github-actions
(adding a job summary)
"""

WORD_ON_A_CUT = 200
"""Bytes that the word on what was cut may take."""


class Page:
    """Markdown that grows up to a limit, and counts what found no room."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._room = limit - WORD_ON_A_CUT
        self._lines: list[str] = []
        self._cut = 0

    def add(self, *lines: str) -> None:
        """Add lines that stand or fall together."""
        size = sum(len(line.encode()) + 1 for line in lines)
        if size > self._room or self._cut:  # once something is cut, so is all that follows
            self._cut += len(lines)
            return
        self._room -= size
        self._lines += lines

    def add_details(self, title: str, lines: Iterable[str]) -> None:
        """Add lines that are folded away, as many of them as there is room for."""
        head, foot = f"<details><summary>{escaped(title)}</summary>", "</details>"
        self._room -= len(foot) + 2
        self.add("", head, "")
        is_open = not self._cut
        for line in lines:
            self.add(line)
        if is_open:
            self._lines += ["", foot]

    def text(self, *, all_of_it: str) -> str:
        """Return the page; where something was cut, with how much, and what shows all of it."""
        lines = list(self._lines)
        if self._cut:
            lines += ["", f"**Cut here: {self._cut:,} more lines.** `{all_of_it}` shows them."]
        return "\n".join(lines) + "\n"


def run_page(run: Run, cells: Sequence[CellSummary], limit: int = LIMIT) -> str:
    """Return a run: a row per cell and suite, then all that needs attention, cell by cell."""
    page = Page(limit)
    page.add(f"## {run.id}{'' if run.complete else ' (incomplete)'}", "")
    suites = [suite for cell in cells for suite in cell.suites.values()]
    shown = [one for one in OUTCOMES if any(suite.outcomes[one] for suite in suites)]
    names = ["cell", "suite", *(said(one) for one in shown), "verdict"]
    page.add(_row(names), _row(["---", "---", *["--:"] * len(shown), "---"]))
    for cell in cells:
        if not cell.suites or cell.record.state is CellState.BROKEN:
            state = cell.record.state
            said_of = "nothing run" if state is CellState.READY else f"**{state}**"
            page.add(_row([cell.record.cell, "", *[""] * len(shown), said_of]))
        for name, suite in sorted(cell.suites.items()):
            counts = [str(suite.outcomes[one] or "·") for one in shown]
            page.add(_row([cell.record.cell, name, *counts, verdict_text(suite).plain]))
    for line in run.damage:
        page.add("", f"Damaged line: {code(line)}")
    for cell in cells:
        if cell.record.state is not CellState.READY:
            where = f"**{cell.record.cell} is {cell.record.state}**"
            page.add("", f"{where}: {code(cell.record.reason)}")
        if found := cell.attention:
            title = f"{cell.record.cell}: {len(found):,} to look at"
            page.add_details(title, (f"- {code(one_line(judged))}" for judged in found))
    return page.text(all_of_it=f"ort-matrix report {run.id} --json")


def comparison_page(
    comparison: Comparison,
    is_known: IsKnown,
    since: Since = NOTHING_OLDER,
    limit: int = LIMIT,
) -> str:
    """Return what changed: what is told apart first, then a line per cause, then the counts."""
    page = Page(limit)
    page.add(f"## {comparison.old} → {comparison.new}", "", counts_line(comparison), "")
    for note in comparison.notes:
        page.add(f"- {escaped(note_line(note))}")
    shown = listed(comparison, is_known)
    for group in shown:
        mark = "🔴 " if _is_alarm(group, comparison, is_known) else ""
        title = f"### {mark}{escaped(group_title(group, is_known))}"
        page.add("", title, "", code(str(group.signature)), "", escaped(named(group)))
        if group.transition is Transition.REGRESSED:
            page.add("", f"Again: {code(reproduction(group.changes[0].result))}")
        if run := since_run(group, since):
            page.add("", f"Since {code(run)}")
    if not shown:
        page.add("", "Nothing changed.")
    command = f"ort-matrix compare {comparison.old} {comparison.new} --json"
    return page.text(all_of_it=command)


def code(text: str) -> str:
    """Return a text in one line of code, whatever stands in it."""
    line = " ".join(text.split())
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def escaped(text: str) -> str:
    """Return a text in one line in which nothing is markup."""
    return re.sub(r"([\\`*_\[\]<>|#~&])", r"\\\1", " ".join(text.split()))


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _is_alarm(group: Group, comparison: Comparison, is_known: IsKnown) -> bool:
    return group in comparison.regressions and known_in(group, is_known) < len(group.changes)
