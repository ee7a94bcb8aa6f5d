"""What is wrong with expectations: those that a run or the suites show to be false; pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from harness.baseline import WILDCARDS, Baseline
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from harness.baseline import Entry, Expectation
    from harness.results import CaseResult


class Flaw(StrEnum):
    """What is wrong with an expectation."""

    UNMATCHED = "UNMATCHED"
    """No case of its suite is called so."""
    STALE = "STALE"
    """All that it names passes now, though it says otherwise."""
    CONTRADICTED = "CONTRADICTED"
    """The run has seen another failure than it says."""
    CONTRADICTING = "CONTRADICTING"
    """Two entries say different things of one case."""
    EXPIRED = "EXPIRED"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One expectation to be mended or deleted."""

    flaw: Flaw
    place: str
    pattern: str
    text: str


def flaws_in_text(
    entries: Sequence[Entry], release: str, cases: Mapping[str, Sequence[str]], on: date
) -> list[Finding]:
    """Return what is wrong with a variant's entries as they stand, for one release of it.

    `cases` has the ids of every case by suite; of a suite that is not in it nothing is said.
    """
    found = []
    held: list[Expectation] = []
    for entry in entries:
        if entry.has_expired(on):
            text = f"expired on {entry.expires}: look again, then renew or delete it"
            found += [_finding(Flaw.EXPIRED, one, text) for one in entry.expectations]
        elif entry.holds_for(release):
            held += entry.expectations
    baseline = Baseline(held)
    ids = {suite: frozenset(of_suite) for suite, of_suite in cases.items()}
    for expectation in held:
        suite = expectation.pattern.partition("/")[0]
        if suite not in ids or expectation.pattern in ids[suite]:
            continue
        matched = [case for case in cases[suite] if fnmatchcase(case, expectation.pattern)]
        if not matched:
            text = f"no case of the suite '{suite}' is called so; delete it"
            found.append(_finding(Flaw.UNMATCHED, expectation, text))
        found += _contradicting(expectation, matched, baseline)
    return found


def flaws_by_run(results: Iterable[CaseResult], baseline: Baseline) -> Iterator[Finding]:
    """Return which expectations of a cell's baseline its results in a run show to be false."""
    seen: dict[Expectation, list[CaseResult]] = defaultdict(list)
    for result in results:
        known = baseline.of(result.case)
        if known is not None and result.outcome.is_about_the_build:
            seen[known].append(result)
    for known, of_one in seen.items():
        others = [one for one in of_one if one.outcome not in known.outcomes]
        passed = [one for one in others if one.outcome is Outcome.PASS]
        if len(passed) == len(of_one):
            text = f"passes on {of_one[0].cell}; delete it"
            yield _finding(Flaw.STALE, known, text)
        elif others:
            said = ", ".join(known.outcomes)
            example = others[0]
            text = f"says {said}, but {example.case} on {example.cell} was {example.outcome}"
            yield _finding(Flaw.CONTRADICTED, known, text)


def _contradicting(
    expectation: Expectation, matched: Iterable[str], baseline: Baseline
) -> Iterator[Finding]:
    """Return the case of a pattern for which an earlier pattern says something else, if any."""
    for case in matched:
        first = baseline.of(case)
        if first is None or WILDCARDS.isdisjoint(first.pattern):
            continue
        if first.outcomes != expectation.outcomes:
            text = f"of {case} '{first.pattern}' of {first.place} says {', '.join(first.outcomes)}"
            yield _finding(Flaw.CONTRADICTING, expectation, text)
            return


def _finding(flaw: Flaw, expectation: Expectation, text: str) -> Finding:
    return Finding(flaw=flaw, place=expectation.place, pattern=expectation.pattern, text=text)
