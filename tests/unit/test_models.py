"""The models that a worker writes without onnx are models to onnx."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

from harness.wire.values import ElementType
from harness.worker.models import smallest


def opsets_of(model: onnx.ModelProto) -> dict[str, int]:
    """Return the opset versions that a model imports, by domain."""
    return {opset.domain: opset.version for opset in model.opset_import}


@pytest.mark.parametrize("data", [smallest.identity(), smallest.addition()])
def test_the_default_models_are_valid_and_old(data: bytes) -> None:
    """Each passes onnx.checker, shapes inferred too, with an IR version and opset that all load."""
    model = onnx.load_model_from_string(data)

    onnx.checker.check_model(model, full_check=True)

    assert model.ir_version == 8
    assert opsets_of(model) == {"": 13}


@pytest.mark.parametrize("ir", [3, 8, 10, onnx.IR_VERSION])
def test_an_identity_has_the_ir_version_asked_for(ir: int) -> None:
    """Any IR version that onnx knows makes a valid model."""
    model = onnx.load_model_from_string(smallest.identity(ir=ir))

    onnx.checker.check_model(model)

    assert model.ir_version == ir


@pytest.mark.parametrize("opset", [1, 13, 14, onnx.defs.onnx_opset_version()])
def test_an_identity_has_the_opset_asked_for(opset: int) -> None:
    """Any opset that onnx knows makes a valid model."""
    model = onnx.load_model_from_string(smallest.identity(opsets={"": opset}))

    onnx.checker.check_model(model)

    assert opsets_of(model) == {"": opset}


def test_an_identity_may_import_other_domains() -> None:
    """A domain is added to the default import, and a version of two bytes is written rightly."""
    asked = {"ai.onnx.ml": 3, "com.microsoft": 1, "": 300}

    model = onnx.load_model_from_string(smallest.identity(ir=200, opsets=asked))

    assert model.ir_version == 200
    assert opsets_of(model) == asked


def test_the_models_do_what_they_say() -> None:
    """Evaluated by onnx itself, one hands on its input and the other adds."""
    x, w = np.array([1, 2, 3], np.float32), np.array([0.5, -2, 40], np.float32)
    identity = onnx.load_model_from_string(smallest.identity())
    addition = onnx.load_model_from_string(smallest.addition())

    same: Any = ReferenceEvaluator(identity).run(None, {"x": x})
    total: Any = ReferenceEvaluator(addition).run(None, {"x": x, "w": w})

    assert np.array_equal(same, [x])
    assert np.array_equal(total, [x + w])


@pytest.mark.parametrize(
    ("of", "dtype"), [(ElementType.FLOAT, "float32"), (ElementType.FLOAT16, "float16")]
)
def test_steps_follow_one_another(of: ElementType, dtype: str) -> None:
    """The operators of one input are applied in their order, in the element type asked for."""
    model = onnx.load_model_from_string(smallest.steps("Neg", "Abs", "Neg", of=of))
    x = np.array([1, -2, 3], dtype)

    onnx.checker.check_model(model, full_check=True)
    (y,) = ReferenceEvaluator(model).run(None, {"x": x})

    np.testing.assert_array_equal(y, np.array([-1, -2, -3], dtype), strict=True)
