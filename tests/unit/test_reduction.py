"""The search for a smaller case, over lists of numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import ConfigurationError
from harness.triage.reduction import Pass, Search, reduced

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

Numbers = tuple[int, ...]


def without_one(case: Numbers) -> Generator[Numbers, bool, None]:
    """Propose the numbers without each of them."""
    at = 0
    while at < len(case):
        fewer = case[:at] + case[at + 1 :]
        if (yield fewer):
            case = fewer
        else:
            at += 1


def halved(case: Numbers) -> Generator[Numbers, bool, None]:
    """Propose each number halved."""
    for at in range(len(case)):
        while case[at]:
            smaller = (*case[:at], case[at] // 2, *case[at + 1 :])
            if not (yield smaller):
                break
            case = smaller


def grown(case: Numbers) -> Generator[Numbers, bool, None]:
    """Propose what is no smaller."""
    yield (*case, 1)
    yield case


SHORTER = Pass(name="shorter", proposals=without_one)
HALVED = Pass(name="halved", proposals=halved)
GROWN = Pass(name="grown", proposals=grown)


def search(
    is_interesting: Callable[[Numbers], bool], *passes: Pass[Numbers], **more: Any
) -> Search[Numbers]:
    """Return a search for the fewest and smallest numbers."""
    return Search(
        passes=passes,
        is_interesting=is_interesting,
        key=lambda case: (len(case), sum(case)),
        identity=lambda case: case,
        **more,
    )


def test_what_stays_is_what_fails() -> None:
    """Only the numbers that are needed are left, as small as they may be."""
    wanted = search(lambda case: any(n > 8 for n in case), HALVED, SHORTER)

    found = reduced((3, 50, 7, 90), wanted)

    assert found.case == (11,)
    assert found.finished


def test_passes_run_until_none_gets_further() -> None:
    """What a later pass makes possible for an earlier one is done as well."""
    # Shorter is possible only once the numbers are small.
    wanted = search(lambda case: sum(case) < 5 or len(case) == 3, SHORTER, HALVED)

    found = reduced((50, 60, 70), wanted)

    assert found.case == ()


def test_a_start_that_does_not_fail_is_refused() -> None:
    """Nothing is reduced that is not interesting to begin with."""
    wanted = search(lambda case: len(case) > 5, SHORTER)

    with pytest.raises(ConfigurationError, match="does not fail"):
        reduced((1, 2), wanted)


def test_what_is_no_smaller_is_never_asked_about() -> None:
    """A proposal that is not better costs no question."""
    asked: list[Numbers] = []

    def is_interesting(case: Numbers) -> bool:
        asked.append(case)
        return True

    found = reduced((4,), search(is_interesting, GROWN))

    assert asked == [(4,)]
    assert found.tried == 0


def test_the_same_is_asked_about_once() -> None:
    """A case that was found not to be interesting is not asked about in the next round."""
    asked: list[Numbers] = []

    def is_interesting(case: Numbers) -> bool:
        asked.append(case)
        return sum(case) >= 6

    reduced((4, 4, 4), search(is_interesting, SHORTER, HALVED))

    assert len(asked) == len(set(asked))


def test_each_case_that_is_taken_is_kept() -> None:
    """An interrupted search goes on from the last case that was kept, and comes to the same end."""
    kept: list[Numbers] = []

    def is_interesting(case: Numbers) -> bool:
        return sum(case) >= 10

    def interrupted(case: Numbers) -> bool:
        if len(kept) == 2:
            raise KeyboardInterrupt
        return is_interesting(case)

    whole = reduced((9, 9, 9, 9), search(is_interesting, SHORTER, HALVED))
    with pytest.raises(KeyboardInterrupt):
        reduced((9, 9, 9, 9), search(interrupted, SHORTER, HALVED, keep=kept.append))
    resumed = reduced(kept[-1], search(is_interesting, SHORTER, HALVED))

    assert resumed.case == whole.case
    assert 0 < resumed.tried < whole.tried


def test_when_the_time_is_over_the_best_so_far_is_told() -> None:
    """A search that is out of time says that it has not finished."""
    steps: list[Numbers] = []
    wanted = search(
        lambda case: sum(case) >= 10,
        SHORTER,
        HALVED,
        is_over=lambda: len(steps) == 2,
        tell=lambda step: steps.append(step.case),
    )

    found = reduced((9, 9, 9, 9), wanted)

    assert not found.finished
    assert found.case == (9, 9)


def test_it_is_the_same_each_time() -> None:
    """One start leads to one end, by the same way."""
    ways: list[list[Numbers]] = [[], []]

    for way in ways:
        wanted = search(lambda case: max(case, default=0) > 3, SHORTER, HALVED, keep=way.append)
        reduced((5, 1, 9, 2), wanted)

    assert ways[0] == ways[1]
