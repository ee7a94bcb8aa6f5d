"""Ensembles of trees of ai.onnx.ml."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import numpy_helper

from harness.generate.drawing import Typed
from harness.generate.element_types import DTYPES
from harness.generate.families import draws
from harness.generate.values import Values

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing

MODES = ("BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ")
MEMBER = 6
TRANSFORMS = ("NONE", "NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT")
AGGREGATES = ("AVERAGE", "SUM", "MIN", "MAX")


@dataclass(kw_only=True)
class Split:
    """An inner node of a tree."""

    feature: int
    mode: int
    value: float
    missing: int
    yes: Split | Leaf
    no: Split | Leaf
    members: tuple[float, ...] = ()


@dataclass(kw_only=True)
class Leaf:
    """What a tree comes to: a weight of one target or of several."""

    weights: list[tuple[int, float]] = field(default_factory=list)


def _trees(
    drawing: Drawing, features: int, targets: int, *, single: bool, sets: bool = False
) -> list[Split | Leaf]:
    """Return trees over so many features.

    Args:
        drawing: draws them.
        features: how many there are.
        targets: how many there are.
        single: whether a leaf has the weight of one target only.
        sets: whether a node may ask for a member of a set.

    """
    modes = list(range(len(MODES)))
    if drawing.chance(60):
        modes = [drawing.one_of((0, 0, 1, 2, 3, 4, 5))]
    elif sets and drawing.chance(30):
        modes.append(MEMBER)
    tracks = drawing.chance(30)

    def grown(depth: int) -> Split | Leaf:
        if depth == 0 or drawing.chance(20):
            count = 1 if single else drawing.between(1, targets)
            chosen = drawing.some(range(targets), count)
            return Leaf(weights=[(one, drawing.between(-16, 16) / 8) for one in chosen])
        return Split(
            feature=drawing.below(features),
            mode=drawing.one_of(modes),
            value=drawing.between(-6, 6) / 2,
            missing=drawing.below(2) if tracks else 0,
            yes=grown(depth - 1),
            no=grown(depth - 1),
            members=tuple(drawing.some(range(-3, 4), drawing.between(1, 3))),
        )

    return [grown(drawing.between(0, 3)) for _ in range(drawing.between(1, 4))]


def _listed(trees: list[Split | Leaf], prefix: str) -> dict[str, list[Any]]:
    """Return the trees as the attributes of the operators before version 5."""
    names = ("treeids", "nodeids", "featureids", "modes", "values", "truenodeids", "falsenodeids")
    made: dict[str, list[Any]] = {f"nodes_{name}": [] for name in names}
    made["nodes_missing_value_tracks_true"] = []
    for name in ("treeids", "nodeids", "ids", "weights"):
        made[f"{prefix}_{name}"] = []
    for tree, root in enumerate(trees):
        waiting: list[Split | Leaf] = [root]
        for at, node in enumerate(waiting):
            row: tuple[Any, ...] = (tree, at, 0, "LEAF", 0.0, 0, 0)
            missing = 0
            if isinstance(node, Split):
                waiting += [node.yes, node.no]
                yes = len(waiting) - 2
                row = tree, at, node.feature, MODES[node.mode], node.value, yes, yes + 1
                missing = node.missing
            else:
                for target, weight in node.weights:
                    leaf = zip(
                        ("treeids", "nodeids", "ids", "weights"),
                        (tree, at, target, weight),
                        strict=True,
                    )
                    for name, one in leaf:
                        made[f"{prefix}_{name}"].append(one)
            for name, one in zip(names, row, strict=True):
                made[f"nodes_{name}"].append(one)
            made["nodes_missing_value_tracks_true"].append(missing)
    return made


def _stated(drawing: Drawing, made: dict[str, Any], dtype: str, prefix: str) -> dict[str, Any]:
    """Return the attributes as a version states them: some left out, doubles as tensors."""
    if not any(made["nodes_missing_value_tracks_true"]) and drawing.chance(60):
        del made["nodes_missing_value_tracks_true"]
    if drawing.chance(30):
        made["nodes_hitrates"] = [1.0] * len(made["nodes_values"])
    if dtype == "double" and drawing.has("base_values_as_tensor"):
        for name in ("nodes_values", "nodes_hitrates", f"{prefix}_weights", "base_values"):
            if made.get(name):
                whole = np.array(made.pop(name), DTYPES[dtype])
                made[f"{name}_as_tensor"] = numpy_helper.from_array(whole)
    return made


@draws("ai.onnx.ml.TreeEnsembleRegressor")
def regressor(drawing: Drawing) -> None:
    """Draw trees that give numbers."""
    dtype = drawing.type_of(0)
    features, targets = drawing.between(1, 4), drawing.between(1, 3)
    made: dict[str, Any] = dict(
        _listed(_trees(drawing, features, targets, single=targets == 1), "target")
    )
    if drawing.chance(50):
        made["base_values"] = [drawing.between(-8, 8) / 4 for _ in range(targets)]
    drawing.node(
        _rows(drawing, features),
        types=(Typed(type="float", rank=2),),
        n_targets=targets,
        aggregate_function=drawing.maybe(*AGGREGATES),
        post_transform=drawing.maybe(*TRANSFORMS),
        **_stated(drawing, made, dtype, "target"),
    )


@draws("ai.onnx.ml.TreeEnsembleClassifier")
def classifier(drawing: Drawing) -> None:
    """Draw trees that give classes."""
    dtype = drawing.type_of(0)
    features, classes = drawing.between(1, 4), drawing.between(1, 4)
    has_one = classes <= 2 and drawing.chance(50)  # noqa: PLR2004 - two classes, one weight
    targets = 1 if has_one else classes
    trees = _trees(drawing, features, targets, single=has_one)
    made: dict[str, Any] = dict(_listed(trees, "class"))
    if drawing.chance(40):
        made["base_values"] = [drawing.between(-8, 8) / 4 for _ in range(targets)]
    if targets == 1:
        drawing.doubt("the standard does not say how one weight scores one class, or two")
    has_words = drawing.chance(40)
    drawing.node(
        _rows(drawing, features),
        outputs=2,
        types=(Typed(type="string" if has_words else "int64", rank=1), Typed(type="float", rank=2)),
        post_transform=drawing.maybe(*TRANSFORMS),
        **labels(drawing, classes, "classlabels_int64s", has_words=has_words),
        **_stated(drawing, made, dtype, "class"),
    )


def labels(drawing: Drawing, count: int, numbers: str, *, has_words: bool) -> dict[str, Any]:
    """Return the labels of classes: words, or numbers under this attribute's name."""
    if has_words:
        return {"classlabels_strings": drawing.some(("a", "B", "", "ß", "c d"), count)}
    return {numbers: drawing.one_of((list(range(count)), drawing.some(range(-9, 9), count)))}


def _rows(drawing: Drawing, features: int) -> Any:
    """Return rows of features, one in ten of them more than a build does at a time."""
    rows = drawing.between(40, 90) if drawing.chance(10) else drawing.between(1, 6)
    if drawing.chance(70):
        drawing.plain(Values.SMALL)
    return drawing.data(0, (rows, features))


@draws("ai.onnx.ml.TreeEnsemble")
def ensemble(drawing: Drawing) -> None:
    """Draw trees as version 5 has them: inner nodes and leaves apart, sets among the modes."""
    dtype = drawing.type_of(0, ("float", "double") if drawing.chance(95) else ())
    features, targets = drawing.between(1, 4), drawing.between(1, 3)
    trees = _trees(drawing, features, targets, single=True, sets=True)
    made = _flat(trees)
    members = made.pop("members")
    splits = np.array(made.pop("splits"), DTYPES[dtype])
    weights = np.array(made.pop("weights"), DTYPES[dtype])
    modes = np.array(made.pop("modes"), np.uint8)
    sets = np.array([one for some in members for one in (*some, np.nan)], DTYPES[dtype])
    missing = made.pop("missing")
    hit = drawing.chance(20)
    drawing.node(
        _rows(drawing, features),
        types=(Typed(type=dtype, rank=2),),
        n_targets=targets,
        aggregate_function=drawing.maybe(0, 1, 2, 3),
        post_transform=drawing.maybe(0, 0, 1, 2, 3, 4),
        nodes_splits=numpy_helper.from_array(splits),
        nodes_modes=numpy_helper.from_array(modes),
        leaf_weights=numpy_helper.from_array(weights),
        membership_values=numpy_helper.from_array(sets) if members else None,
        nodes_missing_value_tracks_true=missing if any(missing) or drawing.chance(30) else None,
        nodes_hitrates=numpy_helper.from_array(np.ones(splits.shape, np.float32)) if hit else None,
        **made,
    )


def _flat(trees: list[Split | Leaf]) -> dict[str, Any]:
    names = (
        "tree_roots",
        "nodes_featureids",
        "nodes_truenodeids",
        "nodes_trueleafs",
        "nodes_falsenodeids",
        "nodes_falseleafs",
        "leaf_targetids",
    )
    made: dict[str, Any] = {
        name: [] for name in (*names, "splits", "modes", "missing", "weights", "members")
    }

    def placed(node: Split | Leaf) -> tuple[int, int]:
        """Return where a node is, and 1 if it is among the leaves."""
        if isinstance(node, Leaf):
            target, weight = node.weights[0]
            made["leaf_targetids"].append(target)
            made["weights"].append(weight)
            return len(made["weights"]) - 1, 1
        at = len(made["splits"])
        made["splits"].append(node.value)
        made["modes"].append(node.mode)
        made["nodes_featureids"].append(node.feature)
        made["missing"].append(node.missing)
        if node.mode == MEMBER:
            made["members"].append(node.members)
        ends = ("nodes_trueleafs", "nodes_truenodeids", "nodes_falseleafs", "nodes_falsenodeids")
        for name in ends:
            made[name].append(0)
        made["nodes_truenodeids"][at], made["nodes_trueleafs"][at] = placed(node.yes)
        made["nodes_falsenodeids"][at], made["nodes_falseleafs"][at] = placed(node.no)
        return at, 0

    for tree in trees:
        root = tree
        if isinstance(root, Leaf):  # a tree of one leaf is a node with the leaf on both sides
            root = Split(feature=0, mode=0, value=0.0, missing=0, yes=tree, no=tree)
        made["tree_roots"].append(placed(root)[0])
    return made
