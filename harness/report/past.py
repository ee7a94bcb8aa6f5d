"""The runs of a store, and one case over many of them, for a person and for a program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from harness.results import CellState
from harness.triage.history import Course, change_points
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.store.archive import Archive, Sighting
    from harness.store.compacted import RunHead
    from harness.triage.history import ChangePoint, History

STYLES = {Course.STEADY: "green", Course.STEP: "red", Course.FLAKE: "yellow"}

STRIP = 60
"""How many of the last runs are shown as a strip."""


def runs_table(archive: Archive) -> Table:
    """Return the runs, oldest first, each with its cells and what stands in the way of reading."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("run", "began (UTC)"):
        table.add_column(column, no_wrap=True)
    for column in ("cases", "passed"):
        table.add_column(column, justify="right")
    table.add_column("cells", overflow="fold")
    for head in archive.heads:
        cases, passed = _counts(head)
        share = f"{passed / cases:.1%}" if cases else "·"
        start = f"{archive.starts[head.id]:%Y-%m-%d %H:%M}"
        table.add_row(head.id, start, f"{cases:,}", share, _cells(head))
    return table


def runs_json(archive: Archive) -> dict[str, Any]:
    """Return the runs as one object, oldest first."""
    return {
        "runs": [
            {
                "run": head.id,
                "started": archive.starts[head.id].isoformat(),
                "complete": head.complete,
                "damage": list(head.damage),
                "suites": head.suites,
                "cells": [
                    {
                        "cell": cell.cell,
                        "state": cell.state,
                        "reason": cell.reason,
                        "outcomes": head.counts.get(cell.cell, {}),
                    }
                    for cell in head.cells
                ],
            }
            for head in archive.heads
        ],
        "refused": archive.refused,
    }


def history_parts(
    found: Iterable[History], releases: Iterable[Sequence[Sighting]]
) -> Iterator[Table | Text]:
    """Return the histories of one case: its course, its strip, and where it changed.

    `releases` has the sightings of each variant by release, as `by_release` gives them.
    """
    for history in found:
        yield Text(f"{history.case} on {history.track}", style="bold")
        yield Text(f"  {course_line(history)}", style=STYLES[history.course])
        yield Text(f"  {strip(history)}")
        for change in history.changes:
            yield Text(f"  {change_line(change)}")
    for of_variant in releases:
        if of_variant:
            seen = ", ".join(f"{one.release} {one.outcome}" for one in of_variant)
            yield Text(f"{of_variant[0].variant} by release: {seen}", style="bold")
        for change in change_points(of_variant):
            before, after = change.before, change.after
            yield Text(
                f"  {before.release} → {after.release}: {before.signature} → {after.signature}"
            )


def history_json(
    found: Iterable[History], releases: Iterable[Sequence[Sighting]]
) -> dict[str, Any]:
    """Return the histories of one case as one object, with every sighting."""
    return {
        "histories": [
            {
                "case": history.case,
                "track": history.track,
                "course": history.course,
                "since": history.since and history.since.run,
                "changes": [_change_json(change) for change in history.changes],
                "sightings": [_sighting_json(one) for one in history.sightings],
            }
            for history in found
        ],
        "releases": {
            of_variant[0].variant: [_sighting_json(one) for one in of_variant]
            for of_variant in releases
            if of_variant
        },
    }


def course_line(history: History) -> str:
    """Return in words what a case did, and since when it does what it does now."""
    now = history.since
    if now is None:
        return "nothing is known of it"
    times = len(history.changes)
    last = history.sightings[-1]
    since = f"{last.signature} since {now.run} ({now.started:%Y-%m-%d}, {now.release})"
    match history.course:
        case Course.STEADY:
            return f"steady: {since}"
        case Course.STEP:
            return f"stepped {_times(times)}: {since}"
        case Course.FLAKE:
            again = sum(one.goes_both_ways for one in history.sightings)
            rerun = f", {_times(again)} within a run" if again else ""
            return f"flaky: changed {_times(times)} in {len(history.sightings)} runs{rerun}"


def strip(history: History) -> str:
    """Return one sign per run, the newest last: a dot passed, a question mark is flaky."""
    return "".join(map(_sign, history.sightings[-STRIP:]))


def change_line(change: ChangePoint) -> str:
    """Return a change point in one line, with what else changed there."""
    before, after = change.before, change.after
    why = ""
    if change.build_differs:
        why = f" (build {before.cell} → {after.cell})"
    elif change.suite_differs:
        why = f" (suite {before.suite_version} → {after.suite_version})"
    where = f"{before.run} → {after.run}{why}"
    return f"{where}: {before.signature} → {after.signature}"


def _sign(one: Sighting) -> str:
    if one.goes_both_ways:
        return "?"
    return "." if one.outcome is Outcome.PASS else str(one.outcome)[0]


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _counts(head: RunHead) -> tuple[int, int]:
    """Return how many cases were tested, and how many of them passed."""
    of_cells = list(head.counts.values())
    tested = sum(
        count
        for counts in of_cells
        for outcome, count in counts.items()
        if Outcome(outcome).is_about_the_build
    )
    return tested, sum(counts.get(Outcome.PASS, 0) for counts in of_cells)


def _cells(head: RunHead) -> Text:
    text = Text()
    for cell in head.cells:
        state = "" if cell.state is CellState.READY else f" {cell.state}"
        text.append(f"{cell.cell}{state} ", style="red" if state else "")
    if not head.complete:
        text.append("incomplete ", style="yellow")
    if head.damage:
        text.append(f"{len(head.damage)} damaged lines", style="red")
    return text


def _change_json(change: ChangePoint) -> dict[str, Any]:
    return {"before": _sighting_json(change.before), "after": _sighting_json(change.after)}


def _sighting_json(one: Sighting) -> dict[str, Any]:
    return {
        "run": one.run,
        "started": one.started.isoformat(),
        "cell": one.cell,
        "release": one.release,
        "suite_version": one.suite_version,
        "outcome": one.outcome,
        "again": one.again,
        "code": one.signature.code,
        "line": one.signature.line,
        "duration_s": one.duration_s,
    }
