"""What the suite `shapes` asks of a worker."""

from __future__ import annotations

from harness.wire.catalogue.procedures import Procedure

ANSWERS = Procedure(
    id="shapes/answers",
    about="Runs of one session give numpy's values, leave their inputs alone and give away their "
    "outputs.",
)
ANSWERS_TWICE = Procedure(
    id="shapes/answers-twice",
    about="Two sessions of one model, opened and closed across, know nothing of each other.",
)
REFUSES = Procedure(
    id="shapes/refuses",
    about="Wrong inputs are refused with an error that names them, and the session works on.",
)
BUILD_REFUSES = Procedure(
    id="shapes/build-refuses",
    about="Wrong inputs that reach ONNX Runtime unchecked are refused by itself.",
)

PROCEDURES: tuple[Procedure, ...] = (ANSWERS, ANSWERS_TWICE, REFUSES, BUILD_REFUSES)
