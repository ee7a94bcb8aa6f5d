"""The history of one case on one cell: spans of runs in which it came to the same."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from harness.report.html.marks import LETTERS, MARKS, word
from harness.store.archive import NOTHING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.report.html.marks import Mark
    from harness.wire.outcomes import Outcome

RUN_WIDTH, WIDTH = 12, 352
"""Pixels of one run and of the whole strip, at most."""

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

    @property
    def width(self) -> int:
        """How wide the picture is, in pixels: few runs are not drawn out."""
        return min(self.runs * RUN_WIDTH, WIDTH)


def strip(letters: str, runs: Sequence[str]) -> Strip:
    """Return the strip of a case that came to `letters` in `runs`, a letter for each run."""
    spans = tuple(_spans(letters))
    return Strip(spans=spans, runs=len(letters), said=_said(letters, runs))


def _spans(letters: str) -> list[Span]:
    found = []
    start = 0
    for letter, same in groupby(letters):
        count = len(list(same))
        outcome = None if letter == NOTHING else LETTERS[letter]
        found.append(Span(outcome=outcome, start=start, count=count))
        start += count
    return found


def _said(letters: str, runs: Sequence[str]) -> str:
    seen = [(letter, run) for letter, run in zip(letters, runs, strict=True) if letter != NOTHING]
    if not seen:
        return "in no stored run"
    spans = [list(alike) for _, alike in groupby(seen, key=lambda one: one[0])]
    words = [word(LETTERS[span[0][0]]) for span in spans]
    if len(spans) == 1:
        whole = "all" if len(seen) == len(runs) else "its"
        return f"{words[0]} in {whole} {_runs(len(seen))}"
    since = f"{words[-1]} since {spans[-1][0][1]}"
    if len(spans) > MOST_SAID:
        return f"{len(spans) - 1} changes, {since}"
    before = ", ".join(
        f"{said} in {_runs(len(span))}" for said, span in zip(words[:-1], spans[:-1], strict=True)
    )
    return f"{before}, then {since}"


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count} runs"
