"""The suite `concurrency`."""

from __future__ import annotations

from harness.wire.catalogue.procedures import Procedure


def _case(name: str, about: str, *, needs_device: bool = True) -> Procedure:
    """Return a case with all cores and a worker of its own, which it may leave with stuck threads.

    A fresh worker is also one in which nothing has been loaded yet.
    """
    return Procedure(
        id=f"concurrency/{name}",
        about=about,
        needs_device=needs_device,
        own_worker=True,
        alone=True,
    )


ONE_SESSION = _case(
    "one-session", "Threads that run one session at once get what each of them gets alone."
)
DYNAMIC_SHAPES = _case(
    "dynamic-shapes", "Threads that run one session at once may each come with another shape."
)
KINDS_OF_INPUT = _case(
    "kinds-of-input", "Strings, integers, booleans and halves at once stay each thread's own."
)
FIRST_SESSIONS = _case(
    "first-sessions", "The first sessions of a process can be opened by many threads at once."
)
MANY_SESSIONS = _case(
    "many-sessions", "Sessions of several models are opened, run and closed by threads at once."
)
ONE_FILE = _case(
    "one-file", "One model file, with weights in it or beside it, is opened by many at once."
)
TWO_BACKENDS = _case(
    "two-backends", "Two models in one process, one of them open twice, never mix their answers."
)
TWO_PROVIDERS = _case(
    "two-providers", "The asked device and the CPU EP run at once in one process, each rightly."
)
ERROR_BESIDE = _case(
    "error-beside", "Runs that are refused leave the runs beside them right, and stay refused."
)
FAILED_OPEN_BESIDE = _case(
    "failed-open-beside", "Sessions that cannot be opened leave open ones and new ones right."
)

CLOSE_WHILE_RUNNING = _case(
    "close-while-running", "A run that is overtaken by close ends rightly or raises ClosedError."
)
RUN_AFTER_CLOSE = _case("run-after-close", "After close every run, of any thread, is ClosedError.")
CLOSE_AT_ONCE = _case(
    "close-at-once", "A session may be closed by many threads at once, and again."
)

DEVICE_CONTRACT = _case(
    "device-contract",
    "The asked device's runs are in the session at once only if its EP allows it.",
)
ALLOWED_OVERLAP = _case(
    "allowed-overlap",
    "Where the EP allows it, two runs are in the session at once.",
    needs_device=False,
)
SERIALISED_TURNS = _case(
    "serialised-turns",
    "Where the EP does not promise it, runs take turns in the session.",
    needs_device=False,
)
FORBIDDEN_THREAD = _case(
    "forbidden-thread",
    "Where only one thread may run the session, another gets ThreadError.",
    needs_device=False,
)
TURN_AFTER_ERROR = _case(
    "turn-after-error",
    "A run that is refused gives its turn on to the next one.",
    needs_device=False,
)
TURNS_OF_OTHERS = _case(
    "turns-of-others",
    "A run that waits for its turn in one session holds up no other session.",
    needs_device=False,
)

CASES = (
    ONE_SESSION,
    DYNAMIC_SHAPES,
    KINDS_OF_INPUT,
    FIRST_SESSIONS,
    MANY_SESSIONS,
    ONE_FILE,
    TWO_BACKENDS,
    TWO_PROVIDERS,
    ERROR_BESIDE,
    FAILED_OPEN_BESIDE,
    CLOSE_WHILE_RUNNING,
    RUN_AFTER_CLOSE,
    CLOSE_AT_ONCE,
    DEVICE_CONTRACT,
    ALLOWED_OVERLAP,
    SERIALISED_TURNS,
    FORBIDDEN_THREAD,
    TURN_AFTER_ERROR,
    TURNS_OF_OTHERS,
)
