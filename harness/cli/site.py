"""What the site of a run is made of, put together for `report --html`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.cli.arguments import triage_folder
from harness.corpus.onnx_suite import onnx_cases
from harness.corpus.operators import operators_of
from harness.environments.interpreter import cache_root
from harness.report.html.past import past_of
from harness.report.html.site import Material, write_site
from harness.store.archive import Archive
from harness.store.run import read_run
from harness.suites import VERSIONS
from harness.triage.compare import compare
from harness.triage.lookback import flaky_among

if TYPE_CHECKING:
    from pathlib import Path

    from harness.report.summary import CellSummary
    from harness.store.run import Run
    from harness.triage.compare import Comparison


def write(folder: Path, runs: Path, run: Run, cells: list[CellSummary]) -> list[str]:
    """Write the site of a run, compared with the one before, and return which runs it lacks."""
    with Archive(runs) as archive:
        past = past_of(archive, run.id)
        before = read_run(runs, past.runs[-2].head.id) if len(past.runs) > 1 else None
        comparison = None if before is None else _compared(before, run, archive)
        refused = archive.refused
    why = _why_no_operators(run)
    material = Material(
        run=run,
        cells=cells,
        past=past,
        comparison=comparison,
        operators={} if why else operators_of(onnx_cases(cache_root())),
        why_no_operators=why,
        triage=triage if (triage := triage_folder(run.id)).is_dir() else None,
    )
    write_site(folder, material)
    return refused


def _compared(old: Run, new: Run, archive: Archive) -> Comparison:
    comparison = compare(old, new)
    flaky = flaky_among(comparison, new, archive)
    return compare(old, new, flaky=flaky) if flaky else comparison


def _why_no_operators(run: Run) -> str:
    """Return why the models that are here cannot say which operators the run's cases have."""
    here, there = VERSIONS["onnx"], run.suites.get("onnx", VERSIONS["onnx"])
    if here == there:
        return ""
    return f"The run's cases are those of onnx {there}; the models that are here are of {here}."
