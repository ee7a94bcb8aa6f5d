"""A node of the operators' tables becomes a model that knows its inputs when its form says."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from harness.corpus.malformed.operators import FAMILIES
from harness.corpus.malformed.operators.nodes import Form, node, p, ramp
from harness.wire.malformed import Right, Stage


def slots(model: onnx.ModelProto) -> tuple[list[str], list[str]]:
    """Return the names of the inputs, and of the initializers."""
    return [i.name for i in model.graph.input], [i.name for i in model.graph.initializer]


@pytest.mark.parametrize(
    ("form", "given", "constant"),
    [
        (Form.GIVEN, ["x0", "x2"], []),
        (Form.UNRANKED, ["x0", "x2"], []),
        (Form.CONSTANT, ["x0"], ["x2"]),
        (Form.FOLDED, [], ["x0", "x2"]),
    ],
)
def test_a_form_decides_what_is_given(form: Form, given: list[str], constant: list[str]) -> None:
    """Parameters are constants in one form, all inputs in another; one left out is in neither."""
    made = node("Clip/none", ramp(2), None, p(ramp(1)), form=form)

    model, inputs = made.model(), made.malformed().inputs

    assert slots(model) == (given, constant)
    assert list(model.graph.node[0].input) == ["x0", "", "x2"]
    assert inputs is not None
    assert len(inputs) == len(given)


def test_only_an_unranked_input_has_no_shape() -> None:
    """The rank is declared, its sizes are not; without it there is no shape at all."""
    ranked, unranked = (
        node("Relu/none", ramp(2, 3), form=form).model() for form in (Form.GIVEN, Form.UNRANKED)
    )

    types = [one.graph.input[0].type.tensor_type for one in (ranked, unranked)]

    assert [len(of.shape.dim) for of in types] == [2, 0]
    assert [of.HasField("shape") for of in types] == [True, False]


def test_a_name_says_the_domain() -> None:
    """What stands before the last dot is the domain, imported beside ONNX's own."""
    model = node("com.microsoft.Inverse/not-square", ramp(1, 2)).model()

    imports = {opset.domain: opset.version for opset in model.opset_import}

    assert (model.graph.node[0].domain, model.graph.node[0].op_type) == ("com.microsoft", "Inverse")
    assert imports == {"": 17, "com.microsoft": 1}


def test_a_random_output_goes_through_another_operator() -> None:
    """Whatever is drawn, the answer is the same each time."""
    model = node("RandomNormal/none", then="IsNaN", shape=[2]).model()

    ops = [one.op_type for one in model.graph.node]

    assert ops == ["RandomNormal", "IsNaN"]
    assert model.graph.output[0].type.tensor_type.elem_type == onnx.TensorProto.BOOL


def test_an_attribute_that_is_none_is_left_out() -> None:
    """So a table can take one away from what its nodes have in common."""
    made = node("X/none", kept=1, empty=[], gone=None).model().graph.node[0]

    attributes = {one.name: one.type for one in made.attribute}

    assert attributes == {"kept": onnx.AttributeProto.INT, "empty": onnx.AttributeProto.INTS}


def test_no_case_may_be_judged_by_its_first_run_alone() -> None:
    """All are refused or accepted at any stage; each is in the form that its inputs have."""
    cases = [one.malformed() for family in FAMILIES for one in family.NODES]

    judged = {(case.right, case.latest) for case in cases}

    assert judged == {(Right.EITHER, Stage.RUN)}
    assert len(cases) > 900
    assert all(
        isinstance(value, np.ndarray | list) for case in cases for value in case.inputs or ()
    )
