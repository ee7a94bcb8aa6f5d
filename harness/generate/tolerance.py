"""How far two right answers may lie apart, by element type and operator."""

from __future__ import annotations

from harness.wire.values import ElementType

EXACT = (0.0, 0.0)
OF_TYPE = {
    ElementType.FLOAT: (1e-3, 1e-5),
    ElementType.DOUBLE: (1e-6, 1e-8),
    ElementType.FLOAT16: (1e-2, 1e-2),
    ElementType.BFLOAT16: (4e-2, 4e-2),
}

A_STEP = (0.0, 1.0)
ROUNDED = frozenset({"QLinearConv", "QLinearMatMul"})
"""Sums that are scaled and rounded once: what lies half-way may be rounded either way, since the
scale is a quotient that builds compute in floats, or as a multiplication and a shift."""

IN_FLOATS = frozenset({"DeformConv", "GridSample", "AffineGrid", "Attention"})
"""Positions, and Attention's scale, are float whatever the elements' type: in builds and in the
evaluator."""

OF_CHAINS = {ElementType.FLOAT: (1e-3, 1e-4), ElementType.FLOAT16: (4e-2, 4e-2)}
"""Errors add up over nodes, and a build may keep more digits between them than the evaluator."""


def tolerance(operator: str, of: ElementType) -> tuple[float, float]:
    """Return rtol and atol for an output of this element type of an operator."""
    if operator in ROUNDED and of not in OF_TYPE:
        return A_STEP
    if operator in IN_FLOATS and of is ElementType.DOUBLE:
        return OF_TYPE[ElementType.FLOAT]
    if operator.startswith("chain/") and of in OF_CHAINS:
        return OF_CHAINS[of]
    return OF_TYPE.get(of, EXACT)
