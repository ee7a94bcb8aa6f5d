"""All cases as data that the search page loads piece by piece.

Each piece is a script that hands its rows over: a page that was opened from a file may load
scripts, and nothing else. Every character beyond ASCII is written as an escape.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from harness.report.html.marks import MARKS, VERDICT_LETTERS, word
from harness.store.archive import NOTHING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.report.html.case_pages import CasePage

ROWS = 500
"""Cases in one piece."""

SAID = 160
"""Characters of what was seen that search shows and looks through."""


def row(page: CasePage, cells: Sequence[str]) -> list[Any]:
    """Return a case as the search page takes it; `cells` is the order of its letters.

    Case, page, suite, a letter for each cell's outcome, one for each verdict, operators, what was
    seen.
    """
    outcomes, verdicts = dict.fromkeys(cells, NOTHING), dict.fromkeys(cells, NOTHING)
    for on in page.cells:
        outcomes[on.cell] = on.mark.letter
        verdicts[on.cell] = VERDICT_LETTERS[on.verdict]
    said = {_cut(on.said): None for on in page.cells if on.said and not on.passed}
    return [
        page.case,
        page.href,
        page.suite,
        "".join(outcomes.values()),
        "".join(verdicts.values()),
        " ".join(page.operators),
        list(said),
    ]


def scripts(
    rows: Sequence[list[Any]], cells: Sequence[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    """Return each script by its path from the site's root; `cells` are ids with their pages.

    The first tells what there is and where the pieces are.
    """
    pieces = [rows[at : at + ROWS] for at in range(0, len(rows), ROWS)]
    paths = [f"data/cases-{number}.js" for number in range(len(pieces))]
    yield (
        "data/index.js",
        _call(
            "begin",
            {
                "cells": cells,
                "suites": sorted({row[2] for row in rows}),
                "operators": sorted({name for row in rows for name in row[5].split()}),
                "cases": len(rows),
                "pieces": paths,
                "outcomes": {
                    mark.letter: [outcome.lower(), mark.word, mark.glyph]
                    for outcome, mark in MARKS.items()
                },
                "verdicts": {
                    letter: [word(verdict), verdict.needs_attention]
                    for verdict, letter in VERDICT_LETTERS.items()
                },
            },
        ),
    )
    for path, piece in zip(paths, pieces, strict=True):
        yield path, _call("take", piece)


def _cut(text: str) -> str:
    return text if len(text) <= SAID else f"{text[: SAID - 1]}…"


def _call(function: str, value: Any) -> str:
    return f"ortMatrix.{function}({json.dumps(value, separators=(',', ':'))});\n"
