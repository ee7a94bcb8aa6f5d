"""The history of a case in a picture and in words."""

from __future__ import annotations

import pytest

from harness.report.html.strips import strip
from harness.wire.outcomes import Outcome


def runs(count: int) -> list[str]:
    """Return the names of some runs."""
    return [f"run-{number}" for number in range(count)]


def test_neighbouring_runs_that_are_alike_are_one_span() -> None:
    """A strip has a span for each change, and one for runs without a result."""
    found = strip("PP.FF", runs(5))

    assert [(span.outcome, span.start, span.count) for span in found.spans] == [
        (Outcome.PASS, 0, 2),
        (None, 2, 1),
        (Outcome.FAIL, 3, 2),
    ]


@pytest.mark.parametrize(
    ("letters", "said"),
    [
        ("PPP", "pass in all 3 runs"),
        (".PP", "pass in its 2 runs"),
        ("PPF", "pass in 2 runs, then fail since run-2"),
        ("PFPFP", "4 changes, pass since run-4"),
        ("P.P", "pass in its 2 runs"),
        ("..", "in no stored run"),
    ],
)
def test_the_words_say_what_the_picture_shows(letters: str, said: str) -> None:
    """Who does not see the strip reads since when a case is as it is, or that it goes both ways."""
    found = strip(letters, runs(len(letters)))

    assert found.said == said
