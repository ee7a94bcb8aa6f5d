"""What a release is taken for by measuring it beside those that were measured before."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from harness.cases import Case, Worker
from harness.investigation.asking import Asking
from harness.matrix import read_matrix
from harness.probing import Probes, Subject
from harness.results import CaseResult
from harness.triage.bisection import Seen, Skipped
from harness.triage.readings import By
from harness.wire.catalogue.procedures import MODEL_SPEED
from harness.wire.messages import Evidence
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.matrix import Cell

STEADY = (1.00, 1.01, 1.02, 0.99, 0.98)
NOISY = (1.0, 1.6, 0.7, 2.4, 1.1)
RELEASES = ("1.21.0", "1.22.0", "1.23.0")


class Timed:
    """Probes of builds that take as long as they are told to."""

    def __init__(self, seconds: dict[str, Sequence[float]]) -> None:
        self._seconds = {release: cycle(these) for release, these in seconds.items()}

    def probe(self, subject: Subject, cell: Cell, *, worker: Worker) -> CaseResult:
        """Return the next reading of a build."""
        del worker
        return CaseResult(
            cell=cell.id,
            suite=subject.suite,
            case=subject.case.id,
            outcome=Outcome.PASS,
            duration_s=1.0,
            evidence=Evidence(answer={"seconds a run": next(self._seconds[cell.build.release])}),
        )


def kinds(*seconds: Sequence[float]) -> list[str]:
    """Return what each of some releases is taken for, given how long their runs take."""
    matrix = read_matrix(Path(__file__).parents[2] / "matrix.toml")
    releases = RELEASES[: len(seconds)]
    probes: Any = Timed(dict(zip(releases, seconds, strict=True)))
    subject = Subject(suite="s", case=Case(id="s/a", procedure=MODEL_SPEED, arguments={}))
    asking = Asking(cast("Probes", probes), subject, By.SPEED)
    answers = [asking.ask(matrix.cell(f"cpu-{release}")).answer for release in releases]
    return [one.kind if isinstance(one, Seen) else type(one).__name__ for one in answers]


@pytest.mark.parametrize(
    ("seconds", "wanted"),
    [
        ((STEADY, STEADY), ["as 1.21.0", "as 1.21.0"]),
        ((STEADY, NOISY), ["as 1.21.0", Skipped.__name__]),
        ((STEADY, [9 * one for one in STEADY]), ["as 1.21.0", "as 1.22.0"]),
        ((STEADY, [9 * one for one in STEADY], NOISY), ["as 1.21.0", "as 1.22.0", "as 1.21.0"]),
        (
            (STEADY, [2 * one for one in STEADY], (0.3, 5.0, 0.4, 4.0, 1.4)),
            ["as 1.21.0", "as 1.22.0", Skipped.__name__],
        ),
    ],
)
def test_a_noisy_release_is_taken_for_the_only_one_that_it_can_be(
    seconds: Sequence[Sequence[float]], wanted: list[str]
) -> None:
    """It is as the one that it cannot be told from, if unlike all others; beside one, nothing."""
    assert kinds(*seconds) == wanted
