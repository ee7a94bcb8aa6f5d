"""A run can be named in several ways, each of which means one run or is told to be no name."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from harness.errors import ConfigurationError
from harness.store.names import run_ids, the_run

if TYPE_CHECKING:
    from pathlib import Path

STARTS = {
    "zeta": "2026-11-22T02:00:00+00:00",
    "beta-1": "2026-11-23T02:00:00+00:00",
    "beta-2": "2026-11-24T01:00:00+00:00",
    "alpha": "2026-11-24T06:00:00+04:00",  # later than beta-2, though its name sorts before
}


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Return a store whose runs' names do not sort by time."""
    for name, started in STARTS.items():
        a_part(tmp_path / name, started)
    return tmp_path


def a_part(folder: Path, started: str) -> Path:
    """Write the first line of a part."""
    folder.mkdir()
    path = folder / "p.jsonl"
    path.write_text(json.dumps({"record": "part", "started": started}) + "\n", "ascii")
    return path


def test_runs_sort_by_their_start(runs: Path) -> None:
    """Whatever its name, the run that began first stands first, on whatever clock."""
    ids = run_ids(runs)

    assert ids == ["zeta", "beta-1", "beta-2", "alpha"]


@pytest.mark.parametrize(
    ("name", "run"),
    [
        ("latest", "alpha"),
        ("latest~0", "alpha"),
        ("latest~3", "zeta"),
        ("2026-11-23", "beta-1"),
        ("beta-2", "beta-2"),
        ("al", "alpha"),
    ],
)
def test_a_name_means_a_run(runs: Path, name: str, run: str) -> None:
    """A run goes by its id, its beginning, its day, and how far back it is."""
    found = the_run(runs, name)

    assert found == run


def test_a_whole_id_is_no_beginning(runs: Path) -> None:
    """A run whose id another's begins with can be named."""
    a_part(runs / "beta", "2026-11-20T00:00:00+00:00")

    found = the_run(runs, "beta")

    assert found == "beta"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("beta", "'beta' could be any of beta-1, beta-2; give more of the id"),
        ("2026-11-24", "'2026-11-24' could be any of beta-2, alpha; give more of the id"),
        ("2026-11-25", "no run '2026-11-25'; the newest of 4 is alpha"),
        ("latest~4", "no run 'latest~4'; the newest of 4 is alpha"),
        ("nope", "no run 'nope'; the newest of 4 is alpha"),
        ("", "'' could be any of zeta, beta-1, beta-2, alpha; give more of the id"),
        ("../elsewhere", "no run '../elsewhere'; "),
    ],
)
def test_a_name_that_means_none_or_several_is_told(runs: Path, name: str, said: str) -> None:
    """Nothing is guessed: the runs that it could be are named, or the newest."""
    with pytest.raises(ConfigurationError) as error:
        the_run(runs, name)

    assert said in str(error.value)


@pytest.mark.parametrize("line", [b"", b"{}\n", b"\xff\n", b"[" * 100_000, b'{"started": "soon"}'])
def test_a_run_that_does_not_say_when_it_began_has_its_files_time(runs: Path, line: bytes) -> None:
    """A part that was killed before its first line still has a place among the others."""
    path = a_part(runs / "damaged", "")
    path.write_bytes(line)
    os.utime(path, (1763870400, 1763870400))  # 2025-11-23

    ids = run_ids(runs)

    assert ids[0] == "damaged"
    assert len(ids) == 5


def test_a_folder_that_is_being_made_is_no_run(runs: Path) -> None:
    """What merge and prune hide from readers is not listed."""
    a_part(runs / ".merge-x", "2026-11-24T00:00:00+00:00")

    ids = run_ids(runs)

    assert len(ids) == 4
