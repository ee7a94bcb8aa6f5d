"""What several commands take is checked where it is taken."""

from __future__ import annotations

import pytest

from harness.cli.command_line import run


@pytest.mark.parametrize("command", ["triage", "reduce", "repro", "fuzz"])
@pytest.mark.parametrize("minutes", ["nan", "inf", "-1", "0", "soon"])
def test_minutes_are_a_number_above_nought(
    command: str, minutes: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each command that stops after a time refuses what is no time, in words."""
    with pytest.raises(SystemExit) as ended:
        run([command, f"--minutes={minutes}"])

    assert ended.value.code == 2
    assert f"'{minutes}' is no number above 0" in capsys.readouterr().err
