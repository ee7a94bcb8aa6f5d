"""Which of the releases that are served a sweep goes over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from harness.errors import ConfigurationError, NothingSelectedError

if TYPE_CHECKING:
    from collections.abc import Sequence

WANTED = "wanted OLDEST..NEWEST, as in 1.20.1..1.32.0; either may be left out"


def releases_between(served: Sequence[str], text: str) -> list[str]:
    """Return the releases from the oldest to the newest that a range names, both included.

    Raise ConfigurationError for what is no range, NothingSelectedError for one without a release.
    """
    oldest, dots, newest = text.partition("..")
    try:
        low, high = (Version(end) if end else None for end in (oldest, newest if dots else oldest))
    except InvalidVersion as error:
        raise ConfigurationError(f"--releases: '{text}' is no range; {WANTED}") from error
    if low and high and low > high:
        raise ConfigurationError(f"--releases: {low} is newer than {high}; {WANTED}")
    found = [
        one
        for one in served
        if (low is None or low <= Version(one)) and (high is None or Version(one) <= high)
    ]
    if not found:
        raise NothingSelectedError(
            f"--releases: none is served in '{text}'; there are {served[0]} to {served[-1]}"
            if served
            else f"--releases: none is served in '{text}'"
        )
    return found
