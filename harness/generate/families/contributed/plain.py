"""Operators of com.microsoft on floats and on integers as they are; the standard has no schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.generate.drawing import Typed
from harness.generate.families import draws
from harness.generate.values import Values

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing, Value

WRONG = 4
"""How many of a hundred have something wrong, where there is something to do wrong."""
FLOATS = ("float", "float", "float", "double", "float16")
ANY = ("float", "float", "double", "int32", "int64", "uint8", "bool")


def typed(dtype: str, rank: int) -> tuple[Typed, ...]:
    """Return the type of a lone output."""
    return (Typed(type=dtype, rank=rank),)


@draws("com.microsoft.Gelu", "com.microsoft.QuickGelu", "com.microsoft.FastGelu")
def gelu(drawing: Drawing) -> None:
    """Draw an activation, with a bias where it takes one."""
    drawing.plain()
    name = drawing.description.operator.rpartition(".")[2]
    shape = drawing.shape(1, 4)
    data = drawing.tensor("float", shape)
    bias = None
    if name == "FastGelu" and drawing.chance(50):
        bias = drawing.tensor("float", shape[-1:], is_parameter=True)
    alpha = drawing.maybe(1.0, 1.702, -0.5, 0.0) if name == "QuickGelu" else None
    drawing.node(data, bias, types=typed("float", len(shape)), alpha=alpha)


@draws("com.microsoft.BiasGelu")
def bias_gelu(drawing: Drawing) -> None:
    """Draw an activation of a sum."""
    drawing.plain()
    shape = drawing.shape(1, 4)
    bias = drawing.tensor("float", shape[-1:], is_parameter=True)
    drawing.node(drawing.tensor("float", shape), bias, types=typed("float", len(shape)))


@draws("com.microsoft.FusedMatMul", "com.microsoft.TransposeMatMul")
def fused_matmul(drawing: Drawing) -> None:
    """Draw a product whose transpositions and scale are attributes."""
    drawing.plain(Values.UNIT)
    rank = drawing.between(2, 4)
    batch = [drawing.between(1, 3) for _ in range(rank - 2)]
    rows, inner, columns = (drawing.dimension() for _ in range(3))
    left, right = drawing.below(2), drawing.below(2)
    moved = [drawing.chance(20) and rank > 2 for _ in range(2)]  # noqa: PLR2004 - has a batch
    is_fused = drawing.description.operator.endswith("FusedMatMul")
    if not is_fused:
        moved = [False, False]
    shapes = [
        [inner, rows] if left else [rows, inner],
        [columns, inner] if right else [inner, columns],
    ]
    whole = [
        [one[0], *batch, one[1]] if move else [*batch, *one]
        for one, move in zip(shapes, moved, strict=True)
    ]
    dtype = drawing.one_of(FLOATS[:4]) if is_fused else "float"
    drawing.node(
        *(drawing.tensor(dtype, one) for one in whole),
        types=typed(dtype, rank),
        transA=left,
        transB=right,
        transBatchA=int(moved[0]) if is_fused else None,
        transBatchB=int(moved[1]) if is_fused else None,
        alpha=drawing.maybe(1.0, 0.5, -2.0, 0.0),
    )


ACTIVATIONS = ("Relu", "LeakyRelu", "Tanh", "Sigmoid", "HardSigmoid", "Clip")


@draws("com.microsoft.FusedGemm")
def fused_gemm(drawing: Drawing) -> None:
    """Draw a Gemm with an activation."""
    drawing.plain(Values.UNIT)
    rows, inner, columns = (drawing.dimension() for _ in range(3))
    left, right = drawing.below(2), drawing.below(2)
    bias = drawing.broadcast_to((rows, columns)) if drawing.chance(60) else None
    name = drawing.one_of(ACTIVATIONS[:5])
    drawing.node(
        drawing.tensor("float", (inner, rows) if left else (rows, inner)),
        drawing.tensor("float", (columns, inner) if right else (inner, columns), is_parameter=True),
        None if bias is None else drawing.tensor("float", bias, is_parameter=True),
        types=typed("float", 2),
        transA=left,
        transB=right,
        alpha=drawing.maybe(1.0, 0.5),
        beta=drawing.maybe(1.0, 0.0, 2.0),
        activation=name,
        activation_alpha=drawing.one_of((0.25, 0.5))
        if name in ("LeakyRelu", "HardSigmoid")
        else None,
        activation_beta=drawing.one_of((0.5, 0.25)) if name == "HardSigmoid" else None,
    )


@draws("com.microsoft.FusedConv")
def fused_conv(drawing: Drawing) -> None:
    """Draw a convolution with a sum and an activation."""
    drawing.plain(Values.UNIT)
    rank = drawing.between(1, 3)
    channels = drawing.one_of((1, 2, 4, 8))
    group = drawing.one_of((1, 1, channels))
    filters = group * drawing.between(1, 2)
    sizes = [drawing.between(3, 6) for _ in range(rank)]
    kernel = [drawing.between(1, 3) for _ in range(rank)]
    shape = [size - of + 1 for size, of in zip(sizes, kernel, strict=True)]
    name = drawing.one_of(ACTIVATIONS)
    numbers = {"LeakyRelu": [0.125], "HardSigmoid": [0.25, 0.5], "Clip": [-1.0, 2.0]}
    bias = drawing.tensor("float", (filters,), is_parameter=True) if drawing.chance(60) else None
    other = drawing.tensor("float", (1, filters, *shape)) if drawing.chance(50) else None
    drawing.node(
        drawing.tensor("float", (1, channels, *sizes)),
        drawing.tensor("float", (filters, channels // group, *kernel), is_parameter=True),
        bias,
        other,
        types=typed("float", rank + 2),
        group=group,
        kernel_shape=drawing.maybe(kernel),
        activation=name,
        activation_params=numbers.get(name),
    )


@draws("com.microsoft.SkipLayerNormalization", "com.microsoft.SkipSimplifiedLayerNormalization")
def skip_norm(drawing: Drawing) -> None:
    """Draw a normalisation of a sum, whose second part may broadcast."""
    drawing.plain(Values.UNIT)
    dtype = drawing.one_of((*("float",) * 5, *("float16",) * 2, "double"))
    batch, length, hidden = (drawing.between(1, 5) for _ in range(3))
    shape = (batch, length, hidden)[0 if drawing.chance(80) else 1 :]
    skip: tuple[int, ...] = shape
    if len(shape) == 3 and drawing.chance(30):  # noqa: PLR2004
        skip = drawing.one_of(((1, length, hidden), (length, hidden)))
    parts: list[Value | None] = [drawing.tensor(dtype, one) for one in (shape, skip)]
    parts.append(drawing.tensor(dtype, (hidden,), is_parameter=True))
    if drawing.description.operator.endswith("SkipLayerNormalization"):
        has = drawing.chance(60)
        parts.append(drawing.tensor(dtype, (hidden,), is_parameter=True) if has else None)
    has = drawing.chance(50)
    parts.append(drawing.tensor(dtype, (hidden,), is_parameter=True) if has else None)
    sums = drawing.chance(50)
    drawing.node(
        *parts,
        outputs="y--y" if sums else 1,
        types=typed(dtype, len(shape)) * 2,
        epsilon=drawing.maybe(1e-5, 0.125),
    )


@draws("com.microsoft.EmbedLayerNormalization")
def embed(drawing: Drawing) -> None:
    """Draw words, segments and places looked up, summed and normalised."""
    drawing.plain(Values.UNIT)
    batch, length, hidden = drawing.between(1, 3), drawing.between(1, 4), drawing.between(1, 6)
    words, segments = drawing.between(2, 6), 2
    has_segments = drawing.chance(60)

    def numbers(most: int, shape: tuple[int, ...]) -> Value:
        return drawing.tensor("int32", shape, limits=(0, most))

    def table(rows: int) -> Value:
        return drawing.tensor("float", (rows, hidden), is_parameter=True)

    drawing.values = Values.UNIT
    mask = drawing.chance(50)
    drawing.node(
        numbers(words - 1, (batch, length)),
        numbers(segments - 1, (batch, length)) if has_segments else None,
        table(words),
        table(length + 1),
        table(segments) if has_segments else None,
        drawing.tensor("float", (hidden,), is_parameter=True),
        drawing.tensor("float", (hidden,), is_parameter=True),
        numbers(1, (batch, length)) if mask else None,
        outputs=2,
        types=(Typed(type="float", rank=3), Typed(type="int32", rank=1)),
        epsilon=drawing.maybe(1e-5, 0.125),
    )


@draws("com.microsoft.Inverse")
def inverse(drawing: Drawing) -> None:
    """Draw matrices with a strong diagonal."""
    drawing.plain(Values.UNIT)
    dtype, size = drawing.one_of(FLOATS), drawing.between(1, 4)
    shape = (*drawing.full_shape(0, 2), size, size)
    data = drawing.tensor(dtype, shape, limits=(-0.5, 0.5))
    data.elements[...] += (4 * np.eye(size)).astype(data.elements.dtype)
    drawing.node(data, types=typed(dtype, len(shape)))


@draws("com.microsoft.Trilu")
def trilu(drawing: Drawing) -> None:
    """Draw triangles of matrices."""
    dtype, shape = drawing.one_of(ANY[:5]), drawing.full_shape(2, 4)
    count = drawing.constant("int64", drawing.between(-4, 4)) if drawing.chance(70) else None
    drawing.node(
        drawing.tensor(dtype, shape),
        count,
        types=typed(dtype, len(shape)),
        upper=drawing.maybe(0, 1),
    )


@draws("com.microsoft.CDist")
def cdist(drawing: Drawing) -> None:
    """Draw distances between rows."""
    drawing.plain(Values.UNIT)
    dtype = drawing.one_of(("float", "double"))
    width = drawing.dimension()
    both = [drawing.tensor(dtype, (drawing.dimension(), width)) for _ in range(2)]
    metric = drawing.maybe("sqeuclidean", "euclidean")
    if metric == "euclidean":
        drawing.doubt("roots of what cancels out are as wrong as the root of the error")
    drawing.node(*both, types=typed(dtype, 2), metric=metric)


@draws("com.microsoft.Range")
def range_(drawing: Drawing) -> None:
    """Draw numbers from one up or down to another."""
    dtype = drawing.one_of(("float", "double", "int32", "int64", "int16"))
    ends = [drawing.constant(dtype, drawing.between(-8, 8)) for _ in range(2)]
    step = drawing.constant(dtype, drawing.one_of((1, 2, 3, -1, -2)))
    drawing.node(*ends, step if drawing.chance(70) else None, types=typed(dtype, 1))
    if step.name not in drawing.nodes[-1].inputs:
        drawing.given.remove(step)


@draws("com.microsoft.Unique")
def unique(drawing: Drawing) -> None:
    """Draw numbers of which some are equal."""
    drawing.plain(Values.SMALL)
    types = (Typed(type="float", rank=1), *typed("int64", 1) * 2)
    drawing.node(drawing.tensor("float", (drawing.between(1, 9),)), outputs=3, types=types)


@draws("com.microsoft.ExpandDims")
def expand_dims(drawing: Drawing) -> None:
    """Draw a tensor with one more axis."""
    dtype, shape = drawing.one_of(ANY), drawing.shape(0, 3)
    axis = drawing.constant("int32", drawing.between(-len(shape) - 1, len(shape)))
    drawing.node(drawing.tensor(dtype, shape), axis, types=typed(dtype, len(shape) + 1))


@draws("com.microsoft.Pad")
def pad(drawing: Drawing) -> None:
    """Draw a padded tensor, whose pads are a row or a matrix of one row."""
    dtype = drawing.one_of(("float",) * 5 + ("double",))
    shape = drawing.full_shape(1, 3)
    pads = [drawing.one_of((0, 1, 2)) for _ in range(2 * len(shape))]
    mode = drawing.maybe("constant", "edge", "reflect")
    if mode == "reflect":
        pads = [min(one, shape[at % len(shape)] - 1) for at, one in enumerate(pads)]
    fill = (
        drawing.constant(dtype, [2]) if mode in (None, "constant") and drawing.chance(50) else None
    )
    given = drawing.constant("int64", pads if drawing.chance(70) else [pads])
    drawing.node(
        drawing.tensor(dtype, shape), given, fill, types=typed(dtype, len(shape)), mode=mode
    )


@draws("com.microsoft.GatherND")
def gather_nd(drawing: Drawing) -> None:
    """Draw parts of a tensor by places."""
    dtype, shape = drawing.one_of(ANY), drawing.full_shape(1, 4)
    depth = drawing.between(1, len(shape))
    count = drawing.between(1, 4)
    rows = [[drawing.below(shape[at]) for at in range(depth)] for _ in range(count)]
    places = drawing.constant(drawing.one_of(("int64", "int32")), rows)
    drawing.node(drawing.tensor(dtype, shape), places, types=typed(dtype, 1 + len(shape) - depth))


@draws("com.microsoft.NGramRepeatBlock")
def ngram_repeat(drawing: Drawing) -> None:
    """Draw scores of words, of which those that would repeat a run are blocked."""
    drawing.plain(Values.UNIT)
    batch, length, words = drawing.between(1, 3), drawing.between(1, 6), drawing.between(2, 5)
    ids = drawing.tensor("int64", (batch, length), limits=(0, words - 1))
    drawing.node(
        ids,
        drawing.tensor("float", (batch, words)),
        types=typed("float", 2),
        ngram_size=drawing.between(1, 3),
    )


@draws("com.microsoft.MurmurHash3")
def murmur(drawing: Drawing) -> None:
    """Draw what is hashed."""
    dtype = drawing.one_of(("int32", "int64", "float", "double", "string", "uint32", "uint64"))
    shape = drawing.shape(0, 3)
    positive = drawing.maybe(0, 1)
    drawing.node(
        drawing.tensor(dtype, shape),
        types=typed("int32" if positive == 0 else "uint32", len(shape)),
        positive=positive,
        seed=drawing.maybe(0, 42),
    )


@draws("com.microsoft.UnfoldTensor")
def unfold(drawing: Drawing) -> None:
    """Draw windows along an axis."""
    dtype, shape = drawing.one_of(ANY[:5]), drawing.full_shape(1, 3)
    axis = drawing.axis(len(shape))
    drawing.node(
        drawing.tensor(dtype, shape),
        types=typed(dtype, len(shape) + 1),
        dim=axis if axis != -1 or drawing.chance(50) else None,
        size=drawing.between(1, shape[axis]),
        step=drawing.maybe(1, 2, 3),
    )


@draws("com.microsoft.SampleOp")
def echo(drawing: Drawing) -> None:
    """Draw what is handed through."""
    shape = drawing.shape(0, 4)
    drawing.node(drawing.tensor("float", shape), types=typed("float", len(shape)))
