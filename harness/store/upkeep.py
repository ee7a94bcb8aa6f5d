"""Runs put together from shards and machines, and old ones thrown away; each all or nothing."""

from __future__ import annotations

import filecmp
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import ConfigurationError
from harness.store.names import run_ids, the_run
from harness.store.run import read_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

IN_USE_S = 3600.0
"""A run that has not ended counts as being written until this long after its last line."""


def merge(runs: Path, names: Sequence[str], into: str) -> Path:
    """Return the new run `into`, with the parts of all these runs: stored ones, or folders.

    A folder is one that holds parts, or any above them, as what CI gives back of its jobs. Readers
    see the run when it is whole. Raise ConfigurationError for a name that means no run, for a run
    that cannot be read, and where `into` exists.
    """
    target = runs / into
    if target.exists():
        raise ConfigurationError(f"{target}: there is a run of this name already")
    folders = [folder for name in names for folder in _folders(runs, name)]
    try:
        runs.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".merge-", dir=runs) as unfinished:
            for folder in folders:
                read_folder(folder)  # a run of another schema is refused here
                for part in sorted(folder.glob("*.jsonl")):
                    _copy(part, Path(unfinished))
            Path(unfinished).chmod(0o755)
            Path(unfinished).rename(target)
            Path(unfinished).mkdir()  # what ends the block wants something to delete
    except OSError as error:
        raise ConfigurationError(f"{target}: the run cannot be written: {error}") from error
    return target


def prune(runs: Path, keep: int) -> list[str]:
    """Return the ids of the runs that were deleted: all but the newest `keep`.

    A run that somebody may still be writing stays.
    """
    deleted = []
    for run in run_ids(runs)[: -keep or None]:
        folder = runs / run
        if _is_in_use(folder):
            continue
        hidden = folder.with_name(f".deleted-{run}")
        try:
            folder.rename(hidden)  # at once, so that nobody reads half a run
            shutil.rmtree(hidden)
        except OSError as error:
            raise ConfigurationError(f"{folder}: cannot be deleted: {error}") from error
        deleted.append(run)
    return deleted


def _folders(runs: Path, name: str) -> Iterator[Path]:
    """Return the folder of a stored run, or every folder with parts in and below a path."""
    if name not in run_ids(runs) and Path(name).is_dir():
        found = sorted({part.parent for part in Path(name).rglob("*.jsonl")})
        if not found:
            raise ConfigurationError(f"{name}: no run is in this folder")
        yield from found
    else:
        yield runs / the_run(runs, name)


def _copy(part: Path, folder: Path) -> None:
    """Copy a part under a name that is free; one that is there already is not copied again."""
    target, number = folder / part.name, 1
    while target.exists():
        if filecmp.cmp(part, target, shallow=False):
            return
        number += 1
        target = folder / f"{part.stem}-{number}.jsonl"
    shutil.copy2(part, target)


def _is_in_use(folder: Path) -> bool:
    written = max(part.stat().st_mtime for part in folder.glob("*.jsonl"))
    if time.time() - written > IN_USE_S:
        return False
    run = read_folder(folder)
    return run.ended < run.begun
