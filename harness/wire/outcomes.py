"""What can be observed of a case."""

from __future__ import annotations

from enum import StrEnum

NOT_IMPLEMENTED = "NOT_IMPLEMENTED"
"""The status code with which ONNX Runtime says that a build lacks something."""


class Outcome(StrEnum):
    """What was observed of one case: facts, before any expectation is applied."""

    PASS = "PASS"  # noqa: S105 - an outcome, not a password
    FAIL = "FAIL"
    """The build answered, and the answer is wrong."""
    FALLBACK = "FALLBACK"
    """The answer is right, but the asked execution provider ran no node of it."""
    ERROR = "ERROR"
    """The case raised what it did not name."""
    UNSUPPORTED = "UNSUPPORTED"
    """The build says, by status code or by its opset and IR range, that it lacks what is needed."""
    CRASH = "CRASH"
    """The worker died of the case."""
    TIMEOUT = "TIMEOUT"
    """No answer within the deadline."""
    NOT_TESTED = "NOT_TESTED"
    """The case was not asked; the evidence carries the unmet requirement."""
    HARNESS_FAULT = "HARNESS_FAULT"
    """Our own bug: never counts for or against a build."""

    @property
    def is_about_the_build(self) -> bool:
        """Whether this outcome says anything about the build under test."""
        return self not in (Outcome.NOT_TESTED, Outcome.HARNESS_FAULT)
