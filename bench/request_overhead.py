"""What one request costs beyond its case: JSON both ways, the channel, two process switches.

The requests carry the arguments of the onnx suite's own cases and ask the worker to do nothing with
them. The peer is the same worker's bare session of one node, created, run and released: what even
the smallest case costs.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.controller.cell import CellUnderTest
from harness.corpus.onnx_suite import onnx_cases
from harness.environments.interpreter import cache_root
from harness.environments.sources import Sources
from harness.matrix import read_matrix
from harness.wire.catalogue.procedures import CANARY_BUILD, NOTHING

if TYPE_CHECKING:
    from harness.wire.catalogue.procedures import Procedure

ROOT = Path(__file__).parents[1]
DEADLINE_S = 30.0
NODE_CASES = 1884
ROUNDS = 3


def main() -> None:
    """Measure and print."""
    sources = Sources(cache=cache_root())
    cell = CellUnderTest.open(read_matrix(ROOT / "matrix.toml").cell("cpu"), sources)
    cases = [case for case in onnx_cases(sources.cache) if case.id.startswith("onnx/node/")]
    assert len(cases) == NODE_CASES
    requests: list[float] = []
    smallest: list[float] = []
    for _ in range(ROUNDS):
        requests += [_seconds(cell, NOTHING, case.arguments) for case in cases]
        smallest += [_seconds(cell, CANARY_BUILD, {}) for _ in cases]
    cell.close()
    cost, least = statistics.median(requests), statistics.median(smallest)
    worst = sorted(requests)[int(0.99 * len(requests))]
    print(f"a request: median {cost * 1e3:.3f} ms, 99th percentile {worst * 1e3:.3f} ms")
    print(f"the smallest case: median {least * 1e3:.3f} ms; a request is {cost / least:.2f} of it")


def _seconds(cell: CellUnderTest, what: Procedure, arguments: dict[str, Any]) -> float:
    began = time.perf_counter()
    cell.ask(what, arguments, DEADLINE_S)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
