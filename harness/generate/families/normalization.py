"""Normalisation over batches, channels, layers, groups and neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.generate.description import RANDOM
from harness.generate.drawing import Typed
from harness.generate.families import draws
from harness.generate.families.sums import axis_of, exact, mostly, typed
from harness.generate.values import Values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.generate.drawing import Drawing, Value

WRONG = 3
"""How many of a hundred have something wrong."""

OLD_FUNCTION = 12
"""The opset after which the standard states MeanVarianceNormalization as another function."""

ONE_AXIS_SINCE = 13
"""The opset from which on Softmax and its like go over one axis."""
MASK_SINCE = 12
"""The opset that says what Dropout's mask is when nothing is dropped."""
TRAINS_BY_MOMENTUM = 9
"""The opset at which the evaluator takes BatchNormalization for training."""

EPSILONS = (1e-5, 1e-3, 0.1, 1.0)
HALF = 10
"""float16, as ONNX numbers element types."""
OF_PARAMETERS = (-2.0, 2.0)


def _spatial(drawing: Drawing, least: int = 1, most: int = 3) -> list[int]:
    return [drawing.dimension() for _ in range(drawing.between(least, most))]


def _outer(drawing: Drawing) -> list[int]:
    return [drawing.between(1, 3), drawing.between(1, 4)]


def _channels(drawing: Drawing, count: int) -> int:
    """Return how many elements a parameter of so many channels has: a wrong number at times."""
    if drawing.faults or not drawing.chance(WRONG):
        return count
    drawing.wrong("parameters of another number of channels")
    return drawing.one_of((count + 1, count + 1, max(count - 1, 0)))


@draws("BatchNormalization")
def batch(drawing: Drawing) -> None:
    """Draw statistics, or let them be taken, as training has it."""
    names = [one.type_str for one in drawing.operator.inputs] if drawing.operator else []
    dtype = mostly(drawing, "T", "float", "double")
    for name in sorted({*names} - {"T"}):
        drawing.bind(name, [dtype] if drawing.chance(80) else [])
    exact(drawing, dtype)
    shape = [*_outer(drawing), *_spatial(drawing, 0)]
    trains = drawing.maybe(0, 0, 1) if drawing.has("training_mode") else None
    spatial = drawing.one_of((None, None, 1, 0)) if drawing.has("spatial") else None
    sizes = shape[1:] if spatial == 0 else [shape[1]]
    sizes = [_channels(drawing, sizes[0]), *sizes[1:]]
    if trains and drawing.chance(50):
        shape[0] = max(shape[0], 2)
    value = drawing.data(0, shape)
    scale, bias = (drawing.weights(at, sizes, limits=OF_PARAMETERS) for at in (1, 2))
    mean = drawing.weights(3, sizes, limits=(-1.0, 1.0))
    variance = drawing.weights(4, sizes, limits=(0.1, 2.0))
    if drawing.opset == TRAINS_BY_MOMENTUM:
        drawing.mistaken("it trains where momentum is stated, and by default it is")
    second = drawing.bound.get("T2", drawing.bound.get("U", dtype))
    drawing.node(
        *(value, scale, bias, mean, variance),
        outputs=3 if trains else 1,
        types=typed(drawing, dtype, *([second] * 2 if trains else [])),
        epsilon=drawing.maybe(*EPSILONS),
        momentum=drawing.maybe(0.0, 0.5, 0.9, 1.0),
        training_mode=trains,
        spatial=spatial,
    )


@draws("InstanceNormalization")
def instance(drawing: Drawing) -> None:
    """Draw channels with a spatial part."""
    dtype = mostly(drawing, "T", "float")
    exact(drawing, dtype)
    shape = (*_outer(drawing), *_spatial(drawing))
    count = _channels(drawing, shape[1])
    value = drawing.data(0, shape)
    scale, bias = (drawing.weights(at, (count,), limits=OF_PARAMETERS) for at in (1, 2))
    epsilon = drawing.maybe(*EPSILONS)
    drawing.node(value, scale, bias, types=typed(drawing, dtype), epsilon=epsilon)


@draws("LayerNormalization")
def layer(drawing: Drawing) -> None:
    """Draw axes at the end, parameters that broadcast, and at times the statistics as well."""
    dtype = mostly(drawing, "T", "float", "double", "float16")
    exact(drawing, dtype)
    shape = drawing.full_shape(1, 4)
    axis = drawing.axis(len(shape)) if drawing.chance(75) else -1
    stash = drawing.one_of((None, None, 1, 1, 11))
    statistics = drawing.chance(35)
    if stash == 11 and dtype != "double":  # noqa: PLR2004 - a double, as ONNX numbers types
        drawing.doubt("a stash_type of more digits than the input has")
    value = drawing.data(0, shape)
    scale, bias = _parameters(drawing, shape[axis:], bias=drawing.chance(60))
    drawing.node(
        *(value, scale, bias),
        outputs=drawing.one_of(("yyy", "yy", "y-y")) if statistics else "y",
        types=typed(drawing, dtype, *(["float"] * 2 if statistics else [])),
        axis=axis if axis != -1 or drawing.chance(50) else None,
        epsilon=drawing.maybe(*EPSILONS),
        stash_type=stash,
    )


def _parameters(
    drawing: Drawing, shape: Sequence[int], *, bias: bool
) -> tuple[Value, Value | None]:
    sizes = [*shape]
    if drawing.chance(WRONG):
        drawing.wrong("a scale that does not broadcast")
        sizes[-1] += 2
    elif drawing.chance(15):
        sizes = [1 if drawing.chance(50) else size for size in shape]
    scale = drawing.weights(1, sizes, limits=OF_PARAMETERS)
    return scale, drawing.weights(2, shape, limits=OF_PARAMETERS) if bias else None


@draws("RMSNormalization")
def root_mean_square(drawing: Drawing) -> None:
    """Draw axes at the end and a scale that broadcasts."""
    dtype = mostly(drawing, "T", "float", "float16")
    drawing.bind("V", [dtype] if drawing.chance(93) else [])
    if drawing.bound["V"] != dtype:
        drawing.doubt("a scale of another type: the output has its type, by inference the input's")
    exact(drawing, dtype)
    shape = drawing.full_shape(1, 4)
    axis = drawing.axis(len(shape)) if drawing.chance(75) else -1
    value = drawing.data(0, shape)
    scale, _ = _parameters(drawing, shape[axis:], bias=False)
    drawing.node(
        *(value, scale),
        types=[Typed(type=drawing.bound["V"], rank=len(shape))],
        axis=axis if axis != -1 or drawing.chance(50) else None,
        epsilon=drawing.maybe(*EPSILONS),
        stash_type=drawing.maybe(1, 1, 1, 10),
    )


@draws("GroupNormalization")
def group(drawing: Drawing) -> None:
    """Draw channels that fall into groups."""
    dtype = mostly(drawing, "T", "float", "float16")
    exact(drawing, dtype)
    groups, stash = drawing.between(1, 3), drawing.maybe(1, 1, 1, 10)
    if stash == HALF:
        drawing.mistaken("it computes with more digits than stash_type says")
    shape = (drawing.between(1, 2), groups * drawing.between(1, 3), *_spatial(drawing))
    count = _channels(drawing, shape[1])
    value = drawing.data(0, shape)
    scale, bias = (drawing.weights(at, (count,), limits=OF_PARAMETERS) for at in (1, 2))
    if not drawing.faults and drawing.chance(WRONG):
        drawing.wrong("a number of groups that does not divide the channels")
        groups = drawing.one_of((0, -1, shape[1] + 1))
    drawing.node(
        *(value, scale, bias),
        types=[Typed(type=dtype, rank=len(shape))],
        num_groups=groups,
        epsilon=drawing.maybe(*EPSILONS),
        stash_type=stash,
    )


@draws("LRN")
def over_neighbours(drawing: Drawing) -> None:
    """Draw how many neighbours count, mostly an odd number."""
    dtype = mostly(drawing, "T", "float")
    exact(drawing, dtype)
    size = drawing.one_of((1, 3, 3, 5, 7, 2, 4))
    drawing.mistaken("it takes other neighbours at the last channels")
    if drawing.chance(WRONG):
        drawing.wrong("a size below 1")
        size = drawing.one_of((0, -1))
    elif size % 2 == 0:
        drawing.doubt("which neighbours an even size means")
    drawing.node(
        drawing.data(0, (*_outer(drawing), *_spatial(drawing, 2, 2))),
        types=typed(drawing, dtype),
        size=size,
        alpha=drawing.maybe(0.0001, 0.1, 1.0),
        beta=drawing.maybe(0.5, 0.75, 1.0),
        bias=drawing.maybe(0.5, 1.0, 2.0),
    )


@draws("LpNormalization")
def by_norm(drawing: Drawing) -> None:
    """Draw an axis and a norm."""
    dtype = mostly(drawing, "T", "float", "double")
    exact(drawing, dtype)
    shape = drawing.full_shape(1, 4)
    axis = drawing.axis(len(shape))
    value = drawing.data(0, shape)
    p = drawing.maybe(1, 2)
    if p == 1:
        drawing.mistaken("it sums elements, where it should sum what is absolute in them")
    if (np.abs(value.elements.astype(np.float64)).sum(axis=axis) == 0).any():
        drawing.doubt("what a norm of 0 gives")
    drawing.node(value, axis=axis if axis != -1 or drawing.chance(50) else None, p=p)


@draws("MeanVarianceNormalization")
def by_mean_and_variance(drawing: Drawing) -> None:
    """Draw axes over which to take them; elements that are not all the same."""
    dtype = mostly(drawing, "T", "float")
    exact(drawing, dtype)
    shape = (drawing.between(2, 3), drawing.between(1, 4), *_spatial(drawing, 2, 2))
    axes = drawing.maybe([0, 2, 3], [2, 3], [0, 1, 2, 3], [1], [-1], [0, 1])
    value = drawing.data(0, shape)
    with np.errstate(all="ignore"):
        spread = value.elements.astype(np.float64).std(axis=tuple(axes or (0, 2, 3)))
    if dtype != "float":
        drawing.doubt("the operator's function has constants of float")
    if axes is None and drawing.opset > OLD_FUNCTION:
        drawing.doubt("the checker knows no default of the axes")
    if (spread < 0.01).any():  # noqa: PLR2004 - far from the epsilon that nobody states
        drawing.doubt("what a variance of 0 gives")
    drawing.node(value, types=[Typed(type=dtype, rank=len(shape))], axes=axes)


@draws("Dropout")
def dropout(drawing: Drawing) -> None:
    """Draw what inference leaves as it is; a few that train, of which nobody knows the answer."""
    dtype = mostly(drawing, "T", "float", "double")
    shape = drawing.shape()
    value = drawing.data(0, shape)
    outputs = drawing.one_of((1, 2))
    mask = dtype if drawing.operator and drawing.operator.outputs[1].type_str == "T" else "bool"
    types = [Typed(type=one, rank=len(shape)) for one in (dtype, mask)]
    if drawing.opset < MASK_SINCE and outputs > 1:
        drawing.doubt("what a mask holds when nothing is dropped")
    if not drawing.takes(3):
        ratio = drawing.maybe(0.0, 0.1, 0.5)
        drawing.node(value, outputs=outputs, types=types, ratio=ratio)
        return
    trains = drawing.chance(25)
    drops = drawing.maybe(0.0) if trains and drawing.chance(60) else drawing.maybe(0.1, 0.5, 0.9)
    if trains and drops != 0:
        drawing.doubt(RANDOM)
    share = None if drops is None else drawing.exactly(1, drops)
    mode = drawing.exactly(2, trains) if trains or drawing.chance(40) else None
    seed = drawing.maybe(0, 1, 7)
    drawing.node(value, share, mode, outputs=outputs, types=types, seed=seed)


@draws("Softmax", "LogSoftmax", "Hardmax")
def over_an_axis(drawing: Drawing) -> None:
    """Draw an axis, or leave it out; values at the edges as well."""
    mostly(drawing, "T", "float", "double", "float16")
    shape = drawing.shape(1, 4)
    least_default = 2
    with_axis = len(shape) < least_default or drawing.chance(75)
    value = drawing.data(0, shape)
    if not np.isfinite(value.elements.astype(np.float64)).all():
        drawing.doubt("infinities and NaN")
    axis = axis_of(drawing, len(shape)) if with_axis else None
    if drawing.chance(WRONG):
        drawing.wrong("an axis that is not there")
        axis = drawing.one_of((len(shape), -len(shape) - 1, 2**31))
    if drawing.opset < ONE_AXIS_SINCE:
        drawing.mistaken("it takes one axis, as from opset 13 on, and not all from there")
    is_narrow = drawing.values >= Values.EDGES or drawing.bound["T"] == "float16"
    if is_narrow and drawing.description.operator == "LogSoftmax":
        drawing.mistaken("it takes the logarithm of what has become 0")
    drawing.node(value, types=_same(drawing, len(shape)), axis=axis)


def _same(drawing: Drawing, rank: int) -> list[Typed]:
    return [Typed(type=drawing.bound["T"], rank=rank)] if drawing.faults else []


@draws("SoftmaxCrossEntropyLoss", "NegativeLogLikelihoodLoss")
def loss(drawing: Drawing) -> None:
    """Draw scores and labels, some of them ignored, and weights of classes."""
    dtype = mostly(drawing, "T", "float")
    exact(drawing, dtype)
    classes = drawing.between(2, 5)
    outer, spatial = drawing.between(1, 3), _spatial(drawing, 0, 2)
    scores = drawing.data(0, (outer, classes, *spatial))
    shape = (outer, *spatial)
    ignored = drawing.maybe(0, classes - 1, -1, -100, 255)
    labels = (drawing.words(int(np.prod(shape))) % np.uint64(classes)).astype(np.int64)
    if ignored is not None and drawing.chance(50):
        labels[: labels.size // 2] = ignored
    if drawing.chance(WRONG):
        drawing.wrong("a label that is no class")
        labels[-1] = drawing.one_of((classes, -2, 2**31 - 1))
    reduction = drawing.maybe("none", "sum", "mean")
    if ignored is not None and ignored < 0:
        drawing.mistaken("it counts what is ignored where its label is below 0")
    if reduction in (None, "mean") and (labels == ignored).all():
        drawing.doubt("the mean of nothing")
    target = drawing.exactly(1, labels.reshape(shape))
    weights = drawing.weights(2, (classes,), limits=(0.1, 2.0)) if drawing.chance(50) else None
    two = len(drawing.operator.outputs) > 1 if drawing.operator else False
    outputs = drawing.between(1, 2) if two else 1
    drawing.node(
        *(scores, target, weights),
        outputs=outputs,
        types=typed(drawing, *[dtype] * outputs),
        ignore_index=ignored,
        reduction=reduction,
    )
