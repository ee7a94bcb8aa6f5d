"""The models of races are models to onnx, and their answers tell their inputs apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

from harness.worker.cases.concurrency import models
from harness.worker.cases.concurrency.racing import matrices

if TYPE_CHECKING:
    from pathlib import Path


def answers(model: int, thread: int, round_: int) -> list[Any]:
    """Return what onnx itself makes of a member's inputs."""
    loaded = onnx.load_model_from_string(models.mixing(model))
    return list(ReferenceEvaluator(loaded).run(None, dict(matrices(thread, round_))))


@pytest.mark.parametrize("data", [models.mixing(), models.kinds()])
def test_the_models_are_valid(data: bytes) -> None:
    """Each passes onnx.checker, shapes inferred too."""
    model = onnx.load_model_from_string(data)

    onnx.checker.check_model(model, full_check=True)

    assert model.ir_version == 8


def test_mixing_does_what_it_says() -> None:
    """Its outputs are x·W + b and x - b, in whole numbers."""
    inputs = matrices(1, 2)
    w = np.frombuffer(models.weights(3), "<f4").reshape(models.WIDTH, models.WIDTH)

    y, z = answers(3, 1, 2)

    assert np.array_equal(y, inputs["x"] @ w + inputs["b"])
    assert np.array_equal(z, inputs["x"] - inputs["b"])


def test_weights_may_stand_beside_the_model(tmp_path: Path) -> None:
    """The model with its weights in a file is the one that has them in itself."""
    (tmp_path / "beside").write_bytes(models.weights(0))
    (tmp_path / "m.onnx").write_bytes(models.mixing(weights_file="beside"))

    model = onnx.load(tmp_path / "m.onnx")

    whole = onnx.load_model_from_string(models.mixing())
    assert model.graph.initializer[0].raw_data == whole.graph.initializer[0].raw_data


def test_no_two_members_get_the_same_answer() -> None:
    """Of 8 threads, 3 rounds and 2 models each pair differs in both outputs that depend on it."""
    members = [(m, t, r) for m in range(2) for t in range(8) for r in range(3)]

    firsts = {answers(*member)[0].tobytes() for member in members}

    assert len(firsts) == len(members)


def test_nobody_knows_the_unknown_operator() -> None:
    """It is a model that can be read and must be refused."""
    model = onnx.load_model_from_string(models.unknown_operator())

    with pytest.raises(onnx.checker.ValidationError, match="NoSuchOperator"):
        onnx.checker.check_model(model)
