"""Where environments, wheels and packed cases come from and are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Sources:
    """What every part that installs or unpacks something is given."""

    cache: Path
    """The folder for all that is kept between runs."""
    wheelhouse: Path | None = None
    """A folder of wheels to install from, without any index; None: the index."""
