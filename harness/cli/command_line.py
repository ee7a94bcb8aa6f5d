"""All commands under one parser, and what each way to fail ends in."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from harness.cli import baselines, cells, runs
from harness.errors import INTERRUPTED, HarnessError

if TYPE_CHECKING:
    from collections.abc import Sequence


def main() -> NoReturn:
    """Run the command line and end the process with the exit code that README.md lists."""
    sys.exit(run(sys.argv[1:]))


def run(argv: Sequence[str]) -> int:
    """Carry out one command and return its exit code; whatever is wrong is told in one line."""
    arguments = _parser().parse_args(argv)
    try:
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


def _parser() -> argparse.ArgumentParser:
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
    for family in (cells, runs, baselines):
        family.add_to(commands)
    return parser
