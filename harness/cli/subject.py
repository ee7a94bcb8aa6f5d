"""What is looked into, as the commands that ask about one case take it: CASE and where it is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import ConfigurationError
from harness.probing import Subject
from harness.properties.search import EXAMPLES, Profile, Property, Search
from harness.selection import the_case
from harness.suites import Suites

if TYPE_CHECKING:
    import argparse

    from harness.cases import Case
    from harness.environments.sources import Sources
    from harness.matrix import Matrix


def add_subject(parser: argparse.ArgumentParser) -> None:
    """Let a command take a case."""
    parser.add_argument("case", metavar="CASE", nargs="?", help="as in onnx/node/test_abs")
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
    parser.add_argument(
        "--example",
        metavar="JSON",
        help="ask only this example of a property (default: search)",
    )
    parser.add_argument("--against", metavar="CELL", help="x")


def the_subject(arguments: argparse.Namespace, matrix: Matrix, sources: Sources) -> Subject:
    """Return what the arguments name.

    Raise ConfigurationError where they name nothing or contradict themselves, and
    NothingSelectedError where there is no such case.
    """
    if arguments.case is None:
        raise ConfigurationError("CASE is missing: name one, as in onnx/node/test_abs")
    root = arguments.matrix.parent
    search = Search.of(Profile(arguments.profile), root / EXAMPLES)
    suites = Suites(matrix, root, sources, search, arguments.corpus)
    suite = suites.suite_of(arguments.case)
    chosen = the_case(suites.cases(suite), arguments.case)
    return Subject(suite=suite, case=_with_example(chosen, arguments.example))


def _with_example(case: Case, text: str | None) -> Case:
    """Return the case as it is asked of one example alone, where one is given."""
    if not text:
        return case
    if not isinstance(case, Property):
        raise ConfigurationError(f"--example: {case.id} draws no examples")
    return replace(case, arguments=_example(text))


def _example(text: str) -> dict[str, Any]:
    try:
        example = json.loads(text)
    except ValueError as error:
        raise ConfigurationError(f"--example: not JSON: {error}") from error
    if not isinstance(example, dict) or not example:
        raise ConfigurationError("--example: wanted a JSON object, as a failure prints it")
    return example
