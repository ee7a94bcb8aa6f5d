"""The failures of a run by what they have in common: one cause, one case to look into; pure."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.signatures import Signature, signature

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.results import CaseResult


@dataclass(frozen=True, kw_only=True)
class Cause:
    """The failures on one cell that have one signature."""

    cell: str
    signature: Signature
    results: tuple[CaseResult, ...]

    @property
    def representative(self) -> CaseResult:
        """The result to look into: the one that is asked fastest."""
        return min(self.results, key=lambda one: (one.duration_s, one.case))

    @property
    def cases(self) -> tuple[str, ...]:
        """Which cases, in order."""
        return tuple(sorted(result.case for result in self.results))

    @property
    def name(self) -> str:
        """What a folder of this cause is called: the same whenever it is met again."""
        key = hashlib.sha256(f"{self.cell} {self.signature}".encode()).hexdigest()[:8]
        words = re.sub(r"[^a-z0-9]+", "-", str(self.signature).lower()).strip("-")
        return f"{self.cell}-{words[:40].strip('-')}-{key}"


def causes(results: Iterable[CaseResult]) -> tuple[Cause, ...]:
    """Return the causes of failures, those of most cases first."""
    found: dict[tuple[str, Signature], list[CaseResult]] = {}
    for result in results:
        found.setdefault((result.cell, signature(result)), []).append(result)
    made = (
        Cause(cell=cell, signature=of, results=tuple(together))
        for (cell, of), together in found.items()
    )
    return tuple(sorted(made, key=lambda one: (-len(one.results), one.cell, one.signature)))
