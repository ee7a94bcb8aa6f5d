"""The other operators of ai.onnx.ml."""

from __future__ import annotations

from typing import Any

from harness.corpus.malformed.operators.nodes import NAN, ONE, VAST, full, i64, node, ramp, words

SVC: dict[str, Any] = {
    "kernel_type": "LINEAR",
    "coefficients": [1.0, -1.0],
    "support_vectors": [1.0, 2.0, 3.0, 4.0],
    "vectors_per_class": [1, 1],
    "rho": [0.1],
    "classlabels_ints": [0, 1],
    "kernel_params": [1.0, 0.0, 3.0],
}
SVR: dict[str, Any] = {
    "kernel_type": "LINEAR",
    "coefficients": [1.0, -1.0],
    "support_vectors": [1.0, 2.0, 3.0, 4.0],
    "n_supports": 2,
    "rho": [0.1],
    "kernel_params": [1.0, 0.0, 3.0],
}
CLASSES: dict[str, Any] = {
    "coefficients": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
    "intercepts": [0.5, 0.5, 0.5],
    "classlabels_ints": [0, 1, 2],
    "multi_class": 1,
}

NODES = (
    node(
        "ai.onnx.ml.SVMClassifier/more-columns-than-vectors", ramp(2, 900), out="int64,float", **SVC
    ),
    node(
        "ai.onnx.ml.SVMClassifier/rho-missing", ramp(2, 2), out="int64,float", **SVC | {"rho": None}
    ),
    node(
        "ai.onnx.ml.SVMClassifier/kernel-unknown",
        ramp(2, 2),
        out="int64,float",
        **SVC | {"kernel_type": "CUBIC"},
    ),
    node(
        "ai.onnx.ml.SVMClassifier/kernel-parameters-too-few",
        ramp(2, 2),
        out="int64,float",
        **SVC | {"kernel_type": "RBF", "kernel_params": [1.0]},
    ),
    node("ai.onnx.ml.SVMClassifier/input-of-rank-1", ramp(2), out="int64,float", **SVC),
    node(
        "ai.onnx.ml.SVMClassifier/probabilities-too-few",
        ramp(2, 2),
        out="int64,float",
        **SVC | {"prob_a": [1.0], "prob_b": []},
    ),
    node("ai.onnx.ml.SVMRegressor/more-columns-than-vectors", ramp(2, 900), **SVR),
    node("ai.onnx.ml.SVMRegressor/rho-missing", ramp(2, 2), **SVR | {"rho": None}),
    node("ai.onnx.ml.SVMRegressor/kernel-unknown", ramp(2, 2), **SVR | {"kernel_type": "CUBIC"}),
    node(
        "ai.onnx.ml.SVMRegressor/kernel-parameters-too-few",
        ramp(2, 2),
        **SVR | {"kernel_type": "RBF", "kernel_params": [1.0]},
    ),
    node("ai.onnx.ml.SVMRegressor/input-of-rank-1", ramp(2), **SVR),
    node(
        "ai.onnx.ml.LinearRegressor/targets-0",
        ramp(2, 2),
        targets=0,
        coefficients=[1.0, 2.0],
        intercepts=[0.5],
    ),
    node(
        "ai.onnx.ml.LinearRegressor/targets-too-many",
        ramp(2, 2),
        targets=3,
        coefficients=[1.0, 2.0],
        intercepts=[0.5],
    ),
    node(
        "ai.onnx.ml.LinearRegressor/intercepts-too-few",
        ramp(2, 2),
        targets=2,
        coefficients=[1.0, 2.0, 3.0, 4.0],
        intercepts=[1.0],
    ),
    node(
        "ai.onnx.ml.LinearRegressor/input-of-rank-3",
        ramp(1, 2, 2),
        coefficients=[1.0, 2.0],
        intercepts=[0.5],
    ),
    node(
        "ai.onnx.ml.LinearClassifier/coefficients-too-few",
        ramp(2, 2),
        out="int64,float",
        **CLASSES | {"coefficients": [1.0]},
    ),
    node(
        "ai.onnx.ml.LinearClassifier/labels-too-many",
        ramp(2, 2),
        out="int64,float",
        **CLASSES | {"classlabels_ints": [0, 1, 2, 3, 4, 5, 6, 7, 8]},
    ),
    node(
        "ai.onnx.ml.LabelEncoder/keys-more-than-values",
        ramp(2, dtype="int64"),
        opset=2,
        keys_int64s=[1, 2],
        values_floats=[1.0],
    ),
    node("ai.onnx.ml.LabelEncoder/no-keys", ramp(2, dtype="int64"), opset=2, values_floats=[1.0]),
    node("ai.onnx.ml.LabelEncoder/no-values", ramp(2, dtype="int64"), opset=2, keys_int64s=[1]),
    node(
        "ai.onnx.ml.LabelEncoder/key-twice",
        ramp(2, dtype="int64"),
        opset=2,
        keys_int64s=[1, 1],
        values_floats=[1.0, 2.0],
    ),
    node("ai.onnx.ml.LabelEncoder/opset-1-without-classes", words("a"), out="int64", opset=1),
    node("ai.onnx.ml.OneHotEncoder/value-unknown", i64(7), cats_int64s=[1, 2], zeros=0),
    node("ai.onnx.ml.OneHotEncoder/no-categories", i64(7)),
    node("ai.onnx.ml.OneHotEncoder/category-twice", i64(1), cats_int64s=[1, 1]),
    node("ai.onnx.ml.Scaler/scale-too-short", ramp(2, 3), scale=[1.0, 2.0], offset=[0.0, 0.0]),
    node("ai.onnx.ml.Scaler/offset-missing", ramp(2, 3), scale=[1.0, 2.0, 3.0]),
    node("ai.onnx.ml.Normalizer/of-a-scalar", ONE),
    node("ai.onnx.ml.Normalizer/of-rank-3", ramp(2, 3, 2)),
    node("ai.onnx.ml.Normalizer/of-nothing", full((2, 0), 0)),
    node("ai.onnx.ml.Normalizer/norm-unknown", ramp(2, 3), norm="L7"),
    node(
        "ai.onnx.ml.Imputer/values-too-few",
        ramp(2, 3),
        imputed_value_floats=[1.0, 2.0],
        replaced_value_float=1.0,
    ),
    node("ai.onnx.ml.Imputer/values-missing", ramp(2, 3)),
    node(
        "ai.onnx.ml.Imputer/of-a-scalar", ONE, imputed_value_floats=[1.0], replaced_value_float=1.0
    ),
    node(
        "ai.onnx.ml.FeatureVectorizer/sizes-too-large",
        ramp(2, 3),
        ramp(2, 3),
        inputdimensions=[900, 900],
    ),
    node(
        "ai.onnx.ml.FeatureVectorizer/sizes-negative",
        ramp(2, 3),
        ramp(2, 3),
        inputdimensions=[-1, 3],
    ),
    node(
        "ai.onnx.ml.FeatureVectorizer/sizes-huge", ramp(2, 3), ramp(2, 3), inputdimensions=[VAST, 3]
    ),
    node("ai.onnx.ml.FeatureVectorizer/sizes-missing", ramp(2, 3), ramp(2, 3)),
    node(
        "ai.onnx.ml.FeatureVectorizer/rows-differ", ramp(2, 3), ramp(5, 3), inputdimensions=[3, 3]
    ),
    node("ai.onnx.ml.Binarizer/threshold-nan", ramp(2, 3), threshold=NAN),
    node(
        "ai.onnx.ml.CategoryMapper/strings-more-than-ints",
        words("a"),
        out="int64",
        cats_strings=["a", "b"],
        cats_int64s=[1],
    ),
    node("ai.onnx.ml.CategoryMapper/nothing", words("a"), out="int64"),
)
