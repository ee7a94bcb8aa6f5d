"""Products of matrices: plain, of integers, quantised, and as an equation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.generate.families import draws
from harness.generate.families.sums import exact, flag, mostly, typed

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing, Value

WRONG = 4
"""How many of a hundred have something wrong."""

LETTERS = "ijkl"


def _size(drawing: Drawing) -> int:
    return 0 if drawing.chance(2) else drawing.dimension()


def _another(drawing: Drawing, size: int) -> int:
    """Return the size that a matrix shares with the other: a wrong one at times."""
    if not drawing.chance(WRONG):
        return size
    drawing.wrong("matrices that do not fit")
    return size + 1


@draws("Gemm")
def with_bias(drawing: Drawing) -> None:
    """Draw two matrices either way round, and a third that broadcasts."""
    dtype = mostly(drawing, "T", "float", "double")
    exact(drawing, dtype)
    rows, inner, columns = _size(drawing), _size(drawing), _size(drawing)
    other = _another(drawing, inner)
    over_first, over_second = flag(drawing), flag(drawing)
    first = drawing.data(0, (inner, rows) if over_first else (rows, inner))
    second = drawing.weights(1, (columns, other) if over_second else (other, columns))
    optional = bool(drawing.operator and drawing.operator.inputs[2].optional)
    bias = None
    if not optional or drawing.chance(75):
        shapes = [(rows, columns), (columns,), (1, columns), (rows, 1), (1, 1), (1,), ()]
        bias = drawing.weights(2, drawing.one_of(shapes))
    of_floats = "int" not in dtype
    drawing.node(
        *(first, second, bias),
        types=typed(drawing, dtype),
        transA=over_first,
        transB=over_second,
        alpha=drawing.maybe(0.0, 0.5, 2.0, -1.0) if of_floats else drawing.maybe(1.0, 2.0),
        beta=drawing.maybe(0.0, 0.5, 2.0, -1.0) if of_floats else drawing.maybe(1.0, 2.0),
    )


def _factors(drawing: Drawing) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the shapes of two factors: vectors, matrices, or many of them that broadcast."""
    rows, inner, columns = _size(drawing), _size(drawing), _size(drawing)
    other = _another(drawing, inner)
    outer = drawing.full_shape(0, 2) if drawing.chance(60) else ()
    first: tuple[int, ...] = (*drawing.broadcast_to(outer), rows, inner)
    second: tuple[int, ...] = (*outer, other, columns)
    if drawing.chance(50):
        first, second = (*outer, rows, inner), (*drawing.broadcast_to(outer), other, columns)
    if drawing.chance(10):
        first = (inner,)
    if drawing.chance(10):
        second = (other,)
    return first, second


@draws("MatMul")
def product(drawing: Drawing) -> None:
    """Draw vectors, matrices and many of them."""
    dtype = mostly(drawing, "T", "float", "double")
    exact(drawing, dtype)
    first, second = _factors(drawing)
    drawing.node(drawing.data(0, first), drawing.weights(1, second), types=typed(drawing, dtype))


@draws("MatMulInteger")
def of_integers(drawing: Drawing) -> None:
    """Draw factors of bytes, with zero points of all or by row and column."""
    first, second = _factors(drawing)
    one, other = drawing.data(0, first), drawing.weights(1, second)
    point = drawing.weights(2, _points(drawing, first, -2)) if drawing.chance(60) else None
    of_other = drawing.weights(3, _points(drawing, second, -1)) if drawing.chance(60) else None
    drawing.node(one, other, point, of_other, types=typed(drawing, "int32"))


def _points(drawing: Drawing, shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    """Return the shape of a zero point or scale: for all, or one for each row or column."""
    matrix = 2
    if len(shape) != matrix or drawing.chance(70):
        return ()
    return (shape[axis],)


@draws("QLinearMatMul")
def quantised(drawing: Drawing) -> None:
    """Draw factors with scales and zero points, those of the second by column at times."""
    for constraint in ("T1", "T2", "T3"):
        drawing.bind(constraint, ("int8", "uint8") if drawing.chance(90) else ())
    if drawing.chance(70):
        drawing.bound["T3"] = drawing.bound["T1"]
    if drawing.takes(8) and drawing.operator and drawing.operator.inputs[1].type_str == "TS":
        mostly(drawing, "TS", "float")
    first, second = _factors(drawing)
    one = drawing.data(0, first)
    scale, point = _quantisation(drawing, 1, ())
    other = drawing.weights(3, second)
    of_other = _quantisation(drawing, 4, _points(drawing, second, -1))
    made = _quantisation(drawing, 6, ())
    drawing.node(
        *(one, scale, point, other, *of_other, *made),
        types=typed(drawing, drawing.bound["T3"]),
    )


def _quantisation(drawing: Drawing, index: int, shape: tuple[int, ...]) -> tuple[Value, Value]:
    count = int(np.prod(shape))
    scales = [drawing.one_of((0.01, 0.05, 0.11, 0.3, 0.73)) for _ in range(count)]
    scale = drawing.exactly(index, np.reshape(scales, shape))
    return scale, drawing.weights(index + 1, shape)


@draws("Einsum")
def by_equation(drawing: Drawing) -> None:
    """Draw an equation of one to three tensors, with diagonals, an ellipsis and blanks at times."""
    dtype = mostly(drawing, "T", "float", "double", "int64")
    exact(drawing, dtype)
    sizes = {letter: drawing.between(1, 4) for letter in LETTERS}
    if drawing.chance(5):
        sizes[drawing.one_of(LETTERS)] = 0
    terms = [_term(drawing) for _ in range(drawing.one_of((1, 2, 2, 2, 3)))]
    more = drawing.full_shape(1, 2) if drawing.chance(20) else ()
    wide = drawing.below(len(terms)) if more else -1
    shapes = [[sizes[letter] for letter in term] for term in terms]
    if more:
        terms[wide] = f"...{terms[wide]}"
        shapes[wide] = [*more, *shapes[wide]]
    if drawing.chance(WRONG):
        drawing.wrong("an equation for one tensor less")
        terms.append(_term(drawing))
    equation = ",".join(terms) + _made(drawing, terms)
    if drawing.chance(15):
        equation = equation.replace(",", " , ").replace("->", " -> ")
    values = [drawing.data(at, shape) for at, shape in enumerate(shapes)]
    drawing.node(*values, types=typed(drawing, dtype), equation=equation)


def _term(drawing: Drawing) -> str:
    letters = "".join(drawing.some(LETTERS, drawing.between(1, 3)))
    return letters + letters[0] if drawing.chance(8) else letters


def _made(drawing: Drawing, terms: list[str]) -> str:
    """Return what an equation says of its output, or nothing."""
    if drawing.chance(20):
        return ""
    there = sorted({letter for term in terms for letter in term} - {"."})
    kept = "".join(drawing.some(there, drawing.between(0, len(there))))
    more = any(term.startswith("...") for term in terms)
    return f"->{'...' if more else ''}{kept}"
