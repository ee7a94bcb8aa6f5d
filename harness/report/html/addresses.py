"""Where a page of the site stands: names that are safe in any file system and in any link."""

from __future__ import annotations

import hashlib
import re

LONGEST = 80
"""Characters of an id that its page's name keeps; the digest tells those apart that share them."""

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def case_page(case: str) -> str:
    """Return the path of a case's page from the root of the site."""
    return f"cases/{_slug(case)}.html"


def cell_page(cell: str) -> str:
    """Return the path of a cell's page from the root of the site."""
    return f"cells/{_slug(cell)}.html"


def _slug(text: str) -> str:
    kept = _UNSAFE.sub("-", text)[:LONGEST].strip("-.")
    return f"{kept}-{hashlib.sha256(text.encode(errors='surrogateescape')).hexdigest()[:8]}"
