"""Trees of ai.onnx.ml: thinly checked, and full of indices."""

from __future__ import annotations

from typing import Any

from harness.corpus.malformed.operators.nodes import VAST, f32, full, i64, node, ramp, tensor, u8

REGRESSOR: dict[str, Any] = {
    "nodes_treeids": [0, 0, 0],
    "nodes_nodeids": [0, 1, 2],
    "nodes_featureids": [0, 0, 0],
    "nodes_values": [0.5, 0.0, 0.0],
    "nodes_modes": ["BRANCH_LEQ", "LEAF", "LEAF"],
    "nodes_truenodeids": [1, 0, 0],
    "nodes_falsenodeids": [2, 0, 0],
    "n_targets": 1,
    "target_treeids": [0, 0],
    "target_nodeids": [1, 2],
    "target_ids": [0, 0],
    "target_weights": [1.0, 2.0],
}
CLASSIFIER: dict[str, Any] = {
    "nodes_treeids": [0, 0, 0],
    "nodes_nodeids": [0, 1, 2],
    "nodes_featureids": [0, 0, 0],
    "nodes_values": [0.5, 0.0, 0.0],
    "nodes_modes": ["BRANCH_LEQ", "LEAF", "LEAF"],
    "nodes_truenodeids": [1, 0, 0],
    "nodes_falsenodeids": [2, 0, 0],
    "class_treeids": [0, 0],
    "class_nodeids": [1, 2],
    "class_ids": [0, 1],
    "class_weights": [1.0, 2.0],
    "classlabels_int64s": [0, 1],
}
ENSEMBLE: dict[str, Any] = {
    "n_targets": 1,
    "tree_roots": [0],
    "nodes_modes": tensor(u8(0)),
    "nodes_featureids": [0],
    "nodes_splits": tensor(f32(0.5)),
    "nodes_truenodeids": [0],
    "nodes_trueleafs": [1],
    "nodes_falsenodeids": [1],
    "nodes_falseleafs": [1],
    "leaf_targetids": [0, 0],
    "leaf_weights": tensor(ramp(2)),
}

NODES = (
    node(
        "ai.onnx.ml.TreeEnsembleRegressor/feature-beyond",
        ramp(2, 1),
        **REGRESSOR | {"nodes_featureids": [9, 0, 0]},
    ),
    node(
        "ai.onnx.ml.TreeEnsembleRegressor/true-node-beyond",
        ramp(2, 1),
        **REGRESSOR | {"nodes_truenodeids": [9, 0, 0]},
    ),
    node(
        "ai.onnx.ml.TreeEnsembleRegressor/feature-huge",
        ramp(2, 1),
        **REGRESSOR | {"nodes_featureids": [VAST, 0, 0]},
    ),
    node(
        "ai.onnx.ml.TreeEnsembleRegressor/true-node-wraps-in-32-bits",
        ramp(2, 1),
        **REGRESSOR | {"nodes_truenodeids": [2**32 + 1, 0, 0]},
    ),
    node(
        "ai.onnx.ml.TreeEnsembleRegressor/mode-unknown",
        ramp(2, 1),
        **REGRESSOR | {"nodes_modes": ["BRANCH_SIDEWAYS", "LEAF", "LEAF"]},
    ),
    node(
        "ai.onnx.ml.TreeEnsembleRegressor/modes-too-few",
        ramp(2, 1),
        **REGRESSOR | {"nodes_modes": ["BRANCH_LEQ"]},
    ),
    node(
        "ai.onnx.ml.TreeEnsembleRegressor/transform-unknown",
        ramp(2, 1),
        **REGRESSOR | {"post_transform": "WHATEVER"},
    ),
    node("ai.onnx.ml.TreeEnsembleRegressor/input-of-rank-1", ramp(2), **REGRESSOR),
    node(
        "ai.onnx.ml.TreeEnsembleRegressor/targets-large",
        ramp(2, 1),
        **REGRESSOR | {"n_targets": 2**40},
    ),
    node(
        "ai.onnx.ml.TreeEnsembleRegressor/aggregate-unknown",
        ramp(2, 1),
        **REGRESSOR | {"aggregate_function": "MEDIAN"},
    ),
    node(
        "ai.onnx.ml.TreeEnsembleClassifier/feature-beyond",
        ramp(2, 1),
        out="int64,float",
        **CLASSIFIER | {"nodes_featureids": [9, 0, 0]},
    ),
    node(
        "ai.onnx.ml.TreeEnsembleClassifier/true-node-beyond",
        ramp(2, 1),
        out="int64,float",
        **CLASSIFIER | {"nodes_truenodeids": [9, 0, 0]},
    ),
    node(
        "ai.onnx.ml.TreeEnsembleClassifier/feature-huge",
        ramp(2, 1),
        out="int64,float",
        **CLASSIFIER | {"nodes_featureids": [VAST, 0, 0]},
    ),
    node(
        "ai.onnx.ml.TreeEnsembleClassifier/true-node-wraps-in-32-bits",
        ramp(2, 1),
        out="int64,float",
        **CLASSIFIER | {"nodes_truenodeids": [2**32 + 1, 0, 0]},
    ),
    node(
        "ai.onnx.ml.TreeEnsembleClassifier/mode-unknown",
        ramp(2, 1),
        out="int64,float",
        **CLASSIFIER | {"nodes_modes": ["BRANCH_SIDEWAYS", "LEAF", "LEAF"]},
    ),
    node(
        "ai.onnx.ml.TreeEnsembleClassifier/modes-too-few",
        ramp(2, 1),
        out="int64,float",
        **CLASSIFIER | {"nodes_modes": ["BRANCH_LEQ"]},
    ),
    node(
        "ai.onnx.ml.TreeEnsembleClassifier/transform-unknown",
        ramp(2, 1),
        out="int64,float",
        **CLASSIFIER | {"post_transform": "WHATEVER"},
    ),
    node(
        "ai.onnx.ml.TreeEnsembleClassifier/input-of-rank-1",
        ramp(2),
        out="int64,float",
        **CLASSIFIER,
    ),
    node(
        "ai.onnx.ml.TreeEnsembleClassifier/labels-missing",
        ramp(2, 1),
        out="int64,float",
        **CLASSIFIER | {"classlabels_int64s": None},
    ),
    node(
        "ai.onnx.ml.TreeEnsembleClassifier/labels-none-but-strings-one",
        ramp(2, 1),
        out="int64,float",
        **CLASSIFIER | {"classlabels_strings": ["a"], "classlabels_int64s": None},
    ),
    node(
        "ai.onnx.ml.TreeEnsemble/feature-beyond",
        ramp(2, 1),
        opset=5,
        **ENSEMBLE | {"nodes_featureids": [9]},
    ),
    node(
        "ai.onnx.ml.TreeEnsemble/true-leaf-beyond",
        ramp(2, 1),
        opset=5,
        **ENSEMBLE | {"nodes_truenodeids": [9]},
    ),
    node(
        "ai.onnx.ml.TreeEnsemble/target-beyond",
        ramp(2, 1),
        opset=5,
        **ENSEMBLE | {"leaf_targetids": [9, 9]},
    ),
    node(
        "ai.onnx.ml.TreeEnsemble/feature-huge",
        ramp(2, 1),
        opset=5,
        **ENSEMBLE | {"nodes_featureids": [VAST]},
    ),
    node(
        "ai.onnx.ml.TreeEnsemble/true-leaf-negative",
        ramp(2, 1),
        opset=5,
        **ENSEMBLE | {"nodes_truenodeids": [-1]},
    ),
    node(
        "ai.onnx.ml.TreeEnsemble/root-negative",
        ramp(2, 1),
        opset=5,
        **ENSEMBLE | {"tree_roots": [-1]},
    ),
    node(
        "ai.onnx.ml.TreeEnsemble/node-is-its-own-child",
        ramp(2, 1),
        opset=5,
        **ENSEMBLE | {"nodes_trueleafs": [0], "nodes_falsenodeids": [0], "nodes_falseleafs": [0]},
    ),
    node(
        "ai.onnx.ml.TreeEnsemble/mode-99",
        ramp(2, 1),
        opset=5,
        **ENSEMBLE | {"nodes_modes": tensor(u8(99))},
    ),
    node(
        "ai.onnx.ml.TreeEnsemble/mode-member-without-members",
        ramp(2, 1),
        opset=5,
        **ENSEMBLE | {"nodes_modes": tensor(u8(6))},
    ),
    node(
        "ai.onnx.ml.TreeEnsemble/membership-not-ended",
        ramp(2, 1),
        opset=5,
        **ENSEMBLE | {"nodes_modes": tensor(u8(6)), "membership_values": tensor(ramp(2))},
    ),
    node(
        "ai.onnx.ml.TreeEnsemble/modes-empty",
        ramp(2, 1),
        opset=5,
        **ENSEMBLE | {"nodes_modes": tensor(u8())},
    ),
    node(
        "ai.onnx.ml.TreeEnsemble/splits-empty",
        ramp(2, 1),
        opset=5,
        **ENSEMBLE | {"nodes_splits": tensor(f32())},
    ),
    node(
        "ai.onnx.ml.TreeEnsemble/leaf-flags-too-few",
        ramp(2, 1),
        opset=5,
        **ENSEMBLE | {"nodes_trueleafs": tensor(i64())},
    ),
    node(
        "ai.onnx.ml.TreeEnsemble/leaf-weights-too-few",
        ramp(2, 1),
        opset=5,
        **ENSEMBLE | {"leaf_weights": tensor(f32(1))},
    ),
    node(
        "ai.onnx.ml.TreeEnsemble/aggregate-99",
        ramp(2, 1),
        opset=5,
        **ENSEMBLE | {"aggregate_function": 99},
    ),
    node(
        "ai.onnx.ml.TreeEnsemble/splits-double",
        ramp(2, 1),
        opset=5,
        **ENSEMBLE | {"nodes_splits": tensor(full((1,), 0.5, "float64"))},
    ),
)
