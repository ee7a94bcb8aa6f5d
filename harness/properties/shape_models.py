"""Models and runs for the suite `shapes`, drawn so that numpy can say what comes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from harness.properties.shape_forms import COMPUTED, ONE, Form, form_of
from harness.wire.shapes import (
    EVERY_TYPE,
    OPERATORS,
    Binding,
    Dims,
    Layout,
    ShapeModel,
    ShapeRun,
    Values,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hypothesis.strategies import DrawFn

HIGHEST_RANK = 8
HIGHEST_SEED = 10_000


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a property asks of the models and runs that are drawn for it."""

    operators: tuple[str, ...] = tuple(OPERATORS)
    types: tuple[str, ...] = EVERY_TYPE
    ranks: tuple[int, int] = (0, 4)
    runs: tuple[int, int] = (1, 1)
    sizes: tuple[int, ...] = (2, 1, 3, 4)
    """What an axis may have, the plainest first."""
    empty: bool = False
    """Whether one axis at least is 0."""
    most_elements: int = 2048
    layouts: tuple[Layout, ...] = (Layout.CONTIGUOUS,)
    bindings: tuple[Binding, ...] = (Binding.BY_NAME,)
    values: Values = Values.SMALL
    declared: tuple[str, ...] = ("static", "named", "anonymous")
    """How an axis may be declared, the plainest first."""
    names: tuple[str, ...] = ("left", "right", "middle")
    results: tuple[str, ...] = ("first", "second", "third")


@st.composite
def models_with_runs(draw: DrawFn, wanted: Wanted) -> tuple[ShapeModel, list[ShapeRun]]:
    """Return a model and runs of it, each of which it must take."""
    takes = {name: set(OPERATORS[name].types) & set(wanted.types) for name in wanted.operators}
    name = draw(st.sampled_from([operator for operator, types in takes.items() if types]))
    of = draw(st.sampled_from([one for one in wanted.types if one in takes[name]]))
    lowest = max(wanted.ranks[0], int(wanted.empty))
    form = draw(form_of(name, (lowest, wanted.ranks[1])))
    first = _sizes(draw, wanted, form)
    dims = {axis: _declared(draw, wanted, axis, size) for axis, size in first.items()}
    model = ShapeModel(
        operator=name,
        type=of,
        names=list(draw(st.permutations(wanted.names)))[: len(form.inputs)],
        inputs=[[dims[axis] for axis in slot] for slot in form.inputs],
        results=list(draw(st.permutations(wanted.results)))[: len(form.outputs)],
        outputs=[_output(slot, dims) for slot in form.outputs],
        attributes=form.attributes,
    )
    more = draw(st.integers(*wanted.runs)) - 1
    every = [first, *(_sizes(draw, wanted, form) for _ in range(more))]
    return model, [_run(draw, wanted, model, dims, sizes) for sizes in every]


def _sizes(draw: DrawFn, wanted: Wanted, form: Form) -> dict[str, int]:
    """Return a size for each axis, so that all of them together are not too much."""
    room, sizes = wanted.most_elements, {}
    for axis in form.axes:
        size = 1 if axis == ONE else min(draw(st.sampled_from(wanted.sizes)), max(room, 1))
        sizes[axis] = size * form.multiples.get(axis, 1)
        room //= max(sizes[axis], 1)
    may_be_empty = [axis for axis in form.axes if axis != ONE and axis not in form.filled]
    for axis in form.filled:
        sizes[axis] = max(sizes[axis], 1)
    if wanted.empty and may_be_empty:
        sizes[draw(st.sampled_from(may_be_empty))] = 0
    return sizes


def _declared(draw: DrawFn, wanted: Wanted, axis: str, size: int) -> int | str:
    """Return how the model declares an axis: its size, a name, or nothing."""
    match draw(st.sampled_from(wanted.declared)):
        case "static":
            return size
        case "named":
            return axis
    return f"?{axis}"


def _output(slot: Dims, dims: Mapping[str, int | str]) -> Dims:
    return [axis if isinstance(axis, int) or axis == COMPUTED else dims[axis] for axis in slot]


def _run(
    draw: DrawFn,
    wanted: Wanted,
    model: ShapeModel,
    dims: Mapping[str, int | str],
    sizes: Mapping[str, int],
) -> ShapeRun:
    symbols = {str(dim): sizes[axis] for axis, dim in dims.items() if isinstance(dim, str)}
    return ShapeRun(
        sizes=symbols,
        seed=draw(st.integers(0, HIGHEST_SEED)),
        layouts=[draw(st.sampled_from(wanted.layouts)) for _ in model.inputs],
        values=wanted.values,
        binding=draw(st.sampled_from(wanted.bindings)),
    )
