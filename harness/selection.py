"""Patterns to cases, with a word on what they leave out."""

from __future__ import annotations

import difflib
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from harness.errors import NothingSelectedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.cases import Case


def select(cases: Sequence[Case], patterns: Sequence[str]) -> list[Case]:
    """Return the cases whose id matches any of the patterns, as a shell would; all for none."""
    if not patterns:
        return list(cases)
    return [case for case in cases if any(fnmatchcase(case.id, one) for one in patterns)]


def the_case(cases: Sequence[Case], name: str) -> Case:
    """Return the case called `name`; raise NothingSelectedError with the nearest names."""
    found = {case.id: case for case in cases}
    if name in found:
        return found[name]
    close = difflib.get_close_matches(name, found, n=3)
    hint = f"Did you mean {', '.join(close)}?" if close else "A run's folder lists its cases."
    raise NothingSelectedError(f"no case is called '{name}'. {hint}")
