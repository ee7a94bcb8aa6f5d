"""Folders that are there whole or not at all: a smallest model, and a reproducer that was run."""

from __future__ import annotations

import contextlib
import json
import platform
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.corpus.npz import store
from harness.environments.scripts import run_script
from harness.errors import ConfigurationError, HarnessFaultError
from harness.reducing.issue import Report, issue
from harness.reducing.reproducer import SHOWS, Kind, Reproducer, script
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.environments.sources import Sources
    from harness.reducing.smallest import Smallest

REDUCTION = "reduction.json"
"""What a folder of ours holds, so that it may be replaced."""

SLACK_S = 60.0
"""How much longer than its own deadline a repro.py may take."""


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
        "text": smallest.candidate.text,
    }


def write_smallest(smallest: Smallest, to: Path) -> None:
    """Write the smallest model, its inputs and its right outputs into a folder."""
    with whole(to) as folder:
        _write_model(smallest, folder)
        (folder / REDUCTION).write_text(json.dumps(reduction_json(smallest), indent=2) + "\n")


def write_reproducer(
    smallest: Smallest,
    to: Path,
    sources: Sources,
    *,
    numpy: str,
    bisected: Sequence[Mapping[str, Any]] = (),
) -> str:
    """Write a folder that shows the failure, once it was seen to, and return what it said.

    Raise HarnessFaultError where it does not show it, and ConfigurationError where the folder
    cannot be written.
    """
    right = smallest.start.same.trial.right
    with whole(to) as folder:
        inputs, outputs = _write_model(smallest, folder)
        fault = replace(_fault(smallest, numpy), inputs=inputs, outputs=outputs)
        text = smallest.candidate.text
        report = Report(
            fault=fault,
            model=text,
            shown="",
            host=_host(),
            right=right.reference.name if right else "",
            details=_details(smallest),
            bisected=bisected,
        )
        said = finish(folder, report, sources)
        (folder / REDUCTION).write_text(json.dumps(reduction_json(smallest), indent=2) + "\n")
    return said


def finish(folder: Path, report: Report, sources: Sources) -> str:
    """Write repro.py and README.md beside a model, run it, and return what it said."""
    fault = report.fault
    program = folder / "repro.py"
    program.write_text(script(fault), encoding="utf-8")
    deadline_s = fault.deadline_s + SLACK_S
    ended = run_script(program, fault.cell.python, sources, deadline_s=deadline_s)
    if ended.code != SHOWS:
        said = " ".join(ended.output.split())[-400:]
        raise HarnessFaultError(
            f"{fault.case} on {fault.cell.id}: alone the reproducer shows nothing: "
            f"exit code {ended.code}: {said}"
        )
    shown = ended.output.replace(str(folder), ".")
    text = issue(replace(report, shown=shown))
    (folder / "README.md").write_text(text, encoding="utf-8")
    return next((line for line in shown.splitlines() if line.startswith("SHOWS")), shown)


@contextlib.contextmanager
def whole(to: Path) -> Iterator[Path]:
    """Give a folder to fill, which is put in place once it is: an earlier one of ours gives way."""
    if to.exists() and not (to / REDUCTION).exists() and (not to.is_dir() or any(to.iterdir())):
        raise ConfigurationError(f"{to}: is there already and not ours: name a folder to be made")
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{to.name}.", dir=to.parent) as temporary:
            making = Path(temporary, to.name)
            making.mkdir()
            yield making
            if to.exists():
                to.rename(Path(temporary, "before"))
            making.rename(to)
    except OSError as error:
        raise ConfigurationError(f"{to}: cannot be written: {error}") from error


def _write_model(smallest: Smallest, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Write model, inputs and outputs, and return how the values are stored."""
    candidate = smallest.candidate
    (folder / "model.onnx").write_bytes(candidate.data)
    inputs = store(candidate.inputs, folder / "inputs.npz")
    names = [value.name for value in candidate.model.graph.output]
    want = {} if smallest.want is None else dict(zip(names, smallest.want, strict=True))
    outputs = store(want, folder / "expected.npz")
    return inputs, outputs


def _fault(smallest: Smallest, numpy: str) -> Reproducer:
    start, result = smallest.start, smallest.result
    trial = start.same.trial
    evidence = result.evidence
    match result.outcome:
        case Outcome.CRASH | Outcome.TIMEOUT:
            kind = Kind.DEATH
        case Outcome.FAIL:
            kind = Kind.MISMATCH
        case _:
            kind = Kind.ERROR
    tolerance = trial.right.tolerance if trial.right else None
    return Reproducer(
        case=start.subject.case.id,
        cell=start.cell,
        numpy=numpy,
        kind=kind,
        what=_what(smallest),
        status=evidence.status,
        rtol=tolerance.rtol if tolerance else 0.0,
        atol=tolerance.atol_for(smallest.want or ()) if tolerance else 0.0,
        settings=trial.settings,
    )


def _what(smallest: Smallest) -> str:
    operators = list(dict.fromkeys(node.op_type for node in smallest.candidate.model.graph.node))
    named = ", ".join(operators[:4]) + (", …" if len(operators) > 4 else "")  # noqa: PLR2004
    evidence = smallest.result.evidence
    said = evidence.mismatches[0].text if evidence.mismatches else evidence.text
    return f"{named}: {' '.join((said or evidence.requirement).split())[:200]}"


def _details(smallest: Smallest) -> list[str]:
    nodes = int(smallest.start.candidate.size[0])
    return [f"reduced from a model of {nodes} nodes"] if nodes > 1 else []


def _host() -> dict[str, str]:
    return {
        "system": platform.system(),
        "release": f"{platform.platform()}",
        "machine": platform.machine(),
    }
