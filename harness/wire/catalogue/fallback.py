"""The suite `fallback`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.wire.catalogue.procedures import Procedure

CASES: tuple[Procedure, ...] = ()
