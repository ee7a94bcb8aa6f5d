"""All commands under one parser, and what each way to fail ends in."""

from __future__ import annotations

import argparse
import errno
import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from harness.errors import INTERRUPTED, ConfigurationError, HarnessError

if TYPE_CHECKING:
    from collections.abc import Sequence

FAMILIES = {
    "cells": frozenset({"matrix", "probe", "case", "wheelhouse"}),
    "runs": frozenset({"report", "runs", "compare", "history", "merge", "prune"}),
    "reductions": frozenset({"reduce", "repro"}),
    "baselines": frozenset({"baseline"}),
    "bisecting": frozenset({"bisect"}),
    "attributing": frozenset({"attribute"}),
    "triaging": frozenset({"triage"}),
    "sweeping": frozenset({"sweep"}),
    "fuzzing": frozenset({"fuzz"}),
    "generating": frozenset({"generate"}),
}
"""The commands of each module beside this one."""

FULL = (errno.ENOSPC, errno.EDQUOT)
"""What a disk says that takes no more: no fault of ours."""


def main() -> NoReturn:
    """Run the command line and end the process with the exit code that README.md lists."""
    sys.exit(run(sys.argv[1:]))


def run(argv: Sequence[str]) -> int:
    """Carry out one command and return its exit code; whatever is wrong is told in one line."""
    try:
        arguments = _parser(argv).parse_args(argv)
        return int(arguments.command(arguments))
    except HarnessError as error:
        print(f"ort-matrix: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("ort-matrix: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        sys.stderr.close()
        return 0
    except OSError as error:
        if error.errno not in FULL:
            raise
        print(f"ort-matrix: {error.filename or 'a file'}: {error.strerror}", file=sys.stderr)
        return ConfigurationError.exit_code


def _parser(argv: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ort-matrix",
        description="Tell whether builds of ONNX Runtime still do what they promised. "
        "The suites themselves are run with nox; these commands look at cells, cases and runs.",
    )
    parser.add_argument(
        "--matrix",
        type=Path,
        default=Path("matrix.toml"),
        help="the matrix file; models and baselines stand beside it (default: matrix.toml)",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    named = [family for family, names in FAMILIES.items() if names & {*argv}]
    for family in named or FAMILIES:
        _add(family, commands)
    return parser


def _add(family: str, commands: Any) -> None:
    """Add a family of commands; one that nobody needs is not imported: that takes a second."""
    importlib.import_module(f"harness.cli.{family}").add_to(commands)
