"""Each axis is named where it decides, on a real build with a fault that hangs on it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.controller.cell import Program
from harness.environments.interpreter import cache_root
from harness.environments.sources import Sources
from harness.investigation.flipping import Flipping
from harness.matrix import read_matrix
from harness.probing import Probes, Subject
from harness.properties.search import Profile, Search
from harness.selection import the_case
from harness.suites import Suites
from harness.triage.attribution import Axis, Effect, Tried, deciding
from tests.end_to_end.conftest import write_case

ROOT = Path(__file__).parents[2]


def tried(folder: Path, cell_name: str, axis: str, value: str) -> list[Tried]:
    """Return every turn of a case on a build that is wrong but for one value of an axis."""
    one = np.array([1, 2], np.int32)
    write_case(folder / "mine" / "add", "Add", [one, one], one + one)
    matrix, sources = read_matrix(ROOT / "matrix.toml"), Sources(cache=cache_root())
    program = Program(arguments=("-m", "fixtures.defects.axes", axis, value), folder=ROOT)
    search = Search.of(Profile.CI, folder / "examples")
    suites = Suites(matrix, ROOT, sources, search, [folder / "mine"])
    subject = Subject(suite="mine", case=the_case(suites.cases("mine"), "mine/add"))
    with Probes(matrix, sources, program) as probes:
        flipping = Flipping(probes, subject, matrix.cell(cell_name))
        failure = flipping.start().failure
        assert failure is not None
        return [one for one in flipping.tried(failure, ()) if isinstance(one, Tried)]


@pytest.mark.parametrize(
    ("axis", "value", "named"),
    [
        ("optimisation", "none", Axis.OPTIMISATION),
        ("execution", "parallel", Axis.EXECUTION),
        ("intra_threads", "2", Axis.INTRA_THREADS),
        ("inter_threads", "2", Axis.INTER_THREADS),
        ("arena", "False", Axis.ARENA),
        ("memory_pattern", "False", Axis.MEMORY_PATTERN),
        ("numpy", "2.0", Axis.NUMPY),
    ],
)
def test_an_axis_is_named_where_it_decides(
    tmp_path: Path, axis: str, value: str, named: Axis
) -> None:
    """The turn to the value that is right mends it; no other axis is named."""
    found = tried(tmp_path, "cpu", axis, value)

    mends = [one for one in found if one.effect is Effect.MENDS]
    assert named in deciding(found)
    assert all(one.flip.axis is named or value in one.flip.settings.values() for one in mends)


@pytest.mark.parametrize(
    ("axis", "value", "named"),
    [
        ("provider", "CPUExecutionProvider", Axis.PROVIDER),
        ("precision", "ACCURACY", Axis.PROVIDER_OPTION),
        ("ONEDNN_MAX_CPU_ISA", "AVX2", Axis.CPU_FEATURES),
    ],
)
def test_what_a_provider_brings_is_named_where_it_decides(
    tmp_path: Path, axis: str, value: str, named: Axis
) -> None:
    """The EP itself, an option of it, and what its library may use of the processor."""
    found = tried(tmp_path, "openvino", axis, value)

    assert deciding(found) == (named,)
