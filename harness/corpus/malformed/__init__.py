"""Models that are wrong in one stated way each: the suite `malformed`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from harness.cases import Case


def malformed_cases(cache: Path) -> list[Case]:
    """Return the cases, packed under `cache` once for each version of them."""
    del cache
    return []
