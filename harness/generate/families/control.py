"""Branches and loops with small bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from onnx import helper

from harness.generate.drawing import Typed
from harness.generate.element_types import NUMBERS
from harness.generate.families import draws

if TYPE_CHECKING:
    from collections.abc import Sequence

    import onnx

    from harness.generate.drawing import Drawing

TYPES = ("float", "float", "double", "int64", "int32")
COMPARES = 9
"""The opset from which integers compare."""

UNARY = ("Neg", "Abs", "Identity")
BINARY = ("Add", "Sub", "Mul")


def _graph(
    name: str, nodes: Sequence[Any], inputs: Sequence[Any], outputs: Sequence[Any]
) -> onnx.GraphProto:
    return helper.make_graph(nodes, name, inputs, outputs)


def _typed(name: str, dtype: str, rank: int) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, NUMBERS[dtype], [None] * rank)


@draws("If")
def branches(drawing: Drawing) -> None:
    """Draw two branches of values of the graph around them, of equal ranks or not."""
    drawing.plain()
    dtype = drawing.one_of(TYPES)
    shape = drawing.shape(1, 3)
    outer = drawing.tensor(dtype, shape)
    other = drawing.tensor(dtype, shape, is_parameter=True)
    count = drawing.between(1, 2)

    def branch(name: str) -> onnx.GraphProto:
        nodes, outputs = [], []
        for at in range(count):
            made = f"{name}{at}"
            if drawing.chance(50):
                nodes.append(helper.make_node(drawing.one_of(UNARY), [outer.name], [made]))
            else:
                both = drawing.shuffled((outer.name, other.name))
                nodes.append(helper.make_node(drawing.one_of(BINARY), both, [made]))
            outputs.append(_typed(made, dtype, len(shape)))
        return _graph(name, nodes, [], outputs)

    condition = drawing.constant("bool", drawing.one_of((False, True, [True], [False])))
    drawing.node(
        condition,
        outputs=count,
        types=(Typed(type=dtype, rank=len(shape)),) * count,
        then_branch=branch("then"),
        else_branch=branch("else"),
    )


@draws("Loop")
def loop(drawing: Drawing) -> None:
    """Draw a loop that ends by its count, by its condition, or before it begins."""
    drawing.plain()
    dtype = drawing.one_of(TYPES)
    shape = drawing.shape(0, 2)
    compares = drawing.opset >= COMPARES
    has_count, has_condition = drawing.chance(85) or not compares, drawing.chance(70)
    limit = drawing.between(0, 4)
    stops = compares and (drawing.chance(50) or not has_count)
    nodes = [helper.make_node(drawing.one_of(BINARY), drawing.shuffled(("v", "step")), ["v2"])]
    if stops:
        nodes.append(helper.make_node("Less", ["i", "last"], ["c2"]))
    else:
        nodes.append(helper.make_node("Identity", ["c"], ["c2"]))
    outputs = [helper.make_tensor_value_info("c2", NUMBERS["bool"], [])]
    outputs.append(_typed("v2", dtype, len(shape)))
    types = [Typed(type=dtype, rank=len(shape))]
    for at in range(drawing.below(3)):
        nodes.append(
            helper.make_node(drawing.one_of(UNARY), [drawing.one_of(["v", "v2"])], [f"s{at}"])
        )
        outputs.append(_typed(f"s{at}", dtype, len(shape)))
        types.append(Typed(type=dtype, rank=len(shape) + 1))
    inputs = [
        helper.make_tensor_value_info("i", NUMBERS["int64"], []),
        helper.make_tensor_value_info("c", NUMBERS["bool"], []),
        _typed("v", dtype, len(shape)),
    ]
    if types[1:]:
        drawing.mistaken("joins what a scan gives instead of stacking it")
    if not has_condition and has_count:
        drawing.mistaken("takes a condition that is left out for a false one")
    body = _graph("body", nodes, inputs, outputs)
    body.initializer.append(
        helper.make_tensor("step", NUMBERS[dtype], [], [drawing.one_of((1, 2))])
    )
    body.initializer.append(helper.make_tensor("last", NUMBERS["int64"], [], [limit]))
    drawing.node(
        drawing.constant("int64", drawing.one_of((0, 1, 2, 3, 5))) if has_count else None,
        drawing.constant("bool", drawing.chance(85)) if has_condition or not has_count else None,
        drawing.tensor(dtype, shape),
        outputs=len(types),
        types=types,
        body=body,
    )


@draws("Scan")
def scan(drawing: Drawing) -> None:
    """Draw a scan over rows or columns, from either end; before version 9 over each of a batch."""
    drawing.plain()
    dtype = drawing.one_of(TYPES)
    width, length = drawing.between(1, 4), drawing.between(1, 4)
    by_batch = drawing.has("directions")
    batches = drawing.between(1, 3)
    batch = (batches,) if by_batch else ()
    axis = 0 if by_batch else drawing.below(2)
    rows = (*batch, length, width) if not axis else (width, length)
    nodes = [
        helper.make_node(drawing.one_of(BINARY), drawing.shuffled(("state", "row")), ["next"]),
        helper.make_node(drawing.one_of(UNARY), [drawing.one_of(("next", "row"))], ["out"]),
    ]
    body = _graph(
        "body",
        nodes,
        [_typed("state", dtype, 1), _typed("row", dtype, 1)],
        [_typed("next", dtype, 1), _typed("out", dtype, 1)],
    )
    lengths = None
    if by_batch and drawing.chance(50):
        lengths = drawing.constant("int64", [drawing.between(1, length) for _ in range(batches)])
        drawing.doubt("the standard leaves open what stands behind the end of a short sequence")
    state = drawing.tensor(dtype, (*batch, width))
    data = drawing.tensor(dtype, rows)
    backwards = drawing.maybe([0], [1])
    drawing.mistaken("knows scans over the first axis and forwards only")
    drawing.node(
        *((lengths,) if by_batch else ()),
        state,
        data,
        outputs=2,
        types=(
            Typed(type=dtype, rank=1 + len(batch)),
            Typed(type=dtype, rank=2 + len(batch)),
        ),
        num_scan_inputs=1,
        directions=backwards,
        scan_input_directions=backwards,
        scan_input_axes=[axis - 2 * drawing.below(2)] if axis or drawing.chance(50) else None,
        scan_output_axes=drawing.maybe([0], [1], [-1]),
        scan_output_directions=drawing.maybe([0], [1]),
        body=body,
    )
