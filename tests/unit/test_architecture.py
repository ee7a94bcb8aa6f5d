"""Who may import whom, and what is done in one place only, read from the sources themselves.

Imports for type checking count as well: a name that a module needs to be read is a dependency.
"""

from __future__ import annotations

import ast
import functools
import sys
from dataclasses import dataclass
from fnmatch import fnmatch
from graphlib import CycleError, TopologicalSorter
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, TypeAlias

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

ROOT = Path(__file__).parents[2]

LEVELS = (
    ("wire", "errors", "versions"),
    ("strict_toml", "results"),
    ("cases", "signatures", "journal"),
    ("matrix", "store", "baseline", "generate"),
    ("corpus",),
    ("properties",),
    ("environments", "selection", "verdicts"),
    ("controller", "triage"),
    ("sweeping",),
    ("suites", "probing"),
    ("reducing",),
    ("investigation",),
    ("report",),
    ("campaign",),
    ("plugin", "cli"),
    ("__main__",),
)
"""The controller's modules and packages; each imports from levels above its own line only."""

ACROSS_THE_BOUNDARY = "worker"
"""What runs in a build's environment: nobody on the controller's side imports it."""

WORKER_MAY_IMPORT = ("harness.wire", "harness.worker", "numpy", "onnxruntime", "memray")

HOMES = {
    "onnxruntime": ("harness/worker/*", "models/build_golden.py"),
    "pytest": ("harness/plugin.py",),
    "onnx": (
        "harness/corpus/*",
        "harness/generate/*",
        "harness/triage/graph_passes/*",
        "models/*",
    ),
    "duckdb": ("harness/store/*",),
    "hypothesis": ("harness/properties/*",),
    "memray": ("harness/worker/cases/leaks/allocations.py",),
    "jinja2": ("harness/report/html/*",),
    "subprocess": ("harness/controller/process.py", "harness/environments/installer.py"),
}
"""Where alone each of these may be imported."""

MAY_EXIT = (
    "harness/cli/command_line.py",
    "harness/worker/__main__.py",
    "harness/worker/cases/generated/forked.py",  # a copy of the worker, which must not live on
)
MAY_PRINT = ("harness/cli/*",)
SAYS_NOTHING = frozenset({"utils", "common", "core", "manager", "helpers"})

Sources: TypeAlias = "Mapping[str, str]"
"""Python text by its path from the root of the repository."""


@dataclass(frozen=True, kw_only=True)
class Import:
    """One name that a module imports."""

    path: str
    line: int
    name: str

    def is_of(self, package: str) -> bool:
        """Say whether the name is the package or something in it."""
        return self.name == package or self.name.startswith(f"{package}.")

    def __str__(self) -> str:
        return f"{self.path}:{self.line} imports {self.name}"


def real_sources() -> Sources:
    """Return the sources that the rules are for."""
    paths = [*(ROOT / "harness").rglob("*.py"), *(ROOT / "models").rglob("*.py")]
    return {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in sorted(paths)}


def nodes(sources: Sources) -> Iterator[tuple[str, ast.AST]]:
    """Return every node of every source with the path that it stands in."""
    for path, text in sources.items():
        yield from ((path, node) for node in _nodes(text))


@functools.cache
def _nodes(text: str) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(text)))


def imports(sources: Sources) -> Iterator[Import]:
    """Return every import, `from a import b` as `a.b`: b may be a module."""
    for path, node in nodes(sources):
        match node:
            case ast.Import(names=aliases):
                names = [alias.name for alias in aliases]
            case ast.ImportFrom(module=module, names=aliases, level=level):
                base = ".".join(filter(None, (_package(path, level), module)))
                names = [f"{base}.{alias.name}" for alias in aliases]
            case ast.Call(
                func=ast.Attribute(attr="import_module")
                | ast.Name(id="import_module" | "__import__"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                names = [name]
            case _:
                continue
        yield from (Import(path=path, line=node.lineno, name=name) for name in names)


def _package(path: str, level: int) -> str:
    """Return what the dots of a relative import mean; nothing where there are none."""
    return ".".join(PurePosixPath(path).parts[:-level]) if level else ""


def of_harness(sources: Sources) -> dict[str, str]:
    """Return the sources of the package alone."""
    return {path: text for path, text in sources.items() if path.startswith("harness/")}


def part_of(path: str) -> str:
    """Return the module or package right under harness that a file belongs to."""
    return PurePosixPath(path).parts[1].removesuffix(".py")


# --- The rules: each returns what breaks it ------------------------------------------------------


def arrows_that_turn_back(sources: Sources) -> list[str]:
    """Each part imports from the levels before its own; the worker's side from none of them."""
    level_of = {part: level for level, parts in enumerate(LEVELS) for part in parts}
    wrong = []
    for found in imports(of_harness(sources)):
        part = part_of(found.path)
        target = found.name.removeprefix("harness.").partition(".")[0]
        if not found.is_of("harness") or found.name == "harness" or target == part:
            continue
        if part not in level_of or target not in level_of or level_of[target] >= level_of[part]:
            wrong.append(f"{found}, which is no level below its own")
    return [text for text in wrong if not text.startswith("harness/worker/")]


def parts_without_a_level(sources: Sources) -> list[str]:
    """Name in the levels what there is, no more and no less."""
    placed = {part for parts in LEVELS for part in parts} | {ACROSS_THE_BOUNDARY, "__init__"}
    there = {part_of(path) for path in of_harness(sources)}
    return [
        *(f"harness/{part}: place it in LEVELS" for part in sorted(there - placed)),
        *(f"harness/{part}: take it out of LEVELS" for part in sorted(placed - there)),
    ]


def circles(sources: Sources) -> list[str]:
    """Inside a package, too, no module needs itself."""
    modules = {path.removesuffix(".py").replace("/", "."): path for path in of_harness(sources)}
    modules |= {name.removesuffix(".__init__"): path for name, path in modules.items()}
    needs: dict[str, set[str]] = {path: set() for path in modules.values()}
    for found in imports(of_harness(sources)):
        name = found.name if found.name in modules else found.name.rpartition(".")[0]
        if name in modules and not modules[name].endswith("/__init__.py"):
            needs[found.path].add(modules[name])
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        return [" ← ".join(error.args[1])]
    return []


def strangers_in_the_wire(sources: Sources) -> list[str]:
    """harness.wire imports the standard library and itself."""
    return [
        str(found)
        for found in imports(sources)
        if found.path.startswith("harness/wire/")
        and not found.is_of("harness.wire")
        and found.name.partition(".")[0] not in sys.stdlib_module_names
    ]


def strangers_in_the_worker(sources: Sources) -> list[str]:
    """harness.worker imports the wire, itself, numpy, onnxruntime, memray, the standard library."""
    return [
        str(found)
        for found in imports(sources)
        if found.path.startswith("harness/worker/")
        and not any(found.is_of(package) for package in WORKER_MAY_IMPORT)
        and found.name.partition(".")[0] not in sys.stdlib_module_names
    ]


def imports_away_from_home(sources: Sources) -> list[str]:
    """Import some packages in their one place only."""
    return [
        str(found)
        for found in imports(sources)
        for package, homes in HOMES.items()
        if found.is_of(package) and not any(fnmatch(found.path, home) for home in homes)
    ]


def exits(sources: Sources) -> list[str]:
    """Whoever is below the command line raises, and does not end the process."""
    wrong = []
    for path, node in nodes(of_harness(sources)):
        match node:
            case ast.Attribute(value=ast.Name(id="sys"), attr="exit"):
                name = "sys.exit"
            case ast.Attribute(value=ast.Name(id="os"), attr="_exit"):
                name = "os._exit"
            case ast.Name(id="SystemExit") as found:
                name = found.id
            case ast.Call(func=ast.Name(id="exit" | "quit" as name)):
                pass
            case _:
                continue
        if path not in MAY_EXIT:
            wrong.append(f"{path}:{node.lineno} uses {name}")
    wrong += [
        str(found)
        for found in imports(of_harness(sources))
        if found.name in ("sys.exit", "os._exit") and found.path not in MAY_EXIT
    ]
    return wrong


def prints(sources: Sources) -> list[str]:
    """Whoever is below the command line returns, and does not print."""
    return [
        f"{path}:{node.lineno} prints"
        for path, node in nodes(of_harness(sources))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
        and not any(fnmatch(path, home) for home in MAY_PRINT)
    ]


def what_the_package_does(sources: Sources) -> list[str]:
    """Keep the package itself to one docstring: importing `harness` costs nothing."""
    return [
        f"harness/__init__.py:{node.lineno} is more than a docstring"
        for node in ast.parse(sources.get("harness/__init__.py", "")).body
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]


def names_that_say_nothing(sources: Sources) -> list[str]:
    """No module or package has a name under which anything would fit."""
    return [
        f"{path}: what is it about?"
        for path in sources
        if SAYS_NOTHING & {part.removesuffix(".py") for part in PurePosixPath(path).parts}
    ]


RULES: tuple[Callable[[Sources], list[str]], ...] = (
    arrows_that_turn_back,
    parts_without_a_level,
    circles,
    strangers_in_the_wire,
    strangers_in_the_worker,
    imports_away_from_home,
    exits,
    prints,
    what_the_package_does,
    names_that_say_nothing,
)

PLANTED = [
    (arrows_that_turn_back, "harness/matrix.py", "from harness.store.run import read_run"),
    (arrows_that_turn_back, "harness/store/run.py", "from harness.matrix import Cell"),
    (arrows_that_turn_back, "harness/store/run.py", "from harness import plugin"),
    (arrows_that_turn_back, "harness/store/run.py", "from .. import plugin"),
    (arrows_that_turn_back, "harness/report/html.py", "from ..cli import main"),
    (arrows_that_turn_back, "harness/errors.py", "import harness.results"),
    (arrows_that_turn_back, "harness/cli/runs.py", "from harness.worker import tensors"),
    (arrows_that_turn_back, "harness/unplaced.py", "from harness.errors import HarnessError"),
    (
        arrows_that_turn_back,
        "harness/matrix.py",
        "if TYPE_CHECKING:\n    from harness.store.run import Run",
    ),
    (
        arrows_that_turn_back,
        "harness/matrix.py",
        "def late():\n    import_module('harness.store')",
    ),
    (parts_without_a_level, "harness/unplaced.py", ""),
    (parts_without_a_level, "harness/unplaced/__init__.py", ""),
    (circles, "harness/wire/outcomes.py", "from harness.wire.messages import Reply"),
    (circles, "harness/wire/outcomes.py", "from harness.wire import messages"),
    (strangers_in_the_wire, "harness/wire/values.py", "import numpy as np"),
    (strangers_in_the_wire, "harness/wire/values.py", "from harness.errors import HarnessError"),
    (strangers_in_the_wire, "harness/wire/values.py", "from harness.worker import tensors"),
    (strangers_in_the_worker, "harness/worker/probe.py", "import onnx"),
    (strangers_in_the_worker, "harness/worker/probe.py", "from harness.results import CaseResult"),
    (strangers_in_the_worker, "harness/worker/probe.py", "import psutil"),
    (imports_away_from_home, "harness/matrix.py", "import onnxruntime"),
    (imports_away_from_home, "harness/corpus/zoo.py", "from onnxruntime import InferenceSession"),
    (imports_away_from_home, "models/build_inputs.py", "import onnxruntime"),
    (imports_away_from_home, "harness/store/run.py", "import pytest"),
    (imports_away_from_home, "harness/worker/cases/leaks/meters.py", "import memray"),
    (imports_away_from_home, "harness/suites.py", "from hypothesis import given"),
    (imports_away_from_home, "harness/report/terminal.py", "from jinja2 import Template"),
    (imports_away_from_home, "harness/worker/probe.py", "import onnx.checker"),
    (imports_away_from_home, "harness/matrix.py", "from onnx import helper"),
    (imports_away_from_home, "harness/triage/history.py", "import duckdb"),
    (imports_away_from_home, "harness/environments/wheelhouse.py", "from subprocess import run"),
    (exits, "harness/plugin.py", "sys.exit(1)"),
    (exits, "harness/plugin.py", "from sys import exit"),
    (exits, "harness/plugin.py", "raise SystemExit"),
    (exits, "harness/worker/probe.py", "os._exit(0)"),
    (exits, "harness/worker/probe.py", "quit()"),
    (prints, "harness/report/terminal.py", "print('so')"),
    (prints, "harness/worker/__main__.py", "print('so')"),
    (what_the_package_does, "harness/__init__.py", '"""Doc."""\nimport os'),
    (what_the_package_does, "harness/__init__.py", "VERSION = 1"),
    (names_that_say_nothing, "harness/utils.py", ""),
    (names_that_say_nothing, "harness/report/helpers.py", ""),
    (names_that_say_nothing, "harness/core/engine.py", ""),
]


@pytest.mark.parametrize("rule", RULES)
def test_the_rule_holds(rule: Callable[[Sources], list[str]]) -> None:
    """Nothing in the tree breaks the rule."""
    sources = real_sources()

    broken = rule(sources)

    assert broken == []


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    PLANTED,
    ids=[f"{n}-{rule.__name__}" for n, (rule, *_) in enumerate(PLANTED)],
)
def test_the_rule_can_fail(rule: Callable[[Sources], list[str]], path: str, text: str) -> None:
    """A planted text breaks the rule once, and the rule names the file."""
    sources = real_sources()
    planted = {**sources, path: f"{sources.get(path, '')}\n{text}\n"}

    (broken,) = set(rule(planted)) - set(rule(sources))

    assert path.removesuffix(".py").removesuffix("/__init__") in broken


def test_every_rule_was_seen_to_fail() -> None:
    """A rule that no planted text breaks may be one that cannot fail."""
    seen = {rule for rule, *_ in PLANTED}

    unseen = [rule.__name__ for rule in RULES if rule not in seen]

    assert unseen == []


def test_every_home_is_lived_in() -> None:
    """Each home of a package exists."""
    sources = real_sources()

    empty = {
        home
        for homes in (*HOMES.values(), MAY_EXIT, MAY_PRINT)
        for home in homes
        if not any(fnmatch(path, home) for path in sources)
    }

    assert empty == set()
