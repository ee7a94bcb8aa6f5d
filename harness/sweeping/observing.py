"""Generated cases on one cell: what the build makes of each, and its answers kept for comparing."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.cases import Worker
from harness.errors import HarnessFaultError
from harness.sweeping.batches import Ended, Told, answered_all
from harness.triage.generated.sights import Sight
from harness.wire.catalogue.generated import GENERATED, GENERATED_COMPARED
from harness.wire.generated import Pair, Seen, Way
from harness.wire.messages import Evidence
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.controller.cell import CellUnderTest
    from harness.corpus.generated.record import Packed
    from harness.results import Observed

WORKERS = os.cpu_count() or 1
"""Each has one thread."""

BATCH = 60
"""Cases in a request: a worker that dies takes little with it, and a request costs little."""


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How generated cases are carried out."""

    ways: tuple[Way, ...] = (Way.DEFAULT, Way.UNOPTIMISED)
    twice: bool = True
    worker: Worker = Worker.ANY
    """Worker.OTHER: where memory that was never set looks different; FRESH: one for each case."""


def sights(
    opened: CellUnderTest,
    cases: Sequence[Packed],
    folder: Path,
    *,
    deadline_s: float,
    manner: Manner | None = None,
) -> list[Sight]:
    """Return what the cell makes of each case; its answers are kept in `folder`.

    Raise HarnessFaultError for a fault of our own.
    """
    how = manner or Manner()
    folder.mkdir(parents=True, exist_ok=True)
    by_description = {case.description: at for at, case in enumerate(cases)}

    def ask(items: Sequence[Packed], report: Path, worker: Worker) -> Observed:
        arguments: dict[str, Any] = {
            "cases": [case.asked.to_json() for case in items],
            "report": str(report),
            "outputs": str(folder / f"outputs-{by_description[items[0].description]}.bin"),
            "ways": list(how.ways),
            "twice": how.twice,
            "memory_mib": opened.cell.variant.limits.memory_mib,
        }
        chosen = how.worker if worker is Worker.ANY else worker
        return opened.ask(GENERATED, arguments, deadline_s, chosen)

    size = 1 if how.worker is Worker.FRESH else BATCH
    found = answered_all(cases, ask, folder, size=size, workers=WORKERS)
    return [_sight(one) for one in found]


def compared(
    opened: CellUnderTest, pairs: Sequence[Pair], folder: Path, *, deadline_s: float
) -> list[str]:
    """Return how the answers of each pair differ; "" where they agree."""
    folder.mkdir(parents=True, exist_ok=True)

    def ask(items: Sequence[Pair], report: Path, worker: Worker) -> Observed:
        arguments = {"pairs": [pair.to_json() for pair in items], "report": str(report)}
        return opened.ask(GENERATED_COMPARED, arguments, deadline_s, worker)

    found = list(answered_all(pairs, ask, folder, size=10 * BATCH, workers=WORKERS))
    if ended := next((one for one in found if isinstance(one, Ended)), None):
        raise HarnessFaultError(f"two answers cannot be compared: {ended.observed.evidence.text}")
    return [one.line["unlike"] for one in found if not isinstance(one, Ended)]


def _sight(found: Told | Ended) -> Sight:
    if isinstance(found, Ended):
        return Sight(outcome=found.observed.outcome, ending=found.observed.evidence)
    line = dict(found.line)
    spoilt = line.pop("spoilt", None)
    if "ended" in line:
        ended = line["ended"]
        ending = Evidence(text=ended["text"], signal=ended.get("signal", ""))
        return Sight(outcome=Outcome(ended["outcome"]), ending=ending)
    said = spoilt["text"] if spoilt else ""
    if found.spoilt is not None:
        said = found.spoilt.evidence.text
    return Sight(seen=Seen.from_json(line), spoilt=said)
