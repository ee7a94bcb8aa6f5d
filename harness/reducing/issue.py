"""The README.md of a reproducer, in the shape of a bug report for ONNX Runtime.

Source of the headings: the bug report template of
https://github.com/microsoft/onnxruntime/tree/main/.github/ISSUE_TEMPLATE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.reducing.reproducer import Reproducer

LONGEST_MODEL = 12_000
"""Characters of a model's text that are shown."""

TITLES = {
    "death": "The process dies",
    "error": "A valid model is refused",
    "mismatch": "Wrong output",
    "leak": "Memory leak",
    "fallback": "Silent fallback",
    "taken": "An invalid model is taken",
    "untyped": "A model is refused without a status",
    "unset": "Memory that was never set comes out",
    "undeclared": "An output is not as declared",
}


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a report tells beside the fault itself."""

    fault: Reproducer
    model: str
    """The model as text."""
    shown: str
    """What repro.py said when it was run."""
    host: Mapping[str, str]
    """``system``, ``release`` and ``machine``, as the module platform calls them."""
    right: str = ""
    """Who said what is right."""
    details: Sequence[str] = ()
    """More lines on the failure."""
    bisected: Sequence[Mapping[str, Any]] = ()
    """What `bisect --json` and `attribute --json` printed."""


def issue(report: Report) -> str:
    """Return the text of README.md."""
    return "\n".join(_lines(report)).rstrip() + "\n"


def _lines(report: Report) -> Iterator[str]:
    fault, variant = report.fault, report.fault.cell.variant
    build = f"{variant.distribution} {fault.cell.build.release}"
    yield from (f"# {TITLES[fault.kind]}: {fault.what}", "")
    yield from ("### Describe the issue", "", f"With {build}: {fault.what}.", "")
    yield from (f"- {line}" for line in _describing(report))
    yield from ("", "What `repro.py` says:", "", "```text", *report.shown.splitlines(), "```", "")
    yield from _bisected(report.bisected)
    yield from ("### To reproduce", "")
    yield "In this folder, with nothing else installed than [uv](https://docs.astral.sh/uv/):"
    yield from ("", "```sh", "uv run repro.py", "```", "", "or by hand:", "", "```sh")
    quoted = " ".join(f"'{one}'" for one in fault.requirements)
    yield from (f"pip install {quoted}", "python repro.py", "```", "")
    yield "It exits with 1 where the fault shows, 0 where it is gone, 2 where neither can be told;"
    yield "change the release at its top to try another one."
    yield from _model(report.model)
    yield from ("### Urgency", "", "_No response_", "")
    for heading, text in _facts(report):
        yield from (f"### {heading}", "", text, "")


def _describing(report: Report) -> Iterator[str]:
    fault = report.fault
    yield f"found by the case `{fault.case}` of ort-matrix on `{fault.cell.id}`"
    if fault.kind == "mismatch":
        yield f"the right answer is what {report.right} gives (`expected.npz`)"
        yield f"an output is wrong beyond {fault.atol:g} + {fault.rtol:g}·|right|"
    if fault.settings:
        said = ", ".join(f"{name} = {value}" for name, value in fault.settings.items())
        yield f"session settings: {said}"
    yield from report.details


def _model(text: str) -> Iterator[str]:
    shown = text if len(text) <= LONGEST_MODEL else f"{text[:LONGEST_MODEL]}\n…"
    yield from (
        "",
        "`model.onnx`, as text:",
        "",
        "```text",
        *shown.rstrip().splitlines(),
        "```",
        "",
    )


def _bisected(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what is known of other releases and of the axis that decides, as far as it was told."""
    for one in found:
        yield from (f"- {_change(change)}" for change in one.get("changes", ()))
        yield from (f"- the axis `{axis}` decides" for axis in one.get("decides", ()))
        if level := one.get("begins_at"):
            yield f"- it begins at the graph optimisation level `{level}`"
        if "decides" in one and not one["decides"]:
            yield "- none of the axes that were turned decides alone"
        yield ""
        yield from _table(
            ("release", "seen"), [(row["of"], row["said"]) for row in one.get("answers", ())]
        )
        turned = [(f"{row['axis']} = {row['value']}", row["effect"]) for row in _changing(one)]
        yield from _table(("turned", "effect"), turned)


def _change(change: Mapping[str, Any]) -> str:
    was, now = (_cell(change.get(side, "")) for side in ("was", "now"))
    return f"{change['turn']} between {change['before']} ({was}) and {change['after']} ({now})"


def _changing(one: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [row for row in one.get("tried", ()) if row["effect"] != "NOTHING"]


def _table(head: tuple[str, str], rows: Sequence[tuple[Any, Any]]) -> Iterator[str]:
    if rows:
        yield from (f"| {' | '.join(head)} |", "| --- | --- |")
        yield from (f"| {_cell(one)} | {_cell(other)} |" for one, other in rows)
        yield ""


def _cell(text: str) -> str:
    return " ".join(str(text).replace("|", "\\|").split())


def _facts(report: Report) -> Iterator[tuple[str, str]]:
    fault, host = report.fault, report.host
    variant = fault.cell.variant
    yield "Platform", host["system"]
    yield "OS Version", host["release"]
    yield "ONNX Runtime Installation", f"Released Package (`{fault.requirements[0]}`)"
    yield "ONNX Runtime Version or Commit ID", fault.cell.build.release
    yield "ONNX Runtime API", f"Python (CPython {fault.cell.python}, numpy {fault.numpy})"
    yield (
        "Architecture",
        {"x86_64": "X64", "aarch64": "ARM64"}.get(host["machine"], host["machine"]),
    )
    yield "Execution Provider", f"{variant.device} (variant `{variant.name}`)"
    yield "Execution Provider Library Version", "_No response_"
