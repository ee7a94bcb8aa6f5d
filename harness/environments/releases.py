"""Which releases of a variant's distribution the index serves."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from packaging.version import Version

from harness.environments.installer import run_installer
from harness.errors import EnvironmentUnusableError
from harness.versions import OLDEST_RELEASE

if TYPE_CHECKING:
    from harness.matrix import Variant

DEADLINE_S = 120
_AVAILABLE = re.compile(r"^Available versions: (.+)$", re.MULTILINE)


def releases(variant: Variant) -> tuple[str, ...]:
    """Return the releases that the index serves for this Python and the worker can drive.

    Oldest first. Raise EnvironmentUnusableError where the index cannot be asked.
    """
    command = [sys.executable, "-P", "-m", "pip", "index", "versions", variant.distribution]
    doing = f"{variant.name}: asking for the releases of {variant.distribution}"
    found = _AVAILABLE.search(run_installer(command, doing=doing, deadline_s=DEADLINE_S))
    if found is None:
        raise EnvironmentUnusableError(f"{doing}: the index names none")
    served = sorted(Version(text.strip()) for text in found[1].split(","))
    return tuple(str(release) for release in served if release >= OLDEST_RELEASE)
