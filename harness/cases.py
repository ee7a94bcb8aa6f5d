"""A case: what is asked of a worker, once or, for a property, as often as it takes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from harness.results import Observed
    from harness.wire.catalogue.procedures import Procedure


class Worker(Enum):
    """Which worker carries a request out."""

    ANY = auto()
    FRESH = auto()
    """One that has carried out nothing before."""
    OTHER = auto()
    """Any of a second set of processes, in which memory that was never set looks different."""


class Ask(Protocol):
    """How a case reaches the build: one request, answered or not."""

    def __call__(
        self, procedure: Procedure, arguments: dict[str, Any], worker: Worker = Worker.ANY
    ) -> Observed:
        """Return what was observed of the procedure on these arguments."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One conformance check: a procedure with its arguments."""

    id: str
    """``onnx/node/test_abs``: the suite, then a path within it."""
    procedure: Procedure
    arguments: dict[str, Any]

    def on(self, cell: str) -> Case:
        """Return the case as it is asked of one cell, which some cases must know."""
        del cell
        return self

    def carried_out(self, ask: Ask) -> Observed:
        """Return what was observed of the case."""
        return ask(self.procedure, self.arguments)
