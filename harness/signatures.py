"""What two failures of one cause have in common, although names, places and figures differ."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from harness.results import CaseResult
    from harness.wire.messages import Evidence

LONGEST = 320
"""Characters kept of a first line: ONNX Runtime's own can have thousands."""

MOST_LINES = 4
"""Lines taken for the first one, where each ends in a colon."""

# ONNX Runtime names the C++ function behind its file, arguments and all.
_FUNCTION = (
    r"(\.(?:cc|cpp|h|cuh?)) [\w:<>~&*, ]*::~?\w+(?:<[^()]*>)?"
    r"\([^()]*(?:\([^()]*\)[^()]*)*\)(?: const)?(?: \[with [^\]]*\])? "
)
_RULES = tuple(
    (re.compile(pattern), by)
    for pattern, by in (
        (r"0x[0-9a-fA-F]+", "N"),
        # A build's source tree stands elsewhere in each build, and its lines move.
        (r"(?:[\w.+-]*/)+([\w.+-]+\.\w+)", r"\1"),
        (r"(\.[A-Za-z]\w*):\d+", r"\1"),
        (_FUNCTION, r"\1 "),
        (r"(?<![A-Za-z0-9.])-?\d+(?:\.\d+)*(?:e[-+]?\d+)?(?![A-Za-z0-9])", "N"),
        (r"\[(?:-?(?:N|nan|inf)(?:, )?)+\]", "[…]"),
        (r"(?<!\w)'[^']*'", "'…'"),  # but for the one in "couldn't"
        (r'"[^"]*"', '"…"'),
        # The inputs and outputs of the node: as many as it happens to have.
        (r'\((?:"…"(?:: \w+\((?:[^()]|\([^()]*\))*\))?,)+\)', "(…)"),
        (r"\s+", " "),
    )
)


@dataclass(frozen=True, kw_only=True, order=True)
class Signature:
    """What a result looks like when all that is its own is taken away."""

    outcome: Outcome
    code: str = ""
    """ONNX Runtime's status code by name, the class of an exception, a signal or an exit status."""
    line: str = ""
    """The first line of the text, without numbers, paths and quoted names."""

    def __str__(self) -> str:
        return " ".join(part for part in (self.outcome, self.code, self.line) if part)


def signature(result: CaseResult) -> Signature:
    """Return the signature of a result; all that pass have one."""
    if result.outcome is Outcome.PASS:
        return Signature(outcome=Outcome.PASS)
    evidence = result.evidence
    line = normalised(_first_line(evidence.text or evidence.requirement))
    return Signature(outcome=result.outcome, code=_code(evidence), line=line)


def normalised(line: str) -> str:
    """Return a line without what differs between two sights of one cause."""
    for pattern, by in _RULES:
        line = pattern.sub(by, line)
    line = line.strip()
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def _first_line(text: str) -> str:
    """Return the first line, with those that it announces: OpenVINO's say where, and then what."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    end = 1
    while end < min(len(lines), MOST_LINES) and lines[end - 1].endswith(":"):
        end += 1
    return " ".join(lines[:end])


def _code(evidence: Evidence) -> str:
    if evidence.signal or evidence.status:
        return evidence.signal or evidence.status
    return "" if evidence.exit_status is None else f"exit status {evidence.exit_status}"
