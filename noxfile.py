"""How environments are made and which command runs in them; no logic of its own.

One session per variant of matrix.toml, and the project's own. Arguments after ``--`` go to pytest.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import nox

ROOT = Path(__file__).parent
sys.path.insert(0, str(ROOT))

from harness.matrix import Tag, read_matrix  # noqa: E402
from harness.store.names import new_run_id  # noqa: E402

if TYPE_CHECKING:
    from harness.matrix import Variant

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv"
nox.options.reuse_venv = "yes"

MATRIX = read_matrix(ROOT / "matrix.toml")
PYPROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
RUN = os.environ.setdefault("ORT_MATRIX_RUN", new_run_id())
"""One run for all variants of one call; nox -j starts itself again, so it goes by environment."""


def install(session: nox.Session, *groups: str) -> None:
    """Make the controller's environment: the project, and never an ONNX Runtime."""
    session.install("-e", ".", *nox.project.dependency_groups(PYPROJECT, *groups))


def variant_session(variant: Variant) -> None:
    """Register the session that tests a variant's pinned release."""

    def test(session: nox.Session) -> None:
        install(session)
        # Named, because pytest would look for it above every folder that an option names.
        command = ("python", "-m", "pytest", "-c", "pyproject.toml", "tests/conformance")
        # Hypothesis is imported by those suites that draw examples, not for its summary.
        options = ("-p", "no:hypothesispytest", "--cell", variant.name, "--run", RUN)
        session.run(*command, *options, *session.posargs)

    test.__doc__ = f"Test {variant.distribution} {variant.release} on {variant.device}."
    tags = [str(tag) for tag in variant.tags]
    default = Tag.DEFAULT in variant.tags
    register = nox.session(name=variant.name, tags=tags, default=default, allow_parallel=True)
    register(test)


for each in MATRIX.variants.values():
    variant_session(each)


@nox.session(default=False)
def lint(session: nox.Session) -> None:
    """Check style and layout with ruff."""
    install(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session(default=False)
def types(session: nox.Session) -> None:
    """Check types with mypy, strictly."""
    install(session, "lint", "browser")
    session.run("mypy")


@nox.session(default=False)
def tests(session: nox.Session) -> None:
    """Run the project's own tests: of its parts, and of the whole on the cpu variant."""
    install(session, "browser")
    session.run("python", "-m", "pytest", "-n2", "--dist=loadfile", *session.posargs)


@nox.session(default=False)
def defects(session: nox.Session) -> None:
    """Show that each planted fault is caught, and by which case."""
    install(session)
    proofs = ("tests/proof/test_defects.py", "tests/proof/test_generated.py")
    session.run("python", "-m", "pytest", "-n2", *proofs, *session.posargs)


@nox.session(default=False, tags=[Tag.NIGHTLY])
def controls(session: nox.Session) -> None:
    """Show that the builds known to be bad are caught and reproduced, and their neighbours pass."""
    install(session)
    proofs = ("tests/proof/test_controls.py", "tests/proof/test_reproducers.py")
    session.run("python", "-m", "pytest", *proofs, *session.posargs)


@nox.session(default=False)
def findings(session: nox.Session) -> None:
    """Run each program of FINDINGS.md in a fresh environment: whether it shows what it says."""
    install(session)
    session.run("python", "-m", "pytest", "-n2", "tests/proof/test_findings.py", *session.posargs)


@nox.session(default=False, tags=[Tag.NIGHTLY])
def releases(session: nox.Session) -> None:
    """Run the worker on every release of the cpu variant that the index serves."""
    install(session, "browser")  # what else is in the folder is collected too
    session.run("python", "-m", "pytest", "-m", "slow", *session.posargs)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Measure the figures that README.md quotes, each as a ratio within one run."""
    install(session)
    for script in sorted((ROOT / "bench").glob("*.py")):
        session.run("python", str(script), *session.posargs)
