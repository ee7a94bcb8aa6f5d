"""What changed between two runs, for a person in a terminal and for a program."""

from __future__ import annotations

from collections import Counter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from rich.text import Text

from harness.report.terminal import reproduction
from harness.signatures import signature
from harness.triage.compare import Context, Transition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from harness.results import CaseResult
    from harness.triage.compare import Change, Comparison, Group, Note

    IsKnown = Callable[[CaseResult], bool]
    Since = Mapping[tuple[str, str], str]
    """By cell and case: the run since which it does what it does."""

NOTHING_OLDER: Since = MappingProxyType({})

SHOWN = 3
"""How many cases of a group are named."""

STYLES = {
    Transition.REGRESSED: "red",
    Transition.CHANGED: "yellow",
    Transition.FIXED: "green",
    Transition.APPEARED: "cyan",
    Transition.VANISHED: "magenta",
    Transition.PERSISTING: "dim",
}


def comparison_parts(
    comparison: Comparison, is_known: IsKnown, since: Since = NOTHING_OLDER
) -> Iterator[Text]:
    """Return the comparison as lines, one per cause; what persists and is known is only counted."""
    yield Text(f"{comparison.old} → {comparison.new}", style="bold")
    for note in comparison.notes:
        yield Text(f"  {note_line(note)}", style="yellow")
    shown = listed(comparison, is_known)
    for group in shown:
        yield _in_one_line(group_line(group, is_known), style_of(group))
        yield _in_one_line(f"    {named(group)}", "dim")
        if group.transition is Transition.CHANGED:
            yield _in_one_line(f"    was: {was(group)}", "dim")
        if run := since_run(group, since):
            yield _in_one_line(f"    since: {run}", "dim")
        if group.transition is Transition.REGRESSED:
            yield _in_one_line(f"    again: {reproduction(group.changes[0].result)}", "dim")
    if not shown:
        yield Text("nothing changed", style="green")
    yield Text(counts_line(comparison), style="bold")


def listed(comparison: Comparison, is_known: IsKnown) -> list[Group]:
    """Return the groups that a person has to see: what changed, and what persists unknown."""
    return [
        group
        for group in comparison.groups
        if group.flaky
        or group.transition in _CHANGES
        or (
            group.transition is Transition.PERSISTING
            and known_in(group, is_known) < len(group.changes)
        )
    ]


def since_run(group: Group, since: Since) -> str:
    """Return the run since which the first of a group's cases fails so; empty where none tells."""
    keys = [(change.result.cell, change.result.case) for change in group.changes]
    return min((since[key] for key in keys if key in since), default="")


def comparison_json(
    comparison: Comparison, is_known: IsKnown, since: Since = NOTHING_OLDER
) -> dict[str, Any]:
    """Return the comparison as one object, with every case of every group."""
    return {
        "old": comparison.old,
        "new": comparison.new,
        "regressed": sum(len(group.changes) for group in comparison.regressions),
        "counts": {one.lower(): comparison.counts[one] for one in Transition},
        "notes": [vars(note) for note in comparison.notes],
        "groups": [_group_json(group, is_known, since) for group in comparison.groups],
    }


def note_line(note: Note) -> str:
    """Return a note in one line."""
    where = " ".join(part for part in (note.cell, note.suite) if part)
    cases = f" ({counted(note.cases)})" if note.cases else ""
    text = " ".join(note.text.split())
    return f"{said(note.kind)} {where}: {text}{cases}"


def group_line(group: Group, is_known: IsKnown) -> str:
    """Return a group in one line: what, how many, where, and what it looks like."""
    return f"{group_title(group, is_known)}: {group.signature}"


def group_title(group: Group, is_known: IsKnown) -> str:
    """Return in one line what became of how many cases where."""
    known = known_in(group, is_known)
    marks = ", ".join(
        mark
        for mark in (
            "flaky" if group.flaky else "",
            str(group.context) if group.context is not Context.SAME else "",
            f"{'all' if known == len(group.changes) else known} known" if known else "",
        )
        if mark
    )
    what = f"{group.transition}{f' ({marks})' if marks else ''}"
    return f"{what} {counted(len(group.changes))} on {_cells(group)}"


def named(group: Group) -> str:
    """Return the first cases of a group by name, and how many more there are."""
    more = len(group.cases) - SHOWN
    names = ", ".join(group.cases[:SHOWN])
    return f"{names} and {more:,} more" if more > 0 else names


def was(group: Group) -> str:
    """Return what most cases of a group looked like before."""
    counts = Counter(signature(change.old) for change in group.changes if change.old)
    (most, _), *others = counts.most_common()
    return f"{most} and {len(others)} more" if others else str(most)


def counts_line(comparison: Comparison) -> str:
    """Return how many cases had which transition."""
    counts = [
        f"{comparison.counts[one]:,} {one.lower()}" for one in Transition if comparison.counts[one]
    ]
    return ", ".join(counts) or "nothing could be compared"


def known_in(group: Group, is_known: IsKnown) -> int:
    """Return how many cases of a group are as the baseline has them now."""
    return sum(change.new is not None and is_known(change.new) for change in group.changes)


def counted(cases: int) -> str:
    """Return a number of cases in words."""
    return "1 case" if cases == 1 else f"{cases:,} cases"


def said(kind: str) -> str:
    """Return the name of a closed set's member as a person says it."""
    return kind.lower().replace("_", " ")


def style_of(group: Group) -> str:
    """Return how a group is shown: what is flaky or asked otherwise is no alarm."""
    alarm = not group.flaky and group.context is not Context.SUITE
    return STYLES.get(group.transition, "") if alarm else "yellow"


_CHANGES = (
    Transition.REGRESSED,
    Transition.CHANGED,
    Transition.FIXED,
    Transition.APPEARED,
    Transition.VANISHED,
)


def _in_one_line(text: str, style: str) -> Text:
    return Text(text, style=style, no_wrap=True, overflow="ellipsis")


def _cells(group: Group) -> str:
    cells = group.cells
    return ", ".join(cells) if len(cells) <= SHOWN else f"{len(cells)} cells"


def _group_json(group: Group, is_known: IsKnown, since: Since) -> dict[str, Any]:
    of = group.signature
    return {
        "transition": group.transition,
        "context": group.context,
        "flaky": group.flaky,
        "signature": {"outcome": of.outcome, "code": of.code, "line": of.line},
        "known": known_in(group, is_known),
        "since": since_run(group, since),
        "cases": [_change_json(change) for change in group.changes],
    }


def _change_json(change: Change) -> dict[str, Any]:
    return {
        "cell": change.result.cell,
        "case": change.result.case,
        "old": change.old and change.old.outcome,
        "new": change.new and change.new.outcome,
    }
