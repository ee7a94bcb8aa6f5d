"""A case: what is asked of a worker, once or, for a property, as often as it takes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Protocol

from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from harness.results import Observed
    from harness.wire.catalogue.procedures import Procedure


class Worker(Enum):
    """Which worker carries a request out."""

    ANY = auto()
    FRESH = auto()
    """One that has carried out nothing before, and carries out nothing after."""
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

    def carried_out(self, ask: Ask) -> Observed:
        """Return what was observed of the case."""
        return ask(self.procedure, self.arguments)


DIGEST = "digest"
"""Where a procedure puts what its whole answer comes down to, in the answer of its evidence."""


@dataclass(frozen=True, kw_only=True)
class InTwoProcesses(Case):
    """A case whose answer has to be the same in another process."""

    def carried_out(self, ask: Ask) -> Observed:
        """Return what was observed, wrong where the other process answers something else."""
        return in_two_processes(ask)(self.procedure, self.arguments)


def in_two_processes(ask: Ask) -> Ask:
    """Return a way of asking that asks any request which came to a digest once more, elsewhere."""

    def asked(
        procedure: Procedure, arguments: dict[str, Any], worker: Worker = Worker.ANY
    ) -> Observed:
        first = ask(procedure, arguments, worker)
        found = first.evidence.answer.get(DIGEST)
        if first.outcome is not Outcome.PASS or found is None:
            return first
        second = ask(procedure, arguments, Worker.OTHER)
        duration_s = first.duration_s + second.duration_s
        if second.outcome is not Outcome.PASS:
            return replace(second, duration_s=duration_s)
        if (other := second.evidence.answer.get(DIGEST)) == found:
            return replace(first, duration_s=duration_s)
        text = "gives other values in another process: memory that was never set?"
        answer = {**first.evidence.answer, "digest elsewhere": other}
        evidence = replace(first.evidence, stage="compare", text=text, answer=answer)
        return replace(first, outcome=Outcome.FAIL, evidence=evidence, duration_s=duration_s)

    return asked
