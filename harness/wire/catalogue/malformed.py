"""What the suite `malformed` asks of a worker."""

from __future__ import annotations

from harness.wire.catalogue.procedures import Procedure

MALFORMED = Procedure(
    id="malformed",
    about="A malformed model is refused with a typed error, or accepted with a stated meaning.",
)

PROCEDURES: tuple[Procedure, ...] = (MALFORMED,)
