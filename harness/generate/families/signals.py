"""Transforms of signals, and the windows that go with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.generate.drawing import Typed
from harness.generate.element_types import NUMBERS
from harness.generate.families import draws
from harness.generate.values import Values

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing

FLOATS = ("float", "float", "double")


@draws("DFT")
def dft(drawing: Drawing) -> None:
    """Draw a transform of real or complex signals, shorter or longer than they are."""
    drawing.plain(Values.UNIT)
    dtype = drawing.one_of(FLOATS)
    rank = drawing.between(2, 4)
    parts = drawing.one_of((1, 2))
    shape = (*(drawing.between(1, 8) for _ in range(rank - 1)), parts)
    axis = drawing.between(-rank, rank - 2)
    axis = rank - 2 if axis == -1 else axis
    one_sided = 1 if parts == 1 and drawing.chance(40) else drawing.maybe(0)
    inverse = drawing.maybe(0, 1) if not one_sided else drawing.maybe(0)
    length = drawing.between(1, 9) if drawing.chance(40) else None
    as_input = drawing.takes(3)
    size = None if length is None else drawing.constant(drawing.one_of(("int64", "int32")), length)
    where = None
    if as_input and drawing.chance(70):
        where = drawing.constant("int64", axis)
    drawing.node(
        drawing.tensor(dtype, shape),
        size,
        *((where,) if as_input else ()),
        types=(Typed(type=dtype, rank=rank),),
        axis=None if as_input else axis,
        inverse=inverse,
        onesided=one_sided,
    )


@draws("STFT")
def stft(drawing: Drawing) -> None:
    """Draw transforms of frames of a signal, with a window or without."""
    drawing.plain(Values.UNIT)
    dtype = drawing.one_of(FLOATS)
    length = drawing.between(8, 24)
    frame = drawing.between(2, 8)
    kind = drawing.one_of(("int64", "int64", "int32"))
    step = drawing.constant(kind, drawing.between(1, 5))
    window = drawing.tensor(dtype, (frame,), is_parameter=True) if drawing.chance(60) else None
    size = drawing.constant(kind, frame) if window is None or drawing.chance(50) else None
    is_real = drawing.chance(80)
    drawing.node(
        drawing.tensor(dtype, (drawing.between(1, 2), length, 1 if is_real else 2)),
        step,
        window,
        size,
        types=(Typed(type=dtype, rank=4),),
        onesided=drawing.maybe(0, 1) if is_real else 0,
    )


@draws("HannWindow", "HammingWindow", "BlackmanWindow")
def window(drawing: Drawing) -> None:
    """Draw a window of some size and type."""
    dtype = drawing.maybe("float", "float", "double", "int32", "int64")
    size = drawing.between(1, 12)
    if size == 1:
        drawing.doubt("the standard's formula divides zero by zero at a window of one")
    drawing.node(
        drawing.constant(drawing.one_of(("int64", "int32")), size),
        types=(Typed(type=dtype or "float", rank=1),),
        output_datatype=NUMBERS[dtype] if dtype else None,
        periodic=drawing.maybe(0, 1),
    )


@draws("MelWeightMatrix")
def mel(drawing: Drawing) -> None:
    """Draw the weights of bands of frequencies."""
    dtype = drawing.maybe("float", "float", "double")
    whole = drawing.one_of(("int64", "int32"))
    size = drawing.one_of((8, 16, 32, 15))
    rate = drawing.one_of((8000, 16000, 8192))
    low = drawing.one_of((0.0, 20.0, 125.5))
    high = drawing.one_of((rate / 2, rate / 4, 3000.0))
    numbers = [drawing.constant(whole, one) for one in (drawing.between(1, 8), size, rate)]
    ends = [drawing.constant("float", one) for one in (low, high)]
    drawing.node(
        *numbers,
        *ends,
        types=(Typed(type=dtype or "float", rank=2),),
        output_datatype=NUMBERS[dtype] if dtype else None,
    )
