"""Chains around convolutions: what a build fuses into them, and where it must not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.generate.families import draws
from harness.generate.values import Values

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing, Value

    Image = tuple[Value, tuple[int, ...]]


def image(drawing: Drawing, dtype: str, channels: int | None = None, rank: int = 0) -> Image:
    """Return a batch of images, or of signals or volumes, and its shape."""
    rank = rank or drawing.one_of((1, 2, 2, 2, 2, 3))
    sizes = [drawing.between(3, 7) for _ in range(rank)]
    shape = (drawing.between(1, 2), channels or drawing.one_of((1, 2, 3, 4, 8)), *sizes)
    return drawing.tensor(dtype, shape), shape


def convolved(drawing: Drawing, image: Image, dtype: str, out: int | None = None) -> Image:
    """Return a convolution of images whose every attribute is drawn, and its shape."""
    value, (batch, channels, *sizes) = image
    group = drawing.one_of((1, 1, 1, channels)) or 1  # padding takes the only channel away at times
    filters = out or group * drawing.between(1, 3)
    if filters % group:
        group = 1
    kernel = [drawing.between(1, min(3, size)) for size in sizes]
    strides = [drawing.one_of((1, 1, 2)) for _ in sizes]
    pads = [drawing.one_of((0, 0, 1)) for _ in sizes * 2]
    rank = len(sizes)
    shape = [
        (size + pads[at] + pads[at + rank] - kernel[at]) // strides[at] + 1
        for at, size in enumerate(sizes)
    ]
    made = drawing.apply(
        "Conv",
        value,
        drawing.tensor(dtype, (filters, channels // group, *kernel), is_parameter=True),
        drawing.tensor(dtype, (filters,), is_parameter=True) if drawing.chance(60) else None,
        group=group if group > 1 else drawing.maybe(1),
        strides=strides,
        pads=pads,
        kernel_shape=drawing.maybe(kernel),
    )
    return drawing.seen(made), (batch, filters, *shape)


def fitting(drawing: Drawing, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return a shape to add to images or multiply them with: by channel, or by anything else."""
    batch, channels, *sizes = shape
    ones = (1,) * len(sizes)
    return drawing.one_of(
        (
            (channels, *ones),
            (1, channels, *ones),
            (1, channels, *ones),
            (batch, channels, *ones),
            (sizes[-1],),
            (1, 1, *sizes),
            (1,),
            (1, 1, 1, channels, *ones)[-len(shape) :],
            (),
            shape,
            (1, 1, channels, *ones) if drawing.chance(20) else shape,
        )
    )


def activated(drawing: Drawing, value: Value, dtype: str) -> Value:
    """Return an activation of a value: one of those that builds fuse, or one they do not."""
    name = drawing.one_of(
        ("Relu", "Relu", "LeakyRelu", "Sigmoid", "Tanh", "HardSigmoid", "Clip", "Elu", "HardSwish")
    )
    if name == "Clip":
        low, high = drawing.one_of(((0, 6), (-1, 1), (0.5, 0.25), (-3, 3)))
        ends = drawing.constant(dtype, low), drawing.constant(dtype, high)
        return drawing.apply("Clip", value, *(end if drawing.chance(80) else None for end in ends))
    if name == "HardSwish" and drawing.opset < 14:  # noqa: PLR2004 - the opset that brought it
        name = "Relu"
    return drawing.apply(
        name,
        value,
        alpha=drawing.maybe(0.125, 0.5, -0.25, 2.0) if name != "Relu" else None,
        beta=drawing.maybe(0.25, 0.75) if name == "HardSigmoid" else None,
    )


@draws("chain/conv-add-relu")
def conv_add_relu(drawing: Drawing) -> None:
    """Draw a convolution, something added to it, an activation."""
    drawing.plain(Values.UNIT)
    dtype = drawing.float_type()
    first = image(drawing, dtype)
    made, shape = convolved(drawing, first, dtype)
    if drawing.chance(80):
        if drawing.chance(30):
            other, _ = convolved(drawing, first, dtype, shape[1])
            if drawing.chance(50):
                other = drawing.tensor(dtype, shape)
            else:
                other = drawing.apply("GlobalAveragePool", other)
        else:
            other = drawing.tensor(dtype, fitting(drawing, shape), is_parameter=drawing.chance(70))
        made = drawing.seen(drawing.apply("Add", *drawing.shuffled((made, other))))
    drawing.give(activated(drawing, made, dtype))


@draws("chain/conv-mul", "chain/conv-add", "chain/conv-sub")
def conv_scaled(drawing: Drawing) -> None:
    """Draw a convolution and a constant of some shape beside it."""
    drawing.plain(Values.UNIT)
    dtype = drawing.float_type()
    made, shape = convolved(drawing, image(drawing, dtype), dtype)
    for _ in range(drawing.between(1, 2)):
        other = drawing.tensor(dtype, fitting(drawing, shape), is_parameter=True)
        name = drawing.description.operator.rpartition("-")[2].title()
        made = drawing.seen(drawing.apply(name, *drawing.shuffled((made, other))))
    drawing.give(made)


def normalised(drawing: Drawing, value: Value, channels: int, dtype: str) -> Value:
    """Return a batch normalisation of a value."""
    if drawing.opset < 14:  # noqa: PLR2004 - the opset of the next version
        drawing.mistaken("BatchNormalization normalises by the data's own mean and variance")
    return drawing.apply(
        "BatchNormalization",
        value,
        *(drawing.tensor(dtype, (channels,), is_parameter=True) for _ in range(3)),
        drawing.tensor(dtype, (channels,), limits=(0.25, 2), is_parameter=True),
        epsilon=drawing.maybe(1e-5, 0.125, 0.0),
        momentum=drawing.maybe(0.5),
    )


@draws("chain/conv-batchnorm")
def conv_batchnorm(drawing: Drawing) -> None:
    """Draw a convolution and a batch normalisation behind it, or before it, or both."""
    drawing.plain(Values.UNIT)
    dtype = drawing.float_type()
    value, shape = image(drawing, dtype)
    if drawing.chance(30):
        value = drawing.seen(normalised(drawing, value, shape[1], dtype))
    made, shape = convolved(drawing, (value, shape), dtype)
    made = drawing.seen(normalised(drawing, made, shape[1], dtype))
    drawing.give(activated(drawing, made, dtype) if drawing.chance(50) else made)


@draws("chain/conv-transpose-batchnorm")
def conv_transpose_batchnorm(drawing: Drawing) -> None:
    """Draw a transposed convolution and a batch normalisation, an addition or an activation."""
    drawing.plain(Values.UNIT)
    dtype = drawing.float_type()
    value, (_, channels, *sizes) = image(drawing, dtype)
    group = drawing.one_of((1, 1, channels))
    each = drawing.between(1, 3)
    weight = drawing.tensor(dtype, (channels, each, *(2 for _ in sizes)), is_parameter=True)
    bias = drawing.tensor(dtype, (each * group,), is_parameter=True) if drawing.chance(50) else None
    if bias is not None and group > 1:
        drawing.mistaken("it adds the bias to the first group only")
    made = drawing.apply(
        "ConvTranspose",
        value,
        weight,
        bias,
        group=group,
        strides=drawing.maybe([drawing.between(1, 2) for _ in sizes]),
    )
    made = drawing.seen(made)
    if drawing.chance(60):
        made = normalised(drawing, made, each * group, dtype)
    if drawing.chance(60):
        made = activated(drawing, drawing.seen(made), dtype)
    drawing.give(made)


@draws("chain/pad-conv", "chain/pad-pool")
def pad_conv(drawing: Drawing) -> None:
    """Draw a pad before a convolution or a pooling: legal to fuse where it pads with zeros."""
    drawing.plain(Values.UNIT)
    dtype = drawing.float_type()
    value, shape = image(drawing, dtype)
    rank = len(shape)
    pads = [drawing.one_of((0, 1, 2)) if at % rank > 1 else 0 for at in range(2 * rank)]
    if drawing.chance(15):
        pads[drawing.below(2 * rank)] = drawing.one_of((1, -1))
    mode = drawing.maybe("constant", "constant", "reflect", "edge")
    fill = drawing.one_of((0, 0, 0, 0.5, -1)) if mode in (None, "constant") else 0
    constant = drawing.constant(dtype, fill) if fill or drawing.chance(40) else None
    padded = drawing.apply("Pad", value, drawing.constant("int64", pads), constant, mode=mode)
    after = tuple(size + pads[at] + pads[at + rank] for at, size in enumerate(shape))
    padded = drawing.seen(padded)
    if drawing.description.operator.endswith("conv"):
        made, _ = convolved(drawing, (padded, after), dtype)
    else:
        made = _pooled(drawing, padded, rank - 2)
    drawing.give(made)


def _pooled(drawing: Drawing, value: Value, rank: int) -> Value:
    name = drawing.one_of(("MaxPool", "AveragePool"))
    drawing.mistaken("mixes up the pads of the sides")
    return drawing.apply(
        name,
        value,
        kernel_shape=[drawing.between(2, 3)] * rank,
        strides=drawing.maybe([drawing.between(1, 2)] * rank),
        pads=drawing.maybe([drawing.between(0, 1) for _ in range(2 * rank)]),
        count_include_pad=drawing.maybe(0, 1) if name == "AveragePool" else None,
        ceil_mode=drawing.maybe(0, 0, 1),
    )


@draws("chain/conv-row")
def conv_row(drawing: Drawing) -> None:
    """Draw convolutions, poolings and additions in a row: a build may change the layout of all."""
    drawing.plain(Values.UNIT)
    dtype = "float"
    channels = drawing.one_of((3, 8, 8, 16, 16, 32))
    value, shape = image(drawing, dtype, channels, rank=2)
    for _ in range(drawing.between(2, 5)):
        kind = drawing.below(7)
        small = min(shape[2:]) < 3  # noqa: PLR2004 - the largest kernel
        if kind <= 2 or small:  # noqa: PLR2004 - a convolution in half of the draws
            value, shape = convolved(
                drawing, (value, shape), dtype, drawing.one_of((8, 16, 16, 24, 12))
            )
        elif kind == 3:  # noqa: PLR2004
            value = drawing.seen(
                drawing.apply(
                    drawing.one_of(("MaxPool", "AveragePool")),
                    value,
                    kernel_shape=[3, 3],
                    pads=[1, 1, 1, 1],
                )
            )
        elif kind == 4:  # noqa: PLR2004
            other, other_shape = convolved(drawing, (value, shape), dtype, shape[1])
            same = other_shape == shape
            value = drawing.apply("Add", value, other) if same else drawing.seen(value)
            if not same:
                drawing.give(other)
        elif kind == 5:  # noqa: PLR2004
            other = drawing.apply("Relu", value)
            value = drawing.apply("Concat", value, other, axis=1)
            shape = (shape[0], 2 * shape[1], *shape[2:])
        else:
            value = activated(drawing, value, dtype)
    if drawing.chance(30):
        value = drawing.apply("GlobalAveragePool", value)
    drawing.give(value)


@draws("chain/conv-resize", "chain/conv-slice")
def conv_then(drawing: Drawing) -> None:
    """Draw a convolution and something that touches its layout."""
    drawing.plain(Values.UNIT)
    channels = drawing.one_of((8, 16))
    first = image(drawing, "float", channels, rank=2)
    value, shape = convolved(drawing, first, "float", drawing.one_of((8, 16, 12)))
    if drawing.description.operator.endswith("resize"):
        scales = [1.0, 1.0, drawing.one_of((1.0, 2.0, 3.0)), drawing.one_of((1.0, 2.0))]
        value = drawing.apply(
            "Resize",
            value,
            None,
            drawing.constant("float", scales),
            mode=drawing.one_of(("nearest", "linear")),
            coordinate_transformation_mode=drawing.maybe("asymmetric", "align_corners"),
            nearest_mode=drawing.maybe("floor"),
        )
    else:
        stop = drawing.between(1, shape[1])
        value = drawing.apply(
            "Slice",
            value,
            drawing.constant("int64", [drawing.below(stop)]),
            drawing.constant("int64", [stop]),
            drawing.constant("int64", [1]),
        )
        shape = (shape[0], 0, *shape[2:])
        drawing.give(value)
        return
    value, _ = convolved(
        drawing,
        (value, (*shape[:2], int(shape[2] * scales[2]), int(shape[3] * scales[3]))),
        "float",
    )
    drawing.give(value)
