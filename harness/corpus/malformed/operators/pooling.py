"""Pooling: windows that no image can have."""

from __future__ import annotations

from harness.corpus.malformed.operators.nodes import FOLDED, VAST, node, ramp

NODES = (
    node("MaxPool/stride-0", ramp(1, 1, 4, 4), kernel_shape=[2, 2], strides=[0, 0]),
    node("MaxPool/stride-huge", ramp(1, 1, 4, 4), kernel_shape=[2, 2], strides=[VAST, VAST]),
    node("MaxPool/stride-one-too-few", ramp(1, 1, 4, 4), kernel_shape=[2, 2], strides=[1]),
    node("MaxPool/dilation-0", ramp(1, 1, 4, 4), kernel_shape=[2, 2], dilations=[0, 0]),
    node("MaxPool/dilation-huge", ramp(1, 1, 4, 4), kernel_shape=[2, 2], dilations=[VAST, VAST]),
    node("MaxPool/dilation-one-too-few", ramp(1, 1, 4, 4), kernel_shape=[2, 2], dilations=[2]),
    node("MaxPool/pads-negative", ramp(1, 1, 4, 4), kernel_shape=[2, 2], pads=[-1, -1, -1, -1]),
    node("MaxPool/pads-huge", ramp(1, 1, 4, 4), kernel_shape=[2, 2], pads=[VAST, VAST, VAST, VAST]),
    node(
        "MaxPool/pads-huge",
        ramp(1, 1, 4, 4),
        form=FOLDED,
        kernel_shape=[2, 2],
        pads=[VAST, VAST, VAST, VAST],
    ),
    node("MaxPool/pads-of-wrong-length", ramp(1, 1, 4, 4), kernel_shape=[2, 2], pads=[1, 1]),
    node(
        "MaxPool/auto-pad-unknown", ramp(1, 1, 4, 4), kernel_shape=[2, 2], auto_pad="SAME_SIDEWAYS"
    ),
    node("MaxPool/kernel-0", ramp(1, 1, 4, 4), kernel_shape=[0, 0]),
    node("MaxPool/kernel-of-wrong-length", ramp(1, 1, 4, 4), kernel_shape=[2]),
    node("MaxPool/image-of-rank-2", ramp(4, 4), kernel_shape=[2, 2]),
    node(
        "MaxPool/storage-order-7",
        ramp(1, 1, 4, 4),
        out="float,int64",
        kernel_shape=[2, 2],
        storage_order=7,
    ),
    node("MaxPool/one-dimension-dilation-huge", ramp(1, 1, 8), kernel_shape=[3], dilations=[VAST]),
    node("MaxPool/stride-0", ramp(1, 1, 4, 4), form=FOLDED, kernel_shape=[2, 2], strides=[0, 0]),
    node(
        "MaxPool/ceil-with-huge-stride",
        ramp(1, 1, 4, 4),
        opset=12,
        kernel_shape=[2, 2],
        strides=[VAST, VAST],
        ceil_mode=1,
    ),
    node("AveragePool/stride-0", ramp(1, 1, 4, 4), kernel_shape=[2, 2], strides=[0, 0]),
    node("AveragePool/stride-huge", ramp(1, 1, 4, 4), kernel_shape=[2, 2], strides=[VAST, VAST]),
    node("AveragePool/stride-one-too-few", ramp(1, 1, 4, 4), kernel_shape=[2, 2], strides=[1]),
    node(
        "AveragePool/dilation-0", ramp(1, 1, 4, 4), opset=19, kernel_shape=[2, 2], dilations=[0, 0]
    ),
    node(
        "AveragePool/dilation-huge",
        ramp(1, 1, 4, 4),
        opset=19,
        kernel_shape=[2, 2],
        dilations=[VAST, VAST],
    ),
    node(
        "AveragePool/dilation-one-too-few",
        ramp(1, 1, 4, 4),
        opset=19,
        kernel_shape=[2, 2],
        dilations=[2],
    ),
    node("AveragePool/pads-negative", ramp(1, 1, 4, 4), kernel_shape=[2, 2], pads=[-1, -1, -1, -1]),
    node(
        "AveragePool/pads-huge",
        ramp(1, 1, 4, 4),
        kernel_shape=[2, 2],
        pads=[VAST, VAST, VAST, VAST],
    ),
    node(
        "AveragePool/pads-huge",
        ramp(1, 1, 4, 4),
        form=FOLDED,
        kernel_shape=[2, 2],
        pads=[VAST, VAST, VAST, VAST],
    ),
    node("AveragePool/pads-of-wrong-length", ramp(1, 1, 4, 4), kernel_shape=[2, 2], pads=[1, 1]),
    node(
        "AveragePool/auto-pad-unknown",
        ramp(1, 1, 4, 4),
        kernel_shape=[2, 2],
        auto_pad="SAME_SIDEWAYS",
    ),
    node("AveragePool/kernel-0", ramp(1, 1, 4, 4), kernel_shape=[0, 0]),
    node("AveragePool/kernel-of-wrong-length", ramp(1, 1, 4, 4), kernel_shape=[2]),
    node("AveragePool/image-of-rank-2", ramp(4, 4), kernel_shape=[2, 2]),
    node(
        "AveragePool/stride-0", ramp(1, 1, 4, 4), form=FOLDED, kernel_shape=[2, 2], strides=[0, 0]
    ),
    node("LpPool/stride-0", ramp(1, 1, 4, 4), kernel_shape=[2, 2], strides=[0, 0]),
    node("LpPool/stride-huge", ramp(1, 1, 4, 4), kernel_shape=[2, 2], strides=[VAST, VAST]),
    node("LpPool/stride-one-too-few", ramp(1, 1, 4, 4), kernel_shape=[2, 2], strides=[1]),
    node("LpPool/dilation-0", ramp(1, 1, 4, 4), opset=18, kernel_shape=[2, 2], dilations=[0, 0]),
    node(
        "LpPool/dilation-huge",
        ramp(1, 1, 4, 4),
        opset=18,
        kernel_shape=[2, 2],
        dilations=[VAST, VAST],
    ),
    node(
        "LpPool/dilation-one-too-few",
        ramp(1, 1, 4, 4),
        opset=18,
        kernel_shape=[2, 2],
        dilations=[2],
    ),
    node("LpPool/pads-negative", ramp(1, 1, 4, 4), kernel_shape=[2, 2], pads=[-1, -1, -1, -1]),
    node("LpPool/pads-huge", ramp(1, 1, 4, 4), kernel_shape=[2, 2], pads=[VAST, VAST, VAST, VAST]),
    node(
        "LpPool/pads-huge",
        ramp(1, 1, 4, 4),
        form=FOLDED,
        kernel_shape=[2, 2],
        pads=[VAST, VAST, VAST, VAST],
    ),
    node("LpPool/pads-of-wrong-length", ramp(1, 1, 4, 4), kernel_shape=[2, 2], pads=[1, 1]),
    node(
        "LpPool/auto-pad-unknown", ramp(1, 1, 4, 4), kernel_shape=[2, 2], auto_pad="SAME_SIDEWAYS"
    ),
    node("LpPool/kernel-0", ramp(1, 1, 4, 4), kernel_shape=[0, 0]),
    node("LpPool/kernel-of-wrong-length", ramp(1, 1, 4, 4), kernel_shape=[2]),
    node("LpPool/image-of-rank-2", ramp(4, 4), kernel_shape=[2, 2]),
    node("GlobalLpPool/p-0", ramp(1, 1, 4, 4), p=0),
    node("GlobalLpPool/image-of-rank-2", ramp(2, 2)),
    node("GlobalAveragePool/image-of-rank-2", ramp(2, 2)),
    node("GlobalMaxPool/image-of-rank-2", ramp(2, 2)),
)
