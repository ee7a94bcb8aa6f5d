"""The files of the site: written beside where they belong, and then put in place at once."""

from __future__ import annotations

import re
import secrets
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from harness.errors import ConfigurationError
from harness.report.html import groups, search
from harness.report.html.addresses import cell_page
from harness.report.html.case_pages import case_pages
from harness.report.html.headline import headline, sentences
from harness.report.html.looked_into import FOLDER, looked_into
from harness.report.html.marks import MARKS, word
from harness.report.html.operators import operator_rows
from harness.report.html.overview import heat_map, legend, short_provider
from harness.report.html.plots import seconds
from harness.report.html.runs import courses
from harness.report.html.timings import timings
from harness.report.terminal import verdict_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from harness.report.html.past import Past
    from harness.report.summary import CellSummary
    from harness.store.run import Run
    from harness.triage.compare import Comparison

PACKAGE = "harness.report.html"
STATIC = ("site.css", "cases.js", "operators.js", "icon.svg")
MADE_BY_US = ("static/site.css", "data/index.js")
"""What a folder holds that may be replaced."""

_TERMINAL_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, kw_only=True)
class Material:
    """What the site is made of."""

    run: Run
    cells: Sequence[CellSummary]
    past: Past
    comparison: Comparison | None
    """With the run before; None for the first."""
    operators: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By case, the operators of its model."""
    why_no_operators: str = ""
    triage: Path | None = None
    """The folder of what was found out about the run's failures, which the site takes in."""


def write_site(folder: Path, material: Material) -> None:
    """Write the site into a folder, in place of the site that is there.

    Raise ConfigurationError for a folder that holds something else, or that cannot be written.
    """
    if folder.exists() and not _may_be_replaced(folder):
        raise ConfigurationError(f"{folder}: is no site of ort-matrix; name a new or empty folder")
    try:
        with _replacing(folder) as making:
            _Writer(making, material).write()
    except OSError as error:
        raise ConfigurationError(f"{folder}: the site cannot be written: {error}") from error


def _may_be_replaced(folder: Path) -> bool:
    if not folder.is_dir():
        return False
    return not any(folder.iterdir()) or all((folder / name).exists() for name in MADE_BY_US)


@contextmanager
def _replacing(folder: Path) -> Iterator[Path]:
    """Give a folder to fill that takes the place of `folder` when all went well."""
    folder = folder.resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    mark = secrets.token_hex(4)
    making, old = (folder.with_name(f".{folder.name}.{kind}-{mark}") for kind in ("new", "old"))
    making.mkdir()
    try:
        yield making
        if folder.exists():
            folder.rename(old)
        making.rename(folder)
    finally:
        for left in (making, old):
            shutil.rmtree(left, ignore_errors=True)


class _Writer:
    """One site while it is written."""

    def __init__(self, folder: Path, material: Material) -> None:
        self._folder = folder
        self._material = material
        self._templates = _environment()
        self._templates.globals.update(
            {"past": material.past, "marks": list(MARKS.values()), "site": _about(material)}
        )

    def write(self) -> None:
        material = self._material
        for name in STATIC:
            source = files(PACKAGE).joinpath("static", name)
            self._put(f"static/{name}", source.read_text("utf-8"))
        self._write_cases()
        for cell in material.cells:
            page = cell_page(cell.record.cell)
            self._page(page, "cell", cell=cell, groups=groups.not_passed(cell))
        self._page("index.html", "index", **self._index())
        if material.triage is not None:
            unfinished = shutil.ignore_patterns(".*")
            shutil.copytree(material.triage, self._folder / FOLDER, ignore=unfinished)
        self._page("cases.html", "cases")
        self._page("operators.html", "operators", **self._operators())
        self._page("timings.html", "timings", timings=timings(material.cells, material.past))
        self._page("runs.html", "runs", courses=courses(material.past))

    @cached_property
    def _cases(self) -> frozenset[str]:
        return frozenset(case for _, case in self._material.run.results)

    def _write_cases(self) -> None:
        """Write the page of each case, and on the way what search needs of it."""
        material = self._material
        cells = [cell.record.cell for cell in material.cells]
        rows = []
        for page in case_pages(material.cells, material.past, material.operators):
            self._page(page.href, "case", page=page)
            rows.append(search.row(page, cells))
        for path, text in search.scripts(rows, [(cell, cell_page(cell)) for cell in cells]):
            self._put(path, text)

    def _index(self) -> dict[str, Any]:
        material = self._material
        comparison = material.comparison
        changed = groups.changed(comparison, self._cases) if comparison else ()
        return {
            "headline": headline(material.past),
            "sentences": sentences(material.run, material.cells, changed),
            "comparison": comparison,
            "changed": changed,
            "notes": comparison.notes if comparison else (),
            "heat": heat_map(material.cells),
            "heat_legend": legend(),
            "attention": groups.unexpected(material.cells),
            "looked_into": looked_into(material.triage) if material.triage else (),
        }

    def _operators(self) -> dict[str, Any]:
        material = self._material
        return {
            "rows": operator_rows(material.cells, material.operators),
            "cells": [cell.record.cell for cell in material.cells],
            "why_none": material.why_no_operators,
            "suite_version": material.run.suites.get("onnx", ""),
        }

    def _page(self, path: str, template: str, **values: Any) -> None:
        root = "../" * path.count("/")
        found = self._templates.get_template(f"{template}.html.jinja")
        self._put(path, found.render(root=root, at=path.removesuffix(".html"), **values))

    def _put(self, path: str, text: str) -> None:
        target = self._folder / path
        target.parent.mkdir(exist_ok=True)
        # A build may have said half a character; a page has none.
        target.write_bytes(text.encode("utf-8", "replace"))


def _about(material: Material) -> dict[str, str]:
    newest = material.past.runs[-1]
    suites = ", ".join(f"{name} {of}" for name, of in sorted(material.run.suites.items()))
    return {
        "run": material.run.id,
        "begun": _moment(newest.begun),
        "suites": suites,
        "harness": version("ort-matrix"),
    }


def _environment() -> Environment:
    templates = Environment(
        loader=PackageLoader(PACKAGE),
        autoescape=True,  # everything shown is what a build said
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {
        "breakable": _breakable,
        "cell_page": cell_page,
        "words": word,
        "seconds": seconds,
        "figure": _figure,
        "moment": _moment,
        "plain": lambda text: _TERMINAL_COLOURS.sub("", text),
        "short_provider": short_provider,
        "verdict": lambda suite: verdict_text(suite).plain,
    }
    return templates


def _breakable(text: str) -> Markup:
    """Return a name that may be broken behind each slash and underscore."""
    return Markup("<wbr>").join(escape(part) for part in re.split(r"(?<=[/_])", text))


def _figure(value: float | None) -> str:
    return "none" if value is None else f"{value:.4g}"


def _moment(value: datetime) -> str:
    return f"{value:%Y-%m-%d %H:%M}"
