"""How releases, Pythons and requirements are spelt, and how old the worker can go."""

from __future__ import annotations

import re

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion, Version

OLDEST_RELEASE = Version("1.16.0")
"""The oldest ONNX Runtime that the worker can drive."""
OLDEST_PYTHON = (3, 11)
"""The oldest Python that the worker runs on."""

_RELEASE_PARTS = 3
_PYTHON = re.compile(r"\d\.\d+")


def why_no_release(text: str) -> str | None:
    """Return what is wrong with `text` as a release for the worker; None if nothing is."""
    try:
        version = Version(text)
    except InvalidVersion:
        return "is no release like 1.24.4"
    if len(version.release) < _RELEASE_PARTS:
        return "names a series: give a release like 1.24.4"
    if version < OLDEST_RELEASE:
        oldest = f"{OLDEST_RELEASE.major}.{OLDEST_RELEASE.minor}"
        return f"is too old: the worker needs ONNX Runtime {oldest} or newer"
    return None


def canonical_release(text: str) -> str:
    """Return a release in its one spelling, so that a build has one id."""
    return str(Version(text))


def python_order(python: str) -> tuple[int, ...]:
    """Return what sorts '3.9' before '3.11'."""
    return tuple(int(part) for part in python.split("."))


def why_no_python(text: str) -> str | None:
    """Return what is wrong with `text` as a Python version for the worker; None if nothing is."""
    if not _PYTHON.fullmatch(text):
        return "is no Python version like '3.11'"
    if python_order(text) < OLDEST_PYTHON:
        return "is too old: the worker needs Python {}.{} or newer".format(*OLDEST_PYTHON)
    return None


def why_no_requirement(text: str) -> str | None:
    """Return what is wrong with `text` as something to install; None if nothing is."""
    try:
        Requirement(text)
    except InvalidRequirement as error:
        return f"is no requirement: {str(error).splitlines()[0]}"
    return None
