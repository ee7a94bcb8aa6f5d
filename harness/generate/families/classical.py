"""ai.onnx.ml without its trees: scalers, encoders, linear models and support vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import numpy_helper

from harness.generate.drawing import Typed
from harness.generate.element_types import DTYPES
from harness.generate.families import draws
from harness.generate.values import Values

if TYPE_CHECKING:
    from harness.generate.drawing import Drawing

NUMBERS = ("float", "double", "int32", "int64")
CATEGORIES = ("a", "ab", "Ab", "", "é", "zz")
TRANSFORMS = ("NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT")


def floats(drawing: Drawing, count: int) -> list[float]:
    """Return sixty-fourths between -2 and 2, which float32 has exactly."""
    return [drawing.between(-128, 128) / 64 for _ in range(count)]


def table(drawing: Drawing) -> tuple[int, int]:
    """Return a number of rows and one of columns."""
    return drawing.between(1, 5), drawing.between(1, 5)


def _special_is_open(drawing: Drawing) -> None:
    if drawing.values >= Values.EDGES:
        drawing.doubt(f"{drawing.values.name.lower()} values in a model of numbers")


@draws("ai.onnx.ml.ArrayFeatureExtractor")
def extractor(drawing: Drawing) -> None:
    """Draw some columns, also more than once."""
    rows, columns = table(drawing)
    x = drawing.data(0, (rows, columns))
    chosen = [drawing.below(columns) for _ in range(drawing.between(1, columns + 1))]
    of = drawing.type_of(0)
    drawing.node(x, drawing.exactly(1, [chosen]), types=[Typed(type=of, rank=2)])


@draws("ai.onnx.ml.Binarizer")
def binarizer(drawing: Drawing) -> None:
    """Draw thresholds that elements meet exactly, too."""
    if drawing.values == Values.SPECIAL:
        drawing.doubt("NaN beside a threshold")
    drawing.bind("T", ("float",) if drawing.chance(80) else NUMBERS)
    drawing.node(drawing.data(0, table(drawing)), threshold=drawing.maybe(0.0, 1.0, -2.0, 0.5))


@draws("ai.onnx.ml.Scaler")
def scaler(drawing: Drawing) -> None:
    """Draw offsets and scales for each column, or one for all."""
    _special_is_open(drawing)
    rows, columns = table(drawing)
    x = drawing.data(0, (rows, columns))
    one = drawing.one_of((1, columns))
    drawing.node(
        x,
        offset=floats(drawing, one),
        scale=floats(drawing, drawing.one_of((one, one, one))),
        types=[Typed(type="float", rank=2)],
    )


@draws("ai.onnx.ml.Normalizer")
def normalizer(drawing: Drawing) -> None:
    """Draw the three norms; a row of zeros has no direction."""
    _special_is_open(drawing)
    x = drawing.data(0, table(drawing))
    norm = drawing.maybe("MAX", "L1", "L2")
    if not np.all(np.any(x.elements != 0, axis=1)):
        drawing.doubt("a row of zeros")
    if norm in (None, "MAX"):
        drawing.mistaken("it divides by the largest magnitude, not by the largest element")
    drawing.node(x, norm=norm, types=[Typed(type="float", rank=2)])


@draws("ai.onnx.ml.Imputer")
def imputer(drawing: Drawing) -> None:
    """Draw elements some of which are the value that is replaced."""
    rows, columns = table(drawing)
    of = drawing.bind("T", (drawing.one_of(("float", "float", "int64", "int64", *NUMBERS)),))
    count = drawing.one_of((1, columns))
    replaced: Any
    if of in ("int32", "int64"):
        replaced = drawing.maybe(0, 1, -1)
        attributes = {
            "imputed_value_int64s": [drawing.between(-9, 9) for _ in range(count)],
            "replaced_value_int64": replaced,
        }
    else:
        replaced = drawing.maybe(0.0, 1.0, float("nan"))
        attributes = {
            "imputed_value_floats": floats(drawing, count),
            "replaced_value_float": replaced,
        }
    x = drawing.data(0, (rows, columns))
    if replaced is not None:
        x.elements[drawing.below(rows), drawing.below(columns)] = replaced
    drawing.node(x, **attributes, types=[Typed(type=of, rank=2)])


@draws("ai.onnx.ml.FeatureVectorizer")
def vectorizer(drawing: Drawing) -> None:
    """Draw one to three tables with as many rows each; fewer columns than stated are filled up."""
    rows = drawing.between(1, 4)
    drawing.bind("T1", NUMBERS)
    widths = [drawing.between(1, 4) for _ in range(drawing.between(1, 3))]
    inputs = [drawing.data(0, (rows, width)) for width in widths]
    drawing.node(*inputs, inputdimensions=widths, types=[Typed(type="float", rank=2)])


@draws("ai.onnx.ml.OneHotEncoder")
def one_hot(drawing: Drawing) -> None:
    """Draw categories, and elements that are none where that is allowed."""
    zeros = drawing.maybe(0, 1)
    of = drawing.bind("T", (drawing.one_of(("string", "int64", *NUMBERS)),))
    unknown = zeros != 0 and drawing.chance(50)
    shape = drawing.full_shape(1, 2)
    count = int(np.prod(shape))
    if of == "string":
        known: list[Any] = drawing.some(CATEGORIES, 4)
        pool = [*known, *(["never seen"] if unknown else [])]
        elements = np.empty(count, object)
        elements[:] = [drawing.one_of(pool) for _ in range(count)]
        x = drawing.value(elements.reshape(shape))
        drawing.node(
            x, cats_strings=known, zeros=zeros, types=[Typed(type="float", rank=len(shape) + 1)]
        )
        return
    known = drawing.some(range(-3, 9), 4)
    pool = [*known, *([99] if unknown else [])]
    x = drawing.exactly(0, np.reshape([drawing.one_of(pool) for _ in range(count)], shape))
    drawing.node(
        x, cats_int64s=known, zeros=zeros, types=[Typed(type="float", rank=len(shape) + 1)]
    )


@draws("ai.onnx.ml.CategoryMapper")
def mapper(drawing: Drawing) -> None:
    """Draw a table of pairs, and elements that are in it and that are not."""
    names = drawing.some(CATEGORIES, 4)
    numbers = drawing.some(range(-3, 9), 4)
    shape = drawing.full_shape(1, 3)
    count = int(np.prod(shape))
    attributes: dict[str, Any] = {
        "cats_strings": names,
        "cats_int64s": numbers,
        "default_int64": drawing.maybe(-1, 0, 77),
        "default_string": drawing.maybe("_Unused", "", "none"),
    }
    if drawing.bind("T1", ("string", "int64")) == "string":
        elements = np.empty(count, object)
        elements[:] = [drawing.one_of([*names, "never seen"]) for _ in range(count)]
        of = "int64"
    else:
        elements = np.array([drawing.one_of([*numbers, 99]) for _ in range(count)], np.int64)
        of = "string"
    typed = [Typed(type=of, rank=len(shape))]
    drawing.node(drawing.value(elements.reshape(shape)), **attributes, types=typed)


@draws("ai.onnx.ml.LabelEncoder")
def label_encoder(drawing: Drawing) -> None:
    """Draw keys and values of each kind, and elements that are among the keys and that are not."""
    shape = drawing.full_shape(1, 3)
    if drawing.description.opset == 1:
        _encoded_by_place(drawing, shape)
        return
    key, value = (drawing.one_of(("string", "int64", "float")) for _ in range(2))
    as_tensors = drawing.has("keys_tensor") and drawing.chance(30)
    if as_tensors:
        key, value = (drawing.one_of(("string", "int64", "float", "double")) for _ in range(2))
    if drawing.description.opset == 2 and key == value == "float":  # noqa: PLR2004 - version 2
        value = "string"
    keys, values = _labels(drawing, key), _labels(drawing, value)
    if any(number != number for number in keys):  # noqa: PLR0124 - NaN
        drawing.mistaken("it finds no NaN among the keys")
    missing = {"string": "never seen", "int64": 99}.get(key, 9.5)
    if as_tensors:
        other = drawing.some(values, 1)
        attributes: dict[str, Any] = {
            "keys_tensor": numpy_helper.from_array(_array(keys, key)),
            "values_tensor": numpy_helper.from_array(_array(values, value)),
            "default_tensor": drawing.maybe(numpy_helper.from_array(_array(other, value))),
        }
    else:
        defaults = {"string": ("_Unused", "none"), "int64": (-1, 5), "float": (-0.0, 0.5, 2.0)}
        attributes = {
            f"keys_{key}s": keys,
            f"values_{value}s": values,
            f"default_{value}": drawing.maybe(*defaults[value]),
        }
    drawing.node(
        drawing.value(_picked(drawing, [*keys, missing], shape, key)),
        **attributes,
        types=[Typed(type=value, rank=len(shape))],
    )


def _encoded_by_place(drawing: Drawing, shape: tuple[int, ...]) -> None:
    """Draw version 1: a word stands for its place among the classes."""
    names = drawing.some(CATEGORIES, 4)
    if drawing.bind("T1", ("string", "int64")) == "string":
        x, of = _picked(drawing, [*names, "never seen"], shape, "string"), "int64"
    else:
        x, of = _picked(drawing, range(6), shape, "int64"), "string"
    drawing.node(
        drawing.value(x),
        classes_strings=names,
        default_int64=drawing.maybe(-1, 0, 77),
        default_string=drawing.maybe("_Unused", "", "none"),
        types=[Typed(type=of, rank=len(shape))],
    )


def _labels(drawing: Drawing, of: str) -> list[Any]:
    match of:
        case "string":
            return drawing.some(CATEGORIES, 4)
        case "int64":
            return drawing.some(range(-3, 9), 4)
    return drawing.some((0.0, 1.0, -1.5, 2.25, 3.0, float("nan")), 4)


def _picked(drawing: Drawing, pool: Any, shape: tuple[int, ...], of: str) -> Any:
    return _array([drawing.one_of(pool) for _ in range(int(np.prod(shape)))], of).reshape(shape)


def _array(elements: list[Any], of: str) -> Any:
    if of == "string":
        strings = np.empty(len(elements), object)
        strings[:] = elements
        return strings
    return np.array(elements, DTYPES[of])


@draws("ai.onnx.ml.LinearRegressor")
def linear_regressor(drawing: Drawing) -> None:
    """Draw one or more targets, with and without intercepts."""
    drawing.bind("T", ("float",) if drawing.chance(80) else NUMBERS)
    _special_is_open(drawing)
    rows, columns = table(drawing)
    targets = drawing.between(1, 3)
    transform = drawing.maybe(*TRANSFORMS)
    if transform == "PROBIT":
        drawing.doubt("the probit of what is no probability")
    intercepts = drawing.maybe(floats(drawing, targets))
    if intercepts is None:
        drawing.mistaken("it answers NaN without intercepts")
    drawing.node(
        drawing.data(0, (rows, columns)),
        coefficients=floats(drawing, targets * columns),
        intercepts=intercepts,
        targets=targets if targets > 1 else drawing.maybe(1),
        post_transform=transform,
        types=[Typed(type="float", rank=2)],
    )


def _labelled(drawing: Drawing, classes: int) -> tuple[dict[str, Any], str]:
    """Return the attribute with labels of so many classes, and the labels' type."""
    if drawing.chance(50):
        return {"classlabels_ints": drawing.some(range(-2, 9), classes)}, "int64"
    return {"classlabels_strings": drawing.some(CATEGORIES, classes)}, "string"


@draws("ai.onnx.ml.LinearClassifier")
def linear_classifier(drawing: Drawing) -> None:
    """Draw two or more classes; with other transforms than NONE the best class is the same."""
    drawing.bind("T1", NUMBERS)
    _special_is_open(drawing)
    rows, columns = table(drawing)
    classes = drawing.between(2, 4)
    labels, of = _labelled(drawing, classes)
    if "classlabels_ints" in labels:
        labels["classlabels_ints"] = sorted(labels["classlabels_ints"])
    transform = drawing.maybe(*TRANSFORMS)
    if transform == "PROBIT":
        drawing.doubt("the probit of what is no probability")
    drawing.node(
        drawing.data(0, (rows, columns)),
        outputs=2,
        coefficients=floats(drawing, classes * columns),
        intercepts=floats(drawing, classes),
        multi_class=drawing.maybe(0, 1),
        post_transform=transform,
        **labels,
        types=[Typed(type=of, rank=1), Typed(type="float", rank=2)],
    )


KERNELS = ("LINEAR", "POLY", "RBF", "SIGMOID")


@draws("ai.onnx.ml.SVMRegressor")
def support_regressor(drawing: Drawing) -> None:
    """Draw each kernel over a few support vectors, and one class alone."""
    drawing.bind("T", ("float",) if drawing.chance(80) else NUMBERS)
    _special_is_open(drawing)
    rows, columns = table(drawing)
    supports = drawing.between(1, 4)
    drawing.node(
        drawing.data(0, (rows, columns), limits=(-2, 2)),
        coefficients=floats(drawing, supports),
        support_vectors=floats(drawing, supports * columns),
        n_supports=supports,
        kernel_type=drawing.maybe(*KERNELS),
        kernel_params=[0.25, drawing.one_of((0.0, 1.0)), float(drawing.between(1, 3))],
        rho=floats(drawing, 1),
        one_class=drawing.maybe(0, 1),
        post_transform=drawing.maybe("NONE", "LOGISTIC", "SOFTMAX"),
        types=[Typed(type="float", rank=2)],
    )


@draws("ai.onnx.ml.SVMClassifier")
def support_classifier(drawing: Drawing) -> None:
    """Draw support vectors for each class, with and without probabilities."""
    drawing.bind("T1", NUMBERS)
    _special_is_open(drawing)
    rows, columns = table(drawing)
    classes = drawing.between(2, 3)
    per_class = [drawing.between(1, 2) for _ in range(classes)]
    supports, pairs = sum(per_class), classes * (classes - 1) // 2
    labels, of = _labelled(drawing, classes)
    with_probability = drawing.chance(40)
    drawing.mistaken("the text alone does not say how votes of pairs become scores; libsvm does")
    drawing.node(
        drawing.data(0, (rows, columns), limits=(-2, 2)),
        outputs=2,
        coefficients=floats(drawing, supports * (classes - 1)),
        support_vectors=floats(drawing, supports * columns),
        vectors_per_class=per_class,
        kernel_type=drawing.maybe(*KERNELS),
        kernel_params=[0.25, drawing.one_of((0.0, 1.0)), float(drawing.between(1, 3))],
        rho=floats(drawing, pairs),
        prob_a=floats(drawing, pairs) if with_probability else None,
        prob_b=floats(drawing, pairs) if with_probability else None,
        post_transform=drawing.maybe(*TRANSFORMS[:4]),
        **labels,
        types=[Typed(type=of, rank=1), Typed(type="float", rank=2)],
    )


@draws("ai.onnx.ml.DictVectorizer")
def dictionary(drawing: Drawing) -> None:
    """Draw a map whose keys are in the vocabulary, and some that are not."""
    key, value = drawing.one_of(
        (("string", "int64"), ("string", "float"), ("int64", "float"), ("int64", "double"))
    )
    vocabulary = _labels(drawing, key)
    extra: Any = "never seen" if key == "string" else 99
    keys = drawing.some([*vocabulary, extra], drawing.between(1, 4))
    make: Any = int if value == "int64" else float
    elements = {one: make(drawing.between(-5, 5)) for one in keys}
    if value == "float":
        elements = {one: np.float32(item) for one, item in elements.items()}
    x = drawing.value(elements, of=f"map({key}, tensor({value}))")
    attributes: dict[str, Any] = {
        "string_vocabulary" if key == "string" else "int64_vocabulary": vocabulary
    }
    drawing.node(x, **attributes, types=[Typed(type=value, rank=2)])


@draws("ai.onnx.ml.ZipMap")
def zip_map(drawing: Drawing) -> None:
    """Draw a table of scores with a name or a number for each column."""
    rows, columns = drawing.between(1, 4), drawing.between(1, 4)
    labels, of = _labelled(drawing, columns)
    name = "classlabels_int64s" if of == "int64" else "classlabels_strings"
    attributes: dict[str, Any] = {name: next(iter(labels.values()))}
    drawing.node(
        drawing.data(0, (rows, columns)),
        **attributes,
        types=[Typed(type=f"seq(map({of}, tensor(float)))", rank=0)],
    )


@draws("ai.onnx.ml.CastMap")
def cast_map(drawing: Drawing) -> None:
    """Draw a dense or a sparse map, cast to each type."""
    to = drawing.one_of(("TO_FLOAT", "TO_INT64", "TO_STRING"))
    keys = sorted(drawing.some(range(6), drawing.between(1, 4)))
    sparse = drawing.chance(40)
    text = drawing.chance(40)
    if text:
        elements: Any = {key: str(drawing.between(-5, 5)) for key in keys}
    else:
        elements = {key: np.float32(drawing.between(-5, 5)) for key in keys}
    x = drawing.value(elements, of=f"map(int64, tensor({'string' if text else 'float'}))")
    of = {"TO_FLOAT": "float", "TO_INT64": "int64", "TO_STRING": "string"}[to]
    if to == "TO_STRING" and not text:
        drawing.doubt("how a number is written")
    drawing.node(
        x,
        cast_to=to if to != "TO_FLOAT" else drawing.maybe(to),
        map_form="SPARSE" if sparse else drawing.maybe("DENSE"),
        max_map=keys[-1] + drawing.between(1, 3) if sparse else None,
        types=[Typed(type=of, rank=2)],
    )
