"""The worker's code stands in a folder of its own, made once for each content."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import harness
from harness.controller.staging import staged_worker

SOURCE = Path(harness.__file__).parent
PATIENCE_S = 60
STAGE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from harness.controller.staging import staged_worker
print("ready", flush=True)
sys.stdin.readline()
print(staged_worker(Path(sys.argv[2])))
"""
"""Another process that stages the worker, once it is told to."""
LOOK = """
import pkgutil
import harness.worker, harness.wire.messages
print(harness.__file__)
print(sorted(found.name for found in pkgutil.iter_modules(harness.__path__)))
"""


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of our package that is staged in its place and may be changed."""
    copy = tmp_path / "source" / "harness"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(harness, "__file__", str(copy / "__init__.py"))
    return copy


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file under a folder by its path in it."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_a_staged_worker_is_wire_and_worker_and_nothing_else(tmp_path: Path) -> None:
    """Each source of the two packages is there as it is here, and no other file."""
    packages = ("wire", "worker")
    paths = [path for name in packages for path in (SOURCE / name).rglob("*.py")]
    wanted = {f"harness/{path.relative_to(SOURCE).as_posix()}": path.read_bytes() for path in paths}
    wanted["harness/__init__.py"] = (SOURCE / "__init__.py").read_bytes()

    folder = staged_worker(tmp_path)

    assert contents(folder) == wanted
    assert "harness/worker/__main__.py" in wanted
    assert "harness/worker/bindings/python.py" in wanted


def test_a_python_sees_the_staged_worker_and_nothing_of_the_controller(tmp_path: Path) -> None:
    """Started as a worker is, it imports the two packages from there and finds no other of ours."""
    folder = staged_worker(tmp_path)
    command = [sys.executable, "-P", "-s", "-S", "-c", LOOK]

    said = subprocess.run(
        command, env={"PYTHONPATH": str(folder)}, capture_output=True, text=True, check=True
    )

    assert said.stdout.splitlines() == [
        str(folder / "harness" / "__init__.py"),
        "['wire', 'worker']",
    ]


def test_a_staged_worker_is_made_once(tmp_path: Path) -> None:
    """The second time the folder is found, with the code that was compiled in it."""
    first = staged_worker(tmp_path)
    compiled = first / "harness" / "compiled.pyc"
    compiled.touch()

    second = staged_worker(tmp_path)

    assert second == first
    assert compiled.exists()


@pytest.mark.parametrize("name", ["__init__.py", "wire/messages.py", "worker/__main__.py"])
def test_a_change_of_a_file_gives_another_folder(tmp_path: Path, source: Path, name: str) -> None:
    """Code that was changed is never run from the folder of the old one."""
    before = staged_worker(tmp_path)
    (source / name).write_bytes((source / name).read_bytes() + b"# changed\n")

    after = staged_worker(tmp_path)

    assert after != before
    assert contents(after)[f"harness/{name}"].endswith(b"# changed\n")
    assert not contents(before)[f"harness/{name}"].endswith(b"# changed\n")


def test_a_renamed_file_gives_another_folder(tmp_path: Path, source: Path) -> None:
    """Not only the bytes count, but also where they stand."""
    before = staged_worker(tmp_path)
    (source / "wire" / "values.py").rename(source / "wire" / "worth.py")

    after = staged_worker(tmp_path)

    assert after != before
    assert "harness/wire/worth.py" in contents(after)
    assert "harness/wire/values.py" not in contents(after)


def test_a_change_of_the_controller_gives_the_same_folder(tmp_path: Path, source: Path) -> None:
    """What the worker does not see does not cost it a new folder."""
    before = staged_worker(tmp_path)
    (source / "store.py").write_text("", encoding="utf-8")

    after = staged_worker(tmp_path)

    assert after == before


def test_two_processes_stage_one_folder(tmp_path: Path) -> None:
    """Whoever is slower takes what the other made, and nothing half-made is left."""
    command = [sys.executable, "-c", STAGE, str(SOURCE.parent), str(tmp_path)]
    pipe = subprocess.PIPE
    stagers = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(2)]
    ready = [stager.stdout and stager.stdout.readline() for stager in stagers]

    for stager in stagers:
        assert stager.stdin
        stager.stdin.write("go on\n")
        stager.stdin.flush()
    said = {stager.communicate(timeout=PATIENCE_S)[0] for stager in stagers}

    assert ready == ["ready\n", "ready\n"]
    assert said == {f"{staged_worker(tmp_path)}\n"}
    assert list((tmp_path / "worker").iterdir()) == [staged_worker(tmp_path)]


@pytest.mark.parametrize("damage", ["gone", "cut short"])
def test_what_was_taken_from_the_folder_is_put_back(tmp_path: Path, damage: str) -> None:
    """A cache that something cleaned in part is whole again before a worker starts."""
    whole = contents(staged_worker(tmp_path))
    victim = staged_worker(tmp_path) / "harness" / "wire" / "messages.py"
    if damage == "gone":
        victim.unlink()
    else:
        victim.write_bytes(b"")

    found = staged_worker(tmp_path)

    assert contents(found) == whole


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    """Where a file stands in the way of the folder, that is told."""
    (tmp_path / "worker").touch()

    with pytest.raises(OSError, match="worker"):
        staged_worker(tmp_path)
