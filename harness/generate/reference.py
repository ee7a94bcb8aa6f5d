"""Where the standard's reference evaluator is known to be loose, and has no vote."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing

LOOSE: dict[str, str] = {
    "ai.onnx.ml.CastMap": "is not implemented",
    "ai.onnx.ml.CategoryMapper": "is not implemented",
    "ai.onnx.ml.DictVectorizer": "answers in doubles or int64, whatever the map holds",
    "ai.onnx.ml.FeatureVectorizer": "answers in its input's type, not in floats",
    "ai.onnx.ml.LinearRegressor": "NaN without intercepts; lacks transforms",
    "ai.onnx.ml.SVMClassifier": "answers in its input's type; transforms what two classes share",
    "ai.onnx.ml.Scaler": "answers in its input's type, not in floats",
    "ai.onnx.ml.TreeEnsemble": "ignores transforms; the least float where no leaf has a target",
    "ai.onnx.ml.TreeEnsembleRegressor": "lacks transforms; the largest float as MIN of nothing",
    "ai.onnx.ml.ZipMap": "is not implemented",
    "StringNormalizer": "takes accents and empty strings away unasked",
}
"""By operator: what is wrong with the evaluator's answer."""


def why_no_vote(drawing: Drawing) -> str:
    """Return why the reference has no vote on a case; empty where it has one."""
    if drawing.mistakes:
        return f"{drawing.description.operator}: {drawing.mistakes[0]}"
    names = [
        f"{node.domain}.{node.operator}" if node.domain else node.operator for node in drawing.nodes
    ]
    return next((f"{name}: {LOOSE[name]}" for name in names if name in LOOSE), "")
