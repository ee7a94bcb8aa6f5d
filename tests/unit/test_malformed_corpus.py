"""The malformed models are many, distinct, made once, and each has the fault that it says."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import onnx
import pytest

from harness.corpus.malformed import KINDS, malformed_cases
from harness.corpus.malformed import valid_models as models
from harness.corpus.malformed.edits import at, edited, field, put, varint
from harness.corpus.malformed.nesting import Layer, wrapped
from harness.corpus.malformed.raw_bytes import spans_of
from harness.wire.malformed import MalformedCase, Right
from harness.worker.tensors import read_blob

if TYPE_CHECKING:
    from pathlib import Path

    from harness.cases import Case


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> list[Case]:
    """Return the suite's structured cases, packed into a new cache."""
    return malformed_cases(tmp_path_factory.mktemp("cache"))


def test_there_are_enough_and_no_two_are_called_alike(cases: list[Case]) -> None:
    """The bar of the suite is 1,500 distinct ones."""
    ids = Counter(case.id for case in cases)

    repeated = [name for name, count in ids.items() if count > 1]

    assert len(ids) >= 1500
    assert not repeated


def test_no_two_are_the_same_model_with_the_same_answer(cases: list[Case]) -> None:
    """A table that repeats a model under another name would only look like more."""
    seen: dict[tuple[bytes, str, str], str] = {}
    alike = []
    for case in cases:
        described = MalformedCase.from_json(case.arguments)
        assert not isinstance(described.model, bytes)
        key = (read_blob(described.model), str(described.beside), str(described.declares))
        if key in seen:
            alike.append((seen[key], case.id))
        seen[key] = case.id

    assert len(seen) >= 1500
    assert len(alike) <= len(cases) // 20, alike


def test_a_pack_is_read_back_as_it_was_made(cases: list[Case], tmp_path: Path) -> None:
    """A second cache holds the same cases: nothing in them depends on the moment."""
    again = malformed_cases(tmp_path)

    same = [(case.id, case.arguments["right"]) for case in again]

    assert same == [(case.id, case.arguments["right"]) for case in cases]


def test_what_has_to_be_accepted_is_valid(cases: list[Case]) -> None:
    """ONNX's own checker finds no fault in a model that a build may not refuse."""
    demanded = [case for case in cases if case.arguments["right"] == Right.ACCEPTANCE]
    refused = []
    for case in demanded:
        described = MalformedCase.from_json(case.arguments)
        assert not isinstance(described.model, bytes)
        try:
            onnx.checker.check_model(onnx.load_model_from_string(read_blob(described.model)))
        except onnx.checker.ValidationError as error:
            if described.beside is None:  # the checker looks for files where there are none
                refused.append(f"{case.id}: {error}")

    assert demanded
    assert not refused


def test_every_kind_is_made() -> None:
    """No table is empty."""
    counts = [len(list(kind())) for kind in KINDS]

    assert min(counts) > 40


def test_a_field_is_set_by_its_path() -> None:
    """Also an item of a list of numbers."""
    model = models.INITIALIZER.model()

    put(model, "graph.initializer[0].dims[0]", 4)
    put(model, "graph.output[0].type.tensor_type.elem_type", 7)

    assert at(model, "graph.initializer[0]").dims == [4]
    assert model.graph.output[0].type.tensor_type.elem_type == 7


def test_a_number_wider_than_its_field_is_written_as_it_is() -> None:
    """A parser that keeps 32 bits of it reads another number."""
    wide = edited(models.INITIALIZER.model(), 2**32 + 1, "graph.initializer[0].data_type")

    read = onnx.load_model_from_string(wide)

    assert varint(2**32 + 1) in wide
    assert read.graph.initializer[0].data_type == 1


def test_layers_are_wrapped_as_one_by_one() -> None:
    """The lengths are those of the bytes within."""
    layers = [Layer(holds=3, before=b"a", after=b"bc"), Layer(holds=7), Layer(holds=1, before=b"d")]

    found = wrapped(b"core", layers)

    assert found == b"d" + field(1, field(7, b"a" + field(3, b"core") + b"bc"))


def test_the_spans_of_a_model_cover_it() -> None:
    """The outermost fields stand in a row from the first byte to the last."""
    data = models.FUNCTION.serialized

    outermost = [span for span in spans_of(data) if "." not in span.path]

    assert [span.tag for span in outermost] == [0, *(span.end for span in outermost[:-1])]
    assert outermost[-1].end == len(data)
