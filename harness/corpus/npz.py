"""Values in an .npz that numpy alone reads, and what has to be known to read them back."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    Array = np.ndarray[Any, np.dtype[Any]]

OF_NUMPY = "biufc"
"""The kinds of numpy's own number types; ml_dtypes, which stand for other types, have kind V."""


def store(values: Mapping[str, Any], file: Path) -> dict[str, Any]:
    """Write values by name and return how each is stored: what repro.py is told.

    "array" for an array, "text" for strings, ("packed", element type, shape) for the bytes of a
    type that numpy lacks, ("sequence", …), ("map", keys, values), None for one that is absent.
    """
    arrays: dict[str, Array] = {}
    forms = {name: _form(name, value, arrays) for name, value in values.items()}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:  # any name will do here
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
    return forms


def _form(name: str, value: Any, arrays: dict[str, Array]) -> Any:
    match value:
        case None:
            return None
        case list() | tuple():
            items = (_form(f"{name}/{at}", item, arrays) for at, item in enumerate(value))
            return ("sequence", *items)
        case dict():
            sides = (np.array(list(side)) for side in (value.keys(), value.values()))
            return ("map", *(_form(f"{name}/{at}", side, arrays) for at, side in enumerate(sides)))
    array = np.asarray(value)
    if array.dtype.kind in "OUS":
        arrays[name] = array.astype(np.str_)
        return "text"
    if array.dtype.kind in OF_NUMPY and array.dtype.type.__module__ == "numpy":
        arrays[name] = array
        return "array"
    element_type = int(helper.np_dtype_to_tensor_dtype(array.dtype))
    arrays[name] = np.frombuffer(numpy_helper.from_array(array).raw_data, np.uint8)
    return ("packed", element_type, tuple(array.shape))
