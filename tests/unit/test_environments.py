"""An environment is made once, verified at every use, and holds exactly the build that was asked.

Real uv and real pip install tiny wheels made here; nothing reaches the network.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import select
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import uv

from harness.environments import installed
from harness.environments.installer import run_installer
from harness.environments.interpreter import ensure, observe_host, this_platform
from harness.errors import ConfigurationError, EnvironmentUnusableError
from harness.matrix import Build, Cell, Limits, Matrix, Variant
from harness.wire.providers import DeviceRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.environments.interpreter import Interpreter

RUNNING = "{}.{}".format(*sys.version_info)
PACKAGE = "onnxruntime/__init__.py"
PATIENCE_S = 60
ASK = f"""
import sys
from pathlib import Path
sys.path[:0] = {[str(Path(__file__).parents[2]), str(Path(__file__).parent)]}
import uv
uv.find_uv_bin = lambda: sys.argv[1]
from tests.unit.test_environments import a_cell
from harness.environments.interpreter import ensure
print("asking", flush=True)
print(ensure(a_cell(), wheelhouse=Path(sys.argv[2]), cache=Path(sys.argv[3])).folder)
"""


def a_cell(*requirements: str, python: str = RUNNING, host_devices: tuple[str, ...] = ()) -> Cell:
    """Return a cell of the tiny onnxruntime 1.32.0 that the wheelhouse holds."""
    variant = Variant(
        name="cpu",
        distribution="onnxruntime",
        release="1.32.0",
        device=DeviceRequest.CPU,
        pythons=(python,),
        platforms=(this_platform(),),
        limits=Limits(deadline_s=30, memory_mib=1024),
        requirements=requirements,
        host_devices=host_devices,
    )
    return Cell(build=Build(variant=variant, release=variant.release), python=python)


def make_wheel(folder: Path, name: str, version: str, files: dict[str, str]) -> Path:
    """Return a wheel of pure Python files, with a RECORD as the specification asks."""
    info = f"{name}-{version}.dist-info"
    content = files | {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = [f"{path},{_hash(text)},{len(text)}\n" for path, text in content.items()]
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in content.items():
            archive.writestr(path, text)
        archive.writestr(f"{info}/RECORD", "".join(record) + f"{info}/RECORD,,\n")
    return wheel


def _hash(text: str) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
    return "sha256=" + digest.rstrip(b"=").decode()


@pytest.fixture(autouse=True)
def _own_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep uv's cache and ours out of the user's, and uv off the network."""
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("ORT_MATRIX_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def wheelhouse(tmp_path: Path) -> Path:
    """Return a wheelhouse with onnxruntime 1.32.0 and a distribution that it does not need."""
    folder = tmp_path / "wheelhouse"
    folder.mkdir()
    make_wheel(folder, "onnxruntime", "1.32.0", {PACKAGE: "__version__ = '1.32.0'\n"})
    make_wheel(folder, "bystander", "1.0", {"bystander/__init__.py": ""})
    return folder


def site_packages(interpreter: Interpreter) -> Path:
    """Return where the environment's packages are."""
    return interpreter.folder / "lib" / f"python{RUNNING}" / "site-packages"


def answer(interpreter: Interpreter, expression: str) -> str:
    """Return what the environment's Python makes of an expression over onnxruntime and sys."""
    program = f"import onnxruntime, sys; print({expression})"
    command = [str(interpreter.python), "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def wait_for(condition: Callable[[], bool]) -> None:
    """Return once the condition holds; on a machine where it never does, fail."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def test_an_environment_holds_the_asked_build(wheelhouse: Path) -> None:
    """The interpreter runs in its own environment and imports the build that was asked."""
    interpreter = ensure(a_cell(), wheelhouse=wheelhouse)

    version, prefix = answer(interpreter, "onnxruntime.__version__, sys.prefix").split(maxsplit=1)

    assert "1.32.0" in version
    assert str(interpreter.folder) in prefix
    assert interpreter.folder.name == f"{a_cell().id}-{interpreter.key}"
    assert interpreter.distributions == {"onnxruntime": "1.32.0"}


def test_a_whole_environment_is_reused_without_uv(
    wheelhouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second call starts no process: it gets the same interpreter where uv is gone."""
    first = ensure(a_cell(), wheelhouse=wheelhouse)
    monkeypatch.delattr(uv, "find_uv_bin")

    second = ensure(a_cell(), wheelhouse=wheelhouse)

    assert second == first


def truncate(interpreter: Interpreter) -> None:
    """Empty a file in place, which empties the one in uv's cache that it is linked to."""
    os.truncate(site_packages(interpreter) / PACKAGE, 0)


def delete(interpreter: Interpreter) -> None:
    """Take a file away."""
    (site_packages(interpreter) / PACKAGE).unlink()


def forget(interpreter: Interpreter) -> None:
    """Take a distribution's metadata away, so that nothing says which files it had."""
    (folder,) = site_packages(interpreter).glob("*.dist-info")
    folder.rename(folder.with_suffix(".gone"))


def add(interpreter: Interpreter) -> None:
    """Leave the traces of a distribution that somebody installed."""
    (site_packages(interpreter) / "intruder-1.0.dist-info").mkdir()


def garble_record(interpreter: Interpreter) -> None:
    """Overwrite a RECORD by what is none."""
    (record,) = site_packages(interpreter).glob("*.dist-info/RECORD")
    record.write_text("one,two\n", encoding="utf-8")


def garble_mark(interpreter: Interpreter) -> None:
    """Cut the ready mark short."""
    (interpreter.folder / "ready.json").write_text('{"base"', encoding="utf-8")


def remove_mark(interpreter: Interpreter) -> None:
    """Take the ready mark away, as where a deletion was interrupted."""
    (interpreter.folder / "ready.json").unlink()


def lose_python(interpreter: Interpreter) -> None:
    """Let the environment's Python point to nothing, as after its base was uninstalled."""
    interpreter.python.unlink()
    interpreter.python.symlink_to("/nowhere/python")


def swap_python(interpreter: Interpreter) -> None:
    """Let the environment's Python be another program, as after an upgrade of its base."""
    interpreter.python.unlink()
    interpreter.python.symlink_to("/bin/sh")


@pytest.mark.parametrize(
    "damage",
    [
        truncate,
        delete,
        forget,
        add,
        garble_record,
        garble_mark,
        remove_mark,
        lose_python,
        swap_python,
    ],
)
def test_a_damaged_environment_is_made_anew(
    wheelhouse: Path, damage: Callable[[Interpreter], None]
) -> None:
    """Whatever was done to it, the next call returns a whole environment in the same place."""
    before = ensure(a_cell(), wheelhouse=wheelhouse)
    damage(before)

    after = ensure(a_cell(), wheelhouse=wheelhouse)

    assert after == before
    assert answer(after, "onnxruntime.__version__") == "1.32.0"
    assert installed.distributions(site_packages(after)) == {"onnxruntime": "1.32.0"}


def test_other_requirements_are_another_environment(wheelhouse: Path) -> None:
    """Environments are told apart by what was asked for."""
    plain = ensure(a_cell(), wheelhouse=wheelhouse)

    more = ensure(a_cell("bystander"), wheelhouse=wheelhouse)

    assert more.folder != plain.folder
    assert more.distributions == {"bystander": "1.0", "onnxruntime": "1.32.0"}


def test_a_wheel_of_ones_own_is_another_build_under_the_same_name(wheelhouse: Path) -> None:
    """A wheelhouse whose wheel has other content never gets the environment of the first."""
    first = ensure(a_cell(), wheelhouse=wheelhouse)
    make_wheel(wheelhouse, "onnxruntime", "1.32.0", {PACKAGE: "__version__ = 'patched'\n"})

    second = ensure(a_cell(), wheelhouse=wheelhouse)

    assert second.folder != first.folder
    assert answer(second, "onnxruntime.__version__") == "patched"


@pytest.fixture
def slow_uv(tmp_path: Path) -> Iterator[Path]:
    """Give a uv that writes down each call, and installs only once the file `go` is there."""
    program = tmp_path / "slow-uv"
    program.write_text(
        f'#!/bin/sh\necho "$1 $$" >> {tmp_path}/calls\n'
        f'if [ "$1" = pip ]; then until [ -e {tmp_path}/go ]; do sleep 0.02; done; fi\n'
        f'exec {uv.find_uv_bin()} "$@"\n',
        encoding="utf-8",
    )
    program.chmod(0o755)
    (tmp_path / "calls").touch()
    yield program
    # No call outlives its test, whatever became of that.
    (tmp_path / "go").touch()


def calls(slow_uv: Path, command: str) -> list[int]:
    """Return the process ids of all calls of a uv command so far."""
    lines = slow_uv.with_name("calls").read_text(encoding="utf-8").splitlines()
    return [int(line.split()[1]) for line in lines if line.startswith(f"{command} ")]


def start_asking(slow_uv: Path, wheelhouse: Path, cache: Path) -> subprocess.Popen[str]:
    """Return a process that has begun to ask for the cell's interpreter."""
    command = [sys.executable, "-c", ASK, str(slow_uv), str(wheelhouse), str(cache)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "asking\n"
    return process


def test_two_processes_that_ask_at_once_share_one_build(
    slow_uv: Path, wheelhouse: Path, tmp_path: Path
) -> None:
    """The second waits for the first and gets what it made."""
    first = start_asking(slow_uv, wheelhouse, tmp_path / "cache")
    wait_for(lambda: bool(calls(slow_uv, "pip")))
    second = start_asking(slow_uv, wheelhouse, tmp_path / "cache")
    slow_uv.with_name("go").touch()

    folders = {process.communicate(timeout=PATIENCE_S)[0] for process in (first, second)}

    assert len(folders) == 1
    assert Path(folders.pop().strip(), "ready.json").exists()
    assert len(calls(slow_uv, "venv")) == 1


def test_a_killed_builders_folder_is_never_taken_for_whole(
    slow_uv: Path, wheelhouse: Path, tmp_path: Path
) -> None:
    """After a kill in the midst of installing, the next call makes a whole environment."""
    with start_asking(slow_uv, wheelhouse, tmp_path / "cache") as builder:
        wait_for(lambda: bool(calls(slow_uv, "pip")))
        builder.send_signal(signal.SIGKILL)

    interpreter = ensure(a_cell(), wheelhouse=wheelhouse)

    assert answer(interpreter, "onnxruntime.__version__") == "1.32.0"
    assert not list(interpreter.folder.parent.glob("*.partial-*"))
    slow_uv.with_name("go").touch()
    (orphan,) = calls(slow_uv, "pip")
    wait_for(lambda: not Path(f"/proc/{orphan}/exe").exists())


def test_two_owners_of_the_import_package_are_refused(wheelhouse: Path) -> None:
    """Two distributions that install onnxruntime overwrite each other, so neither is tested."""
    make_wheel(wheelhouse, "onnxruntime_gpu", "1.31.1", {PACKAGE: "__version__ = '1.31.1'\n"})

    with pytest.raises(EnvironmentUnusableError) as error:
        ensure(a_cell("onnxruntime-gpu"), wheelhouse=wheelhouse)

    assert "must come from onnxruntime 1.32.0 alone" in str(error.value)
    assert "comes from onnxruntime 1.32.0 and onnxruntime-gpu 1.31.1" in str(error.value)


def test_a_wheel_without_the_import_package_is_refused(wheelhouse: Path) -> None:
    """A distribution of the right name that holds no onnxruntime is not the build."""
    make_wheel(wheelhouse, "onnxruntime", "1.32.0", {"other/__init__.py": ""})

    with pytest.raises(EnvironmentUnusableError) as error:
        ensure(a_cell(), wheelhouse=wheelhouse)

    assert "but comes from nothing" in str(error.value)


def test_a_missing_release_is_told_in_uvs_words(wheelhouse: Path, tmp_path: Path) -> None:
    """Where nothing fits, the error ends in what uv said, and no environment is left behind."""
    (wheelhouse / "onnxruntime-1.32.0-py3-none-any.whl").rename(
        wheelhouse / "onnxruntime-1.31.0-py3-none-any.whl"
    )

    with pytest.raises(EnvironmentUnusableError) as error:
        ensure(a_cell(), wheelhouse=wheelhouse)

    assert "cpu-1.32.0-py" in str(error.value)
    assert "there is no version of onnxruntime==1.32.0" in str(error.value)
    assert not any(path.is_dir() for path in (tmp_path / "cache" / "environments").iterdir())


def test_a_missing_python_is_named(
    wheelhouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cell on a Python that this host has not says what is missing and how to get it."""
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(EnvironmentUnusableError) as error:
        ensure(a_cell(python="3.99"), wheelhouse=wheelhouse)

    assert "this host has no Python 3.99: put a python3.99 on PATH" in str(error.value)


def test_a_missing_wheelhouse_is_a_wrong_argument(tmp_path: Path) -> None:
    """A wheelhouse that is not there is never replaced by the index."""
    nowhere = tmp_path / "nowhere"

    with pytest.raises(ConfigurationError) as error:
        ensure(a_cell(), wheelhouse=nowhere)

    assert str(nowhere) in str(error.value)


def test_a_wheelhouse_is_the_only_source(
    wheelhouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the user's uv would find elsewhere is not installed where a wheelhouse is given."""
    (tmp_path / "elsewhere" / "uv").mkdir(parents=True)
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "elsewhere"))
    settings = f'find-links = ["{tmp_path / "elsewhere"}"]\n'
    (tmp_path / "elsewhere" / "uv" / "uv.toml").write_text(settings, encoding="utf-8")
    bystander = wheelhouse / "bystander-1.0-py3-none-any.whl"
    bystander.rename(tmp_path / "elsewhere" / bystander.name)
    (wheelhouse / "no wheel's name.whl").touch()

    with pytest.raises(EnvironmentUnusableError) as error:
        ensure(a_cell("bystander"), wheelhouse=wheelhouse)

    assert "bystander was not found" in str(error.value)


def test_a_broken_wheel_is_an_unusable_environment(wheelhouse: Path) -> None:
    """A wheel that was cut short is named."""
    wheel = wheelhouse / "onnxruntime-1.32.0-py3-none-any.whl"
    os.truncate(wheel, 100)

    with pytest.raises(EnvironmentUnusableError) as error:
        ensure(a_cell(), wheelhouse=wheelhouse)

    assert wheel.name in str(error.value)


def test_a_cache_that_cannot_be_written_is_an_unusable_environment(
    wheelhouse: Path, tmp_path: Path
) -> None:
    """What the operating system says about the cache folder is passed on."""
    cache = tmp_path / "file"
    cache.touch()

    with pytest.raises(EnvironmentUnusableError) as error:
        ensure(a_cell(), wheelhouse=wheelhouse, cache=cache)

    assert "Not a directory" in str(error.value)


def test_the_users_index_reaches_a_cell_but_no_projects_settings(
    wheelhouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Packages come from where the user's variables say, wherever the user stands."""
    settings = '[tool.uv]\nfind-links = ["/nowhere"]\n'
    (tmp_path / "pyproject.toml").write_text(settings, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    (wheel,) = wheelhouse.glob("onnxruntime-*.whl")
    page = tmp_path / "index" / "onnxruntime" / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text(f'<a href="{wheel.as_uri()}">{wheel.name}</a>', encoding="utf-8")
    monkeypatch.setenv("UV_DEFAULT_INDEX", (tmp_path / "index").as_uri())

    interpreter = ensure(a_cell(), cache=Path("cache"))

    assert interpreter.folder.is_relative_to(tmp_path / "cache")
    assert interpreter.distributions == {"onnxruntime": "1.32.0"}


def test_an_installer_sees_the_index_but_no_other_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Variables that lead elsewhere are kept from uv and pip; where the index is stays known."""
    for name in ("VIRTUAL_ENV", "PYTHONPATH", "UV_PYTHON", "PIP_TARGET", "UV_INDEX"):
        monkeypatch.setenv(name, "/elsewhere")
    program = "import json, os; print(json.dumps(dict(os.environ)))"

    printed = run_installer([sys.executable, "-c", program], doing="asking", deadline_s=PATIENCE_S)

    elsewhere = {name for name, value in json.loads(printed).items() if value == "/elsewhere"}
    assert elsewhere == {"UV_INDEX"}


def test_an_installer_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    """At the deadline the whole process group goes, and the error says what was being done."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    program = f"exec 3> {fifo}; sleep 600 & sleep 600"

    with pytest.raises(EnvironmentUnusableError, match=r"hanging: not done in 0\.5 s"):
        run_installer(["/bin/sh", "-c", program], doing="hanging", deadline_s=0.5)

    # Readable at end of file: every process that held the other end is gone.
    ended, _, _ = select.select([reader], [], [], PATIENCE_S)
    os.close(reader)
    assert ended


def test_an_installers_last_words_reach_the_user() -> None:
    """The error ends in the end of what the tool wrote on stderr, and only in that."""
    program = "for n in $(seq 40); do echo line $n >&2; done; echo talk; exit 3"

    with pytest.raises(EnvironmentUnusableError) as error:
        run_installer(["/bin/sh", "-c", program], doing="failing", deadline_s=PATIENCE_S)

    assert str(error.value).startswith("failing: sh says:\nline 29\n")
    assert str(error.value).endswith("\nline 40")


def test_a_host_is_observed_past_interpreters_that_do_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version manager's empty shim is no Python; the running one always is."""
    shim = tmp_path / "python3.98"
    shim.write_text("#!/bin/sh\necho not installed >&2\nexit 127\n", encoding="utf-8")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    cell = a_cell(host_devices=(str(tmp_path), "/nowhere/device"))
    matrix = Matrix(variants={"cpu": cell.variant}, corpora={}, suite_deadlines_s={})

    host = observe_host(matrix)

    assert RUNNING in host.pythons
    assert "3.98" not in host.pythons
    assert host.platform == this_platform()
    assert host.devices == (str(tmp_path),)
