"""A pack is made once, whole or not at all, whoever is killed and however many want it."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from typing import TYPE_CHECKING, Self

import numpy as np
import onnx
import pytest
from onnx import helper

from harness.cases import Case
from harness.corpus.packing import ALIGNMENT, Packable, Packer, model_case, packed
from harness.wire.catalogue.procedures import MODEL_CASE
from harness.wire.values import ModelCase
from harness.worker.models import smallest
from harness.worker.tensors import load, read_blob

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

WAIT_S = 30.0

SLOW_MAKER = """
import sys
from pathlib import Path
from harness.cases import Case
from harness.corpus.packing import packed
from harness.wire.catalogue.procedures import MODEL_CASE

def write(packer):
    packer.blob(b"half of it")
    print("making", flush=True)
    sys.stdin.readline()
    yield Case(id="c/slow", procedure=MODEL_CASE, arguments={})

print("asking", flush=True)
print([case.id for case in packed(Path(sys.argv[1]), write)], flush=True)
"""
"""Another process that wants the pack, and stops while it makes it."""


class Maker:
    """A SLOW_MAKER at work, which is no more when the block ends."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", SLOW_MAKER, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,  # what is read of it line by line is not read ahead of
        )

    def line(self) -> bytes:
        """Return the next line that it writes."""
        assert self._process.stdout
        return self._process.stdout.readline()

    def go_on(self) -> None:
        """Let it make the pack."""
        assert self._process.stdin
        with contextlib.suppress(BrokenPipeError):  # it found the pack made, and has gone
            self._process.stdin.write(b"go on\n")

    def rest(self) -> bytes:
        """Return what is left of what it writes."""
        return self._process.communicate(timeout=WAIT_S)[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        with self._process:
            self._process.kill()


def one_case(id_: str = "c/one") -> Callable[[Packer], Iterator[Case]]:
    """Return a writer of a single case with one value."""

    def write(packer: Packer) -> Iterator[Case]:
        value = packer.value(np.array([1, 2], np.int32))
        yield Case(
            id=id_, procedure=MODEL_CASE, arguments={"data": packer.data_file, "value": value}
        )

    return write


def never(_packer: Packer) -> Iterator[Case]:
    """Fail, because a pack that is there must not be made again."""
    raise AssertionError("made again")


def read_value(case: Case) -> list[int]:
    """Return the value of a case of `one_case`."""
    found: list[int] = load(case.arguments["value"], case.arguments["data"]).tolist()
    return found


def test_a_pack_is_made_once(tmp_path: Path) -> None:
    """The second time it is only read, and its values are where the descriptions say."""
    folder = tmp_path / "not yet there" / "pack"

    first = packed(folder, one_case())
    second = packed(folder, never)

    assert second == first
    assert [case.id for case in second] == ["c/one"]
    assert read_value(second[0]) == [1, 2]


def test_a_pack_that_fails_is_not_there(tmp_path: Path) -> None:
    """An error while it is made comes out, and the next attempt makes it."""
    folder = tmp_path / "pack"

    def failing(packer: Packer) -> Iterator[Case]:
        yield from one_case()(packer)
        raise ZeroDivisionError("half-way")

    with pytest.raises(ZeroDivisionError, match="half-way"):
        packed(folder, failing)
    left = [path.name for path in tmp_path.iterdir() if path.is_dir()]

    assert left == []
    assert [case.id for case in packed(folder, one_case())] == ["c/one"]


def test_a_half_made_pack_is_never_read(tmp_path: Path) -> None:
    """Who is killed while making a pack leaves none, and no lock."""
    folder = tmp_path / "pack"
    with Maker(folder) as maker:
        lines = [maker.line(), maker.line()]

    there = folder.exists()
    cases = packed(folder, one_case())

    assert lines == [b"asking\n", b"making\n"]
    assert not there
    assert [case.id for case in cases] == ["c/one"]


def test_two_processes_make_one_pack(tmp_path: Path) -> None:
    """Who wants a pack that another is making waits for it and makes none."""
    folder = tmp_path / "pack"

    with Maker(folder) as one, Maker(folder) as other:
        lines = [one.line(), other.line()]
        one.go_on()
        other.go_on()
        said = [one.rest(), other.rest()]

    assert lines == [b"asking\n", b"asking\n"]
    assert sorted(said) == [b"['c/slow']\n", b"making\n['c/slow']\n"]


@pytest.mark.parametrize("damage", [b"", b'{"data_size": 8, "cases": [["c/o', b"[]", b"\xff", b"7"])
def test_a_damaged_index_is_made_again(tmp_path: Path, damage: bytes) -> None:
    """An index cut off by a full disk or a lost power line costs a new pack and no error."""
    folder = tmp_path / "pack"
    packed(folder, one_case())
    (folder / "cases.json").write_bytes(damage)

    cases = packed(folder, one_case("c/again"))

    assert [case.id for case in cases] == ["c/again"]
    assert packed(folder, never) == cases


def test_a_damaged_data_file_is_made_again(tmp_path: Path) -> None:
    """Data that is shorter than it was written, or gone, costs a new pack and no error."""
    folder = tmp_path / "pack"
    packed(folder, one_case())

    (folder / "data.bin").write_bytes(b"\1")
    after_cut = packed(folder, one_case("c/again"))
    (folder / "data.bin").unlink()
    after_removal = packed(folder, one_case("c/third"))

    assert [case.id for case in after_cut] == ["c/again"]
    assert [case.id for case in after_removal] == ["c/third"]
    assert read_value(after_removal[0]) == [1, 2]


def test_values_stand_at_multiples_of_the_alignment(tmp_path: Path) -> None:
    """A tensor that is mapped into memory is aligned for any processor, whatever came before."""
    data_file = tmp_path / "data.bin"
    values = [np.zeros(n, np.uint8) for n in (1, 64, 3)]

    with data_file.open("wb") as out:
        packer = Packer(out, data_file)
        offsets = [packer.value(value)["at"][0] for value in values]

    assert offsets == [0, ALIGNMENT, 2 * ALIGNMENT]


def test_a_model_case_says_what_the_model_asks_for(tmp_path: Path) -> None:
    """IR version, opsets by domain (ai.onnx by its short name) and the bytes are in the case."""
    model = onnx.load_model_from_string(smallest.identity())
    del model.opset_import[:]
    model.opset_import.extend([helper.make_opsetid("ai.onnx", 17), helper.make_opsetid("x.y", 2)])
    given = Packable(
        id="c/one",
        model=model.SerializeToString(),
        data_sets=[([np.zeros(3, np.float32)], None), ([], [None, [np.zeros(1)]])],
        rtol=0.5,
        atol=0.25,
    )

    (case,) = packed(tmp_path / "pack", lambda packer: [model_case(given, packer)])

    found = ModelCase.from_json(case.arguments)
    assert (case.id, case.procedure) == ("c/one", MODEL_CASE)
    assert (found.ir, found.opsets, found.in_place) == (8, {"": 17, "x.y": 2}, False)
    assert (found.rtol, found.atol) == (0.5, 0.25)
    assert read_blob(found.model) == given.model
    first, second = found.data_sets
    assert load(first.inputs[0], found.data).tolist() == [0, 0, 0]
    assert first.outputs is None
    assert second.inputs == ()
    assert second.outputs is not None
    assert second.outputs[0] == {"optional": None}
    assert [len(array) for array in load(second.outputs[1], found.data)] == [1]


def test_a_model_in_place_stays_where_it_is(tmp_path: Path) -> None:
    """A model with data beside it is named by its path and not copied."""
    path = tmp_path / "model.onnx"
    path.write_bytes(smallest.identity())
    given = Packable(id="c/one", model=path, data_sets=[], rtol=0, atol=0)

    (case,) = packed(tmp_path / "pack", lambda packer: [model_case(given, packer)])

    found = ModelCase.from_json(case.arguments)
    assert (found.model.file, found.in_place) == (str(path), True)
    assert (tmp_path / "pack" / "data.bin").stat().st_size == 0
