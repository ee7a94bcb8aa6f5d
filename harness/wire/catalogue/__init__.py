"""Every procedure that a worker can carry out, as data; a unit test holds it equal to the worker's.

A built-in case has a procedure of its own, in the module of its suite. The cases of a corpus, and
the examples of a property, share one and differ in arguments.
"""

from __future__ import annotations

from harness.wire.catalogue import concurrency, fallback, generated, leaks, malformed, shapes
from harness.wire.catalogue.procedures import OF_ALL, Procedure

BUILT_IN: dict[str, tuple[Procedure, ...]] = {
    "fallback": fallback.CASES,
    "concurrency": concurrency.CASES,
    "leaks": leaks.CASES,
}
"""The suites whose every case is a procedure of its own, called by its id."""

PROCEDURES: tuple[Procedure, ...] = (
    *OF_ALL,
    *(procedure for suite in BUILT_IN.values() for procedure in suite),
    *malformed.PROCEDURES,
    *shapes.PROCEDURES,
    *generated.PROCEDURES,
)
