"""What a triage found of one cause, for a person, for a program, and as a row of the summary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.report import attributed, bisected
from harness.report.markdown import code
from harness.report.terminal import reproduction
from harness.triage.attribution import deciding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from harness.investigation.causes import Investigation
    from harness.triage.causes import Cause


CAUSE = "cause.json"
"""What a finished cause has in its folder: the JSON form of it."""

REPRODUCER = "repro"
"""The folder, beside a cause's page, that shows it with nothing of ours."""


def to_json(cause: Cause, found: Investigation, shown: str = "") -> dict[str, Any]:
    """Return the cause with all that is known of it; `shown` is what its reproducer said."""
    start, state = found.start, found.bisection
    return {
        "cell": cause.cell,
        "signature": str(cause.signature),
        "cases": list(cause.cases),
        "representative": cause.representative.case,
        "again": reproduction(cause.representative),
        "decides": list(deciding(found.tried)),
        "changes": [] if state is None or state.flaky else _changes(found),
        "attribution": start and attributed.to_json(start, found.tried, found.missing),
        "bisection": state and bisected.to_json(state, found.answers),
        "reproducer": shown,
        "trouble": list(found.trouble),
    }


def _changes(found: Investigation) -> list[str]:
    state = found.bisection
    assert state is not None
    return [bisected.change_line(state, change) for change in state.changes]


def page(cause: Cause, found: Investigation, shown: str = "") -> str:
    """Return the cause as a page in Markdown; `shown` is what its reproducer said."""
    return "\n".join(_page(cause, found, shown)) + "\n"


def _page(cause: Cause, found: Investigation, shown: str) -> Iterator[str]:
    yield from (f"# {cause.cell}: {code(str(cause.signature))}", "")
    yield from (f"{len(cause.cases)} cases; looked into: {code(cause.representative.case)}", "")
    yield from (f"Again: {code(reproduction(cause.representative))}", "")
    yield from (f"Left out: {code(text)}\n" for text in found.trouble)
    if shown:
        yield from (f"[A folder that shows it alone]({REPRODUCER}/README.md): {code(shown)}", "")
    if found.start is not None:
        yield from ("## What decides", "")
        verdict = attributed.verdict_lines(found.start, found.tried)
        yield from (f"- {code(line)}" for line in verdict)
        turned = [attributed.tried_line(one) for one in found.tried]
        turned += [attributed.tried_line(one) for one in found.missing]
        yield from ("", "```text", *turned, "```", "")
    if found.bisection is not None:
        yield from ("## Since when", "")
        yield from (f"- {code(line)}" for line in bisected.found_lines(found.bisection))
        asked = [bisected.asked_line(point, one) for point, one in found.answers]
        yield from ("", "```text", *asked, "```", "")
    yield from ("## The cases", "", *(f"- {code(case)}" for case in cause.cases))


def summary_page(run: str, rows: Iterable[tuple[str, Mapping[str, Any]]], left: int) -> str:
    """Return the table of all causes, given the folder's name and the JSON form of each."""
    lines = [f"# Triage of {run}", ""]
    if left:
        lines += [f"{left} causes are left: the same command goes on with them.", ""]
    lines.append("| cause | cell | cases | decides | since | reproducer |")
    lines.append("| --- | --- | --: | --- | --- | --- |")
    for name, row in rows:
        link = f"[{_cell(row['signature'])}]({name}/README.md)"
        decides = ", ".join(row["decides"]) or ("none alone" if row["attribution"] else "")
        since = "; ".join(map(_cell, row["changes"])) or ("no change" if row["bisection"] else "")
        trouble = "; ".join(map(_cell, row["trouble"]))
        shown = f"[repro.py]({name}/{REPRODUCER}/repro.py)" if row["reproducer"] else trouble
        counted = f"{row['cell']} | {len(row['cases'])}"
        lines.append(f"| {link} | {counted} | {decides} | {since} | {shown} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    """Return a text that breaks no table."""
    line = " ".join(text.split()).replace("|", "\\|").replace("[", "\\[").replace("]", "\\]")
    return line if len(line) <= bisected.LONGEST else f"{line[: bisected.LONGEST - 1]}…"
