"""Every case gets its transition, one cause gets one line, and what is no regression is apart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.results import CellState
from harness.triage.compare import Context, NoteKind, Transition, compare
from harness.wire.outcomes import Outcome
from tests.unit.made_runs import CPU, a_cell, a_result, a_run

OLDER, CUDA = "cpu-1.31.1-py311", "cuda-1.31.1-py311"


@pytest.mark.parametrize(
    ("old", "new", "transition"),
    [
        (Outcome.PASS, Outcome.PASS, Transition.UNCHANGED),
        (Outcome.PASS, Outcome.CRASH, Transition.REGRESSED),
        (Outcome.PASS, Outcome.UNSUPPORTED, Transition.REGRESSED),
        (Outcome.PASS, Outcome.FALLBACK, Transition.REGRESSED),
        (Outcome.TIMEOUT, Outcome.PASS, Transition.FIXED),
        (Outcome.FAIL, Outcome.FAIL, Transition.PERSISTING),
        (Outcome.FAIL, Outcome.CRASH, Transition.CHANGED),
        (None, Outcome.FAIL, Transition.APPEARED),
        (Outcome.FAIL, None, Transition.VANISHED),
    ],
)
def test_a_case_gets_its_transition(
    old: Outcome | None, new: Outcome | None, transition: Transition
) -> None:
    """What became of a case follows from its two outcomes, one of which may be missing."""
    other = a_result("onnx/other")
    before = a_run(other, *([a_result("onnx/a", old)] if old else []))
    after = a_run(other, *([a_result("onnx/a", new)] if new else []))

    found = compare(before, after)

    counts = {one: count for one, count in found.counts.items() if one is not Transition.UNCHANGED}
    assert counts == ({} if transition is Transition.UNCHANGED else {transition: 1})
    assert [note.kind for note in found.notes] == []


def test_another_code_is_another_failure() -> None:
    """A case that fails with another status code has changed, though its outcome has not."""
    before = a_run(a_result("onnx/a", Outcome.ERROR, status="FAIL", text="x 1"))
    same = a_run(a_result("onnx/a", Outcome.ERROR, status="FAIL", text="x 2"))
    after = a_run(a_result("onnx/a", Outcome.ERROR, status="INVALID_GRAPH", text="x 2"))

    kept, changed = compare(before, same), compare(before, after)

    assert set(kept.counts) == {Transition.PERSISTING}
    assert set(changed.counts) == {Transition.CHANGED}


def test_one_cause_is_one_group_across_cells() -> None:
    """Cases that fail alike are one group, wherever they fail; what fails otherwise is another."""
    python = "cpu-1.32.0-py312"
    cases = [a_result(f"onnx/{n}", cell=cell) for n in "abc" for cell in (CPU, python)]
    broken = [replace(one, outcome=Outcome.CRASH) for one in cases[:4]]
    odd = [a_result("onnx/c", Outcome.FAIL, text="wrong"), cases[5]]

    found = compare(a_run(*cases), a_run(*broken, *odd))

    crash, wrong = found.regressions
    assert (crash.signature.outcome, crash.cases) == (Outcome.CRASH, ("onnx/a", "onnx/b"))
    assert crash.cells == (CPU, python)
    assert (wrong.cases, wrong.cells) == (("onnx/c",), (CPU,))


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        (CellState.READY, CellState.BROKEN, NoteKind.OUTAGE),
        (CellState.BROKEN, CellState.BROKEN, NoteKind.STILL_OUT),
        (CellState.BROKEN, CellState.READY, NoteKind.BACK),
        (CellState.READY, CellState.NO_DEVICE, NoteKind.OUTAGE),
    ],
)
def test_an_outage_is_no_regression(old: CellState, new: CellState, kind: NoteKind) -> None:
    """What a cell that is away did not carry out is told in one note, and nothing vanished."""
    cases = [a_result(f"onnx/{n}") for n in "abc"]
    untested = [replace(one, outcome=Outcome.NOT_TESTED) for one in cases]
    results = {
        CellState.READY: cases,
        CellState.BROKEN: [],
        CellState.NO_DEVICE: untested,
    }
    before, after = (a_run(*results[state], cells=[a_cell(CPU, state)]) for state in (old, new))

    found = compare(before, after)

    (note,) = found.notes
    assert (note.kind, note.cell) == (kind, CPU)
    assert "gone" in note.text
    assert note.cases == (0 if kind is NoteKind.STILL_OUT else 3)
    assert not found.counts


def test_without_its_device_a_cell_is_compared_where_it_needs_none() -> None:
    """A regression in a case that needs no device shows during an outage of the device."""
    before = a_run(a_result("onnx/a"), a_result("onnx/b"))
    after = a_run(
        a_result("onnx/a", Outcome.NOT_TESTED),
        a_result("onnx/b", Outcome.CRASH),
        cells=[a_cell(CPU, CellState.NO_DEVICE)],
    )

    found = compare(before, after)

    assert found.counts == {Transition.REGRESSED: 1}
    assert [note.kind for note in found.notes] == [NoteKind.OUTAGE]


def test_another_release_in_the_cells_place_is_said() -> None:
    """A newer release is compared with the older one, and its regressions say why."""
    before = a_run(a_result("onnx/a", cell=OLDER))
    after = a_run(a_result("onnx/a", Outcome.FAIL))

    found = compare(before, after)

    (group,) = found.regressions
    assert group.context is Context.BUILD
    assert [(note.kind, note.cell) for note in found.notes] == [(NoteKind.BUILD, CPU)]


def test_each_release_is_compared_with_itself_first() -> None:
    """With two releases on each night, the one that both have is not taken for the newer one."""
    newer = "cpu-1.33.0-py311"
    before = a_run(a_result("onnx/a", cell=OLDER), a_result("onnx/a", Outcome.FAIL))
    after = a_run(a_result("onnx/a", Outcome.FAIL), a_result("onnx/a", cell=newer))

    found = compare(before, after)

    assert found.counts == {Transition.PERSISTING: 1, Transition.UNCHANGED: 1}


def test_one_cell_is_compared_with_one_of_another_variant() -> None:
    """Two runs of one cell each are compared, whatever their variants; more are not guessed at."""
    cpu, cuda = a_result("onnx/a"), a_result("onnx/a", cell=CUDA)

    alone = compare(a_run(cpu), a_run(cuda))
    among = compare(a_run(cpu), a_run(cpu, cuda))

    assert alone.counts == {Transition.UNCHANGED: 1}
    assert [(note.kind, note.cell) for note in among.notes] == [(NoteKind.CELL_ADDED, CUDA)]


def test_another_version_of_a_suite_is_no_regression() -> None:
    """What a suite that asks something else finds is told apart from what the build broke."""
    before = a_run(a_result("onnx/a"), a_result("models/a"), suites={"onnx": "1"})
    after = a_run(
        a_result("onnx/a", Outcome.FAIL), a_result("models/a", Outcome.FAIL), suites={"onnx": "2"}
    )

    found = compare(before, after)

    assert [group.cases for group in found.regressions] == [("models/a",)]
    assert {group.context for group in found.groups} == {Context.SAME, Context.SUITE}
    (note,) = found.notes
    assert (note.kind, note.suite, note.text) == (NoteKind.SUITE_VERSION, "onnx", "1 → 2")


def test_a_renamed_suite_is_known_by_its_cases() -> None:
    """Under a new name each case is compared with itself; a really new suite is not."""
    before = a_run(*(a_result(f"forms/{n}") for n in range(10)))
    after = a_run(
        *(a_result(f"shapes/{n}", Outcome.FAIL if n == 3 else Outcome.PASS) for n in range(10)),
        a_result("leaks/a"),
    )

    found = compare(before, after)

    assert found.counts == {Transition.UNCHANGED: 9, Transition.REGRESSED: 1}
    assert {(note.kind, note.suite) for note in found.notes} == {
        (NoteKind.SUITE_RENAMED, "shapes"),
        (NoteKind.SUITE_ADDED, "leaks"),
    }


def test_a_run_that_was_cut_off_made_nothing_vanish() -> None:
    """Cases that were selected and have no result yet are no vanished ones."""
    before = a_run(a_result("onnx/a"), a_result("onnx/b"))
    after = a_run(a_result("onnx/a"))
    after.selected[CPU, "onnx"] = 2

    found = compare(before, after)

    assert found.counts == {Transition.UNCHANGED: 1}
    assert [(note.kind, note.cases) for note in found.notes] == [(NoteKind.CUT_OFF, 1)]


def test_a_suite_that_a_run_has_not_come_to_is_not_gone() -> None:
    """A run killed before a suite's first case says that the suite was to come."""
    before = a_run(a_result("onnx/a"), a_result("leaks/b"))
    after = a_run(a_result("onnx/a"))
    after.selected[CPU, "leaks"] = 1

    found = compare(before, after)

    assert [(note.kind, note.suite) for note in found.notes] == [(NoteKind.CUT_OFF, "leaks")]


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        (Outcome.PASS, Outcome.NOT_TESTED, NoteKind.NOT_TESTED),
        (Outcome.NOT_TESTED, Outcome.FAIL, NoteKind.TESTED_AGAIN),
        (Outcome.PASS, Outcome.HARNESS_FAULT, NoteKind.HARNESS_FAULT),
        (Outcome.HARNESS_FAULT, Outcome.FAIL, NoteKind.TESTED_AGAIN),
    ],
)
def test_what_says_nothing_of_the_build_is_apart(
    old: Outcome, new: Outcome, kind: NoteKind
) -> None:
    """A host that lacks something and a fault of our own are no regressions, and no fixes."""
    before = a_run(a_result("onnx/a", old, text="no locale"))
    after = a_run(a_result("onnx/a", new, text="no locale"))

    found = compare(before, after)

    assert not found.counts
    assert [(note.kind, note.cases) for note in found.notes] == [(kind, 1)]


def test_a_flake_is_no_regression() -> None:
    """A case whose second try differed, or that its history calls flaky, is told apart."""
    before = a_run(a_result("onnx/a"), a_result("onnx/b"), a_result("onnx/c"))
    after = a_run(
        a_result("onnx/a", Outcome.CRASH, again=Outcome.PASS),
        a_result("onnx/b", Outcome.CRASH, again=Outcome.CRASH),
        a_result("onnx/c", Outcome.CRASH, again=Outcome.CRASH),
    )

    found = compare(before, after, flaky={(CPU, "onnx/b")})

    assert [group.cases for group in found.regressions] == [("onnx/c",)]
    assert [group.cases for group in found.groups if group.flaky] == [("onnx/a", "onnx/b")]


def test_what_hurts_most_comes_first() -> None:
    """Regressions come before changes and these before fixes; the larger group goes first."""
    outcomes = {"a": (Outcome.FAIL, Outcome.PASS), "b": (Outcome.FAIL, Outcome.CRASH)}
    outcomes |= {"c": (Outcome.PASS, Outcome.FAIL)}
    outcomes |= dict.fromkeys("de", (Outcome.PASS, Outcome.CRASH))
    before = a_run(*(a_result(f"onnx/{name}", old) for name, (old, _) in outcomes.items()))
    after = a_run(*(a_result(f"onnx/{name}", new) for name, (_, new) in outcomes.items()))

    found = compare(before, after)

    assert [group.cases for group in found.groups] == [
        ("onnx/d", "onnx/e"),
        ("onnx/c",),
        ("onnx/b",),
        ("onnx/a",),
    ]
