"""Which answers to a malformed model are right: the one place that decides."""

from __future__ import annotations

from dataclasses import dataclass

from harness.wire.malformed import MalformedCase, Right, Stage, Wrong
from harness.wire.outcomes import NOT_IMPLEMENTED, Outcome


@dataclass(frozen=True, kw_only=True)
class Refused:
    """The build, or the backend for it, would not take the model or its inputs."""

    stage: Stage
    status: str
    """ONNX Runtime's status by name, or the class of the exception where there is none."""
    text: str
    by_backend: bool = False

    @property
    def is_typed(self) -> bool:
        """Whether a caller can tell what it is: ORT's statuses are upper case, classes are not."""
        return self.by_backend or self.status.isupper()


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """The build took the model, and ran it unless `not_run` says why not."""

    wrong: str = ""
    """What speaks against the answer: not as declared, not the right values, not the same again."""
    not_run: str = ""
    """What lacked for a run, such as an input that this harness can make."""


MOST_MIB = 256
"""More than any case needs: the models have a few kilobytes, and so have their answers."""


def judged(
    case: MalformedCase, answer: Refused | Accepted, *, grown_mib: int
) -> tuple[Outcome, str]:
    """Return what an answer means that took so much memory at its most, and what is said of it.

    A bare exception without a status is wrong even where a refusal is right: a caller in C gets a
    status only, and one in Python cannot tell it from a mistake of its own. So is a refusal that
    comes later than it has to: by then a caller has been told that the model is sound.
    """
    if grown_mib > MOST_MIB:
        return Outcome.FAIL, f"took {grown_mib} MiB for a small model"
    return _refused(case, answer) if isinstance(answer, Refused) else _accepted(case, answer)


def _accepted(case: MalformedCase, answer: Accepted) -> tuple[Outcome, str]:
    if answer.wrong:
        return Outcome.FAIL, f"accepted, and {answer.wrong}"
    if case.right is Right.REFUSAL and not (answer.not_run and case.latest is Stage.RUN):
        return Outcome.FAIL, f"{Wrong.ACCEPTED}{_meaning(case)}"
    if not answer.not_run:
        return Outcome.PASS, "accepted"
    if case.outputs is not None:
        return Outcome.NOT_TESTED, answer.not_run
    return Outcome.PASS, f"accepted with slots of real types; not run: {answer.not_run}"


def _refused(case: MalformedCase, answer: Refused) -> tuple[Outcome, str]:
    said = f"{answer.status}: {answer.text}"
    if not answer.is_typed:
        return Outcome.FAIL, f"refused at {answer.stage} {Wrong.UNTYPED}: {said}"
    if case.right is Right.ACCEPTANCE:
        outcome = Outcome.UNSUPPORTED if answer.status == NOT_IMPLEMENTED else Outcome.ERROR
        return outcome, f"refused{_meaning(case)}: {said}"
    if answer.stage is Stage.RUN and case.latest is Stage.OPEN:
        return Outcome.FAIL, f"{Wrong.LATE}{_meaning(case)}: {said}"
    return Outcome.PASS, f"refused at {answer.stage}: {said}"


def _meaning(case: MalformedCase) -> str:
    return f" ({case.meaning})" if case.meaning else ""
