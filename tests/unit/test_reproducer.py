"""What stands in a reproducer's folder, and that a folder is there whole or not at all."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from harness.corpus.npz import store
from harness.errors import ConfigurationError
from harness.matrix import Cell, read_matrix
from harness.reducing.issue import Report, issue
from harness.reducing.reproducer import Kind, Reproducer, script
from harness.reducing.written import refuse_others, whole

ROOT = Path(__file__).parents[2]


def cell(name: str = "cpu-1.24.4-py311") -> Cell:
    """Return a cell of the project's matrix."""
    return read_matrix(ROOT / "matrix.toml").cell(name)


def fault(kind: Kind = Kind.MISMATCH, **more: Any) -> Reproducer:
    """Return a fault of a build."""
    return Reproducer(
        case="onnx/node/test_abs",
        cell=more.pop("cell", cell()),
        numpy="2.2.6",
        kind=kind,
        what='Abs: 1 where 2 is "right"',
        **more,
    )


def loaded(text: str) -> dict[str, Any]:
    """Return what a repro.py defines, without running it."""
    names: dict[str, Any] = {"__name__": "repro", "__file__": __file__}
    exec(compile(text, "repro.py", "exec"), names)  # noqa: S102 - our own text
    return names


def metadata(text: str) -> dict[str, Any]:
    """Return the inline metadata of a script, as PEP 723 has it read."""
    lines = text.partition("# /// script\n")[2].partition("# ///\n")[0].splitlines()
    return tomllib.loads("\n".join(line.removeprefix("#").removeprefix(" ") for line in lines))


def test_the_metadata_pins_the_build_its_numpy_and_its_python() -> None:
    """An installer gets exactly what the fault was seen with, and nothing of ours."""
    found = metadata(script(fault(cell=cell("cpu-1.17.3"))))

    assert found["dependencies"] == ["onnxruntime==1.17.3", "numpy<2", "numpy==2.2.6"]
    assert found["requires-python"] == "==3.11.*"


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_is_a_program(kind: Kind) -> None:
    """The text of each kind compiles and has the check that it runs."""
    names = loaded(script(fault(kind, status="FAIL")))

    assert callable(names["CHECK"])
    assert names["PROVIDER"] == "CPUExecutionProvider"
    assert names["SESSION_OPTIONS"]["intra_op_num_threads"] == 1


def test_session_settings_are_turned_there_as_well() -> None:
    """What was turned for the failure is turned in the program."""
    settings = {"arena": False, "optimisation": "none", "without_optimisers": ["ConvAddFusion"]}

    names = loaded(script(fault(settings=settings)))

    assert names["SESSION_OPTIONS"]["enable_cpu_mem_arena"] is False
    assert names["OPTIMISATION"] == "ORT_DISABLE_ALL"
    assert names["SESSION_ARGUMENTS"] == {"disabled_optimizers": ["ConvAddFusion"]}


def test_the_program_reads_what_was_stored(tmp_path: Path) -> None:
    """Arrays, text, sequences, maps and what is absent come back as they were."""
    values: dict[str, Any] = {
        "numbers": np.array([[1.5, np.nan]], np.float32),
        "scalar": np.array(3, np.int64),
        "text": np.array(["a", "ö"], object),
        "many": [np.array([1]), np.array([2, 3])],
        "map": {"x": np.float32(1), "y": np.float32(2)},
        "file": np.array([True]),
        "absent": None,
    }
    names = loaded(script(fault()))
    names["HERE"] = tmp_path

    forms = store(values, tmp_path / "inputs.npz")
    found = names["read"]("inputs.npz", forms)

    assert forms["numbers"] == forms["scalar"] == "array"
    assert np.array_equal(found["numbers"], values["numbers"], equal_nan=True)
    assert found["scalar"].shape == ()
    assert found["text"].dtype == object
    assert found["text"].tolist() == ["a", "ö"]
    assert [item.tolist() for item in found["many"]] == [[1], [2, 3]]
    assert found["map"] == {"x": 1, "y": 2}
    assert found["file"].tolist() == [True]
    assert found["absent"] is None


def test_a_type_that_numpy_lacks_is_stored_as_its_bytes(tmp_path: Path) -> None:
    """Bytes as ONNX packs them, with element type and shape told beside."""
    values = {"x": np.array([[1, 2, -3]], ml_dtypes.int4), "y": np.array([1], ml_dtypes.bfloat16)}

    forms = store(values, tmp_path / "inputs.npz")

    assert forms == {"x": ("packed", 22, (1, 3)), "y": ("packed", 16, (1,))}
    with np.load(tmp_path / "inputs.npz") as archive:
        assert archive["x"].tolist() == [0x21, 0x0D]


@pytest.mark.parametrize(
    ("got", "want", "said"),
    [
        ([1.0, 2.0], [1.0, 2.0], ""),
        ([1.0, 2.5], [1.0, 2.0], "SHOWS: y[1] is 2.5, right is 2.0; 1 of 2 differ"),
        ([np.nan], [np.nan], ""),
        ([1.0], [1.0, 2.0], "SHOWS: y: of shape (1,), right is (2,)"),
    ],
)
def test_the_program_compares(got: list[float], want: list[float], said: str) -> None:
    """An output is right within the tolerances, and told where it is not."""
    names = loaded(script(fault(rtol=1e-3, atol=1e-3)))

    found = names["difference"]("y", np.array(got, np.float32), np.array(want, np.float32))

    assert found == said


def test_the_report_has_the_headings_of_a_bug_report() -> None:
    """A maintainer finds what ONNX Runtime's own template asks for, in its order."""
    text = issue(report())

    headings = [line[4:] for line in text.splitlines() if line.startswith("### ")]
    assert headings == [
        *("Describe the issue", "To reproduce", "Urgency", "Platform", "OS Version"),
        *("ONNX Runtime Installation", "ONNX Runtime Version or Commit ID", "ONNX Runtime API"),
        *("Architecture", "Execution Provider", "Execution Provider Library Version"),
    ]
    assert "Released Package (`onnxruntime==1.24.4`)" in text
    assert "X64" in text
    assert "y = Abs(x)" in text
    assert "SHOWS: y" in text


def test_the_report_tells_what_was_bisected_and_attributed() -> None:
    """Versions good and bad and the axis that decides stand in the report."""
    bisected = {
        "changes": [
            {"turn": "broke", "before": "1.20.1", "after": "1.21.0", "was": "PASS", "now": "FAIL"}
        ],
        "answers": [{"of": "1.20.1", "said": "PASS"}, {"of": "1.21.0", "said": "FAIL | wrong"}],
    }
    attributed = {
        "decides": ["optimisation"],
        "begins_at": "basic",
        "tried": [
            {"axis": "optimisation", "value": "none", "effect": "MENDS"},
            {"axis": "arena", "value": "off", "effect": "NOTHING"},
        ],
    }

    text = issue(report(bisected=[bisected, attributed]))

    assert "- broke between 1.20.1 (PASS) and 1.21.0 (FAIL)" in text
    assert "| 1.21.0 | FAIL \\| wrong |" in text
    assert "- the axis `optimisation` decides" in text
    assert "| optimisation = none | MENDS |" in text
    assert "arena" not in text


def report(**more: Any) -> Report:
    """Return a report on a fault."""
    return Report(
        fault=fault(),
        model="y = Abs(x)",
        shown="SHOWS: y[0] is 1, right is 2",
        host={"system": "Linux", "release": "6.1", "machine": "x86_64"},
        **more,
    )


def test_a_folder_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    """What ends half-way leaves nothing, and what was there before stays."""
    to = tmp_path / "there"
    with whole(to) as folder:
        (folder / "model.onnx").write_text("first")
        (folder / "repro.py").write_text("")

    with pytest.raises(KeyboardInterrupt):
        half_written(to)

    assert (to / "model.onnx").read_text() == "first"
    assert list(tmp_path.iterdir()) == [to]


def half_written(to: Path) -> None:
    """Begin to write a folder, and be interrupted."""
    with whole(to) as folder:
        (folder / "model.onnx").write_text("second")
        raise KeyboardInterrupt


def test_a_folder_of_ours_is_replaced(tmp_path: Path) -> None:
    """A second reproducer takes the place of the first, all of it."""
    to = tmp_path / "there"
    for name in ("one", "two"):
        with whole(to) as folder:
            for made in ("model.onnx", "repro.py", name):
                (folder / made).write_text("")

    assert sorted(path.name for path in to.iterdir()) == ["model.onnx", "repro.py", "two"]


def test_what_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    """A folder or file that somebody else made is refused before anything is done."""
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "thesis.tex").write_text("years of work")

    with pytest.raises(ConfigurationError, match="not ours"), whole(theirs):
        pass
    with pytest.raises(ConfigurationError, match="not ours"), whole(theirs / "thesis.tex"):
        pass

    assert (theirs / "thesis.tex").read_text() == "years of work"


def test_a_place_that_no_folder_can_have_is_refused_beforehand(tmp_path: Path) -> None:
    """Before minutes are spent it is told that a file is in the way, there or above."""
    file = tmp_path / "a-file"
    file.touch()

    for to in (file, file / "below", file / "further" / "below"):
        with pytest.raises(ConfigurationError, match="name a folder to be made"):
            refuse_others(to)
    refuse_others(tmp_path / "new" / "below")


def test_what_a_killed_process_had_begun_is_swept_up(tmp_path: Path) -> None:
    """Beside a folder nothing is left of dead processes; what a living one makes is."""
    no_process = 2**22 + 1  # the system's numbers end before it
    dead = tmp_path / f".shown.{no_process}-abc"
    living = tmp_path / f".shown.{os.getpid()}-abc"
    for folder in (dead, living):
        folder.mkdir()

    with whole(tmp_path / "shown") as folder:
        (folder / "model.onnx").touch()

    assert sorted(path.name for path in tmp_path.iterdir()) == [living.name, "shown"]
