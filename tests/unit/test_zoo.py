"""zoo.toml is checked strictly, and what it names is what it says."""

from __future__ import annotations

import hashlib
import wave
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image

from harness.corpus.zoo import (
    Zoo,
    extract,
    extract_texts,
    prepare_input,
    read_golden,
    read_zoo,
)
from harness.errors import ConfigurationError

ROOT = Path(__file__).parents[2]
ZOO = ROOT / "models" / "zoo.toml"
WHEEL = "tiny-1.0-py3-none-any.whl"
INPUT = b"0123456789"
CONFIG = b"{}"


def sha256(content: bytes) -> str:
    """Return the SHA-256 of some bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def model_bytes() -> bytes:
    """Return a model whose metadata holds the characters that it reads."""
    x, y = (onnx.helper.make_tensor_value_info(name, 1, [1]) for name in "xy")
    graph = onnx.helper.make_graph([onnx.helper.make_node("Relu", ["x"], ["y"])], "g", [x], [y])
    model = onnx.helper.make_model(graph)
    onnx.helper.set_model_props(model, {"character": "a\nb"})
    return bytes(model.SerializeToString())


MODEL = model_bytes()
TEXT = f"""
[[model]]
id = "tiny"
package = "tiny"
version = "1.0"
wheel = "{WHEEL}"
file = "tiny/model.onnx"
sha256 = "{sha256(MODEL)}"
licence = "MIT"
about = "Does nothing much."
first_release = "1.15"

[[model.text]]
id = "config"
file = "tiny/config.json"
sha256 = "{sha256(CONFIG)}"

[[model.text]]
id = "characters"
metadata = "character"
sha256 = "{sha256(b"a" + bytes([10]) + b"b")}"

[[tolerance]]
id = "tight"
rtol = 0.0
atol = 1e-6
reason = "Measured."

[tolerance.on."OpenVINO:CPU"]
rtol = 0.0
atol = 1e-3
reason = "Other kernels."

[[case]]
id = "tiny/bytes"
pipeline = "magika"
models = {{ classify = "tiny" }}
input = "models/inputs/bytes.bin"
input_sha256 = "{sha256(INPUT)}"
input_licence = "CC0-1.0"
golden = "fixtures/golden/tiny-bytes.npz"
tolerance = "tight"

[case.meaning]
label = "png"
"""


def zoo_in(folder: Path, text: str = TEXT) -> Zoo:
    """Return what is read from a repository in `folder` whose zoo.toml is `text`."""
    inputs = folder / "models" / "inputs"
    inputs.mkdir(parents=True)
    (inputs / "bytes.bin").write_bytes(INPUT)
    (folder / "models" / "zoo.toml").write_text(text, encoding="utf-8")
    return read_zoo(folder / "models" / "zoo.toml")


def wheel_in(folder: Path, model: bytes = MODEL) -> Path:
    """Return a wheel with the tiny model and its config."""
    with zipfile.ZipFile(folder / WHEEL, "w") as archive:
        archive.writestr("tiny/model.onnx", model)
        archive.writestr("tiny/config.json", CONFIG)
    return folder / WHEEL


def write_wav(path: Path, *, rate: int, samples: list[int]) -> None:
    """Write a mono 16-bit recording."""
    with wave.open(str(path), "wb") as recording:
        recording.setnchannels(1)
        recording.setsampwidth(2)
        recording.setframerate(rate)
        recording.writeframes(np.array(samples, "<i2").tobytes())


def test_the_zoo_of_this_repository_is_sound() -> None:
    """Every case has its input, its models, an expectation and golden outputs of finite numbers."""
    zoo = read_zoo(ZOO)

    goldens = [read_golden(case) for case in zoo.cases]

    assert {model for case in zoo.cases for model in case.models.values()} == set(zoo.models)
    assert all(case.meaning for case in zoo.cases)
    assert all(np.isfinite(array).all() for golden in goldens for array in golden.values())


def test_golden_files_are_those_of_the_cases() -> None:
    """No golden file of the zoo is shared or left over."""
    zoo = read_zoo(ZOO)

    named = [case.golden.name for case in zoo.cases]

    assert len(named) == len(set(named))
    assert {case.golden.parent for case in zoo.cases} == {ROOT / "fixtures" / "golden"}


def test_every_input_has_a_line_in_the_licences() -> None:
    """A file under models/inputs says where it comes from and under which licence."""
    inputs = ROOT / "models" / "inputs"

    listed = (inputs / "LICENCES.txt").read_text(encoding="utf-8")

    unlisted = {path.name for path in inputs.iterdir() if path.name not in listed}
    assert unlisted == {"LICENCES.txt"}


def test_wheels_are_for_every_platform() -> None:
    """One sha256 can only hold where one wheel serves every platform."""
    zoo = read_zoo(ZOO)

    wheels = {model.wheel for model in zoo.models.values()}

    assert all(wheel.endswith("-py3-none-any.whl") for wheel in wheels)


def test_inputs_of_this_repository_are_what_their_pipelines_take() -> None:
    """Bytes and pictures come as uint8, recordings as float32 that does not clip."""
    zoo = read_zoo(ZOO)

    prepared = {case.id: prepare_input(case) for case in zoo.cases}

    assert prepared["magika/png"].dtype == np.uint8
    assert prepared["ppocr/page"].shape == (191, 384, 3)
    assert prepared["silero-vad/speech"].dtype == np.float32
    assert 0.1 < np.abs(prepared["silero-vad/speech"]).max() <= 1
    assert not prepared["silero-vad/silence"].any()


def test_a_case_is_read_with_its_model_and_tolerances(tmp_path: Path) -> None:
    """A tolerance for the attached EP replaces the usual one there and nowhere else."""
    zoo = zoo_in(tmp_path)

    case = zoo.cases[0]

    assert case.models == {"classify": "tiny"}
    assert case.tolerance_on("CPU").atol == 1e-6
    assert case.tolerance_on("OpenVINO:CPU").atol == 1e-3


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ('licence = "MIT"', 'license = "MIT"', "unknown key 'license'. Did you mean 'licence'?"),
        ('licence = "MIT"\n', "", "model[0]: key 'licence' is missing"),
        ('licence = "MIT"', 'licence = ""', "model[0].licence: is blank"),
        ('licence = "MIT"', 'licence = "see website"', "its form is"),
        ('pipeline = "magika"', 'pipeline = "magica"', "Did you mean 'magika'?"),
        ('classify = "tiny"', 'classify = "huge"', "no 'huge'. Known: tiny."),
        ('classify = "tiny"', 'clasify = "tiny"', "Did you mean 'classify'?"),
        ('label = "png"', 'lable = "png"', "meaning: unknown key 'lable'. Did you mean 'label'?"),
        ('label = "png"', "", "case[0].meaning: a case says what its answer must mean"),
        ("bytes.bin", "byte.bin", "case[0].input: no file"),
        (sha256(INPUT), "0" * 64, f"sha256 is {sha256(INPUT)}"),
        (sha256(INPUT), "abc", "input_sha256: 'abc' is wrong"),
        ('tolerance = "tight"', 'tolerance = "loose"', "no 'loose'. Known: tight."),
        ('on."OpenVINO:CPU"', 'on."OpenVINO"', "Did you mean 'OpenVINO:"),
        ("atol = 1e-6", "atol = -1.0", "atol: -1.0 is impossible"),
        ("atol = 1e-6", "atol = true", "atol: must be a number"),
        ('reason = "Measured."\n', "", "tolerance[0]: key 'reason' is missing"),
        ('metadata = "character"\n', "", "either the file in the wheel"),
        ("[[model]]", "[[model]", "is not TOML"),
    ],
)
def test_a_wrong_zoo_is_refused(tmp_path: Path, right: str, wrong: str, told: str) -> None:
    """Each mistake is told with the file, the key, what is wrong and what is right."""
    text = TEXT.replace(right, wrong, 1)

    with pytest.raises(ConfigurationError) as caught:
        zoo_in(tmp_path, text)

    assert text != TEXT
    assert told in str(caught.value)


def test_an_id_names_one_model(tmp_path: Path) -> None:
    """Two models of one id are refused."""
    twice = TEXT[: TEXT.index("[[model.text]]")] + TEXT

    with pytest.raises(ConfigurationError) as caught:
        zoo_in(tmp_path, twice)

    assert "'tiny' stands there twice" in str(caught.value)


def test_a_model_is_taken_out_of_its_wheel(tmp_path: Path) -> None:
    """The extracted file has the wheel's bytes, and nothing half-written stays beside it."""
    model = zoo_in(tmp_path).models["tiny"]

    path = extract(model, wheel_in(tmp_path), tmp_path / "out")

    assert path.read_bytes() == MODEL
    assert [entry.name for entry in path.parent.iterdir()] == ["tiny.onnx"]


def test_texts_come_from_the_wheel_and_from_the_metadata(tmp_path: Path) -> None:
    """A pipeline's texts are files whether the wheel or the model holds them."""
    model = zoo_in(tmp_path).models["tiny"]

    texts = extract_texts(model, wheel_in(tmp_path), tmp_path / "out")

    assert texts["config"].read_bytes() == CONFIG
    assert texts["characters"].read_bytes() == b"a\nb"


def test_a_model_that_is_not_the_one_named_is_refused(tmp_path: Path) -> None:
    """One byte more than the sha256 allows, and no file is left behind."""
    model = zoo_in(tmp_path).models["tiny"]
    wheel = wheel_in(tmp_path, MODEL + b"\0")

    with pytest.raises(ConfigurationError) as caught:
        extract(model, wheel, tmp_path / "out")

    assert model.sha256 in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", [b"", b"no zip at all"])
def test_a_broken_wheel_is_refused(tmp_path: Path, content: bytes) -> None:
    """A wheel that a download left half-done is told by its name, without a traceback."""
    model = zoo_in(tmp_path).models["tiny"]
    (tmp_path / WHEEL).write_bytes(content)

    with pytest.raises(ConfigurationError) as caught:
        extract(model, tmp_path / WHEEL, tmp_path / "out")

    assert WHEEL in str(caught.value)


def test_a_recording_at_another_rate_is_refused(tmp_path: Path) -> None:
    """Speech at 8 kHz is not handed to the pipeline for 16 kHz, where it would sound too fast."""
    path = tmp_path / "models" / "inputs" / "bytes.bin"
    write_wav(tmp_path / "slow.wav", rate=8000, samples=[0, 16384, -32768])
    content = (tmp_path / "slow.wav").read_bytes()
    text = TEXT.replace('"magika"', '"silero_vad_16k"').replace("classify =", "detect =")
    text = text.replace('label = "png"', "speech_fraction_at_most = 0.0")
    case = zoo_in(tmp_path, text).cases[0]
    path.write_bytes(content)

    with pytest.raises(ConfigurationError) as caught:
        prepare_input(case)

    assert "at 8000 Hz" in str(caught.value)


def test_a_missing_golden_file_names_its_maker(tmp_path: Path) -> None:
    """Whoever adds a case is told which script makes its golden outputs."""
    case = zoo_in(tmp_path).cases[0]

    with pytest.raises(ConfigurationError) as caught:
        read_golden(case)

    assert "models/build_golden.py" in str(caught.value)


def test_a_grey_picture_becomes_three_colours(tmp_path: Path) -> None:
    """A pipeline for pictures gets height x width x RGB whatever the PNG holds."""
    Image.new("L", (3, 2), 7).save(tmp_path / "grey.png")
    text = TEXT.replace('"magika"', '"ppocr_line"').replace("classify =", "recognise =")
    text = text.replace('label = "png"', 'lines = ["a"]')
    case = zoo_in(tmp_path, text).cases[0]
    case.input.write_bytes((tmp_path / "grey.png").read_bytes())

    picture = prepare_input(case)

    assert picture.shape == (2, 3, 3)
    assert (picture == 7).all()
