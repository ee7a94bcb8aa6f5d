"""Each program of FINDINGS.md still shows what it says, in a fresh environment of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.environments.scripts import run_script
from harness.errors import EnvironmentUnusableError
from tests.proof.findings import PERTURBED, PYTHON, Finding, findings

if TYPE_CHECKING:
    from tests.proof.conftest import Bench

PAGE = Path(__file__).parents[2] / "FINDINGS.md"
WATCHED_S = 20.0
LONGEST_S = 120.0


@pytest.mark.parametrize("finding", [*findings(PAGE.read_text())], ids=lambda finding: finding.name)
def test_a_finding_shows(
    finding: Finding, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its program prints, or ends, as the comments in it say."""
    is_wide = "avx512f" in Path("/proc/cpuinfo").read_text("utf-8")
    if (finding.wide and not is_wide) or (finding.narrow and is_wide):
        pytest.skip(f"this processor has {'' if is_wide else 'no '}AVX-512")
    script = tmp_path / f"{finding.name}.py"
    if finding.perturbed:
        monkeypatch.setenv(PERTURBED, "165")

    for argument in range(max(1, len(finding.signals))):
        script.write_text(finding.script(argument))
        if not finding.ends:
            with pytest.raises(EnvironmentUnusableError, match=f"not done in {WATCHED_S:g} s"):
                run_script(script, PYTHON, bench.sources, deadline_s=WATCHED_S)
            continue
        ended = run_script(script, PYTHON, bench.sources, deadline_s=LONGEST_S)
        assert finding.unseen(ended, argument) == [], ended.output
