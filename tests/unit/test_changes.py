"""What is said of runs is true, in one line per cause, and fits where it is put."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from harness.baseline import Baseline
from harness.cli.command_line import _parser
from harness.matrix import read_matrix
from harness.report.build_matrix import for_github, for_gitlab
from harness.report.changes import comparison_json, comparison_parts
from harness.report.markdown import LIMIT, code, comparison_page, escaped, run_page
from harness.report.past import course_line, strip
from harness.report.summary import summarise
from harness.results import CaseResult, CellState
from harness.triage.compare import compare
from harness.triage.history import histories
from harness.wire.outcomes import Outcome
from tests.unit.made_runs import CPU, a_cell, a_result, a_run, sightings

ROOT = Path(__file__).parents[2]
OUT = "cuda-1.31.1-py311"


def is_known(result: CaseResult) -> bool:
    """Say that a result is known if its case is called so."""
    return "known" in result.case


def a_comparison() -> tuple[str, ...]:
    """Return what a terminal shows of a night with something of everything."""
    cells = [a_cell(CPU), a_cell(OUT)]
    old = {"a": Outcome.PASS, "b": Outcome.PASS, "known": Outcome.PASS, "c": Outcome.FAIL}
    new = {"a": Outcome.FAIL, "b": Outcome.FAIL, "known": Outcome.FAIL, "c": Outcome.PASS}
    before = a_run(
        *(a_result(f"onnx/{name}", outcome, text="bad 1") for name, outcome in old.items()),
        a_result("onnx/a", cell=OUT),
        name="old",
        cells=cells,
    )
    after = a_run(
        *(a_result(f"onnx/{name}", outcome, text="bad 2") for name, outcome in new.items()),
        name="new",
        cells=[cells[0], a_cell(OUT, CellState.BROKEN, "no\ndriver")],
    )
    return tuple(part.plain for part in comparison_parts(compare(before, after), is_known))


def test_a_comparison_has_a_line_per_cause() -> None:
    """A person reads what is out, what regressed, how it looks, where, and how to see it again."""
    shown = a_comparison()

    assert shown == (
        "old → new",
        f"  outage {OUT}: BROKEN: no driver (1 case)",
        f"REGRESSED (1 known) 3 cases on {CPU}: FAIL bad N",
        "    onnx/a, onnx/b, onnx/known",
        f"    again: ort-matrix case onnx/a --cell {CPU}",
        f"FIXED 1 case on {CPU}: FAIL bad N",
        "    onnx/c",
        "3 regressed, 1 fixed",
    )


def test_a_quiet_night_says_so() -> None:
    """Where nothing changed, that is what is said."""
    run = a_run(a_result("onnx/a"), a_result("onnx/known", Outcome.FAIL))

    shown = [part.plain for part in comparison_parts(compare(run, run), is_known)]

    assert shown == ["r → r", "nothing changed", "1 persisting, 1 unchanged"]


def test_what_nobody_knows_of_is_told_every_night_with_its_age() -> None:
    """A failure that no baseline has is listed while it persists, with the run that it began in."""
    run = a_run(a_result("onnx/a", Outcome.FAIL, text="bad"), a_result("onnx/known", Outcome.FAIL))
    since = {(CPU, "onnx/a"): "a-week-ago"}

    shown = [part.plain for part in comparison_parts(compare(run, run), is_known, since)]
    page = comparison_page(compare(run, run), is_known, since)

    assert shown[1:] == [
        f"PERSISTING 1 case on {CPU}: FAIL bad",
        "    onnx/a",
        "    since: a-week-ago",
        "2 persisting",
    ]
    assert "Since `a-week-ago`" in page


def test_a_comparison_is_an_object_for_programs() -> None:
    """Every case of every group stands in it, and it is JSON."""
    before, after = a_run(a_result("onnx/a")), a_run(a_result("onnx/a", Outcome.CRASH))

    found = json.loads(json.dumps(comparison_json(compare(before, after), is_known)))

    assert (found["regressed"], found["counts"]["regressed"]) == (1, 1)
    (group,) = found["groups"]
    assert group["transition"] == "REGRESSED"
    assert group["cases"] == [{"cell": CPU, "case": "onnx/a", "old": "PASS", "new": "CRASH"}]


@pytest.mark.parametrize("cases", [3, 40_000])
def test_a_page_fits_a_jobs_summary(cases: int) -> None:
    """However much there is to say, the page is short enough, whole, and says what was cut."""
    results = [a_result(f"onnx/{n}", Outcome.FAIL, text="<b>|`x`" * 9) for n in range(cases)]
    run = a_run(*results)

    page = run_page(run, summarise(run, {CPU: Baseline(())}))

    assert len(page.encode()) <= LIMIT
    assert page.count("<details>") == page.count("</details>") == 1
    cut = re.search(r"\*\*Cut here: ([\d,]+) more lines", page)
    shown = page.count("\n- `")
    assert shown + (int(cut[1].replace(",", "")) if cut else 0) == cases
    assert bool(cut) is (cases > 3)
    assert not cut or "`ort-matrix report r --json` shows them" in page


def test_a_page_of_changes_fits_too() -> None:
    """A comparison with very many causes is cut between two of them."""
    old, new = (
        a_run(*(a_result(f"onnx/{n}", one, text="x" * (n % 240)) for n in range(9_000)))
        for one in (Outcome.PASS, Outcome.ERROR)
    )

    page = comparison_page(compare(old, new), is_known, limit=20_000)

    assert len(page.encode()) <= 20_000
    assert "**Cut here: " in page
    assert "9,000 regressed" in page


@pytest.mark.parametrize("text", ["a ` b", "``", "`", "x | y\nz", "a\\", "<script>"])
def test_a_text_stays_a_text_in_markdown(text: str) -> None:
    """No error text of a build ends its line, its cell or its code."""
    line, words = code(text), escaped(text)

    fence = re.match("`+", line)
    assert fence
    inner = line[len(fence[0]) : -len(fence[0])]
    assert fence[0] not in re.findall("`+", inner)
    assert " ".join(text.split()) in inner
    assert "\n" not in line + words
    assert not re.search(r"(?<!\\)[<>|`]", words.replace("\\\\", ""))


@pytest.mark.parametrize(
    ("letters", "said", "signs"),
    [
        ("PPPP", "steady: PASS since night-0 (2026-01-01, 1.32.0)", "...."),
        ("PPFF", "stepped once: FAIL since night-2 (2026-01-03, 1.32.0)", "..FF"),
        ("PP?PN", "flaky: changed 2 times in 5 runs, once within a run", "..?.N"),
        ("NN", "nothing is known of it", "NN"),
    ],
)
def test_a_history_is_said_in_a_line(letters: str, said: str, signs: str) -> None:
    """What a case does now, since when, and its strip."""
    (found,) = histories(sightings(letters))

    line, shown = course_line(found), strip(found)

    assert (line, shown) == (said, signs)


def test_a_build_matrix_has_a_job_for_each_cell_on_its_runner() -> None:
    """GitHub's and GitLab's jobs name session and labels; without labels GitHub's own runner."""
    cells = [
        {"cell": "cuda-1.31.1-py311", "variant": "cuda", "runner": ["linux", "cuda"]},
        {"cell": "cpu-1.32.0-py311", "variant": "cpu", "runner": []},
    ]

    github, gitlab = for_github(cells), for_gitlab(cells)

    assert github["include"][0]["runner"] == ["linux", "cuda"]
    assert [job["session"] for job in github["include"]] == ["cuda", "cpu"]
    assert github["include"][1]["runner"] == ["ubuntu-latest"]
    assert gitlab["cuda-1.31.1-py311"]["tags"] == ["linux", "cuda"]
    assert "--session cuda" in gitlab["cuda-1.31.1-py311"]["script"][-1]
    assert list(gitlab) == [cell["cell"] for cell in cells]


def test_the_nightly_workflow_calls_commands_that_there_are() -> None:
    """Every `ort-matrix` line of the workflow is understood by the command line."""
    text = (ROOT / ".github/workflows/nightly.yml").read_text("utf-8")
    text = re.sub(r"\$\{\{ *([^ }]*) *\}\}", r"\1", text)  # what is put in by the workflow
    lines = re.findall(r"ort-matrix ((?:[^>)\n]|\$\([^)]*\))*)", text)
    commands = [shlex.split(line.split("|")[0]) for line in lines]

    parsed = [_parser(words).parse_args(words) for words in commands if "--html" not in words]

    names = {one.command.__name__ for one in parsed}
    assert names == {"matrix", "merge", "prune", "report", "runs", "compared", "fuzz"}
    assert read_matrix(ROOT / "matrix.toml").variants.keys() >= {"cpu", "cuda"}
