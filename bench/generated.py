"""How many generated cases a build takes in a second, isolation included, and what isolation costs.

Each case is opened twice, with and without optimisations, run three times and compared with the
reference evaluator's answer, in a process that may die. The peer is the same worker's bare session
of one node, created, run and released twice: what two sessions of the smallest model cost.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from harness.controller.cell import CellUnderTest
from harness.environments.interpreter import cache_root
from harness.environments.sources import Sources
from harness.generate.cases import descriptions
from harness.matrix import read_matrix
from harness.sweeping.observing import sights
from harness.sweeping.pack import packed_cases
from harness.wire.catalogue.procedures import CANARY_BUILD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.corpus.generated.record import Packed

ROOT = Path(__file__).parents[1]
DEADLINE_S = 10.0
CASES = 4000
ROUNDS = 3
CANARIES = 1000


def main() -> None:
    """Measure and print."""
    sources = Sources(cache=cache_root())
    began = time.perf_counter()
    cases = packed_cases(list(descriptions((), 1, CASES)), sources.cache).cases
    print(f"{len(cases):,} cases made or read in {time.perf_counter() - began:.1f} s")
    opened = CellUnderTest.open(read_matrix(ROOT / "matrix.toml").cell("cpu"), sources)
    try:
        with tempfile.TemporaryDirectory() as folder:
            rates = [_rate(opened, cases, Path(folder, str(at))) for at in range(ROUNDS)]
        smallest = _canaries(opened)
    finally:
        opened.close()
    rate = statistics.median(rates)
    told = ", ".join(f"{one:,.0f}" for one in rates)
    print(f"{rate:,.0f} generated cases a second on {os.cpu_count()} cores ({told})")
    print(
        f"two bare sessions: {smallest / 2:,.0f} a second; a case costs {smallest / 2 / rate:.2f}"
    )


def _rate(opened: CellUnderTest, cases: Sequence[Packed], folder: Path) -> float:
    began = time.perf_counter()
    found = sights(opened, cases, folder, deadline_s=DEADLINE_S)
    assert len(found) == len(cases)
    return len(cases) / (time.perf_counter() - began)


def _canaries(opened: CellUnderTest) -> float:
    """Return how many bare sessions a second there are, one worker for each core."""
    began = time.perf_counter()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda _: opened.ask(CANARY_BUILD, {}, DEADLINE_S), range(CANARIES)))
    return CANARIES / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
