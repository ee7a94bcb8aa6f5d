"""The standard's own cases: onnx.backend.test of the onnx that this project pins.

Source: https://github.com/onnx/onnx/tree/main/onnx/backend/test (runner, for how they are run).
"""

from __future__ import annotations

import importlib.util
import json
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import numpy_helper

from harness.corpus.folder import data_sets
from harness.corpus.packing import PACK_FORMAT, Packable, model_case, packed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cases import Case

SUITE_VERSION = version("onnx")

RTOL, ATOL = 1e-3, 1e-7
"""What onnx.backend.test.loader gives a model case that names no tolerance of its own."""

FOLDER_KINDS = ("simple", "pytorch-operator", "pytorch-converted")


def onnx_cases(cache: Path) -> list[Case]:
    """Return all cases of the suite, packed under `cache` once for each version of onnx."""
    return packed(
        cache / "corpora" / f"onnx-{SUITE_VERSION}-{PACK_FORMAT}",
        lambda packer: (model_case(case, packer) for case in _cases()),
    )


def _cases() -> Iterator[Packable]:
    yield from _light_cases()  # the longest first, so that no worker is left with them at the end
    yield from _node_cases()
    for kind in FOLDER_KINDS:
        yield from _folder_cases(kind)


def _node_cases() -> Iterator[Packable]:
    with warnings.catch_warnings():  # the cases compute their expectations at import, on purpose
        warnings.simplefilter("ignore")
        from onnx.backend.test.loader import load_model_tests  # noqa: PLC0415 - takes 4 s

        cases = load_model_tests(kind="node")
    for case in cases:
        assert case.model is not None
        assert case.data_sets is not None
        yield Packable(
            id=f"onnx/node/{case.name}",
            model=case.model.SerializeToString(),
            data_sets=case.data_sets,
            rtol=case.rtol,
            atol=case.atol,
        )


def _data() -> Path:
    found = importlib.util.find_spec("onnx.backend.test")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "data"


def _folder_cases(kind: str) -> Iterator[Packable]:
    for model in sorted((_data() / kind).glob("*/model.onnx")):
        yield Packable(
            id=f"onnx/{kind}/{model.parent.name}",
            model=model.read_bytes(),
            data_sets=list(data_sets(model)),
            **_tolerances(model.parent / "data.json"),
        )


def _light_cases() -> Iterator[Packable]:
    """Well-known networks whose weights are constants, on the runner's own input."""
    for about in sorted((_data() / "real").glob("*/data.json")):
        name = json.loads(about.read_text())["url"].rsplit("/", 1)[-1].removesuffix(".onnx")
        model = _data() / "light" / f"{name}.onnx"
        outputs = sorted(model.parent.glob(f"{name}_output_*.pb"))
        yield Packable(
            id=f"onnx/light/{about.parent.name}",
            model=model.read_bytes(),
            data_sets=[
                (
                    list(_ramps(onnx.load(model).graph)),
                    [onnx.TensorProto.FromString(path.read_bytes()) for path in outputs],
                )
            ],
            **_tolerances(about),
        )


def _ramps(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    """Return the input that onnx.backend.test.runner makes: 0, 1/n, 2/n, … in the input's shape."""
    initialised = {tensor.name for tensor in graph.initializer}
    for value in graph.input:
        if value.name not in initialised:
            shape = [dim.dim_value or 1 for dim in value.type.tensor_type.shape.dim]
            n = int(np.prod(shape))
            ramp = (np.arange(n).reshape(shape) / n).astype(np.float32)
            yield numpy_helper.from_array(ramp)


def _tolerances(path: Path) -> dict[str, Any]:
    own = json.loads(path.read_text()) if path.exists() else {}
    return {"rtol": own.get("rtol", RTOL), "atol": own.get("atol", ATOL)}
