"""Graphs that are none: names, edges and versions that contradict each other."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from onnx import helper

from harness.corpus.malformed import valid_models as models
from harness.corpus.malformed.edits import put
from harness.corpus.malformed.faults import Malformed
from harness.corpus.malformed.valid_models import FLOAT, X, valid
from harness.wire.malformed import Right, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from onnx import ModelProto

    from harness.corpus.malformed.valid_models import Valid

    Edit = Callable[[ModelProto], object]

UNCHANGED = "the model answers as it does without the fault"


def graphs() -> Iterator[Malformed]:
    """Return the faults of names and edges, of versions, and of parts that are missing."""
    for name, (text, right) in EDGES.items():
        source = valid(text)
        yield of_valid(f"graph/edges/{name}", source, right)
    for group, source, edits, right in (
        ("names", models.TWO_NODES, MEANINGLESS_NAMES, Right.REFUSAL),
        ("names", models.TWO_NODES, ODD_NAMES, Right.EITHER),
        ("parts", models.TWO_NODES, MISSING_PARTS, Right.REFUSAL),
        ("parts", models.TWO_NODES, ODD_PARTS, Right.EITHER),
        ("versions", models.IDENTITY, NO_VERSIONS, Right.REFUSAL),
        ("versions", models.IDENTITY, ODD_VERSIONS, Right.EITHER),
    ):
        for name, edit in edits.items():
            yield edited_model(f"graph/{group}/{name}", source, edit, right)
    for name, edit in TWO_OF_A_NAME.items():
        yield edited_model(f"graph/parts/{name}", models.INITIALIZER, edit, Right.REFUSAL)
    yield from _long_chains()


def edited_model(
    id_: str, source: Valid, edit: Edit, right: Right, latest: Stage = Stage.OPEN
) -> Malformed:
    """Return a valid model after an edit: if taken, it has to answer as before."""
    model = source.model()
    edit(model)
    return Malformed(
        id=id_,
        model=model.SerializeToString(),
        right=right,
        latest=latest,
        meaning="" if right is Right.REFUSAL else UNCHANGED,
        inputs=source.inputs,
        outputs=None if right is Right.REFUSAL else source.outputs,
    )


def of_valid(id_: str, source: Valid, right: Right, latest: Stage = Stage.OPEN) -> Malformed:
    """Return a model that was written with its fault."""
    return edited_model(id_, source, lambda _: None, right, latest)


EDGES: dict[str, tuple[str, Right]] = {
    "sound": ("g (float[3] x) => (float[3] y) { y = Identity(x) }", Right.ACCEPTANCE),
    "input-twice": (
        "g (float[3] x, float[3] x) => (float[3] y) { y = Identity(x) }",
        Right.REFUSAL,
    ),
    "node-makes-an-input": ("g (float[3] x) => (float[3] x) { x = Neg(x) }", Right.REFUSAL),
    "node-makes-an-initializer": (
        "g (float[3] x) => (float[3] y) <float[3] y = {1, 2, 3}> { y = Neg(x) }",
        Right.REFUSAL,
    ),
    "two-nodes-make-one": (
        "g (float[3] x) => (float[3] y) { y = Identity(x)  y = Neg(x) }",
        Right.REFUSAL,
    ),
    "two-nodes-make-one-unused": (
        "g (float[3] x) => (float[3] y) { t = Neg(x)  t = Abs(x)  y = Identity(x) }",
        Right.REFUSAL,
    ),
    "one-node-makes-one-twice": (
        "g (float[4] x) => (float[2] y) { y, y = Split<axis = 0>(x) }",
        Right.REFUSAL,
    ),
    "node-takes-what-is-not-there": (
        "g (float[3] x) => (float[3] y) { y = Add(x, z) }",
        Right.REFUSAL,
    ),
    "unused-node-takes-what-is-not-there": (
        "g (float[3] x) => (float[3] y) { t = Neg(z)  y = Identity(x) }",
        Right.REFUSAL,
    ),
    "nobody-makes-the-output": (
        "g (float[3] x) => (float[3] y) { t = Identity(x) }",
        Right.REFUSAL,
    ),
    "no-nodes": ("g (float[3] x) => (float[3] y) { }", Right.REFUSAL),
    "no-nodes-output-is-input": ("g (float[3] x) => (float[3] x) { }", Right.EITHER),
    "output-is-input-and-more": (
        "g (float[3] x) => (float[3] x) { t = Neg(x) }",
        Right.EITHER,
    ),
    "not-in-order": (
        "g (float[3] x) => (float[3] y) { y = Neg(t)  t = Neg(x) }",
        Right.EITHER,
    ),
    "cycle-of-one": ("g (float[3] x) => (float[3] y) { y = Add(x, y) }", Right.REFUSAL),
    "cycle-of-two": (
        "g (float[3] x) => (float[3] y) { a = Add(x, b)  b = Add(x, a)  y = Neg(a) }",
        Right.REFUSAL,
    ),
    "cycle-aside": (
        "g (float[3] x) => (float[3] y) { y = Identity(x)  a = Neg(b)  b = Neg(a) }",
        Right.REFUSAL,
    ),
    "cycle-through-a-body": (
        """g (bool c, float[3] x) => (float[3] y) { y = If(c)<
        then_branch = t () => (float[3] a) { a = Neg(y) },
        else_branch = e () => (float[3] b) { b = Identity(x) }> }""",
        Right.REFUSAL,
    ),
}
"""Models written with the fault; each answers its input if it is taken at all."""


def _renamed(role: str, name: str) -> Edit:
    """Return the edit that gives a value another name wherever it stands in TWO_NODES."""
    paths = {
        "input": ("graph.input[0].name", "graph.node[0].input[0]"),
        "output": ("graph.output[0].name", "graph.node[1].output[0]"),
        "between": ("graph.node[0].output[0]", "graph.node[1].input[0]"),
    }[role]

    def edit(model: ModelProto) -> None:
        for path in paths:
            put(model, path, name)

    return edit


def _alike(model: ModelProto) -> None:
    for node in model.graph.node:
        node.name = "n"


def _at(path: str, value: Any) -> Edit:
    return lambda m: put(m, path, value)


MEANINGLESS_NAMES: dict[str, Edit] = {
    "input-empty": _renamed("input", ""),
    "output-empty": _renamed("output", ""),
    "between-empty": _renamed("between", ""),
    "input-declared-empty": _at("graph.input[0].name", ""),
    "output-declared-empty": _at("graph.output[0].name", ""),
    "node-input-empty": _at("graph.node[0].input[0]", ""),
    "node-output-empty": _at("graph.node[1].output[0]", ""),
    "node-input-with-nul": _at("graph.node[0].input[0]", "x\0"),
    "node-input-with-nul-and-more": _at("graph.node[0].input[0]", "x\0y"),
    "node-input-other-case": _at("graph.node[0].input[0]", "X"),
    "node-input-with-space": _at("graph.node[0].input[0]", "x "),
    "output-declared-with-nul": _at("graph.output[0].name", "y\0"),
    "operator-empty": _at("graph.node[0].op_type", ""),
    "operator-unknown": _at("graph.node[0].op_type", "Nope"),
    "operator-other-case": _at("graph.node[0].op_type", "neg"),
    "operator-with-nul": _at("graph.node[0].op_type", "Neg\0"),
    "operator-long": _at("graph.node[0].op_type", "N" * 100_000),
    "domain-unknown": _at("graph.node[0].domain", "nowhere"),
    "domain-with-nul": _at("graph.node[0].domain", "\0"),
    "domain-ml-not-imported": _at("graph.node[0].domain", "ai.onnx.ml"),
}

ODD_NAMES: dict[str, Edit] = {
    f"{role}-{name}": _renamed(role, text)
    for role in ("input", "output", "between")
    for name, text in (
        ("nul", "t\0"),
        ("only-nul", "\0"),
        ("space", " "),
        ("newline", "a\nb"),
        ("quotes", "\"'\\"),
        ("percent", "%s%n%x"),
        ("emoji", "\U0001f600"),
        ("control", "\x1b[31m"),
        ("right-to-left", "\u202ex"),
        ("not-normalised", "e\u0301"),
        ("long", "t" * 100_000),
        ("path", "../../etc/passwd"),
    )
} | {
    "graph-empty": _at("graph.name", ""),
    "nodes-alike": _alike,
    "node-nul": _at("graph.node[0].name", "\0"),
    "node-long": _at("graph.node[0].name", "n" * 100_000),
    "node-like-value": _at("graph.node[0].name", "x"),
    "producer-long": _at("producer_name", "p" * 100_000),
    "domain-written-out": _at("graph.node[0].domain", "ai.onnx"),
    "domain-of-model-odd": _at("domain", "\0"),
    "model-version-smallest": _at("model_version", -(2**63)),
}


def _cleared(*paths: str) -> Edit:
    """Return the edit that takes fields away, each named by its owner's path and its own name."""

    def edit(model: ModelProto) -> None:
        for path in paths:
            owner: Any = model
            *steps, last = path.split(".")
            for step in steps:
                owner = owner[int(step)] if step.isdigit() else getattr(owner, step)
            owner.ClearField(last)

    return edit


MISSING_PARTS: dict[str, Edit] = {
    "graph": _cleared("graph"),
    "nodes": _cleared("graph.node"),
    "first-node": lambda m: m.graph.node.pop(0),
    "last-node": lambda m: m.graph.node.pop(),
    "inputs": _cleared("graph.input"),
    "node-inputs": _cleared("graph.node.0.input"),
    "node-outputs": _cleared("graph.node.1.output"),
    "input-type": _cleared("graph.input.0.type"),
    "input-type-of-nothing": _cleared("graph.input.0.type.tensor_type"),
    "input-element-type": _cleared("graph.input.0.type.tensor_type.elem_type"),
    "node-input-twice": lambda m: m.graph.node[0].input.append("x"),
    "node-output-twice": lambda m: m.graph.node[0].output.append("u"),
    "operator": _cleared("graph.node.0.op_type"),
    "empty-initializer": lambda m: m.graph.initializer.add(),
    "empty-sparse-initializer": lambda m: m.graph.sparse_initializer.add(),
    "empty-input": lambda m: m.graph.input.add(),
    "empty-output": lambda m: m.graph.output.add(),
}

TWO_OF_A_NAME: dict[str, Edit] = {
    "initializer-twice": lambda m: m.graph.initializer.append(
        helper.make_tensor("w", FLOAT, [3], [4, 5, 6])
    ),
    "initializer-twice-other-type": lambda m: m.graph.initializer.append(
        helper.make_tensor("w", 7, [1], [4])
    ),
    "initializer-and-sparse": lambda m: m.graph.sparse_initializer.append(
        models.sparse_tensor("w")
    ),
    "output-twice": lambda m: m.graph.output.append(m.graph.output[0]),
    "initializer-and-node": lambda m: m.graph.node.insert(0, helper.make_node("Neg", ["y"], ["w"])),
}

ODD_PARTS: dict[str, Edit] = {
    "output-type": _cleared("graph.output.0.type"),
    "output-type-of-nothing": _cleared("graph.output.0.type.tensor_type"),
    "output-shape": _cleared("graph.output.0.type.tensor_type.shape"),
    "input-shape": _cleared("graph.input.0.type.tensor_type.shape"),
    "value-info": _cleared("graph.value_info"),
    "value-info-type": _cleared("graph.value_info.0.type"),
    "empty-node": lambda m: m.graph.node.add(),
    "empty-function": lambda m: m.functions.add(),
    "empty-value-info": lambda m: m.graph.value_info.add(),
    "value-info-twice": lambda m: m.graph.value_info.append(m.graph.value_info[0]),
    "value-info-of-input": lambda m: m.graph.value_info.append(
        helper.make_tensor_value_info("x", 7, [5])
    ),
    "empty-metadata": lambda m: m.metadata_props.add(),
    "metadata-twice": lambda m: [m.metadata_props.add(key="k", value=v) for v in "ab"],
    "empty-training-info": lambda m: m.training_info.add(),
    "training-info-of-nothing": lambda m: m.training_info.add(
        initialization_binding=[{"key": "no", "value": "where"}]
    ),
    "empty-quantization": lambda m: m.graph.quantization_annotation.add(),
    "quantization-of-nothing": lambda m: m.graph.quantization_annotation.add(
        tensor_name="nowhere", quant_parameter_tensor_names=[{"key": "SCALE_TENSOR", "value": "no"}]
    ),
    "denotation-odd": _at("graph.input[0].type.denotation", "\0"),
    "initializer-without-name": lambda m: m.graph.initializer.append(
        helper.make_tensor("", FLOAT, [1], [1])
    ),
}


def _opset(*imports: tuple[str, int]) -> Edit:
    def edit(model: ModelProto) -> None:
        del model.opset_import[:]
        for domain, version in imports:
            model.opset_import.add(domain=domain, version=version)

    return edit


BEYOND = (0, -1, -13, -(2**31), -(2**63), 2**31 - 1, 2**31, 2**32 + 13, 2**63 - 1)

NO_VERSIONS: dict[str, Edit] = {
    **{f"ir-{n}": _at("ir_version", n) for n in (0, -1, -(2**63), 99, 2**31, 2**32 + 8, 2**63 - 1)},
    "ir-missing": _cleared("ir_version"),
    **{f"opset-{n}": _opset(("", n)) for n in (*BEYOND, 999)},
    **{f"opset-written-out-{n}": _opset(("ai.onnx", n)) for n in (0, -1, 2**63 - 1)},
    "opset-missing": _opset(),
    "opset-of-another-domain-only": _opset(("ai.onnx.ml", 1)),
    "opset-empty": lambda m: m.opset_import[0].Clear(),
}

ODD_VERSIONS: dict[str, Edit] = {
    **{f"ir-{n}": _at("ir_version", n) for n in (1, 2, 3)},
    **{f"opset-{n}": _opset(("", n)) for n in range(1, 8)},
    "opset-twice-same": _opset(("", 13), ("", 13)),
    "opset-twice-other": _opset(("", 13), ("", 12)),
    "opset-twice-one-impossible": _opset(("", 13), ("", -1)),
    "opset-under-both-names": _opset(("", 13), ("ai.onnx", 13)),
    "opset-under-both-names-other": _opset(("", 13), ("ai.onnx", 7)),
    **{
        f"unused-domain-{domain or 'empty'}-{n}": _opset(("", 13), (domain, n))
        for domain in ("nowhere", "ai.onnx.ml", "com.microsoft", "ai.onnx.training")
        for n in (0, -1, 1, 999, 2**63 - 1)
    },
    "unused-domain-long": _opset(("", 13), ("d" * 100_000, 1)),
    "unused-domain-nul": _opset(("", 13), ("\0", 1)),
}


def _long_chains() -> Iterator[Malformed]:
    names = ["x", *(f"t{n}" for n in range(199)), "y"]
    nodes = [helper.make_node("Neg", [a], [b]) for a, b in itertools.pairwise(names)]
    closed = [*nodes[:-1], helper.make_node("Add", ["y", names[-2]], ["y"])]
    for name, ordered, right in (
        ("in-order", nodes, Right.ACCEPTANCE),
        ("reversed", nodes[::-1], Right.EITHER),
        ("cycle", closed, Right.REFUSAL),
    ):
        edit = _cleared("graph.node")
        source = models.IDENTITY.model()
        edit(source)
        source.graph.node.extend(ordered)
        yield Malformed(
            id=f"graph/chain-of-200/{name}",
            model=source.SerializeToString(),
            right=right,
            inputs=[X],
            outputs=None if right is Right.REFUSAL else [X],
        )
