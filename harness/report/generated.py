"""What generated cases showed, for a person, for a program and as a page."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from harness.triage.generated.changes import Judgement, Turn
from harness.triage.generated.disagreements import SAME_ON_CPU

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.triage.generated.changes import Point
    from harness.triage.generated.disagreements import Cause

MOST_OPERATORS = 4
"""Operators that a line names."""

MOST_SAID = 160


def point_lines(point: Point) -> list[str]:
    """Return a change point in a line, with what stands behind it below."""
    smallest = point.smallest
    undone = f"; answers as before from {smallest.undone} on" if smallest.undone else ""
    return [
        f"{point.judgement} {_headline(point)}",
        f"    where {_where(str(point.pattern), point.pattern.others)}",
        f"    {smallest.votes}{undone}",
        f"    generated/{smallest.case.description}: {_short(smallest.text)}",
    ]


def cause_lines(cause: Cause) -> list[str]:
    """Return a cause in a line, with what stands behind it below."""
    smallest = cause.smallest
    count = _how_many(len(cause.findings), cause.of)
    is_same_on_cpu = all(SAME_ON_CPU in of for of in cause.about)
    return [
        f"{cause.oracle}: {cause.operator}: {cause.sign} {count}",
        f"    where {_where(str(cause.pattern), cause.pattern.others)}",
        *([f"    {smallest.vote}"] if smallest.vote.parties else []),
        *([f"    {SAME_ON_CPU}"] if is_same_on_cpu else []),
        f"    generated/{smallest.case.description}: {_short(smallest.text)}",
    ]


def point_json(point: Point) -> dict[str, Any]:
    """Return a change point for a program."""
    smallest = point.smallest
    return {
        "before": point.before,
        "after": point.after,
        "operators": list(point.operators),
        "turn": str(point.turn),
        "judgement": str(point.judgement),
        "sign": point.sign,
        "pattern": list(point.pattern.conditions),
        "others_like_it": point.pattern.others,
        "cases": [change.case.description for change in point.changes],
        "of": point.of,
        "smallest": smallest.case.description,
        "text": smallest.text,
        "votes": smallest.votes,
        "undone": smallest.undone,
    }


def cause_json(cause: Cause) -> dict[str, Any]:
    """Return a cause for a program."""
    smallest = cause.smallest
    return {
        "oracle": str(cause.oracle),
        "operator": cause.operator,
        "sign": cause.sign,
        "pattern": list(cause.pattern.conditions),
        "others_like_it": cause.pattern.others,
        "cases": [one.case.description for one in cause.findings],
        "of": cause.of,
        "smallest": smallest.case.description,
        "text": smallest.text,
        "vote": [list(party) for party in smallest.vote.parties],
        "dissenter": smallest.vote.dissenter,
        "known": cause.known,
    }


def changes_page(points: Sequence[Point], command: str, about: str) -> str:
    """Return the change points as a page in Markdown: counts first, then boundary by boundary."""
    lines = [
        "# Behaviour changes, by measurement",
        "",
        f"Made by `{command}`; not written by hand.",
        "",
        about,
        "One line for each cause, with its smallest case; a change within tolerance is none.",
        "",
        "| step | " + " | ".join(turn for turn in Turn) + " | worse | better |",
        "| --- |" + " ---: |" * (len(Turn) + 2),
        *(_counts_row(step, those) for step, those in by_step(points)),
    ]
    for (before, after), those in by_step(points):
        lines += ["", f"## {before} → {after}", ""]
        for point in those:
            lines += _page_item(point)
    return "\n".join([*lines, ""])


def _page_item(point: Point) -> list[str]:
    smallest = point.smallest
    undone = f" Undone in {smallest.undone}." if smallest.undone else ""
    pattern = _where(str(point.pattern), point.pattern.others)
    said = f"{_headline(point)}, where {pattern}. {smallest.votes}.{undone}"
    return [f"- **{point.judgement}** {said} `generated/{smallest.case.description}`"]


def _headline(point: Point) -> str:
    count = _how_many(len(point.changes), point.of)
    return f"{_operators(point.operators)} {point.turn}: {point.sign} {count}"


def by_step(points: Iterable[Point]) -> list[tuple[tuple[str, str], list[Point]]]:
    """Return the change points by the two releases that they lie between, in their order."""
    found: dict[tuple[str, str], list[Point]] = {}
    for point in points:
        found.setdefault((point.before, point.after), []).append(point)
    return list(found.items())


def _counts_row(step: tuple[str, str], points: Sequence[Point]) -> str:
    turns = Counter(point.turn for point in points)
    judged = Counter(point.judgement for point in points)
    counts = [turns[turn] for turn in Turn]
    counts += [judged[Judgement.WORSE], judged[Judgement.BETTER]]
    return f"| {' → '.join(step)} | " + " | ".join(str(n or "·") for n in counts) + " |"


def _operators(names: Sequence[str]) -> str:
    if len(names) <= MOST_OPERATORS:
        return ", ".join(names)
    return f"{', '.join(names[: MOST_OPERATORS - 1])} and {len(names) - MOST_OPERATORS + 1} more"


def _how_many(some: int, of: int) -> str:
    return f"({some:,} of {of:,} cases)"


def _where(told: str, others: int) -> str:
    return f"{told} (and {others:,} others that did not)" if others else told


def _short(text: str) -> str:
    return text if len(text) <= MOST_SAID else f"{text[: MOST_SAID - 1]}…"
