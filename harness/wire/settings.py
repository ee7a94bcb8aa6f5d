"""What a caller sets on a session, whichever execution provider makes it."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any


class Optimisation(StrEnum):
    """How far ONNX Runtime rewrites a model before it runs it.

    Source: https://onnxruntime.ai/docs/performance/model-optimizations/graph-optimizations.html
    """

    NONE = "none"
    BASIC = "basic"
    EXTENDED = "extended"
    ALL = "all"


class Execution(StrEnum):
    """Whether independent nodes of a model may run at once."""

    SEQUENTIAL = "sequential"
    PARALLEL = "parallel"


@dataclass(frozen=True, kw_only=True)
class SessionSettings:
    """The settings of one session; None leaves ONNX Runtime's default."""

    intra_threads: int | None = None
    inter_threads: int | None = None
    config: tuple[tuple[str, str], ...] = ()
    """Session configuration entries in ONNX Runtime's spelling."""
    records_placement: bool = False
    """Whether the session keeps which provider runs which node."""
    arena: bool = True
    """Whether the CPU EP keeps memory in an arena of its own; else each tensor is allocated."""
    memory_pattern: bool = True
    """Whether memory for a whole run is laid out beforehand, where shapes allow it."""
    optimisation: Optimisation | None = None
    execution: Execution | None = None
    without_optimisers: tuple[str, ...] = ()
    """Graph transformers by ONNX Runtime's name that are left out, such as ``ConvAddFusion``."""

    def turned(self, changes: dict[str, Any]) -> SessionSettings:
        """Return the settings with some changed, given by field name as JSON has them.

        Entries of `config` are added to those that are there. Raise ValueError or TypeError for
        what is no setting.
        """
        if unknown := changes.keys() - {field.name for field in fields(self)}:
            raise ValueError(f"no session setting is called {min(unknown)!r}")
        made: dict[str, Any] = dict(changes)
        if "config" in made:
            made["config"] = (*self.config, *((str(key), str(to)) for key, to in made["config"]))
        if "without_optimisers" in made:
            made["without_optimisers"] = tuple(map(str, made["without_optimisers"]))
        for name, kind in (("optimisation", Optimisation), ("execution", Execution)):
            if made.get(name) is not None:
                made[name] = kind(made[name])
        return replace(self, **made)
