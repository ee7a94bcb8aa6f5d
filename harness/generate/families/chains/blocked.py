"""Chains with weights that are dequantised in blocks, each with a scale of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.generate.families import draws
from harness.generate.families.chains.quantised import BYTES, FOUR_BITS, restored

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing


@draws("chain/blocked-matmul")
def blocked_matmul(drawing: Drawing) -> None:
    """Draw a product with weights that are dequantised in blocks, as models of few bits have them.

    The data are whole numbers, 127 the largest of each block: to be quantised to 8 bits as well
    takes nothing from them.
    """
    block, blocks = drawing.one_of((16, 32)), drawing.between(1, 3)
    rows, inner, columns = drawing.between(1, 3), block * blocks, drawing.between(1, 4)
    in_blocks = drawing.opset >= FOUR_BITS
    kind = drawing.one_of(("int4", "int4", "uint4", "int8", "uint8") if in_blocks else BYTES)
    turned = in_blocks and drawing.chance(30)
    sizes, scales = [inner, columns], [blocks, columns]
    if turned:
        sizes.reverse()
        scales.reverse()
    shape = scales if in_blocks else [columns]
    words = drawing.words(int(np.prod(shape))) % np.uint64(3)
    narrow = drawing.tensor(kind, sizes, is_parameter=True)
    by = drawing.constant("float", np.exp2(-1.0 - words.reshape(shape)))
    point = drawing.tensor(kind, shape, is_parameter=True) if drawing.chance(50) else None
    weights = restored(
        drawing,
        narrow,
        (by, point),
        axis=int(turned) if in_blocks else 1,
        block_size=block if in_blocks else None,
    )
    if turned:
        weights = drawing.apply("Transpose", weights, perm=[1, 0])
    numbers = (drawing.words(rows * inner) % np.uint64(255)).astype(np.float32) - 127
    numbers[::block] = 127
    data = drawing.value(numbers.reshape(rows, inner))
    name = drawing.one_of(("MatMul", "MatMul", "Gemm"))
    drawing.give(drawing.apply(name, data, drawing.seen(weights)))
