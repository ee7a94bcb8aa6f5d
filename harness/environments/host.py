"""A host as facts, and what they say about running a cell there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.matrix import Cell


@dataclass(frozen=True, kw_only=True)
class Host:
    """The facts about a host that decide which cells it can run."""

    platform: str
    """As in 'linux-x86_64'."""
    pythons: tuple[str, ...]
    """The versions found, as in '3.11'."""
    devices: tuple[str, ...]
    """Those of the matrix's device files that exist."""


def why_not_installable(cell: Cell, host: Host) -> str | None:
    """Return why the cell's environment cannot be made on this host; None if it can."""
    if host.platform not in cell.variant.platforms:
        return f"its platforms are {' or '.join(cell.variant.platforms)}; this is {host.platform}"
    if cell.python not in host.pythons:
        return f"this host has no Python {cell.python}, only {', '.join(host.pythons)}"
    return None


def why_no_device(cell: Cell, host: Host) -> str | None:
    """Return why this host has nothing for the cell's execution provider; None if it has."""
    wanted = cell.variant.host_devices
    if wanted and not set(wanted) & set(host.devices):
        return f"no {cell.variant.device} device on this host: no {' or '.join(wanted)}"
    return None


def why_not_runnable(cell: Cell, host: Host) -> str | None:
    """Return why this host cannot run the cell as it is meant; None if it can."""
    return why_not_installable(cell, host) or why_no_device(cell, host)
