"""Quantisation: scales, zero points and blocks that do not fit."""

from __future__ import annotations

from harness.corpus.malformed.operators.nodes import (
    CONSTANT,
    ONE,
    ZERO,
    f32,
    full,
    node,
    p,
    ramp,
    u8,
)

NODES = (
    node(
        "QuantizeLinear/axis-beyond",
        ramp(2, 3),
        p(f32(1, 1, 1)),
        p(u8(0, 0, 0)),
        out="uint8",
        opset=13,
        axis=5,
    ),
    node("QuantizeLinear/scale-0", ramp(2, 3), p(f32(0, shape=())), p(ZERO), out="uint8", opset=13),
    node(
        "QuantizeLinear/of-a-scalar-per-axis",
        ONE,
        p(f32(1, 1, 1)),
        p(u8(0, 0, 0)),
        out="uint8",
        opset=13,
    ),
    node(
        "QuantizeLinear/block-negative",
        ramp(2, 3),
        p(f32(1, 1, 1, 1, shape=(2, 2))),
        p(u8(0, 0, 0, 0, shape=(2, 2))),
        out="uint8",
        opset=21,
        block_size=-1,
    ),
    node(
        "QuantizeLinear/output-type-99", ramp(2, 3), p(ONE), out="uint8", opset=21, output_dtype=99
    ),
    node(
        "QuantizeLinear/output-type-against-zero-point",
        ramp(2, 3),
        p(ONE),
        p(ZERO),
        out="int8",
        opset=21,
        output_dtype=3,
    ),
    node(
        "QuantizeLinear/scale-too-short",
        ramp(2, 3),
        p(f32(1, 1)),
        p(u8(0, 0)),
        out="uint8",
        opset=13,
        form=CONSTANT,
    ),
    node(
        "QuantizeLinear/scale-empty",
        ramp(2, 3),
        p(f32()),
        p(u8()),
        out="uint8",
        opset=13,
        form=CONSTANT,
    ),
    node(
        "DequantizeLinear/axis-beyond",
        full((2, 3), 1, "uint8"),
        p(f32(1, 1, 1)),
        p(u8(0, 0, 0)),
        opset=13,
        axis=5,
    ),
    node(
        "DequantizeLinear/scale-0", full((2, 3), 1, "uint8"), p(f32(0, shape=())), p(ZERO), opset=13
    ),
    node(
        "DequantizeLinear/of-a-scalar-per-axis",
        u8(1, shape=()),
        p(f32(1, 1, 1)),
        p(u8(0, 0, 0)),
        opset=13,
    ),
    node(
        "DequantizeLinear/block-negative",
        full((2, 3), 1, "uint8"),
        p(f32(1, 1, 1, 1, shape=(2, 2))),
        p(u8(0, 0, 0, 0, shape=(2, 2))),
        opset=21,
        block_size=-1,
    ),
    node(
        "DequantizeLinear/scale-too-short",
        full((2, 3), 1, "uint8"),
        p(f32(1, 1)),
        p(u8(0, 0)),
        opset=13,
        form=CONSTANT,
    ),
    node(
        "DequantizeLinear/zero-point-shorter-than-scale",
        full((2, 3), 1, "uint8"),
        p(f32(1, 1, 1)),
        p(u8(0)),
        opset=13,
        form=CONSTANT,
    ),
    node("DynamicQuantizeLinear/of-nothing", f32(), out="uint8,float,uint8"),
)
