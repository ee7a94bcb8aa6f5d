"""A candidate on disk: one file, there whole or not at all, so that a reduction can go on."""

from __future__ import annotations

import contextlib
import io
import json
import os
import zipfile
from typing import TYPE_CHECKING, Any

from google.protobuf.message import DecodeError

from harness.corpus.given import parsed_model
from harness.corpus.packing import Packer, value_of
from harness.errors import ConfigurationError, HarnessError
from harness.triage.graph_passes.candidate import Candidate

if TYPE_CHECKING:
    from pathlib import Path


def keep(candidate: Candidate, file: Path) -> None:
    """Write a candidate in place of the one that is there; raise ConfigurationError if it fails."""
    data = io.BytesIO()
    packer = Packer(data, file)
    inputs = {name: packer.value(value) for name, value in candidate.inputs.items()}
    partial = file.with_name(f"{file.name}.{os.getpid()}.partial")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(_archived(candidate.data, inputs, data.getvalue()))
        partial.replace(file)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise ConfigurationError(
            f"{file}: what was found cannot be kept: {error.strerror}"
        ) from error


def _archived(model: bytes, inputs: dict[str, Any], data: bytes) -> bytes:
    archived = io.BytesIO()
    with zipfile.ZipFile(archived, "w") as archive:
        archive.writestr("model.onnx", model)
        archive.writestr("inputs.json", json.dumps(inputs))
        archive.writestr("data.bin", data)
    return archived.getvalue()


def kept(file: Path) -> Candidate | None:
    """Return the candidate that was kept, or None where there is none that is whole."""
    try:
        with zipfile.ZipFile(file) as archive:
            data = archive.read("data.bin")
            inputs = json.loads(archive.read("inputs.json"))
            model = parsed_model(archive.read("model.onnx"), str(file))
        return Candidate(
            model=model, inputs={name: value_of(one, data) for name, one in inputs.items()}
        )
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, DecodeError, HarnessError):
        return None
