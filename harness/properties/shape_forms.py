"""How the shapes of an operator's inputs and outputs belong together: axes, not yet sizes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from harness.wire.shapes import OPERATORS, Dims, Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hypothesis.strategies import DrawFn, SearchStrategy

Ranks = tuple[int, int]
"""The lowest and the highest."""

ONE = "one"
"""The axis of size 1: that of an operand which is broadcast along it."""

COMPUTED = "?"
"""A size that the model does not declare."""

MOST_PARTS = 3


@dataclass(frozen=True, kw_only=True)
class Form:
    """An operator on slots whose axes have names, before any of them has a size."""

    inputs: list[list[str]]
    outputs: list[Dims]
    """Axes, and sizes that are the same whatever comes in."""
    attributes: dict[str, int | list[int]] = field(default_factory=dict)
    multiples: Mapping[str, int] = field(default_factory=dict)
    """Axes whose size is a multiple of a number."""
    filled: frozenset[str] = frozenset()
    """Axes that may not be empty."""

    @property
    def axes(self) -> list[str]:
        """Every axis of the inputs, once."""
        return list(dict.fromkeys(axis for slot in self.inputs for axis in slot))


def form_of(operator: str, ranks: Ranks) -> SearchStrategy[Form]:
    """Return the forms in which an operator may be used."""
    return _FORMS[OPERATORS[operator].rule](operator, ranks)


def _axes(draw: DrawFn, ranks: Ranks, lowest: int = 0) -> list[str]:
    low, high = ranks
    return [f"a{n}" for n in range(draw(st.integers(max(low, lowest), max(high, lowest))))]


@st.composite
def _each(draw: DrawFn, operator: str, ranks: Ranks) -> Form:
    axes = _axes(draw, ranks)
    return Form(inputs=[axes], outputs=[[*axes] for _ in range(OPERATORS[operator].outputs)])


def _operands(draw: DrawFn, axes: list[str], count: int) -> list[list[str]]:
    """Return operands that broadcast to these axes: each axis is one of theirs at least."""
    owners = [draw(st.integers(1, 2**count - 1)) for _ in axes]
    operands = []
    for n in range(count):
        dims = [axis if owner >> n & 1 else ONE for axis, owner in zip(axes, owners, strict=True)]
        leading = next((at for at, axis in enumerate(dims) if axis != ONE), len(dims))
        operands.append(dims[draw(st.integers(0, leading)) :])
    return operands


@st.composite
def _broadcast(draw: DrawFn, operator: str, ranks: Ranks) -> Form:
    axes, how = _axes(draw, ranks), OPERATORS[operator]
    inputs = _operands(draw, axes, how.inputs)
    return Form(inputs=inputs, outputs=[[*axes] for _ in range(how.outputs)])


@st.composite
def _concat(draw: DrawFn, _operator: str, ranks: Ranks) -> Form:
    axes = _axes(draw, ranks, lowest=1)
    axis = draw(st.integers(-len(axes), len(axes) - 1))
    inputs = []
    for n in range(draw(st.integers(1, MOST_PARTS))):
        slot = [*axes]
        slot[axis] = f"part{n}"
        inputs.append(slot)
    output: Dims = [*axes]
    output[axis] = COMPUTED
    return Form(inputs=inputs, outputs=[output], attributes={"axis": axis})


@st.composite
def _matmul(draw: DrawFn, _operator: str, ranks: Ranks) -> Form:
    batch = _axes(draw, (max(ranks[0] - 2, 0), max(ranks[1] - 2, 0)))
    left, right = _operands(draw, batch, 2)
    if not left and draw(st.booleans()):
        rows, left = [], ["k"]
    else:
        rows, left = ["m"], [*left, "m", "k"]
    if not right and draw(st.booleans()):
        columns, right = [], ["k"]
    else:
        columns, right = ["n"], [*right, "k", "n"]
    return Form(inputs=[left, right], outputs=[[*batch, *rows, *columns]])


@st.composite
def _reduce(draw: DrawFn, operator: str, ranks: Ranks) -> Form:
    axes = _axes(draw, ranks, lowest=1)
    chosen = draw(st.sets(st.integers(0, len(axes) - 1), min_size=1))
    keeps = draw(st.booleans())
    output: Dims = [
        1 if at in chosen else axis for at, axis in enumerate(axes) if keeps or at not in chosen
    ]
    empty_is_an_error = operator == "ReduceMax"
    filled = frozenset(axes[at] for at in chosen) if empty_is_an_error else frozenset()
    from_the_end = draw(st.booleans())
    numbers = [at - len(axes) if from_the_end else at for at in sorted(chosen)]
    attributes: dict[str, int | list[int]] = {"axes": numbers, "keepdims": int(keeps)}
    return Form(inputs=[axes], outputs=[output], attributes=attributes, filled=filled)


@st.composite
def _transpose(draw: DrawFn, _operator: str, ranks: Ranks) -> Form:
    axes = _axes(draw, ranks, lowest=1)
    order = draw(st.permutations(range(len(axes))))
    return Form(
        inputs=[axes], outputs=[[axes[at] for at in order]], attributes={"perm": list(order)}
    )


@st.composite
def _split(draw: DrawFn, _operator: str, ranks: Ranks) -> Form:
    axes = _axes(draw, ranks, lowest=1)
    at, parts = draw(st.integers(0, len(axes) - 1)), draw(st.integers(1, MOST_PARTS))
    output: Dims = [*axes]
    output[at] = COMPUTED
    return Form(
        inputs=[axes],
        outputs=[[*output] for _ in range(parts)],
        attributes={"axis": at},
        multiples={axes[at]: parts},
    )


@st.composite
def _flatten(draw: DrawFn, _operator: str, ranks: Ranks) -> Form:
    axes = _axes(draw, ranks)
    attributes: dict[str, int | list[int]] = {"axis": draw(st.integers(0, len(axes)))}
    return Form(inputs=[axes], outputs=[[COMPUTED, COMPUTED]], attributes=attributes)


@st.composite
def _shape(draw: DrawFn, _operator: str, ranks: Ranks) -> Form:
    axes = _axes(draw, ranks)
    return Form(inputs=[axes], outputs=[[len(axes)]])


_FORMS: dict[Rule, Callable[[str, Ranks], SearchStrategy[Form]]] = {
    Rule.EACH: _each,
    Rule.BROADCAST: _broadcast,
    Rule.CONCAT: _concat,
    Rule.MATMUL: _matmul,
    Rule.REDUCE: _reduce,
    Rule.TRANSPOSE: _transpose,
    Rule.SPLIT: _split,
    Rule.FLATTEN: _flatten,
    Rule.SHAPE: _shape,
}
