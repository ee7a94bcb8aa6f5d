"""The models of the suite `shapes` are models to onnx, and numpy's answers are the standard's."""

from __future__ import annotations

from typing import Any

import hypothesis
import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

from harness.properties.shape_examples import EXAMPLES
from harness.properties.shape_models import Wanted, models_with_runs
from harness.properties.shapes import ASKED
from harness.wire.shapes import OPERATORS, Fault, Layout, ShapeExample, ShapeModel, ShapeRun
from harness.worker.cases.shapes.faults import wrong_inputs
from harness.worker.cases.shapes.inputs import inputs_of
from harness.worker.cases.shapes.models import MEANINGS, answer, model_bytes, output_type
from harness.worker.tensors import NUMPY_TYPES

FEW = hypothesis.settings(
    max_examples=8,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)


def one_input(size: int, layout: str = Layout.CONTIGUOUS, of: str = "float") -> Any:
    """Return the only input of an Identity over a square of this size."""
    model = ShapeModel(
        operator="Identity",
        type=of,
        names=["x"],
        inputs=[["n", "n"]],
        results=["y"],
        outputs=[["n", "n"]],
        attributes={},
    )
    run = ShapeRun(sizes={"n": size}, seed=1, layouts=[layout])
    return inputs_of(model, run)[0]


def test_every_operator_has_a_meaning() -> None:
    """What the controller draws and what the worker can compute are the same set."""
    drawn = set(OPERATORS)

    computed = set(MEANINGS)

    assert drawn == computed


def test_every_property_has_examples() -> None:
    """What is asked and what is drawn are the same set."""
    asked = list(ASKED)

    drawn = list(EXAMPLES)

    assert sorted(asked) == sorted(drawn)


@pytest.mark.parametrize("name", OPERATORS)
def test_a_drawn_model_is_valid_and_answers_as_numpy_says(name: str) -> None:
    """It passes the checks of onnx, which evaluates it to the same answer."""

    @FEW
    @hypothesis.given(models_with_runs(Wanted(operators=(name,), runs=(1, 2))))
    def check(drawn: tuple[ShapeModel, list[ShapeRun]]) -> None:
        model, runs = drawn
        proto = onnx.load_model_from_string(model_bytes(model))
        onnx.checker.check_model(proto, full_check=True)
        for run in runs:
            values = [one.value for one in inputs_of(model, run)]
            want = answer(model, values)
            feeds = dict(zip(model.names, values, strict=True))
            got: Any = ReferenceEvaluator(proto).run(None, feeds)
            for one, other in zip(got, want, strict=True):
                assert np.array_equal(one, other)
                assert np.shape(one) == other.shape
                assert other.dtype == NUMPY_TYPES[output_type(model)]

    check()


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_survives_the_wire(name: str) -> None:
    """Each drawn example is JSON, comes back as it was, and its inputs can be made."""

    @FEW
    @hypothesis.given(EXAMPLES[name])
    def check(example: dict[str, Any]) -> None:
        read = ShapeExample.from_json(example)
        assert read.to_json() == example
        for fault in read.faults:
            assert wrong_inputs(read.model, read.runs[0], fault).says

    check()


@pytest.mark.parametrize(
    ("layout", "flag", "is_set"),
    [
        (Layout.CONTIGUOUS, "c_contiguous", True),
        (Layout.READ_ONLY, "writeable", False),
        (Layout.FORTRAN, "c_contiguous", False),
        (Layout.TRANSPOSED, "c_contiguous", False),
        (Layout.WINDOW, "c_contiguous", False),
        (Layout.STRIDED, "c_contiguous", False),
        (Layout.REVERSED, "c_contiguous", False),
        (Layout.BROADCAST, "c_contiguous", False),
        (Layout.UNALIGNED, "aligned", False),
    ],
)
def test_an_input_lies_as_it_should(layout: Layout, flag: str, is_set: bool) -> None:  # noqa: FBT001
    """Each layout is what its name says, and the elements do not depend on it."""
    given, plain = one_input(3, layout), one_input(3)

    found = bool(getattr(given.value.flags, flag))

    assert found is is_set
    assert given.value.shape == (3, 3)
    assert layout is Layout.BROADCAST or np.array_equal(given.value, plain.value)


@pytest.mark.parametrize("layout", Layout)
@pytest.mark.parametrize("of", ["float", "string", "int64"])
def test_a_change_of_an_input_is_seen(layout: Layout, of: str) -> None:
    """What writes into an input, or a flag that is set, is told; what reads is not."""
    given = one_input(3, layout, of)
    before = given.change()
    given.value.flags.writeable = not given.value.flags.writeable

    after = given.change()

    assert before == ""
    assert after.startswith("its flags")


def test_a_write_beside_an_input_is_seen() -> None:
    """The memory around a part of an array is watched as well."""
    given = one_input(2, Layout.WINDOW)
    whole = given.value.base

    whole.flat[0] += 1

    assert given.change() == "its elements, or those around them"


def test_a_wrong_input_differs_in_what_it_says() -> None:
    """A rank too high keeps the type and tells both shapes."""
    model = ShapeModel(
        operator="Identity",
        type="float",
        names=["x"],
        inputs=[["n", 3]],
        results=["y"],
        outputs=[["n", 3]],
        attributes={},
    )
    run = ShapeRun(sizes={"n": 2}, seed=1, layouts=[Layout.CONTIGUOUS])

    wronged = wrong_inputs(model, run, Fault(wrong="rank", by=1))

    assert wronged.inputs["x"].shape == (2, 3, 2)
    assert (wronged.blamed, wronged.says) == ("x", ["n", "3", "[2, 3, 2]"])
