"""matrix.toml becomes cells, and whatever it says that cannot be is refused where it stands."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.environments.host import Host, why_no_device, why_not_installable, why_not_runnable
from harness.errors import ConfigurationError
from harness.matrix import Build, Limits, Matrix, Tag, default_python, read_matrix
from harness.wire.providers import DeviceRequest, ExecutionProvider

if TYPE_CHECKING:
    from collections.abc import Callable

REPOSITORY = Path(__file__).parents[2]
GOOD = """
[limits]
deadline_s = 30
memory_mib = 8192

[suites.models]
deadline_s = 300

[variant.cpu]
distribution = "onnxruntime"
release = "1.32.0"
device = "CPU"
pythons = ["3.11", "3.12"]
platforms = ["linux-x86_64"]
constraints = [
    { releases = "<1.19", require = ["numpy<2"] },
    { releases = "<1.17", pythons = ["3.11"] },
]
tags = ["default"]
suites = ["onnx", "mine"]

[variant.cuda]
distribution = "onnxruntime-gpu"
release = "1.31.1"
device = "CUDA"
requirements = ["onnxruntime-gpu[cuda]"]
pythons = ["3.11"]
platforms = ["linux-x86_64"]
providers = { CUDAExecutionProvider = { cudnn_conv_algo_search = "DEFAULT" } }
environment = { EMPTY = "" }
host_devices = ["/dev/nvidiactl", "/dev/dxg"]
limits = { deadline_s = 60 }
tags = ["nightly"]

[corpora.mine]
path = "cases"
rtol = 1e-3
"""


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str], Matrix]:
    """Read a text as the file matrix.toml."""

    def read_text(text: str) -> Matrix:
        path = tmp_path / "matrix.toml"
        path.write_text(text, encoding="utf-8")
        return read_matrix(path)

    return read_text


@pytest.fixture
def matrix(read: Callable[[str], Matrix]) -> Matrix:
    """Return the matrix that GOOD describes."""
    return read(GOOD)


def test_the_repositorys_own_matrix_holds_its_five_variants() -> None:
    """The shipped matrix.toml is read without complaint."""
    path = REPOSITORY / "matrix.toml"

    matrix = read_matrix(path)

    assert set(matrix.variants) == {"cpu", "cuda", "openvino", "rocm", "migraphx"}


def test_every_key_reaches_its_record(matrix: Matrix, tmp_path: Path) -> None:
    """What is written under a variant and a corpus stands in their records."""
    cuda, mine = matrix.variants["cuda"], matrix.corpora["mine"]

    options = cuda.providers[ExecutionProvider.CUDA]

    assert options == {"cudnn_conv_algo_search": "DEFAULT"}
    assert cuda.device is DeviceRequest.CUDA
    assert cuda.environment == {"EMPTY": ""}
    assert cuda.host_devices == ("/dev/nvidiactl", "/dev/dxg")
    assert (mine.path, mine.rtol, mine.atol) == (tmp_path / "cases", 1e-3, None)


def test_a_cell_is_hashable(matrix: Matrix) -> None:
    """Two cells of one name are one key, although their variant holds tables."""
    cells = {matrix.cell("cuda"), matrix.cell("cuda-1.31.1")}

    count = len(cells)

    assert count == 1


@pytest.mark.parametrize(
    ("name", "identity"),
    [
        ("cuda", "cuda-1.31.1-py311"),
        ("cpu-py312", "cpu-1.32.0-py312"),
        ("cpu-1.24.4-py311", "cpu-1.24.4-py311"),
        ("cpu-1.16.3", "cpu-1.16.3-py311"),
        ("cpu-1.22.2.post3-py312", "cpu-1.22.2.post3-py312"),
    ],
)
def test_a_name_finds_its_cell(matrix: Matrix, name: str, identity: str) -> None:
    """What a name leaves out is filled in from the variant's pin and Pythons."""
    cell = matrix.cell(name)

    found = cell.id

    assert found == identity


def test_the_default_python_is_the_running_one_where_the_build_has_it(matrix: Matrix) -> None:
    """The running interpreter's version goes before the newest."""
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    variant = replace(matrix.variants["cpu"], pythons=("3.999", running), constraints=())

    python = default_python(Build(variant=variant, release="1.32.0"))

    assert python == running


def test_the_default_python_is_else_the_newest(matrix: Matrix) -> None:
    """Versions are compared as numbers, not as text."""
    variant = replace(matrix.variants["cpu"], pythons=("3.998", "3.1000", "3.999"), constraints=())

    python = default_python(Build(variant=variant, release="1.32.0"))

    assert python == "3.1000"


@pytest.mark.parametrize(
    ("name", "requirements"),
    [
        ("cpu-1.18.1", ("onnxruntime==1.18.1", "numpy<2")),
        ("cpu-1.19.0", ("onnxruntime==1.19.0",)),
        ("cuda", ("onnxruntime-gpu==1.31.1", "onnxruntime-gpu[cuda]")),
    ],
)
def test_a_build_needs_what_its_release_is_constrained_to(
    matrix: Matrix, name: str, requirements: tuple[str, ...]
) -> None:
    """A constraint reaches exactly the releases in its range."""
    build = matrix.cell(name).build

    needed = build.requirements

    assert needed == requirements


def test_a_tag_chooses_its_variants(matrix: Matrix) -> None:
    """Cells are the pinned builds on every listed Python, of one tag or of all."""
    default, every = matrix.cells(Tag.DEFAULT), matrix.cells()

    identities = [cell.id for cell in default]

    assert identities == ["cpu-1.32.0-py311", "cpu-1.32.0-py312"]
    assert set(every) - set(default) == {matrix.cell("cuda")}


def test_a_suites_deadline_goes_before_the_variants(matrix: Matrix) -> None:
    """The deadline is the suite's, else the variant's; what a variant leaves out is everyone's."""
    cell = matrix.cell("cuda")

    onnx, models = matrix.limits(cell, "onnx"), matrix.limits(cell, "models")

    assert onnx == Limits(deadline_s=60, memory_mib=8192)
    assert models == Limits(deadline_s=300, memory_mib=8192)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("cudaa", "unknown variant 'cudaa'. Did you mean 'cuda'?"),
        ("tpu9", "unknown variant 'tpu9'. Known: cpu, cuda."),
        ("cpu-latest", "names no cell: its form is cpu-1.24.4-py311"),
        ("cpu-1.24", "names a series"),
        ("cpu-1.15.1", "is too old: the worker needs ONNX Runtime 1.16 or newer"),
        ("cpu-1.x.0", "is no release"),
        ("cpu-py310", "too old: the worker needs Python 3.11 or newer"),
        ("cpu-py399", "cpu-1.32.0 has no wheel for Python 3.99, only for 3.11, 3.12."),
        ("cpu-1.16.3-py312", "cpu-1.16.3 has no wheel for Python 3.12, only for 3.11."),
    ],
)
def test_a_name_that_cannot_be_a_cell_is_refused(matrix: Matrix, name: str, wrong: str) -> None:
    """The error repeats the name, says what is wrong with it and what is right."""
    with pytest.raises(ConfigurationError) as error:
        matrix.cell(name)

    text = str(error.value)

    assert text.startswith(f"'{name}'")
    assert wrong in text


FAULTS = [
    ("device = ", "devices = ", "variant.cpu: unknown key 'devices'. Did you mean 'device'?"),
    ("[limits]", "[limit]", "unknown key 'limit'. Did you mean 'limits'?"),
    ("[suites.models]", "[suites.model]", "suites: unknown key 'model'. Did you mean 'models'?"),
    ("rtol", "rtoll", "corpora.mine: unknown key 'rtoll'. Did you mean 'rtol'?"),
    ("{ deadline_s", "{ deadline", "variant.cuda.limits: unknown key 'deadline'."),
    ('<1.17", pythons', '<1.17", python', "variant.cpu.constraints[1]: unknown key 'python'."),
    ('device = "CPU"', "", "variant.cpu: key 'device' is missing"),
    ("memory_mib = 8192", "", "limits: key 'memory_mib' is missing"),
    ('device = "CPU"', 'device = "CUDDA"', "device: unknown 'CUDDA'. Did you mean 'CUDA'?"),
    ('device = "CPU"', "device = 1", "variant.cpu.device: must be a string, not int 1"),
    ('device = "CPU"', 'device = " "', "variant.cpu.device: is blank"),
    ('tags = ["default"]', 'tags = "default"', "variant.cpu.tags: must be a list of strings"),
    ('tags = ["default"]', 'tags = ["daily"]', "variant.cpu.tags: unknown 'daily'."),
    ('"onnx", "mine"', '"onnx", "yours"', "variant.cpu.suites: 'yours' is unknown."),
    ('"3.11", "3.12"', '"3.11", "3.11"', "variant.cpu.pythons: '3.11' stands there twice"),
    ('"3.11", "3.12"', '"3.10"', "pythons: '3.10' is too old: the worker needs Python 3.11"),
    ('"3.11", "3.12"', '"three"', "pythons: 'three' is no Python version like '3.11'"),
    ('"3.11", "3.12"', "", "variant.cpu.pythons: no Python is left for 1.32.0"),
    ('["linux-x86_64"]', '["linux-x86"]', "platforms: 'linux-x86' is unknown. Did you mean"),
    ('["linux-x86_64"]', "[]", "variant.cpu.platforms: name at least one of linux-x86_64"),
    (
        "1.32.0",
        "1.15.0",
        "variant.cpu.release: '1.15.0' is too old: the worker needs ONNX Runtime 1.16",
    ),
    ("1.32.0", "1.32", "variant.cpu.release: '1.32' names a series"),
    ("1.31.1", "01.31.1", "variant.cuda.release: write '01.31.1' as '1.31.1'"),
    ("<1.19", "older", "variant.cpu.constraints[0].releases: 'older' is no range like '<1.19'"),
    (', require = ["numpy<2"]', "", "variant.cpu.constraints[0]: constrains nothing"),
    ("numpy<2", "numpy<<2", "variant.cpu.constraints[0].require: 'numpy<<2' is no requirement"),
    ('"/dev/dxg"', '"dxg"', "variant.cuda.host_devices: 'dxg' is no absolute path"),
    ("CUDAExec", "CUDDAExec", "Did you mean 'CUDAExecutionProvider'?"),
    ("CUDAExec", "ROCMExec", "variant.cuda.providers: unknown key 'ROCMExecutionProvider'."),
    ('"DEFAULT"', "1", "providers.CUDAExecutionProvider.cudnn_conv_algo_search: must be a string"),
    ("deadline_s = 30\n", "deadline_s = 0\n", "limits.deadline_s: 0 is impossible"),
    ("deadline_s = 30\n", "deadline_s = nan\n", "limits.deadline_s: nan is impossible"),
    ("deadline_s = 300", "deadline_s = true", "suites.models.deadline_s: must be a number"),
    ("8192", "81.5", "limits.memory_mib: must be a whole number, not float 81.5"),
    ("1e-3", "-1", "corpora.mine.rtol: -1 is impossible"),
    ("[corpora.mine]", "[corpora.onnx]", "corpora.onnx: 'onnx' is a built-in suite"),
    ("[variant.cuda]", '[variant."cu-da"]', "variant.cu-da: a variant's name is lower-case"),
    ("[variant.cuda]", "[variant.cpu]", "is not TOML: "),
    ("[limits]", "[limits", "(at line 2, "),
]


@pytest.mark.parametrize(("right", "wrong", "told"), FAULTS)
def test_a_fault_is_told_with_its_place(
    read: Callable[[str], Matrix], right: str, wrong: str, told: str
) -> None:
    """Each fault planted into a good file is refused: file, key, what is wrong."""
    text = GOOD.replace(right, wrong, 1)

    with pytest.raises(ConfigurationError) as error:
        read(text)

    assert text != GOOD
    assert "matrix.toml: " in str(error.value)
    assert told in str(error.value)


def test_a_matrix_without_variants_is_refused(read: Callable[[str], Matrix]) -> None:
    """A file that names nothing to test is wrong, not empty."""
    text = "[limits]\ndeadline_s = 30\nmemory_mib = 8192\n"

    with pytest.raises(ConfigurationError) as error:
        read(text)

    assert "there is no [variant.<name>]" in str(error.value)


@pytest.mark.parametrize(("content", "told"), [(None, "cannot be read"), (b"\xff", "is not UTF-8")])
def test_a_file_that_cannot_be_read_is_told(
    tmp_path: Path, content: bytes | None, told: str
) -> None:
    """A missing or binary file is a configuration error with the file's name."""
    path = tmp_path / "matrix.toml"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ConfigurationError) as error:
        read_matrix(path)

    assert str(error.value).startswith(f"{path}: {told}")


LAB = Host(platform="linux-x86_64", pythons=("3.11",), devices=("/dev/dxg",))


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        (LAB, None),
        (replace(LAB, platform="linux-riscv64"), "its platforms are linux-x86_64; this is linux-"),
        (replace(LAB, pythons=("3.12",)), "this host has no Python 3.11, only 3.12"),
        (replace(LAB, devices=()), "no CUDA device on this host: no /dev/nvidiactl or /dev/dxg"),
    ],
)
def test_a_host_runs_a_cell_or_says_why_not(matrix: Matrix, host: Host, reason: str | None) -> None:
    """Platform, Python and one of the device files decide, each with its own words."""
    cell = matrix.cell("cuda")

    told = why_not_runnable(cell, host)

    assert (told or "").startswith(reason or "")
    assert (told is None) == (reason is None)


def test_a_missing_device_does_not_stop_an_install(matrix: Matrix) -> None:
    """A build can be installed and asked for its hello where its device is not."""
    cell, host = matrix.cell("cuda"), replace(LAB, devices=())

    reason, no_device = why_not_installable(cell, host), why_no_device(cell, host)

    assert reason is None
    assert no_device is not None
