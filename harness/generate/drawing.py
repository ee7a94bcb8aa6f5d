"""A case while it is being drawn: its nodes, its values, and what its family says of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.generate.element_types import DTYPES, NAMES, weight
from harness.generate.schemas import operator_at
from harness.generate.stream import Stream
from harness.generate.values import FREQUENT, Array, Values, drawn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.generate.description import Description
    from harness.generate.schemas import Operator, Parameter

DIMENSIONS = (1, 2, 3, 3, 4, 5, 7)


@dataclass(frozen=True, kw_only=True)
class Value:
    """A value of the graph: an input with its elements, or what a node gives."""

    name: str
    elements: Any = None
    """An array, a list of them (a sequence); None for what a node gives and an empty optional."""
    is_parameter: bool = False
    """Most models have it as a constant."""
    is_given: bool = False
    """An input or a constant, and not what a node gives."""
    type: str = ""
    """For what has no elements to tell it: as in optional(tensor(float))."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of an input's elements."""
        shape: tuple[int, ...] = self.elements.shape
        return shape


class Nothing(list[Any]):
    """A list with nothing in it, which states its attribute's type, as in FLOATS."""

    def __init__(self, of: str) -> None:
        super().__init__()
        self.of = of


@dataclass(kw_only=True)
class Node:
    """One application of an operator."""

    operator: str
    domain: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Typed:
    """The element type and the rank of an output, where the schema cannot tell."""

    type: str
    """As in float, or with what holds it as in seq(tensor(float))."""
    rank: int | None


@dataclass(kw_only=True)
class Drawing(Stream):
    """Draws one case; families call it."""

    description: Description
    operator: Operator | None
    """The operator's schema at this opset; None for chains and for what the standard lacks."""
    opset: int
    """That of ai.onnx."""
    values: Values = Values.SMALL
    nodes: list[Node] = field(default_factory=list)
    given: list[Value] = field(default_factory=list)
    outputs: dict[str, Typed | None] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)
    """Of the reference evaluator, on this case."""
    forms: list[str] = field(default_factory=list)
    """What was changed of the case when all was drawn, which means the same."""
    turned: str = ""
    """The edge to which one attribute was turned when all was drawn; empty for a plain case."""
    bound: dict[str, str] = field(default_factory=dict)
    """The type that was drawn for each constraint, as in T: tensor(float)."""
    _names: int = 0

    def __post_init__(self) -> None:
        Stream.__init__(self, str(self.description))
        self.values = self.one_of(FREQUENT)

    def doubt(self, reason: str) -> None:
        """State that the standard leaves the answer of this case open."""
        self.doubts.append(reason)

    def wrong(self, reason: str) -> None:
        """State what is wrong with this case: a build should refuse it."""
        self.faults.append(reason)

    def mistaken(self, reason: str) -> None:
        """State that the reference evaluator answers this case wrongly, though it is defined."""
        self.mistakes.append(reason)

    def plain(self, most: Values = Values.WIDE) -> None:
        """Draw nothing beyond these from here on: this family has no use for them."""
        self.values = min(self.values, most)

    # --- shapes ----------------------------------------------------------------------------------

    def dimension(self) -> int:
        """Return a small, often odd dimension."""
        return self.one_of(DIMENSIONS)

    def shape(self, least: int = 0, most: int = 4) -> tuple[int, ...]:
        """Return a shape of a rank between these, of at most some hundred elements."""
        rank = self.between(least, most)
        large = 4
        shape = [self.dimension() if rank < large else self.between(1, 4) for _ in range(rank)]
        if rank and self.chance(3):
            shape[self.below(rank)] = 0
        return tuple(shape)

    def full_shape(self, least: int = 0, most: int = 4) -> tuple[int, ...]:
        """Return a shape without a dimension of 0."""
        return tuple(dimension or 1 for dimension in self.shape(least, most))

    def axis(self, rank: int) -> int:
        """Return an axis of a tensor, counted from either end."""
        return self.between(-rank, rank - 1)

    def axes(self, rank: int) -> list[int]:
        """Return one or more different axes, counted from either end."""
        chosen = self.some(range(rank), self.between(1, rank))
        return [axis - rank if self.chance(30) else axis for axis in chosen]

    def broadcast_to(self, shape: Sequence[int]) -> tuple[int, ...]:
        """Return a shape that broadcasts to this one."""
        kept = list(shape[self.between(0, len(shape)) if self.chance(40) else 0 :])
        return tuple(1 if self.chance(20) else dimension for dimension in kept)

    # --- inputs ----------------------------------------------------------------------------------

    def type_of(self, index: int, among: Sequence[str] = ()) -> str:
        """Return the element type of an input of the operator, drawn once for its constraint."""
        parameter = self._parameter(index)
        key = parameter.type_str if parameter.homogeneous else f"{parameter.type_str}{index}"
        if key not in self.bound:
            self.bound[key] = self._one_type(element_types(parameter.allowed), among)
        return self.bound[key]

    def bind(self, constraint: str, among: Sequence[str]) -> str:
        """Draw the element type of a constraint of the operator from among these that it allows."""
        assert self.operator is not None
        formals = (*self.operator.inputs, *self.operator.outputs)
        allowed = next(one.allowed for one in formals if one.type_str == constraint)
        self.bound[constraint] = self._one_type(element_types(allowed), among)
        return self.bound[constraint]

    def _one_type(self, allowed: Sequence[str], among: Sequence[str]) -> str:
        choices = [name for name in allowed if not among or name in among] or list(allowed)
        weights = [weight(name) for name in choices]
        at = self.below(sum(weights))
        for name, one in zip(choices, weights, strict=True):
            at -= one
            if at < 0:
                return name
        raise AssertionError(choices)

    def _parameter(self, index: int) -> Parameter:
        assert self.operator is not None
        return self.operator.inputs[min(index, len(self.operator.inputs) - 1)]

    def data(
        self,
        index: int,
        shape: Sequence[int],
        *,
        limits: tuple[float, float] | None = None,
        among: Sequence[str] = (),
    ) -> Value:
        """Return an input of the operator with drawn elements."""
        return self.tensor(self.type_of(index, among), shape, limits=limits)

    def weights(
        self, index: int, shape: Sequence[int], *, limits: tuple[float, float] | None = None
    ) -> Value:
        """Return an input with drawn elements that most models have as a constant."""
        return self.tensor(self.type_of(index), shape, limits=limits, is_parameter=True)

    def exactly(self, index: int, elements: Any) -> Value:
        """Return an input with these elements, in its own type, often a constant."""
        dtype = self.type_of(index)
        return self.value(np.asarray(elements, DTYPES[dtype]), is_parameter=True)

    def tensor(
        self,
        dtype: str,
        shape: Sequence[int],
        *,
        limits: tuple[float, float] | None = None,
        is_parameter: bool = False,
    ) -> Value:
        """Return an input of an element type with drawn elements."""
        elements = drawn(self, dtype, tuple(shape), self.values, limits)
        return self.value(elements, is_parameter=is_parameter)

    def value(self, elements: Any, *, is_parameter: bool = False, of: str = "") -> Value:
        """Return an input with these elements."""
        value = Value(
            name=self._name("x"),
            elements=elements,
            is_parameter=is_parameter,
            is_given=True,
            type=of,
        )
        self.given.append(value)
        return value

    # --- nodes -----------------------------------------------------------------------------------

    def apply(
        self,
        operator: str,
        *inputs: Value | None,
        outputs: int | str = 1,
        domain: str = "",
        **attributes: Any,
    ) -> Value:
        """Add a node and return the first of what it gives; None leaves out what stands for it.

        Args:
            operator: its name.
            inputs: in order; trailing ones that are left out are not stated.
            outputs: how many, or a letter for each: y is there, - is left out.
            domain: of the operator.
            attributes: by name; None is not stated, and so is what this version does not have.

        """
        names = ["" if value is None else value.name for value in inputs]
        while names and not names[-1]:
            names.pop()
        marks = "y" * outputs if isinstance(outputs, int) else outputs.rstrip("-")
        made = [self._name("y") if mark == "y" else "" for mark in marks]
        known = self._attributes_of(operator, domain)
        self.nodes.append(
            Node(
                operator=operator,
                domain=domain,
                inputs=names,
                outputs=made,
                attributes={
                    name: value
                    for name, value in attributes.items()
                    if value is not None and (known is None or name in known)
                },
            )
        )
        return Value(name=next(name for name in made if name))

    def _attributes_of(self, operator: str, domain: str) -> Mapping[str, bool] | None:
        if self.operator is not None and operator == self.operator.name:
            return self.operator.attributes
        found = operator_at(f"{domain}.{operator}" if domain else operator, self.opset)
        return None if found is None else found.attributes

    def node(
        self,
        *inputs: Value | None,
        outputs: int | str = 1,
        types: Sequence[Typed] = (),
        **attributes: Any,
    ) -> None:
        """Make the case of one node of its operator, all of whose outputs are the graph's."""
        domain, _, name = self.description.operator.rpartition(".")
        self.apply(name, *inputs, outputs=outputs, domain=domain, **attributes)
        for index, output in enumerate(filter(None, self.nodes[-1].outputs)):
            self.outputs[output] = types[index] if types else None

    def give(self, value: Value, typed: Typed | None = None) -> None:
        """Make a value an output of the graph."""
        self.outputs[value.name] = typed

    def seen(self, value: Value) -> Value:
        """Return an inner value, in one of ten cases an output too: no fusion may take it away."""
        if self.chance(10):
            self.give(value)
        return value

    def float_type(self) -> str:
        """Return an element type of floats, for chains."""
        return self.one_of(("float",) * 7 + ("float16", "double"))

    def constant(self, dtype: str, elements: Any) -> Value:
        """Return an input of an element type with these elements, often a constant."""
        return self.value(np.asarray(elements, DTYPES[dtype]), is_parameter=True)

    def has(self, attribute: str) -> bool:
        """Say whether this version of the operator has an attribute."""
        return self.operator is not None and attribute in self.operator.attributes

    def takes(self, count: int) -> bool:
        """Say whether this version of the operator has so many inputs."""
        return self.operator is not None and len(self.operator.inputs) >= count

    def _name(self, letter: str) -> str:
        self._names += 1
        return f"{letter}{self._names}"


def element_types(allowed: Sequence[str]) -> list[str]:
    """Return the element types among types: those of plain tensors."""
    return [
        one.removeprefix("tensor(").removesuffix(")")
        for one in allowed
        if one.startswith("tensor(")
    ]


def element_type(array: Array) -> str:
    """Return ONNX's name of an array's element type."""
    return "string" if array.dtype.kind in "OUS" else NAMES[array.dtype]
