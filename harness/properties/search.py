"""A case that holds for all examples of a kind: drawn, asked one by one, shrunk where one fails."""

from __future__ import annotations

import secrets
import time
import zlib
from collections import Counter
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

from harness.cases import Ask, Case
from harness.results import Observed
from harness.wire.messages import Evidence
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hypothesis.strategies import SearchStrategy

EXAMPLES = ".hypothesis/properties"
"""Where failing examples are kept, below the project's folder."""

FIXED_SEED = 20261122


class Profile(StrEnum):
    """How many examples a search draws, and which."""

    CI = "ci"
    """A few, and the same ones each time."""
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


@dataclass(frozen=True, kw_only=True)
class Property(Case):
    """A case that asks its procedure of many examples; with `arguments`, of these alone."""

    examples: Callable[[], SearchStrategy[dict[str, Any]]]
    """The arguments of one request each; called late, because Hypothesis takes long to import."""
    counts: dict[Profile, int]
    """How many examples are drawn."""
    search: Search = field(default_factory=Search)

    def carried_out(self, ask: Ask) -> Observed:
        """Return the first failure found, at its smallest; or a pass with how many were asked."""
        return ask(self.procedure, self.arguments) if self.arguments else self._searched(ask)

    def _searched(self, ask: Ask) -> Observed:
        import hypothesis  # noqa: PLC0415 - takes half a second, and only a search needs it
        from hypothesis.database import DirectoryBasedExampleDatabase  # noqa: PLC0415

        asked: Counter[Outcome] = Counter()
        failed: list[tuple[dict[str, Any], Observed]] = []

        def holds(example: dict[str, Any]) -> None:
            observed = ask(self.procedure, example)
            asked[observed.outcome] += 1
            if observed.outcome not in HOLDS:
                failed[:] = [(example, observed)]
                raise _FailedError

        folder = self.search.database
        settings = hypothesis.settings(
            max_examples=self.counts[self.search.profile],
            database=None if folder is None else DirectoryBasedExampleDatabase(folder / self.id),
            deadline=None,
            suppress_health_check=list(hypothesis.HealthCheck),
            report_multiple_bugs=False,
            print_blob=False,
            verbosity=hypothesis.Verbosity.quiet,
        )
        # Each property has a seed of its own, or all would draw alike.
        seed = zlib.crc32(f"{self.search.seed} {self.id}".encode())
        test = hypothesis.seed(seed)(settings(hypothesis.given(self.examples())(holds)))
        began = time.perf_counter()
        flaky = False
        try:
            test()
        except _FailedError:
            pass
        except hypothesis.errors.Flaky:
            flaky = True
        duration_s = time.perf_counter() - began
        if failed:
            example, observed = failed[0]
            return self._failure(example, observed, asked, duration_s, flaky=flaky)
        return self._holds(asked, duration_s)

    def _holds(self, asked: Counter[Outcome], duration_s: float) -> Observed:
        """Return a pass, or the unmet requirement where no example could be carried out."""
        outcome = Outcome.PASS if asked[Outcome.PASS] else Outcome.NOT_TESTED
        requirement = "" if asked[Outcome.PASS] else "an example that the build supports"
        evidence = Evidence(requirement=requirement, answer=self._drawn(asked))
        return Observed(outcome=outcome, evidence=evidence, duration_s=duration_s)

    def _failure(
        self,
        example: dict[str, Any],
        observed: Observed,
        asked: Counter[Outcome],
        duration_s: float,
        *,
        flaky: bool,
    ) -> Observed:
        text = observed.evidence.text
        if flaky:
            text = f"did not fail again on the same example: {text}"
        answer = {**observed.evidence.answer, **self._drawn(asked)}
        evidence = replace(observed.evidence, text=text, example=example, answer=answer)
        return replace(observed, evidence=evidence, duration_s=duration_s)

    def _drawn(self, asked: Counter[Outcome]) -> dict[str, Any]:
        """Return what was asked, and the seed that draws the same again."""
        counts = {outcome.lower(): count for outcome, count in sorted(asked.items())}
        return {"asked": counts, "seed": self.search.seed}


HOLDS = (Outcome.PASS, Outcome.UNSUPPORTED, Outcome.NOT_TESTED)
"""Outcomes of an example that do not speak against the property."""


class _FailedError(Exception):
    """The property does not hold for the example."""
