"""What a procedure is, and those that serve every suite."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Procedure:
    """One thing that a worker can do when asked."""

    id: str
    about: str
    needs_device: bool = True
    """Whether it says something only where the asked device is there."""
    own_worker: bool = False
    """Whether it needs a worker that carries out nothing before it, and nothing after."""
    alone: bool = False
    """Whether no other case may run meanwhile: it wants all cores for its threads."""


CANARY_BUILD = Procedure(
    id="canary/build",
    about="The CPU EP adds two tensors rightly: if not, no outcome of this cell means anything.",
)
CANARY_DEVICE = Procedure(
    id="canary/device",
    about="The asked device adds two tensors rightly, without falling back.",
)
PROBE = Procedure(
    id="probe",
    about="What this build offers: providers, opset and IR range, devices.",
)
NOTHING = Procedure(
    id="nothing",
    about="Nothing at all: what a request costs beyond its case is measured with it.",
)
MODEL_CASE = Procedure(
    id="model-case",
    about="A model on given inputs answers as its data set says (the ONNX test-data layout).",
)
MODEL_ANSWER = Procedure(
    id="model-answer",
    about="A model on given inputs: its outputs are handed back whole, compared with nothing.",
)
MODEL_VALUES = Procedure(
    id="model-values",
    about="As model-case, and the digest of every value that came out, right or wrong.",
)
MODEL_SPEED = Procedure(
    id="model-speed",
    about="How long a run of a model takes, on the inputs of its first data set.",
)
PIPELINE = Procedure(
    id="pipeline",
    about="A real model on real input gives the golden numbers and the right meaning.",
)

OF_ALL = (
    *(CANARY_BUILD, CANARY_DEVICE, PROBE, NOTHING),
    *(MODEL_CASE, MODEL_ANSWER, MODEL_VALUES, MODEL_SPEED, PIPELINE),
)
