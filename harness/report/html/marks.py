"""How outcomes look: a letter, a glyph and a word each, so that colour is never alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.store.archive import LETTERS as LETTER_OF
from harness.verdicts import Verdict
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Mark:
    """How one outcome is written where there is little room."""

    outcome: Outcome
    glyph: str
    """One character, for the eye."""
    about: str
    """What it means, in the legend."""

    @property
    def letter(self) -> str:
        """One character, in data and in history."""
        return LETTER_OF[self.outcome]

    @property
    def word(self) -> str:
        """The outcome as it is read."""
        return word(self.outcome)


def word(value: Outcome | Verdict) -> str:
    """Return an outcome or a verdict as it is read."""
    return value.lower().replace("_", " ")


MARKS: Mapping[Outcome, Mark] = {
    mark.outcome: mark
    for mark in (
        Mark(outcome=Outcome.PASS, glyph="✓", about="the right answer"),
        Mark(outcome=Outcome.FAIL, glyph="F", about="a wrong answer"),
        Mark(
            outcome=Outcome.FALLBACK,
            glyph="↓",
            about="right, but the asked execution provider ran none of it",
        ),
        Mark(outcome=Outcome.ERROR, glyph="E", about="refused with an error"),
        Mark(
            outcome=Outcome.UNSUPPORTED,
            glyph="-",
            about="the build says that it lacks this",
        ),
        Mark(outcome=Outcome.CRASH, glyph="C", about="the process died"),
        Mark(outcome=Outcome.TIMEOUT, glyph="T", about="no answer in time"),
        Mark(
            outcome=Outcome.NOT_TESTED,
            glyph="·",
            about="not asked: the host lacks something",
        ),
        Mark(
            outcome=Outcome.HARNESS_FAULT,
            glyph="?",
            about="our own bug, which says nothing of the build",
        ),
    )
}

LETTERS: Mapping[str, Outcome] = {mark.letter: mark.outcome for mark in MARKS.values()}

VERDICT_LETTERS: Mapping[Verdict, str] = {
    Verdict.EXPECTED: "e",
    Verdict.KNOWN_FAILURE: "k",
    Verdict.UNEXPECTED_FAILURE: "u",
    Verdict.UNEXPECTED_PASS: "p",
    Verdict.FLAKY: "f",
    Verdict.POISONED: "o",
    Verdict.NOT_TESTED: "n",
    Verdict.INCONCLUSIVE: "i",
}
"""One character for each verdict, in the data that search loads."""
