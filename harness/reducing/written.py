"""Folders that are there whole or not at all: a smallest model, and a reproducer that was run."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import re
import shutil
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from harness.corpus.npz import store
from harness.environments.scripts import run_script
from harness.errors import ConfigurationError, HarnessFaultError
from harness.reducing.issue import Report, issue
from harness.reducing.reproducer import SHOWS, Kind, Reproducer, script
from harness.signatures import signature
from harness.wire.malformed import Wrong
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.controller.cell import CellUnderTest
    from harness.environments.sources import Sources
    from harness.reducing.smallest import Smallest
    from harness.results import CaseResult

REDUCTION = "reduction.json"
"""What a reduction came to, beside its model."""

MOST_NAMED = 4
"""Operators that a title names."""

MOST_SAID = 200
"""Characters of what was said that a title has."""

_WANT_GOT = re.compile(r"want (\S+), got (\S+)$")

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
        found = smallest.candidate
        _write_model(found.data, found.inputs, found.outputs(smallest.want), folder)
        (folder / REDUCTION).write_text(json.dumps(reduction_json(smallest), indent=2) + "\n")


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A fault with the model that shows it."""

    fault: Reproducer
    model: bytes
    text: str
    """The model for a person."""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    want: Mapping[str, Any] = field(default_factory=dict)
    """The right answer by output, where the fault is a wrong one."""
    right: str = ""
    """Who says so."""
    details: Sequence[str] = ()
    reduction: Mapping[str, Any] = field(default_factory=dict)
    """What its reduction came to, where there was one, for a program."""


def shown_by(smallest: Smallest) -> Shown:
    """Return what the reproducer of a reduced case is made of."""
    right = smallest.start.same.trial.right
    nodes = int(smallest.start.candidate.size[0])
    return Shown(
        fault=_fault(smallest),
        model=smallest.candidate.data,
        text=smallest.candidate.text,
        inputs=smallest.candidate.inputs,
        want=smallest.candidate.outputs(smallest.want),
        right=right.reference.name if right else "",
        details=[f"reduced from a model of {nodes} nodes"] if nodes > 1 else [],
        reduction=reduction_json(smallest),
    )


def write_reproducer(
    shown: Shown, to: Path, sources: Sources, bisected: Sequence[Mapping[str, Any]] = ()
) -> str:
    """Write a folder that shows a fault, once it was seen to, and return what it said.

    Raise HarnessFaultError where it does not show it, and ConfigurationError where the folder
    cannot be written.
    """
    with whole(to) as folder:
        inputs, outputs = _write_model(shown.model, shown.inputs, shown.want, folder)
        fault = replace(shown.fault, inputs=inputs, outputs=outputs)
        program = folder / "repro.py"
        program.write_text(script(fault), encoding="utf-8")
        said = _run(program, fault, sources)
        report = Report(
            fault=fault,
            model=shown.text,
            shown=said,
            host=_host(),
            right=shown.right,
            details=shown.details,
            bisected=bisected,
        )
        (folder / "README.md").write_text(issue(report), encoding="utf-8")
    return next((line for line in said.splitlines() if line.startswith("SHOWS")), said)


def _run(program: Path, fault: Reproducer, sources: Sources) -> str:
    """Return what a repro.py says in an environment of its own; raise where it shows nothing."""
    deadline_s = fault.deadline_s + SLACK_S
    ended = run_script(program, fault.cell.python, sources, deadline_s=deadline_s)
    if ended.code != SHOWS:
        said = " ".join(ended.output.split())[-400:]
        raise HarnessFaultError(
            f"{fault.case} on {fault.cell.id}: alone the reproducer shows nothing: "
            f"exit code {ended.code}: {said}"
        )
    return ended.output.replace(str(program.parent), ".")


def refuse_others(to: Path) -> None:
    """Raise ConfigurationError where something stands that is not ours, or no folder can stand."""
    if to.exists() and not _is_ours(to):
        raise ConfigurationError(f"{to}: is there already and not ours: name a folder to be made")
    above = next((one for one in to.absolute().parents if one.exists()), None)
    if above is not None and not above.is_dir():
        raise ConfigurationError(f"{to}: {above} is no folder: name a folder to be made")


@contextlib.contextmanager
def whole(to: Path) -> Iterator[Path]:
    """Give a folder to fill, which is put in place once it is: an earlier one of ours gives way."""
    refuse_others(to)
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        _sweep_up(to)
        begun = f".{to.name}.{os.getpid()}-"
        with tempfile.TemporaryDirectory(prefix=begun, dir=to.parent) as temporary:
            making = Path(temporary, to.name)
            making.mkdir()
            yield making
            if to.exists():
                to.rename(Path(temporary, "before"))
            making.rename(to)
    except OSError as error:
        raise ConfigurationError(f"{to}: cannot be written: {error}") from error


def _sweep_up(to: Path) -> None:
    """Take away what processes that were killed had begun of a folder."""
    begun = re.compile(rf"\.{re.escape(to.name)}\.(\d+)-\w+")
    for left in to.parent.iterdir():
        found = begun.fullmatch(left.name)
        if found is not None and not psutil.pid_exists(int(found[1])):
            shutil.rmtree(left, ignore_errors=True)


def _is_ours(folder: Path) -> bool:
    """Say whether a folder may be replaced: one that we made, or an empty one."""
    if not folder.is_dir():
        return False
    names = {path.name for path in folder.iterdir()}
    return not names or ("model.onnx" in names and bool(names & {REDUCTION, "repro.py"}))


def _write_model(
    model: bytes, inputs: Mapping[str, Any], outputs: Mapping[str, Any], folder: Path
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Write model, inputs and outputs, and return how the values are stored."""
    (folder / "model.onnx").write_bytes(model)
    return store(inputs, folder / "inputs.npz"), store(outputs, folder / "expected.npz")


def _fault(smallest: Smallest) -> Reproducer:
    start, result = smallest.start, smallest.result
    trial = start.same.trial
    tolerance = trial.right.tolerance if trial.right else None
    return Reproducer(
        case=start.subject.case.id,
        cell=start.cell,
        numpy=numpy_of(start.opened),
        kind=kind_of(result),
        what=_what(smallest),
        status=result.evidence.status,
        rtol=tolerance.rtol if tolerance else 0.0,
        atol=tolerance.atol_for(smallest.want or ()) if tolerance else 0.0,
        settings=trial.settings,
    )


def numpy_of(opened: CellUnderTest) -> str:
    """Return the numpy release that a cell's answers came with."""
    hello = opened.record.hello
    assert hello is not None, "a cell without a hello is BROKEN, and was refused"
    return hello.numpy


def kind_of(result: CaseResult) -> Kind:
    """Return how a failure shows; raise ConfigurationError where no program of ours shows it."""
    match result.outcome:
        case Outcome.CRASH | Outcome.TIMEOUT:
            return Kind.DEATH
        case Outcome.FAIL if result.evidence.mismatches:
            return Kind.MISMATCH
        case Outcome.FAIL:
            if (wrong := Wrong.told_in(result.evidence.text)) is not None:
                return Kind.of(wrong)
            raise ConfigurationError(
                f"{result.case} on {result.cell}: no reproducer is made of {signature(result)}; "
                f"`ort-matrix case {result.case} --cell {result.cell}` shows it"
            )
    return Kind.ERROR


def _what(smallest: Smallest) -> str:
    """Return what happens in one line: `AveragePool: 0.5 where 0.25 is right`."""
    operators = list(dict.fromkeys(node.op_type for node in smallest.candidate.model.graph.node))
    named = ", ".join(operators[:MOST_NAMED]) + (", …" if len(operators) > MOST_NAMED else "")
    evidence = smallest.result.evidence
    text = evidence.mismatches[0].text if evidence.mismatches else evidence.text
    said = " ".join((text or evidence.requirement).split())
    if found := _WANT_GOT.search(said):
        said = f"{found[2]} where {found[1]} is right"
    return f"{named}: {said[:MOST_SAID]}"


def _host() -> dict[str, str]:
    return {
        "system": platform.system(),
        "release": platform.platform(),
        "machine": platform.machine(),
    }
