"""An edge case is a plain case with one attribute turned, and every edge has its turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.errors import ConfigurationError
from harness.generate.cases import descriptions, generated, operators
from harness.generate.description import GENERATOR_VERSION, Description, Kind
from harness.generate.edges import DEFINED, SPARED, TRIES, edges_of
from harness.generate.families import families
from harness.generate.schemas import versions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.generate.edges import AtEdge

SEED = 3
EVERY = 5
CASES = 10_000
"""What a sweep draws unless it is told otherwise."""
WITH_EDGES = [
    name for name in families() if any(edges_of(name, one) for one in versions().get(name, ()))
]


def described(operator: str, opset: int, index: int, *, seed: int = SEED) -> Description:
    """Return a description of this generator."""
    return Description(
        version=GENERATOR_VERSION, operator=operator, opset=opset, seed=seed, index=index
    )


def first_round(operator: str) -> list[Description]:
    """Return edge cases of one operator, each of its edges once."""
    opsets = [opset for name, opset in operators() if name == operator]
    count = len({edge for opset in opsets for edge in edges_of(operator, opset)})
    return [one for one in descriptions([operator], SEED, EVERY * count) if one.index < 0]


@pytest.mark.parametrize("seed", [1, 2])
def test_every_fifth_case_is_at_an_edge_and_none_is_left_out(seed: int) -> None:
    """As many cases as a sweep draws have all edges of all operators, whatever the seed."""
    drawn = list(descriptions([], seed, CASES))

    at_edge = [one for one in drawn if one.index < 0]
    reached = {(one.operator, _edge(one)) for one in at_edge if edges_of(one.operator, one.opset)}
    wanted = {(name, edge) for name, opset in operators() for edge in edges_of(name, opset)}
    assert at_edge == drawn[EVERY - 1 :: EVERY]
    assert wanted - reached == set()


@pytest.mark.parametrize("operator", WITH_EDGES)
def test_each_edge_of_an_operator_is_stated(operator: str) -> None:
    """The model states what the description says, and the case gives it as its reason."""
    cases = [(one, generated(one)) for one in first_round(operator)]

    for description, case in cases:
        edge = _edge(description)
        assert edge.attribute in case.attributes
        if (operator.rpartition(".")[2], edge.attribute, edge.edge) not in DEFINED:
            assert case.kind is not Kind.VALID
            assert case.reason.partition("; ")[0] == str(edge)
    assert {_edge(one) for one, _ in cases} == {
        edge for name, opset in operators() if name == operator for edge in edges_of(name, opset)
    }


@pytest.mark.parametrize("operator", ["Conv", "chain/conv-add-relu", "com.microsoft.FusedConv"])
@pytest.mark.parametrize("index", range(-40, 0))
def test_one_attribute_alone_is_turned(operator: str, index: int) -> None:
    """The case is one of the plain cases from its own number on, but for one attribute at most."""
    opset = next(opset for name, opset in operators() if name == operator)

    turned = generated(described(operator, opset, index))

    number = -index - 1
    plain = [generated(described(operator, opset, at)) for at in range(number, number + TRIES)]
    assert min(_unlike(turned.attributes, one.attributes) for one in plain) <= 1


@pytest.mark.parametrize(
    ("operator", "opset", "reason", "kind"),
    [
        ("Conv", 11, "a stride of 0", Kind.INVALID),
        ("Softmax", 13, "an edge of axis: beyond the last axis", Kind.INVALID),
        ("Elu", 22, "an edge of alpha: NaN or infinite", Kind.DOUBTFUL),
        ("Cast", 24, "an edge of saturate: neither 0 nor 1", Kind.DOUBTFUL),
    ],
)
def test_the_class_is_what_the_standard_says(
    operator: str, opset: int, reason: str, kind: Kind
) -> None:
    """What the checker refuses is invalid; what it takes is doubtful where no text defines it."""
    at = [str(edge) for edge in edges_of(operator, opset)].index(reason)

    case = generated(described(operator, opset, -1 - at))

    assert case.kind is kind
    assert case.reason.startswith(reason)
    assert not case.reference_votes


def test_an_edge_that_the_standard_defines_is_voted_on() -> None:
    """A slope of 0 is as good as any: valid, and the reference evaluator has its vote."""
    at = [str(edge) for edge in edges_of("LeakyRelu", 16)].index("an edge of alpha: 0")
    found = [generated(described("LeakyRelu", 16, -1 - at, seed=seed)) for seed in range(8)]

    votes = [case.reference_votes for case in found if case.kind is Kind.VALID]

    assert votes
    assert all(votes)
    assert {case.attributes["alpha"] for case in found} == {"0.0"}


def test_what_is_spared_is_never_drawn() -> None:
    """An edge that hangs or kills who makes it, or older builds, is in no operator's list."""
    drawn = {
        (name.rpartition(".")[2], edge.attribute, edge.edge)
        for name, opset in operators()
        for edge in edges_of(name, opset)
    }

    assert drawn & SPARED == set()


def test_no_edge_without_attributes() -> None:
    """A negative index of an operator without attributes describes nothing, and none is drawn."""
    drawn = list(descriptions(["Relu"], SEED, 4 * EVERY))

    assert min(one.index for one in drawn) == 0
    with pytest.raises(ConfigurationError, match="1:Relu:14:3:-1"):
        generated(described("Relu", 14, -1))


def _edge(description: Description) -> AtEdge:
    those = edges_of(description.operator, description.opset)
    return those[(-description.index - 1) % len(those)]


def _unlike(one: Mapping[str, str], other: Mapping[str, str]) -> int:
    """Return how many attributes differ."""
    return sum(one.get(name) != other.get(name) for name in {*one, *other})
