"""Runs, cells and evidence as a person reads them in a terminal."""

from __future__ import annotations

import io
import json
import shlex
import shutil
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from harness.report.summary import OUTCOMES, CellSummary, SuiteSummary
from harness.results import CaseResult, CellState
from harness.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from harness.report.summary import Judged
    from harness.store.run import Run

WIDTH = 175
"""Columns where no terminal says how many it has."""

SHOWN = 20
"""How many unexpected results are listed under the table; all of them are in the run folder."""


def render_run(run: Run, cells: list[CellSummary]) -> Iterator[Table | Text]:
    """Return the table of a run and what needs attention in it."""
    yield _table(cells)
    for cell in cells:
        yield from _attention(cell)
    for damage in run.damage:
        yield Text(f"damaged line: {damage}", style="red")
    incomplete = "" if run.complete else " (incomplete)"
    yield Text(f"run {run.id}{incomplete}: {run.folder}")


def as_text(parts: Iterable[Table | Text], *, colour: bool) -> str:
    """Return the parts as text: as wide as the terminal, or wide enough for a file."""
    width = shutil.get_terminal_size((WIDTH, 0)).columns if colour else WIDTH
    out = io.StringIO()
    console = Console(
        file=out,
        force_terminal=colour,
        width=width,
        highlight=False,
        markup=False,  # a name is shown as it is: neither brackets nor colons in it are styles
        emoji=False,
    )
    console.print(Group(*parts))  # by itself, print() forgets which of the texts may be wrapped
    return out.getvalue()


def _table(cells: Iterable[CellSummary]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("cell", no_wrap=True)
    table.add_column("suite", no_wrap=True)
    for outcome in OUTCOMES:
        table.add_column(outcome.lower().replace("_", " "), justify="right")
    table.add_column("cases on EP", justify="right")
    table.add_column("nodes on EP", justify="right")
    table.add_column("verdict", overflow="fold")
    for cell in cells:
        if not cell.suites or cell.record.state is CellState.BROKEN:
            ready = cell.record.state is CellState.READY
            said = Text("nothing run" if ready else cell.record.state, style="red")
            table.add_row(cell.record.cell, "", *[""] * len(OUTCOMES), "", "", said)
        for name, suite in sorted(cell.suites.items()):
            counts = [str(suite.outcomes[outcome] or "·") for outcome in OUTCOMES]
            counts += _shares_on_ep(suite, cell.asked_provider)
            table.add_row(cell.record.cell, name, *counts, verdict_text(suite))
    return table


def _shares_on_ep(suite: SuiteSummary, asked: str) -> tuple[str, str]:
    """Return how much of the suite really ran on the asked execution provider."""
    nodes = suite.nodes.total()
    cases = f"{suite.placed_on_asked / suite.placed:.0%}" if suite.placed else "·"
    return cases, f"{suite.nodes[asked] / nodes:.0%}" if nodes else "·"


def verdict_text(suite: SuiteSummary) -> Text:
    """Return the verdict on a suite: as expected, or what is not, and how often."""
    unexpected = [
        f"{count} {verdict.lower().replace('_', ' ')}"
        for verdict, count in sorted(suite.verdicts.items())
        if verdict.needs_attention
    ]
    if unexpected:
        return Text(", ".join(unexpected), style="red")
    if not set(suite.verdicts) - {Verdict.NOT_TESTED}:
        return Text("not tested", style="yellow")
    known = suite.verdicts[Verdict.KNOWN_FAILURE]
    return Text(f"as expected, {known} known" if known else "as expected", style="green")


def _attention(cell: CellSummary) -> Iterator[Text]:
    if cell.record.state is not CellState.READY:
        yield Text(f"{cell.record.cell} is {cell.record.state}: {cell.record.reason}", style="red")
    found = cell.attention
    for judged in found[:SHOWN]:
        yield Text(one_line(judged), style="red", no_wrap=True, overflow="ellipsis")
    if len(found) > SHOWN:
        yield Text(f"… and {len(found) - SHOWN} more of {cell.record.cell}", style="red")


def one_line(judged: Judged) -> str:
    """Return a judged result in one line."""
    result = judged.result
    again = f" (then {result.again})" if result.again else ""
    if result.poisoned_by:
        again = f" (only behind {result.poisoned_by})"
    said = (result.evidence.text or result.evidence.requirement).partition("\n")[0]
    return f"{judged.verdict} {result.cell} {result.case}: {result.outcome}{again} {said}".rstrip()


def evidence_lines(result: CaseResult) -> Iterator[str]:
    """Return everything that was seen of a case, for a person."""
    evidence = result.evidence
    yield f"{result.case} on {result.cell}: {result.outcome} in {result.duration_s * 1e3:.1f} ms"
    if result.again:
        behind = f"; behind {result.poisoned_by}: {result.outcome}" if result.poisoned_by else ""
        yield f"  again, alone on a fresh worker: {result.again}{behind}"
    for label, value in (
        ("attached EP", evidence.attached),
        ("stage", evidence.stage),
        ("status", evidence.status),
        ("requirement", evidence.requirement),
        ("signal", evidence.signal),
        ("exit status", evidence.exit_status),
        ("seen", evidence.text),
        ("nodes by provider", _pairs(evidence.placement)),
        ("example", json.dumps(evidence.example) if evidence.example else ""),
    ):
        if value not in ("", None):
            yield f"  {label}: {value}"
    for step in evidence.fallback:
        candidate = f"{step.attached} ({step.provider})"
        yield f"  fallback: {candidate} at {step.stage}: {step.status}: {step.text}"
    for mismatch in evidence.mismatches:
        yield f"  mismatch in {mismatch.output}: {mismatch.text}"
        if mismatch.largest_error is not None:
            needed = _needed(mismatch.rtol_needed, mismatch.atol_needed)
            yield f"    largest error {mismatch.largest_error:.9g} at {list(mismatch.at or ())}"
            yield f"    would have passed with {needed}"
    for name, value in evidence.answer.items():
        yield f"  {name}: {value}"
    for label, text in (("traceback", evidence.traceback), ("end of the log", evidence.log)):
        if text:
            yield f"  {label}:"
            yield from (f"    {line}" for line in text.splitlines())


def reproduction(result: CaseResult) -> str:
    """Return the command that shows a result again, its smallest failing example included."""
    command = f"ort-matrix case {shlex.quote(result.shown_by)} --cell {result.cell}"
    if not (example := result.evidence.example):
        return command
    return f"{command} --example {shlex.quote(json.dumps(example))}"


def _pairs(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name}: {count}" for name, count in counts.items())


def _needed(rtol: float | None, atol: float | None) -> str:
    by_rtol = "no rtol alone" if rtol is None else f"rtol {rtol:.3g}"
    by_atol = "no atol alone" if atol is None else f"atol {atol:.3g}"
    return f"{by_rtol}, or {by_atol}"


def cells_table(cells: Iterable[Mapping[str, Any]]) -> Table:
    """Return the matrix: a row per cell, with why it is not runnable here."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("cell", "device", "tags", "suites"):
        table.add_column(column, no_wrap=True)
    table.add_column("here", overflow="fold")
    for cell in cells:
        reason = cell["not_runnable"]
        here = Text(reason, style="yellow") if reason else Text("runnable", style="green")
        tags, suites = " ".join(cell["tags"]), " ".join(cell["suites"])
        table.add_row(cell["cell"], cell["device"], tags, suites, here)
    return table


def probe_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """Return what a build offers, for a person."""
    hello = found["hello"]
    state = f"{found['state']}: {found['reason']}" if found["reason"] else found["state"]
    yield f"{found['cell']}: {state}"
    yield f"  distribution: {', '.join(hello['distributions'])}"
    yield f"  onnxruntime {hello['release']}, Python {hello['python']}, numpy {hello['numpy']}"
    yield f"  providers: {', '.join(found['providers'])}"
    yield f"  asked device: {found['device']}"
    yield f"  highest IR version: {found['highest_ir']}"
    for domain, opset in found["highest_opset"].items():
        yield f"  highest opset of {domain}: {opset}"
