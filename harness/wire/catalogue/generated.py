"""What is asked of a worker about generated cases, many in one request."""

from __future__ import annotations

from harness.wire.catalogue.procedures import MODEL_CASE, Procedure

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
    about="As model-case, and the answer is the same when run again with other garbage in fresh "
    "memory.",
)
LIKE_UNOPTIMISED = Procedure(
    id="like-unoptimised",
    about="As same-again, and the answer is the same without optimisations.",
)

PROCEDURES: tuple[Procedure, ...] = (
    *(GENERATED, GENERATED_COMPARED, SAME_AGAIN, LIKE_UNOPTIMISED),
)

OF_ONE_MODEL = (MODEL_CASE, SAME_AGAIN, LIKE_UNOPTIMISED)
"""What is asked with a ModelCase."""

UNLIKE_UNOPTIMISED = "unlike without optimisations"
"""How the text of evidence begins where that is what is wrong."""

AGAIN, UNOPTIMISED = "run again", "without optimisations"
"""Under what the answer of a case that is wrong has what else is wrong of it."""
