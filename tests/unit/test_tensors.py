"""A worker reads every ONNX value as it was packed, and every code of every packed type."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

import ml_dtypes
import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from harness.corpus.packing import Packer
from harness.wire.values import Blob, ElementType
from harness.worker.tensors import (
    NUMPY_TYPES,
    PackedTensor,
    element_type,
    load,
    packed_size,
    read_blob,
)

if TYPE_CHECKING:
    from pathlib import Path

ML_DTYPES: dict[ElementType, Any] = {
    ElementType.BFLOAT16: ml_dtypes.bfloat16,
    ElementType.FLOAT8E4M3FN: ml_dtypes.float8_e4m3fn,
    ElementType.FLOAT8E4M3FNUZ: ml_dtypes.float8_e4m3fnuz,
    ElementType.FLOAT8E5M2: ml_dtypes.float8_e5m2,
    ElementType.FLOAT8E5M2FNUZ: ml_dtypes.float8_e5m2fnuz,
    ElementType.FLOAT8E8M0: ml_dtypes.float8_e8m0fnu,
    ElementType.FLOAT6E2M3: ml_dtypes.float6_e2m3fn,
    ElementType.FLOAT6E3M2: ml_dtypes.float6_e3m2fn,
    ElementType.FLOAT4E2M1: ml_dtypes.float4_e2m1fn,
    ElementType.INT4: ml_dtypes.int4,
    ElementType.UINT4: ml_dtypes.uint4,
    ElementType.INT2: ml_dtypes.int2,
    ElementType.UINT2: ml_dtypes.uint2,
}
NAMES = attrgetter("name")


def every_code(of: ElementType) -> Any:
    """Return an ml_dtypes array with every code of a type, in order."""
    storage = np.uint16 if of.bits == 16 else np.uint8
    return np.arange(2**of.bits).astype(storage).view(ML_DTYPES[of])


def written_and_read(value: Any, folder: Path) -> Any:
    """Return what `load` makes of what `Packer` wrote."""
    data_file = folder / "data.bin"
    with data_file.open("wb") as out:
        packer = Packer(out, data_file)
        packer.blob(b"so that the value does not stand at the beginning")
        description = packer.value(value)
    return load(description, str(data_file))


def test_each_type_is_numpys_or_packed() -> None:
    """Every ONNX element type is either one of numpy's or travels as ml_dtypes knows it."""
    known = set(NUMPY_TYPES) | set(ML_DTYPES)

    missing = set(ElementType) - known

    assert not missing


def test_each_type_is_numbered_as_onnx_numbers_it() -> None:
    """The numbers of the element types are those of TensorProto.DataType, all but UNDEFINED."""
    theirs = dict(onnx.TensorProto.DataType.items())

    ours = {of.name: of.value for of in ElementType}

    assert ours == {name: number for name, number in theirs.items() if name != "UNDEFINED"}


@pytest.mark.parametrize("of", ML_DTYPES, ids=NAMES)
def test_every_code_has_the_value_that_ml_dtypes_gives_it(of: ElementType, tmp_path: Path) -> None:
    """Values, signs of zero, infinities and NaN are those of ml_dtypes, code by code."""
    codes = every_code(of)

    read = written_and_read(codes, tmp_path)

    with np.errstate(invalid="ignore"):  # a signalling NaN
        want = codes.astype(np.float64)
    assert read.element_type is of
    assert read.numbers.dtype == np.float64
    assert np.array_equal(read.numbers, want, equal_nan=True)
    number = ~np.isnan(want)
    assert np.array_equal(np.signbit(read.numbers[number]), np.signbit(want[number]))


@pytest.mark.parametrize(
    ("of", "data", "numbers"),
    [
        (ElementType.UINT4, b"\x21\x03", [1, 2, 3]),
        (ElementType.INT4, b"\xf1\x08", [1, -1, -8]),
        (ElementType.UINT2, b"\xe4\x01", [0, 1, 2, 3, 1]),
        (ElementType.INT2, b"\xe4\x01", [0, 1, -2, -1, 1]),
        (ElementType.FLOAT4E2M1, b"\x72\x0a", [1, 6, -1]),
        (ElementType.BFLOAT16, b"\x80\x3f\x00\xc0", [1, -2]),
    ],
)
def test_low_bits_come_first(of: ElementType, data: bytes, numbers: list[int]) -> None:
    """Within a byte the lowest bits are the first element; what is left over at the end is not."""
    tensor = PackedTensor(element_type=of, shape=(len(numbers),), data=data)

    read = tensor.numbers

    assert read.tolist() == numbers


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 8, 9])
@pytest.mark.parametrize("of", ML_DTYPES, ids=NAMES)
def test_a_packed_tensor_takes_as_many_bytes_as_onnx_writes(
    of: ElementType, count: int, tmp_path: Path
) -> None:
    """The size in memory is that of raw_data, for any number of elements."""
    array = every_code(of)[np.arange(count) % 2**of.bits]

    read = written_and_read(array, tmp_path)

    assert len(read.data) == packed_size(of, (count,))
    assert np.array_equal(read.numbers, array.astype(np.float64), equal_nan=True)


@pytest.mark.parametrize("shape", [(), (0,), (2, 0, 3), (1,), (3, 2)])
@pytest.mark.parametrize("of", ElementType, ids=NAMES)
def test_a_tensor_of_any_type_and_shape_is_read_as_written(
    of: ElementType, shape: tuple[int, ...], tmp_path: Path
) -> None:
    """A TensorProto comes back with its type, its shape and its elements: scalars, empty ones."""
    count = int(np.prod(shape))
    if of is ElementType.STRING:
        array = np.array([f"{i} Grüße" for i in range(count)], dtype=object).reshape(shape)
    else:
        array = np.arange(count).astype(helper.tensor_dtype_to_np_dtype(of)).reshape(shape)

    read = written_and_read(numpy_helper.from_array(array), tmp_path)

    if of in NUMPY_TYPES:
        assert read.dtype == NUMPY_TYPES[of]
        assert read.shape == shape
        assert read.tolist() == array.tolist()
    else:
        assert (read.element_type, read.shape) == (of, shape)
        assert np.array_equal(read.numbers, array.astype(np.float64), equal_nan=True)


def test_a_tensor_that_was_read_may_be_written_to(tmp_path: Path) -> None:
    """An array belongs to its reader, and the file stays as it is."""
    first = written_and_read(np.array([1, 2], np.int32), tmp_path)

    first[0] = 9

    assert first.tolist() == [9, 2]


def test_strings_keep_what_is_not_ascii_nor_utf8(tmp_path: Path) -> None:
    """Bytes that are not UTF-8, NULs, line ends and astral characters come back."""
    given = [b"Gr\xc3\xbc\xc3\x9fe", b"\xff\xfe", b"", b"a\0b\0", b"\n\r\t", "🦊".encode()]
    tensor = onnx.TensorProto(
        data_type=onnx.TensorProto.STRING, dims=[2, 3], string_data=iter(given)
    )

    read = written_and_read(tensor, tmp_path)

    assert read.shape == (2, 3)
    assert [text.encode(errors="surrogateescape") for text in read.ravel()] == given


def test_numpys_own_string_arrays_become_strings(tmp_path: Path) -> None:
    """Arrays of fixed-width characters and of bytes are read as objects, as ORT takes them."""
    value = [np.array(["ab", "ü"]), np.array([b"ab", b"\xc3\xbc"])]

    read = written_and_read(value, tmp_path)

    assert [array.dtype for array in read] == [np.dtype(object)] * 2
    assert [array.tolist() for array in read] == [["ab", "ü"]] * 2


def test_sequences_nest(tmp_path: Path) -> None:
    """A sequence is a list, also of sequences and of nothing."""
    value = [np.array([1.5], np.float32), [np.array(2, np.int64)], []]

    read = written_and_read(value, tmp_path)

    assert [read[0].tolist(), [read[1][0].tolist()], read[2]] == [[1.5], [2], []]


def test_an_empty_optional_is_none(tmp_path: Path) -> None:
    """What is not there is read as None."""
    value = None

    read = written_and_read(value, tmp_path)

    assert read is None


def test_a_full_optional_is_its_value(tmp_path: Path) -> None:
    """What is there is read as itself."""
    data_file = tmp_path / "data.bin"
    with data_file.open("wb") as out:
        inside = Packer(out, data_file).value(np.array([7], np.int8))

    read = load({"optional": inside}, str(data_file))

    assert read.tolist() == [7]


@pytest.mark.parametrize(
    "value",
    [
        {"a": np.float32(1.5), "b\0": np.float32(2)},
        {3: 1, -1: 2},
        {1: "one", 2: "zwölf"},
        {},
    ],
)
def test_a_map_is_a_dict(value: dict[Any, Any], tmp_path: Path) -> None:
    """Keys and values come back, numbers of the width that they had."""
    given = value

    read = written_and_read(given, tmp_path)

    assert read == given
    assert [type(v) for v in read.values() if isinstance(v, np.float32)] == [
        type(v) for v in given.values() if isinstance(v, np.float32)
    ]


def test_a_map_of_tensors_of_several_shapes_is_a_dict_of_arrays(tmp_path: Path) -> None:
    """What does not fit into one array is kept one by one."""
    given = {1: np.array([1, 2]), 2: np.array([[3]])}

    read = written_and_read(given, tmp_path)

    assert {key: array.tolist() for key, array in read.items()} == {1: [1, 2], 2: [[3]]}


def test_no_such_description_is_an_error(tmp_path: Path) -> None:
    """What describes no value is named."""
    description = {"tensor": "float"}

    with pytest.raises(ValueError, match="no such value description") as error:
        load(description, str(tmp_path))

    assert str(description) in str(error.value)


@pytest.mark.parametrize(
    ("spelling", "found"),
    [
        *((f"tensor({of.ort_name})", of) for of in ElementType),
        ("seq(tensor(int64))", ElementType.INT64),
        ("seq(seq(tensor(string)))", ElementType.STRING),
        ("optional(tensor(float16))", ElementType.FLOAT16),
        ("optional(seq(tensor(double)))", ElementType.DOUBLE),
        ("map(int64,tensor(float))", ElementType.FLOAT),
        ("seq(map(string,tensor(double)))", ElementType.DOUBLE),
        ("sparse_tensor(float)", ElementType.FLOAT),
        ("tensor(undefined)", None),
        ("tensor()", None),
        ("opaque(domain,name)", None),
        ("", None),
    ],
)
def test_ort_types_are_read_to_the_bottom(spelling: str, found: ElementType | None) -> None:
    """The element type of any of ORT's spellings is found; what cannot be named is None."""
    given = spelling

    named = element_type(given)

    assert named is found


def test_a_blob_is_part_of_its_file(tmp_path: Path) -> None:
    """A blob with a size is that much, one without goes to the end of the file."""
    file = tmp_path / "file"
    file.write_bytes(b"0123456789")
    part, rest = Blob(file=str(file), offset=2, size=3), Blob(file=str(file), offset=7)

    read = read_blob(part), read_blob(rest)

    assert read == (b"234", b"789")


def test_an_empty_file_holds_empty_values(tmp_path: Path) -> None:
    """A data file without a byte, which cannot be mapped, is read as well."""
    data_file = tmp_path / "data.bin"
    data_file.touch()

    read = load({"tensor": "float", "shape": [0, 3], "at": [0, 0]}, str(data_file))

    assert read.shape == (0, 3)
