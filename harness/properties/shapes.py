"""The suite `shapes`: inputs of every shape, type and layout."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.cases import Case
    from harness.properties.search import Search


def shape_cases(search: Search) -> list[Case]:
    """Return the properties of the suite."""
    del search
    return []
