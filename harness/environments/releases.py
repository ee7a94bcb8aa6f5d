"""Which releases of a variant's distribution the index serves."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from packaging.utils import parse_wheel_filename
from packaging.version import Version

from harness.environments.installer import run_installer
from harness.environments.wheels import wheels_of
from harness.errors import ConfigurationError, EnvironmentUnusableError
from harness.versions import OLDEST_RELEASE

if TYPE_CHECKING:
    from pathlib import Path

    from harness.matrix import Variant

DEADLINE_S = 120
_AVAILABLE = re.compile(r"^Available versions: (.+)$", re.MULTILINE)


def releases(
    variant: Variant, *, prereleases: bool = False, wheelhouse: Path | None = None
) -> tuple[str, ...]:
    """Return the releases that the index serves for this Python and the worker can drive.

    Oldest first; candidates and nightly builds are among them only where they are asked for. A
    wheelhouse stands in for the index. Raise EnvironmentUnusableError where it cannot be asked.
    """
    found = (
        _in_folder(variant, wheelhouse) if wheelhouse else _served(variant, prereleases=prereleases)
    )
    kept = {one for one in found if prereleases or not one.is_prerelease}
    return tuple(str(release) for release in sorted(kept) if release >= OLDEST_RELEASE)


def _in_folder(variant: Variant, wheelhouse: Path) -> list[Version]:
    if not wheelhouse.is_dir():
        raise ConfigurationError(f"{wheelhouse}: there is no such wheelhouse folder")
    wheels = wheels_of(variant.distribution, wheelhouse)
    if not wheels:
        raise EnvironmentUnusableError(f"{wheelhouse} holds no wheel of {variant.distribution}")
    return [parse_wheel_filename(wheel.name)[1] for wheel in wheels]


def _served(variant: Variant, *, prereleases: bool) -> list[Version]:
    command = [sys.executable, "-P", "-m", "pip", "index", "versions", variant.distribution]
    command += ["--pre"] if prereleases else []
    doing = f"{variant.name}: asking for the releases of {variant.distribution}"
    found = _AVAILABLE.search(run_installer(command, doing=doing, deadline_s=DEADLINE_S))
    if found is None:
        raise EnvironmentUnusableError(f"{doing}: the index names none")
    return [Version(text.strip()) for text in found[1].split(",")]
