"""Generated cases are the same everywhere, and what the standard says of them holds."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

import onnx
import pytest

from harness.errors import ConfigurationError
from harness.generate.cases import HAS_UNREAD, descriptions, generated, operators
from harness.generate.description import GENERATOR_VERSION, Description, Kind
from harness.generate.families import families

if TYPE_CHECKING:
    from harness.generate.cases import Generated

EACH = 4
"""Cases that are looked at of each operator at each opset."""

SEED = 3
OPERATORS = [*families()]


def digest(count: int, seed: int) -> str:
    """Return what changes with any byte of some cases of all operators."""
    found = hashlib.sha256()
    for description in descriptions([], seed, count):
        made = generated(description)
        found.update(made.model)
        found.update(repr(made.inputs).encode())
    return found.hexdigest()


def some_of(operator: str, *, each: int = EACH) -> list[Generated]:
    """Return some cases of an operator at all its opsets."""
    pairs = [pair for pair in operators() if pair[0] == operator]
    return [generated(one) for one in descriptions([operator], SEED, each * len(pairs))]


def test_another_process_makes_the_same_bytes() -> None:
    """The models and inputs of a description depend on nothing but the description."""
    count = 2 * len(operators())
    program = f"from tests.unit.test_generate import digest; print(digest({count}, {SEED}))"
    command = [sys.executable, "-c", program]

    other = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)

    assert other.stdout.strip() == digest(count, SEED)


def test_another_seed_makes_other_bytes() -> None:
    """Two seeds draw different cases."""
    count = len(operators())

    digests = {digest(count, seed) for seed in (SEED, SEED + 1)}

    assert len(digests) == 2


@pytest.mark.parametrize("operator", OPERATORS)
def test_a_valid_case_is_valid(operator: str) -> None:
    """The checker and strict shape inference accept every case that is said to be valid."""
    cases = [case for case in some_of(operator) if case.kind is Kind.VALID]

    for case in cases:
        onnx.checker.check_model(case.model, full_check=True)

    assert cases


@pytest.mark.parametrize("operator", OPERATORS)
def test_what_is_not_valid_has_a_reason(operator: str) -> None:
    """A case says why it is doubtful or invalid; a valid one says only why none may vote."""
    cases = some_of(operator)

    odd = [
        case
        for case in cases
        if bool(case.reason) == (case.kind is Kind.VALID and case.reference_votes)
    ]

    assert odd == []


def test_cases_are_spread_evenly() -> None:
    """No operator and opset has more than one plain case more than another."""
    count = 4 * len(operators())

    of_all = [one for one in descriptions([], SEED, count) if one.index >= 0]
    drawn = Counter((one.operator, one.opset) for one in of_all)

    assert set(drawn) == set(operators())
    assert set(drawn.values()) == {3, 4}


def test_no_two_descriptions_are_the_same() -> None:
    """Every case of a seed is named once."""
    wanted = descriptions(["Add", "Relu"], SEED, 100)

    names = [str(one) for one in wanted]

    assert len(set(names)) == 100


@pytest.mark.parametrize("operator", ["Conv", "com.microsoft.Gelu", "chain/conv-add-relu"])
def test_a_description_is_its_text(operator: str) -> None:
    """What is written is read back, as text and as JSON."""
    one = Description(version=GENERATOR_VERSION, operator=operator, opset=11, seed=5, index=7)

    read = Description.parse(str(one)), Description.from_json(one.to_json())

    assert read == (one, one)


@pytest.mark.parametrize("text", ["", "Conv", "1:Conv:11:0", "1:Conv:11:0:x", "99:Conv:11:0:7"])
def test_what_describes_nothing_is_refused(text: str) -> None:
    """Half a description, and one of another generator, are told with what was written."""
    with pytest.raises(ConfigurationError, match=repr(text)):
        Description.parse(text)


def test_an_unknown_operator_is_refused() -> None:
    """An operator without a family cannot be drawn, by name or from a description."""
    one = Description(version=GENERATOR_VERSION, operator="Nope", opset=1, seed=0, index=0)

    with pytest.raises(ConfigurationError, match="'Nope'"):
        list(descriptions(["Nope"], SEED, 1))
    with pytest.raises(ConfigurationError, match="'Nope'"):
        generated(one)


@pytest.mark.parametrize("operator", ["QuantizeLinear", "DequantizeLinear"])
def test_several_full_blocks_share_an_axis_often(operator: str) -> None:
    """As models are quantised: what takes the scales in turn is told by these alone."""
    made = [generated(one) for one in descriptions([operator], SEED, 300)]
    valid = [one for one in made if one.kind is Kind.VALID]

    full = [one for one in valid if has_full_blocks(one)]

    assert 20 * len(full) > len(valid)


def has_full_blocks(case: Generated) -> bool:
    """Say whether several blocks, of more than one element each, fill the axis."""
    graph = onnx.load_from_string(case.model).graph
    node = graph.node[-1]
    stated = {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}
    shapes = {one.name: tuple(one.dims) for one in graph.initializer}
    for one in graph.input:
        shapes[one.name] = tuple(size.dim_value for size in one.type.tensor_type.shape.dim)
    before = {one.output[0]: one.input[0] for one in graph.node[:-1]}
    sizes, scales = (shapes[before.get(name, name)] for name in node.input[:2])
    block, axis = stated.get("block_size", 0), stated.get("axis", 1)
    return bool(block > 1 and scales[axis] > 1 and sizes[axis] == block * scales[axis])


def test_an_input_that_no_node_reads_is_told() -> None:
    """A Clip without its lower end has the drawn end beside it; bodies read what is outside."""
    made = [generated(one) for one in descriptions(["chain/conv-add-relu", "If"], SEED, 400)]

    told = [one for one in made if HAS_UNREAD in one.forms]

    assert told
    for case in told:
        graph = onnx.load_from_string(case.model).graph
        text = onnx.printer.to_text(graph)
        assert any(not re.search(rf"[(,] ?{one.name}[,)]", text) for one in graph.input)
