"""Sub-graphs and functions that do not fit what calls them, and attributes of the wrong kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from onnx import AttributeProto, helper

from harness.corpus.malformed import valid_models as models
from harness.corpus.malformed.edits import at, put
from harness.corpus.malformed.graphs import edited_model, of_valid
from harness.corpus.malformed.valid_models import FLOAT, raw_tensor, valid
from harness.wire.malformed import Right, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from onnx import ModelProto

    from harness.corpus.malformed.faults import Malformed

    Edit = Callable[[ModelProto], object]

REFUSAL, EITHER = Right.REFUSAL, Right.EITHER

FIRST, SECOND = "graph.node[0].attribute[0]", "graph.node[0].attribute[1]"
BODY = "functions[0]"


def bodies() -> Iterator[Malformed]:
    """Return the faults of control flow, of functions and of attributes."""
    for kind, source, edits, latest in (
        ("if", models.IF, IFS, Stage.OPEN),
        ("loop", models.LOOP, LOOPS, Stage.OPEN),
        ("scan", models.SCAN, SCANS, Stage.RUN),  # how many axes there are may show at run only
        ("function", models.FUNCTION, FUNCTIONS, Stage.OPEN),
    ):
        for name, (edit, right) in edits.items():
            yield edited_model(f"bodies/{kind}/{name}", source, edit, right, latest)
    for name, functions in RECURSIONS.items():
        graph = "g (float[3] x) => (float[3] y) { y = mine.A(x) }"
        source = valid(graph, opsets='"": 13, "mine": 1', functions=functions)
        yield of_valid(f"bodies/function/{name}", source, REFUSAL)
    for name, (edit, right) in ATTRIBUTES.items():
        yield edited_model(f"attribute/cast-to/{name}", models.CAST, edit, right)
    for kind, fill in KINDS.items():
        for usual, source, path in (
            ("integer", models.CAST, FIRST),
            ("graph", models.IF, FIRST),
            ("tensor", models.CONSTANT, FIRST),
            ("float", LEAKY, FIRST),
            ("integers", TRANSPOSED, FIRST),
        ):
            if kind != usual:
                yield edited_model(f"attribute/{usual}/as-{kind}", source, _as(path, fill), REFUSAL)


LEAKY = valid("g (float[3] x) => (float[3] y) { y = LeakyRelu<alpha = 0.5>(x) }")
TRANSPOSED = valid("g (float[3] x) => (float[3] y) { y = Transpose<perm = [0]>(x) }")


def _drop(path: str, index: int = -1) -> Edit:
    return lambda m: at(m, path).pop(index)


def _double(path: str) -> Edit:
    """Return the edit that puts the last item of a list there once more."""
    return lambda m: at(m, path).append(at(m, path)[-1])


def _put(path: str, value: Any) -> Edit:
    def edit(model: ModelProto) -> None:
        put(model, path, value)

    return edit


def _integers(name: str, values: Sequence[int]) -> Edit:
    made = helper.make_attribute(name, values, attr_type=AttributeProto.INTS)
    return lambda m: m.graph.node[0].attribute.append(made)


def _empty(path: str) -> Edit:
    return lambda m: at(m, path).Clear()


def _refer_to_text(model: ModelProto) -> None:
    reference = AttributeProto(name="to", ref_attr_name="how", type=AttributeProto.INT)
    model.functions[0].attribute.append("how")
    model.functions[0].node[1].attribute[0].CopyFrom(reference)
    model.graph.node[0].attribute.append(helper.make_attribute("how", "1"))


IFS: dict[str, tuple[Edit, Right]] = {
    "no-branches": (lambda m: m.graph.node[0].ClearField("attribute"), REFUSAL),
    "no-else": (_drop("graph.node[0].attribute"), REFUSAL),
    "no-then": (_drop("graph.node[0].attribute", 0), REFUSAL),
    "then-twice": (_double("graph.node[0].attribute"), REFUSAL),
    "empty-branch": (_empty(f"{FIRST}.g"), REFUSAL),
    "branch-without-outputs": (_drop(f"{FIRST}.g.output"), REFUSAL),
    "branch-with-two-outputs": (_double(f"{FIRST}.g.output"), REFUSAL),
    "branch-without-nodes": (lambda m: at(m, f"{FIRST}.g").ClearField("node"), REFUSAL),
    "branch-with-input": (
        lambda m: at(m, f"{FIRST}.g").input.append(helper.make_tensor_value_info("q", FLOAT, [3])),
        REFUSAL,
    ),
    "branch-makes-what-is-outside": (
        lambda m: at(m, f"{FIRST}.g").node.append(helper.make_node("Neg", ["x"], ["x"])),
        REFUSAL,
    ),
    "branch-takes-from-the-other": (_put(f"{FIRST}.g.node[0].input[0]", "k"), REFUSAL),
    "branch-takes-what-is-not-there": (_put(f"{FIRST}.g.node[0].input[0]", "q"), REFUSAL),
    "branch-output-nobody-makes": (_put(f"{FIRST}.g.output[0].name", "q"), REFUSAL),
    "branch-output-empty": (_put(f"{FIRST}.g.output[0].name", ""), REFUSAL),
    "branch-name-empty": (_put(f"{FIRST}.g.name", ""), EITHER),
    "branch-output-other-shape": (
        _put(f"{FIRST}.g.output[0].type.tensor_type.shape.dim[0].dim_value", 4),
        EITHER,
    ),
    "condition-missing": (_drop("graph.node[0].input"), REFUSAL),
    "condition-empty": (_put("graph.node[0].input[0]", ""), REFUSAL),
    "condition-is-float": (_put("graph.node[0].input[0]", "x"), REFUSAL),
    "condition-twice": (_double("graph.node[0].input"), REFUSAL),
    "outputs-too-many": (lambda m: m.graph.node[0].output.append("q"), REFUSAL),
    "outputs-none": (_drop("graph.node[0].output"), REFUSAL),
}

LOOPS: dict[str, tuple[Edit, Right]] = {
    "no-body": (_drop("graph.node[0].attribute"), REFUSAL),
    "empty-body": (_empty(f"{FIRST}.g"), REFUSAL),
    "body-without-inputs": (lambda m: at(m, f"{FIRST}.g").ClearField("input"), REFUSAL),
    "body-inputs-too-few": (_drop(f"{FIRST}.g.input"), REFUSAL),
    "body-inputs-too-many": (
        lambda m: at(m, f"{FIRST}.g").input.append(helper.make_tensor_value_info("q", FLOAT, [3])),
        REFUSAL,
    ),
    "body-without-outputs": (lambda m: at(m, f"{FIRST}.g").ClearField("output"), REFUSAL),
    "body-outputs-too-few": (_drop(f"{FIRST}.g.output"), REFUSAL),
    "body-outputs-too-many": (_double(f"{FIRST}.g.output"), REFUSAL),
    "body-outputs-swapped": (
        lambda m: at(m, f"{FIRST}.g.output").reverse(),
        REFUSAL,
    ),
    "carried-missing": (_drop("graph.node[0].input"), REFUSAL),
    "carried-empty": (_put("graph.node[0].input[2]", ""), REFUSAL),
    "count-is-float": (_put("graph.node[0].input[0]", "x"), REFUSAL),
    "condition-is-float": (_put("graph.node[0].input[1]", "x"), REFUSAL),
    "outputs-too-many": (lambda m: m.graph.node[0].output.append("q"), REFUSAL),
    "outputs-none": (_drop("graph.node[0].output"), REFUSAL),
    "inputs-none": (lambda m: m.graph.node[0].ClearField("input"), REFUSAL),
}

SCANS: dict[str, tuple[Edit, Right]] = {
    **{
        f"scan-inputs-{n}": (_put(f"{FIRST}.i", n), REFUSAL)
        for n in (0, -1, 2, 2**20, 2**32 + 1, 2**62, -(2**63))
    },
    "no-body": (_drop("graph.node[0].attribute"), REFUSAL),
    "no-scan-inputs": (_drop("graph.node[0].attribute", 0), REFUSAL),
    "empty-body": (_empty(f"{SECOND}.g"), REFUSAL),
    "body-without-inputs": (_drop(f"{SECOND}.g.input"), REFUSAL),
    "body-inputs-too-many": (_double(f"{SECOND}.g.input"), REFUSAL),
    "body-without-outputs": (_drop(f"{SECOND}.g.output"), REFUSAL),
    "body-outputs-too-many": (_double(f"{SECOND}.g.output"), REFUSAL),
    "inputs-none": (_drop("graph.node[0].input"), REFUSAL),
    "outputs-too-many": (lambda m: m.graph.node[0].output.append("q"), REFUSAL),
    **{
        f"{name}-{'x'.join(map(str, values))}": (_integers(name, values), REFUSAL)
        for name, several in (
            ("scan_input_axes", ([1], [-2], [2**62], [0, 0])),
            ("scan_output_axes", ([2], [-3], [2**62], [0, 0])),
            ("scan_input_directions", ([2], [-1], [2**62], [0, 0])),
            ("scan_output_directions", ([2], [-1], [2**62], [0, 0])),
        )
        for values in several
    },
}

FUNCTIONS: dict[str, tuple[Edit, Right]] = {
    "missing": (lambda m: m.ClearField("functions"), REFUSAL),
    "twice": (_double("functions"), REFUSAL),
    "name-empty": (_put(f"{BODY}.name", ""), REFUSAL),
    "name-other": (_put(f"{BODY}.name", "Other"), REFUSAL),
    "domain-other": (_put(f"{BODY}.domain", "other"), REFUSAL),
    "domain-not-imported": (_drop("opset_import"), EITHER),
    "overload-other": (_put(f"{BODY}.overload", "other"), REFUSAL),
    "overload-of-call-other": (_put("graph.node[0].overload", "other"), REFUSAL),
    "no-opsets": (lambda m: at(m, BODY).ClearField("opset_import"), EITHER),
    "opset-0": (_put(f"{BODY}.opset_import[0].version", 0), REFUSAL),
    "opset-negative": (_put(f"{BODY}.opset_import[0].version", -1), REFUSAL),
    "opset-beyond": (_put(f"{BODY}.opset_import[0].version", 999), REFUSAL),
    "opset-older": (_put(f"{BODY}.opset_import[0].version", 12), EITHER),
    "no-inputs": (lambda m: at(m, BODY).ClearField("input"), REFUSAL),
    "no-outputs": (lambda m: at(m, BODY).ClearField("output"), REFUSAL),
    "no-nodes": (lambda m: at(m, BODY).ClearField("node"), REFUSAL),
    "inputs-too-many": (lambda m: at(m, BODY).input.append("q"), EITHER),
    "input-twice": (_double(f"{BODY}.input"), EITHER),
    "outputs-too-many": (lambda m: at(m, BODY).output.append("q"), REFUSAL),
    "output-twice": (_double(f"{BODY}.output"), EITHER),
    "input-empty": (_put(f"{BODY}.input[0]", ""), REFUSAL),
    "output-empty": (_put(f"{BODY}.output[0]", ""), REFUSAL),
    "output-nobody-makes": (_put(f"{BODY}.output[0]", "q"), REFUSAL),
    "node-takes-what-is-not-there": (_put(f"{BODY}.node[2].input[0]", "q"), REFUSAL),
    "node-takes-from-the-caller": (_put(f"{BODY}.node[2].input[0]", "x"), REFUSAL),
    "node-unknown": (_put(f"{BODY}.node[2].op_type", "Nope"), REFUSAL),
    "node-with-reference-to-nothing": (
        lambda m: at(m, f"{BODY}.node[1].attribute").append(
            AttributeProto(name="saturate", ref_attr_name="nowhere", type=AttributeProto.INT)
        ),
        EITHER,
    ),
    "reference-for-what-is-needed": (
        lambda m: at(m, f"{BODY}.node[1].attribute[0]").CopyFrom(
            AttributeProto(name="to", ref_attr_name="nowhere", type=AttributeProto.INT)
        ),
        REFUSAL,
    ),
    "reference-of-another-type": (_refer_to_text, REFUSAL),
    "call-inputs-too-few": (_drop("graph.node[0].input"), REFUSAL),
    "call-inputs-too-many": (_double("graph.node[0].input"), REFUSAL),
    "call-input-empty": (_put("graph.node[0].input[0]", ""), REFUSAL),
    "call-outputs-too-few": (_drop("graph.node[0].output"), REFUSAL),
    "call-outputs-too-many": (lambda m: m.graph.node[0].output.append("q"), REFUSAL),
    "call-with-unknown-attribute": (
        lambda m: m.graph.node[0].attribute.append(helper.make_attribute("q", 1)),
        EITHER,
    ),
}


def _function(name: str, *callees: str) -> str:
    nodes = "".join(f"t{n} = mine.{callee}(a) " for n, callee in enumerate(callees))
    return f'<domain: "mine", opset_import: ["": 13, "mine": 1]> {name} (a) => (t0) {{ {nodes} }} '


RECURSIONS = {
    "calls-itself": _function("A", "A"),
    "calls-itself-twice": _function("A", "A", "A"),
    "calls-in-a-circle": _function("A", "B") + _function("B", "A"),
    "calls-in-a-large-circle": "".join(
        _function(a, b) for a, b in zip("ABCDEF", "BCDEFA", strict=True)
    ),
    "calls-itself-twice-in-a-circle": _function("A", "B", "B") + _function("B", "A", "A"),
    "calls-itself-in-a-branch": '<domain: "mine", opset_import: ["": 13, "mine": 1]> A (a) => (b) '
    "{ c = Constant<value = bool {1}>()  b = If(c)<"
    "then_branch = t () => (float[3] p) { p = mine.A(a) }, "
    "else_branch = e () => (float[3] q) { q = mine.A(a) }> }",
}

ATTRIBUTES: dict[str, tuple[Edit, Right]] = {
    "missing": (_drop("graph.node[0].attribute"), REFUSAL),
    "twice-same": (_double("graph.node[0].attribute"), EITHER),
    "twice-other": (
        lambda m: m.graph.node[0].attribute.append(helper.make_attribute("to", 7)),
        REFUSAL,
    ),
    "unknown-too": (
        lambda m: m.graph.node[0].attribute.append(helper.make_attribute("nope", 7)),
        REFUSAL,
    ),
    "empty-too": (lambda m: m.graph.node[0].attribute.add(), REFUSAL),
    "name-empty": (_put(f"{FIRST}.name", ""), REFUSAL),
    "name-other-case": (_put(f"{FIRST}.name", "To"), REFUSAL),
    "name-with-nul": (_put(f"{FIRST}.name", "to\0"), REFUSAL),
    "value-missing": (lambda m: at(m, FIRST).ClearField("i"), REFUSAL),
    "type-missing": (lambda m: at(m, FIRST).ClearField("type"), EITHER),
    "reference-outside-of-a-function": (_put(f"{FIRST}.ref_attr_name", "to"), EITHER),
    "reference-instead-of-value": (
        lambda m: at(m, FIRST).CopyFrom(
            AttributeProto(name="to", ref_attr_name="to", type=AttributeProto.INT)
        ),
        REFUSAL,
    ),
    "two-values": (lambda m: at(m, FIRST).MergeFrom(AttributeProto(f=1.5, s=b"7")), EITHER),
    **{
        f"type-says-{name.lower()}": (_put(f"{FIRST}.type", number), REFUSAL)
        for name, number in AttributeProto.AttributeType.items()
        if name not in ("INT", "UNDEFINED")
    },
}

KINDS: dict[str, Callable[[AttributeProto], object]] = {
    "float": lambda a: a.MergeFrom(AttributeProto(f=1, type="FLOAT")),
    "integer": lambda a: a.MergeFrom(AttributeProto(i=1, type="INT")),
    "string": lambda a: a.MergeFrom(AttributeProto(s=b"1", type="STRING")),
    "tensor": lambda a: a.MergeFrom(AttributeProto(t=raw_tensor(), type="TENSOR")),
    "graph": lambda a: a.MergeFrom(AttributeProto(g={"name": "g"}, type="GRAPH")),
    "sparse-tensor": lambda a: a.MergeFrom(
        AttributeProto(sparse_tensor=models.sparse_tensor("s"), type="SPARSE_TENSOR")
    ),
    "type": lambda a: a.MergeFrom(AttributeProto(tp={"denotation": "d"}, type="TYPE_PROTO")),
    "floats": lambda a: a.MergeFrom(AttributeProto(floats=[1, 2], type="FLOATS")),
    "integers": lambda a: a.MergeFrom(AttributeProto(ints=[1, 2], type="INTS")),
    "strings": lambda a: a.MergeFrom(AttributeProto(strings=[b"1"], type="STRINGS")),
    "tensors": lambda a: a.MergeFrom(AttributeProto(tensors=[raw_tensor()], type="TENSORS")),
    "graphs": lambda a: a.MergeFrom(AttributeProto(graphs=[{"name": "g"}], type="GRAPHS")),
}


def _as(path: str, fill: Callable[[AttributeProto], object]) -> Edit:
    """Return the edit that makes an attribute one of another kind."""

    def edit(model: ModelProto) -> None:
        attribute = at(model, path)
        name = attribute.name
        attribute.Clear()
        attribute.name = name
        fill(attribute)

    return edit
