"""The worker on every release of the cpu variant; slow, because it installs all of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.version import Version

from harness.controller.cell import CellUnderTest
from harness.environments.interpreter import cache_root
from harness.environments.releases import releases
from harness.environments.sources import Sources
from harness.errors import ConfigurationError
from harness.matrix import read_matrix
from harness.results import CellState

ROOT = Path(__file__).parents[2]
OLDEST = Version("1.16.3")


@pytest.mark.slow
def test_every_release_opens_runs_and_closes_a_model() -> None:
    """From 1.16.3 to the newest, the canaries pass and the cell is READY."""
    matrix = read_matrix(ROOT / "matrix.toml")
    served = [one for one in releases(matrix.variants["cpu"]) if Version(one) >= OLDEST]
    states = {}

    for release in served:
        try:
            cell = matrix.cell(f"cpu-{release}")
        except ConfigurationError:  # no wheel of this release for the running Python
            continue
        opened = CellUnderTest.open(cell, Sources(cache=cache_root()))
        opened.close()
        states[release] = (opened.record.state, opened.record.reason)

    assert len(states) > 1
    assert {
        release: said for release, said in states.items() if said[0] is not CellState.READY
    } == {}
