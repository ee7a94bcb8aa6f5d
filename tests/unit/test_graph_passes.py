"""What makes a model smaller, pass by pass, on models that onnx's reference evaluator answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
from onnx import parser

from harness.corpus.reference import evaluated
from harness.triage.graph_passes import cutting, inlining, passes, shrinking
from harness.triage.graph_passes.candidate import Candidate, asked_for, part
from harness.triage.graph_passes.examined import Validity
from harness.triage.reduction import Search, reduced

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

CHAIN = """<ir_version: 8, opset_import: ["": 17]>
    g (float[2,4] x) => (float[2,4] y)
    <float[4] w = {1, 2, 3, 4}> {
        a = Add(x, w)
        b = Relu(a)
        c = Mul(b, b)
        d = Neg(c)
        y = Abs(d)
    }"""


def candidate(text: str, **inputs: Any) -> Candidate:
    """Return a model in onnx's text form with its inputs."""
    return Candidate(model=parser.parse_model(text), inputs=inputs)


def chain() -> Candidate:
    """Return five operators in a row."""
    return candidate(CHAIN, x=np.arange(-4, 4, dtype=np.float32).reshape(2, 4))


def trace(case: Candidate, names: Sequence[str]) -> Mapping[str, Any]:
    """Return values as the evaluator has them."""
    asked = asked_for(case, names)
    return dict(zip(names, evaluated(asked.data, asked.inputs) or [], strict=False))


def operators(case: Candidate) -> list[str]:
    """Return the operators in their order."""
    return [node.op_type for node in case.model.graph.node]


def all_taken(
    proposals: Generator[Candidate, bool, None], is_taken: Callable[[Candidate], bool]
) -> list[Candidate]:
    """Return what was taken of a pass's proposals."""
    taken = []
    try:
        proposed = next(proposals)
        while True:
            answer = is_taken(proposed)
            if answer:
                taken.append(proposed)
            proposed = proposals.send(answer)
    except StopIteration:
        return taken


def answers(case: Candidate) -> bool:
    """Say whether a candidate is valid and runs."""
    return case.validity is Validity.FULLY_VALID and evaluated(case.data, case.inputs) is not None


def smallest(case: Candidate, fails: Callable[[Candidate], bool]) -> Candidate:
    """Return what all passes lead to, among what is valid and runs, once they come to rest."""
    search = Search(
        passes=passes(trace),
        is_interesting=lambda one: fails(one) and answers(one),
        key=lambda one: one.size,
        identity=lambda one: one.digest,
    )
    found = reduced(case, search)
    assert found.finished
    return found.case


def has(*wanted: str) -> Callable[[Candidate], bool]:
    """Return what says whether the operators are all there."""
    return lambda case: set(wanted) <= set(operators(case))


def test_a_part_has_the_values_that_were_really_there() -> None:
    """What is cut off before is an input with its value; what is read behind is an output."""
    case = chain()

    found = part(case, [2], trace)

    assert found is not None
    assert operators(found) == ["Mul"]
    assert found.inputs["b"].tolist() == [[0, 0, 1, 3], [1, 3, 5, 7]]
    assert [value.name for value in found.model.graph.output] == ["c"]
    assert found.validity is Validity.FULLY_VALID


def test_a_part_hands_on_what_others_read() -> None:
    """A tensor that is read inside and outside is an output as well."""
    text = """<ir_version: 8, opset_import: ["": 17]>
        g (float[2] x) => (float[2] y) { a = Relu(x) b = Neg(a) y = Add(a, b) }"""
    case = candidate(text, x=np.ones(2, np.float32))

    found = part(case, [0, 1], trace)

    assert found is not None
    assert [value.name for value in found.model.graph.output] == ["a", "b"]


def test_constants_come_along_with_a_part() -> None:
    """A node that depends on no input is kept where it is needed, so that folding stays."""
    text = """<ir_version: 8, opset_import: ["": 17]>
        g (float[2] x) => (float[2] y)
        <int64[1] two = {2}> { w = ConstantOfShape(two) a = Relu(x) y = Add(a, w) }"""
    case = candidate(text, x=np.ones(2, np.float32))

    found = part(case, [2], trace)

    assert found is not None
    assert operators(found) == ["ConstantOfShape", "Add"]


def test_an_output_of_no_known_rank_is_declared_by_its_value() -> None:
    """Where inference cannot tell a shape, the value does, so that the part stays valid."""
    text = """<ir_version: 8, opset_import: ["": 17]>
        g (float[1,2,1] x, int64[1] axes) => (float[2,1] y) {
            a = Squeeze(x, axes) y = Relu(a)
        }"""
    case = candidate(text, x=np.ones((1, 2, 1), np.float32), axes=np.array([0]))

    found = part(case, [0], trace)

    assert found is not None
    assert found.validity is Validity.FULLY_VALID


def test_a_part_whose_values_nobody_knows_is_none() -> None:
    """Without the value of a cut tensor there is no part."""
    assert part(chain(), [2], lambda _case, _names: {}) is None


def test_ends_are_found_by_halves() -> None:
    """The beginning and the end are cut off in few steps."""
    taken = all_taken(cutting.ends(chain(), trace), has("Mul"))

    assert operators(taken[-1]) == ["Mul"]


def test_nodes_in_the_middle_are_left_out() -> None:
    """What stands between two nodes that are needed goes."""
    taken = all_taken(cutting.nodes(chain(), trace), has("Add", "Neg"))

    assert operators(taken[-1]) == ["Add", "Neg"]


def test_one_output_is_left_with_what_it_needs() -> None:
    """Outputs are tried alone; what only others need goes."""
    text = """<ir_version: 8, opset_import: ["": 17]>
        g (float[2] x, float[2] z) => (float[2] a, float[2] b) { a = Relu(x) b = Neg(z) }"""
    case = candidate(text, x=np.ones(2, np.float32), z=np.ones(2, np.float32))

    taken = all_taken(cutting.outputs(case), has("Relu"))

    assert operators(taken[-1]) == ["Relu"]
    assert list(taken[-1].inputs) == ["x"]


def test_an_optional_input_is_left_out() -> None:
    """Clip's bounds go where they are not needed, and the initialisers with them."""
    text = """<ir_version: 8, opset_import: ["": 17]>
        g (float[2] x) => (float[2] y) <float low = {0}, float high = {1}>
        { y = Clip(x, low, high) }"""
    case = candidate(text, x=np.ones(2, np.float32))

    taken = all_taken(cutting.operands(case), lambda _: True)

    assert list(taken[-1].model.graph.node[0].input) == ["x"]
    assert not taken[-1].model.graph.initializer


def test_the_branch_that_is_taken_stands_in_place_of_the_if() -> None:
    """An If is replaced by its branch, names that are used twice told apart."""
    text = """<ir_version: 8, opset_import: ["": 17]>
        g (bool c, float[2] x) => (float[2] y) {
            t = Relu(x)
            r = If(c) <
                then_branch = then () => (float[2] o) { t2 = Neg(t) o = Abs(t2) },
                else_branch = other () => (float[2] o) { o = Exp(t) }
            >
            y = Mul(r, t)
        }"""
    case = candidate(text, c=np.ones((), bool), x=np.array([1, 2], np.float32))

    (found,) = all_taken(inlining.branches(case, trace), lambda _: True)

    assert operators(found) == ["Relu", "Neg", "Abs", "Mul"]
    assert found.validity is Validity.FULLY_VALID
    assert np.array_equal(
        evaluated(found.data, found.inputs) or [], evaluated(case.data, case.inputs) or [0]
    )


def test_a_branch_that_hands_on_what_is_outside_gets_an_identity() -> None:
    """A branch without a node of its own for its output still makes that output."""
    text = """<ir_version: 8, opset_import: ["": 17]>
        g (bool c, float[2] x) => (float[2] y) {
            t = Relu(x)
            y = If(c) <
                then_branch = then () => (float[2] o) { o = Identity(t) },
                else_branch = other () => (float[2] t) {}
            >
        }"""
    case = candidate(text, c=np.zeros((), bool), x=np.array([1, 2], np.float32))

    (found,) = all_taken(inlining.branches(case, trace), lambda _: True)

    assert operators(found) == ["Relu", "Identity"]


def test_functions_are_inlined() -> None:
    """A model's own function is replaced by what it is made of."""
    text = """<ir_version: 8, opset_import: ["": 17, "own": 1]>
        g (float[2] x) => (float[2] y) { y = own.twice(x) }
        <domain: "own", opset_import: ["": 17]> twice (a) => (b) { b = Add(a, a) }"""
    case = candidate(text, x=np.ones(2, np.float32))

    (found,) = all_taken(inlining.functions(case), lambda _: True)

    assert operators(found) == ["Add"]


def test_constants_become_initialisers_and_those_inputs() -> None:
    """A Constant is an initialiser first, and then an input with its value."""
    text = """<ir_version: 8, opset_import: ["": 17]>
        g (float[2] x) => (float[2] y)
        { w = Constant<value_floats = [3.0, 4.0]>() y = Add(x, w) }"""
    case = candidate(text, x=np.ones(2, np.float32))

    (initialised,) = all_taken(inlining.constants(case), lambda _: True)
    (given,) = all_taken(shrinking.to_inputs(initialised), lambda _: True)

    assert operators(initialised) == ["Add"]
    assert given.inputs["w"].tolist() == [3, 4]
    assert given.validity is Validity.FULLY_VALID


def test_nodes_of_constants_are_folded() -> None:
    """What depends on no input is replaced by its value."""
    text = """<ir_version: 8, opset_import: ["": 17]>
        g (float[2] x) => (float[2] y)
        <int64[1] two = {2}> { z = ConstantOfShape(two) w = Neg(z) y = Add(x, w) }"""
    case = candidate(text, x=np.ones(2, np.float32))

    taken = all_taken(inlining.folds(case, trace), has("Add"))

    assert operators(taken[-1]) == ["Add"]
    assert [tensor.name for tensor in taken[-1].model.graph.initializer] == ["w"]


RESHAPED = """<ir_version: 8, opset_import: ["": 17]>
    g (float[2,3] x, float[2,3] z) => (float[3,2] y) <int64[2] swap = {1, 0}> {
        s = Shape(z)
        r = Gather(s, swap)
        a = Relu(x)
        y = Reshape(a, r)
    }"""


def is_reshaped_by_a_constant(case: Candidate) -> bool:
    """Say whether a Reshape goes by what a build knows before it runs: of shapes, or constant."""
    constant = {tensor.name for tensor in case.model.graph.initializer}
    for node in case.model.graph.node:
        if node.op_type == "Reshape":
            return set(node.input[1:2]) <= constant and len(node.input) > 1
        if node.op_type == "Shape" or constant.issuperset(node.input):
            constant.update(node.output)
        if node.op_type == "Gather" and node.input[0] in constant:
            constant.update(node.output)
    return False


def test_a_constant_stands_where_an_input_would_not_do() -> None:
    """A fault that needs a constant keeps one, nodes that only make it go, and it comes to rest."""
    given = {name: np.ones((2, 3), np.float32) for name in "xz"}

    found = smallest(candidate(RESHAPED, **given), is_reshaped_by_a_constant)

    assert operators(found) == ["Reshape"]
    assert len(found.model.graph.initializer) == len(found.inputs) == 1


def test_what_an_input_alone_decides_is_folded_with_it() -> None:
    """An input becomes a constant together with all nodes that hang on it alone."""
    given = {name: np.ones((2, 3), np.float32) for name in "xz"}

    first, *_ = all_taken(inlining.frozen(candidate(RESHAPED, **given), trace), has("Relu"))

    assert operators(first) == ["Relu", "Reshape"]
    assert first.validity is Validity.FULLY_VALID


def test_sizes_are_cut_everywhere_at_once() -> None:
    """Channels that have to be the same in input, weight and attribute are cut together."""
    text = """<ir_version: 8, opset_import: ["": 17]>
        g (float[1,6,5,5] x, float[6,1,3,3] w) => (float[1,6,3,3] y)
        { y = Conv<group = 6, kernel_shape = [3, 3]>(x, w) }"""
    case = candidate(text, x=np.ones((1, 6, 5, 5), np.float32), w=np.ones((6, 1, 3, 3), np.float32))

    taken = all_taken(shrinking.dimensions(case), answers)

    assert taken[-1].inputs["x"].size == 1
    assert taken[-1].inputs["w"].size == 1
    assert taken[-1].model.graph.node[0].attribute[0].i == 1


def test_values_go_to_zero_and_one() -> None:
    """A number that is needed stays one, all others become nought."""
    case = candidate(CHAIN, x=np.array([[5, -3, 2, 9], [1, 1, 4, 7]], np.float32))

    taken = all_taken(shrinking.values(case), lambda one: bool((one.inputs["x"] > 0).any()))

    assert sorted(taken[-1].inputs["x"].ravel().tolist()) == [0, 0, 0, 0, 0, 0, 0, 1]
    assert onnx.numpy_helper.to_array(taken[-1].model.graph.initializer[0]).tolist() == [0] * 4


def test_attributes_that_have_a_default_go() -> None:
    """Attributes are left out as long as the model stays valid."""
    text = """<ir_version: 8, opset_import: ["": 17]>
        g (float[1,1,4,4] x) => (float[1,1,4,4] y)
        { y = AveragePool<kernel_shape = [1, 1], strides = [1, 1], pads = [0, 0, 0, 0]>(x) }"""
    case = candidate(text, x=np.ones((1, 1, 4, 4), np.float32))

    taken = all_taken(shrinking.attributes(case), answers)

    assert [one.name for one in taken[-1].model.graph.node[0].attribute] == ["kernel_shape"]


def test_the_oldest_operator_set_that_will_do_is_found() -> None:
    """Versions go down, first to that of the same operators, then as far as is taken."""
    case = chain()

    taken = all_taken(shrinking.opsets(case), answers)

    (opset,) = taken[-1].model.opset_import
    assert opset.version == 7
    assert taken[-1].model.ir_version == 4


def test_names_and_metadata_say_nothing_more() -> None:
    """Names are short, and what is only said of a model is gone."""
    case = chain()
    case.model.producer_name = "somebody"
    case.model.graph.node[0].name = "the first one"

    (bare,) = all_taken(shrinking.metadata(case), lambda _: True)
    (renamed,) = all_taken(shrinking.names(bare), lambda _: True)

    assert bare.model.producer_name == ""
    assert bare.model.graph.node[0].name == ""
    names = {name for node in renamed.model.graph.node for name in (*node.input, *node.output)}
    assert names == {"x", "w", "t0", "t1", "t2", "t3", "y"}


def test_open_dimensions_are_declared_as_they_are() -> None:
    """Inputs and outputs say the sizes that they have."""
    text = CHAIN.replace("float[2,4]", "float[n,4]")
    case = candidate(text, x=np.ones((2, 4), np.float32))

    (found,) = all_taken(shrinking.declarations(case, trace), lambda _: True)

    sizes = [d.dim_value for d in found.model.graph.output[0].type.tensor_type.shape.dim]
    assert sizes == [2, 4]


@pytest.mark.parametrize("wanted", [("Mul",), ("Add", "Relu"), ("Relu", "Abs")])
def test_all_passes_together_leave_what_is_needed(wanted: tuple[str, ...]) -> None:
    """Of a chain the wanted operators stay, on one element, valid all the way."""
    found = smallest(chain(), has(*wanted))

    assert operators(found) == list(wanted)
    assert found.inputs["x"].size == 1 if "x" in found.inputs else True
    assert found.validity is Validity.FULLY_VALID


@pytest.mark.parametrize(
    "text",
    [
        """<ir_version: 8, opset_import: ["": 17]> g (float[2] x) => (float[k] y) {
            y = Einsum <equation = "..i.."> (x) }""",
        """<ir_version: 8, opset_import: ["": 17]> g (float[2,2] x, int64[1,1] i) => (float[k] y) {
            y = GatherND <batch_dims = -3> (x, i) }""",
    ],
)
def test_a_model_that_kills_or_hangs_the_checker_is_invalid(text: str) -> None:
    """Shape inference never ends over dots, and dies of a batch before the first; we do not."""
    case = Candidate(model=parser.parse_model(text), inputs={})

    assert case.validity is Validity.INVALID
    assert case.complaint
