"""What several commands take, and how they show what they found."""

from __future__ import annotations

import contextlib
import json
import math
import sys
from argparse import ArgumentTypeError
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.baseline import BASELINES
from harness.environments.interpreter import cache_root
from harness.environments.sources import Sources
from harness.report import terminal

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable

    from rich.table import Table
    from rich.text import Text


SEED_DIGITS = 18


def command(
    commands: Any, function: Callable[[argparse.Namespace], int], *, name: str = ""
) -> argparse.ArgumentParser:
    """Return the parser of a new command, described by its function's docstring."""
    about = (function.__doc__ or "").strip()
    one: argparse.ArgumentParser = commands.add_parser(
        name or function.__name__,
        help=about[0].lower() + about[1:].rstrip("."),
        description=about,
    )
    one.set_defaults(command=function)
    return one


def add_json(parser: argparse._ActionsContainer) -> None:
    """Let a command print an object in place of text."""
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")


def add_runs(parser: argparse.ArgumentParser) -> None:
    """Let a command look at another folder of runs."""
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="default: runs")


def add_wheelhouse(parser: argparse.ArgumentParser) -> None:
    """Let a command do without an index."""
    parser.add_argument(
        "--wheelhouse",
        type=Path,
        metavar="DIR",
        help="install from this folder of wheels, without any index (default: the index)",
    )


def positive(text: str) -> float:
    """Return a number above 0; raise ArgumentTypeError for anything else."""
    with contextlib.suppress(ValueError):
        if 0 < (value := float(text)) < math.inf:
            return value
    raise ArgumentTypeError(f"'{text}' is no number above 0")


def count(text: str) -> int:
    """Return a whole number above 0; raise ArgumentTypeError for anything else."""
    if not text.isdecimal() or not int(text):
        raise ArgumentTypeError(f"'{text}' is no whole number above 0: give 1 or more")
    return int(text)


def seed(text: str) -> int:
    """Return the seed of generated cases; raise ArgumentTypeError for what is none."""
    if not text.isdecimal() or len(text) > SEED_DIGITS:
        raise ArgumentTypeError(f"'{text}' is no seed: give up to {SEED_DIGITS} digits")
    return int(text)


def baselines_folder(arguments: argparse.Namespace) -> Path:
    """Return where the baselines of the variants stand."""
    folder: Path = arguments.matrix.parent / BASELINES
    return folder


def sources_of(arguments: argparse.Namespace) -> Sources:
    """Return where environments, wheels and packed cases come from and are kept."""
    return Sources(cache=cache_root(), wheelhouse=arguments.wheelhouse)


def triage_folder(run: str) -> Path:
    """Return where what is found out about a run's failures is kept, if nowhere else is named."""
    return Path("triage") / run


def show(parts: Iterable[Table | Text]) -> None:
    """Print text for a person."""
    print(terminal.as_text(parts, colour=sys.stdout.isatty()), end="")


def show_json(data: dict[str, Any]) -> None:
    """Print an object for a program."""
    print(json.dumps(data, indent=2))


def tell(text: str) -> None:
    """Say what is no data: on stderr."""
    print(f"ort-matrix: {text}", file=sys.stderr)
