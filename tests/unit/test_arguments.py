"""What several commands take is checked where it is taken."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, NoReturn

import pytest

from harness.cli.command_line import run

if TYPE_CHECKING:
    import argparse


@pytest.mark.parametrize("command", ["triage", "reduce", "repro", "fuzz", "sweep"])
@pytest.mark.parametrize("minutes", ["nan", "inf", "-1", "0", "soon"])
def test_minutes_are_a_number_above_nought(
    command: str, minutes: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each command that stops after a time refuses what is no time, in words."""
    with pytest.raises(SystemExit) as ended:
        run([command, f"--minutes={minutes}"])

    assert ended.value.code == 2
    assert f"'{minutes}' is no number above 0" in capsys.readouterr().err


@pytest.mark.parametrize("keep", ["0", "-1", "many"])
def test_what_is_counted_is_a_whole_number_above_nought(
    keep: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """No runs at all are never what somebody means to keep."""
    with pytest.raises(SystemExit) as ended:
        run(["prune", f"--keep={keep}"])

    assert ended.value.code == 2
    assert f"'{keep}' is no whole number above 0: give 1 or more" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["sweep", "fuzz", "generate"])
@pytest.mark.parametrize("seed", ["-1", "x", "1.5", "", "²", "9" * 19, "9" * 5000])
def test_a_seed_is_a_whole_number(
    command: str, seed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each command that draws cases refuses what is no seed, in words."""
    with pytest.raises(SystemExit) as ended:
        run([command, f"--seed={seed}"])

    assert ended.value.code == 2
    assert f"'{seed}' is no seed: give up to 18 digits" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["sweep", "fuzz", "generate"])
def test_no_more_cases_are_drawn_than_memory_holds(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The limit is told before anything is drawn."""
    with pytest.raises(SystemExit) as ended:
        run([command, "--cases=100001"])

    assert ended.value.code == 2
    assert "'100001' is too many: give 1 to 100000" in capsys.readouterr().err


def test_a_sweep_prints_one_format(capsys: pytest.CaptureFixture[str]) -> None:
    """What asks for two of them is refused: one would be lost in silence."""
    with pytest.raises(SystemExit) as ended:
        run(["sweep", "--json", "--markdown"])

    assert ended.value.code == 2
    assert "not allowed with argument --json" in capsys.readouterr().err


def test_ctrl_c_while_a_command_is_loaded_is_told_as_any_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Importing onnx takes a second, in which somebody may lose patience."""

    def interrupted(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr("harness.cli.command_line._add", interrupted)

    code = run(["sweep"])

    assert code == 130
    assert capsys.readouterr().err == "ort-matrix: interrupted\n"


def test_a_full_disk_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whichever command meets it names the file; it is no fault of ours."""

    def runs(_: argparse.Namespace) -> NoReturn:
        """Fail."""
        raise OSError(errno.ENOSPC, "No space left on device", "a/file")

    monkeypatch.setattr("harness.cli.runs.runs", runs)

    code = run(["runs"])

    assert code == 2
    assert capsys.readouterr().err == "ort-matrix: a/file: No space left on device\n"
