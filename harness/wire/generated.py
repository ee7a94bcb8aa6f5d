"""Generated cases on the wire: many in one request, each with an answer of its own in a file.

A line of the report is one JSON object, in the order in which the cases were asked, written before
the next case begins: whoever dies leaves what it has finished.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from harness.wire.records import PlainRecord


class Way(StrEnum):
    """How a session is opened for a case."""

    DEFAULT = "default"
    """With all of ONNX Runtime's own optimisations."""
    UNOPTIMISED = "unoptimised"
    """With none of them."""


@dataclass(frozen=True, kw_only=True)
class Asked(PlainRecord):
    """One generated case as a worker gets it; offsets and sizes are in `data`."""

    data: str
    """The file in which the model and the tensors stand."""
    model: list[int]
    """Offset and size."""
    inputs: list[dict[str, Any]]
    """By position, as wire.values describes them."""
    outputs: list[dict[str, Any]] | None
    """What the reference evaluator answers; None where it does not vote."""
    tolerances: list[list[float]]
    """``[rtol, atol]`` of each output."""


@dataclass(frozen=True, kw_only=True)
class Answered(PlainRecord):
    """What one way of opening and running a case came to: an answer or a refusal."""

    digest: str = ""
    """Of the outputs; empty for a refusal."""
    stage: str = ""
    """``open`` or ``run``, of a refusal."""
    status: str = ""
    text: str = ""

    @property
    def is_refusal(self) -> bool:
        """Whether the build gave no outputs."""
        return not self.digest

    def to_json(self) -> dict[str, Any]:
        """Return the fields that are not empty."""
        return {name: value for name, value in vars(self).items() if value}


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a build made of one generated case; a comparison is "" where two agree."""

    default: Answered
    unoptimised: Answered | None = None
    """None where it was not asked."""
    unlike_reference: str | None = None
    """How the default answer differs from the reference's; None where they were not compared."""
    unlike_unoptimised: str | None = None
    unoptimised_unlike_reference: str | None = None
    unlike_again: str | None = None
    """How a second run in the same session differs from the first."""
    outputs: list[dict[str, Any]] | None = None
    """The default answer's values, where they were asked for and are not too large."""
    data: str = ""
    """The file in which those stand."""
    on_ep: bool = True
    """Whether the asked execution provider ran any node of it, as far as the build tells."""

    def to_json(self) -> dict[str, Any]:
        """Return what ``from_json`` reads back, without what is as it is by default."""
        found = {name: value for name, value in vars(self).items() if value not in (None, "")}
        # An agreement is "", which is not the same as no comparison.
        found |= {name: "" for name in _COMPARISONS if getattr(self, name) == ""}
        found["default"] = self.default.to_json()
        if self.unoptimised is not None:
            found["unoptimised"] = self.unoptimised.to_json()
        return found

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Return what was written."""
        found = dict(data)
        for name in ("default", "unoptimised"):
            if name in found:
                found[name] = Answered.from_json(found[name])
        return cls(**found)


_COMPARISONS = (
    "unlike_reference",
    "unlike_unoptimised",
    "unoptimised_unlike_reference",
    "unlike_again",
)


@dataclass(frozen=True, kw_only=True)
class Pair(PlainRecord):
    """Two answers that were kept, to be compared."""

    got: list[dict[str, Any]]
    got_data: str
    want: list[dict[str, Any]]
    want_data: str
    tolerances: list[list[float]]
