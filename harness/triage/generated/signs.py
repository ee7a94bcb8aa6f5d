"""What two disagreements of one cause look like when figures and places are taken away."""

from __future__ import annotations

import re

from harness.signatures import normalised

_NOT_FINITE = re.compile(r"\b(nan|inf)\b")
_WANT_GOT = re.compile(r"want (?P<want>.+), got (?P<got>[^,]+)$")


def sign_of(text: str) -> str:
    """Return in a few words what a comparison found, or a refusal without what is its own."""
    where, _, found = text.partition(": ")
    if not where.startswith("output "):
        found = text
    if "want shape" in found:
        return "another shape"
    if "want tensor(" in found or "sequence" in found or "outputs, got" in found:
        return "another type"
    return _of_values(found) if "differ" in found else normalised(found)


def _of_values(found: str) -> str:
    match = _WANT_GOT.search(found)
    want, got = (bool(match and _NOT_FINITE.search(match[side])) for side in ("want", "got"))
    if got and not want:
        return "not finite where it was"
    return "finite where it was not" if want and not got else "other values"
