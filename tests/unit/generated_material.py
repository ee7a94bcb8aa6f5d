"""Generated cases and what builds made of them, as tests need them."""

from __future__ import annotations

from typing import Any

from harness.corpus.generated.record import Packed
from harness.triage.generated.sights import Sight
from harness.wire.generated import Answered, Asked, Seen
from harness.wire.messages import Evidence
from harness.wire.outcomes import Outcome

VALUES = "output 0: 2 of 8 differ by more than 1e-05 + 0.001·|want|, worst at [1]: want 1, got 2"


def a_case(index: int, operator: str = "Add", **changed: Any) -> Packed:
    """Return a valid case with a reference answer."""
    asked = Asked(data="", model=[0, 100], inputs=[], outputs=[], tolerances=[[0.0, 0.0]])
    made: dict[str, Any] = {
        "description": f"1:{operator}:13:0:{index}",
        "operator": operator,
        "opset": 13,
        "kind": "valid",
        "reason": "",
        "attributes": {},
        "types": ("float",),
        "shapes": ("2x3",),
        "ir": 8,
        "opsets": {"": 13},
        "votes": True,
        "reference": "",
        "asked": asked,
        "forms": (),
    }
    return Packed(**{**made, **changed})


def answered(digest: str = "a", **changed: Any) -> Sight:
    """Return a sight of a build that answers, and all agree unless they are said not to."""
    made: dict[str, Any] = {
        "default": Answered(digest=digest),
        "unoptimised": Answered(digest=digest),
        "unlike_reference": "",
        "unlike_unoptimised": "",
        "unoptimised_unlike_reference": "",
        "unlike_again": "",
    }
    return Sight(seen=Seen(**{**made, **changed}))


def refused(text: str = "no such thing", *, stage: str = "open", status: str = "FAIL") -> Sight:
    """Return a sight of a build that refuses, whatever the way."""
    answer = Answered(stage=stage, status=status, text=text)
    return Sight(seen=Seen(default=answer, unoptimised=answer))


def died(signal: str = "SIGFPE") -> Sight:
    """Return a sight of a build that ended the process."""
    return Sight(outcome=Outcome.CRASH, ending=Evidence(signal=signal))
