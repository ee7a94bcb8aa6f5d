"""What makes an ONNX model with its inputs smaller: the only part of triage that knows ONNX."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from harness.triage.graph_passes import bodies, cutting, inlining, shrinking
from harness.triage.graph_passes.examined import Validity
from harness.triage.reduction import Pass

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from harness.triage.graph_passes.candidate import Candidate, Trace


def passes(trace: Trace) -> tuple[Pass[Candidate], ...]:
    """Return the passes in the order in which they get furthest soonest.

    `trace` tells the values that tensors of a candidate really have, for those that are cut off.
    """
    traced: dict[str, Callable[..., Generator[Candidate, bool, None]]] = {
        "branches": inlining.branches,
        "ends": cutting.ends,
        "nodes": cutting.nodes,
        "folding": inlining.folds,
        "freezing": inlining.frozen,
        "bodies alone": bodies.alone,
        "bodies in place": bodies.in_place,
        "bodies": bodies.thinner,
        "declarations": shrinking.declarations,
    }
    known: dict[str, Callable[[Candidate], Generator[Candidate, bool, None]]] = {
        "functions": inlining.functions,
        "defaults": inlining.defaults,
        "constants": inlining.constants,
        "outputs": cutting.outputs,
        "metadata": shrinking.metadata,
        "operands": cutting.operands,
        "inputs": shrinking.to_inputs,
        "dimensions": shrinking.dimensions,
        "attributes": shrinking.attributes,
        "values": shrinking.values,
        "opsets": shrinking.opsets,
        "names": shrinking.names,
    }
    known |= {name: partial(one, trace=trace) for name, one in traced.items()}
    return tuple(Pass(name=name, proposals=partial(_as_read, known[name])) for name in ORDER)


def _as_read(
    proposals: Callable[[Candidate], Generator[Candidate, bool, None]], case: Candidate
) -> Generator[Candidate, bool, None]:
    """Yield what a pass proposes; of a malformed model as far as onnx's own helpers can read it."""
    try:
        yield from proposals(case)
    except (AttributeError, LookupError, TypeError, ValueError):
        if case.validity is not Validity.INVALID:
            raise


ORDER = (
    *("functions", "defaults", "constants", "ends", "branches", "ends", "outputs", "nodes"),
    *("branches", "bodies alone", "bodies in place", "folding", "ends", "nodes", "outputs"),
    *("freezing", "bodies", "metadata", "inputs", "operands", "declarations"),
    *("dimensions", "attributes", "values", "opsets", "names"),
)
"""The order of the passes by name."""
