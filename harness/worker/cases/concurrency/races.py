"""A race: what threads at once get is what each of them gets alone, or it is told whose it is."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.wire.messages import Evidence
from harness.wire.outcomes import Outcome
from harness.worker.backend import BackendError, OpenError
from harness.worker.bindings import BindingError
from harness.worker.cases.concurrency.schedules import PATIENCE_S, Attempt, Perturbation, at_once

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.worker.cases.refusals import Seen
    from harness.worker.tensors import Array

THREADS = 8
ROUNDS = 40
"""Ten of each kind of schedule; a shared buffer shows in the first."""

TOLD = 5
"""How many wrong answers are told one by one."""

Member = tuple[int, int]
"""A thread of a crew, and the round."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one run gave: copied at once, and as it is when everybody has finished."""

    at_once: list[Array]
    kept: Sequence[Any]


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """How one run is refused."""

    kind: str

    @classmethod
    def of(cls, error: Exception) -> Refusal:
        """Return the class of the error, with ONNX Runtime's status where it gave one."""
        statuses = [step.status for step in error.steps] if isinstance(error, OpenError) else []
        if isinstance(error, BindingError):
            statuses = [error.status]
        return cls(kind=" ".join([type(error).__name__, *statuses]))


@dataclass(frozen=True, kw_only=True)
class Race:
    """Work of many threads, in rounds that all of them begin at once."""

    inputs: Callable[[int, int], Any]
    """The inputs of a thread in a round: different ones each time, so that a mix-up shows."""
    run: Callable[[int, int, Any], Sequence[Any]]
    """What a thread does with its inputs in a round; the outputs are compared."""
    threads: int = THREADS
    rounds: int = ROUNDS
    refused: frozenset[int] = frozenset()
    """The threads whose work must be refused, in the same way as alone."""


@dataclass(frozen=True, kw_only=True)
class Alone:
    """What each member got when nobody else ran."""

    answers: Mapping[Member, list[Array] | Refusal]
    longest_s: float


def compete(race: Race, perturbation: Perturbation, seen: Seen) -> None:
    """Run the race alone and at once, and conclude FAIL where the two differ."""
    seen.stage = "run"
    alone = run_alone(race)
    judge(alone, run_together(race, perturbation, alone.longest_s), seen)
    tell(race, perturbation, seen)


def run_alone(race: Race) -> Alone:
    """Return what each member gets by itself; raise what a member that must be answered raises."""
    members = _members(race)

    def work(_thread: int, number: int) -> tuple[list[Array] | Refusal, float]:
        thread, round_ = members[number]
        inputs, began = race.inputs(thread, round_), time.monotonic()
        answer: list[Array] | Refusal
        try:
            answer = _copies(race.run(thread, round_, inputs))
        except (BackendError, BindingError) as error:
            if thread not in race.refused:
                raise
            answer = Refusal.of(error)
        return answer, time.monotonic() - began

    # In a thread of its own, because even alone a run can hang.
    attempts = at_once(work, threads=1, rounds=len(members))
    values = {members[attempt.round]: attempt.got() for attempt in attempts}
    answers = {member: answer for member, (answer, _) in values.items()}
    for (thread, _), answer in answers.items():
        if thread in race.refused and not isinstance(answer, Refusal):
            raise BackendError(f"thread {thread} asks for what must be refused, and was answered")
    return Alone(answers=answers, longest_s=max(seconds for _, seconds in values.values()))


def run_together(
    race: Race, perturbation: Perturbation, longest_s: float = 0.0
) -> list[Attempt[Answer]]:
    """Return what the members get at once; raise HungError if they do not come back."""
    inputs = {member: race.inputs(*member) for member in _members(race)}

    def work(thread: int, round_: int) -> Answer:
        outputs = race.run(thread, round_, inputs[thread, round_])
        return Answer(at_once=_copies(outputs), kept=outputs)

    return at_once(
        work,
        threads=race.threads,
        rounds=race.rounds,
        perturbation=perturbation,
        patience_s=PATIENCE_S + race.threads * longest_s,
    )


def judge(alone: Alone, attempts: list[Attempt[Answer]], seen: Seen) -> None:
    """Conclude FAIL where a member did not get at once what it gets alone."""
    judged = [(attempt, _wrong(attempt, alone)) for attempt in attempts]
    wrong = [f"thread {a.thread}, round {a.round}: {what}" for a, what in judged if what]
    seen.answer |= {"runs": len(attempts), "wrong": len(wrong)}
    if wrong:
        seen.answer["wrong ones"] = wrong[:TOLD]
        seen.conclude(Outcome.FAIL, Evidence(stage="compare", text=wrong[0]))


def tell(race: Race, perturbation: Perturbation, seen: Seen) -> None:
    """Add the readings of the schedule to the answer."""
    seen.answer |= {
        "threads": race.threads,
        "rounds": race.rounds,
        "most runs in the session at once": perturbation.most,
        "meeting places given up": perturbation.missed,
    }


def _members(race: Race) -> list[Member]:
    return [(thread, round_) for round_ in range(race.rounds) for thread in range(race.threads)]


def _copies(outputs: Sequence[Any]) -> list[Array]:
    return [np.array(output) for output in outputs]


def _wrong(attempt: Attempt[Answer], alone: Alone) -> str:
    """Return what is wrong with a member's answer, or nothing."""
    want = alone.answers[attempt.thread, attempt.round]
    if attempt.error is not None:
        said = Refusal.of(attempt.error)
        if said == want:
            return ""
        wanted = want.kind if isinstance(want, Refusal) else "an answer"
        return f"{said.kind}: {attempt.error}; alone it got {wanted}"
    assert attempt.value is not None
    if isinstance(want, Refusal):
        return f"was answered; alone it got {want.kind}"
    if difference := _difference(attempt.value.at_once, want, alone):
        return difference
    changed = _difference(attempt.value.kept, want, alone)
    return f"was right when it returned, and changed later: {changed}" if changed else ""


def _difference(got: Sequence[Any], want: list[Array], alone: Alone) -> str:
    if len(got) != len(want):
        return f"{len(got)} outputs; alone it got {len(want)}"
    for index, (one, other) in enumerate(zip(got, want, strict=True)):
        if _key(one) != _key(other):
            return f"output {index} {_whose(index, np.asarray(one), other, alone)}"
    return ""


def _whose(index: int, got: Array, want: Array, alone: Alone) -> str:
    """Return whose answer it is, which names the race; or how it differs from what is right."""
    for (thread, round_), answer in alone.answers.items():
        if not isinstance(answer, Refusal) and _key(answer[index]) == _key(got):
            return f"is that of thread {thread}, round {round_}"
    if (got.dtype, got.shape) != (want.dtype, want.shape):
        return f"is {got.dtype}{list(got.shape)}; alone it is {want.dtype}{list(want.shape)}"
    places = np.argwhere(got != want)
    at = tuple(int(n) for n in places[0])
    return f"is nobody's: {len(places)} of {want.size} differ, {got[at]!r} for {want[at]!r} at {at}"


def _key(value: Any) -> tuple[Any, ...]:
    array = np.asarray(value)
    data = tuple(array.ravel().tolist()) if array.dtype.hasobject else array.tobytes()
    return (array.dtype.str, array.shape, data)
