"""One run as a table in a Parquet file beside its lines: what questions over many runs need.

The file is a copy that can be thrown away at any moment. It says from which parts it was made and
how long each was; as parts only grow, it is true as long as these are what stands there.
"""

from __future__ import annotations

import contextlib
import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import duckdb

from harness.results import SCHEMA, CellRecord
from harness.signatures import signature
from harness.store.run import read_folder
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np

    from harness.results import CaseResult
    from harness.store.run import Run

FILE = "cases.parquet"

FORM = 1
"""Raised when the table changes, or what makes a signature: older files are then made again."""

ROWS_IN_A_GROUP = 4096
"""Rows are sorted by case: to find one, only the group that it stands in is read."""


@dataclass(frozen=True, kw_only=True)
class RunHead:
    """What is to be said of a run as a whole."""

    id: str
    complete: bool
    damage: tuple[str, ...] = ()
    suites: dict[str, str] = field(default_factory=dict)
    """The version of each suite that has one."""
    cells: tuple[CellRecord, ...] = ()
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    """By cell, how many cases had which outcome."""

    @classmethod
    def of(cls, run: Run) -> Self:
        """Return the head of a run that was read."""
        counts: dict[str, dict[str, int]] = {cell: {} for cell in run.cells}
        for result in run.results.values():
            of_cell = counts.setdefault(result.cell, {})
            of_cell[str(result.outcome)] = of_cell.get(str(result.outcome), 0) + 1
        return cls(
            id=run.id,
            complete=run.complete,
            damage=tuple(run.damage),
            suites=run.suites,
            cells=tuple(run.cells.values()),
            counts=counts,
        )

    def to_json(self) -> dict[str, Any]:
        """Return what ``from_json`` reads back."""
        return {**vars(self), "cells": [cell.to_json() for cell in self.cells]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Return the head that was written."""
        cells = tuple(CellRecord.from_json(cell) for cell in data["cells"])
        return cls(**{**data, "cells": cells, "damage": tuple(data["damage"])})


def compact(
    connection: duckdb.DuckDBPyConnection, folder: Path, into: Path | None = None
) -> RunHead:
    """Write the table of the run in `folder`, there or to the file `into`, and return its head.

    Raise ConfigurationError for a run that cannot be read, and OSError where there is no room.
    """
    sizes = _sizes(folder)  # before it is read: what is written meanwhile makes it stale
    run = read_folder(folder)
    head = RunHead.of(run)
    said = json.dumps({"form": FORM, "schema": SCHEMA, "parts": sizes, "head": head.to_json()})
    path = into or folder / FILE
    unfinished = path.with_name(f".{secrets.token_hex(4)}.{FILE}")
    connection.register("results", _columns(run))
    try:
        connection.execute(
            "COPY (SELECT * FROM results ORDER BY ALL) TO $path (FORMAT parquet, "
            "COMPRESSION zstd, ROW_GROUP_SIZE $rows, KV_METADATA {said: $said})",
            {"path": str(unfinished), "rows": ROWS_IN_A_GROUP, "said": said},
        )
        unfinished.replace(path)
    except duckdb.IOException as error:
        raise OSError(str(error)) from error
    finally:
        unfinished.unlink(missing_ok=True)
        connection.unregister("results")
    return head


def compacted_heads(
    connection: duckdb.DuckDBPyConnection, folders: Sequence[Path]
) -> dict[Path, RunHead]:
    """Return the heads of those runs, by folder, whose table is there and true."""
    files = [folder / FILE for folder in folders if (folder / FILE).is_file()]
    try:
        said = _said(connection, files)
    except duckdb.Error:  # one of them is damaged: ask each for itself
        said = {}
        for file in files:
            with contextlib.suppress(duckdb.Error):
                said |= _said(connection, [file])
    heads = {folder: _head(folder, said.get(str(folder / FILE), "")) for folder in folders}
    return {folder: head for folder, head in heads.items() if head is not None}


def _said(connection: duckdb.DuckDBPyConnection, files: Sequence[Path]) -> dict[str, str]:
    """Return what each table says of its run and of its making."""
    if not files:
        return {}
    query = (
        "SELECT file_name, decode(value) FROM parquet_kv_metadata($files) "
        "WHERE decode(key) = 'said'"
    )
    return dict(connection.execute(query, {"files": [str(file) for file in files]}).fetchall())


def _head(folder: Path, said: str) -> RunHead | None:
    """Return the head in what a table says; None where it is of another making, or untrue."""
    wanted = {"form": FORM, "schema": SCHEMA, "parts": _sizes(folder)}
    try:
        found = json.loads(said)
        if {key: found[key] for key in wanted} != wanted:
            return None
        return RunHead.from_json({**found["head"], "id": folder.name})
    except (ValueError, KeyError, TypeError):
        return None


def _sizes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in sorted(folder.glob("*.jsonl"))}


def _columns(run: Run) -> dict[str, np.ndarray]:
    import numpy as np  # noqa: PLC0415 - a third of a second, needed only to make a table

    rows = [_row(result) for result in run.results.values()]
    names = ("case", "cell", "suite", "outcome", "again", "code", "line")
    columns = dict(zip(names, zip(*(row[:-1] for row in rows), strict=True), strict=False))
    texts = {name: np.array(columns.get(name, ()), dtype=object) for name in names}
    return {**texts, "duration_s": np.array([row[-1] for row in rows], dtype=float)}


def _row(result: CaseResult) -> tuple[str, str, str, str, str, str, str, float]:
    if result.outcome is Outcome.PASS:
        code = line = ""
    else:
        of = signature(result)
        code, line = of.code, of.line
    again = (result.again if result.goes_both_ways else None) or ""
    ids = result.case, result.cell, result.suite
    return *ids, str(result.outcome), str(again), code, line, result.duration_s
