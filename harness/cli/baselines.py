"""Expectations: added from a run as text to be reviewed, and checked for what is false in them."""

from __future__ import annotations

import argparse
import os
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from harness.baseline import Baseline, baselines_of, read_entries
from harness.cli.arguments import (
    add_json,
    add_runs,
    add_wheelhouse,
    baselines_folder,
    command,
    show_json,
    tell,
)
from harness.environments.interpreter import cache_root
from harness.environments.sources import Sources
from harness.errors import ConfigurationError, NothingSelectedError
from harness.matrix import read_matrix
from harness.properties.search import EXAMPLES, Profile, Search
from harness.store.names import LATEST, run_ids
from harness.store.run import read_run
from harness.suites import Suites
from harness.sweeping.known import all_known_of
from harness.triage.accept import Because, accept
from harness.triage.upkeep import Finding, flaws_by_run, flaws_in_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from harness.matrix import Matrix


def accepted(arguments: argparse.Namespace) -> int:
    """Add entries for the failures of a run that nobody expected, as text to be reviewed."""
    because = Because(
        reason=arguments.reason,
        link=arguments.link,
        until=arguments.until,
        expires=arguments.expires,
    )
    run = read_run(arguments.runs, arguments.run)
    folder = baselines_folder(arguments)
    chosen = [
        result
        for result in run.results.values()
        if any(fnmatchcase(result.case, pattern) for pattern in arguments.case or ["*"])
    ]
    baselines = all_known_of(run.cells.values(), arguments.matrix.parent)
    variants = read_matrix(arguments.matrix).variants
    pinned = {name: variant.release for name, variant in variants.items()}
    found = accept(chosen, run.cells, baselines, pinned, because)
    for result, known in found.contradicted:
        tell(
            f"{result.case} on {result.cell} was {result.outcome}, and '{known.pattern}' of "
            f"{known.place} says {', '.join(known.outcomes)}: change that entry"
        )
    if found.flaky and because.expires is None:
        names = ", ".join(sorted({result.case for result in found.flaky})[:3])
        raise ConfigurationError(
            f"{len(found.flaky)} of them are flaky ({names}): say with --expires until when that "
            "is to be believed, or leave them out with --case"
        )
    if not found.texts:
        raise NothingSelectedError(f"{run.id} has no unexpected failure that can be accepted")
    for variant, text in found.texts.items():
        path = folder / f"{variant}.toml"
        releases = {cell.release for cell in run.cells.values() if cell.variant == variant}
        _append(path, f"\n# --- accepted from the run {run.id} ---\n{text}", releases)
        print(f"{path}: {text.count('[[expect]]')} entries added")
    return 0


def checked(arguments: argparse.Namespace) -> int:
    """List the expectations that are false: stale, unmatched, contradicting or expired."""
    matrix = read_matrix(arguments.matrix)
    folder = baselines_folder(arguments)
    found = [*_flaws_in_text(arguments, matrix, folder)]
    if arguments.run or run_ids(arguments.runs):
        run = read_run(arguments.runs, arguments.run or LATEST)
        for cell, baseline in baselines_of(run.cells.values(), folder).items():
            of_cell = [one for (where, _), one in run.results.items() if where == cell]
            found += flaws_by_run(of_cell, baseline)
    if arguments.json:
        show_json({"findings": [vars(one) for one in found]})
    else:
        for line in sorted({_line(one) for one in found}):
            print(line)
    return int(bool(found))


def add_to(commands: Any) -> None:
    """Add the commands about expectations."""
    about = "Add to and check what is known beforehand."
    parser = commands.add_parser("baseline", help=about[0].lower() + about[1:-1], description=about)
    inner = parser.add_subparsers(required=True, metavar="COMMAND")

    one = command(inner, accepted, name="accept")
    one.add_argument("run", metavar="RUN", help="an id, its beginning, a date, or latest")
    one.add_argument("--reason", required=True, type=_words, help="why this is known")
    one.add_argument("--link", default="", help="where it is discussed (default: none)")
    one.add_argument(
        "--case",
        action="append",
        metavar="PATTERN",
        help="only cases that match, as in 'onnx/node/test_cast*'; may be repeated (default: all)",
    )
    one.add_argument("--until", default="", metavar="RELEASE", help="the release that ends it")
    one.add_argument(
        "--expires",
        type=date.fromisoformat,
        metavar="DATE",
        help="until when it is believed, as in 2027-01-31; needed for what is flaky",
    )
    add_runs(one)

    one = command(inner, checked, name="check")
    one.add_argument(
        "run", nargs="?", metavar="RUN", help="compare with this run (default: latest)"
    )
    add_runs(one)
    add_wheelhouse(one)
    add_json(one)


def _flaws_in_text(
    arguments: argparse.Namespace, matrix: Matrix, folder: Path
) -> Iterator[Finding]:
    root = arguments.matrix.parent
    sources = Sources(cache=cache_root(), wheelhouse=arguments.wheelhouse)
    suites = Suites(matrix, root, sources, Search.of(Profile.CI, root / EXAMPLES))
    today = datetime.now(UTC).date()
    for variant in matrix.variants.values():
        path = folder / f"{variant.name}.toml"
        entries = read_entries(path)
        Baseline.read(path, variant.release)  # refuses a case that two entries name
        named = {one.pattern.partition("/")[0] for entry in entries for one in entry.expectations}
        known = {name for name in named if name in variant.suites}
        cases = {name: [case.id for case in suites.cases(name)] for name in sorted(known)}
        yield from flaws_in_text(
            entries, variant.release, {**dict.fromkeys(named, ()), **cases}, today
        )


def _append(path: Path, text: str, releases: Iterable[str]) -> None:
    """Add text to a baseline file at its end, if the whole is one that can be read."""
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    unchecked = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unchecked.write_text(f"{before.rstrip()}\n{text}".lstrip("\n"), encoding="utf-8")
        for release in releases:
            Baseline.read(unchecked, release)
        unchecked.replace(path)
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be written: {error}") from error
    finally:
        unchecked.unlink(missing_ok=True)


def _line(finding: Finding) -> str:
    return f"{finding.flaw} {finding.place}: '{finding.pattern}': {finding.text}"


def _words(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("say why")
    return text
