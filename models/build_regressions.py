"""Write fixtures/regressions: small cases that a released ONNX Runtime once got wrong.

Each has the right answer from the standard's text or its reference evaluator, and stays in the
matrix so that a fault which was mended is seen when it returns.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper, parser

FOLDER = Path(__file__).parents[1] / "fixtures" / "regressions"
Array = npt.NDArray[np.generic]


@dataclass(frozen=True, kw_only=True)
class Regression:
    """One model with its inputs and the right outputs."""

    name: str
    model: str
    """In the textual form of onnx.parser."""
    inputs: tuple[Array, ...]
    outputs: tuple[Array, ...]


REGRESSIONS = (
    # 1.21 to 1.24 divide by the window's part inside the image: [1, .5, 1, .5].
    # https://github.com/microsoft/onnxruntime/issues/26708
    Regression(
        name="average_pool_counts_padding",
        model="""<ir_version: 9, opset_import: ["": 19]>
            g (float[1,1,2,2] x) => (float[1,1,2,2] y) {
                y = AveragePool<kernel_shape = [2, 2], pads = [0, 0, 1, 1],
                                count_include_pad = 1>(x)
            }""",
        inputs=(np.ones((1, 1, 2, 2), np.float32),),
        outputs=(np.array([[[[1, 0.5], [0.5, 0.25]]]], np.float32),),
    ),
)


def main() -> None:
    """Write each anew; what `ort-matrix fuzz --keep` has put beside them stays."""
    for regression in REGRESSIONS:
        data = FOLDER / regression.name / "test_data_set_0"
        shutil.rmtree(data.parent, ignore_errors=True)
        data.mkdir(parents=True)
        onnx.save(parser.parse_model(regression.model), data.parent / "model.onnx")
        for side, arrays in (("input", regression.inputs), ("output", regression.outputs)):
            for at, array in enumerate(arrays):
                tensor = numpy_helper.from_array(array)
                (data / f"{side}_{at}.pb").write_bytes(tensor.SerializeToString())


if __name__ == "__main__":
    main()
