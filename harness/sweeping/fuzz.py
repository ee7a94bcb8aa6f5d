"""Generated cases on one build under all oracles, and what they show that shows again alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.cases import Worker
from harness.sweeping.observing import Manner, compared, sights
from harness.sweeping.sweep import pair_of
from harness.triage.generated.disagreements import finding
from harness.triage.generated.sights import Sight, State
from harness.wire.generated import Way
from harness.wire.providers import DeviceRequest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.controller.cell import CellUnderTest
    from harness.corpus.generated.record import Packed
    from harness.triage.generated.disagreements import Cause

ONCE = Manner(ways=(Way.DEFAULT,), twice=False)
"""What another process or another cell is asked: its answer."""


@dataclass(frozen=True, kw_only=True)
class Fuzz:
    """A build under all oracles."""

    opened: CellUnderTest
    against: CellUnderTest | None
    """Another cell whose answers count as a vote."""
    deadline_s: float
    """For a request of many cases."""

    def sights(
        self, cases: Sequence[Packed], folder: Path, *, worker: Worker = Worker.ANY
    ) -> list[Sight]:
        """Return how the build takes each case, also in another process, beside another cell.

        Worker.FRESH: each in a process that has carried out nothing before. `folder` is for what is
        kept meanwhile.
        """
        found = self._asked(self.opened, cases, folder / "here", Manner(worker=worker))
        answered = [at for at, one in enumerate(found) if one.state is State.ANSWERED]
        those = [cases[at] for at in answered]
        elsewhere = replace(ONCE, worker=Worker.OTHER)
        others = self._asked(self.opened, those, folder / "elsewhere", elsewhere)
        texts = self._unlike(those, [found[at] for at in answered], others, folder)
        for at, text in zip(answered, texts, strict=True):
            found[at] = replace(found[at], unlike_elsewhere=text)
        if self.against is not None:
            others = self._asked(self.against, cases, folder / "against", ONCE)
            texts = self._unlike(cases, found, others, folder)
            found = [
                replace(one, unlike_against=text, against=other.seen)
                for one, text, other in zip(found, texts, others, strict=True)
            ]
        if self.opened.cell.variant.device is not DeviceRequest.CPU:
            self._ask_cpu_ep(cases, found, folder, worker)
        return found

    def shows_again(self, causes: Sequence[Cause], folder: Path) -> list[bool]:
        """Return of each cause whether its smallest case shows the same in a fresh process."""
        cases = [cause.smallest.case for cause in causes]
        again = self.sights(cases, folder, worker=Worker.FRESH)
        seen = [finding(case, sight) for case, sight in zip(cases, again, strict=True)]
        return [
            one is not None and (one.oracle, one.sign) == (cause.oracle, cause.sign)
            for one, cause in zip(seen, causes, strict=True)
        ]

    def unoptimised(self, case: Packed, folder: Path) -> Sight:
        """Return how the build answers without optimisations, its answer kept in `folder`."""
        plain = self.opened.turned({"optimisation": "none"})
        (found,) = self._asked(plain, [case], folder / "unoptimised", ONCE)
        return found

    def _ask_cpu_ep(
        self, cases: Sequence[Packed], found: list[Sight], folder: Path, worker: Worker
    ) -> None:
        """Add what the build's CPU EP makes of each case of which there is something to say."""
        places = [
            at
            for at, (case, sight) in enumerate(zip(cases, found, strict=True))
            if finding(case, sight) is not None
        ]
        those, here = [cases[at] for at in places], [found[at] for at in places]
        on_cpu = replace(self, opened=self.opened.on_cpu())
        there = on_cpu.sights(those, folder / "on-cpu", worker=worker)
        texts = self._unlike(those, here, there, folder / "on-cpu")
        for at, other, text in zip(places, there, texts, strict=True):
            found[at] = replace(found[at], on_cpu=other, unlike_on_cpu=text)

    def _asked(
        self, opened: CellUnderTest, cases: Sequence[Packed], folder: Path, manner: Manner
    ) -> list[Sight]:
        return sights(opened, cases, folder, deadline_s=self.deadline_s, manner=manner)

    def _unlike(
        self, cases: Sequence[Packed], got: Sequence[Sight], want: Sequence[Sight], folder: Path
    ) -> list[str | None]:
        """Return how the first of two answers to each case differs from the other."""
        found: list[str | None] = [_without_comparing(*two) for two in zip(got, want, strict=True)]
        pairs = {
            at: pair
            for at, case in enumerate(cases)
            if found[at] is None and (pair := pair_of(case, got[at], want[at])) is not None
        }
        texts = compared(
            self.opened, list(pairs.values()), folder / "compared", deadline_s=self.deadline_s
        )
        for at, text in zip(pairs, texts, strict=True):
            found[at] = text
        return found


def _without_comparing(got: Sight, want: Sight) -> str | None:
    """Return "" for equal answers; None where they must be compared, or cannot be."""
    if got.seen is None or want.seen is None or not got.seen.default.digest:
        return None
    return "" if got.seen.default.digest == want.seen.default.digest else None
