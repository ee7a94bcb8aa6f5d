"""Where the standard's reference evaluator is known to be loose, and has no vote."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing

LOOSE: dict[str, str] = {}
"""By operator: what is wrong with the evaluator's answer."""


def why_no_vote(drawing: Drawing) -> str:
    """Return why the reference has no vote on a case; empty where it has one."""
    if drawing.mistakes:
        return f"{drawing.description.operator}: {drawing.mistakes[0]}"
    names = [
        f"{node.domain}.{node.operator}" if node.domain else node.operator for node in drawing.nodes
    ]
    return next((f"{name}: {LOOSE[name]}" for name in names if name in LOOSE), "")
