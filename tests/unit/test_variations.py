"""What is changed of a case when all of it is drawn means the same in another form."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import GraphProto

from harness.corpus.generated.reference import reference_answer
from harness.generate import variations
from harness.generate.cases import Generated, descriptions, generated
from harness.generate.description import Kind

SEED = 11
CHAINS = ["chain/conv-add-relu", "chain/reshape-chain", "chain/gelu", "chain/matmul-scale"]


def made(operators: list[str], monkeypatch: pytest.MonkeyPatch, **percents: int) -> list[Generated]:
    """Return cases of operators with the variations made as often as is said."""
    for name in ("VAIN", "DEFAULTS", "ACCOMPANIED"):
        monkeypatch.setattr(variations, name, percents.get(name.lower(), 0))
    return [generated(one) for one in descriptions(operators, SEED, 40)]


def answers(cases: list[Generated]) -> list[list[np.ndarray]]:
    """Return what the reference evaluator answers to those that it is to be believed on."""
    return [
        reference_answer(onnx.load_from_string(one.model), one.inputs)
        for one in cases
        if one.reference_votes
    ]


def same(first: list[list[np.ndarray]], second: list[list[np.ndarray]]) -> bool:
    """Say whether all answers are the same, but for rounding."""
    return all(
        np.allclose(one, other, rtol=1e-3, atol=1e-3, equal_nan=True)
        for answer, another in zip(first, second, strict=True)
        for one, other in zip(answer, another, strict=True)
    )


def graphs(cases: list[Generated]) -> list[GraphProto]:
    """Return the models' graphs."""
    return [onnx.load_from_string(one.model).graph for one in cases]


def test_a_chain_with_a_node_that_changes_nothing_answers_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whichever node it is, and whatever it stands before."""
    plain = made(CHAINS, monkeypatch)

    varied = made(CHAINS, monkeypatch, vain=100)

    longer = [
        len(one.node) > len(other.node)
        for one, other in zip(graphs(varied), graphs(plain), strict=True)
    ]
    assert sum(longer) > len(plain) / 2
    assert same(answers(varied), answers(plain))


def test_a_node_with_company_sees_what_was_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is fed the opposite of what it is to be given."""
    operators = ["Celu", "TopK", "Softmax", "MatMul"]
    plain = made(operators, monkeypatch)

    varied = made(operators, monkeypatch, accompanied=100)

    assert sum(graph.node[0].op_type == "Neg" for graph in graphs(varied)) > len(plain) / 2
    assert same(answers(varied), answers(plain))


def test_what_a_body_reads_has_no_company(monkeypatch: pytest.MonkeyPatch) -> None:
    """The body would be given the opposite of what was drawn."""
    varied = made(["If", "Loop"], monkeypatch, accompanied=100)

    assert all(len(graph.node) == 1 for graph in graphs(varied))


def test_constants_are_the_defaults_of_inputs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing more is to be given, and the answer is the same."""
    plain = made(CHAINS, monkeypatch)

    varied = made(CHAINS, monkeypatch, defaults=100)

    for case, graph in zip(varied, graphs(varied), strict=True):
        assert len(graph.input) == len(case.inputs) + len(graph.initializer)
    assert same(answers(varied), answers(plain))


@pytest.mark.parametrize("operator", ["chain/no-op", "Celu"])
def test_a_varied_case_stays_valid(operator: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the checker refuses of a variation is not made."""
    varied = made([operator], monkeypatch, vain=100, defaults=100, accompanied=100)

    for case in varied:
        if case.kind is Kind.VALID:
            onnx.checker.check_model(case.model, full_check=True)
