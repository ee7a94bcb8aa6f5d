"""A run in numbers: per cell and suite, how many cases had which outcome and verdict; pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.errors import EnvironmentUnusableError, HarnessFaultError, NothingSelectedError
from harness.results import CellState
from harness.verdicts import Verdict, judge
from harness.wire.outcomes import Outcome
from harness.wire.providers import CHAINS, DeviceRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.baseline import Baseline, Expectation
    from harness.results import CaseResult, CellRecord
    from harness.store.run import Run

OUTCOMES = tuple(Outcome)


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A result with what was known of its case and what to think of it."""

    result: CaseResult
    expectation: Expectation | None
    verdict: Verdict


@dataclass(kw_only=True)
class SuiteSummary:
    """One suite on one cell."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    placed: int = 0
    """How many cases say which provider ran their nodes."""
    placed_on_asked: int = 0
    """How many of these had a node on the asked execution provider."""
    nodes: Counter[str] = field(default_factory=Counter)
    """How many nodes each provider ran."""

    @property
    def tested(self) -> int:
        """How many cases were really asked of the build."""
        return sum(self.outcomes[outcome] for outcome in OUTCOMES if outcome.is_about_the_build)


@dataclass(kw_only=True)
class CellSummary:
    """One cell of a run."""

    record: CellRecord
    suites: dict[str, SuiteSummary] = field(default_factory=dict)
    judged: list[Judged] = field(default_factory=list)

    @property
    def asked_provider(self) -> str:
        """The execution provider that the suites ask for on this cell, in ORT's spelling."""
        return CHAINS[DeviceRequest(self.record.device)][0].provider

    @property
    def attention(self) -> list[Judged]:
        """The results that somebody must look at."""
        return [judged for judged in self.judged if judged.verdict.needs_attention]


def summarise(run: Run, baselines: Mapping[str, Baseline]) -> list[CellSummary]:
    """Return the run's cells in order, each result judged by the baseline of its cell's id."""
    summaries = {cell: CellSummary(record=record) for cell, record in sorted(run.cells.items())}
    for result in run.results.values():
        if result.cell in summaries:
            _count(summaries[result.cell], result, baselines[result.cell])
    return list(summaries.values())


def _count(summary: CellSummary, result: CaseResult, baseline: Baseline) -> None:
    expectation = baseline.of_result(result)
    verdict = judge(result, expectation)
    suite = summary.suites.setdefault(result.suite, SuiteSummary())
    suite.outcomes[result.outcome] += 1
    suite.verdicts[verdict] += 1
    if placement := result.evidence.placement:
        suite.placed += 1
        suite.placed_on_asked += bool(placement.get(summary.asked_provider))
        suite.nodes.update(placement)
    summary.judged.append(Judged(result=result, expectation=expectation, verdict=verdict))


def exit_code(cells: Iterable[CellSummary]) -> int:
    """Return 0 as expected · 1 unexpected · 3 nothing ran · 4 cell unusable · 5 our own fault.

    The gravest of all cells counts; a cell on which nothing ran hides no failure on another.
    """
    codes = [_cell_exit_codes(cell) for cell in cells]
    worst = max((code for of_cell in codes for code in of_cell), default=0)
    return worst if worst or (codes and all(codes)) else NothingSelectedError.exit_code


def _cell_exit_codes(cell: CellSummary) -> list[int]:
    codes = [verdict_exit_code(judged.verdict) for judged in cell.judged]
    # A suite in which nothing could be tested is never as expected: that is how outages hide.
    untested = any(not suite.tested for suite in cell.suites.values())
    if cell.record.state is CellState.BROKEN or untested:
        codes.append(EnvironmentUnusableError.exit_code)
    return codes


def verdict_exit_code(verdict: Verdict) -> int:
    """Return the exit code that one verdict alone would end in."""
    if verdict is Verdict.INCONCLUSIVE:
        return HarnessFaultError.exit_code
    return int(verdict.needs_attention)


def to_json(run: Run, cells: Iterable[CellSummary]) -> dict[str, Any]:
    """Return the run as one object: counts per cell, suite and outcome."""
    return {"run": run.id, "complete": run.complete, "cells": [_cell_json(cell) for cell in cells]}


def _cell_json(cell: CellSummary) -> dict[str, Any]:
    record = cell.record
    return {
        "cell": record.cell,
        "variant": record.variant,
        "release": record.release,
        "python": record.python,
        "asked_provider": cell.asked_provider,
        "state": record.state,
        "reason": record.reason,
        "suites": {
            name: {outcome.lower(): suite.outcomes[outcome] for outcome in OUTCOMES}
            | {
                "verdicts": {verdict.lower(): n for verdict, n in sorted(suite.verdicts.items())},
                "placement": {
                    "cases": suite.placed,
                    "cases_on_asked": suite.placed_on_asked,
                    "nodes": dict(suite.nodes),
                },
            }
            for name, suite in sorted(cell.suites.items())
        },
    }
