"""What a run has shown, written as expectations that a person can review; pure."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.verdicts import Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from harness.baseline import Baseline, Expectation
    from harness.results import CaseResult, CellRecord

ACCEPTED = (Verdict.UNEXPECTED_FAILURE, Verdict.FLAKY)


@dataclass(frozen=True, kw_only=True)
class Because:
    """What stands in every new entry, as the person who accepts it says."""

    reason: str
    link: str = ""
    until: str = ""
    expires: date | None = None


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """What is to be added to which file, and what cannot be accepted by adding."""

    texts: dict[str, str]
    """By variant, entries to append to its file."""
    accepted: int
    """How many results the entries make known."""
    contradicted: tuple[tuple[CaseResult, Expectation], ...]
    """Results of cases that have an entry of their own, which says otherwise: change that one."""
    flaky: tuple[CaseResult, ...]
    """Accepted ones that went both ways: an entry for them should expire."""


@dataclass(kw_only=True)
class _Found:
    cases: dict[tuple[str, str, str], set[str]] = field(
        default_factory=lambda: defaultdict(set[str])
    )
    """By variant, release (empty: any) and outcomes as TOML."""
    contradicted: list[tuple[CaseResult, Expectation]] = field(default_factory=list)
    flaky: list[CaseResult] = field(default_factory=list)
    accepted: int = 0


def accept(
    results: Iterable[CaseResult],
    cells: Mapping[str, CellRecord],
    baselines: Mapping[str, Baseline],
    pinned: Mapping[str, str],
    because: Because,
) -> Acceptance:
    """Return entries for those results that are failures nobody expected, grouped by outcome.

    `pinned` has the release of each variant in the matrix. An entry holds for every release (until
    the one that ends it) where that one failed or an end is given, else only for the one that did.
    """
    found = _Found()
    for result in results:
        baseline = baselines[result.cell]
        known = baseline.of_result(result)
        verdict = judge(result, known)
        if verdict not in ACCEPTED:
            continue
        if known is not None and known.pattern == result.case:
            found.contradicted.append((result, known))
            continue
        if verdict is Verdict.FLAKY:
            found.flaky.append(result)
        found.accepted += 1
        cell = cells[result.cell]
        every = because.until or pinned.get(cell.variant) == cell.release
        release = "" if every else cell.release
        found.cases[cell.variant, release, _outcomes(result)].add(result.case)
    return Acceptance(
        texts=_texts(found.cases, because),
        accepted=found.accepted,
        contradicted=tuple(found.contradicted),
        flaky=tuple(found.flaky),
    )


def _texts(cases: Mapping[tuple[str, str, str], set[str]], because: Because) -> dict[str, str]:
    texts: dict[str, str] = defaultdict(str)
    for (variant, release, outcomes), of_one in sorted(cases.items()):
        # What an entry for all releases says already is said once.
        said = cases.get((variant, "", outcomes), set()) if release else set()
        if new := of_one - said:
            texts[variant] += _entry(outcomes, release, sorted(new), because)
    return dict(texts)


def _entry(outcomes: str, release: str, cases: Iterable[str], because: Because) -> str:
    lines = ["[[expect]]", f"outcome = {outcomes}", f"reason = {_text(because.reason)}"]
    if release:
        lines.append(f"releases = {_text(f'=={release}')}")
    if because.until:
        lines.append(f"until = {_text(because.until)}")
    if because.expires:
        lines.append(f"expires = {because.expires.isoformat()}")
    if because.link:
        lines.append(f"link = {_text(because.link)}")
    return "\n".join(["", *lines, "cases = [", *(f"    {_text(one)}," for one in cases), "]", ""])


def _outcomes(result: CaseResult) -> str:
    if result.again in (None, result.outcome):
        return _text(result.outcome)
    return f"[{_text(result.outcome)}, {_text(result.again)}]"


def _text(text: str) -> str:
    """Return a string as TOML has it: as JSON does, but for one control character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
