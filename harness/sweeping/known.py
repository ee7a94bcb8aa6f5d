"""Disagreements over generated cases that are known: ``fixtures/known/<variant>.toml``.

A generated case is drawn anew each night, so what is known of it cannot be said by its name, as a
baseline does; it is said by what it has in common with others. `fuzz` and whoever reads a run ask
the same entries::

    [[known]]
    oracle = "reference"           # which oracle finds it: dies, memory, optimisation, …
    operators = ["Resize"]         # as a shell would match them
    signs = ["other values"]       # optional: what it looks like, as a shell would match it
    when = ["mode=cubic"]          # optional: conditions that all hold, as a finding tells them,
                                   # as a shell would match them: "an edge of scale: *"; or
                                   # "its CPU EP does the same"
    releases = ">=1.21,<1.25"      # optional: for which releases of the variant
    reason = "whose fault it is, and what it means"
    link = "https://…"             # optional: where it is discussed
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from harness.baseline import BASELINES, Baseline, Expectation, baselines_of
from harness.strict_toml import Table, read_toml
from harness.sweeping.recording import SUITE
from harness.triage.generated.disagreements import Oracle
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from harness.results import CaseResult, CellRecord
    from harness.triage.generated.disagreements import Finding
    from harness.triage.generated.patterns import Features

FOLDER = "fixtures/known"
"""Where the files of the variants stand, below the project's folder."""

KEYS = ("oracle", "operators", "signs", "when", "releases", "reason", "link")


@dataclass(frozen=True, kw_only=True)
class Known:
    """One entry."""

    oracle: Oracle
    operators: tuple[str, ...]
    signs: tuple[str, ...]
    when: tuple[str, ...]
    reason: str
    link: str
    place: str
    """Where it stands: the file and the entry, counted from 1."""

    def is_of(self, oracle: Oracle, operator: str, sign: str, about: Features) -> bool:
        """Say whether the entry is about a finding; `about` is what can be said of its case."""
        return (
            oracle is self.oracle
            and any(fnmatchcase(operator, one) for one in self.operators)
            and (not self.signs or any(fnmatchcase(sign, one) for one in self.signs))
            and all(any(fnmatchcase(has, one) for has in about) for one in self.when)
        )


class WithKnown(Baseline):
    """A baseline beside what is known of generated cases."""

    def __init__(self, baseline: Baseline, known: Sequence[Known]) -> None:
        super().__init__(baseline.expectations)
        self._known = known

    def of_result(self, result: CaseResult) -> Expectation | None:
        """Return what is known of a case, or of all the disagreements of an operator."""
        return super().of_result(result) or (
            _of_operator(result, self._known) if result.suite == SUITE else None
        )


def all_known_of(cells: Iterable[CellRecord], root: Path) -> dict[str, Baseline]:
    """Return what is known of each cell by its id; `root` is the project's folder."""
    those = tuple(cells)
    baselines = baselines_of(those, root / BASELINES)
    known = {one.cell: known_of(one.variant, one.release, root) for one in those}
    return {cell: WithKnown(baseline, known[cell]) for cell, baseline in baselines.items()}


def known_of(variant: str, release: str, root: Path) -> list[Known]:
    """Return a variant's entries for one release; `root` is the project's folder."""
    return read_known(root / FOLDER / f"{variant}.toml", release)


def read_known(path: Path, release: str) -> list[Known]:
    """Return the entries of a file for one release; a missing file has none.

    Raise ConfigurationError that names the entry and the key.
    """
    if not path.exists():
        return []
    tables = read_toml(path, keys=("known",)).table_list("known", keys=KEYS)
    entries = [
        (_entry(table, f"{path}: entry {at}"), _releases(table))
        for at, table in enumerate(tables, start=1)
    ]
    return [entry for entry, releases in entries if release in releases]


def reason_for(known: Sequence[Known], finding: Finding, about: Features) -> str:
    """Return the reason of the first entry about a finding; empty where nobody knows it."""
    entry = entry_for(known, finding, about)
    return entry.reason if entry is not None else ""


def entry_for(known: Sequence[Known], finding: Finding, about: Features) -> Known | None:
    """Return the first entry about a finding; `about` is what can be said of its case."""
    return _first(known, finding.oracle, finding.case.operator, finding.sign, about)


def _first(
    known: Sequence[Known], oracle: Oracle, operator: str, sign: str, about: Features
) -> Known | None:
    return next((one for one in known if one.is_of(oracle, operator, sign, about)), None)


def expected(result: CaseResult, entries: Iterable[Known], otherwise: str = "") -> Expectation:
    """Return that a result is known for the reasons of these entries, or for another one."""
    those = tuple(entries)
    return Expectation(
        pattern=result.case,
        outcomes=(result.outcome,),
        reason="; ".join(one.reason for one in those) or otherwise,
        link=next((one.link for one in those if one.link), ""),
        place=", ".join(one.place for one in those),
    )


def _of_operator(result: CaseResult, known: Sequence[Known]) -> Expectation | None:
    """Return what is known of an operator's result; None where a disagreement is new.

    A refusal is none: see `fuzz`. Nor is that nothing of an operator is accepted.
    """
    operator = result.case.removeprefix(f"{SUITE}/")
    found: dict[Known, None] = {}
    for cause in result.evidence.answer.get("causes", ()):
        if (oracle := Oracle(cause["oracle"])) is Oracle.REFUSAL:
            continue
        if "about" not in cause:  # of a run from before it was kept
            return None
        for own in cause["about"]["each"]:
            about = frozenset([*cause["about"]["all"], *own])
            entry = _first(known, oracle, operator, cause["sign"], about)
            if entry is None:
                return None
            found[entry] = None
    if not found and result.outcome is not Outcome.UNSUPPORTED:
        return None
    return expected(result, found, "the build refuses all of its cases")


def _entry(table: Table, place: str) -> Known:
    operators = table.texts("operators")
    if not operators:
        raise table.error("names no operator", key="operators")
    return Known(
        oracle=table.member("oracle", Oracle),
        operators=operators,
        signs=table.texts("signs"),
        when=table.texts("when"),
        reason=table.text("reason"),
        link=table.text("link") if "link" in table else "",
        place=place,
    )


def _releases(table: Table) -> SpecifierSet:
    text = table.text("releases") if "releases" in table else ""
    try:
        return SpecifierSet(text, prereleases=True)
    except InvalidSpecifier as error:
        said = f"'{text}' is no range; as in '>=1.21,<1.25'"
        raise table.error(said, key="releases") from error
