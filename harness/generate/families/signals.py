"""Signals: transforms, windows and filters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.generate.drawing import Typed
from harness.generate.element_types import NUMBERS
from harness.generate.families import draws
from harness.generate.values import Values

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing

MOSTLY = ("float", "float", "float", "double", "float16")
AXIS_IS_INPUT = 20


@draws("DFT")
def transform(drawing: Drawing) -> None:
    """Draw real and complex signals, one side or both, forth and back, cut and filled up."""
    of = drawing.bind("T1", (drawing.one_of(MOSTLY),))
    if drawing.values >= Values.EDGES:
        drawing.doubt(f"{drawing.values.name.lower()} values through many sums")
    shape = (drawing.between(1, 2), *(drawing.between(1, 9) for _ in range(drawing.between(1, 2))))
    parts = drawing.one_of((1, 2))
    rank = len(shape) + 1
    inverse = drawing.maybe(0, 1)
    onesided = None if inverse else drawing.maybe(0, 1)
    if onesided:
        parts = 1
    axis = drawing.between(1, rank - 2)
    stated = axis - rank if drawing.chance(40) else axis
    x = drawing.tensor(of, (*shape, parts), limits=(-2, 2))
    length = None
    if drawing.chance(40):
        of_length = drawing.one_of((np.int32, np.int64))
        length = drawing.value(np.array(drawing.between(1, 9), of_length), is_parameter=True)
    typed = [Typed(type=of, rank=rank)]
    if drawing.opset >= AXIS_IS_INPUT:
        where = drawing.value(np.array(stated, np.int64), is_parameter=True)
        drawing.node(x, length, where, inverse=inverse, onesided=onesided, types=typed)
    else:
        axis_or_none = stated if stated != 1 or drawing.chance(50) else None
        drawing.node(x, length, axis=axis_or_none, inverse=inverse, onesided=onesided, types=typed)


@draws("STFT")
def short_time(drawing: Drawing) -> None:
    """Draw frames of a stated length, of a window, or of both."""
    of = drawing.bind("T1", (drawing.one_of(MOSTLY),))
    if drawing.values >= Values.EDGES:
        drawing.doubt(f"{drawing.values.name.lower()} values through many sums")
    frame = drawing.between(1, 8)
    onesided = drawing.maybe(0, 1)
    parts = 1 if onesided != 0 or drawing.chance(70) else 2
    x = drawing.tensor(
        of, (drawing.between(1, 2), frame + drawing.below(12), parts), limits=(-2, 2)
    )
    of_length = drawing.bind("T2", ("int32", "int64"))
    step = drawing.constant(of_length, drawing.between(1, 4))
    way = drawing.below(3)
    window = drawing.tensor(of, (frame,), limits=(0, 1), is_parameter=True) if way != 1 else None
    length = drawing.constant(of_length, frame) if way else None
    drawing.node(x, step, window, length, onesided=onesided, types=[Typed(type=of, rank=4)])


@draws("HannWindow", "HammingWindow", "BlackmanWindow")
def window(drawing: Drawing) -> None:
    """Draw windows of few elements; one of 1 that is symmetric divides by zero."""
    size = drawing.between(1, 12)
    periodic = drawing.maybe(0, 1)
    if size == 1 and periodic == 0:
        drawing.doubt("a symmetric window of one element")
    to = drawing.maybe("float", "double", "float16", "int32", "int64", "uint8")
    if to in ("int32", "int64", "uint8"):
        drawing.doubt("fractions as integers")
    drawing.plain(Values.SMALL)
    drawing.node(
        drawing.exactly(0, size),
        output_datatype=None if to is None else NUMBERS[to],
        periodic=periodic,
        types=[Typed(type=to or "float", rank=1)],
    )


@draws("MelWeightMatrix")
def mel(drawing: Drawing) -> None:
    """Draw few bins over a spectrum."""
    drawing.plain(Values.SMALL)
    rate = drawing.one_of((8000, 8192, 16000))
    low = drawing.one_of((0.0, 20.0, 125.0))
    of = drawing.bind("T1", ("int32", "int64"))
    edges = drawing.bind("T2", ("float",) if drawing.chance(90) else ("double",))
    to = drawing.maybe("float", "double", "float16")
    drawing.mistaken("rounding may put the edge of a bin elsewhere")
    drawing.node(
        drawing.constant(of, drawing.between(1, 6)),
        drawing.constant(of, drawing.one_of((8, 16, 32))),
        drawing.constant(of, rate),
        drawing.constant(edges, low),
        drawing.constant(edges, rate / drawing.one_of((2, 4))),
        output_datatype=None if to is None else NUMBERS[to],
        types=[Typed(type=to or "float", rank=2)],
    )
