"""What a worker can do when asked: one function per procedure of wire.catalogue."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.wire.catalogue.procedures import Procedure
    from harness.wire.messages import Evidence, Request
    from harness.wire.outcomes import Outcome
    from harness.worker.under_test import UnderTest


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What a case observed."""

    outcome: Outcome
    evidence: Evidence


if TYPE_CHECKING:
    CaseFunction = Callable[[Request, UnderTest], Observation]

_IMPLEMENTED: dict[str, Any] = {}
"""The functions by procedure id, filled as the modules of this package are imported."""


@functools.cache
def implemented() -> dict[str, CaseFunction]:
    """Return the function of every procedure by its id, importing all that carry out cases."""
    for module in pkgutil.walk_packages(__path__, f"{__name__}."):
        importlib.import_module(module.name)
    return _IMPLEMENTED


def implements(procedure: Procedure) -> Callable[[CaseFunction], CaseFunction]:
    """Register the decorated function as the one that carries out `procedure`."""

    def register(function: CaseFunction) -> CaseFunction:
        _IMPLEMENTED[procedure.id] = function
        return function

    return register
