"""ai.onnx.ml's ensembles of trees: full trees of random depth, one kind of node or several."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import numpy_helper

from harness.generate.drawing import Typed
from harness.generate.families import draws
from harness.generate.values import Values

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing

MODES = ("BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ")
TRANSFORMS = ("NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO")
AGGREGATES = ("AVERAGE", "SUM", "MIN", "MAX")
DEEPEST = 3
TYPES = ("float", "float", "float", "double", "int32", "int64")


@dataclass(kw_only=True)
class Grown:
    """Trees as lists with an entry for each node, in the older operators' form."""

    trees: list[int] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)
    features: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    modes: list[str] = field(default_factory=list)
    true: list[int] = field(default_factory=list)
    false: list[int] = field(default_factory=list)
    leaves: list[tuple[int, int]] = field(default_factory=list)
    """Of each leaf its tree and its number."""


def _grow(drawing: Drawing, grown: Grown, tree: int, columns: int, modes: tuple[str, ...]) -> None:
    """Add a tree; a node's number is its place in the tree."""
    first = len(grown.ids)
    waiting: list[tuple[int, list[int], int]] = [(0, [], -1)]
    while waiting:
        depth, link, at = waiting.pop(0)
        number = len(grown.ids) - first
        if at >= 0:
            link[at] = number
        is_leaf = depth == DEEPEST or (depth > 0 and drawing.chance(40))
        grown.trees.append(tree)
        grown.ids.append(number)
        grown.features.append(0 if is_leaf else drawing.below(columns))
        grown.values.append(0.0 if is_leaf else drawing.between(-12, 12) / 4)
        grown.modes.append("LEAF" if is_leaf else drawing.one_of(modes))
        grown.true.append(0)
        grown.false.append(0)
        if is_leaf:
            grown.leaves.append((tree, number))
        else:
            here = len(grown.ids) - 1
            waiting.append((depth + 1, grown.true, here))
            waiting.append((depth + 1, grown.false, here))


def _forest(drawing: Drawing, columns: int) -> Grown:
    grown = Grown()
    modes = (drawing.one_of(MODES),) if drawing.chance(60) else MODES
    for tree in range(drawing.between(1, 3)):
        _grow(drawing, grown, tree, columns, modes)
    return grown


def _nodes(drawing: Drawing, grown: Grown) -> dict[str, Any]:
    count = len(grown.ids)
    as_tensor = drawing.has("nodes_values_as_tensor") and drawing.type_of(0) == "double"
    values: dict[str, Any] = {"nodes_values": grown.values}
    hits = "nodes_hitrates_as_tensor" if as_tensor else "nodes_hitrates"
    rates = [drawing.between(1, 4) / 2 for _ in range(count)]
    if as_tensor:
        values = {"nodes_values_as_tensor": _doubles(grown.values)}
    return {
        "nodes_treeids": grown.trees,
        "nodes_nodeids": grown.ids,
        "nodes_featureids": grown.features,
        "nodes_modes": grown.modes,
        "nodes_truenodeids": grown.true,
        "nodes_falsenodeids": grown.false,
        hits: drawing.maybe(_doubles(rates) if as_tensor else rates),
        "nodes_missing_value_tracks_true": drawing.maybe([drawing.below(2) for _ in range(count)]),
        **values,
    }


def _input(drawing: Drawing, columns: int) -> Any:
    # Quarters, so that elements meet thresholds exactly.
    rows = drawing.between(1, 5)
    x = drawing.data(0, (rows, columns), limits=(-4, 4))
    if drawing.values < Values.EDGES:
        x.elements[...] = np.round(x.elements.astype(np.float64) * 4) / 4
    if drawing.values == Values.SPECIAL and not np.all(np.isfinite(x.elements.astype(np.float64))):
        drawing.doubt("missing values")
    return x


def _weights(drawing: Drawing, count: int) -> list[float]:
    return [drawing.between(-64, 64) / 16 for _ in range(count)]


@draws("ai.onnx.ml.TreeEnsembleRegressor")
def regressor(drawing: Drawing) -> None:
    """Draw one or more targets with each way of putting trees together."""
    drawing.bind("T", (drawing.one_of(TYPES),))
    columns = drawing.between(1, 4)
    grown = _forest(drawing, columns)
    targets = drawing.between(1, 3)
    weights: dict[str, Any] = {"target_weights": _weights(drawing, len(grown.leaves))}
    base = _weights(drawing, targets) if drawing.chance(50) else None
    based: dict[str, Any] = {"base_values": base}
    if drawing.has("target_weights_as_tensor") and drawing.type_of(0) == "double":
        weights = {"target_weights_as_tensor": _doubles(weights["target_weights"])}
        based = {"base_values_as_tensor": None if base is None else _doubles(base)}
    aggregate = drawing.maybe(*AGGREGATES)
    _targets_without_leaves(drawing, targets, aggregate in ("MIN", "MAX"))
    drawing.node(
        _input(drawing, columns),
        **_nodes(drawing, grown),
        **weights,
        **based,
        target_treeids=[tree for tree, _ in grown.leaves],
        target_nodeids=[number for _, number in grown.leaves],
        target_ids=[drawing.below(targets) for _ in grown.leaves],
        n_targets=targets,
        aggregate_function=aggregate,
        post_transform=drawing.maybe(*TRANSFORMS),
        types=[Typed(type="float", rank=2)],
    )


@draws("ai.onnx.ml.TreeEnsembleClassifier")
def classifier(drawing: Drawing) -> None:
    """Draw two or more classes with labels that are words or numbers."""
    drawing.bind("T1", (drawing.one_of(TYPES),))
    columns = drawing.between(1, 4)
    grown = _forest(drawing, columns)
    classes = drawing.between(2, 4)
    votes = [(leaf, cls) for leaf in grown.leaves for cls in range(classes)]
    if drawing.chance(40):
        votes = [(leaf, drawing.below(classes)) for leaf in grown.leaves]
        drawing.doubt("whether a class that no leaf votes for can win")
    weights: dict[str, Any] = {"class_weights": _weights(drawing, len(votes))}
    base = _weights(drawing, classes) if drawing.chance(50) else None
    based: dict[str, Any] = {"base_values": base}
    if drawing.has("class_weights_as_tensor") and drawing.type_of(0) == "double":
        weights = {"class_weights_as_tensor": _doubles(weights["class_weights"])}
        based = {"base_values_as_tensor": None if base is None else _doubles(base)}
    labels: dict[str, Any] = {"classlabels_int64s": list(range(classes))}
    of = "int64"
    if drawing.chance(40):
        labels, of = {"classlabels_strings": ["no", "yes", "é", "zz"][:classes]}, "string"
    drawing.node(
        _input(drawing, columns),
        outputs=2,
        **_nodes(drawing, grown),
        **weights,
        **based,
        **labels,
        class_treeids=[tree for (tree, _), _ in votes],
        class_nodeids=[number for (_, number), _ in votes],
        class_ids=[cls for _, cls in votes],
        post_transform=drawing.maybe(*TRANSFORMS),
        types=[Typed(type=of, rank=1), Typed(type="float", rank=2)],
    )


def _doubles(values: list[float]) -> Any:
    return numpy_helper.from_array(np.array(values, np.float64), "v")


@draws("ai.onnx.ml.TreeEnsemble")
def ensemble(drawing: Drawing) -> None:
    """Draw the form of version 5, in which leaves stand apart from the other nodes."""
    of = drawing.bind("T", (drawing.one_of(TYPES[:4]),))
    dtype = np.float32 if of == "float" else np.float64
    columns = drawing.between(1, 4)
    grown = _forest(drawing, columns)
    members: list[float] = []
    if drawing.chance(40):
        step = drawing.one_of((1, 1, 4))  # builds may have whole numbers alone
        for at, mode in enumerate(grown.modes):
            if mode != "LEAF" and drawing.chance(60):
                grown.modes[at], grown.values[at] = "BRANCH_MEMBER", 0.0
                members += [*drawing.some([one / step for one in range(-4, 5)], 3), float("nan")]
    inner = [at for at, mode in enumerate(grown.modes) if mode != "LEAF"]
    leaves = [at for at, mode in enumerate(grown.modes) if mode == "LEAF"]
    place = {at: index for index, at in enumerate(inner)}
    place |= {at: index for index, at in enumerate(leaves)}
    starts = {tree: grown.trees.index(tree) for tree in grown.trees}
    links: dict[str, Any] = {}
    for name, link in (("true", grown.true), ("false", grown.false)):
        targets = [starts[grown.trees[at]] + link[at] for at in inner]
        links[f"nodes_{name}nodeids"] = [place[at] for at in targets]
        links[f"nodes_{name}leafs"] = [int(grown.modes[at] == "LEAF") for at in targets]
    targets_count = drawing.between(1, 3)
    tracks = drawing.maybe([drawing.below(2) for _ in inner])
    aggregate = drawing.maybe(0, 1, 2, 3)
    _targets_without_leaves(drawing, targets_count, aggregate not in (None, 1))
    transform = drawing.maybe(0, 1, 2, 3)
    if transform:
        drawing.mistaken("it does not transform")
    drawing.node(
        _input(drawing, columns),
        **links,
        tree_roots=[place[start] for start in starts.values()],
        nodes_featureids=[grown.features[at] for at in inner],
        nodes_splits=_tensor([grown.values[at] for at in inner], dtype),
        nodes_modes=_tensor([MODES_V5[grown.modes[at]] for at in inner], np.uint8),
        nodes_hitrates=drawing.maybe(_tensor([1.0] * len(inner), np.float32)),
        nodes_missing_value_tracks_true=tracks,
        membership_values=_tensor(members, dtype) if members else None,
        leaf_targetids=[drawing.below(targets_count) for _ in leaves],
        leaf_weights=_tensor(_weights(drawing, len(leaves)), dtype),
        n_targets=targets_count,
        aggregate_function=aggregate,
        post_transform=transform,
    )


def _targets_without_leaves(drawing: Drawing, targets: int, matters: bool) -> None:  # noqa: FBT001
    """Doubt the least and the largest of nothing: no row reaches a leaf of each target."""
    if targets > 1 and matters:
        drawing.doubt("the least or the largest of no leaves")


MODES_V5 = {
    "BRANCH_LEQ": 0,
    "BRANCH_LT": 1,
    "BRANCH_GTE": 2,
    "BRANCH_GT": 3,
    "BRANCH_EQ": 4,
    "BRANCH_NEQ": 5,
    "BRANCH_MEMBER": 6,
}


def _tensor(values: Any, dtype: Any) -> Any:
    return numpy_helper.from_array(np.array(values, dtype), "v")
