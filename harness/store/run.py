"""Runs on disk: a run is a folder of JSON lines, one file per process that took part.

Lines are only ever appended, each in one write: whoever is killed loses at most the line that it
was writing, and several processes can write one run at once, each in its own part.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import secrets
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Self

from harness.errors import ConfigurationError
from harness.results import (
    KINDS,
    SCHEMA,
    CaseResult,
    CellRecord,
    CellState,
    EndRecord,
    PartRecord,
    Record,
    SelectionRecord,
)
from harness.store.names import LATEST, the_run

if TYPE_CHECKING:
    from pathlib import Path

_BEST_FIRST = {state: at for at, state in enumerate(CellState)}


@dataclass(kw_only=True)
class Run:
    """A run as it was read: whole, or as far as it came."""

    id: str
    folder: Path
    begun: int = 0
    """How many parts there are, one that was killed before its first line included."""
    parts: list[PartRecord] = field(default_factory=list)
    cells: dict[str, CellRecord] = field(default_factory=dict)
    """Where several processes opened one cell, the worst that was found: no outage hides."""
    results: dict[tuple[str, str], CaseResult] = field(default_factory=dict)
    """By cell and case id."""
    damage: list[str] = field(default_factory=list)
    """Lines that could not be read, each with where it stands."""
    selected: dict[tuple[str, str], int] = field(default_factory=dict)
    """By cell and suite, how many cases were to be run, by the part that says most."""
    ended: int = 0
    """How many parts came to their end."""

    @property
    def started(self) -> str:
        """When its first part began, in ISO 8601 with offset; empty where no part says so."""
        return min((part.started for part in self.parts), key=datetime.fromisoformat, default="")

    @property
    def suites(self) -> dict[str, str]:
        """The version of each suite that has one."""
        return {suite: of for part in self.parts for suite, of in part.suites.items()}

    @property
    def complete(self) -> bool:
        """Whether every part came whole to its end and every selected case has a result."""
        found = Counter((result.cell, result.suite) for result in self.results.values())
        all_there = all(found[key] >= count for key, count in self.selected.items())
        return all_there and not self.damage and self.ended == self.begun > 0


class PartWriter:
    """Appends one process's records to a run."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def open(cls, runs: Path, run: str, *, part: str, suites: dict[str, str]) -> Self:
        """Begin a part of a run; raise ConfigurationError where it cannot be written."""
        path = runs / run / f"{part}-{os.getpid()}-{secrets.token_hex(2)}.jsonl"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_EXCL, 0o644)
        except OSError as error:
            raise ConfigurationError(f"{path}: the run cannot be written: {error}") from error
        writer = cls(descriptor)
        writer.append(
            PartRecord(
                run=run,
                started=_now(),
                harness=version("ort-matrix"),
                suites=suites,
                host=f"{platform.system()} {platform.machine()}",
            )
        )
        return writer

    def __enter__(self) -> Self:
        """Return the writer, to be closed when the block ends."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End the part; one whose block raised stays without an end, as one that was cut off."""
        if kind is None:
            self.close()
        else:
            os.close(self._descriptor)

    def append(self, record: Record) -> None:
        """Write one record; raise ConfigurationError when the disk takes no more."""
        kind = next(name for name, of in KINDS.items() if isinstance(record, of))
        line = json.dumps({"record": kind, **record.to_json()}, separators=(",", ":")) + "\n"
        data = line.encode()
        try:
            while data:  # a full disk may take half a line first
                data = data[os.write(self._descriptor, data) :]
        except OSError as error:
            raise ConfigurationError(f"a result cannot be written: {error}") from error

    def close(self) -> None:
        """End the part; on a full disk it stays without an end, as one that was cut off."""
        with contextlib.suppress(ConfigurationError):
            self.append(EndRecord(ended=_now()))
        os.close(self._descriptor)


def read_run(runs: Path, run: str = LATEST) -> Run:
    """Return the stored run that a name means, as `the_run` has it.

    Damaged lines are told in it and the rest is read. Raise ConfigurationError for a run that is
    not there or was written by another version in a way that this one would misread.
    """
    return read_folder(runs / the_run(runs, run))


def read_folder(folder: Path) -> Run:
    """Return the run in a folder, wherever it stands, as `read_run` does."""
    read = Run(id=folder.name, folder=folder)
    for path in sorted(folder.glob("*.jsonl")):
        _read_part(path, read)
    return read


def _read_part(path: Path, run: Run) -> None:
    run.begun += 1
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            record = _record(json.loads(line), f"{path}:{number}")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            run.damage.append(f"{path.name}:{number}: {error}")
            continue
        match record:
            case PartRecord():
                run.parts.append(record)
            case CellRecord():
                known = run.cells.get(record.cell, record)
                run.cells[record.cell] = max(known, record, key=lambda one: _BEST_FIRST[one.state])
            case SelectionRecord():
                key = record.cell, record.suite
                run.selected[key] = max(record.cases, run.selected.get(key, 0))
            case CaseResult():
                run.results[record.cell, record.case] = record
            case EndRecord():
                run.ended += 1


def _record(data: dict[str, Any], where: str) -> Record:
    kind = KINDS[data.pop("record")]
    if kind is PartRecord and data.get("schema") != SCHEMA:
        raise ConfigurationError(
            f"{where}: schema {data.get('schema')}, this version reads {SCHEMA}"
        )
    return kind.from_json(data)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
