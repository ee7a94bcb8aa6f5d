"""All unexpected failures of a run, each cause in a folder with what decides it and since when."""

from __future__ import annotations

import functools
import json
import os
import shutil
import tempfile
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.arguments import (
    add_json,
    add_runs,
    add_wheelhouse,
    command,
    positive,
    show_json,
    sources_of,
    tell,
    triage_folder,
)
from harness.cli.subject import add_suites, subject_in, suites_of
from harness.environments.interpreter import observe_host
from harness.environments.releases import releases
from harness.errors import ConfigurationError, HarnessError, NothingSelectedError
from harness.investigation.causes import Investigator
from harness.matrix import read_matrix
from harness.report.summary import summarise
from harness.report.triaged import CAUSE, REPRODUCER, page, summary_page, to_json
from harness.store.names import LATEST
from harness.store.run import read_run
from harness.sweeping.known import all_known_of
from harness.triage.causes import causes
from harness.verdicts import Verdict

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from harness.matrix import Cell, Matrix
    from harness.probing import Subject
    from harness.store.run import Run
    from harness.triage.causes import Cause


def triage(arguments: argparse.Namespace) -> int:
    """Look into a run's unexpected failures: what decides, since when, what shows it."""
    read = read_matrix(arguments.matrix)
    run = read_run(arguments.runs, arguments.run)
    found = _unexpected(run, arguments)
    folder = arguments.to or triage_folder(run.id)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"{folder}: no folder can be made there: {error}") from error
    for left in folder.glob(".partial-*"):  # of one that was killed
        shutil.rmtree(left, ignore_errors=True)
    waiting = [one for one in found if not (folder / one.name / CAUSE).is_file()]
    tell(f"{len(found)} causes, {len(found) - len(waiting)} looked into before")
    try:
        _look_into(waiting, read, folder, arguments)
    finally:
        rows = _rows(found, folder)
        text = summary_page(run.id, rows, len(found) - len(rows))
        _write(folder / "summary.md", text)
    if arguments.json:
        show_json({"run": run.id, "left": len(found) - len(rows), "causes": dict(rows)})
    else:
        print(text, end="")
        print(folder)
    return int(bool(found))


def _unexpected(run: Run, arguments: argparse.Namespace) -> tuple[Cause, ...]:
    baselines = all_known_of(run.cells.values(), arguments.matrix.parent)
    judged = [one for cell in summarise(run, baselines) for one in cell.judged]
    if not judged:
        raise NothingSelectedError(f"run {run.id} holds no result")
    return causes(one.result for one in judged if one.verdict is Verdict.UNEXPECTED_FAILURE)


def _look_into(
    waiting: list[Cause], read: Matrix, folder: Path, arguments: argparse.Namespace
) -> None:
    """Look into causes, as many at once as there are cores, until the time is spent."""
    sources = sources_of(arguments)

    @functools.cache
    def served(variant: str) -> tuple[str, ...]:
        return releases(read.variants[variant], wheelhouse=sources.wheelhouse)

    pythons = observe_host(read).pythons
    investigator = Investigator(read, sources, pythons=pythons, releases=served)
    suites = suites_of(arguments, read, sources)
    ends = time.monotonic() + 60 * arguments.minutes
    jobs: list[tuple[Cause, Callable[[], None]]] = []
    for cause in waiting:
        one = cause.representative
        try:
            subject = subject_in(suites, one.shown_by, one.evidence.example)
            cell = read.cell(cause.cell)
        except (ConfigurationError, NothingSelectedError) as error:
            tell(f"{one.case}: {error}")
            continue
        job = functools.partial(_make, investigator, cause, subject, cell, folder)
        jobs.append((cause, job))
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        try:
            _in_turn(pool, jobs, ends)
        except BaseException:
            investigator.stop()
            raise


def _in_turn(
    pool: ThreadPoolExecutor, jobs: list[tuple[Cause, Callable[[], None]]], ends: float
) -> None:
    """Begin a cause when a core is free, and tell each that is finished."""
    running: dict[Future[None], Cause] = {}
    left = iter(jobs)
    free = os.cpu_count() or 1
    while True:
        while len(running) < free and time.monotonic() < ends:
            cause, job = next(left, (None, None))
            if cause is None or job is None:
                break
            running[pool.submit(job)] = cause
        if not running:
            return
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            cause = running.pop(future)
            future.result()
            tell(f"{cause.name}: {len(cause.cases)} cases")


def _make(
    investigator: Investigator, cause: Cause, subject: Subject, cell: Cell, folder: Path
) -> None:
    """Look into a cause and make the folder of it, which appears whole or not at all."""
    with investigator.journal(subject, cell) as journal:
        found, shown = investigator.investigate(subject, cell, journal), ""
        making = Path(tempfile.mkdtemp(prefix=".partial-", dir=folder))
        making.chmod(0o755)
        if found.start is not None and found.start.failure is not None:
            said = to_json(cause, found)
            known = [said[name] for name in ("attribution", "bisection") if said[name]]
            try:
                shown = investigator.reproduce(subject, cell, making / REPRODUCER, known)
            except HarnessError as error:
                trouble = f"no reproducer: {error}"
                found = replace(found, trouble=(*found.trouble, trouble))
        making.joinpath("README.md").write_text(page(cause, found, shown), encoding="utf-8")
        text = json.dumps(to_json(cause, found, shown), indent=2)
        making.joinpath(CAUSE).write_text(text, encoding="utf-8")
        shutil.rmtree(folder / cause.name, ignore_errors=True)  # no cause: it has no CAUSE in it
        making.rename(folder / cause.name)
        journal.finish()


def _rows(found: tuple[Cause, ...], folder: Path) -> list[tuple[str, dict[str, Any]]]:
    """Return what is kept of the causes, by folder."""
    files = [(one.name, folder / one.name / CAUSE) for one in found]
    return [(name, json.loads(file.read_bytes())) for name, file in files if file.is_file()]


def _write(path: Path, text: str) -> None:
    unfinished = path.with_name(f".partial-{path.name}")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)


def add_to(commands: Any) -> None:
    """Add the command that looks into a whole run."""
    one = command(commands, triage)
    one.add_argument(
        "run",
        nargs="?",
        default=LATEST,
        metavar="RUN",
        help="an id, what it begins with, a date or latest (default: latest)",
    )
    one.add_argument(
        "--minutes",
        type=positive,
        default=60.0,
        help="begin no cause after this long; what is left is taken up when started again "
        "(default: 60)",
    )
    one.add_argument(
        "--to", type=Path, metavar="DIR", help="a folder for each cause (default: triage/RUN)"
    )
    add_runs(one)
    add_suites(one)
    add_wheelhouse(one)
    add_json(one)
