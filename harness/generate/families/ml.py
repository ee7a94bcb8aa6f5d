"""Operators of ai.onnx.ml but for trees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import numpy_helper

from harness.generate.drawing import Typed
from harness.generate.element_types import DTYPES
from harness.generate.families import draws
from harness.generate.families.ml_trees import TRANSFORMS, labels
from harness.generate.values import WORDS, Values

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing

KERNELS = ("LINEAR", "POLY", "RBF", "SIGMOID")
FLOATS = (Typed(type="float", rank=2),)
LINEAR = {"kernel_type": "LINEAR", "kernel_params": [0.0, 0.0, 3.0]}
"""Of what has no support vectors: releases want the attributes all the same."""


def eighths(drawing: Drawing, count: int) -> list[float]:
    """Return numbers with which sums and products of some are exact."""
    return [drawing.between(-16, 16) / 8 for _ in range(count)]


@draws("ai.onnx.ml.ArrayFeatureExtractor")
def array_feature_extractor(drawing: Drawing) -> None:
    """Draw columns picked from the last axis."""
    shape = drawing.full_shape(1, 4)
    count = drawing.between(1, 4)
    at = drawing.exactly(1, [drawing.below(shape[-1]) for _ in range(count)])
    typed = Typed(type=drawing.type_of(0), rank=max(2, len(shape)))
    drawing.node(drawing.data(0, shape), at, types=(typed,))


@draws("ai.onnx.ml.Binarizer")
def binarizer(drawing: Drawing) -> None:
    """Draw numbers beside a threshold."""
    drawing.node(
        drawing.data(0, drawing.shape()), threshold=drawing.maybe(0.0, 1.0, -1.0, 0.5, 1e30)
    )


@draws("ai.onnx.ml.CategoryMapper")
def category_mapper(drawing: Drawing) -> None:
    """Draw words for numbers, or numbers for words."""
    count = drawing.between(1, 5)
    shape = drawing.shape(0, 3)
    dtype = drawing.type_of(0)
    drawing.node(
        drawing.data(0, shape),
        types=(Typed(type="int64" if dtype == "string" else "string", rank=len(shape)),),
        cats_int64s=drawing.some(range(-4, 5), count),
        cats_strings=drawing.some(WORDS, count),
        default_int64=drawing.maybe(-1, 7, 2**63 - 1),
        default_string=drawing.maybe("", "?", "日本"),
    )


@draws("ai.onnx.ml.DictVectorizer")
def dict_vectorizer(drawing: Drawing) -> None:
    """Draw a map whose keys are in the vocabulary or not."""
    key = drawing.one_of(("int64", "string"))
    value = "float"  # what onnxruntime's Python takes a map's values for
    keys: list[Any] = drawing.some(range(-5, 6) if key == "int64" else WORDS, 6)
    given = {one: drawing.between(-9, 9) / 2 for one in keys[: drawing.between(1, 4)]}
    vocabulary = drawing.shuffled(keys)[: drawing.between(1, 6)]
    drawing.node(
        drawing.value(given, of=f"map({key}, {value})"),
        types=(Typed(type=value, rank=2),),
        int64_vocabulary=vocabulary if key == "int64" else None,
        string_vocabulary=vocabulary if key == "string" else None,
    )


@draws("ai.onnx.ml.CastMap")
def cast_map(drawing: Drawing) -> None:
    """Draw a map as a tensor, dense or sparse."""
    to = drawing.one_of(("TO_FLOAT", "TO_STRING", "TO_INT64"))
    sparse = drawing.chance(50)
    keys = sorted(drawing.some(range(6), drawing.between(1, 4)))
    numbers = [drawing.between(-9, 9) for _ in keys]
    given = dict(zip(keys, map(float, numbers), strict=True))
    drawing.node(
        drawing.value(given, of="map(int64, float)"),
        types=(Typed(type=to.removeprefix("TO_").lower(), rank=2),),
        cast_to=to,
        map_form="SPARSE" if sparse else drawing.maybe("DENSE"),
        max_map=drawing.between(6, 9) if sparse else None,
    )


@draws("ai.onnx.ml.FeatureVectorizer")
def feature_vectorizer(drawing: Drawing) -> None:
    """Draw columns put side by side."""
    rows = drawing.dimension()
    widths = [drawing.between(1, 4) for _ in range(drawing.between(1, 4))]
    if drawing.chance(70):
        drawing.plain()
    parts = [drawing.data(0, (rows, one)) for one in widths]
    drawing.node(*parts, types=FLOATS, inputdimensions=widths)


@draws("ai.onnx.ml.Imputer")
def imputer(drawing: Drawing) -> None:
    """Draw numbers of which one value is replaced, one for all columns or one for each."""
    dtype = drawing.type_of(0)
    shape = drawing.full_shape(2, 2)
    count = drawing.one_of((1, shape[1]))
    is_whole = "int" in dtype
    drawing.node(
        drawing.data(0, shape),
        types=(Typed(type=dtype, rank=2),),
        imputed_value_int64s=[drawing.between(-3, 3) for _ in range(count)] if is_whole else None,
        replaced_value_int64=drawing.maybe(0, 1, -1) if is_whole else None,
        imputed_value_floats=None if is_whole else eighths(drawing, count),
        replaced_value_float=None if is_whole else drawing.maybe(0.0, 1.0, float("nan"), -2.0),
    )


NAMED = {"string": "strings", "int64": "int64s", "float": "floats"}


@draws("ai.onnx.ml.LabelEncoder")
def label_encoder(drawing: Drawing) -> None:
    """Draw keys and values of every pair of types, as lists or, from version 4, as tensors."""
    count = drawing.between(1, 6)
    if drawing.has("classes_strings"):
        drawing.mistaken("knows version 2 and later only")
        dtype = drawing.type_of(0)
        shape = drawing.shape(0, 3)
        drawing.node(
            drawing.data(0, shape),
            types=(Typed(type="int64" if dtype == "string" else "string", rank=len(shape)),),
            classes_strings=drawing.some(WORDS, count),
            default_string=drawing.maybe("?", ""),
            default_int64=drawing.maybe(-7, 0),
        )
        return
    before, after = drawing.bind("T1", ()), drawing.bind("T2", ())
    keys, values = _labels(drawing, before, count), _labels(drawing, after, count)
    as_lists = before in NAMED and after in NAMED
    attributes: dict[str, Any] = {}
    if as_lists and (not drawing.has("keys_tensor") or drawing.chance(50)):
        attributes[f"keys_{NAMED[before]}"] = keys
        attributes[f"values_{NAMED[after]}"] = values
        default = drawing.maybe(_labels(drawing, after, 1)[0])
        attributes[f"default_{NAMED[after][:-1]}"] = default
    else:
        attributes["keys_tensor"] = _as_tensor(keys, before)
        attributes["values_tensor"] = _as_tensor(values, after)
        if drawing.chance(60):
            attributes["default_tensor"] = _as_tensor(_labels(drawing, after, 1), after)
    shape = drawing.shape(1, 3)
    drawing.node(drawing.data(0, shape), types=(Typed(type=after, rank=len(shape)),), **attributes)


def _labels(drawing: Drawing, dtype: str, count: int) -> list[Any]:
    if dtype == "string":
        return drawing.some(WORDS, count)
    numbers = drawing.some(range(-4, 5), count)
    if "int" in dtype:
        return numbers
    if drawing.chance(20):
        return [float("nan"), *map(float, numbers[1:])]
    return [one / 2 for one in numbers]


def _as_tensor(elements: list[Any], dtype: str) -> Any:
    return numpy_helper.from_array(np.array(elements, DTYPES[dtype]))


@draws("ai.onnx.ml.LinearRegressor")
def linear_regressor(drawing: Drawing) -> None:
    """Draw linear sums of features."""
    features, targets = drawing.between(1, 5), drawing.between(1, 3)
    drawing.plain(Values.UNIT)
    drawing.node(
        drawing.data(0, (drawing.between(1, 6), features)),
        types=FLOATS,
        coefficients=eighths(drawing, features * targets),
        intercepts=drawing.maybe(eighths(drawing, targets)),
        targets=targets if targets > 1 or drawing.chance(50) else None,
        post_transform=drawing.maybe(*TRANSFORMS),
    )


@draws("ai.onnx.ml.LinearClassifier")
def linear_classifier(drawing: Drawing) -> None:
    """Draw linear scores of classes, of two classes by one score too."""
    features, classes = drawing.between(1, 5), drawing.between(2, 4)
    drawing.plain(Values.UNIT)
    scores = 1 if classes == 2 and drawing.chance(40) else classes  # noqa: PLR2004
    if scores == 1:
        drawing.doubt("the standard does not say how two classes share one score")
    if drawing.type_of(0) != "float":
        drawing.mistaken("scores in its input's type")
    transform = drawing.maybe(*TRANSFORMS)
    if transform in ("PROBIT", "LOGISTIC"):
        drawing.mistaken("takes the label from transformed scores, of which several may be equal")
    has_words = drawing.chance(40)
    drawing.node(
        drawing.data(0, (drawing.between(1, 6), features)),
        outputs=2,
        types=(Typed(type="string" if has_words else "int64", rank=1), Typed(type="float", rank=2)),
        coefficients=eighths(drawing, features * scores),
        intercepts=eighths(drawing, scores) if drawing.chance(90) else None,
        multi_class=drawing.maybe(0, 1),
        post_transform=transform,
        **labels(drawing, classes, "classlabels_ints", has_words=has_words),
    )


@draws("ai.onnx.ml.Normalizer")
def normalizer(drawing: Drawing) -> None:
    """Draw rows to normalise, of zeros too."""
    drawing.plain(drawing.one_of((Values.SMALL, Values.WIDE)))
    dtype = drawing.type_of(0)
    shape = drawing.full_shape(1, 2)
    norm = drawing.maybe("MAX", "L1", "L2")
    if dtype != "float" or len(shape) == 1 or norm in (None, "MAX"):
        drawing.mistaken("takes the largest by its size, wants rows, answers in its input's type")
    drawing.node(drawing.data(0, shape), types=(Typed(type="float", rank=len(shape)),), norm=norm)


@draws("ai.onnx.ml.OneHotEncoder")
def one_hot_encoder(drawing: Drawing) -> None:
    """Draw categories, with unknown ones where zeros allow them."""
    dtype = drawing.type_of(0)
    shape = drawing.full_shape(1, 3)
    zeros = drawing.one_of((None, 1, 1, 1, 0))
    words = list(drawing.some(WORDS, drawing.between(1, 5)))
    numbers = drawing.some(range(-4, 5), drawing.between(1, 5))
    count = int(np.prod(shape))
    if zeros == 0:
        source: list[Any] = words if dtype == "string" else numbers
        elements = np.array([drawing.one_of(source) for _ in range(count)], DTYPES[dtype])
        value = drawing.value(elements.reshape(shape))
    else:
        drawing.plain(Values.SMALL)
        value = drawing.data(0, shape)
    drawing.node(
        value,
        cats_strings=words if dtype == "string" else None,
        cats_int64s=None if dtype == "string" else numbers,
        zeros=zeros,
    )


@draws("ai.onnx.ml.Scaler")
def scaler(drawing: Drawing) -> None:
    """Draw rows shifted and scaled, by one number or one for each column."""
    shape = drawing.full_shape(2, 2)
    count = drawing.one_of((1, shape[-1]))
    drawing.plain()
    offset, scale = eighths(drawing, count), eighths(drawing, count)
    drawing.node(drawing.data(0, shape), types=FLOATS, offset=offset, scale=scale)


def _kernel(drawing: Drawing) -> dict[str, Any]:
    kind = drawing.one_of(KERNELS) if drawing.chance(95) else None
    numbers = [drawing.one_of((0.25, 0.5)), drawing.one_of((0.0, 1.0)), drawing.between(1, 3)]
    return {"kernel_type": kind, "kernel_params": [float(one) for one in numbers]}


@draws("ai.onnx.ml.SVMRegressor")
def svm_regressor(drawing: Drawing) -> None:
    """Draw a regression by support vectors, or a linear one that has none."""
    drawing.plain(Values.UNIT)
    features = drawing.between(1, 4)
    supports = drawing.between(0, 4)
    drawing.node(
        drawing.data(0, (drawing.between(1, 5), features)),
        types=FLOATS,
        n_supports=supports,
        support_vectors=eighths(drawing, supports * features) if supports else None,
        coefficients=eighths(drawing, supports or features),
        rho=eighths(drawing, 1),
        one_class=drawing.maybe(0, 1),
        post_transform=drawing.maybe(*TRANSFORMS),
        **(_kernel(drawing) if supports else LINEAR),
    )


@draws("ai.onnx.ml.SVMClassifier")
def svm_classifier(drawing: Drawing) -> None:
    """Draw a classification by support vectors, with probabilities or without."""
    drawing.plain(Values.UNIT)
    features, classes = drawing.between(1, 4), drawing.between(2, 4)
    each = [drawing.between(1, 3) for _ in range(classes)]
    supports = sum(each)
    pairs = classes * (classes - 1) // 2
    is_linear = drawing.chance(20)
    with_odds = not is_linear and drawing.chance(40)
    has_words = drawing.chance(40)
    drawing.node(
        drawing.data(0, (drawing.between(1, 5), features)),
        outputs=2,
        types=(Typed(type="string" if has_words else "int64", rank=1), Typed(type="float", rank=2)),
        vectors_per_class=None if is_linear else each,
        support_vectors=None if is_linear else eighths(drawing, supports * features),
        coefficients=eighths(
            drawing, classes * features if is_linear else (classes - 1) * supports
        ),
        rho=eighths(drawing, pairs),
        prob_a=[-0.5] * pairs if with_odds else None,
        prob_b=eighths(drawing, pairs) if with_odds else None,
        post_transform=drawing.maybe(*TRANSFORMS),
        **(LINEAR if is_linear else _kernel(drawing)),
        **labels(drawing, classes, "classlabels_ints", has_words=has_words),
    )


@draws("ai.onnx.ml.ZipMap")
def zip_map(drawing: Drawing) -> None:
    """Draw rows that become maps."""
    columns = drawing.between(1, 4)
    has_words = drawing.chance(50)
    keys: list[Any] = drawing.some(WORDS if has_words else range(-4, 5), columns)
    key = "string" if has_words else "int64"
    rows = () if drawing.chance(20) else (drawing.between(1, 4),)
    drawing.node(
        drawing.data(0, (*rows, columns)),
        types=(Typed(type=f"seq(map({key}, float))", rank=None),),
        classlabels_strings=keys if has_words else None,
        classlabels_int64s=None if has_words else keys,
    )
