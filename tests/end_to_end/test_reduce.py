"""Failures made small on a real build, with a fault that is planted in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper, parser

from harness.cases import Case
from harness.controller.cell import Program
from harness.corpus.packing import Packer
from harness.corpus.reference import Evaluator
from harness.environments.interpreter import cache_root
from harness.environments.sources import Sources
from harness.errors import ConfigurationError
from harness.matrix import read_matrix
from harness.probing import Probes, Subject
from harness.reducing.brought import Brought, case_of
from harness.reducing.references import ReferenceEvaluator
from harness.reducing.reproducer import Kind
from harness.reducing.smallest import reduce_from
from harness.reducing.start import Bench, started
from harness.reducing.written import kind_of
from harness.sweeping.single import generated_case
from harness.triage.graph_passes.candidate import nodes_within
from harness.triage.graph_passes.examined import Validity
from harness.wire.catalogue.generated import LIKE_UNOPTIMISED
from harness.wire.catalogue.malformed import MALFORMED
from harness.wire.malformed import MalformedCase, Right
from harness.wire.values import DataSet, ModelCase

if TYPE_CHECKING:
    from harness.reducing.smallest import Smallest
    from tests.end_to_end.conftest import Project

ROOT = Path(__file__).parents[2]
MODEL = """<ir_version: 8, opset_import: ["": 17]>
    g (float[n,4] x) => (float[n,4] y, float[n,4] z)
    <float[4] w = {1, 2, 3, 4}> {
        a = Add(x, w)
        b = Exp(a)
        c = Sigmoid(b)
        d = Tanh(c)
        e = Mul(d, b)
        y = Neg(e)
        z = Sqrt(b)
    }"""
LOOP = """<ir_version: 8, opset_import: ["": 17]>
    g (float[2] x) => (float[2] y) <int64 trips = {2}, bool go = {1}> {
        t = Exp(x)
        last, seen = Loop(trips, go, t) <body = one (int64 i, bool c, float[2] v)
            => (bool d, float[2] o, float[2] s) {
            d = Identity(c)
            a = Abs(v)
            b = Sigmoid(a)
            e = Tanh(b)
            o = Add(e, t)
            s = Neg(e)
        }>
        y = Mul(last, t)
    }"""
AMBIGUOUS = """<ir_version: 8, opset_import: ["": 17]>
    g (float[3] x) => (float[3] y) { a = Abs(x) b = Add(a, w) y = Neg(b) }"""
TWICE = ("twice", "Sigmoid>Tanh")
UNSET = "add-wrong-the-second-time"
DIVISION = """<ir_version: 8, opset_import: ["": 17]>
    g (int32[n] x, int32[n] z) => (int32[n] y) { a = Add(x, x) b = Sub(a, x) y = Div(b, z) }"""


def reduced(how: str, chain: str, folder: Path, seconds: float = 60, text: str = MODEL) -> Smallest:
    """Return what a model becomes on a build that gets a chain of operators wrong."""
    file = folder / "mine.onnx"
    onnx.save(parser.parse_model(text), file)
    matrix, sources = read_matrix(ROOT / "matrix.toml"), Sources(cache=cache_root())
    program = Program(arguments=("-m", "fixtures.defects.patterns", how, chain), folder=ROOT)
    with Probes(matrix, sources, program) as probes, Evaluator() as evaluator:
        bench = Bench(probes=probes, matrix=matrix, evaluator=evaluator, files=folder)
        subject = case_of(Brought(file=file), bench, folder)
        start = started(subject, matrix.cell("cpu"), bench)
        return reduce_from(start, folder, seconds=seconds)


@pytest.mark.parametrize("how", ["twice", "crash", "refuse"])
def test_a_planted_fault_becomes_its_pattern(how: str, tmp_path: Path) -> None:
    """Of six nodes the two of the pattern are left, on one element, failing alike."""
    found = reduced(how, "Sigmoid>Tanh", tmp_path)

    nodes = [node.op_type for node in found.candidate.model.graph.node]
    assert nodes == ["Sigmoid", "Tanh"]
    assert [value.size for value in found.candidate.inputs.values()] == [1]
    assert found.finished


@pytest.mark.parametrize("chain", ["Sigmoid>Tanh", "Loop"])
def test_a_fault_in_a_body_keeps_the_loop_only_where_it_needs_it(
    chain: str, tmp_path: Path
) -> None:
    """A pattern in a Loop's body loses the Loop; a Loop that is itself wrong loses its body."""
    found = reduced("crash", chain, tmp_path, text=LOOP)

    nodes = [node.op_type for node in nodes_within(found.candidate.model)]
    assert nodes[:2] == ["Sigmoid", "Tanh"] if chain != "Loop" else nodes[0] == "Loop"
    assert len(nodes) <= 2
    assert found.candidate.validity is Validity.FULLY_VALID


def test_a_reduction_goes_on_where_it_was(tmp_path: Path) -> None:
    """What was found before the time was over is not looked for again."""
    whole = (
        reduced("twice", "Sigmoid>Tanh", tmp_path / "whole") if made(tmp_path, "whole") else None
    )
    assert whole is not None
    made(tmp_path, "parts")

    first = reduced("twice", "Sigmoid>Tanh", tmp_path / "parts", seconds=0.3)
    second = reduced("twice", "Sigmoid>Tanh", tmp_path / "parts")

    assert second.candidate.data == whole.candidate.data
    assert first.tried <= whole.tried
    assert second.tried < whole.tried


def made(folder: Path, name: str) -> bool:
    """Make a folder in a folder."""
    (folder / name).mkdir()
    return True


def test_a_reference_that_errs_on_the_way_leads_nowhere(project: Project) -> None:
    """Before opset 14 the evaluator takes BatchNormalization for training; the CPU EP does not."""
    asked = ("generated/1:chain/conv-batchnorm:17:31:2", "--cell", "openvino", "--json")

    done = project.ort_matrix("reduce", *asked)

    found = json.loads(done.stdout)
    model = parser.parse_model(found["text"])
    assert "BatchNormalization" in {node.op_type for node in model.graph.node}
    assert model.opset_import[0].version >= 14


def test_what_only_another_answers_otherwise_becomes_its_pattern(tmp_path: Path) -> None:
    """A case that passes, since nobody said what is right, is wrong beside whoever is right."""
    file = tmp_path / "values.bin"
    with file.open("wb") as out:
        packer = Packer(out, file)
        given = DataSet(inputs=(packer.value(np.ones((2, 4), np.float32)),), outputs=None)
        described = ModelCase(
            model=packer.blob(parser.parse_model(MODEL).SerializeToString()),
            in_place=False,
            ir=8,
            opsets={"ai.onnx": 17},
            data=packer.data_file,
            data_sets=(given,),
            rtol=1e-3,
            atol=1e-5,
        )
    case = Case(id="x", procedure=LIKE_UNOPTIMISED, arguments=described.to_json())
    program = Program(arguments=("-m", "fixtures.defects.patterns", *TWICE), folder=ROOT)
    matrix, sources = read_matrix(ROOT / "matrix.toml"), Sources(cache=cache_root())

    with Probes(matrix, sources, program) as probes, Evaluator() as evaluator:
        bench = Bench(probes=probes, matrix=matrix, evaluator=evaluator, files=tmp_path)
        subject, cell = Subject(suite="mine", case=case), matrix.cell("cpu")
        start = started(subject, cell, bench, ReferenceEvaluator(evaluator=evaluator))
        found = reduce_from(start, tmp_path, seconds=60)
        with pytest.raises(ConfigurationError, match="does not fail"):
            started(subject, cell, bench)

    nodes = [node.op_type for node in found.candidate.model.graph.node]
    assert nodes == ["Sigmoid", "Tanh"]


def test_memory_that_is_not_set_stays_so(tmp_path: Path) -> None:
    """A case that has no right answer is reduced as long as its second answer is another one."""
    program = Program(arguments=("-m", "fixtures.defects", UNSET), folder=ROOT)
    matrix, sources = read_matrix(ROOT / "matrix.toml"), Sources(cache=cache_root())
    case = generated_case("generated/1:Add:14:5:2", sources.cache)
    subject = Subject(suite="generated", case=case)

    with Probes(matrix, sources, program) as probes, Evaluator() as evaluator:
        bench = Bench(probes=probes, matrix=matrix, evaluator=evaluator, files=tmp_path)
        start = started(subject, matrix.cell("cpu"), bench)
        found = reduce_from(start, tmp_path, seconds=60)

    assert [node.op_type for node in found.candidate.model.graph.node] == ["Add"]
    assert {value.size for value in found.candidate.inputs.values()} == {1}
    assert start.candidate.size[4] > found.candidate.size[4]
    assert kind_of(found.result) is Kind.UNSET


def test_a_malformed_model_keeps_what_is_wrong_with_it(tmp_path: Path) -> None:
    """Of four nodes the sparse constant is left that gives one element twice."""
    case = MalformedCase(model=ambiguous().SerializeToString(), right=Right.REFUSAL)
    arguments = case.to_json()
    subject = Subject(
        suite="malformed", case=Case(id="malformed/x", procedure=MALFORMED, arguments=arguments)
    )
    matrix, sources = read_matrix(ROOT / "matrix.toml"), Sources(cache=cache_root())

    with Probes(matrix, sources) as probes, Evaluator() as evaluator:
        bench = Bench(probes=probes, matrix=matrix, evaluator=evaluator, files=tmp_path)
        start = started(subject, matrix.cell("cpu"), bench)
        found = reduce_from(start, tmp_path, seconds=60)

    nodes = found.candidate.model.graph.node
    (tensor,) = [one.sparse_tensor for node in nodes for one in node.attribute]
    assert len(nodes) <= 2  # one that makes it, and one for an output
    assert len({*tensor.indices.int64_data}) < len(tensor.indices.int64_data)
    assert found.candidate.complaint == start.candidate.complaint != ""


def ambiguous() -> onnx.ModelProto:
    """Return a model of four nodes with a sparse constant that gives one element twice."""
    model = parser.parse_model(AMBIGUOUS)
    values = numpy_helper.from_array(np.array([1, 2], np.float32), "v")
    indices = onnx.TensorProto(name="i", data_type=onnx.TensorProto.INT64, dims=[2])
    indices.int64_data.extend([1, 1])
    sparse = onnx.SparseTensorProto(values=values, indices=indices, dims=[3])
    constant = helper.make_node("Constant", [], ["w"], sparse_value=sparse)
    nodes = [constant, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("mine/b_wrong", "SHOWS: y[0] is 4, right is -2; 2 of 2 differ"),
        ("malformed/bytes/not-utf8/output-cut-short", "SHOWS: UnicodeDecodeError: "),
        ("malformed/element-type/cast-to/0", "SHOWS: the model is taken"),
    ],
)
def test_what_no_smaller_model_can_show_is_shown_as_it_stands(
    project: Project, corpus: Path, tmp_path: Path, case: str, said: str
) -> None:
    """An answer that nobody agrees with, bytes that are no text, a model that means nothing."""
    asked = ("repro", case, "--cell", "cpu", "--corpus", str(corpus), "--to", str(tmp_path / "to"))

    done = project.ort_matrix(*asked, "--json")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["said"].startswith(said)
    assert case in (tmp_path / "to" / "README.md").read_text()


def test_a_model_that_does_not_fail_is_refused(tmp_path: Path) -> None:
    """There is nothing to reduce where the fault does not show."""
    with pytest.raises(ConfigurationError, match="does not fail"):
        reduced("twice", "Conv>Relu", tmp_path)


def test_a_crash_becomes_a_folder_that_shows_it(project: Project, tmp_path: Path) -> None:
    """`repro --model` reduces a deadly model and writes a program that was seen to show it."""
    model, inputs, to = (tmp_path / name for name in ("mine.onnx", "mine.npz", "shown"))
    onnx.save(parser.parse_model(DIVISION), model)
    smallest = np.array([5, np.iinfo(np.int32).min, 7], np.int32)
    np.savez(inputs, x=smallest, z=np.array([1, -1, 2], np.int32))
    what = ("--model", str(model), "--inputs", str(inputs), "--fails", "crash")

    done = project.ort_matrix("repro", *what, "--cell", "cpu", "--to", str(to), "--json")

    found: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert (found["nodes_before"], found["nodes"]) == (3, 1)
    assert found["said"] == "SHOWS: the process ended with SIGFPE"
    assert sorted(path.name for path in to.iterdir()) == [
        *("README.md", "expected.npz", "inputs.npz", "model.onnx", "repro.py")
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("reduce", "--cell", "cpu"), 2, "CASE is missing"),
        (("reduce", "leaks/inputs-int64", "--cell", "cpu"), 2, "there is no model to reduce"),
        (("reduce", "onnx/node/test_abs", "--cell", "cpu"), 2, "does not fail on cpu"),
        (("reduce", "--model", "nope.onnx", "--cell", "cpu"), 2, "nope.onnx: not an ONNX model"),
        (("reduce", "x/y", "--cell", "cpu", "--fails", "crash"), 2, "--model FILE, not of CASE"),
        (("repro", "fallback/own/silent", "--cell", "cpu", "--to", "d"), 2, "does not fail"),
    ],
)
def test_a_mistake_gets_one_line(
    project: Project, arguments: tuple[str, ...], code: int, said: str
) -> None:
    """What cannot be reduced is told in words, without a traceback."""
    done = project.ort_matrix(*arguments)

    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
