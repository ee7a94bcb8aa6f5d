"""What an attribution found, for a person and for a program."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from harness.triage.attribution import Axis, Effect, Missing, Tried, begins_at, deciding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.investigation.flipping import Start

LONGEST = 110
"""Characters shown of what came of a turn."""


def tried_line(one: Tried | Missing) -> str:
    """Return a turn and its effect in one line, or why an axis cannot be turned."""
    if isinstance(one, Missing):
        return f"{one.axis:<19} cannot be turned: {one.reason}"
    said = one.said if len(one.said) <= LONGEST else f"{one.said[: LONGEST - 1]}…"
    shown = f": {said}" if one.effect in (Effect.CHANGES, Effect.NOT_TOLD) else ""
    return f"{one.flip.axis:<19} {_value(one.flip.value):<28} {one.effect}{shown}"


def verdict_lines(start: Start, tried: Sequence[Tried]) -> Iterator[str]:
    """Return what decides, or that nothing alone does, or that the case is a flake."""
    if start.failure is None:
        said = ", then ".join(str(result.outcome) for result in start.results)
        yield f"a flake: asked with nothing turned it gives {said}. Nothing can be attributed"
        return
    axes = deciding(tried)
    if not axes:
        yield "no axis alone decides"
    for axis in axes:
        mending = [_value(one.flip.value) for one in tried if _mends(one, axis)]
        yield f"{axis} decides: it passes with {', '.join(mending)}"
    if level := begins_at(tried):
        yield f"it begins at the optimisation level {level}"


def to_json(start: Start, tried: Sequence[Tried], missing: Sequence[Missing]) -> dict[str, Any]:
    """Return the failure, every turn with its effect, and what decides."""
    return {
        "failure": start.failure and str(start.failure.signature),
        "flaky": start.failure is None,
        "results": [result.to_json() for result in start.results],
        "tried": [
            {
                "axis": one.flip.axis,
                "value": one.flip.value,
                "effect": one.effect.name,
                "said": one.said,
            }
            for one in tried
        ],
        "missing": {
            str(axis): [one.reason for one in of]
            for axis, of in groupby(missing, key=lambda one: one.axis)
        },
        "decides": list(deciding(tried)),
        "begins_at": begins_at(tried),
    }


def _mends(one: Tried, axis: Axis) -> bool:
    return one.flip.axis is axis and one.effect is Effect.MENDS


def _value(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
