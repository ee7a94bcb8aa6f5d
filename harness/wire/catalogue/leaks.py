"""The suite `leaks`: nothing grows with the number of sessions, runs and refusals.

Each case does one thing over and over in a worker of its own, while every meter is read.
"""

from __future__ import annotations

from harness.wire.catalogue.procedures import Procedure


def _case(name: str, about: str, *, needs_device: bool = True) -> Procedure:
    return Procedure(id=f"leaks/{name}", about=about, needs_device=needs_device, own_worker=True)


OPEN_CLOSE = _case("open-close", "Opening and closing a model leaves nothing behind.")
OPEN_RUN_CLOSE = _case("open-run-close", "Opening, running and closing leaves nothing behind.")
CLOSE_TWICE = _case("close-twice", "A second close, and a run after it, leave nothing behind.")
FREED_AT_CLOSE = _case(
    "freed-at-close",
    "Close frees the session itself: without the garbage collector, too, nothing is left.",
)
IN_A_CYCLE = _case(
    "in-a-reference-cycle",
    "An open backend that is forgotten in a reference cycle is freed by the garbage collector.",
)
OUTPUTS_KEPT = _case(
    "outputs-kept",
    "Outputs that outlive their session hold nothing else, and are freed when they are dropped.",
)
IN_THREADS = _case("sessions-in-threads", "Threads that each open, run and close leave nothing.")
MALFORMED = _case(
    "failed-open-malformed", "A model that is refused leaves nothing behind.", needs_device=False
)
PROVIDER_MISSING = _case(
    "failed-open-provider-missing",
    "A strict open on a provider that the build lacks leaves nothing behind.",
    needs_device=False,
)
FALLBACK_RETRY = _case(
    "fallback-retry",
    "Candidates that fail at creation, and the retries on the next of the chain, leave nothing.",
    needs_device=False,
)

SAME_INPUTS = _case("run-same-inputs", "Runs on one session leave nothing behind.")
CHANGING_SHAPES = _case("run-changing-shapes", "Runs on a few shapes in turn leave nothing.")
NEW_SHAPES = _case("run-new-shapes", "Runs on ever new shapes leave nothing behind.")
FAILED_RUN = _case("failed-run", "Inputs that are refused leave nothing behind.")
RUNS_IN_THREADS = _case("runs-in-threads", "Threads that each run one session leave nothing.")
INT64 = _case("inputs-int64", "Runs on int64 inputs leave nothing behind.")
STRINGS = _case("inputs-strings", "Runs on string inputs leave nothing behind.")
FLOAT16 = _case("inputs-float16", "Runs on float32 cast to float16 (fp16_io) leave nothing.")
STRIDED = _case("inputs-strided", "Runs on inputs that are not contiguous leave nothing behind.")
SEQUENCES = _case("inputs-sequences", "Runs on sequences of tensors leave nothing behind.")
BFLOAT16 = _case("inputs-bfloat16", "Runs on bfloat16 inputs leave nothing behind.")
FLOAT8 = _case("inputs-float8", "Runs on float8e4m3fn inputs leave nothing behind.")

CASES: tuple[Procedure, ...] = (
    OPEN_CLOSE,
    OPEN_RUN_CLOSE,
    CLOSE_TWICE,
    FREED_AT_CLOSE,
    IN_A_CYCLE,
    OUTPUTS_KEPT,
    IN_THREADS,
    MALFORMED,
    PROVIDER_MISSING,
    FALLBACK_RETRY,
    SAME_INPUTS,
    CHANGING_SHAPES,
    NEW_SHAPES,
    FAILED_RUN,
    RUNS_IN_THREADS,
    INT64,
    STRINGS,
    FLOAT16,
    STRIDED,
    SEQUENCES,
    BFLOAT16,
    FLOAT8,
)
