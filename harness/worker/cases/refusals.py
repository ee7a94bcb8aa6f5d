"""What a case says when the build refuses it: one place decides between the outcomes."""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.wire.messages import Evidence
from harness.wire.outcomes import NOT_IMPLEMENTED, Outcome
from harness.wire.providers import ExecutionProvider
from harness.worker.backend import Backend, BackendError, OpenError
from harness.worker.bindings import Binding, BindingError, BindingLimitError
from harness.worker.cases import Observation
from harness.worker.probe import beyond_range

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST_LACKS = re.compile(r"Failed to construct locale with name:\s*([\w.-]+)")
"""How a build says that the host, not the build, lacks something: StringNormalizer's locale."""

NOT_HERE = ("NOT_IN_BUILD", "SILENT_FALLBACK")
"""Fallback statuses that say the asked provider is not there at all, whatever the model."""


class Seen:
    """What has been observed of a case so far; a case that concludes nothing else has passed."""

    def __init__(self) -> None:
        self.stage = "open"
        self.attached = ""
        self.ir = 0
        self.opsets: dict[str, int] = {}
        self.answer: dict[str, Any] = {}
        self.placement: Counter[str] = Counter()
        self._asked: set[str] = set()
        self._outcome = Outcome.PASS
        self._evidence = Evidence()

    def conclude(self, outcome: Outcome, evidence: Evidence) -> None:
        """Set what was observed instead of a pass."""
        self._outcome = outcome
        self._evidence = replace(evidence, stage=evidence.stage or self.stage)

    def has_run(self, backend: Backend) -> None:
        """Keep which providers ran how many nodes of an open model that has been run."""
        self.placement.update(backend.placement())
        self._asked.add(backend.provider)

    @property
    def observation(self) -> Observation:
        """What was observed, with the attached EP and the answer filled in."""
        evidence = replace(
            self._evidence,
            attached=self.attached,
            placement=dict(self.placement),
            answer=self.answer,
        )
        if self._outcome is Outcome.PASS and self._ran_elsewhere:
            said = ", ".join(f"{name}: {count}" for name, count in self.placement.items())
            text = f"{', '.join(self._asked)} ran no node; nodes by provider: {said or 'none'}"
            return Observation(outcome=Outcome.FALLBACK, evidence=replace(evidence, text=text))
        return Observation(outcome=self._outcome, evidence=evidence)

    @property
    def _ran_elsewhere(self) -> bool:
        """Whether a provider was asked for that has run nothing at all."""
        asked = self._asked - {ExecutionProvider.CPU}
        return bool(asked) and not any(self.placement[provider] for provider in asked)


@contextlib.contextmanager
def observed(binding: Binding) -> Iterator[Seen]:
    """Give a record to fill; a refusal by the build inside becomes the right outcome in it.

    UNSUPPORTED only where the build says so: by status code NOT_IMPLEMENTED, or because the model
    asks for more than the build's own opset or IR range.
    """
    seen = Seen()
    try:
        yield seen
    except OpenError as error:
        _conclude_open(seen, error, binding)
    except BindingError as error:
        _conclude_refusal(seen, error.status, error.text)
    except BindingLimitError as error:
        seen.conclude(Outcome.NOT_TESTED, Evidence(requirement=str(error)))
    except BackendError as error:
        seen.conclude(Outcome.ERROR, Evidence(status=type(error).__name__, text=str(error)))
    except MemoryError as error:
        seen.conclude(Outcome.ERROR, Evidence(status="MemoryError", text=str(error)))


def said_by(error: Exception) -> tuple[str, str]:
    """Return the status and the text of a refusal; of an error without a status its class."""
    match error:
        case OpenError(steps=(*_, last)):
            return last.status, last.text
        case BindingError():
            return error.status, error.text
    return type(error).__name__, str(error)


def _conclude_open(seen: Seen, error: OpenError, binding: Binding) -> None:
    last = error.steps[-1]
    if last.status in NOT_HERE:
        requirement = f"{last.attached}: {last.status}: {last.text}"
        evidence = Evidence(requirement=requirement, fallback=error.steps)
        seen.conclude(Outcome.NOT_TESTED, evidence)
    elif beyond := beyond_range(seen.ir, seen.opsets, binding):
        evidence = Evidence(requirement=beyond, status=last.status, text=last.text)
        seen.conclude(Outcome.UNSUPPORTED, evidence)
    else:
        _conclude_refusal(seen, last.status, last.text)


def _conclude_refusal(seen: Seen, status: str, text: str) -> None:
    if lacking := HOST_LACKS.search(text):
        evidence = Evidence(requirement=f"locale {lacking[1]} on the host", status=status)
        seen.conclude(Outcome.NOT_TESTED, evidence)
    elif status == NOT_IMPLEMENTED:
        seen.conclude(Outcome.UNSUPPORTED, Evidence(requirement=text or status, status=status))
    else:
        seen.conclude(Outcome.ERROR, Evidence(status=status, text=text))
