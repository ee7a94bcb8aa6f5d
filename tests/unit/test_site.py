"""The site as files: whole, safe to open, and replaced at once."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from harness.baseline import Expectation
from harness.errors import ConfigurationError
from harness.report.html import site
from harness.report.html.addresses import case_page, cell_page
from harness.wire.messages import Evidence, FallbackStep, Mismatch
from harness.wire.outcomes import Outcome
from tests.unit.site_material import CPU, a_cell, a_result, a_run, material, telling_runs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EVIL = "<script>alert(1)</script>\"'&{{ 7*7 }}"


class Tags(HTMLParser):
    """What of a page a browser would act on, and what it would show."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.scripts = 0
        self.links: list[str] = []
        self.text = ""
        self.attributes: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        found = dict(attrs)
        self.scripts += tag == "script" and "src" not in found
        self.attributes |= found.keys()
        self.links += [
            found[name] or "" for name in ("href", "src") if name in found and tag != "base"
        ]

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.text += data


def pages(folder: Path) -> Iterator[tuple[Path, Tags]]:
    """Return each page of a site, read as a browser does."""
    for path in sorted(folder.rglob("*.html")):
        yield path, Tags(path.read_text("utf-8"))


def test_every_link_leads_to_a_page_that_is_there(tmp_path: Path) -> None:
    """No page names one that the site does not have, and none names another host."""
    folder = tmp_path / "site"

    site.write_site(folder, material(telling_runs(), operators={"onnx/node/test_abs": ["Abs"]}))

    broken = [
        (path.name, link)
        for path, tags in pages(folder)
        for link in tags.links
        if not (path.parent / link.partition("#")[0]).exists()
    ]
    assert broken == []
    assert len(list(pages(folder))) == 5 + 3 + 4


def test_what_a_triage_found_is_taken_in_and_linked(tmp_path: Path) -> None:
    """A finished cause is a row with links to its page and its reproducer; others stay away."""
    triage, folder = tmp_path / "triage", tmp_path / "site"
    for name, reproducer in (("cpu-crash", "SHOWS: SIGFPE"), (".partial-x", "")):
        (triage / name / "repro").mkdir(parents=True)
        (triage / name / "README.md").write_text("# what decides")
        (triage / name / "repro" / "repro.py").write_text("raise SystemExit(1)")
        cause = {
            "signature": f"CRASH {EVIL}",
            "cell": CPU,
            "cases": ["onnx/a", "onnx/b"],
            "decides": ["optimisation"],
            "changes": ["1.24.4 → 1.25.0: mended"],
            "trouble": [],
            "reproducer": reproducer,
        }
        (triage / name / "cause.json").write_text(json.dumps(cause))

    site.write_site(folder, replace(material(telling_runs()), triage=triage))

    index = Tags((folder / "index.html").read_text("utf-8"))
    links = [link for link in index.links if link.startswith("triage/")]
    assert links == ["triage/cpu-crash/README.md", "triage/cpu-crash/repro/repro.py"]
    assert all((folder / link).is_file() for link in links)
    assert f"CRASH {EVIL}" in index.text
    assert not (folder / "triage" / ".partial-x").exists()


def test_what_a_build_says_is_shown_and_never_carried_out(tmp_path: Path) -> None:
    """A script in an id, a text, a log or a reason is text on every page that shows it."""
    evidence = Evidence(
        text=EVIL,
        requirement=EVIL,
        log=EVIL,
        traceback=EVIL,
        answer={EVIL: EVIL},
        example={EVIL: [EVIL]},
        fallback=(FallbackStep(attached=EVIL, provider=EVIL, stage=EVIL, status=EVIL, text=EVIL),),
        mismatches=(Mismatch(output=EVIL, text=EVIL),),
    )
    known = Expectation(
        pattern="*", outcomes=(Outcome.ERROR,), reason=EVIL, link=f"javascript:{EVIL}", place=EVIL
    )
    case = f"onnx/{EVIL}"
    runs = [
        a_run(a_cell(), a_result(case), name="older"),
        a_run(a_cell(), a_result(case, Outcome.FAIL, evidence=evidence)),
    ]
    runs[1].cells[CPU] = replace(runs[1].cells[CPU], reason=EVIL)
    folder = tmp_path / "site"

    site.write_site(folder, material(runs, known, operators={case: [EVIL]}))

    shown = dict(pages(folder))
    assert [path for path, tags in shown.items() if tags.scripts] == []
    assert [path for path, tags in shown.items() if any(map(_acts, tags.links))] == []
    assert not any(name.startswith("on") for tags in shown.values() for name in tags.attributes)
    for page in (case_page(case), "index.html", "operators.html"):
        assert EVIL in shown[folder / page].text, page
    for path in (folder / "data").iterdir():
        assert path.read_bytes().isascii()


def _acts(link: str) -> bool:
    return re.match(r"\s*(javascript|data):", link) is not None


def test_half_a_character_and_a_terminals_colours_do_no_harm(tmp_path: Path) -> None:
    """What no page can hold is replaced, and the codes for colours are left out of a log."""
    evidence = Evidence(text="bad \udc80 byte", log="\x1b[1;31mred\x1b[0m \x00")
    case = "onnx/half-\udc80"
    folder = tmp_path / "site"

    site.write_site(
        folder, material([a_run(a_cell(), a_result(case, Outcome.ERROR, evidence=evidence))])
    )

    page = (folder / case_page(case)).read_text("utf-8")
    assert "bad ? byte" in page
    assert "\x1b" not in page


def test_a_site_is_replaced_whole(tmp_path: Path) -> None:
    """No page of the site before is left, and nothing else beside it."""
    folder = tmp_path / "site"
    site.write_site(folder, material([a_run(a_cell(), a_result("onnx/node/test_old"))]))

    site.write_site(folder, material([a_run(a_cell(), a_result("onnx/node/test_new"))]))

    assert (folder / case_page("onnx/node/test_new")).exists()
    assert not (folder / case_page("onnx/node/test_old")).exists()
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_a_site_that_cannot_be_made_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk in the middle costs the new site and not the old one."""
    folder = tmp_path / "site"
    first = material([a_run(a_cell(), a_result("onnx/node/test_old"))])
    site.write_site(folder, first)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("harness.report.html.groups.not_passed", full)
    with pytest.raises(ConfigurationError, match="No space left"):
        site.write_site(folder, first)

    assert (folder / case_page("onnx/node/test_old")).exists()
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


@pytest.mark.parametrize("held", ["thesis.txt", "index.html"])
def test_a_folder_of_something_else_is_left_alone(tmp_path: Path, held: str) -> None:
    """Nothing is replaced but a site of ours."""
    (tmp_path / held).write_text("mine")

    with pytest.raises(ConfigurationError, match="is no site of ort-matrix"):
        site.write_site(tmp_path, material(telling_runs()))

    assert (tmp_path / held).read_text() == "mine"


def test_search_gets_every_case_once(tmp_path: Path) -> None:
    """The pieces together hold each case with a letter for each cell."""
    cases = [f"onnx/node/test_{number}" for number in range(1203)]
    folder = tmp_path / "site"

    site.write_site(folder, material([a_run(a_cell(), *map(a_result, cases))]))

    index = _data(folder / "data" / "index.js")
    rows = [row for piece in index["pieces"] for row in _data(folder / piece)]
    assert len(index["pieces"]) == 3
    assert sorted(row[0] for row in rows) == sorted(cases)
    assert {row[3] for row in rows} == {"P"}
    assert index["cells"] == [[CPU, cell_page(CPU)]]


def test_only_the_site_pays_for_its_libraries() -> None:
    """A command that looks at runs and writes no site imports neither onnx nor jinja2."""
    asked = "import harness.cli.runs, sys; print(sorted({'onnx', 'jinja2'} & {*sys.modules}))"

    done = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=300
    )

    assert done.stdout.strip() == "[]"


def _data(path: Path) -> Any:
    return json.loads(path.read_text().partition("(")[2].removesuffix(");\n"))
