"""What a triage of the run found out: read from its folder, and shown beside the failures."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.report.triaged import CAUSE, REPRODUCER

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "triage"
"""Where the folders of the causes stand in the site."""


@dataclass(frozen=True, kw_only=True)
class LookedInto:
    """One cause, with what decides it and since when it is there."""

    signature: str
    cell: str
    cases: int
    decides: str
    since: str
    href: str
    """Of the page of the cause."""
    reproducer: str
    """Of the program that shows it alone; empty where there is none."""


def looked_into(folder: Path) -> tuple[LookedInto, ...]:
    """Return the causes that are whole in the folder of a triage, those of most cases first."""
    found = [_cause(path.parent.name, json.loads(path.read_bytes())) for path in _files(folder)]
    return tuple(sorted(found, key=lambda one: (-one.cases, one.href)))


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.glob(f"*/{CAUSE}") if not path.parent.name.startswith(".")]


def _cause(name: str, data: dict[str, Any]) -> LookedInto:
    decides = ", ".join(data["decides"]) or "; ".join(data["trouble"]) or "none alone"
    return LookedInto(
        signature=data["signature"],
        cell=data["cell"],
        cases=len(data["cases"]),
        decides=decides,
        since="; ".join(data["changes"]) or "no change",
        href=f"{FOLDER}/{name}/README.md",
        reproducer=f"{FOLDER}/{name}/{REPRODUCER}/repro.py" if data["reproducer"] else "",
    )
