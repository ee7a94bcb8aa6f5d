"""Operators of com.microsoft on words: broken into tokens, and looked up by letters or numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.generate.drawing import Typed
from harness.generate.families import draws
from harness.generate.families.contributed.plain import WRONG, typed
from harness.generate.families.contributed.quantised import SCALES
from harness.generate.families.text import SENTENCES, words
from harness.generate.values import Values

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing, Value

SEPARATORS = (
    [" "],
    [","],
    [" ", ","],
    [",", "X"],
    ["XX", "X"],
    ["-"],
    ["本"],
    ["[ ,]"],
    ["X+"],
    [r"\s"],
)
EXPRESSIONS = ("[a-z]+", "[a-zX]", r"\d", "日|本", ".", "a.?", "[^ ,]+", "X*a")


@draws("com.microsoft.Tokenizer")
def tokenizer(drawing: Drawing) -> None:
    """Draw texts broken at separators, into what an expression finds, or into letters."""
    shape = drawing.full_shape(1, 2)
    if drawing.chance(4):
        shape = (*shape[:-1], 0)
    separators, expression = None, None
    which = drawing.below(10)
    if which < 5:  # noqa: PLR2004 - half of them
        separators = drawing.one_of(SEPARATORS)
    elif which < 7:  # noqa: PLR2004 - two in ten
        separators = [""]
    else:
        expression = drawing.one_of(EXPRESSIONS)
    if drawing.chance(WRONG):
        drawing.wrong("both separators and an expression, or none of them")
        separators, expression = drawing.one_of(((None, None), ([","], "a")))
    letters = separators == [""] or expression == "."
    drawing.node(
        words(drawing, shape, SENTENCES),
        types=typed("string", len(shape) + bool(np.prod(shape))),
        mark=drawing.below(2),
        mincharnum=1 if letters else drawing.between(1, 3),
        pad_value=drawing.one_of(("", "#", "日")),
        separators=separators,
        tokenexp=expression,
    )


@draws("com.microsoft.WordConvEmbedding")
def word_embedding(drawing: Drawing) -> None:
    """Draw words as the numbers of their letters, 0 after the last, and windows over them."""
    drawing.plain(Values.UNIT)
    count, longest = drawing.between(1, 4), drawing.between(1, 7)
    width = drawing.between(1, longest)
    size, filters, letters = drawing.between(1, 4), drawing.between(1, 5), drawing.between(2, 6)
    numbers = drawing.tensor("int32", (count, longest), limits=(1, letters - 1))
    for word in numbers.elements:
        word[drawing.between(1, longest) :] = 0
    if drawing.chance(15):
        drawing.doubt("a word without letters")
        numbers.elements[drawing.below(count)] = 0
    drawing.node(
        numbers,
        drawing.tensor("float", (filters, 1, width, size), is_parameter=True),
        drawing.tensor("float", (filters,), is_parameter=True),
        drawing.tensor("float", (letters, size), is_parameter=True),
        types=typed("float", 2),
        embedding_size=drawing.maybe(filters),
        conv_window_size=drawing.maybe(width),
        char_embedding_size=drawing.maybe(size),
    )


@draws("com.microsoft.QEmbedLayerNormalization")
def quantised_embedding(drawing: Drawing) -> None:
    """Draw words, segments and places looked up in quantised tables, summed and normalised."""
    drawing.plain(Values.WIDE)
    dtype = drawing.one_of(("uint8", "int8"))
    batch, length, hidden = drawing.between(1, 3), drawing.between(1, 4), drawing.between(2, 6)
    rows, has_segments = drawing.between(2, 6), drawing.chance(60)
    shape = (batch, length)
    inputs: list[Value | None] = [
        drawing.tensor("int32", shape, limits=(0, rows - 1)),
        drawing.tensor("int32", shape, limits=(0, 1)) if has_segments else None,
    ]
    if drawing.chance(WRONG):
        drawing.wrong("a word that is not in the table")
        inputs[0] = drawing.constant("int32", np.full(shape, rows))
        drawing.given.pop(0)
    tables = ((rows, hidden), (length + 1, hidden), (2, hidden), (hidden,), (hidden,))
    is_there = [True, True, has_segments, True, True]
    for one, there in zip(tables, is_there, strict=True):
        inputs.append(drawing.tensor(dtype, one, is_parameter=True) if there else None)
    inputs.append(_mask(drawing, shape) if drawing.chance(50) else None)
    for there in is_there:
        scale = drawing.one_of(SCALES) if there else None
        inputs.append(None if scale is None else drawing.constant("float", scale))
    for there in is_there:
        point = drawing.one_of((0, 2, 6)) if there else None
        inputs.append(None if point is None else drawing.constant(dtype, point))
    drawing.node(
        *inputs,
        outputs=2,
        types=(Typed(type="float", rank=3), Typed(type="int32", rank=1)),
        epsilon=drawing.maybe(1e-5, 0.125),
    )


def _mask(drawing: Drawing, shape: tuple[int, int]) -> Value:
    """Return ones up to where a text ends, and zeros after."""
    ends = [drawing.between(1, shape[1]) for _ in range(shape[0])]
    return drawing.constant("int32", np.arange(shape[1]) < np.array(ends)[:, None])
