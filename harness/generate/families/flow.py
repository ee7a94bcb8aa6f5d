"""Operators that hold graphs: branches, loops and scans over one or two simple nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import helper

from harness.generate.drawing import Typed
from harness.generate.element_types import NUMBERS
from harness.generate.families import draws
from harness.generate.values import Values, drawn

if TYPE_CHECKING:
    from collections.abc import Sequence

    import onnx

    from harness.generate.drawing import Drawing

TYPES = ("float", "float", "float", "double", "int64", "int32")
BODIES = ("Add", "Sub", "Mul")
OF_ANY_SIZE = 11
"""The version of If whose branches may differ in size."""
COMPARES_INTEGERS = 9
"""The version of Less that takes integers."""
BY_BATCH = 8
"""The version of Scan whose inputs have a batch first."""


def _information(name: str, of: str, shape: Sequence[int | None]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, NUMBERS[of], shape)


def _small(drawing: Drawing) -> None:
    drawing.plain(Values.UNIT)


@draws("If")
def branches(drawing: Drawing) -> None:
    """Draw two branches over values from outside, which may be of different sizes."""
    _small(drawing)
    of = drawing.one_of(TYPES)
    rank = drawing.between(0, 3)
    shape = drawing.full_shape(rank, rank)
    x, y = drawing.tensor(of, shape), drawing.tensor(of, shape)
    condition = drawing.constant(
        "bool", np.full(drawing.one_of(((), (), (1,))), drawing.chance(50))
    )
    graphs = []
    for name in ("then", "else"):
        kind = drawing.one_of((*BODIES, "Identity", "Concat"))
        result = f"{name}_result"
        inputs = [x.name, y.name] if kind != "Identity" else [y.name]
        attributes: dict[str, Any] = {}
        if kind == "Concat":
            if not rank or drawing.opset < OF_ANY_SIZE:
                kind = "Add"
            else:
                attributes["axis"] = drawing.below(rank)
        node = helper.make_node(kind, inputs, [result], **attributes)
        information = _information(result, of, [None] * rank)
        graphs.append(helper.make_graph([node], name, [], [information]))
    typed = [Typed(type=of, rank=rank)]
    drawing.node(condition, then_branch=graphs[0], else_branch=graphs[1], types=typed)


@draws("Loop")
def loop(drawing: Drawing) -> None:
    """Draw loops that end by count, by condition, by both, or do nothing; states, scans and both.

    The condition ends the loop when the sum of a counter passes a limit from outside.
    """
    _small(drawing)
    of = drawing.one_of(TYPES)
    rank = drawing.between(0, 2)
    shape = drawing.full_shape(rank, rank)
    state, step = drawing.tensor(of, shape), drawing.tensor(of, shape)
    most = drawing.between(0, 4)
    by_condition = drawing.opset >= COMPARES_INTEGERS and drawing.chance(50)
    limit = drawing.constant("int64", drawing.between(-1, 5))
    count = drawing.constant("int64", most) if not by_condition or drawing.chance(60) else None
    go_on = drawing.constant("bool", 1) if by_condition or drawing.chance(50) else None
    scans = drawing.between(0, 1)
    if scans:
        drawing.mistaken("it joins what is scanned where it should stack it")
    if go_on is None:
        drawing.mistaken("it takes no condition for one that does not hold")
    body = drawing.one_of(BODIES)
    nodes = [
        helper.make_node(body, ["state", step.name], ["next"]),
        helper.make_node("Less", ["turn", limit.name], ["go_on"])
        if by_condition
        else helper.make_node("Identity", ["before"], ["go_on"]),
    ]
    outputs = [_information("go_on", "bool", ()), _information("next", of, shape)]
    if scans:
        nodes.append(helper.make_node("Neg", ["next"], ["scanned"]))
        outputs.append(_information("scanned", of, shape))
    graph = helper.make_graph(
        nodes,
        "body",
        [
            _information("turn", "int64", ()),
            _information("before", "bool", ()),
            _information("state", of, shape),
        ],
        outputs,
    )
    if not by_condition:
        drawing.given.remove(limit)
    typed = [Typed(type=of, rank=rank), Typed(type=of, rank=rank + 1)]
    drawing.node(count, go_on, state, outputs=1 + scans, body=graph, types=typed)


@draws("Scan")
def scan(drawing: Drawing) -> None:
    """Draw a running sum or product over one or two inputs, forth and back, along any axis."""
    _small(drawing)
    of = drawing.one_of(TYPES)
    inner = drawing.full_shape(0, 2)
    length, batch = drawing.between(1, 4), drawing.between(1, 2)
    is_old = drawing.description.opset == BY_BATCH
    count = drawing.between(1, 2)
    rank = len(inner) + 1
    axes = [0 if is_old else drawing.below(rank) for _ in range(count)]
    lead = (batch,) if is_old else ()
    state = drawing.tensor(of, (*lead, *inner))
    scanned = []
    for axis in axes:
        shape = list(inner)
        shape.insert(axis, length)
        scanned.append(drawing.tensor(of, (*lead, *shape)))
    nodes = [helper.make_node(drawing.one_of(BODIES), ["state", "part0"], ["sum"])]
    last = "sum"
    if count > 1:
        nodes.append(helper.make_node(drawing.one_of(BODIES), ["sum", "part1"], ["both"]))
        last = "both"
    nodes.append(helper.make_node("Identity", [last], ["next"]))
    nodes.append(helper.make_node("Neg", [last], ["out"]))
    names = ["state", *(f"part{index}" for index in range(count))]
    graph = helper.make_graph(
        nodes,
        "body",
        [_information(name, of, inner) for name in names],
        [_information("next", of, inner), _information("out", of, inner)],
    )
    out_axis = drawing.below(rank)
    directions = [drawing.below(2) for _ in range(count)]
    stated = drawing.chance(60)
    attributes: dict[str, Any] = {"directions": directions if stated else None}
    if not is_old:
        attributes = {
            "scan_input_axes": axes if any(axes) or drawing.chance(50) else None,
            "scan_input_directions": directions if stated else None,
            "scan_output_axes": [out_axis] if drawing.chance(60) else None,
            "scan_output_directions": drawing.maybe([0], [1]),
        }
    typed = [
        Typed(type=of, rank=len(inner) + len(lead)),
        Typed(type=of, rank=rank + len(lead)),
    ]
    inputs = (None, state, *scanned) if is_old else (state, *scanned)
    drawing.node(*inputs, outputs=2, body=graph, num_scan_inputs=count, **attributes, types=typed)


@draws("SequenceMap")
def mapped(drawing: Drawing) -> None:
    """Draw a node over each tensor of a sequence, beside a tensor or another sequence."""
    _small(drawing)
    of = drawing.one_of(TYPES)
    rank = drawing.between(0, 2)
    shapes = [drawing.full_shape(rank, rank) for _ in range(drawing.between(1, 3))]
    first = drawing.value([drawn(drawing, of, shape, drawing.values) for shape in shapes])
    pair = drawing.chance(50)
    other = (
        drawing.value([drawn(drawing, of, shape, drawing.values) for shape in shapes])
        if pair
        else drawing.tensor(of, ())
    )
    node = helper.make_node(drawing.one_of(BODIES), ["one", "two"], ["result"])
    graph = helper.make_graph(
        [node],
        "body",
        [
            _information("one", of, [None] * rank),
            _information("two", of, [None] * rank if pair else ()),
        ],
        [_information("result", of, [None] * rank)],
    )
    typed = [Typed(type=f"seq(tensor({of}))", rank=None)]
    drawing.node(first, other, body=graph, types=typed)
