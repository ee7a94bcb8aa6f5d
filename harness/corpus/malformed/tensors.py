"""Tensors of a model whose data, dimensions and type do not go together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from onnx import TensorProto, numpy_helper

from harness.corpus.malformed import valid_models as models
from harness.corpus.malformed.edits import at
from harness.corpus.malformed.faults import Malformed
from harness.corpus.malformed.valid_models import X, valid
from harness.wire.malformed import Right
from harness.wire.values import ElementType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from onnx import SparseTensorProto

    Edit = Callable[[TensorProto], object]
    SparseEdit = Callable[[SparseTensorProto], object]

CONTRADICTS = "data, dimensions and type contradict each other"
SAYS_IT_TWICE = "the tensor is what it was: what is beside it says the same, or nothing"

FIELDS = ("float_data", "int32_data", "int64_data", "double_data", "uint64_data", "string_data")
FIELD_OF = {
    **dict.fromkeys(ElementType, "int32_data"),
    ElementType.FLOAT: "float_data",
    ElementType.COMPLEX64: "float_data",
    ElementType.DOUBLE: "double_data",
    ElementType.COMPLEX128: "double_data",
    ElementType.INT64: "int64_data",
    ElementType.UINT32: "uint64_data",
    ElementType.UINT64: "uint64_data",
    ElementType.STRING: "string_data",
}
"""Source: https://onnx.ai/onnx/api/classes.html (TensorProto)."""

ODD = 0x1234567890ABCDEF
WRAPS_TO_3 = [ODD // 2 | 1, 3 * pow(ODD // 2 | 1, -1, 2**64) % 2**64]
"""Two dimensions whose product is 3 in 64 bits."""

PLACES = {
    "initializer": (models.TYPED_INITIALIZER, "graph.initializer[0]"),
    "constant": (models.CONSTANT, "graph.node[0].attribute[0].t"),
    "if-initializer": (models.IF, "graph.node[0].attribute[1].g.initializer[0]"),
    "loop-initializer": (models.LOOP, "graph.node[0].attribute[0].g.initializer[0]"),
    "function-constant": (models.FUNCTION, "functions[0].node[0].attribute[0].t"),
}
"""A float tensor of three elements; the model, and where it stands."""


def _raw(data: bytes) -> Edit:
    def edit(tensor: TensorProto) -> None:
        tensor.ClearField("float_data")
        tensor.raw_data = data

    return edit


def _typed(field: str, values: list[float] | list[int] | list[bytes]) -> Edit:
    def edit(tensor: TensorProto) -> None:
        tensor.ClearField("float_data")
        getattr(tensor, field).extend(values)

    return edit


def _dims(*dims: int, raw: bytes | None = None) -> Edit:
    def edit(tensor: TensorProto) -> None:
        if raw is not None:
            _raw(raw)(tensor)
        tensor.dims[:] = dims

    return edit


def _with(**fields: int | bytes | str) -> Edit:
    def edit(tensor: TensorProto) -> None:
        for name, value in fields.items():
            setattr(tensor, name, value)

    return edit


def _as_raw(tensor: TensorProto) -> bytes:
    return np.array(tensor.float_data, np.float32).tobytes()


TWELVE = X.tobytes()

NO_MEANING: dict[str, Edit] = {
    "raw-empty": _raw(b""),
    **{f"raw-{n}-bytes": _raw(bytes(n)) for n in (1, 4, 8, 11, 13, 16, 24, 1024)},
    "no-data": lambda tensor: tensor.ClearField("float_data"),
    "typed-too-few": _typed("float_data", [1.0, 2.0]),
    "typed-too-many": _typed("float_data", [1.0, 2.0, 3.0, 4.0]),
    "in-int32-data": _typed("int32_data", [1, 2, 3]),
    "in-int64-data": _typed("int64_data", [1, 2, 3]),
    "in-uint64-data": _typed("uint64_data", [1, 2, 3]),
    "in-double-data": _typed("double_data", [1.0, 2.0, 3.0]),
    "in-string-data": _typed("string_data", [b"1", b"2", b"3"]),
    "external-without-location": _with(data_location=TensorProto.EXTERNAL),
    "dims-none": _dims(),
    "dims-0": _dims(0),
    "dims-0-raw": _dims(0, raw=TWELVE),
    "dims-3-0": _dims(3, 0),
    "dims-2": _dims(2),
    "dims-4": _dims(4),
    **{
        f"dims{'-raw' if raw else ''}-{'x'.join(map(str, dims))}": _dims(*dims, raw=raw)
        for raw in (None, TWELVE)
        for dims in (
            (-1,),
            (-3,),
            (-1, -3),
            (3, -1),
            (-(2**63),),
            (2**28,),
            (2**40,),
            (2**62,),
            (2**63 - 1,),
            (2**32, 2**32),
            (2**62, 4),
            (3, 2**62, 4),
            (2**31, 2**31, 2**31),
        )
    },
    "dims-empty-raw-product-wraps-to-0": _dims(2**32, 2**32, raw=b""),
    "dims-product-wraps-to-3": _dims(*[d if d < 2**63 else d - 2**64 for d in WRAPS_TO_3]),
    "dims-raw-product-wraps-to-3": _dims(
        *[d if d < 2**63 else d - 2**64 for d in WRAPS_TO_3], raw=TWELVE
    ),
    "dims-bytes-wrap-to-12": _dims(2**62 + 3, raw=TWELVE),
    "dims-bytes-wrap-to-0": _dims(2**62, raw=b""),
    "dims-zero-and-huge": _dims(0, 2**62, 2**62, raw=b""),
    "string-with-raw": lambda tensor: (_raw(TWELVE)(tensor), _with(data_type=8)(tensor)),
    "string-with-floats": _with(data_type=8),
}
"""Edits after which the tensor is none, or contradicts the float[3] that is declared of it."""

HARMLESS: dict[str, Edit] = {
    "raw-and-typed": lambda tensor: _with(raw_data=_as_raw(tensor))(tensor),
    # ONNX's own reader takes the raw bytes of the two:
    # https://github.com/onnx/onnx/blob/main/onnx/numpy_helper.py (to_array)
    "raw-and-other-typed": lambda tensor: (
        _with(raw_data=_as_raw(tensor))(tensor),
        _typed("float_data", [7.0, 8.0, 9.0])(tensor),
    ),
    "segment": lambda tensor: tensor.segment.MergeFrom(TensorProto.Segment(end=1)),
    "segment-negative": lambda tensor: tensor.segment.MergeFrom(
        TensorProto.Segment(begin=-(2**63))
    ),
    "external-data-but-default-location": lambda tensor: tensor.external_data.add(
        key="location", value="nowhere"
    ),
    "name-empty": _with(name=""),
    "doc-string-long": _with(doc_string="x" * 100_000),
}
"""Edits after which the tensor may be taken for what it was, or be refused."""


def tensors() -> Iterator[Malformed]:
    """Return every fault of a tensor, at every place of one."""
    for place in PLACES:
        for name, edit in NO_MEANING.items():
            yield _edited(place, name, edit, Right.REFUSAL, CONTRADICTS)
        for name, edit in HARMLESS.items():
            yield _edited(place, name, edit, Right.EITHER, SAYS_IT_TWICE)
    yield from _of_every_type()
    yield from _sparse()
    yield from _codes()


def _edited(place: str, name: str, edit: Edit, right: Right, meaning: str) -> Malformed:
    source, path = PLACES[place]
    model = source.model()
    edit(at(model, path))
    keeps = right is Right.EITHER
    return Malformed(
        id=f"tensor/{place}/{name}",
        model=model.SerializeToString(),
        right=right,
        meaning=meaning,
        inputs=source.inputs,
        outputs=source.outputs if keeps else None,
    )


def _of_every_type() -> Iterator[Malformed]:
    """Return raw data of a byte too few or too many, and data in another field, for each type."""
    for of in ElementType:
        right_size = (3 * of.bits + 7) // 8
        faults: dict[str, Edit] = {
            f"in-{name}": _filled(name) for name in FIELDS if name != FIELD_OF[of]
        }
        if of is not ElementType.STRING:
            faults["raw-too-short"] = _raw(bytes(right_size - 1))
            faults["raw-too-long"] = _raw(bytes(right_size + 1))
        for name, edit in faults.items():
            tensor = TensorProto(name="w", data_type=of, dims=[3])
            edit(tensor)
            model = valid("g () => (float[3] y) { y = Identity(w) }", (), None).model()
            model.opset_import[0].version = 21
            model.ir_version = 10
            model.graph.initializer.append(tensor)
            model.graph.output[0].type.tensor_type.elem_type = of
            yield Malformed(
                id=f"tensor/{of.ort_name}/{name}",
                model=model.SerializeToString(),
                right=Right.REFUSAL,
                meaning=CONTRADICTS,
            )


def _filled(field: str) -> Edit:
    return _typed(field, [b"1", b"2", b"3"] if field == "string_data" else [1, 2, 3])


def _indices(*values: int, dims: tuple[int, ...] = (3,)) -> SparseEdit:
    def edit(sparse: SparseTensorProto) -> None:
        tensor = numpy_helper.from_array(np.array(values, np.int64), sparse.indices.name)
        tensor.dims[:] = dims
        sparse.indices.CopyFrom(tensor)

    return edit


def _sparse_dims(*dims: int) -> SparseEdit:
    return lambda sparse: sparse.dims.__setitem__(slice(None), dims)


SPARSE: dict[str, SparseEdit] = {
    **{f"index-{bad}": _indices(0, 1, bad) for bad in (3, 4, 100, -1, -3, 2**31, 2**62, -(2**63))},
    "indices-all-beyond": _indices(2**20, 2**20 + 1, 2**20 + 2),
    "indices-too-few": _indices(0, 1, dims=(2,)),
    "indices-too-many": _indices(0, 1, 2, 2, dims=(4,)),
    "indices-repeated": _indices(0, 1, 1),
    "indices-rank-2-too-wide": _indices(0, 0, 1, 0, 2, 0, dims=(3, 2)),
    "indices-rank-3": _indices(0, 1, 2, dims=(3, 1, 1)),
    "indices-rank-0": _indices(0, dims=()),
    "indices-missing": lambda sparse: sparse.ClearField("indices"),
    "indices-raw-short": lambda sparse: setattr(sparse.indices, "raw_data", bytes(23)),
    "indices-dims-negative": lambda sparse: sparse.indices.dims.__setitem__(0, -3),
    "indices-dims-huge": lambda sparse: sparse.indices.dims.__setitem__(0, 2**61 + 3),
    "values-missing": lambda sparse: sparse.ClearField("values"),
    "values-too-few": lambda sparse: sparse.values.dims.__setitem__(0, 2),
    "values-raw-short": lambda sparse: setattr(sparse.values, "raw_data", bytes(11)),
    "values-dims-negative": lambda sparse: sparse.values.dims.__setitem__(0, -3),
    "values-dims-huge": lambda sparse: sparse.values.dims.__setitem__(0, 2**62 + 3),
    "values-rank-2": lambda sparse: sparse.values.dims.append(1),
    "dims-none": _sparse_dims(),
    "dims-0": _sparse_dims(0),
    "dims-2": _sparse_dims(2),
    "dims-negative": _sparse_dims(-3),
    "dims-two-negative": _sparse_dims(-1, -3),
    "dims-smallest": _sparse_dims(-(2**63)),
    "dims-huge": _sparse_dims(2**62),
    "dims-bytes-wrap": _sparse_dims(2**62 + 3),
    "dims-product-wraps": _sparse_dims(2**32, 2**32),
    "dims-of-a-terabyte": _sparse_dims(2**38),
}


CORRUPTING = (
    *(f"index-{beyond}" for beyond in (3, 4, 100, 2**31, 2**62)),
    *("indices-all-beyond", "indices-too-few", "indices-too-many"),
    *("values-too-few", "values-dims-huge", "values-rank-2", "dims-2", "dims-none"),
)
"""Those that had builds up to 1.24 write beyond the dense tensor, or read beyond the sparse one."""


def _sparse() -> Iterator[Malformed]:
    for place, source, path in (
        ("sparse-initializer", models.SPARSE_INITIALIZER, "graph.sparse_initializer[0]"),
        ("constant-sparse", models.SPARSE_CONSTANT, "graph.node[0].attribute[0].sparse_tensor"),
    ):
        for name, edit in SPARSE.items():
            model = source.model()
            edit(at(model, path))
            yield Malformed(
                id=f"tensor/{place}/{name}",
                model=model.SerializeToString(),
                right=Right.REFUSAL,
                meaning="indices, values and dimensions contradict each other",
                inputs=(),
                corrupts=name in CORRUPTING,
            )


def _codes() -> Iterator[Malformed]:
    """Return numbers that the element type cannot hold, in the wider field that carries it."""
    for of, values in (
        (ElementType.BOOL, (2, -1, 256, 2**31 - 1)),
        (ElementType.UINT8, (-1, 256, 300, 2**31 - 1)),
        (ElementType.INT8, (128, -129, 300)),
        (ElementType.UINT16, (-1, 65536)),
        (ElementType.INT16, (32768, -32769)),
        (ElementType.FLOAT16, (-1, 65536, 2**31 - 1)),
        (ElementType.BFLOAT16, (-1, 65536)),
        (ElementType.UINT32, (2**32, 2**64 - 1)),
    ):
        for value in values:
            tensor = TensorProto(name="w", data_type=of, dims=[3])
            getattr(tensor, FIELD_OF[of]).extend([value] * 3)
            yield _any_answer(f"{of.ort_name}/code-{value}", of, tensor)
    for code in (2, 127, 128, 255):
        tensor = TensorProto(
            name="w", data_type=ElementType.BOOL, dims=[3], raw_data=bytes([code] * 3)
        )
        yield _any_answer(f"bool/raw-code-{code}", ElementType.BOOL, tensor)


def _any_answer(name: str, of: ElementType, tensor: TensorProto) -> Malformed:
    model = valid("g () => (float[3] y) { y = Cast<to = 1>(w) }").model()
    model.graph.initializer.append(tensor)
    return Malformed(
        id=f"tensor/{name}",
        model=model.SerializeToString(),
        right=Right.EITHER,
        meaning=f"some {of.ort_name}, the same each time",
        inputs=(),
    )
