"""A case that holds for all examples of a kind: drawn, asked one by one, shrunk where one fails."""

from __future__ import annotations

import json
import secrets
import time
import zlib
from collections import Counter
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

from harness.cases import Ask, Case
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import hypothesis
    from hypothesis.strategies import SearchStrategy

    from harness.results import Observed

EXAMPLES = ".hypothesis/properties"
"""Where failing examples are kept, below the project's folder."""

FIXED_SEED = 20261122

HOLDS = (Outcome.PASS, Outcome.FALLBACK, Outcome.UNSUPPORTED, Outcome.NOT_TESTED)
"""Outcomes of an example that do not speak against the property, the most telling first."""

SHRINKS_FOR_S = 30.0
"""How long a failing example is made smaller: each step may cost a worker its life."""

Example = dict[str, Any]


class Profile(StrEnum):
    """How many examples a search draws, and which."""

    CI = "ci"
    """A few, and the same ones each time: but for the few per cent that Hypothesis picks from the
    constants in the modules that happen to be loaded."""
    NIGHTLY = "nightly"
    """Many, and others each time."""


@dataclass(frozen=True, kw_only=True)
class Search:
    """How the examples of every property are drawn."""

    profile: Profile = Profile.CI
    seed: int = FIXED_SEED
    database: Path | None = None
    """The folder in which failing examples are kept, to be tried first; None keeps none."""

    @classmethod
    def of(cls, profile: Profile, database: Path | None) -> Self:
        """Return the search of a profile: with the fixed seed, or a new one for NIGHTLY."""
        seed = FIXED_SEED if profile is Profile.CI else secrets.randbits(32)
        return cls(profile=profile, seed=seed, database=database)

    def on(self, cell: str) -> Self:
        """Return the search that keeps its failing examples apart from those of other cells.

        An example that holds is forgotten: it must not be forgotten for a cell where it fails.
        """
        return self if self.database is None else replace(self, database=self.database / cell)


@dataclass(frozen=True, kw_only=True)
class Property(Case):
    """A case that asks its procedure of many examples; with `arguments`, of these alone."""

    examples: Callable[[], SearchStrategy[Example]]
    """The arguments of one request each; called late, because Hypothesis takes long to import."""
    counts: dict[Profile, int]
    """How many examples are drawn."""
    search: Search = field(default_factory=Search)

    def on(self, cell: str) -> Property:
        """Return the property as it is searched on one cell."""
        return replace(self, search=self.search.on(cell))

    def carried_out(self, ask: Ask) -> Observed:
        """Return the first failure found, at its smallest; or a pass with how many were asked.

        A worker that dies or hangs is a failing example like any other. May be called from several
        threads at once.
        """
        if self.arguments:
            observed = ask(self.procedure, self.arguments)
            evidence = replace(observed.evidence, example=self.arguments)
            return replace(observed, evidence=evidence)
        found = _Found(lambda example: ask(self.procedure, example))
        began = time.perf_counter()
        example, flaky = self._smallest(found)
        observed = found.holds() if example is None else found.failure(example, flaky=flaky)
        evidence = replace(
            observed.evidence,
            placement=dict(found.placement),
            answer={**observed.evidence.answer, **found.counts(), "seed": self.search.seed},
        )
        return replace(observed, evidence=evidence, duration_s=time.perf_counter() - began)

    def _smallest(self, found: _Found) -> tuple[Example | None, bool]:
        """Return the smallest failing example, if any, and whether it did not fail again."""
        import hypothesis  # noqa: PLC0415 - takes half a second, and only a search needs it

        def holds(example: Example) -> None:
            if found.fails(example):
                raise _FailsError

        # Each property has a seed of its own, or all would draw alike.
        seed = zlib.crc32(f"{self.search.seed} {self.id}".encode())
        test = hypothesis.seed(seed)(hypothesis.given(self.examples())(holds))
        test = self._settings()(test)  # around the seed, which takes the database away
        try:
            test()
        except _FailsError:
            return found.last, False
        except hypothesis.errors.Flaky:
            return found.last, True
        return None, False

    def _settings(self) -> hypothesis.settings:
        import hypothesis  # noqa: PLC0415 - as above
        from hypothesis.database import DirectoryBasedExampleDatabase  # noqa: PLC0415

        folder, phase = self.search.database, hypothesis.Phase
        return hypothesis.settings(
            max_examples=self.counts[self.search.profile],
            database=None if folder is None else DirectoryBasedExampleDatabase(folder / self.id),
            deadline=None,
            # To explain, Hypothesis would trace the harness: the fault is in another process.
            phases=(phase.reuse, phase.generate, phase.shrink),
            report_multiple_bugs=False,
            suppress_health_check=list(hypothesis.HealthCheck),
            print_blob=False,
            verbosity=hypothesis.Verbosity.quiet,
        )


class _FailsError(Exception):
    """The property does not hold for the example."""


class _Found:
    """What a search has found out so far."""

    def __init__(self, ask: Callable[[Example], Observed]) -> None:
        self._ask = ask
        self._asked: Counter[Outcome] = Counter()
        self._held: dict[Outcome, Observed] = {}
        self._failures: dict[str, Observed] = {}
        self._outcome: Outcome | None = None
        self._ends = float("inf")
        self.placement: Counter[str] = Counter()
        self.last: Example | None = None
        """The example that failed last."""

    def fails(self, example: Example) -> bool:
        """Say whether the property does not hold for an example, in the way that was seen first.

        A hang costs a deadline, so the first one ends the search, and so does the clock: from then
        on only what is known is told.
        """
        key = json.dumps(example)
        if time.monotonic() > self._ends:
            if known := key in self._failures:
                self.last = example
            return known
        observed = self._ask(example)
        self._asked[observed.outcome] += 1
        self.placement.update(observed.evidence.placement)
        if observed.outcome in HOLDS:
            self._held[observed.outcome] = observed
            return False
        if self._outcome is None:
            hangs = observed.outcome is Outcome.TIMEOUT
            self._ends = time.monotonic() + (0.0 if hangs else SHRINKS_FOR_S)
            self._outcome = observed.outcome
        if observed.outcome is not self._outcome:  # another fault, which shrinking came across
            return False
        self._failures[key], self.last = observed, example
        return True

    def counts(self) -> dict[str, Any]:
        """Return how many examples had which outcome, those of shrinking included."""
        return {"asked": {outcome.lower(): n for outcome, n in sorted(self._asked.items())}}

    def holds(self) -> Observed:
        """Return the most telling of the outcomes that do not speak against the property."""
        best = next(outcome for outcome in HOLDS if outcome in self._held)
        return self._held[best]

    def failure(self, example: Example, *, flaky: bool) -> Observed:
        """Return what was observed of a failing example, which becomes part of the evidence."""
        observed = self._failures[json.dumps(example)]
        again = "did not fail again on the same example: " if flaky else ""
        text = f"{again}{observed.evidence.text}"
        return replace(observed, evidence=replace(observed.evidence, text=text, example=example))
