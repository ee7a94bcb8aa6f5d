"""What every proof needs: cells under test, and a table of what caught what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from rich.table import Table

from harness.environments.interpreter import cache_root
from harness.environments.sources import Sources
from harness.matrix import read_matrix
from harness.properties.search import Search
from harness.report.terminal import as_text
from harness.suites import Suites

if TYPE_CHECKING:
    from harness.matrix import Matrix

Caught = tuple[str, str, str, str]
"""What was wrong, where, the case that caught it with its outcome, and after how many seconds."""

_CAUGHT = pytest.StashKey[list[Caught]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a proof be repeated."""
    parser.addoption("--repeats", type=int, default=1, help="how often (default: 1)")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Repeat each proof as often as was asked."""
    if "repeat" in metafunc.fixturenames:
        metafunc.parametrize("repeat", range(metafunc.config.option.repeats))


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What a proof works with: the project's own matrix and suites."""

    matrix: Matrix
    sources: Sources
    suites: Suites


@pytest.fixture(scope="session")
def bench(pytestconfig: pytest.Config) -> Bench:
    """Return the matrix and the suites as CI has them, without any example kept from before."""
    matrix = read_matrix(pytestconfig.rootpath / "matrix.toml")
    sources = Sources(cache=cache_root())
    suites = Suites(matrix, pytestconfig.rootpath, sources, Search())
    return Bench(matrix=matrix, sources=sources, suites=suites)


@pytest.fixture(scope="session")
def caught(pytestconfig: pytest.Config) -> list[Caught]:
    """Return the list that is printed at the end."""
    return pytestconfig.stash.setdefault(_CAUGHT, [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what caught what."""
    rows = terminalreporter.config.stash.get(_CAUGHT, [])
    if not rows:
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("wrong", "on", "caught by", "s"):
        table.add_column(column, overflow="fold")
    for row in sorted(rows):
        table.add_row(*row)
    terminalreporter.section("what caught what")
    terminalreporter.write(as_text([table], colour=terminalreporter.hasmarkup))
