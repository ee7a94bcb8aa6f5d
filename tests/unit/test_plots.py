"""Pictures are numbers that can be checked before anything is drawn."""

from __future__ import annotations

from collections import Counter

import pytest

from harness.report.html.plots import HEIGHT, WIDTH, course, histogram, seconds, stack, strip_line
from harness.wire.outcomes import Outcome


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.00001, "10 µs"), (0.0123, "12.3 ms"), (0.5, "500 ms"), (2.5, "2.5 s"), (144.2, "144 s")],
)
def test_a_duration_is_told_in_the_unit_that_fits(value: float, said: str) -> None:
    """Nobody counts zeros."""
    assert seconds(value) == said


def test_a_histogram_counts_every_duration_once_between_powers_of_ten() -> None:
    """The axis begins and ends with a power of ten, and the highest bar fills the picture."""
    found = histogram([0.001, 0.0011, 0.02, 0.0])

    assert [box.about.split()[0] for box in found.boxes] == ["1", "2", "1"]
    assert max(box.height for box in found.boxes) == HEIGHT
    assert next(text for _, text in found.labels) == "1 µs"
    assert [text for _, text in found.labels][-1] == "100 ms"
    assert found.labels[-1][0] == WIDTH


def test_a_course_ends_where_a_run_has_nothing() -> None:
    """A gap is not drawn over, and a run that stands alone is a dot."""
    found = course([1.0, 2.0, None, 4.0, None])

    assert found is not None
    assert len(found.lines) == 1
    assert found.dots == ((224.0, 0.0),)
    assert (found.first, found.last, found.most, found.known) == (1.0, 4.0, 4.0, 3)


def test_a_course_of_nothing_is_none() -> None:
    """A cell that was in no stored run has no picture."""
    assert course([None, None]) is None


def test_a_stack_puts_what_did_not_pass_on_each_other() -> None:
    """Neighbouring runs that are alike share a box; those without the cell are left free."""
    bad = Counter({Outcome.PASS: 90, Outcome.FAIL: 2, Outcome.CRASH: 1})

    found = stack([bad, bad, None, Counter({Outcome.PASS: 93, Outcome.FAIL: 6})])

    assert found.most == 6
    assert [(box.kind, box.x, box.width, box.height) for box in found.boxes] == [
        ("fail", 0.0, 160.0, 32.0),
        ("crash", 0.0, 160.0, 16.0),
        ("fail", 240.0, 80.0, 96.0),
    ]


def test_the_line_of_times_needs_three_runs() -> None:
    """Two points are a change and no course; a run without the case has no point."""
    assert strip_line([0.1, 0.2]) == ""
    assert strip_line([0.1, None, 0.2, 0.4]) == "0.5,34 2.5,24 3.5,3"
