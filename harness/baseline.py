"""Outcomes known beforehand: ``fixtures/baselines/<variant>.toml``, read strictly and matched.

::

    [[expect]]
    outcome = "FAIL"
    reason = "why this is known and what it means"
    releases = ">=1.21,<1.25"      # optional: for which releases of the variant
    link = "https://…"             # optional: where it is discussed
    cases = ["onnx/node/test_a", "onnx/node/test_b_*"]

A case named in full goes before a pattern that matches it; what nothing names is expected to pass.
Where the build itself is undecided (it depends on the processor, say) `outcome` is a list, in which
PASS may stand too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import translate
from typing import TYPE_CHECKING, Self

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from harness.errors import ConfigurationError
from harness.strict_toml import Table, read_toml
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from harness.results import CellRecord

BASELINES = "fixtures/baselines"
"""Where the files of the variants stand, below the project's folder."""

KEYS = ("outcome", "reason", "releases", "link", "cases")
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
    def read(cls, path: Path, release: str) -> Self:
        """Return the expectations of a file for one release; a missing file expects only passes.

        Raise ConfigurationError that names the entry and the key.
        """
        if not path.exists():
            return cls(())
        entries = read_toml(path, keys=("expect",)).table_list("expect", keys=KEYS)
        found: list[Expectation] = []
        taken: dict[str, str] = {}
        for number, entry in enumerate(entries, start=1):
            place = f"{path}: entry {number}"
            for expectation in _expectations(entry, place):
                if not _holds_for(entry, release):
                    continue
                if (pattern := expectation.pattern) in taken:
                    raise ConfigurationError(
                        f"{place}: cases: '{pattern}' stands in {taken[pattern]} too"
                    )
                taken[pattern] = place
                found.append(expectation)
        return cls(found)

    def of(self, case: str) -> Expectation | None:
        """Return what is known of a case, or None where a pass is expected."""
        if exact := self._exact.get(case):
            return exact
        return next((known for pattern, known in self._patterns if pattern.match(case)), None)

    def check(self, suite: str, cases: Iterable[str]) -> None:
        """Raise ConfigurationError where an expectation of a suite matches none of its cases."""
        matched = {known.pattern for case in cases if (known := self.of(case))}
        for known in self.expectations:
            if known.pattern.startswith(f"{suite}/") and known.pattern not in matched:
                raise ConfigurationError(
                    f"{known.place}: cases: '{known.pattern}' matches no case of the suite "
                    f"'{suite}', or only ones that are named in full elsewhere; delete it"
                )


def _expectations(entry: Table, place: str) -> Iterable[Expectation]:
    outcomes = entry.one_or_more("outcome", Outcome)
    if Outcome.HARNESS_FAULT in outcomes:
        raise entry.error("HARNESS_FAULT needs no expectation", key="outcome")
    if outcomes == (Outcome.PASS,):
        raise entry.error("PASS needs no expectation", key="outcome")
    reason = entry.text("reason")
    link = entry.text("link") if "link" in entry else ""
    patterns = entry.texts("cases")
    if not patterns:
        raise entry.error("names no case", key="cases")
    for pattern in patterns:  # only what names its suite can be found stale
        if not WILDCARDS.isdisjoint(pattern.partition("/")[0]):
            raise entry.error(f"'{pattern}' must begin with a suite, as in 'onnx/*'", key="cases")
    return [
        Expectation(pattern=pattern, outcomes=outcomes, reason=reason, link=link, place=place)
        for pattern in patterns
    ]


def _holds_for(entry: Table, release: str) -> bool:
    if "releases" not in entry:
        return True
    text = entry.text("releases")
    try:
        return release in SpecifierSet(text, prereleases=True)
    except InvalidSpecifier as error:
        raise entry.error(f"'{text}' is no range; as in '>=1.21,<1.25'", key="releases") from error


def baselines_of(cells: Iterable[CellRecord], folder: Path) -> dict[str, Baseline]:
    """Return the baseline of each cell by its id, read from the file of its variant."""
    return {
        cell.cell: Baseline.read(folder / f"{cell.variant}.toml", cell.release) for cell in cells
    }
