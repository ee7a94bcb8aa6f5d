"""Expectations live: a run writes them, ends them, and shows which of them are false."""

from __future__ import annotations

import tomllib
from datetime import date
from typing import TYPE_CHECKING

import pytest

from harness.baseline import Baseline, read_entries
from harness.errors import ConfigurationError
from harness.triage.accept import Acceptance, Because, accept
from harness.triage.upkeep import Flaw, flaws_by_run, flaws_in_text
from harness.verdicts import Verdict, judge
from harness.wire.outcomes import Outcome
from tests.unit.made_runs import a_result, a_run

if TYPE_CHECKING:
    from pathlib import Path

    from harness.results import CaseResult

TODAY = date(2026, 11, 24)
OLDER = "cpu-1.24.4-py311"
BECAUSE = Because(reason='rounds "up" \\ ü', link="https://example.org/1")


def accepted(*results: CaseResult, known: str = "", folder: Path, **more: str) -> Acceptance:
    """Return what is accepted of results, given what a baseline file says already."""
    path = folder / "cpu.toml"
    path.write_text(known, "utf-8")
    run = a_run(*results)
    baselines = {cell: Baseline.read(path, record.release) for cell, record in run.cells.items()}
    because = Because(reason=BECAUSE.reason, link=BECAUSE.link, **more)  # type: ignore[arg-type]
    return accept(results, run.cells, baselines, {"cpu": "1.32.0"}, because)


def entry(case: str, outcome: str = "FAIL", more: str = "") -> str:
    """Return an entry of a baseline file."""
    return f'[[expect]]\noutcome = "{outcome}"\nreason = "r"\n{more}\ncases = ["{case}"]\n'


def test_what_was_accepted_is_known_from_then_on(tmp_path: Path) -> None:
    """Appended to the file, the new entries make every accepted result as expected."""
    known = f"# a comment\n{entry('onnx/known')}# the end\n"
    results = [
        a_result("onnx/known", Outcome.FAIL),
        a_result("onnx/a", Outcome.CRASH),
        a_result("onnx/b", Outcome.FAIL),
        a_result("onnx/c", Outcome.FAIL),
        a_result("onnx/d"),
    ]

    found = accepted(*results, known=known, folder=tmp_path)

    text = known + found.texts["cpu"]
    (tmp_path / "cpu.toml").write_text(text, "utf-8")
    baseline = Baseline.read(tmp_path / "cpu.toml", "1.32.0")
    verdicts = {one.case: judge(one, baseline.of(one.case)) for one in results}
    assert set(verdicts.values()) == {Verdict.KNOWN_FAILURE, Verdict.EXPECTED}
    assert found.accepted == 3
    new = tomllib.loads(found.texts["cpu"])["expect"]
    assert [(one["outcome"], one["cases"]) for one in new] == [
        ("CRASH", ["onnx/a"]),
        ("FAIL", ["onnx/b", "onnx/c"]),
    ]
    assert {one["reason"] for one in new} == {BECAUSE.reason}
    assert {one["link"] for one in new} == {BECAUSE.link}


def test_what_another_release_does_is_accepted_for_it_alone(tmp_path: Path) -> None:
    """A failure of the pinned release is expected of all, that of another one of that one."""
    results = [
        a_result("onnx/both", Outcome.FAIL),
        a_result("onnx/both", Outcome.FAIL, cell=OLDER),
        a_result("onnx/old", Outcome.FAIL, cell=OLDER),
    ]

    found = accepted(*results, folder=tmp_path)

    new = tomllib.loads(found.texts["cpu"])["expect"]
    assert [(one.get("releases", ""), one["cases"]) for one in new] == [
        ("", ["onnx/both"]),
        ("==1.24.4", ["onnx/old"]),
    ]


def test_what_has_an_end_is_accepted_for_all_before_it(tmp_path: Path) -> None:
    """Who says which release ends it says of which it is known; no other limit stands beside."""
    old = a_result("onnx/old", Outcome.FAIL, cell=OLDER)

    found = accepted(old, folder=tmp_path, until="1.25")

    (new,) = tomllib.loads(found.texts["cpu"])["expect"]
    assert new["until"] == "1.25"
    assert "releases" not in new


def test_a_case_with_an_entry_of_its_own_is_not_added_again(tmp_path: Path) -> None:
    """What contradicts an entry that names the case is told: two entries could not be read."""
    results = [a_result("onnx/a", Outcome.CRASH), a_result("onnx/b", Outcome.CRASH)]

    found = accepted(*results, known=entry("onnx/a") + entry("onnx/*"), folder=tmp_path)

    assert [result.case for result, _ in found.contradicted] == ["onnx/a"]
    assert tomllib.loads(found.texts["cpu"])["expect"][0]["cases"] == ["onnx/b"]


def test_a_flake_is_accepted_with_both_outcomes(tmp_path: Path) -> None:
    """A known flake may do either, and is listed so that it gets a day on which it expires."""
    flake = a_result("onnx/a", Outcome.CRASH, again=Outcome.PASS)

    found = accepted(flake, folder=tmp_path, expires=TODAY)  # type: ignore[arg-type]

    (new,) = tomllib.loads(found.texts["cpu"])["expect"]
    assert sorted(new["outcome"]) == ["CRASH", "PASS"]
    assert new["expires"] == TODAY
    assert found.flaky == (flake,)


@pytest.mark.parametrize(
    ("more", "release", "on", "holds"),
    [
        ('until = "1.25"', "1.24.4", TODAY, True),
        ('until = "1.25"', "1.25.0", TODAY, False),
        ('until = "1.25"\nreleases = ">=1.21"', "1.20.1", TODAY, False),
        ('until = "1.25"\nreleases = ">=1.21"', "1.24.4", TODAY, True),
        ("expires = 2026-11-25", "1.24.4", TODAY, True),
        ("expires = 2026-11-24", "1.24.4", TODAY, False),
    ],
)
def test_an_entry_ends_by_itself(
    tmp_path: Path, more: str, release: str, on: date, *, holds: bool
) -> None:
    """With the release that is named, or on the day that it expires, nobody believes it."""
    path = tmp_path / "cpu.toml"
    path.write_text(entry("onnx/a", more=more), "utf-8")

    known = Baseline.read(path, release, on=on).of("onnx/a")

    assert (known is not None) is holds


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('until = "<1.25"', "expect[0].until: '<1.25' is no release; as in '1.25'"),
        ('expires = "2026-11-24"', "expect[0].expires: must be a date without quotes, as in"),
        ("expires = 2026-11-24T00:00:00", "expect[0].expires: must be a date"),
    ],
)
def test_an_end_that_is_none_is_told(tmp_path: Path, more: str, said: str) -> None:
    """A mistake in an end is told with its place, whatever release is asked."""
    path = tmp_path / "cpu.toml"
    path.write_text(entry("onnx/a", more=f'releases = "<1"\n{more}'), "utf-8")

    with pytest.raises(ConfigurationError) as error:
        Baseline.read(path, "1.32.0")

    assert said in str(error.value)


def test_what_is_false_in_the_text_is_found(tmp_path: Path) -> None:
    """Entries that match nothing, that expired, and that contradict each other are listed."""
    path = tmp_path / "cpu.toml"
    text = entry("onnx/a") + entry("onnx/gone") + entry("onnx/b*") + entry("onnx/*b", "CRASH")
    text += entry("onnx/old", more="expires = 2026-01-01") + entry("models/unknown")
    text += entry("onnx/later_gone", more='until = "1.30"')
    path.write_text(text, "utf-8")
    cases = {"onnx": ["onnx/a", "onnx/b", "onnx/bb"]}

    found = flaws_in_text(read_entries(path), "1.32.0", cases, TODAY)

    assert [(one.flaw, one.pattern) for one in found] == [
        (Flaw.EXPIRED, "onnx/old"),
        (Flaw.UNMATCHED, "onnx/gone"),
        (Flaw.CONTRADICTING, "onnx/*b"),
    ]
    assert all(str(path) in one.place for one in found)


def test_what_a_run_shows_to_be_false_is_found(tmp_path: Path) -> None:
    """An expectation of which all passes is stale, one with another failure is contradicted."""
    path = tmp_path / "cpu.toml"
    path.write_text(
        "".join(entry(f"onnx/{name}") for name in ("right", "stale", "other", "out", "some_*")),
        "utf-8",
    )
    results = [
        a_result("onnx/right", Outcome.FAIL),
        a_result("onnx/stale"),
        a_result("onnx/other", Outcome.CRASH),
        a_result("onnx/out", Outcome.NOT_TESTED),
        a_result("onnx/some_a"),
        a_result("onnx/some_b", Outcome.FAIL),
    ]

    found = list(flaws_by_run(results, Baseline.read(path, "1.32.0")))

    assert [(one.flaw, one.pattern) for one in found] == [
        (Flaw.STALE, "onnx/stale"),
        (Flaw.CONTRADICTED, "onnx/other"),
        (Flaw.CONTRADICTED, "onnx/some_*"),
    ]
    assert "onnx/some_a" in found[2].text
