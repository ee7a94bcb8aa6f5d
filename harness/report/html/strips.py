"""The history of one case on one cell: spans of runs in which it came to the same."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from harness.report.html.marks import LETTERS, MARKS, word
from harness.store.archive import NOTHING
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.report.html.marks import Mark

MOST_SAID = 4
"""Spans that the sentence under a strip tells; more than that is a flake, and is said so."""


@dataclass(frozen=True, kw_only=True)
class Span:
    """Neighbouring runs with one outcome; None where they have no result."""

    outcome: Outcome | None
    start: int
    count: int

    @property
    def mark(self) -> Mark | None:
        """How the outcome is written."""
        return None if self.outcome is None else MARKS[self.outcome]


@dataclass(frozen=True, kw_only=True)
class Strip:
    """What a case came to in each of the stored runs, oldest first."""

    spans: tuple[Span, ...]
    runs: int
    said: str
    """The same in words, for who does not see the picture."""


def strip(letters: str, runs: Sequence[str]) -> Strip:
    """Return the strip of a case that came to `letters` in `runs`, a letter for each run."""
    spans = tuple(_spans(letters))
    return Strip(spans=spans, runs=len(letters), said=_said(spans, runs))


def _spans(letters: str) -> list[Span]:
    found = []
    start = 0
    for letter, same in groupby(letters):
        count = len(list(same))
        outcome = None if letter == NOTHING else LETTERS[letter]
        found.append(Span(outcome=outcome, start=start, count=count))
        start += count
    return found


def _said(spans: Sequence[Span], runs: Sequence[str]) -> str:
    seen = [span for span in spans if span.outcome is not None]
    if not seen:
        return "in no stored run"
    last = seen[-1]
    now = word(last.outcome) if last.outcome is not None else ""
    if len(seen) == 1:
        return f"{now} in {'all' if last.count == len(runs) else 'its'} {_runs(last.count)}"
    if len(seen) > MOST_SAID:
        return f"{len(seen) - 1} changes; {now} since {runs[last.start]}"
    before = ", ".join(f"{word(span.outcome)} × {span.count}" for span in seen[:-1] if span.outcome)
    return f"{before}, then {now} since {runs[last.start]}"


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count} runs"
