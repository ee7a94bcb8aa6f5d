"""Each build that is known to be bad gets a folder that shows it, in an environment of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.corpus.reference import Evaluator
from harness.probing import Probes, Subject
from harness.reducing import showing, written
from harness.reducing.smallest import reduce_from
from harness.reducing.start import Bench as ReductionBench
from harness.selection import the_case
from tests.proof.test_controls import on_cells

if TYPE_CHECKING:
    from pathlib import Path

    from harness.reducing.written import Shown
    from tests.proof.conftest import Bench
    from tests.proof.test_controls import Control

SECONDS = 120.0


def shown(bench: Bench, cell_name: str, case_id: str, folder: Path) -> Shown:
    """Return what shows the failure of a case on a cell, reduced where there is a model."""
    cell, suite = bench.matrix.cell(cell_name), case_id.partition("/")[0]
    subject = Subject(suite=suite, case=the_case(bench.suites.cases(suite), case_id))
    with Probes(bench.matrix, bench.sources) as probes, Evaluator() as evaluator:
        tools = ReductionBench(
            probes=probes, matrix=bench.matrix, evaluator=evaluator, files=folder
        )
        return showing.shown(
            subject, cell, tools, lambda start: reduce_from(start, folder, seconds=SECONDS)
        )


@pytest.mark.parametrize(("control", "cell"), on_cells(lambda control: control.bad[-1:]))
def test_a_bad_build_is_shown(control: Control, cell: str, bench: Bench, tmp_path: Path) -> None:
    """The folder's program ends with 1 in a fresh environment; else the folder is not made."""
    found = shown(bench, cell, control.case, tmp_path)

    said = written.write_reproducer(found, tmp_path / "shown", bench.sources)

    assert said.startswith("SHOWS")
    assert (tmp_path / "shown" / "README.md").exists()
