"""What is asked of a worker about generated cases, many in one request."""

from __future__ import annotations

from harness.wire.catalogue.procedures import Procedure

GENERATED = Procedure(
    id="generated",
    about="Generated cases, each opened with and without optimisations, run twice and compared "
    "with the reference.",
)
GENERATED_COMPARED = Procedure(
    id="generated-compared",
    about="Pairs of answers that were kept before are compared; the build has no part in it.",
    needs_device=False,
)
SAME_AGAIN = Procedure(
    id="same-again",
    about="A model answers, within its tolerance, the same when run again with other garbage in "
    "fresh memory.",
)
LIKE_UNOPTIMISED = Procedure(
    id="like-unoptimised",
    about="A model answers, within its tolerance, the same when run again, and as it does without "
    "optimisations.",
)

PROCEDURES: tuple[Procedure, ...] = (
    *(GENERATED, GENERATED_COMPARED, SAME_AGAIN, LIKE_UNOPTIMISED),
)
