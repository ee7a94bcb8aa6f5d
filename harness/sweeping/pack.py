"""A pack of generated cases with the reference evaluator's answers: made once, read by every build.

A pack is a folder with ``cases.jsonl`` (a record a line) and files of bytes, in the cache by the
generator's version, operators, seed and count; made aside and renamed, so that a half-made one is
never read.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import harness
from harness.controller.process import Launch
from harness.controller.supervisor import Supervisors
from harness.corpus.generated.record import Packed
from harness.corpus.making import made_once
from harness.generate.description import GENERATOR_VERSION
from harness.sweeping.batches import Ended, Told, answered_all
from harness.wire.messages import Request
from harness.wire.providers import DeviceRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.cases import Worker
    from harness.generate.description import Description
    from harness.results import Observed

FORMAT = 1
"""Raised when what a pack holds changes, or how the reference's answers are taken."""

BATCH = 100
DEADLINE_S = 20.0
"""For a batch, which takes a second; and for a case alone."""
MEMORY_MIB = 3072

INDEX = "cases.jsonl"


@dataclass(frozen=True, kw_only=True)
class Pack:
    """Generated cases, and those that could not be made."""

    cases: tuple[Packed, ...]
    lost: tuple[str, ...]
    """Descriptions over which the generator itself hangs or dies."""


def packed_cases(descriptions: Sequence[Description], cache: Path) -> Pack:
    """Return the cases, from the cache or made now over all cores.

    Raise HarnessFaultError where the generator raises.
    """
    folder = cache / "generated" / _key(descriptions)
    return made_once(
        folder,
        lambda found: _read(found, len(descriptions)),
        lambda making: _fill(making, folder, descriptions),
    )


def _key(descriptions: Sequence[Description]) -> str:
    """Return what changes with the cases, the generator and the evaluator."""
    digest = hashlib.sha256(f"{FORMAT} {GENERATOR_VERSION} onnx-{version('onnx')}\n".encode())
    for source in sorted((Path(harness.__file__).parent / "generate").rglob("*.py")):
        digest.update(source.read_bytes())  # while it is being worked on, its version says little
    for description in descriptions:
        digest.update(f"{description}\n".encode())
    return digest.hexdigest()[:16]


def _read(folder: Path, count: int) -> Pack | None:
    """Return the pack in a folder; None where it is not there, or has lost something."""
    try:
        lines = [json.loads(line) for line in (folder / INDEX).read_bytes().splitlines()]
        sizes = lines.pop(0)["sizes"]
        whole = all((folder / name).stat().st_size == size for name, size in sizes.items())
        if not whole or len(lines) != count:
            return None
        lost = tuple(line["lost"] for line in lines if "lost" in line)
        cases = tuple(Packed.from_json(line) for line in lines if "lost" not in line)
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError):
        return None
    return Pack(cases=cases, lost=lost)


def _fill(making: Path, folder: Path, descriptions: Sequence[Description]) -> None:
    supervisors = Supervisors(_launch())
    try:
        asked = _Asked(supervisors, making, folder)
        texts = [str(one) for one in descriptions]
        lines = [_line(text, found, asked) for text, found in asked.all(texts, making.parent)]
    finally:
        supervisors.close()
    sizes = {path.name: path.stat().st_size for path in making.iterdir()}
    written = "".join(f"{json.dumps(line)}\n" for line in [{"sizes": sizes}, *lines])
    (making / INDEX).write_text(written)


class _Asked:
    """The process that makes cases, asked for many at once."""

    def __init__(self, supervisors: Supervisors, making: Path, folder: Path) -> None:
        self._supervisors = supervisors
        self._making = making
        self._folder = folder

    def all(self, texts: list[str], reports: Path) -> list[tuple[str, Told | Ended]]:
        """Return what came of each description."""
        workers = os.cpu_count() or 1
        found = answered_all(texts, self._with_votes, reports, size=BATCH, workers=workers)
        return list(zip(texts, found, strict=True))

    def without_vote(self, text: str) -> dict[str, object] | None:
        """Return the line of a case over which the evaluator ended; None if making it does so."""

        def ask(items: Sequence[str], report: Path, worker: Worker) -> Observed:
            return self._asked(items, report, worker, votes=False)

        (found,) = answered_all([text], ask, self._making.parent, size=1, workers=1)
        return found.line if isinstance(found, Told) else None

    def _with_votes(self, items: Sequence[str], report: Path, worker: Worker) -> Observed:
        return self._asked(items, report, worker, votes=True)

    def _asked(
        self, items: Sequence[str], report: Path, worker: Worker, *, votes: bool
    ) -> Observed:
        name = f"data-{hashlib.sha256(' '.join(items).encode()).hexdigest()[:12]}-{votes:d}.bin"
        arguments = {
            "descriptions": list(items),
            "data": str(self._making / name),
            "placed": str(self._folder / name),
            "report": str(report),
            "votes": votes,
        }
        request = Request(procedure="generate", device=DeviceRequest.CPU, arguments=arguments)
        with self._supervisors.lent() as supervisor:
            return supervisor.execute(request, deadline_s=DEADLINE_S, worker=worker)


def _line(text: str, found: Told | Ended, asked: _Asked) -> dict[str, object]:
    if isinstance(found, Told):
        return found.line
    return asked.without_vote(text) or {"lost": text}


def _launch() -> Launch:
    root = Path(harness.__file__).parents[1]
    return Launch(
        command=(sys.executable, "-X", "faulthandler", "-m", "harness.corpus.generated"),
        # The evaluator's matrices are small: more threads only take turns.
        environment={"PYTHONPATH": str(root), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        memory_limit_mib=MEMORY_MIB,
    )
