"""The smallest leak that the suite `leaks` sees: planted ones of falling size, each asked for anew.

The smallest seen is the last size of which every repeat was caught, sizes falling from the largest.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.controller.cell import CellUnderTest, Program
from harness.environments.interpreter import cache_root
from harness.environments.sources import Sources
from harness.matrix import read_matrix
from harness.wire.catalogue.leaks import OPEN_CLOSE, SAME_INPUTS
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from harness.results import Observed

ROOT = Path(__file__).parents[1]
DEADLINE_S = 120.0
REPEATS = 3
OF_OPENS = (1024, 512, 256, 128)
OF_RUNS = (128, 100, 64, 48)


def main() -> None:
    """Measure and print."""
    for kind, sizes in (
        ("native-open", OF_OPENS),
        ("python-open", OF_OPENS),
        ("native-run", OF_RUNS),
        ("python-run", OF_RUNS),
    ):
        smallest, cycles = _smallest(kind, sizes)
        print(f"{kind}: {smallest} bytes a cycle, in {cycles} cycles, {REPEATS} of {REPEATS} times")


def _smallest(kind: str, sizes: tuple[int, ...]) -> tuple[int, int]:
    """Return the smallest size that was always seen, and in how many cycles at most."""
    seen = (0, 0)
    for size in sizes:
        found = [_observed(kind, size) for _ in range(REPEATS)]
        if any(one.outcome is not Outcome.FAIL for one in found):
            break
        seen = (size, max(map(_cycles, found)))
    return seen


def _observed(kind: str, size: int) -> Observed:
    """Return what the case observed of a worker that leaks so much."""
    arguments = ("-m", "fixtures.defects.sized_leaks", kind, str(size))
    program = Program(arguments=arguments, folder=ROOT)
    cell = read_matrix(ROOT / "matrix.toml").cell("cpu")
    opened = CellUnderTest.open(cell, Sources(cache=cache_root()), program)
    try:
        case = OPEN_CLOSE if kind.endswith("-open") else SAME_INPUTS
        return opened.ask(case, {}, DEADLINE_S)
    finally:
        opened.close()


def _cycles(observed: Observed) -> int:
    """Return how many cycles an observation took, those of the warm-up included."""
    answer = observed.evidence.answer
    windows = len(answer["native heap"]["levels"]) - 1
    return int(answer["cycles of warm-up"] + windows * answer["cycles a window"])


if __name__ == "__main__":
    main()
