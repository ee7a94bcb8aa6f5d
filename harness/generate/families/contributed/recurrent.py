"""Recurrent networks of com.microsoft: with weights of bytes, and with attention to a memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.generate.drawing import Typed
from harness.generate.families import draws
from harness.generate.families.recurrent import OUTPUTS, PLAIN
from harness.generate.values import Values

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing, Value

GATES = 4
UNIT = (-1.0, 1.0)
SCALES = (0.015625, 0.03125, 0.0625)


class _Sizes:
    """How many steps, texts at a time, numbers in and cells there are, and in which directions."""

    def __init__(self, drawing: Drawing) -> None:
        self.steps, self.batch = drawing.between(1, 4), drawing.between(1, 3)
        self.width, self.hidden = drawing.between(1, 5), drawing.between(1, 4)
        self.direction = drawing.maybe("forward", "reverse", "bidirectional", "bidirectional")
        self.ways = 2 if self.direction == "bidirectional" else 1


def _around(drawing: Drawing, dtype: str, sizes: _Sizes) -> list[Value | None]:
    """Return what stands after the weights, each there or not: from the bias to the peepholes."""
    state = (sizes.ways, sizes.batch, sizes.hidden)

    def some(shape: tuple[int, ...], *, is_parameter: bool) -> Value | None:
        if drawing.chance(55):
            return None
        return drawing.tensor(dtype, shape, limits=UNIT, is_parameter=is_parameter)

    return [
        some((sizes.ways, 2 * GATES * sizes.hidden), is_parameter=True),
        _lengths(drawing, sizes.batch, sizes.steps) if drawing.chance(40) else None,
        some(state, is_parameter=False),
        some(state, is_parameter=False),
        some((sizes.ways, 3 * sizes.hidden), is_parameter=True),
    ]


def _lengths(drawing: Drawing, count: int, most: int) -> Value:
    return drawing.constant("int32", [drawing.between(1, most) for _ in range(count)])


def _node(drawing: Drawing, dtype: str, sizes: _Sizes, inputs: list[Any]) -> None:
    names = [drawing.one_of(PLAIN) for _ in range(3 * sizes.ways)] if drawing.chance(30) else None
    outputs = drawing.one_of(OUTPUTS["LSTM"])
    ranks = [4 - bool(at) for at, mark in enumerate(outputs) if mark == "y"]
    drawing.node(
        *inputs,
        outputs=outputs,
        types=[Typed(type=dtype, rank=rank) for rank in ranks],
        hidden_size=sizes.hidden,
        direction=sizes.direction,
        clip=drawing.maybe(0.5, 2.0) if drawing.chance(30) else None,
        input_forget=drawing.maybe(0, 0, 1),
        activations=names,
    )


@draws("com.microsoft.DynamicQuantizeLSTM")
def of_bytes(drawing: Drawing) -> None:
    """Draw weights of bytes, quantised by direction or by column, and data that is quantised."""
    drawing.plain(Values.UNIT)
    sizes, kind = _Sizes(drawing), drawing.one_of(("uint8", "int8"))
    columns = GATES * sizes.hidden
    data = drawing.tensor("float", (sizes.steps, sizes.batch, sizes.width), limits=UNIT)
    weights = [
        drawing.tensor(
            kind,
            (sizes.ways, size, columns),
            limits=(0, 127) if kind == "uint8" else (-63, 63),
            is_parameter=True,
        )
        for size in (sizes.width, sizes.hidden)
    ]
    around = _around(drawing, "float", sizes)
    of_weights: list[Value] = []
    for _ in range(2):
        by_column = drawing.chance(40)
        shape = (sizes.ways, columns) if by_column else (sizes.ways,)
        scales = [drawing.one_of(SCALES) for _ in range(int(np.prod(shape)))]
        of_weights.append(drawing.constant("float", np.reshape(scales, shape)))
        if drawing.chance(12):  # the text allows either shape for each of them
            shape = (sizes.ways,) if by_column else (sizes.ways, columns)
        least = 0 if kind == "int8" else drawing.one_of((0, 1, 64))
        of_weights.append(drawing.constant(kind, np.full(shape, least)))
    _node(drawing, "float", sizes, [data, *weights, *around, *of_weights])


@draws("com.microsoft.AttnLSTM")
def with_attention(drawing: Drawing) -> None:
    """Draw a memory that is attended to, its depth and length, and a layer behind it or none."""
    drawing.plain(Values.UNIT)
    sizes, dtype = _Sizes(drawing), drawing.one_of(("float",) * 15 + ("double",))
    depth, inner, longest = (drawing.between(1, 4) for _ in range(3))
    layer = drawing.between(1, 4) if drawing.chance(50) else None

    def weights(*shape: int) -> Value:
        return drawing.tensor(dtype, (sizes.ways, *shape), limits=UNIT, is_parameter=True)

    columns = GATES * sizes.hidden
    inputs: list[Any] = [
        drawing.tensor(dtype, (sizes.steps, sizes.batch, sizes.width), limits=UNIT),
        weights(columns, sizes.width + (depth if layer is None else layer)),
        weights(columns, sizes.hidden),
        *_around(drawing, dtype, sizes),
        weights(sizes.hidden, inner),
        weights(depth, inner),
        weights(inner),
        drawing.tensor(dtype, (sizes.batch, longest, depth), limits=UNIT),
        _lengths(drawing, sizes.batch, longest) if drawing.chance(50) else None,
        None if layer is None else weights(depth + sizes.hidden, layer),
    ]
    _node(drawing, dtype, sizes, inputs)
