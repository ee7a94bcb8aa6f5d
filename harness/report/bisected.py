"""What a bisection found, for a person and for a program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

from harness.triage.bisection import Change, Seen, Skipped, Turn, alike

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.investigation.asking import Asked
    from harness.triage.bisection import Answer, Bisection

NAME_WIDTH = 16
LONGEST = 150
"""Characters shown of what a release said."""


def asked_line(point: str, asked: Asked) -> str:
    """Return one answer in one line: who, outcome and signature, seconds."""
    skipped = "skipped: " if isinstance(asked.answer, Skipped) else ""
    return f"{point:<{NAME_WIDTH}} {asked.seconds:5.1f} s  {skipped}{_short(asked.said)}"


def found_lines(state: Bisection) -> Iterator[str]:
    """Return what is known in the end: each change, or why there is none to tell."""
    ends = [state.answer(point) for point in (state.good, state.bad)]
    if all(isinstance(one, Seen) for one in ends) and ends[0] == ends[1]:
        yield f"good {state.good} and bad {state.bad} do the same: {_kind(ends[0])}"
    for point in state.flaky:
        said = ", then ".join(_kind(one) for one in state.answers[point])
        yield f"{point} goes both ways: {said}. Nothing can be said of a change"
    if state.undecided:
        yield "cannot tell the ends apart, nor that they are alike: nothing can be said of a change"
    if not state.flaky:
        yield from (change_line(state, change) for change in state.changes)
    kinds = {one.kind for one in state.seen.values()}
    if len(kinds) == 1 and not state.undecided:
        yield f"no change: {kinds.pop()} wherever it was asked"
    if not state.seen:
        yield "no release could be asked"
    yield _count_line(state)


def change_line(state: Bisection, change: Change) -> str:
    """Return a change in one line: first and last, what it did and does, and the gap."""
    match change.turn:
        case Turn.BROKE:
            names = f"first bad {change.after}, last good {change.before}"
        case Turn.MENDED:
            names = f"first good {change.after}, last bad {change.before}"
        case Turn.CHANGED:
            names = f"first changed {change.after}, last as before {change.before}"
        case _:
            assert_never(change.turn)
    line = f"{names}: {change.was.kind} → {change.now.kind}"
    if change.unasked:
        line = f"{line}; {', '.join(change.unasked)} between them not asked"
    if not change.skipped:
        return line
    why = "; ".join(sorted({state.skipped[one].reason for one in change.skipped}))
    return f"{line}; between them {', '.join(change.skipped)} could not be told: {_short(why)}"


def _count_line(state: Bisection) -> str:
    asked, skipped = len(state.answers), len(state.skipped)
    again = sum(len(answers) > 1 for answers in state.answers.values())
    more = [f"{again} of them twice"] * bool(again) + [f"{skipped} skipped"] * bool(skipped)
    return f"asked {asked} of {len(state.points)} releases" + (
        f" ({', '.join(more)})" if more else ""
    )


def to_json(state: Bisection, found: Sequence[tuple[str, Asked]]) -> dict[str, Any]:
    """Return what was asked in its order, and what is known in the end."""
    return {
        "releases": len(state.points),
        "asked": len(state.answers),
        "answers": _answers(found),
        "changes": [
            {
                "turn": change.turn,
                "before": change.before,
                "after": change.after,
                "was": change.was.kind,
                "now": change.now.kind,
                "skipped": list(change.skipped),
                "unasked": list(change.unasked),
            }
            for change in (() if state.flaky else state.changes)
        ],
        "flaky": list(state.flaky),
        "undecided": state.undecided,
        "skipped": {point: one.reason for point, one in state.skipped.items()},
    }


def builds_lines(answers: Mapping[str, Answer]) -> Iterator[str]:
    """Return which builds do the same, those of most first."""
    found = alike(answers)
    for kind, builds in found.items():
        yield f"{kind}: {', '.join(builds)}"
    skipped = [point for point, answer in answers.items() if isinstance(answer, Skipped)]
    if skipped:
        yield f"not told: {', '.join(skipped)}"
    if len(found) == 1:
        yield "no build differs"


def builds_to_json(
    answers: Mapping[str, Answer], found: Sequence[tuple[str, Asked]]
) -> dict[str, Any]:
    """Return what was asked in its order, and who does the same."""
    skipped = {point: one.reason for point, one in answers.items() if isinstance(one, Skipped)}
    kinds = {kind: list(builds) for kind, builds in alike(answers).items()}
    return {"answers": _answers(found), "alike": kinds, "skipped": skipped}


def _answers(found: Sequence[tuple[str, Asked]]) -> list[dict[str, Any]]:
    return [
        {
            "of": point,
            "said": asked.said,
            "skipped": isinstance(asked.answer, Skipped),
            "seconds": round(asked.seconds, 3),
            "result": asked.result and asked.result.to_json(),
        }
        for point, asked in found
    ]


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _kind(answer: Answer | None) -> str:
    match answer:
        case Seen():
            return answer.kind
        case Skipped():
            return answer.reason
    return "not asked"
