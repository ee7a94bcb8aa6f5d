"""A cell's interpreter in an environment that holds its build: made once, verified at every use.

Environments stand in a cache folder, each named by its content, and are made with uv. uv finds
packages as the user has set it up (its user configuration, its environment variables), and a
wheelhouse folder can stand in for the index.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import platform
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs
import uv
from filelock import FileLock, Timeout
from packaging.utils import canonicalize_name
from packaging.version import Version

from harness.environments import installed
from harness.environments.host import Host
from harness.environments.installer import INSTALL_DEADLINE_S, QUESTION_DEADLINE_S, run_installer
from harness.environments.wheels import checksums, wheels_of
from harness.errors import ConfigurationError, EnvironmentUnusableError
from harness.versions import python_order

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.matrix import Cell, Matrix

FORMAT = 1
"""Counted up when environments are made in another way, so that no old one is taken for a new."""

_READY = "ready.json"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Interpreter:
    """A cell's Python, in whose environment exactly its build is installed."""

    python: Path
    folder: Path
    """The environment."""
    key: str
    """Names the environment's content: requirements, Python, platform, wheelhouse."""
    distributions: Mapping[str, str]
    """The version of everything installed, by canonical name."""


class _DamagedError(Exception):
    """An environment is not there, or not as it was when it was made."""


def cache_root(cache: Path | None = None) -> Path:
    """Return the folder of all that is kept: `cache`, else $ORT_MATRIX_CACHE, else the user's."""
    named = cache or os.environ.get("ORT_MATRIX_CACHE")
    return Path(named or platformdirs.user_cache_path("ort-matrix")).absolute()


def ensure(cell: Cell, *, wheelhouse: Path | None = None, cache: Path | None = None) -> Interpreter:
    """Return the cell's interpreter, made or reused; processes that ask at once share one build.

    Args:
        cell: what to install, and on which Python.
        wheelhouse: a folder of wheels to install from in place of the index.
        cache: the folder to keep environments in; by default that of `cache_root`.

    Raises:
        EnvironmentUnusableError: it cannot be made, or does not hold exactly the asked build.

    """
    root = cache_root(cache) / "environments"
    try:
        folder = root / f"{cell.id}-{_key(cell, wheelhouse)}"
        try:
            return _standing(cell, folder)
        except _DamagedError:
            root.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock", timeout=2 * INSTALL_DEADLINE_S):
            return _standing_or_made(cell, folder, wheelhouse)
    except Timeout as error:
        raise EnvironmentUnusableError(
            f"{cell.id}: another process has held {error.lock_file} for {2 * INSTALL_DEADLINE_S} s"
        ) from error
    except OSError as error:
        raise EnvironmentUnusableError(f"{cell.id}: {error}") from error


def observe_host(matrix: Matrix) -> Host:
    """Return this host's platform, Pythons and those of the matrix's device files that exist.

    Raises:
        EnvironmentUnusableError: uv cannot list the interpreters.

    """
    wanted = {path for variant in matrix.variants.values() for path in variant.host_devices}
    return Host(
        platform=this_platform(),
        pythons=tuple(sorted(_pythons(), key=python_order)),
        devices=tuple(sorted(path for path in wanted if Path(path).exists())),
    )


def this_platform() -> str:
    """Return this host's platform in the matrix's spelling, as in 'linux-x86_64'."""
    return f"{sys.platform}-{platform.machine()}"


def _pythons() -> dict[str, str]:
    """Return the executable of every Python found, by its version as in '3.11'."""
    # Interpreters that do not start (a version manager's shims) cost uv a warning on stderr only.
    listing = run_installer(
        [uv.find_uv_bin(), "python", "list", "--only-installed", "--output-format=json"],
        doing="looking for Pythons",
        deadline_s=QUESTION_DEADLINE_S,
    )
    found = {
        "{major}.{minor}".format(**python["version_parts"]): str(python["path"])
        for python in reversed(json.loads(listing))
        # Free-threaded and other special builds need wheels of their own.
        if python["implementation"] == "cpython" and python["variant"] == "default"
    }
    return found | _running_python()


def _running_python() -> dict[str, str]:
    # It need not be on PATH to be used.
    return {} if sys.abiflags else {"{}.{}".format(*sys.version_info): sys.executable}


def _key(cell: Cell, wheelhouse: Path | None) -> str:
    content = {
        "format": FORMAT,
        "requirements": cell.build.requirements,
        "python": cell.python,
        "platform": this_platform(),
        "wheels": [] if wheelhouse is None else _wheels_under_test(cell, wheelhouse),
    }
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:12]


def _wheels_under_test(cell: Cell, wheelhouse: Path) -> list[list[tuple[str, int]]]:
    # A wheelhouse may hold a wheel of one's own making under a release's name.
    if not wheelhouse.is_dir():
        raise ConfigurationError(f"{wheelhouse}: there is no such wheelhouse folder")
    return [checksums(wheel) for wheel in wheels_of(cell.build.requirements[0], wheelhouse)]


def _standing(cell: Cell, folder: Path) -> Interpreter:
    """Return the interpreter of the environment that stands there whole, or raise _DamagedError."""
    try:
        ready = json.loads((folder / _READY).read_text(encoding="utf-8"))
        base, distributions = ready["base"], ready["distributions"]
    except FileNotFoundError as error:
        raise _DamagedError("it is not there") from error
    except (ValueError, KeyError) as error:
        raise _DamagedError(f"{_READY} cannot be read: {error}") from error
    python = _python(folder)
    site_packages = _site_packages(cell, folder)
    if not os.access(python, os.X_OK) or str(python.resolve()) != base:
        raise _DamagedError(f"its base interpreter {base} is gone")
    if installed.distributions(site_packages) != distributions:
        raise _DamagedError("distributions were added or taken away")
    if fault := installed.damage(site_packages):
        raise _DamagedError(fault)
    return Interpreter(
        python=python,
        folder=folder,
        key=folder.name.removeprefix(f"{cell.id}-"),
        distributions=distributions,
    )


def _standing_or_made(cell: Cell, folder: Path, wheelhouse: Path | None) -> Interpreter:
    """Return the environment's interpreter; the caller holds the environment's lock."""
    try:
        return _standing(cell, folder)
    except _DamagedError as damage:
        _log.info("%s: making the environment: %s", cell.id, damage)
    # What a killed builder left. Its uv may still be writing there, so it is never built on.
    for left in folder.parent.glob(f"{folder.name}.partial-*"):
        shutil.rmtree(left, ignore_errors=True)
    partial = Path(tempfile.mkdtemp(prefix=f"{folder.name}.partial-", dir=folder.parent))
    try:
        _make(cell, partial, wheelhouse)
        if folder.exists():
            shutil.rmtree(folder)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    try:
        return _standing(cell, folder)
    except _DamagedError as damage:
        raise EnvironmentUnusableError(f"{cell.id}: just made, yet {damage}") from damage


def _make(cell: Cell, folder: Path, wheelhouse: Path | None) -> None:
    """Fill the empty `folder` with an environment for the cell and mark it whole."""
    _make_empty(cell, folder)
    site_packages = _site_packages(cell, folder)
    _install(cell, folder, wheelhouse)
    if installed.damage(site_packages):
        # uv links files from its cache, so whoever damaged an environment's file damaged the cache.
        _install(cell, folder, wheelhouse, "--no-cache", "--reinstall")
    if fault := installed.damage(site_packages):
        raise EnvironmentUnusableError(f"{cell.id}: just installed, yet {fault}")
    _refuse_wrong_build(cell, site_packages)
    ready = {
        "base": str(_python(folder).resolve()),
        "distributions": installed.distributions(site_packages),
    }
    (folder / _READY).write_text(json.dumps(ready), encoding="utf-8")


def _make_empty(cell: Cell, folder: Path) -> None:
    python = _running_python().get(cell.python) or _pythons().get(cell.python)
    if python is None:
        raise EnvironmentUnusableError(
            f"{cell.id}: this host has no Python {cell.python}: put a python{cell.python} on PATH "
            f"or run 'uv python install {cell.python}'"
        )
    # It is renamed once it is whole, hence relocatable.
    command = [
        uv.find_uv_bin(),
        "venv",
        "--quiet",
        "--relocatable",
        "--python",
        python,
        str(folder),
    ]
    doing = f"{cell.id}: making an environment"
    run_installer(command, doing=doing, deadline_s=QUESTION_DEADLINE_S)


def _install(cell: Cell, folder: Path, wheelhouse: Path | None, *options: str) -> None:
    # A source distribution would be built, by code that nobody chose to run.
    command = [uv.find_uv_bin(), "pip", "install", "--quiet", "--no-build", *options]
    if wheelhouse is not None:
        # uv's cache misses a wheel replaced by another of its name, unless told to reinstall.
        command += ["--no-config", "--no-index", f"--find-links={wheelhouse.absolute()}"]
        command += ["--reinstall-package", cell.variant.distribution]
    command += ["--python", str(_python(folder)), *cell.build.requirements]
    run_installer(command, doing=f"{cell.id}: installing", deadline_s=INSTALL_DEADLINE_S)


def _refuse_wrong_build(cell: Cell, site_packages: Path) -> None:
    name, release = canonicalize_name(cell.variant.distribution), cell.build.release
    owners = installed.owners(site_packages, "onnxruntime")
    if {owner: Version(version) for owner, version in owners.items()} != {name: Version(release)}:
        found = " and ".join(f"{owner} {version}" for owner, version in owners.items())
        raise EnvironmentUnusableError(
            f"{cell.id}: the import package onnxruntime must come from {name} {release} alone, "
            f"but comes from {found or 'nothing'}"
        )


def _python(folder: Path) -> Path:
    return folder / "bin" / "python"


def _site_packages(cell: Cell, folder: Path) -> Path:
    return folder / "lib" / f"python{cell.python}" / "site-packages"
