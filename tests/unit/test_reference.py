"""What onnx's reference evaluator says, and when two answers are alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
from onnx import parser

from harness.corpus.given import made_inputs, read_inputs, read_model
from harness.corpus.reference import Evaluator, agree
from harness.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

ADDITION = """<ir_version: 8, opset_import: ["": 17]>
    g (float[2] x, float[n] z) => (float[2] y) { y = Add(x, z) }"""
ENDLESS = """<ir_version: 8, opset_import: ["": 17]>
    g (float x) => (float y) <int64 many = {1000000000}, bool yes = {1}> {
        y = Loop(many, yes, x) <body = b (int64 i, bool c, float v) => (bool c2, float w)
            { c2 = Identity(c) w = Add(v, v) }>
    }"""


def model(text: str) -> bytes:
    """Return the bytes of a model in onnx's text form."""
    return parser.parse_model(text).SerializeToString()


def test_the_evaluator_answers_and_forgets_what_it_cannot() -> None:
    """It answers, gives nothing where it cannot or not in time, and answers again."""
    one = np.ones(2, np.float32)
    with Evaluator(deadline_s=20) as evaluator:
        first = evaluator.answer(model(ADDITION), {"x": one, "z": one})
        refused = evaluator.answer(model(ADDITION), {"x": one})
        again = evaluator.answer(model(ADDITION), {"x": one, "z": one + one})

    assert first is not None
    assert again is not None
    assert first[0].tolist() == [2, 2]
    assert refused is None
    assert again[0].tolist() == [3, 3]


def test_the_evaluator_is_ended_where_it_takes_too_long() -> None:
    """A model without end costs the deadline and no more."""
    with Evaluator(deadline_s=3) as evaluator:
        found = evaluator.answer(model(ENDLESS), {"x": np.array(1, np.float32)})

    assert found is None


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (np.array([1.0, np.nan]), np.array([1.0001, np.nan]), True),
        (np.array([1.0]), np.array([1.1]), False),
        (np.array([1.0]), np.array([1.0], np.float32), False),
        (np.array([1.0]), np.array([[1.0]]), False),
        (np.array(["a"], object), np.array(["a"]), True),
        (np.array(["a"], object), np.array(["b"], object), False),
        ([np.array([1])], [np.array([1])], True),
        ([np.array([1])], [], False),
        ({"a": 1.0}, {"a": 1.0}, True),
        ({"a": 1.0}, {"b": 1.0}, False),
        (None, None, True),
        (None, np.array([1]), False),
    ],
)
def test_answers_agree(one: Any, other: Any, *, alike: bool) -> None:
    """Types, shapes and keys have to be the same, and numbers within the tolerances."""
    assert agree(one, other, rtol=1e-3, atol=1e-6) is alike


def test_inputs_are_made_of_what_is_declared() -> None:
    """Each input has its type and shape, open dimensions a size, and is the same each time."""
    proto = parser.parse_model(ADDITION)

    first, second = made_inputs(proto), made_inputs(proto)

    assert {name: value.shape for name, value in first.items()} == {"x": (2,), "z": (2,)}
    assert first["x"].dtype == np.float32
    assert np.array_equal(first["x"], second["x"])


def test_inputs_are_read_by_their_names(tmp_path: Path) -> None:
    """A file with a name too many or too few, or of another type, is told with what is right."""
    proto = parser.parse_model(ADDITION)
    file = tmp_path / "inputs.npz"
    one = np.ones(2, np.float32)

    np.savez(file, x=one, z=one)
    found = read_inputs(file, proto)
    np.savez(file, x=one)
    with pytest.raises(ConfigurationError, match="input 'z' is missing"):
        read_inputs(file, proto)
    np.savez(file, x=one, z=one.astype(np.int32))
    with pytest.raises(ConfigurationError, match="'z' is of int32; the model declares float"):
        read_inputs(file, proto)
    np.savez(file, x=one, z=one, other=one)
    with pytest.raises(ConfigurationError, match="no input is called 'other'"):
        read_inputs(file, proto)
    file.write_text("no archive")
    with pytest.raises(ConfigurationError, match=r"not an \.npz"):
        read_inputs(file, proto)

    assert list(found) == ["x", "z"]


def test_a_file_that_is_no_model_is_told(tmp_path: Path) -> None:
    """Text, an empty file and no file at all are no models."""
    file = tmp_path / "model.onnx"

    for content in (b"not a model", b""):
        file.write_bytes(content)
        with pytest.raises(ConfigurationError, match="not an ONNX model"):
            read_model(file)
    with pytest.raises(ConfigurationError, match=r"missing\.onnx"):
        read_model(tmp_path / "missing.onnx")

    onnx.save(parser.parse_model(ADDITION), file)
    assert read_model(file).graph.node[0].op_type == "Add"
