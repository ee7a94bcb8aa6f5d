"""The site in a real browser, opened from files: it loads, searches, and asks for nothing else."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from harness.report.html.addresses import case_page, cell_page
from harness.report.html.site import write_site
from harness.wire.messages import Evidence
from harness.wire.outcomes import Outcome
from tests.unit.site_material import CPU, OPENVINO, a_result, material, telling_runs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this host")

PATIENCE_MS = 120_000
EVIL = "<img src=x onerror=\"document.title='carried out'\"><script>document.title='too'</script>"
PASSING = 700
PAGES = (
    "index.html",
    "cases.html",
    "operators.html",
    "timings.html",
    "runs.html",
    cell_page(CPU),
    case_page("onnx/node/test_conv"),
    case_page(f"onnx/{EVIL}"),
)

CONTRAST = """() => {
  const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = numbers(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
  };
  const found = new Set();
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || element.closest("svg, .sr, .skip, option, noscript")) continue;
    if (!element.checkVisibility()) continue;
    const [one, other] = [numbers(getComputedStyle(element).color), behind(element)].map(light);
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < 4.5) found.add(`${element.tagName}.${element.className} ${ratio.toFixed(2)}`);
  }
  return [...found];
}"""
"""Returns the elements whose text has less contrast than WCAG AA asks for."""


@dataclass(kw_only=True)
class Visitor:
    """One tab, and what was said and asked for in it."""

    page: Page
    site: Path
    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def open(self, address: str) -> None:
        """Go to a page of the site, by its path and what follows #, and wait for its scripts."""
        path, _, fragment = address.partition("#")
        self.page.goto(
            f"{(self.site / path).as_uri()}#{fragment}" if fragment else (self.site / path).as_uri()
        )
        self.page.wait_for_load_state("load")

    def cases(self) -> list[str]:
        """Return the cases that search shows."""
        return self.page.locator("#rows th").all_inner_texts()

    def wait_for(self, found: str) -> None:
        """Wait until search says this of what it found."""
        expect(self.page.locator("#found")).to_have_text(found, timeout=PATIENCE_MS)

    @property
    def focused(self) -> str:
        """Return the text or the id of what has the focus."""
        return str(
            self.page.evaluate("document.activeElement.innerText || document.activeElement.id")
        )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a site with something of everything and more cases than one piece of data holds."""
    old, new = telling_runs()
    planted = Evidence(text=EVIL, log=EVIL)
    for result in (
        *(a_result(f"onnx/node/test_{number:03}") for number in range(PASSING)),
        a_result(f"onnx/{EVIL}", Outcome.ERROR, evidence=planted),
    ):
        new.results[result.cell, result.case] = result
    operators = {"onnx/node/test_conv": ["Conv"], "onnx/node/test_abs": ["Abs"]}
    folder = tmp_path_factory.mktemp("site") / "site"
    write_site(folder, material([old, new], operators=operators))
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return the host's chromium."""
    with sync_playwright() as playwright:
        # No sandbox: it needs rights that a container and root do not have.
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"], timeout=PATIENCE_MS
        )
        yield browser
        browser.close()


@pytest.fixture
def visitor(browser: Browser, site: Path) -> Iterator[Visitor]:
    """Return a visitor of whom nothing was said on the console and nothing asked but the site."""
    context = browser.new_context()
    context.set_default_timeout(PATIENCE_MS)
    visitor = Visitor(page=context.new_page(), site=site)
    visitor.page.on("console", lambda message: visitor.console.append(message.text))
    visitor.page.on("pageerror", lambda error: visitor.console.append(str(error)))
    visitor.page.on("request", lambda request: visitor.requests.append(request.url))
    yield visitor
    context.close()
    assert visitor.console == []
    assert [url for url in visitor.requests if not url.startswith(site.as_uri())] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_can_be_read(visitor: Visitor, scheme: str) -> None:
    """Each page has one heading, enough contrast, and nothing wider than a phone."""
    visitor.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    visitor.page.set_viewport_size({"width": 360, "height": 740})
    faults = []

    for address in PAGES:
        visitor.open(address)
        faint = visitor.page.evaluate(CONTRAST)
        wide = visitor.page.evaluate("document.documentElement.scrollWidth > innerWidth")
        headings = visitor.page.locator("h1").count()
        faults += [(address, faint, wide, headings)] if faint or wide or headings != 1 else []

    assert faults == []


def test_search_narrows_by_what_is_asked(visitor: Visitor) -> None:
    """Name, outcome, verdict and cell each leave the rows that are so, and Clear gives all back."""
    every = f"{PASSING + 5} of {PASSING + 5} cases"
    visitor.open("cases.html")
    visitor.wait_for(every)

    visitor.page.fill("#text", "DIFFER 60")
    visitor.wait_for(f"1 of {PASSING + 5} cases")
    assert visitor.cases() == ["onnx/node/test_conv"]

    visitor.page.click("button[type=reset]")
    visitor.wait_for(every)
    visitor.page.select_option("#outcome", "C")
    visitor.page.select_option("#verdict", "!")
    assert visitor.cases() == ["onnx/node/test_div"]

    visitor.page.select_option("#cell", OPENVINO)
    assert visitor.cases() == []


def test_a_search_is_an_address(visitor: Visitor) -> None:
    """What the heat map links to is what search shows, and a search can be sent to somebody."""
    visitor.open("index.html")
    visitor.page.click(f".heat tr:has-text('{OPENVINO}') td a")
    visitor.wait_for(f"1 of {PASSING + 5} cases")
    assert visitor.cases() == ["onnx/node/test_abs"]

    visitor.page.fill("#text", "conv")

    # The page writes its address a moment after the last key.
    address = f"#text=conv&suite=onnx&cell={OPENVINO}"
    visitor.page.wait_for_url(lambda url: url.endswith(address))


def test_more_rows_come_when_asked_for(visitor: Visitor) -> None:
    """At first there are as many rows as one can look through; the focus goes to the first new."""
    visitor.open("cases.html")
    visitor.wait_for(f"{PASSING + 5} of {PASSING + 5} cases")
    assert len(visitor.cases()) == 200

    visitor.page.click("#more")

    assert len(visitor.cases()) == 400
    assert visitor.focused == visitor.cases()[200]


def test_the_keyboard_reaches_the_search_the_rows_and_a_case(visitor: Visitor) -> None:
    """Nobody needs a mouse: / searches, the arrows go through the rows, Enter opens one."""
    visitor.open("cases.html")
    visitor.wait_for(f"{PASSING + 5} of {PASSING + 5} cases")
    press = visitor.page.keyboard.press

    press("Tab")
    assert visitor.focused == "Skip to the content"
    press("/")
    assert visitor.focused == "text"
    visitor.page.keyboard.type("test_00")
    visitor.wait_for(f"10 of {PASSING + 5} cases")
    press("ArrowDown")
    press("ArrowDown")
    assert visitor.focused == "onnx/node/test_001"
    press("ArrowUp")
    assert visitor.focused == "onnx/node/test_000"
    press("Enter")
    expect(visitor.page.locator("h1")).to_have_text("onnx/node/test_000", timeout=PATIENCE_MS)


def test_what_a_build_says_is_text_in_search_too(visitor: Visitor) -> None:
    """Markup in a case's id and in an error is shown as it was said."""
    visitor.open("cases.html#outcome=E")
    visitor.wait_for(f"1 of {PASSING + 5} cases")

    assert visitor.cases() == [f"onnx/{EVIL}"]
    assert visitor.page.title() == "Cases · ort-matrix"
    assert visitor.page.locator("#rows img, #rows script").count() == 0


def test_operators_are_filtered(visitor: Visitor) -> None:
    """The table of operators narrows to those of a name, and to those that somebody lacks."""
    visitor.open("operators.html")

    visitor.page.fill("#text", "con")
    assert visitor.page.locator("tbody tr:visible th").all_inner_texts() == ["Conv"]

    visitor.page.fill("#text", "")
    visitor.page.select_option("#which", "lacking")
    assert visitor.page.locator("tbody tr:visible th").all_inner_texts() == ["Abs"]
