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


def tolerance(operator: str, of: ElementType) -> tuple[float, float]:
    """Return rtol and atol for an output of this element type of an operator."""
    del operator
    return OF_TYPE.get(of, EXACT)
