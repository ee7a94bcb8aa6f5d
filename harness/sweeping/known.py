"""Disagreements over generated cases that are known: ``fixtures/known/<variant>.toml``.

A generated case is drawn anew each night, so what is known of it cannot be said by its name, as a
baseline does; it is said by what it has in common with others::

    [[known]]
    oracle = "reference"           # which oracle finds it: dies, memory, optimisation, …
    operators = ["Resize"]         # as a shell would match them
    signs = ["other values"]       # optional: what it looks like, as a shell would match it
    when = ["mode=cubic"]          # optional: conditions that all hold, as a finding tells them
    releases = ">=1.21,<1.25"      # optional: for which releases of the variant
    reason = "whose fault it is, and what it means"
    link = "https://…"             # optional: where it is discussed
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from harness.strict_toml import Table, read_toml
from harness.triage.generated.disagreements import Oracle

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

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

    def is_of(self, finding: Finding, about: Features) -> bool:
        """Say whether the entry is about a finding; `about` is what can be said of its case."""
        return (
            finding.oracle is self.oracle
            and any(fnmatchcase(finding.case.operator, one) for one in self.operators)
            and (not self.signs or any(fnmatchcase(finding.sign, one) for one in self.signs))
            and about.issuperset(self.when)
        )


def read_known(path: Path, release: str) -> list[Known]:
    """Return the entries of a file for one release; a missing file has none.

    Raise ConfigurationError that names the entry and the key.
    """
    if not path.exists():
        return []
    tables = read_toml(path, keys=("known",)).table_list("known", keys=KEYS)
    return [_entry(table) for table in tables if release in _releases(table)]


def reason_for(known: Sequence[Known], finding: Finding, about: Features) -> str:
    """Return the reason of the first entry about a finding; empty where nobody knows it."""
    return next((one.reason for one in known if one.is_of(finding, about)), "")


def _entry(table: Table) -> Known:
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
    )


def _releases(table: Table) -> SpecifierSet:
    text = table.text("releases") if "releases" in table else ""
    try:
        return SpecifierSet(text, prereleases=True)
    except InvalidSpecifier as error:
        said = f"'{text}' is no range; as in '>=1.21,<1.25'"
        raise table.error(said, key="releases") from error
