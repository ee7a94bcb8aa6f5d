"""Wheels come to stand in a folder, whole, once; real pip takes them from a folder here."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from harness.environments.interpreter import ensure
from harness.environments.wheelhouse import download_wheel, fill_wheelhouse
from harness.errors import EnvironmentUnusableError
from tests.unit.test_environments import RUNNING, a_cell, make_wheel

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder that pip is set up to use in place of any index."""
    folder = tmp_path / "index"
    folder.mkdir()
    make_wheel(folder, "onnxruntime", "1.32.0", {"onnxruntime/__init__.py": "here = True\n"})
    make_wheel(folder, "model", "1.0", {"model.onnx": "bytes"})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    return folder


def test_a_filled_wheelhouse_is_all_that_a_cell_needs(index: Path, tmp_path: Path) -> None:
    """What was fetched for a cell installs where the index is gone."""
    wheels = fill_wheelhouse([a_cell()], tmp_path / "house", files=["model==1.0"])
    index.rename(tmp_path / "gone")

    interpreter = ensure(a_cell(), wheelhouse=tmp_path / "house", cache=tmp_path / "cache")

    assert [wheel.name.partition("-")[0] for wheel in wheels] == ["model", "onnxruntime"]
    assert interpreter.distributions == {"onnxruntime": "1.32.0"}


def test_a_wheel_that_cannot_be_had_is_told_in_pips_words(index: Path, tmp_path: Path) -> None:
    """The error names the cell and what pip looked for."""
    (index / "onnxruntime-1.32.0-py3-none-any.whl").unlink()

    with pytest.raises(EnvironmentUnusableError) as error:
        fill_wheelhouse([a_cell()], tmp_path / "house")

    assert f"cpu-1.32.0-py{RUNNING.replace('.', '')}: fetching wheels" in str(error.value)
    assert "No matching distribution found for onnxruntime==1.32.0" in str(error.value)


def test_a_wheel_is_fetched_once(index: Path, tmp_path: Path) -> None:
    """A wheel that is held is not asked for again."""
    first = download_wheel("model==1.0", tmp_path / "held")
    index.rename(tmp_path / "gone")

    second = download_wheel("model==1.0", tmp_path / "held")

    assert second == first
    assert first.read_bytes() == (tmp_path / "gone" / first.name).read_bytes()


def test_a_wheel_cut_short_is_fetched_again(index: Path, tmp_path: Path) -> None:
    """A held file that is no whole archive is replaced."""
    wheel = download_wheel("model==1.0", tmp_path / "held")
    os.truncate(wheel, 10)

    again = download_wheel("model==1.0", tmp_path / "held")

    assert again.read_bytes() == (index / again.name).read_bytes()


def test_a_wheelhouse_stands_in_for_the_index(index: Path, tmp_path: Path) -> None:
    """With a wheelhouse given, a wheel is taken from there, and nothing is copied."""
    held = tmp_path / "held"

    wheel = download_wheel("model==1.0", held, index)

    assert wheel == index / "model-1.0-py3-none-any.whl"
    assert not held.exists()


@pytest.mark.usefixtures("index")
def test_what_a_wheelhouse_lacks_is_not_fetched(tmp_path: Path) -> None:
    """With a wheelhouse given, a wheel comes from there or not at all."""
    house = tmp_path / "house"

    with pytest.raises(EnvironmentUnusableError) as error:
        download_wheel("model==1.0", tmp_path / "held", house)

    assert str(error.value) == f"model==1.0: no wheel of it is in {house}"
