"""What runs are stored, in the order in which they began, and which of them a name means."""

from __future__ import annotations

import json
import re
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from harness.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

LATEST = "latest"

SHOWN = 5
"""How many of the runs that a name could mean are told."""

_FROM_LATEST = re.compile(rf"{LATEST}(~(\d+))?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_EVER = datetime.max.replace(tzinfo=UTC)


def new_run_id() -> str:
    """Return a name for a run that is not taken and says when it was made."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def run_ids(runs: Path) -> list[str]:
    """Return the ids of the runs that are stored, the one that began first before the others."""
    return list(run_starts(runs))


def run_starts(runs: Path) -> dict[str, datetime]:
    """Return when each stored run began, by its id, the earliest first.

    A run of which no part says when counts as begun when its first part was last written.
    """
    if not runs.is_dir():
        return {}
    folders = [path for path in runs.iterdir() if not path.name.startswith(".")]
    starts = {path.name: start for path in folders if (start := _start(path)) is not None}
    return dict(sorted(starts.items(), key=lambda found: (found[1], found[0])))


def the_run(runs: Path, name: str) -> str:
    """Return the id of the run that `name` means: an id, or what begins only one, or a date.

    ``latest`` is the one that began last and ``latest~1`` the one before it; a date as in
    2026-11-24 is the one that began on that day in UTC. Raise ConfigurationError for a name that
    means no run, or several.
    """
    starts = run_starts(runs)
    ids = list(starts)
    if name in starts:
        return name
    if match := _FROM_LATEST.fullmatch(name):
        back = int(match[2] or 0)
        if back < len(ids):
            return ids[-1 - back]
        raise ConfigurationError(f"{runs}: no run '{name}'; {_known(ids)}")
    if _DATE.fullmatch(name):
        found = [run for run, start in starts.items() if f"{start:%Y-%m-%d}" == name]
    else:
        found = [run for run in ids if run.startswith(name)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise ConfigurationError(f"{runs}: no run '{name}'; {_known(ids)}")
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    raise ConfigurationError(
        f"{runs}: '{name}' could be any of {', '.join(found[-SHOWN:])}{more}; give more of the id"
    )


def _known(ids: list[str]) -> str:
    if not ids:
        return "no run is stored there yet"
    return f"the newest of {len(ids)} is {ids[-1]}" if len(ids) > 1 else f"the only one is {ids[0]}"


def _start(folder: Path) -> datetime | None:
    """Return when the run in a folder began; None for a folder without any part."""
    parts = list(folder.glob("*.jsonl"))
    if not parts:
        return None
    said = [start for part in parts if (start := _said(part)) is not None]
    return min(said, default=None) or datetime.fromtimestamp(
        min(part.stat().st_mtime for part in parts), UTC
    )


def _said(part: Path) -> datetime | None:
    """Return when a part says that it was begun."""
    with part.open("rb") as lines:
        line = lines.readline()
    try:
        said = datetime.fromisoformat(json.loads(line)["started"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return said if said.tzinfo else said.replace(tzinfo=UTC)
