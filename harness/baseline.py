"""Outcomes known beforehand: ``fixtures/baselines/<variant>.toml``, read strictly and matched.

::

    [[expect]]
    outcome = "FAIL"
    reason = "why this is known and what it means"
    releases = ">=1.21,<1.25"      # optional: for which releases of the variant
    until = "1.25"                 # optional: the release that ends it, as "<1.25" would
    expires = 2027-01-31           # optional: the day from which on nobody believes it any more
    link = "https://…"             # optional: where it is discussed
    cases = ["onnx/node/test_a", "onnx/node/test_b_*"]

A case named in full goes before a pattern that matches it; what nothing names is expected to pass.
Where the build itself is undecided (it depends on the processor, say) `outcome` is a list, in which
PASS may stand too. So is that of a known flake, which has a day on which it expires.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from fnmatch import translate
from typing import TYPE_CHECKING, Self

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from harness.errors import ConfigurationError
from harness.strict_toml import Table, read_toml
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from harness.results import CaseResult, CellRecord

BASELINES = "fixtures/baselines"
"""Where the files of the variants stand, below the project's folder."""

KEYS = ("outcome", "reason", "releases", "until", "expires", "link", "cases")
WILDCARDS = frozenset("*?[")


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """What is known of one case, or of all that match a pattern."""

    pattern: str
    outcomes: tuple[Outcome, ...]
    """One, or several where the build itself is undecided."""
    reason: str
    link: str = ""
    place: str
    """Where it stands: the file and the entry, counted from 1."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry of a file: its expectations, and when they hold."""

    place: str
    releases: SpecifierSet
    expires: date | None
    expectations: tuple[Expectation, ...]

    def holds_for(self, release: str) -> bool:
        """Return whether the entry is about this release."""
        return release in self.releases

    def has_expired(self, on: date) -> bool:
        """Return whether nobody believes the entry any more on that day."""
        return self.expires is not None and self.expires <= on


class Baseline:
    """The expectations that hold for one release of a variant."""

    def __init__(self, expectations: Iterable[Expectation]) -> None:
        self.expectations = tuple(expectations)
        self._exact: dict[str, Expectation] = {}
        self._patterns: list[tuple[re.Pattern[str], Expectation]] = []
        for expectation in self.expectations:
            if WILDCARDS.isdisjoint(expectation.pattern):
                self._exact[expectation.pattern] = expectation
            else:
                pattern = re.compile(translate(expectation.pattern))
                self._patterns.append((pattern, expectation))

    @classmethod
    def read(cls, path: Path, release: str, *, on: date | None = None) -> Self:
        """Return the expectations of a file for one release; a missing file expects only passes.

        What has expired `on` that day (today) is left out. Raise ConfigurationError that names the
        entry and the key.
        """
        today = on or datetime.now(UTC).date()
        found: list[Expectation] = []
        taken: dict[str, str] = {}
        for entry in read_entries(path):
            if not entry.holds_for(release) or entry.has_expired(today):
                continue
            for expectation in entry.expectations:
                if (pattern := expectation.pattern) in taken:
                    raise ConfigurationError(
                        f"{entry.place}: cases: '{pattern}' stands in {taken[pattern]} too"
                    )
                taken[pattern] = entry.place
                found.append(expectation)
        return cls(found)

    def of(self, case: str) -> Expectation | None:
        """Return what is known of a case, or None where a pass is expected."""
        if exact := self._exact.get(case):
            return exact
        return next((known for pattern, known in self._patterns if pattern.match(case)), None)

    def of_result(self, result: CaseResult) -> Expectation | None:
        """Return what is known of a case, or of what was seen of it."""
        return self.of(result.case)

    def check(self, suite: str, cases: Iterable[str]) -> None:
        """Raise ConfigurationError where an expectation of a suite matches none of its cases."""
        matched = {known.pattern for case in cases if (known := self.of(case))}
        for known in self.expectations:
            if known.pattern.startswith(f"{suite}/") and known.pattern not in matched:
                raise ConfigurationError(
                    f"{known.place}: cases: '{known.pattern}' matches no case of the suite "
                    f"'{suite}', or only ones that are named in full elsewhere; delete it"
                )


def read_entries(path: Path) -> list[Entry]:
    """Return every entry of a file, whatever it holds for; a missing file has none.

    Raise ConfigurationError that names the entry and the key.
    """
    if not path.exists():
        return []
    tables = read_toml(path, keys=("expect",)).table_list("expect", keys=KEYS)
    return [_entry(table, f"{path}: entry {at}") for at, table in enumerate(tables, start=1)]


def _entry(table: Table, place: str) -> Entry:
    outcomes = table.one_or_more("outcome", Outcome)
    if Outcome.HARNESS_FAULT in outcomes:
        raise table.error("HARNESS_FAULT needs no expectation", key="outcome")
    if outcomes == (Outcome.PASS,):
        raise table.error("PASS needs no expectation", key="outcome")
    reason = table.text("reason")
    link = table.text("link") if "link" in table else ""
    patterns = table.texts("cases")
    if not patterns:
        raise table.error("names no case", key="cases")
    for pattern in patterns:  # only what names its suite can be found stale
        if not WILDCARDS.isdisjoint(pattern.partition("/")[0]):
            raise table.error(f"'{pattern}' must begin with a suite, as in 'onnx/*'", key="cases")
    return Entry(
        place=place,
        releases=_releases(table),
        expires=table.date("expires") if "expires" in table else None,
        expectations=tuple(
            Expectation(pattern=pattern, outcomes=outcomes, reason=reason, link=link, place=place)
            for pattern in patterns
        ),
    )


def _releases(table: Table) -> SpecifierSet:
    """Return for which releases an entry holds, by both of its keys."""
    text = table.text("releases") if "releases" in table else ""
    try:
        releases = SpecifierSet(text, prereleases=True)
    except InvalidSpecifier as error:
        said = f"'{text}' is no range; as in '>=1.21,<1.25'"
        raise table.error(said, key="releases") from error
    if "until" not in table:
        return releases
    text = table.text("until")
    try:
        return releases & SpecifierSet(f"<{Version(text)}", prereleases=True)
    except InvalidVersion as error:
        raise table.error(f"'{text}' is no release; as in '1.25'", key="until") from error


def baselines_of(cells: Iterable[CellRecord], folder: Path) -> dict[str, Baseline]:
    """Return the baseline of each cell by its id, read from the file of its variant."""
    return {
        cell.cell: Baseline.read(folder / f"{cell.variant}.toml", cell.release) for cell in cells
    }
