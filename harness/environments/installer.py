"""uv and pip as child processes: bounded, interruptible, told nothing that would mislead them."""

from __future__ import annotations

import contextlib
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from harness.errors import EnvironmentUnusableError

if TYPE_CHECKING:
    from collections.abc import Sequence

INSTALL_DEADLINE_S = 1800
"""For downloads of gigabytes on a slow line."""
QUESTION_DEADLINE_S = 120
"""For making an empty environment or looking for interpreters."""

_LAST_LINES = 12
# These would send an installer to another environment or make it choose other packages. What says
# where packages come from and how the network is reached stays.
_NOT_PASSED_ON = frozenset(
    (
        *("VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "__PYVENV_LAUNCHER__"),
        *("PYTHONPATH", "PYTHONHOME"),
        *(
            "UV_PYTHON",
            "UV_SYSTEM_PYTHON",
            "UV_PROJECT",
            "UV_PROJECT_ENVIRONMENT",
            "UV_WORKING_DIR",
        ),
        *("UV_CONSTRAINT", "UV_OVERRIDE", "UV_EXCLUDE", "UV_RESOLUTION", "UV_PRERELEASE"),
        *("UV_NO_BINARY", "UV_NO_BINARY_PACKAGE", "UV_REQUIRE_HASHES"),
        *("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_REQUIRE_VIRTUALENV"),
        *("PIP_PYTHON", "PIP_PYTHON_VERSION", "PIP_PLATFORM", "PIP_ABI", "PIP_IMPLEMENTATION"),
        *("PIP_CONSTRAINT", "PIP_NO_BINARY", "PIP_REQUIRE_HASHES", "PIP_NO_DEPS"),
    )
)


def run_installer(command: Sequence[str], *, doing: str, deadline_s: float) -> str:
    """Return what uv or pip wrote on stdout.

    Raises:
        EnvironmentUnusableError: it failed or took too long; the text ends in its own last lines.

    """
    code, stdout, stderr = run_bounded(command, doing=doing, deadline_s=deadline_s)
    if code:
        raise EnvironmentUnusableError(f"{doing}: {Path(command[0]).name} says:\n{_tail(stderr)}")
    return stdout


def run_bounded(command: Sequence[str], *, doing: str, deadline_s: float) -> tuple[int, str, str]:
    """Return the exit code, stdout and stderr of a command that no setting of ours misleads.

    Raises:
        EnvironmentUnusableError: it took too long.

    """
    with subprocess.Popen(
        command,
        # Not where the user stands: a project's own uv settings are no business of a cell's.
        cwd=Path.cwd().anchor,
        env={name: value for name, value in os.environ.items() if name not in _NOT_PASSED_ON},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as process:
        try:
            stdout, stderr = process.communicate(timeout=deadline_s)
        except BaseException as error:
            _kill_tree(process.pid)  # its children would hold the pipes open
            if isinstance(error, subprocess.TimeoutExpired):
                raise EnvironmentUnusableError(f"{doing}: not done in {deadline_s:g} s") from error
            raise
    return process.returncode, stdout, stderr


def _kill_tree(pid: int) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for one in (*process.children(recursive=True), process):
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()


def _tail(text: str) -> str:
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    return "\n".join(lines[-_LAST_LINES:])
