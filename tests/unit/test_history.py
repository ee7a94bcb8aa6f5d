"""A case's history says when it changed, and whether it stepped or goes both ways."""

from __future__ import annotations

import pytest

from harness.triage.history import Course, by_release, change_points, histories
from tests.unit.made_runs import CPU, sightings

OLDER = "cpu-1.31.1-py311"


@pytest.mark.parametrize(
    ("letters", "course", "changed_at"),
    [
        ("PPPPPPPP", Course.STEADY, []),
        ("FFFFFFFF", Course.STEADY, []),
        ("PPPPPFFF", Course.STEP, [5]),
        ("PPPFFFFP", Course.STEP, [3, 7]),
        ("PPFFPPFF", Course.FLAKE, [2, 4, 6]),
        ("PPPPFPPP", Course.FLAKE, [4, 5]),
        ("PPPPFCPP", Course.FLAKE, [4, 5, 6]),
        ("PPPP?", Course.FLAKE, [4]),
        ("PPPPPPPF", Course.STEP, [7]),
        ("PPNNFFFF", Course.STEP, [4]),
        ("PPNNPPPP", Course.STEADY, []),
        ("NNNN", Course.STEADY, []),
    ],
)
def test_a_flake_goes_both_ways_and_a_step_does_not(
    letters: str, course: Course, changed_at: list[int]
) -> None:
    """A step stays; one night unlike those around it, or three changes, are a flake."""
    seen = sightings(letters)

    (found,) = histories(seen)

    assert found.course is course
    assert [change.after.run for change in found.changes] == [f"night-{at}" for at in changed_at]


def test_what_another_build_explains_is_no_flake() -> None:
    """Back and forth with the release, or with the suite's version, is a step each time."""
    builds = [CPU, OLDER, CPU, OLDER, CPU]
    by_build = sightings("PFPFP", cells=builds)
    by_suite = sightings("PFPFP", versions="12121")

    (first,), (second,) = histories(by_build), histories(by_suite)

    assert (first.course, second.course) == (Course.STEP, Course.STEP)
    assert all(change.build_differs for change in first.changes)
    assert all(change.suite_differs for change in second.changes)


def test_since_when_is_the_first_sight_of_what_it_does_now() -> None:
    """The newest change point says since when; without one, the first night that tested it."""
    stepped, steady, unknown = sightings("PPFFF"), sightings("NPPP"), sightings("NN")

    found = [history.since for one in (stepped, steady, unknown) for history in histories(one)]

    assert [since and since.run for since in found] == ["night-2", "night-1", None]


def test_releases_are_compared_in_their_order() -> None:
    """Whichever was run first, neighbours are neighbouring releases, each as it was seen last."""
    names = [f"cpu-{release}-py311" for release in ("1.24.4", "1.9.0", "1.10.0", "1.24.4")]
    seen = sightings("FPPC", cells=names)

    found = by_release(seen)
    (change,) = change_points(found)

    assert [one.release for one in found] == ["1.9.0", "1.10.0", "1.24.4"]
    assert (change.before.release, change.after.release) == ("1.10.0", "1.24.4")
    assert change.after.run == "night-3"
