"""Rotations of positions of com.microsoft: by one position of each token, and by three."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.generate.families import draws
from harness.generate.families.contributed.plain import WRONG, typed
from harness.generate.values import Values

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing, Value

FLOATS = ("float", "float", "float", "float16")
DEEP = (2, 4, 6, 8, 8, 16, 20, 32)
"""Elements of a head; from 8 on builds compute several at once."""
BY_HEAD = 4
"""The rank of data whose heads are an axis of their own."""


@dataclass(frozen=True, kw_only=True)
class _Sizes:
    dtype: str
    shape: tuple[int, ...]
    batch: int
    length: int
    heads: int
    deep: int
    rotated: int | None
    """How many elements of a head are rotated, as stated; None and 0 are all."""
    positions: int
    """That the caches have."""

    @property
    def half(self) -> int:
        return (self.rotated or self.deep) // 2


def _sizes(drawing: Drawing) -> _Sizes:
    batch, length = drawing.between(1, 3), drawing.between(1, 5)
    heads, deep = drawing.between(1, 3), drawing.one_of(DEEP)
    by_head = drawing.chance(50)
    return _Sizes(
        dtype=drawing.one_of(FLOATS),
        shape=(batch, heads, length, deep) if by_head else (batch, length, heads * deep),
        batch=batch,
        length=length,
        heads=heads,
        deep=deep,
        rotated=drawing.one_of((None, None, 0, deep, max(deep - 2, 2), max(deep // 4 * 2, 2))),
        positions=length + drawing.between(0, 3),
    )


def _caches(drawing: Drawing, sizes: _Sizes) -> tuple[Value, Value]:
    shape = (sizes.positions, sizes.half)
    other = shape
    if drawing.chance(WRONG):
        drawing.wrong("caches of different sizes")
        other = (sizes.positions, sizes.half + 1)
    return (
        drawing.tensor(sizes.dtype, shape, is_parameter=True),
        drawing.tensor(sizes.dtype, other, is_parameter=True),
    )


def _attributes(drawing: Drawing) -> dict[str, Any]:
    scale = drawing.maybe(1.0) if drawing.chance(90) else 0.5
    if scale not in (None, 1.0):
        drawing.doubt("what the scale is of")
    packed = drawing.one_of((None,) * 16 + (0, 0, 0, 1))  # older releases lack it
    if packed:
        drawing.doubt("what is ragged in a batch without lengths")
    return {
        "interleaved": drawing.maybe(0, 1, 1),
        "scale": scale,
        "is_packed_batching": packed,
    }


@draws("com.microsoft.RotaryEmbedding")
def rotary(drawing: Drawing) -> None:
    """Draw heads, and the position of each token or of the first."""
    drawing.plain(Values.UNIT)
    sizes = _sizes(drawing)
    data = drawing.tensor(sizes.dtype, sizes.shape)
    if drawing.chance(40):
        places: Any = [drawing.between(0, sizes.positions - sizes.length)]
    else:
        places = [
            [drawing.below(sizes.positions) for _ in range(sizes.length)]
            for _ in range(sizes.batch)
        ]
    if drawing.chance(WRONG):
        drawing.wrong("a position beyond the caches")
        beyond = drawing.one_of((sizes.positions, -1, 2**40))
        places = [beyond] if len(places) == 1 else [[beyond] * sizes.length] * sizes.batch
    needs_heads = bool(sizes.rotated)
    drawing.node(
        data,
        drawing.constant("int64", places),
        *_caches(drawing, sizes),
        types=typed(sizes.dtype, len(sizes.shape)),
        num_heads=sizes.heads if needs_heads or drawing.chance(40) else drawing.maybe(0),
        rotary_embedding_dim=sizes.rotated,
        **_attributes(drawing),
    )


@draws("com.microsoft.MRotaryEmbedding")
def multimodal_rotary(drawing: Drawing) -> None:
    """Draw heads whose elements are divided among three positions of each token."""
    drawing.plain(Values.UNIT)
    sizes = _sizes(drawing)
    interleaved = drawing.maybe(0, 1)
    sections = _sections(drawing, sizes.half, in_turn=interleaved == 1)
    if drawing.chance(WRONG):
        drawing.wrong("sections that do not make up the whole")
        sections[0] += drawing.one_of((1, -1 - sizes.half))
    shape = (3, sizes.batch, sizes.length)
    most = sizes.positions - 1
    if drawing.chance(WRONG):
        drawing.wrong("a position beyond the caches")
        most = 1000
    places = drawing.tensor("int64", shape, limits=(most if most > sizes.positions else 0, most))
    # Data of rank 3 without their number of heads are refused, which the text does not ask for.
    states_heads = bool(sizes.rotated) or drawing.chance(40)
    if len(sizes.shape) < BY_HEAD and drawing.chance(90):
        states_heads = True
    drawing.node(
        drawing.tensor(sizes.dtype, sizes.shape),
        places,
        *_caches(drawing, sizes),
        types=typed(sizes.dtype, len(sizes.shape)),
        mrope_section=sections,
        mrope_layout=interleaved,
        num_heads=sizes.heads if states_heads else None,
        rotary_embedding_dim=sizes.rotated,
        **_attributes(drawing),
    )


def _sections(drawing: Drawing, half: int, *, in_turn: bool) -> list[int]:
    """Return three sizes that make up the half; in turn, each of the last two has a place."""
    if in_turn:
        second, third = drawing.between(0, (half + 1) // 3), drawing.between(0, half // 3)
        return [half - second - third, second, third]
    first = drawing.between(0, half)
    second = drawing.between(0, half - first)
    return [first, second, half - first - second]
