"""Which setting, option, processor feature or companion of a build makes a case fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.cli.arguments import (
    add_json,
    add_wheelhouse,
    command,
    show_json,
    sources_of,
    tell,
)
from harness.cli.subject import add_subject, kept_probes, the_subject
from harness.environments.interpreter import observe_host
from harness.investigation.flipping import Flipping
from harness.matrix import read_matrix
from harness.report.attributed import to_json, tried_line, verdict_lines
from harness.signatures import signature
from harness.triage.attribution import Missing, Tried

if TYPE_CHECKING:
    import argparse

ANSWERED, FLAKE = 0, 1


def attribute(arguments: argparse.Namespace) -> int:
    """Turn one thing at a time of a case that fails, and name what decides."""
    read = read_matrix(arguments.matrix)
    cell = read.cell(arguments.cell)
    sources = sources_of(arguments)
    subject = the_subject(arguments, read, sources)
    tried: list[Tried] = []
    missing: list[Missing] = []
    with kept_probes(read, sources, "attribute", subject) as probes:
        flipping = Flipping(probes, subject, cell)
        start = flipping.start()
        _say(f"{subject.case.id} on {cell.id}: {signature(start.results[0])}", arguments)
        if start.failure is not None:
            if start.failure.by_outcome:
                tell("its signature is another each time: outcomes alone are compared")
            pythons = observe_host(read).pythons
            for one in flipping.tried(start.failure, pythons):
                _say(tried_line(one), arguments)
                if isinstance(one, Missing):
                    missing.append(one)
                else:
                    tried.append(one)
    if arguments.json:
        show_json(to_json(start, tried, missing))
    else:
        print("\n".join(verdict_lines(start, tried)))
    return FLAKE if start.failure is None else ANSWERED


def _say(line: str, arguments: argparse.Namespace) -> None:
    """Show a line as it comes: as data, or as talk where the data is JSON."""
    if arguments.json:
        tell(line)
    else:
        print(line, flush=True)


def add_to(commands: Any) -> None:
    """Add the command that names what decides."""
    one = command(commands, attribute)
    add_subject(one)
    one.add_argument("--cell", required=True, help="as in cpu, cpu-1.24.4 or cpu-1.24.4-py311")
    add_wheelhouse(one)
    add_json(one)
