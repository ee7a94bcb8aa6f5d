"""The smallest model as files and as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from onnx import printer

if TYPE_CHECKING:
    from pathlib import Path

    from harness.reducing.smallest import Smallest


def reduction_json(smallest: Smallest) -> dict[str, Any]:
    """Return what a reduction came to, for a program."""
    start, size = smallest.start, smallest.candidate.size
    right = start.same.trial.right
    return {
        "case": start.subject.case.id,
        "cell": start.cell.id,
        "outcome": smallest.result.outcome,
        "signature": str(start.same.wanted),
        "nodes_before": int(start.candidate.size[0]),
        "nodes": int(size[0]),
        "outputs": int(size[1]),
        "tensors": int(size[2]),
        "elements": int(size[4]),
        "validity": smallest.candidate.validity.name.lower(),
        "right": right.reference.name if right else "",
        "tried": smallest.tried,
        "taken": smallest.taken,
        "seconds": round(smallest.seconds, 1),
        "finished": smallest.finished,
        "text": printer.to_text(smallest.candidate.model),
    }


def write_smallest(smallest: Smallest, folder: Path) -> None:
    """Write model and inputs."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(smallest.candidate.data)
