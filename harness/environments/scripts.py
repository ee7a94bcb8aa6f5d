"""A Python script in a fresh environment, made from what it says that it needs (PEP 723)."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import uv

from harness.environments.installer import (
    INSTALL_DEADLINE_S,
    QUESTION_DEADLINE_S,
    run_bounded,
    run_installer,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.environments.sources import Sources


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a script ended."""

    code: int
    output: str
    """What it wrote to stdout, then to stderr."""


def metadata(python: str, requirements: Iterable[str]) -> str:
    """Return the head of a script that needs a Python such as '3.11' and some distributions."""
    listed = "".join(f'#     "{one}",\n' for one in requirements)
    return (
        f'# /// script\n# requires-python = "=={python}.*"\n'
        f"# dependencies = [\n{listed}# ]\n# ///\n"
    )


def run_script(script: Path, python: str, sources: Sources, *, deadline_s: float) -> Ended:
    """Return how a script ended on a Python such as '3.11', in an environment that is then removed.

    Raises:
        EnvironmentUnusableError: the environment cannot be made, or the script did not end in time.

    """
    binary = uv.find_uv_bin()
    with tempfile.TemporaryDirectory(prefix="ort-matrix-script-") as folder:
        environment = Path(folder, "environment")
        doing = f"{script.name}: making an environment"
        made = [binary, "venv", "--quiet", "--python", python, str(environment)]
        run_installer(made, doing=doing, deadline_s=QUESTION_DEADLINE_S)
        interpreter = str(environment / "bin" / "python")
        install = [binary, "pip", "install", "--quiet", "--no-build", "--python", interpreter]
        if sources.wheelhouse is not None:
            wheels = sources.wheelhouse.absolute()
            install += ["--no-config", "--no-index", f"--find-links={wheels}"]
        install += ["--requirements", str(script.absolute())]
        doing = f"{script.name}: installing what it names"
        run_installer(install, doing=doing, deadline_s=INSTALL_DEADLINE_S)
        code, stdout, stderr = run_bounded(
            [interpreter, str(script.absolute())], doing=script.name, deadline_s=deadline_s
        )
    return Ended(code=code, output=stdout + stderr)
