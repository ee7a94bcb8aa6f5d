"""A mutated model is a description: plain JSON, made into bytes, asked, told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import onnx
import pytest

from harness.cases import Worker
from harness.corpus.malformed.mutating import BASES, base, bytewise, paths, structured
from harness.properties.mutations import mutation_cases
from harness.properties.search import Search
from harness.results import Observed
from harness.wire.malformed import MalformedCase
from harness.wire.messages import Evidence
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from harness.wire.catalogue.procedures import Procedure


@pytest.mark.parametrize("name", BASES)
def test_a_model_is_valid_before_it_is_edited(name: str) -> None:
    """What a search finds is of the edits, not of the model."""
    model = onnx.load_model_from_string(base(name))

    onnx.checker.check_model(model, full_check=True)

    assert structured(name, []) == bytewise(name, []) == base(name)


@pytest.mark.parametrize(
    ("edit", "op_types"),
    [
        ({"do": "remove", "path": "graph.node[1]"}, ["Add", "Reshape", "Transpose", "Clip"]),
        ({"do": "set", "path": "graph.node[0].op_type", "value": "x"}, ["x", "Mul", "Reshape"]),
        ({"do": "swap", "path": "graph.node[1]"}, ["Mul", "Add", "Reshape"]),
        ({"do": "double", "path": "graph.node[0]"}, ["Add", "Mul", "Reshape"]),
        (
            {"do": "copy", "path": "graph.node[0]", "from": "graph.node[2]"},
            ["Reshape", "Mul", "Reshape"],
        ),
    ],
)
def test_an_edit_changes_one_field(edit: dict[str, Any], op_types: list[str]) -> None:
    """Each kind of edit does what it is called."""
    model = onnx.ModelProto.FromString(structured("arithmetic", [edit]))

    found = [node.op_type for node in model.graph.node]

    assert found[: len(op_types)] == op_types
    assert len(found) == 5 + {"remove": -1, "double": 1}.get(edit["do"], 0)


def test_an_edit_that_no_longer_fits_does_nothing() -> None:
    """So that a search may leave out any of the edits before it."""
    edits: list[dict[str, Any]] = [
        {"do": "remove", "path": "graph.node[9]"},
        {"do": "set", "path": "graph.name", "value": 7},
        {"do": "copy", "path": "graph.node[0].op_type", "from": "graph.nothing"},
        {"do": "double", "path": "ir_version"},
    ]

    made = structured("arithmetic", edits)

    assert made == base("arithmetic")


def test_places_among_bytes_wrap_around() -> None:
    """Any number is a place in any model."""
    size = len(base("loop"))

    made = bytewise("loop", [{"do": "insert", "at": 3 * (size + 1) + 2, "bytes": "ff"}])

    assert made == base("loop")[:2] + b"\xff" + base("loop")[2:]


def test_paths_name_every_field() -> None:
    """Fields of fields too, by index where there are several."""
    found = paths("branches")

    assert {"graph.node[0].attribute[1].g.node[0].input[0]", "opset_import[0].version"} <= {*found}


@pytest.mark.parametrize("case", mutation_cases(Search()), ids=lambda case: case.id)
def test_a_failure_is_told_as_it_was_drawn(case: Any) -> None:
    """The build is asked with the model's bytes, a person is told the name and the edits."""
    asked: list[MalformedCase] = []

    def ask(
        procedure: Procedure, arguments: dict[str, Any], worker: Worker = Worker.ANY
    ) -> Observed:
        del procedure, worker
        asked.append(MalformedCase.from_json(json.loads(json.dumps(arguments))))
        is_known = asked[-1].model in [base(name) for name in BASES]
        outcome = Outcome.PASS if is_known else Outcome.CRASH
        return Observed(outcome=outcome, evidence=Evidence(), duration_s=0.0)

    observed = case.carried_out(ask)

    example = observed.evidence.example
    assert observed.outcome is Outcome.CRASH
    assert example is not None
    assert json.loads(json.dumps(example)) == example
    assert len(example["edits"]) == 1
    assert case.mutated(example["base"], example["edits"]) == asked[-1].model
