"""The same generated cases on many builds, and what changed between neighbours."""

from __future__ import annotations

import shlex
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.arguments import (
    add_json,
    add_runs,
    add_wheelhouse,
    command,
    seed,
    show_json,
    sources_of,
    tell,
)
from harness.cli.drawing import add_amount, drawn, request_deadline_s
from harness.environments.releases import releases
from harness.errors import ConfigurationError, EnvironmentUnusableError
from harness.generate.cases import check_drawn
from harness.matrix import read_matrix
from harness.report import generated as told
from harness.store.names import new_run_id
from harness.store.run import PartWriter
from harness.sweeping.ranges import releases_between
from harness.sweeping.recording import SUITE, operator_results, record, suite_version
from harness.sweeping.sweep import Stop, Sweep, Swept
from harness.triage.bisection import last_of_each_minor
from harness.triage.generated.changes import Judgement

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from harness.matrix import Cell, Matrix
from harness.triage.generated.changes import Point

CASES = 10_000
SEED = 1


def sweep(arguments: argparse.Namespace) -> int:
    """Carry out the same generated cases on many releases and show what changed between them."""
    ends = arguments.minutes and time.monotonic() + 60 * arguments.minutes
    check_drawn(arguments.ops)
    stops = _stops(arguments, read_matrix(arguments.matrix))
    sources = sources_of(arguments)
    cases = drawn(arguments.ops, arguments.seed, arguments.cases, sources.cache)
    swept = Swept(cases=cases)
    run = new_run_id()
    with tempfile.TemporaryDirectory(prefix="ort-matrix-sweep-") as folder:
        going = Sweep(sources, Path(folder), tell)
        suites = {SUITE: suite_version(arguments.seed, arguments.cases, arguments.minutes)}
        with PartWriter.open(arguments.runs, run, part="sweep", suites=suites) as writer:
            _carry_out(going, stops, swept, ends, writer)
        tell(f"run {run}: {arguments.runs / run}")
        usable = [stop for stop in stops if stop.label in swept.track]
        if not usable:
            raise EnvironmentUnusableError("none of these builds can be used here")
        points = going.points(swept, usable[-1])
    _show(arguments, swept, points, run)
    if len(usable) < len(stops):
        return EnvironmentUnusableError.exit_code
    return int(any(point.judgement is Judgement.WORSE for point in points))


def _stops(arguments: argparse.Namespace, matrix: Matrix) -> list[Stop]:
    """Return the builds to go over: releases, or a cell after that which it is compared with."""
    pinned = matrix.cell(arguments.variant)
    if not arguments.against and arguments.variant != pinned.variant.name:
        wanted = f"give '{pinned.variant.name}', and --releases or --against"
        raise ConfigurationError(f"--variant: '{arguments.variant}' is one build; {wanted}")

    def stop(label: str, cell: Cell) -> Stop:
        return Stop(label=label, cell=cell, deadline_s=request_deadline_s(matrix, cell))

    if arguments.against:
        other = matrix.cell(arguments.against)
        if arguments.releases or arguments.every_release:
            raise ConfigurationError("--against compares two builds; give no releases with it")
        label = pinned.id if pinned.id != other.id else f"{pinned.id} again"
        return [stop(other.id, other), stop(label, pinned)]
    served = releases_between(releases(pinned.variant), arguments.releases or "..")
    landmarks = served if arguments.every_release else last_of_each_minor(served)
    chosen = [one for one in served if one in landmarks]
    return [stop(one, matrix.cell(f"{pinned.variant.name}-{one}")) for one in chosen]


def _carry_out(
    going: Sweep, stops: Sequence[Stop], swept: Swept, ends: float | None, writer: PartWriter
) -> None:
    """Carry the cases out, and write what a build made of them when it is done with all.

    Of a sweep that is cut off all is written that was seen.
    """
    left = {stop.label: stop for stop in stops}

    def write(stop: Stop) -> None:
        del left[stop.label]
        if (cell := swept.records.get(stop.label)) is not None:
            sights = swept.track.get(stop.label, [])
            cases = swept.cases[: len(sights)]
            seconds = swept.seconds.get(stop.label, 0.0)
            record(writer, cell, operator_results(cell.cell, cases, sights, seconds))

    try:
        going.carry_out(stops, swept, ends, write)
    finally:
        for stop in [*left.values()]:
            write(stop)


def _show(arguments: argparse.Namespace, swept: Swept, points: Sequence[Point], run: str) -> None:
    count, labels = len(swept.road.cases), list(swept.track)
    if arguments.json:
        cells = [{**one.to_json(), "label": label} for label, one in swept.records.items()]
        found = [told.point_json(point) for point in points]
        show_json(
            {"run": run, "seed": arguments.seed, "cases": count, "cells": cells, "points": found}
        )
    elif arguments.markdown:
        operators = len({case.operator for case in swept.road.cases})
        about = f"{count:,} generated cases of {operators} operators (seed {arguments.seed}) on "
        about += f"{len(labels)} builds, {labels[0]} to {labels[-1]}."
        print(told.changes_page(points, _command(arguments), about), end="")
    else:
        for step, those in told.by_step(points):
            print(" → ".join(step))
            for point in those:
                print("\n".join(f"  {line}" for line in told.point_lines(point)))
                print(f"      {_look_closer(arguments, point)}")
        print(f"{len(points):,} change points over {count:,} cases on {len(labels)} builds")


def _command(arguments: argparse.Namespace) -> str:
    """Return the command that makes the same page anywhere."""
    which = {
        "--variant": [arguments.variant],
        "--releases": [arguments.releases],
        "--against": [arguments.against],
        "--ops": arguments.ops,
        "--seed": [arguments.seed],
        "--cases": [arguments.cases],
    }
    given = {option: values for option, values in which.items() if values and values[0] is not None}
    words = [word for option, values in given.items() for word in (option, *map(str, values))]
    every = ["--every-release"] if arguments.every_release else []
    return shlex.join(["ort-matrix", "sweep", *words, *every, "--markdown"])


def _look_closer(arguments: argparse.Namespace, point: Point) -> str:
    case = f"generated/{point.smallest.case.description}"
    if arguments.against:
        return f"ort-matrix reduce {case} --cell {arguments.variant}"
    return (
        f"ort-matrix bisect {case} --variant {arguments.variant} "
        f"--good {point.before} --bad {point.after}"
    )


def add_to(commands: Any) -> None:
    """Add the command that goes over releases."""
    one = command(commands, sweep)
    one.add_argument("--variant", default="cpu", help="whose releases (default: cpu)")
    one.add_argument(
        "--releases",
        metavar="A..B",
        help="from which to which, both included (default: all that are served)",
    )
    one.add_argument(
        "--every-release",
        action="store_true",
        help="patch releases as well (default: the last one of every minor)",
    )
    one.add_argument(
        "--against", metavar="CELL", help="compare the variant's pinned build with this cell"
    )
    one.add_argument("--seed", type=seed, default=SEED, metavar="S", help=f"default: {SEED}")
    add_amount(one, CASES)
    add_runs(one)
    add_wheelhouse(one)
    formats = one.add_mutually_exclusive_group()
    add_json(formats)
    formats.add_argument(
        "--markdown", action="store_true", help="print a page with counts for each step instead"
    )
