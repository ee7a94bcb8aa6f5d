"""What is looked into, as the commands that ask about one case take it: CASE and where it is."""

from __future__ import annotations

import contextlib
import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.arguments import tell
from harness.corpus.reference import Evaluator
from harness.errors import ConfigurationError
from harness.probing import Probes, Subject, journal_of
from harness.properties.search import EXAMPLES, Profile, Property, Search
from harness.reducing.brought import Brought, Fails, case_of
from harness.reducing.start import Bench
from harness.selection import the_case
from harness.suites import Suites

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from harness.environments.sources import Sources
    from harness.matrix import Matrix


def add_subject(parser: argparse.ArgumentParser) -> None:
    """Let a command take a case."""
    parser.add_argument("case", metavar="CASE", nargs="?", help="as in onnx/node/test_abs")
    add_suites(parser)
    parser.add_argument(
        "--example",
        metavar="JSON",
        help="ask only this example of a property (default: search)",
    )
    parser.add_argument(
        "--model", type=Path, metavar="FILE", help="an ONNX model of your own, in place of CASE"
    )
    parser.add_argument(
        "--inputs",
        type=Path,
        metavar="FILE.npz",
        help="with --model: its inputs by name (default: made of what the model declares)",
    )
    parser.add_argument(
        "--fails",
        choices=[str(fails) for fails in Fails],
        help="with --model: what counts as its failure (default: a crash, an error, or another "
        "answer than that of onnx's reference evaluator where that has one)",
    )
    parser.add_argument(
        "--against",
        metavar="CELL",
        help="the cell that is asked for right answers (default: onnx's reference evaluator, or "
        "the build itself without graph optimisation)",
    )


def add_suites(parser: argparse.ArgumentParser) -> None:
    """Let a command say where cases come from besides the matrix."""
    parser.add_argument(
        "--corpus",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="a folder in the ONNX test-data layout that holds the case; may be repeated",
    )
    parser.add_argument(
        "--profile",
        choices=[str(profile) for profile in Profile],
        default=str(Profile.CI),
        help="how the examples of a property are drawn: few and fixed, or many and random "
        "(default: ci)",
    )


def the_subject(arguments: argparse.Namespace, matrix: Matrix, sources: Sources) -> Subject:
    """Return what the arguments name.

    Raise ConfigurationError where they name nothing or contradict themselves, and
    NothingSelectedError where there is no such case.
    """
    if arguments.model is not None:
        return _brought(arguments, matrix, sources)
    if arguments.inputs or arguments.fails:
        raise ConfigurationError("--inputs and --fails say something of --model FILE, not of CASE")
    if arguments.case is None:
        raise ConfigurationError("CASE is missing: name one, as in onnx/node/test_abs")
    suites = suites_of(arguments, matrix, sources)
    example = _example(arguments.example) if arguments.example else {}
    return subject_in(suites, arguments.case, example)


@contextlib.contextmanager
def kept_probes(matrix: Matrix, sources: Sources, work: str, subject: Subject) -> Iterator[Probes]:
    """Give probes that go on where the same work on the subject was interrupted."""
    with (
        journal_of(sources, work, subject) as journal,
        Probes(matrix, sources, journal=journal) as probes,
    ):
        if journal.left:
            tell(f"going on with {journal.left} answers of one that was interrupted")
        try:
            yield probes
        except ConfigurationError:  # it said what was wrong: there is nothing to go on with
            journal.finish()
            raise
        journal.finish()


def suites_of(arguments: argparse.Namespace, matrix: Matrix, sources: Sources) -> Suites:
    """Return the suites that a case may be of, by what `add_subject` has added."""
    root = arguments.matrix.parent
    search = Search.of(Profile(arguments.profile), root / EXAMPLES)
    return Suites(matrix, root, sources, search, arguments.corpus)


def subject_in(suites: Suites, name: str, example: dict[str, Any]) -> Subject:
    """Return the case of a name, of one example alone where one is given."""
    suite = suites.suite_of(name)
    case = the_case(suites.cases(suite), name)
    if example and not isinstance(case, Property):
        raise ConfigurationError(f"--example: {case.id} draws no examples")
    return Subject(suite=suite, case=replace(case, arguments=example) if example else case)


def _brought(arguments: argparse.Namespace, matrix: Matrix, sources: Sources) -> Subject:
    """Return the model that the arguments bring; raise ConfigurationError."""
    if arguments.case is not None:
        raise ConfigurationError(f"give CASE or --model FILE, not both: {arguments.case}")
    fails = Fails(arguments.fails) if arguments.fails else None
    if fails is Fails.DIFFERS and not arguments.against:
        raise ConfigurationError("--fails differs: say from whom, with --against CELL")
    said = Brought(
        file=arguments.model,
        inputs=arguments.inputs,
        fails=fails,
        against=matrix.cell(arguments.against) if arguments.against else None,
    )
    with (
        tempfile.TemporaryDirectory(prefix="ort-matrix-") as files,
        Probes(matrix, sources) as probes,
        Evaluator() as evaluator,
    ):
        bench = Bench(probes=probes, matrix=matrix, evaluator=evaluator, files=Path(files))
        return case_of(said, bench, sources.cache)


def _example(text: str) -> dict[str, Any]:
    try:
        example = json.loads(text)
    except ValueError as error:
        raise ConfigurationError(f"--example: not JSON: {error}") from error
    if not isinstance(example, dict) or not example:
        raise ConfigurationError("--example: wanted a JSON object, as a failure prints it")
    return example
