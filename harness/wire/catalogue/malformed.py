"""What the suite `malformed` asks of a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.wire.catalogue.procedures import Procedure

PROCEDURES: tuple[Procedure, ...] = ()
