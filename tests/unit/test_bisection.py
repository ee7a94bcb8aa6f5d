"""The next release to ask, and the verdict, over histories that are written out beforehand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.triage.bisection import (
    MOST_UNSURE,
    Bisection,
    Change,
    Seen,
    Skipped,
    Turn,
    alike,
    last_of_each_minor,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.triage.bisection import Answer

LONGEST = 8
"""Questions that a change in 36 releases may take."""


def history(letters: str, **options: object) -> tuple[Bisection, list[str]]:
    """Return what is known in the end, and the questions, where each release does its letter.

    P passes, F fails, C crashes, U is unsupported, N cannot be asked, ? goes both ways.
    """
    points = tuple(f"1.{at}" for at in range(len(letters)))
    does = dict(zip(points, letters, strict=True))
    state = Bisection(points=points, **{"landmarks": frozenset(points[::4]), **options})  # type: ignore[arg-type]
    asked: list[str] = []
    while (point := state.next_question()) is not None:
        letter = does[point]
        if letter == "?":
            letter = "PF"[asked.count(point) % 2]
        asked.append(point)
        state = state.told(
            point,
            Skipped(reason="BROKEN")
            if letter == "N"
            else Seen(
                kind=letter,
                good=None if letter == "U" else letter == "P",
                carried_out=letter != "U",
            ),
        )
    return state, asked


def at(changes: Iterable[Change]) -> list[tuple[str, str, str]]:
    """Return the neighbours and the turn of each change."""
    return [(one.before, one.after, str(one.turn)) for one in changes]


@pytest.mark.parametrize("first_bad", range(1, 36))
def test_one_change_is_found_within_eight_releases(first_bad: int) -> None:
    """Wherever among 36 releases it lies, both of its neighbours are named."""
    letters = "P" * first_bad + "F" * (36 - first_bad)

    state, asked = history(letters)

    assert at(state.changes) == [(f"1.{first_bad - 1}", f"1.{first_bad}", "BROKE")]
    assert len(set(asked)) <= LONGEST
    assert len(asked) == len(set(asked)) + 2


@pytest.mark.parametrize("first_good", [1, 17, 35])
def test_a_fix_is_found_as_a_fault_is(first_good: int) -> None:
    """From bad to good is a change too, called mended."""
    state, asked = history("F" * first_good + "P" * (36 - first_good), repeats=False)

    assert at(state.changes) == [(f"1.{first_good - 1}", f"1.{first_good}", "MENDED")]
    assert len(asked) <= LONGEST


@pytest.mark.parametrize(
    ("letters", "changes"),
    [
        ("PPPPPFFFFFFPPPPP", [("1.4", "1.5", "BROKE"), ("1.10", "1.11", "MENDED")]),
        (
            "PPPFFFFFFCCCCCCPPP",
            [("1.2", "1.3", "BROKE"), ("1.8", "1.9", "CHANGED"), ("1.14", "1.15", "MENDED")],
        ),
        ("UUUUUFFFFFFFFFFFF", [("1.4", "1.5", "CHANGED")]),
        (
            "UUUUPPPPPPFFFFFPPPP",
            [("1.3", "1.4", "CHANGED"), ("1.9", "1.10", "BROKE"), ("1.14", "1.15", "MENDED")],
        ),
    ],
)
def test_what_changes_and_changes_back_is_found(
    letters: str, changes: list[tuple[str, str, str]]
) -> None:
    """Where the ends of what is supported are alike, landmarks are asked, and then refined."""
    state, asked = history(letters)

    assert at(state.changes) == changes
    assert len(set(asked)) < len(letters)


def test_an_odd_number_of_changes_takes_a_thorough_search() -> None:
    """Ends that differ show one change; all landmarks are asked on demand, and show the others."""
    letters = "PPPPFFFFFFPPPPPPPPPPFFFF"

    quick, _ = history(letters)
    thorough, _ = history(letters, thorough=True)

    assert len(quick.changes) == 1
    assert at(thorough.changes) == [
        ("1.3", "1.4", "BROKE"),
        ("1.9", "1.10", "MENDED"),
        ("1.19", "1.20", "BROKE"),
    ]


def test_nothing_is_found_where_nothing_changes() -> None:
    """The ends and the landmarks are asked once each, and no more."""
    state, asked = history("F" * 16)

    assert state.changes == ()
    assert asked == ["1.0", "1.15", "1.4", "1.8", "1.12"]


@pytest.mark.parametrize(
    ("letters", "before", "after", "skipped"),
    [
        ("PPPPPNFFFF", "1.4", "1.6", ("1.5",)),
        ("PPPPNNNNNNFF", "1.3", "1.10", ("1.4", "1.5", "1.6", "1.7", "1.8", "1.9")),
        ("NNPPPPFFFNNN", "1.5", "1.6", ()),
        ("NPNPNFNFN", "1.3", "1.5", ("1.4",)),
    ],
)
def test_what_cannot_be_asked_is_stepped_around(
    letters: str, before: str, after: str, skipped: tuple[str, ...]
) -> None:
    """At the edges and in the middle: it is never a change, and the gap that it leaves is told."""
    state, _ = history(letters)

    (change,) = state.changes
    assert (change.before, change.after, change.skipped) == (before, after, skipped)


def test_where_all_are_skipped_nothing_is_said() -> None:
    """Each was asked, each has its reason, and there is no change."""
    state, asked = history("NNNN")

    assert state.changes == ()
    assert state.seen == {}
    assert len(state.skipped) == len(asked) == 4


def test_one_that_works_alone_is_no_change() -> None:
    """With a single answer nothing differs from anything."""
    state, _ = history("NNFNN")

    assert state.changes == ()
    assert list(state.seen) == ["1.2"]


@pytest.mark.parametrize("letters", ["PPPP?FFFF", "PP?????FF"])
def test_a_flake_ends_the_search(letters: str) -> None:
    """Both sides of a change are asked twice: one that answers otherwise is no change."""
    state, asked = history(letters)

    assert state.flaky
    assert state.next_question() is None
    assert len(asked) <= len(letters) + 2


def test_who_calls_an_end_good_says_what_is_right() -> None:
    """Two ways to fail: the one of the good end is right, that of the bad end wrong."""
    state, _ = history("CCCCFFFF", good="1.7", bad="1.0")

    assert at(state.changes) == [("1.3", "1.4", "MENDED")]


def test_ends_that_cannot_be_told_apart_end_the_search() -> None:
    """Where measuring says nothing of the ends, no middle is asked."""
    state = Bisection(points=("1.0", "1.1", "1.2"))

    state = state.told("1.0", Seen(kind="as 1.0"))
    state = state.told("1.2", Skipped(reason="0.9 to 1.2 times", unsure=True))

    assert state.undecided
    assert state.next_question() is None


def test_a_middle_that_cannot_be_told_is_stepped_around() -> None:
    """It leaves a gap, as one that cannot be asked does."""
    state = Bisection(points=("1.0", "1.1", "1.2"), repeats=False)

    state = state.told("1.0", Seen(kind="as 1.0")).told("1.2", Seen(kind="as 1.2"))
    state = state.told("1.1", Skipped(reason="0.9 to 1.2 times", unsure=True))

    assert not state.undecided
    assert state.next_question() is None
    assert [(one.skipped, one.turn) for one in state.changes] == [(("1.1",), Turn.CHANGED)]


def test_a_stretch_of_noise_is_not_asked_to_its_end() -> None:
    """After some that cannot be told the others are left, and named."""
    points = tuple(f"1.{at}" for at in range(9))
    state = Bisection(points=points, repeats=False)
    state = state.told("1.0", Seen(kind="as 1.0")).told("1.8", Seen(kind="as 1.8"))

    while (point := state.next_question()) is not None:
        state = state.told(point, Skipped(reason="0.9 to 1.2 times", unsure=True))

    (change,) = state.changes
    assert len(change.skipped) == MOST_UNSURE
    assert len(change.unasked) == len(points) - 2 - MOST_UNSURE


def test_builds_are_told_by_what_they_do() -> None:
    """Those that do the same stand together, most first; one that says nothing stands nowhere."""
    answers: dict[str, Answer] = {
        "cuda": Seen(kind="FAIL"),
        "cpu": Seen(kind="PASS"),
        "rocm": Skipped(reason="BROKEN"),
        "openvino": Seen(kind="PASS"),
    }

    found = alike(answers)

    assert found == {"PASS": ("cpu", "openvino"), "FAIL": ("cuda",)}


def test_the_landmarks_are_the_last_of_each_minor() -> None:
    """Patch releases, post releases and candidates count as their minor."""
    releases = ("1.22.0", "1.22.2", "1.22.2.post3", "1.24.0.dev1", "1.24.1", "1.24.4", "1.25.0")

    found = last_of_each_minor(releases)

    assert found == {"1.22.2.post3", "1.24.4", "1.25.0"}
