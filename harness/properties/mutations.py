"""Valid models with a few bytes or fields changed: the part of `malformed` that is searched."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.cases import Case
    from harness.properties.search import Search


def mutation_cases(search: Search) -> list[Case]:
    """Return the properties of mutated models."""
    del search
    return []
