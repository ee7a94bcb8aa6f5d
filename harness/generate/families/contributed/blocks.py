"""Operators of com.microsoft on weights of few bits in blocks with a scale each, and of 16 bits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.generate.element_types import DTYPES, NUMBERS
from harness.generate.families import draws
from harness.generate.families.contributed.plain import WRONG, typed
from harness.generate.families.doubts import doubt_overflow, exact
from harness.generate.values import Values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.generate.drawing import Drawing, Value
    from harness.generate.values import Array

SCALES = (0.0625, 0.125, 0.25)
PACKED = {
    0: (1, 4, 4),
    1: (1, 2, 2),
    2: (32, 18, 2),
    6: (32, 22, 2),
    8: (32, 34, 2),
    13: (256, 176, 4),
    14: (256, 210, -2),
    16: (256, 66, 2),
    17: (256, 74, 2),
    18: (256, 98, 2),
    20: (32, 18, 2),
    22: (256, 82, 2),
    23: (256, 136, 2),
    30: (1, 2, 2),
}
"""The formats of packed weights, numbered as GGML's: elements and bytes of a block, and how many
bytes of it, from its start or to its end, are scales, floats of 16 bits (or are the elements)."""
FLOATS_OF_8_BITS = ("float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz")


def octets(drawing: Drawing, *shape: int, most: int = 255) -> Array:
    """Return drawn bytes from 0 up to `most`."""
    words = drawing.words(int(np.prod(shape))) % np.uint64(most + 1)
    return words.astype(np.uint8).reshape(shape)


def scales(drawing: Drawing, dtype: str, shape: Sequence[int]) -> Value:
    """Return drawn scales, which most models have as constants."""
    return drawing.constant(dtype, _powers(drawing, *shape))


def _powers(drawing: Drawing, *shape: int) -> Array:
    """Return drawn powers of two."""
    words = drawing.words(int(np.prod(shape))) % np.uint64(len(SCALES))
    powers: Array = np.asarray(SCALES)[words.astype(int)].reshape(shape)
    return powers


@draws("com.microsoft.MatMulInteger16")
def matmul_16(drawing: Drawing) -> None:
    """Draw a product of matrices, of vectors and of stacks of them, as numpy.matmul has it."""
    rows, inner, columns = (drawing.dimension() for _ in range(3))
    batch = list(drawing.full_shape(0, 2))
    left, right = [*drawing.broadcast_to(batch), rows, inner], [*batch, inner, columns]
    which = drawing.below(10)
    if which == 0:
        left = [inner]
    elif which == 1:
        right = [inner]
    first, second = drawing.tensor("int16", left), drawing.tensor("int16", right)
    product = np.matmul(exact(first), exact(second))
    doubt_overflow(drawing, product, "int32")
    drawing.node(first, second, types=typed("int32", np.ndim(product)))


@draws("com.microsoft.GatherBlockQuantized")
def gather_blocks(drawing: Drawing) -> None:
    """Draw rows looked up in a table of integers or of small floats, and restored to floats."""
    drawing.plain()
    kind = drawing.one_of(("uint4", "int4", "uint8", "uint8", "uint8", "float"))
    if kind == "float":
        kind = drawing.one_of((*FLOATS_OF_8_BITS, "float4e2m1"))
    if kind == "uint8":
        _gather_octets(drawing)
        return
    shape, block = list(drawing.full_shape(2, 3)), drawing.one_of((16, 16, 32))
    along, gathered = drawing.some(range(len(shape)), 2)
    shape[along] = drawing.between(1, 40)
    whole = kind.startswith("float") and drawing.chance(25)
    count = list(shape)
    count[along] = 1 if whole else -(-shape[along] // block)
    if kind.startswith("float"):
        count = [1 if at != along and drawing.chance(20) else one for at, one in enumerate(count)]
    has_points = not kind.startswith("float") and drawing.chance(60)
    rank = len(shape)
    _gathered(
        drawing,
        (drawing.tensor(kind, shape, is_parameter=True), shape[gathered]),
        count,
        drawing.tensor(kind, count, is_parameter=True) if has_points else None,
        block_size=0 if whole else block,
        quantize_axis=along - rank * drawing.below(2),
        gather_axis=gathered - rank * drawing.below(2),
    )


def _gather_octets(drawing: Drawing) -> None:
    bits, block = drawing.one_of((2, 4, 8)), drawing.one_of((16, 16, 32))
    each = 8 // bits
    shape = list(drawing.full_shape(2, 3))
    shape[-1] = drawing.between(1, 40) if bits == 8 else drawing.between(1, 20)  # noqa: PLR2004
    count = [*shape[:-1], -(-shape[-1] * each // block)]
    points = [*count[:-1], -(-count[-1] // each)]
    axis = len(shape) - 1
    _gathered(
        drawing,
        (drawing.value(octets(drawing, *shape), is_parameter=True), shape[0]),
        count,
        drawing.value(octets(drawing, *points), is_parameter=True) if drawing.chance(60) else None,
        block_size=block,
        quantize_axis=axis - len(shape) * drawing.below(2),
        gather_axis=drawing.maybe(0, 0, -len(shape)),
        bits=bits,
    )


def _gathered(
    drawing: Drawing,
    table: tuple[Value, int],
    count: Sequence[int],
    points: Value | None,
    **of: Any,
) -> None:
    """Make the case of a table with so many scales, and of places in it, some of them beyond."""
    data, size = table
    most = drawing.one_of((size - 1,) * 4 + (size + 2,))
    shape = drawing.full_shape(0, 2)
    places = drawing.tensor(
        drawing.one_of(("int32", "int64")), shape, limits=(drawing.one_of((0, -size)), most)
    )
    dtype = drawing.one_of(("float", "float", "float16"))
    drawing.node(
        data,
        places,
        scales(drawing, dtype, count),
        points,
        types=typed(dtype, len(shape) + len(count) - 1),
        **of,
    )


@draws("com.microsoft.MatMulBnb4")
def matmul_bnb4(drawing: Drawing) -> None:
    """Draw a product with weights that are places in a table of 16 floats, transposed or not.

    Not transposed only where builds do not read beyond the weights for it: FINDINGS.md, Q1.
    """
    drawing.plain(Values.UNIT)
    features, inner = drawing.one_of((1, 3, 4, 8, 16, 17)), drawing.one_of((1, 5, 16, 24, 32, 40))
    block = drawing.one_of((16, 32, 64))
    transposed = 0 if drawing.chance(8) and features >= inner else drawing.maybe(1)
    outer = drawing.full_shape(1, 3)
    size, blocks = -(-features * inner // 2), -(-features * inner // block)
    if drawing.chance(WRONG):
        drawing.wrong("fewer scales than blocks")
        blocks -= 1
    data = drawing.tensor("float", (*outer, features if transposed == 0 else inner))
    drawing.node(
        data,
        drawing.value(octets(drawing, size), is_parameter=True),
        scales(drawing, "float", (blocks,)),
        types=typed("float", len(outer) + 1),
        K=inner,
        N=features,
        block_size=block,
        quant_type=drawing.below(2),
        transB=transposed,
        training_mode=drawing.maybe(0, 1),
    )


@draws("com.microsoft.MatMulFpQ4")
def matmul_fpq4(drawing: Drawing) -> None:
    """Draw a product with weights in blobs: a scale, a zero point if there is one, and halves."""
    drawing.plain(Values.UNIT)
    kind = drawing.maybe(0, 1, 2)
    inner, columns = drawing.one_of((5, 32, 40, 64, 96, 100)), drawing.one_of((1, 3, 8, 16, 17))
    block = 64 if kind == 2 else 32  # noqa: PLR2004 - the type of larger blocks
    count = columns * -(-inner // block)
    blob = [_powers(drawing, count, 1).astype(np.float32).view(np.uint8)]
    if kind in (None, 1):
        blob.append(octets(drawing, count, 1, most=15))
    blob.append(octets(drawing, count, block // 2))
    flat = np.concatenate(blob, axis=1).ravel()
    if drawing.chance(WRONG):
        drawing.wrong("a blob that is too short")
        flat = flat[:-1]
    outer = drawing.full_shape(1, 3)
    data = drawing.tensor("float", (*outer, inner))
    drawing.node(
        data,
        drawing.value(flat, is_parameter=True),
        drawing.constant("int64", [inner, columns]),
        types=typed("float", len(outer) + 1),
        blk_quant_type=kind,
    )


@draws("com.microsoft.GatherPacked")
def gather_packed(drawing: Drawing) -> None:
    """Draw rows looked up in a table of packed blocks, in each format, and restored."""
    form = drawing.one_of(tuple(PACKED))
    elements, size, of_scales = PACKED[form]
    blocks = drawing.between(1, 2 if elements > 1 else 9)
    rows = drawing.between(1, 4)
    data = octets(drawing, rows, blocks, size)
    kind = {0: np.dtype("<f4"), 30: DTYPES["bfloat16"]}.get(form, np.dtype("<f2"))
    count = abs(of_scales) // kind.itemsize
    numbers = _powers(drawing, rows, blocks, count).astype(kind)
    place = slice(of_scales) if of_scales > 0 else slice(of_scales, None)
    data[..., place] = numbers.view(np.uint8).reshape(rows, blocks, -1)
    shape = drawing.full_shape(0, 2)
    dtype = drawing.one_of(("float", "float", "float16", "bfloat16"))
    wide = drawing.chance(20)
    limits = (-rows - 1, rows + 1) if wide else (0, rows - 1)
    width = data.reshape(rows, -1)
    if drawing.chance(WRONG):
        drawing.wrong("rows that are too short")
        width = width[:, :-1]
    drawing.node(
        drawing.value(width, is_parameter=True),
        drawing.tensor(drawing.one_of(("int32", "int64")), shape, limits=limits),
        types=typed(dtype, len(shape) + 1),
        packed_type=form,
        K=elements * blocks,
        output_dtype=None if dtype == "bfloat16" and drawing.chance(50) else NUMBERS[dtype],
    )
