"""A pack of generated cases is made once, and again where something of it is lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from harness.generate.cases import descriptions
from harness.sweeping.pack import INDEX, Pack, packed_cases

if TYPE_CHECKING:
    from pathlib import Path

CASES = 6


def made(cache: Path) -> Pack:
    """Return the pack of a few cases."""
    return packed_cases(list(descriptions(("Add", "Relu"), 3, CASES)), cache)


def folders(cache: Path) -> list[Path]:
    """Return what stands in the cache beside locks."""
    return [path for path in cache.joinpath("generated").iterdir() if path.is_dir()]


@pytest.mark.parametrize("lost", ["a line", "half a line", "all lines", "bytes", "a file"])
def test_a_pack_that_has_lost_something_is_made_again(lost: str, tmp_path: Path) -> None:
    """Whoever reads it gets all cases, whatever a full disk or a crash has left of it."""
    before = made(tmp_path)
    (folder,) = folders(tmp_path)
    index = folder / INDEX
    text = index.read_bytes()
    data = next(path for path in folder.iterdir() if path != index)
    match lost:
        case "a line":
            index.write_bytes(b"".join(text.splitlines(keepends=True)[:-1]))
        case "half a line":
            index.write_bytes(text[:-40])
        case "all lines":
            index.write_bytes(b"")
        case "bytes":
            data.write_bytes(data.read_bytes()[:-1])
        case _:
            data.unlink()

    after = made(tmp_path)

    assert after == before
    assert len(after.cases) == CASES
    assert index.read_bytes() == text


def test_what_was_left_by_a_killed_process_is_removed(tmp_path: Path) -> None:
    """Its half-made pack has a name of its own: nobody reads it, and the next one clears it."""
    before = made(tmp_path)
    (folder,) = folders(tmp_path)
    folder.rename(folder.with_name(f"{folder.name}.killed"))

    after = made(tmp_path)

    assert after == before
    assert folders(tmp_path) == [folder]


def test_two_that_need_a_pack_at_once_share_it(tmp_path: Path) -> None:
    """One makes it, the other waits, and both read the same."""
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(made, [tmp_path, tmp_path])

    assert one == other
    assert len(folders(tmp_path)) == 1


def test_a_full_disk_is_told_and_leaves_no_pack(small_disk: Path) -> None:
    """That there is no room for the cases is no fault of ours, and nobody reads a part of them."""
    with pytest.raises(OSError, match="No space left on device"):
        packed_cases(list(descriptions((), 1, 900)), small_disk)

    assert folders(small_disk) == []
