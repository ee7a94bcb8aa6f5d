"""What a run records, line by line, and its JSON form."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from harness.wire.messages import Evidence, Hello, Request
from harness.wire.outcomes import Outcome
from harness.wire.records import PlainRecord

SHOWN_BY = "shown_by"
"""Under which a result that stands for many cases names the smallest in its answer."""

SCHEMA = 1
"""Raised when an older reader would misread a record."""


class CellState(StrEnum):
    """What stands behind the outcomes of a cell, the best first."""

    READY = "READY"
    NO_DEVICE = "NO_DEVICE"
    """The build works, the device it was asked for is not here: its cases are not tested."""
    BROKEN = "BROKEN"
    """The environment cannot be used, or the canary failed: an outage, never a 0 % or a skip."""


@dataclass(frozen=True, kw_only=True)
class PartRecord(PlainRecord):
    """The first line of a part: who wrote it, with what."""

    run: str
    started: str
    """ISO 8601 with offset."""
    harness: str
    suites: dict[str, str]
    """The version of each suite that has one: a trend is one only while these stay the same."""
    host: str
    schema: int = SCHEMA


@dataclass(frozen=True, kw_only=True)
class CellRecord:
    """One cell as it was found before its first case."""

    cell: str
    variant: str
    release: str
    python: str
    device: str
    state: CellState
    reason: str = ""
    hello: Hello | None = None

    def to_json(self) -> dict[str, Any]:
        """Return what ``from_json`` reads back."""
        return {**vars(self), "hello": self.hello and self.hello.to_json()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Return the record that was written."""
        hello = Hello.from_json(data["hello"]) if data["hello"] else None
        return cls(**{**data, "state": CellState(data["state"]), "hello": hello})


@dataclass(frozen=True, kw_only=True)
class Observed:
    """What was observed of one case, and how long it took from request to reply."""

    outcome: Outcome
    evidence: Evidence
    duration_s: float
    before: tuple[Carried, ...] = ()
    """What the worker had carried out last before; not told of a pass."""


@dataclass(frozen=True, kw_only=True)
class Carried:
    """One request that a worker has carried out, and for which case."""

    case: str
    request: Request
    deadline_s: float


@dataclass(frozen=True, kw_only=True)
class CaseResult:
    """One case on one cell as it was observed; what to think of it is decided when reading."""

    cell: str
    suite: str
    case: str
    outcome: Outcome
    duration_s: float
    evidence: Evidence = field(default_factory=Evidence)
    again: Outcome | None = None
    """What a second try alone on a fresh worker gave; None where there was none."""
    poisoned_by: str = ""
    """Behind which other case it comes out so again, though alone on a fresh worker it does not."""

    @property
    def goes_both_ways(self) -> bool:
        """Whether the second try gave another outcome, and no other case is why."""
        return self.again not in (None, self.outcome) and not self.poisoned_by

    @property
    def shown_by(self) -> str:
        """Which case shows it again: itself, or the smallest where it stands for many."""
        return str(self.evidence.answer.get(SHOWN_BY, self.case))

    def to_json(self) -> dict[str, Any]:
        """Return what ``from_json`` reads back."""
        poisoned_by = {"poisoned_by": self.poisoned_by} if self.poisoned_by else {}
        return {
            **{name: value for name, value in vars(self).items() if name != "poisoned_by"},
            "duration_s": round(self.duration_s, 6),
            "evidence": self.evidence.to_json(),
            **poisoned_by,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Return the result that was written."""
        return cls(
            **{
                **data,
                "outcome": Outcome(data["outcome"]),
                "evidence": Evidence.from_json(data["evidence"]),
                "again": Outcome(data["again"]) if data["again"] else None,
            }
        )


@dataclass(frozen=True, kw_only=True)
class SelectionRecord(PlainRecord):
    """How many cases of a suite were selected on a cell: with fewer results a run was cut off."""

    cell: str
    suite: str
    cases: int


@dataclass(frozen=True, kw_only=True)
class EndRecord(PlainRecord):
    """The last line of a part: a part without it was cut off."""

    ended: str
    """ISO 8601 with offset."""


Record = PartRecord | CellRecord | SelectionRecord | CaseResult | EndRecord

KINDS: dict[str, type[Record]] = {
    "part": PartRecord,
    "cell": CellRecord,
    "selection": SelectionRecord,
    "case": CaseResult,
    "end": EndRecord,
}
"""What the key ``record`` of a line says it is."""
