"""Many items in one request, where each that kills or hangs the worker costs itself alone.

The other side writes a line for each item before it begins the next one, so what a dead worker
finished is known, and which item it died of. That one is asked again alone, of a fresh worker: what
is told of it is what it does there. The rest is asked again from the next one on. An error of ours
is none where it does not come again alone: who writes beyond his memory may hit Python's objects.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from harness.cases import Worker
from harness.errors import HarnessFaultError
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from harness.results import Observed

LEAST_FREE = 2**20
"""With fewer bytes left a disk takes no report and no answer."""

T = TypeVar("T")
Item_contra = TypeVar("Item_contra", contravariant=True)


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How an item ended the worker when it was asked alone."""

    observed: Observed


@dataclass(frozen=True, kw_only=True)
class Told:
    """What the other side wrote of an item."""

    line: dict[str, Any]
    spoilt: Observed | None = None
    """How the worker ended at this item behind others, though alone it comes to this line."""


class AskMany(Protocol[Item_contra]):
    """How several items reach the other side in one request, which writes its lines to `report`."""

    def __call__(self, items: Sequence[Item_contra], report: Path, worker: Worker, /) -> Observed:
        """Return how the request came out: PASS where every item has its line."""


def answered_all(
    items: Sequence[T], ask: AskMany[T], folder: Path, *, size: int, workers: int
) -> Iterator[Told | Ended]:
    """Return what came of each item, in order; `size` at a time, by so many workers at once.

    `folder` is for the reports. Raise HarnessFaultError where the other side answers neither with a
    line nor by ending, OSError where it cannot because the disk is full.
    """
    batches = [items[at : at + size] for at in range(0, len(items), size)]

    def answered_batch(numbered: tuple[int, Sequence[T]]) -> list[Told | Ended]:
        at, batch = numbered
        return list(_answered(batch, ask, folder / f"report-{at}.jsonl"))

    pool = ThreadPoolExecutor(max_workers=workers)
    try:
        for found in pool.map(answered_batch, enumerate(batches)):
            yield from found
    finally:  # whoever is interrupted closes the workers next, which ends what is still asked
        pool.shutdown(wait=False, cancel_futures=True)


def _answered(batch: Sequence[T], ask: AskMany[T], report: Path) -> Iterator[Told | Ended]:
    rest = batch
    while rest:
        observed, lines = _asked(rest, ask, report, Worker.ANY)
        yield from (Told(line=line) for line in lines)
        rest = rest[len(lines) :]
        if not rest:
            return
        if observed.outcome is not Outcome.HARNESS_FAULT:  # behind others it may be their doing
            _check(observed, report.parent)
        yield _alone(rest[0], observed, ask, report)
        rest = rest[1:]


def _alone(item: T, in_company: Observed, ask: AskMany[T], report: Path) -> Told | Ended:
    observed, lines = _asked([item], ask, report, Worker.FRESH)
    if lines:
        return Told(line=lines[0], spoilt=in_company)
    _check(observed, report.parent)
    return Ended(observed=observed)


def _asked(
    items: Sequence[T], ask: AskMany[T], report: Path, worker: Worker
) -> tuple[Observed, list[dict[str, Any]]]:
    report.unlink(missing_ok=True)
    observed = ask(items, report, worker)
    if not report.exists():
        return observed, []
    whole, _, _ = report.read_bytes().rpartition(b"\n")
    report.unlink()
    return observed, [json.loads(line) for line in whole.splitlines()]


def _check(observed: Observed, folder: Path) -> None:
    """Raise HarnessFaultError unless the other side has ended; OSError where the disk is full."""
    if observed.outcome not in (Outcome.CRASH, Outcome.TIMEOUT):
        if shutil.disk_usage(folder).free < LEAST_FREE:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
        said = observed.evidence.traceback or observed.evidence.text
        raise HarnessFaultError(f"a batch of generated cases: {observed.outcome}: {said}")
