"""A folder in the ONNX test-data layout becomes cases; what is wrong in it is told by its path."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from harness.corpus.folder import folder_cases
from harness.errors import ConfigurationError
from harness.wire.values import ModelCase
from harness.worker.models import smallest
from harness.worker.tensors import load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.cases import Case


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Return the folder of a corpus, empty yet."""
    folder = tmp_path / "mine"
    folder.mkdir()
    return folder


@pytest.fixture
def cases(tmp_path: Path, corpus: Path) -> Callable[[], list[Case]]:
    """Return a function that reads the corpus as it then is."""
    return lambda: folder_cases("mine", corpus, rtol=0.5, atol=0.25, cache=tmp_path / "cache")


def vector(*numbers: float) -> bytes:
    """Return the file of a float32 vector."""
    return tensor(np.array(numbers, np.float32))


def tensor(array: Any) -> bytes:
    """Return the file of any tensor."""
    return numpy_helper.from_array(array).SerializeToString()


def put(case: Path, model: bytes | None = None, **files: bytes) -> None:
    """Write a model and its first data set; `input_0` stands for test_data_set_0/input_0.pb."""
    case.mkdir(parents=True, exist_ok=True)
    (case / "model.onnx").write_bytes(smallest.identity() if model is None else model)
    put_set(case, 0, **files)


def put_set(case: Path, number: int, **files: bytes) -> None:
    """Write one data set beside a model."""
    data_set = case / f"test_data_set_{number}"
    data_set.mkdir()
    for name, data in files.items():
        (data_set / f"{name}.pb").write_bytes(data)


def model_of(*inputs: onnx.TypeProto) -> bytes:
    """Return a model with inputs of these types, each also an output."""
    names = [f"x{i}" for i in range(len(inputs))]
    graph = helper.make_graph(
        [helper.make_node("Identity", [name], [f"y{i}"]) for i, name in enumerate(names)],
        "g",
        [helper.make_value_info(name, of) for name, of in zip(names, inputs, strict=True)],
        [helper.make_value_info(f"y{i}", of) for i, of in enumerate(inputs)],
    )
    return bytes(helper.make_model(graph).SerializeToString())


def values_of(case: Case) -> list[tuple[list[Any], list[Any] | None]]:
    """Return the inputs and outputs of each data set of a case."""
    found = ModelCase.from_json(case.arguments)
    return [
        (
            [load(value, found.data) for value in data_set.inputs],
            None if data_set.outputs is None else [load(v, found.data) for v in data_set.outputs],
        )
        for data_set in found.data_sets
    ]


def first_inputs(cases: list[Case]) -> dict[str, list[float]]:
    """Return the first input of the first data set of each case, by the case's id."""
    return {case.id: values_of(case)[0][0][0].tolist() for case in cases}


def test_the_layout_is_read(corpus: Path, cases: Callable[[], list[Case]]) -> None:
    """Models at any depth become cases named by their folder, with inputs and outputs in order."""
    put(corpus / "b" / "deep", input_0=vector(1, 2, 3), output_0=vector(4, 5, 6))
    put(
        corpus / "a", smallest.addition(), input_1=vector(2), input_0=vector(1),
        output_0=vector(3),
    )  # fmt: skip

    found = cases()

    assert [case.id for case in found] == ["mine/a", "mine/b/deep"]
    ((inputs, outputs),) = values_of(found[0])
    assert [array.tolist() for array in inputs] == [[1], [2]]
    assert outputs is not None
    assert [array.tolist() for array in outputs] == [[3]]
    described = ModelCase.from_json(found[1].arguments)
    assert described.model.file == str(corpus / "b" / "deep" / "model.onnx")
    assert described.in_place
    assert (described.rtol, described.atol) == (0.5, 0.25)


def test_a_corpus_may_be_one_case(corpus: Path, cases: Callable[[], list[Case]]) -> None:
    """A model in the folder itself is a case named by the folder."""
    put(corpus, input_0=vector(1, 2, 3))

    (case,) = cases()

    assert case.id == "mine/mine"


def test_without_output_files_nothing_is_known_of_the_answer(
    corpus: Path, cases: Callable[[], list[Case]]
) -> None:
    """A data set without outputs is one to run only."""
    put(corpus / "a", input_0=vector(1, 2, 3))

    (case,) = cases()

    ((inputs, outputs),) = values_of(case)
    assert [array.tolist() for array in inputs] == [[1, 2, 3]]
    assert outputs is None


def test_data_sets_come_in_the_order_of_their_numbers(
    corpus: Path, cases: Callable[[], list[Case]]
) -> None:
    """Number 10 comes after number 2, and archives of data sets beside them are left alone."""
    put(corpus / "a", input_0=vector(0))
    put_set(corpus / "a", 10, input_0=vector(10))
    put_set(corpus / "a", 2, input_0=vector(2))
    (corpus / "a" / "test_data_set_3.tar.gz").write_bytes(b"an archive")
    (corpus / "a" / "test_data_set_4").write_bytes(b"no folder")

    (case,) = cases()

    assert [inputs[0].tolist() for inputs, _ in values_of(case)] == [[0], [2], [10]]


def test_weights_among_the_inputs_are_not_given(
    corpus: Path, cases: Callable[[], list[Case]]
) -> None:
    """An input with an initial value, as old models list their weights, has no file."""
    model = onnx.load_model_from_string(smallest.addition())
    model.graph.initializer.append(numpy_helper.from_array(np.zeros(3, np.float32), "x"))
    put(corpus / "a", model.SerializeToString(), input_0=vector(1, 2, 3))

    (case,) = cases()

    ((inputs, _),) = values_of(case)
    assert len(inputs) == 1


FLOATS = helper.make_tensor_type_proto(TensorProto.FLOAT, [None])
STRINGS = helper.make_tensor_type_proto(TensorProto.STRING, [None])
SEQUENCE = helper.make_sequence_type_proto(FLOATS)
OPTIONAL = helper.make_optional_type_proto(SEQUENCE)
MAP = onnx.TypeProto(map_type=onnx.TypeProto.Map(key_type=TensorProto.STRING, value_type=FLOATS))


GARBAGE = b"\xff\xff garbage"


def sequence_file(*arrays: Any) -> onnx.SequenceProto:
    """Return a sequence of tensors."""
    return numpy_helper.from_list(list(arrays), dtype=onnx.SequenceProto.TENSOR)


def test_values_are_read_as_the_models_types_say(
    corpus: Path, cases: Callable[[], list[Case]]
) -> None:
    """Tensors, strings, sequences, optionals full and empty, and maps look alike in their files."""
    pair = sequence_file(np.array([1], np.float32), np.array([2, 3], np.float32))
    optional = onnx.OptionalProto(elem_type=onnx.OptionalProto.SEQUENCE, sequence_value=pair)
    mapped = onnx.MapProto(
        key_type=TensorProto.STRING,
        string_keys=["ü".encode(), b"b"],
        values=sequence_file(np.float32(0.5), np.float32(2)),
    )
    strings = TensorProto(data_type=TensorProto.STRING, dims=[2], string_data=[b"\xff", b"a\0"])
    put(
        corpus / "a",
        model_of(FLOATS, STRINGS, SEQUENCE, OPTIONAL, OPTIONAL, MAP),
        input_0=vector(7),
        input_1=strings.SerializeToString(),
        input_2=pair.SerializeToString(),
        input_3=optional.SerializeToString(),
        input_4=onnx.OptionalProto().SerializeToString(),
        input_5=mapped.SerializeToString(),
    )

    (case,) = cases()

    ((inputs, _),) = values_of(case)
    assert inputs[0].tolist() == [7]
    assert inputs[1].tolist() == ["\udcff", "a\0"]
    assert [array.tolist() for array in inputs[2]] == [[1], [2, 3]]
    assert [array.tolist() for array in inputs[3]] == [[1], [2, 3]]
    assert inputs[4] is None
    assert inputs[5] == {"ü": 0.5, "b": 2}
    assert type(inputs[5]["b"]) is np.float32


def test_types_that_numpy_lacks_are_read(corpus: Path, cases: Callable[[], list[Case]]) -> None:
    """A bfloat16 file is read like any other."""
    bfloat16 = helper.make_tensor("x", TensorProto.BFLOAT16, [2], [1.5, -2])
    put(corpus / "a", input_0=bfloat16.SerializeToString())

    (case,) = cases()

    ((inputs, _),) = values_of(case)
    assert inputs[0].numbers.tolist() == [1.5, -2]


def test_a_folder_without_a_model_is_told_what_is_wanted(
    corpus: Path, cases: Callable[[], list[Case]]
) -> None:
    """The error names the corpus, the folder and the layout."""
    (corpus / "model.txt").touch()

    with pytest.raises(ConfigurationError) as error:
        cases()

    assert str(error.value) == (
        f"corpus 'mine': {corpus} holds no model.onnx; "
        "wanted: CASE/model.onnx and CASE/test_data_set_0/input_0.pb"
    )


def test_a_model_that_is_none_is_told(corpus: Path, cases: Callable[[], list[Case]]) -> None:
    """The error names the file."""
    put(corpus / "a", b"\xff\xff not a model")

    with pytest.raises(ConfigurationError) as error:
        cases()

    assert str(error.value).startswith(f"{corpus}/a/model.onnx: not an ONNX model: ")


@pytest.mark.parametrize(
    ("of", "data"),
    [
        (FLOATS, GARBAGE),
        (FLOATS, b""),
        (FLOATS, vector(1, 2, 3)[:-1]),
        (FLOATS, TensorProto(data_type=1, dims=[3], raw_data=b"\0\0\0\0").SerializeToString()),
        (FLOATS, TensorProto(data_type=99, dims=[0]).SerializeToString()),
        (STRINGS, TensorProto(data_type=8, dims=[2], string_data=[b"1"]).SerializeToString()),
        (SEQUENCE, GARBAGE),
        (SEQUENCE, b""),
        (OPTIONAL, GARBAGE),
        (MAP, GARBAGE),
        (MAP, b""),
    ],
    ids=lambda value: value.WhichOneof("value") if isinstance(value, onnx.TypeProto) else None,
)
def test_a_corrupt_file_is_told(
    corpus: Path, cases: Callable[[], list[Case]], of: onnx.TypeProto, data: bytes
) -> None:
    """Whatever is wrong in it, the error names the file and what it should hold."""
    put(corpus / "a", model_of(of), input_0=data)

    with pytest.raises(ConfigurationError) as error:
        cases()

    path = corpus / "a" / "test_data_set_0" / "input_0.pb"
    assert str(error.value).startswith(f"{path}: not a {of.WhichOneof('value')}: ")


@pytest.mark.parametrize(
    ("names", "side", "numbers"),
    [
        (["input_1"], "input", [1]),
        (["input_0", "input_2"], "input", [0, 2]),
        (["input_0", "input_1"], "input", [0, 1]),
        (["input_0", "output_0", "output_1"], "output", [0, 1]),
        (["input_0", "output_1"], "output", [1]),
    ],
)
def test_files_that_do_not_fit_the_model_are_told(
    corpus: Path,
    cases: Callable[[], list[Case]],
    names: list[str],
    side: str,
    numbers: list[int],
) -> None:
    """A gap in the numbers, or more files than the model has slots, is an error with both."""
    put(corpus / "a", **dict.fromkeys(names, vector(1, 2, 3)))

    with pytest.raises(ConfigurationError) as error:
        cases()

    assert str(error.value) == (
        f"{corpus}/a/test_data_set_0: {side} files are numbered {numbers}, "
        f"the model has 1 {side}s, numbered from 0"
    )


def test_an_error_is_told_again_the_next_time(
    corpus: Path, cases: Callable[[], list[Case]]
) -> None:
    """A corpus that failed leaves no pack behind that would hide it."""
    put(corpus / "good", input_0=vector(1, 2, 3))
    put(corpus / "z", input_0=b"\xff")

    for _ in range(2):
        with pytest.raises(ConfigurationError, match=r"input_0\.pb"):
            cases()

    assert corpus.is_dir()


def test_changes_in_the_folder_are_noticed(corpus: Path, cases: Callable[[], list[Case]]) -> None:
    """A new case, a changed file and a removed case each show the next time."""
    put(corpus / "a", input_0=vector(1, 2, 3))
    seen = [first_inputs(cases())]

    put(corpus / "b", input_0=vector(4))
    seen.append(first_inputs(cases()))
    (corpus / "a" / "test_data_set_0" / "input_0.pb").write_bytes(vector(9, 2, 3, 4))
    seen.append(first_inputs(cases()))
    (corpus / "a" / "model.onnx").unlink()
    seen.append(first_inputs(cases()))

    assert seen == [
        {"mine/a": [1, 2, 3]},
        {"mine/a": [1, 2, 3], "mine/b": [4]},
        {"mine/a": [9, 2, 3, 4], "mine/b": [4]},
        {"mine/b": [4]},
    ]


def test_a_change_that_keeps_the_size_is_noticed(
    corpus: Path, cases: Callable[[], list[Case]]
) -> None:
    """A file written anew is read anew, though it is as long as before."""
    put(corpus / "a", input_0=vector(1, 2, 3))
    path = corpus / "a" / "test_data_set_0" / "input_0.pb"
    seen = [first_inputs(cases())]

    path.write_bytes(vector(4, 5, 6))
    os.utime(path, ns=(0, 1))  # a file system may count time in coarse steps
    seen.append(first_inputs(cases()))

    assert seen == [{"mine/a": [1, 2, 3]}, {"mine/a": [4, 5, 6]}]


def test_other_tolerances_are_another_pack(corpus: Path, tmp_path: Path) -> None:
    """A tolerance changed in the matrix is not overlooked."""
    put(corpus / "a", input_0=vector(1, 2, 3))

    found = [
        folder_cases("mine", corpus, rtol=rtol, atol=0, cache=tmp_path / "cache")[0]
        for rtol in (0.5, 0.25)
    ]

    assert [ModelCase.from_json(case.arguments).rtol for case in found] == [0.5, 0.25]
