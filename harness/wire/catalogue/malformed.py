"""What the suite `malformed` asks of a worker."""

from __future__ import annotations

from harness.wire.catalogue.procedures import Procedure

MALFORMED = Procedure(
    id="malformed",
    about="A malformed model is refused with a typed error, or accepted with a stated meaning.",
)

MALFORMED_APART = Procedure(
    id="malformed-apart",
    about="The same of a model that may have a build write where it must not: then no later case "
    "of the worker would mean anything.",
    own_worker=True,
)

PROCEDURES: tuple[Procedure, ...] = (MALFORMED, MALFORMED_APART)
