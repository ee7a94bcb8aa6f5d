"""A search asks what Hypothesis draws, shrinks what fails, keeps it and tells it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from harness.cases import Worker
from harness.properties.search import FIXED_SEED, Profile, Property, Search
from harness.results import Observed
from harness.wire.catalogue.procedures import NOTHING, Procedure
from harness.wire.messages import Evidence
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COUNTS = {Profile.CI: 60, Profile.NIGHTLY: 100}


def numbers() -> st.SearchStrategy[dict[str, Any]]:
    """Return examples of one number each."""
    return st.fixed_dictionaries({"n": st.integers(0, 1000)})


def searched(search: Search | None = None, **fields: Any) -> Property:
    """Return a property of numbers."""
    return Property(
        id="shapes/numbers",
        procedure=NOTHING,
        arguments=fields.pop("arguments", {}),
        examples=fields.pop("examples", numbers),
        counts=COUNTS,
        search=search or Search(),
    )


class Asked:
    """A build that answers each number with an outcome, and keeps what it was asked."""

    def __init__(self, outcome: Callable[[int], Outcome], **evidence: Any) -> None:
        self._outcome = outcome
        self._evidence = Evidence(**evidence)
        self.numbers: list[int] = []

    def __call__(
        self, procedure: Procedure, arguments: dict[str, Any], worker: Worker = Worker.ANY
    ) -> Observed:
        """Return the outcome of the number that is asked for."""
        del procedure, worker
        self.numbers.append(arguments["n"])
        outcome = self._outcome(arguments["n"])
        return Observed(outcome=outcome, evidence=self._evidence, duration_s=0.001)


def from_ten(outcome: Outcome) -> Callable[[int], Outcome]:
    """Return the outcome for numbers from 10 on, a pass for others."""
    return lambda n: outcome if n >= 10 else Outcome.PASS


def test_a_property_that_holds_passes_and_says_of_how_many() -> None:
    """Every drawn example is asked once, and the evidence counts them and has the seed."""
    ask = Asked(lambda _: Outcome.PASS, placement={"CPUExecutionProvider": 2})

    observed = searched().carried_out(ask)

    asked = len(ask.numbers)
    assert observed.outcome is Outcome.PASS
    assert asked == COUNTS[Profile.CI]
    assert observed.evidence.answer == {"asked": {"pass": asked}, "seed": FIXED_SEED}
    assert observed.evidence.placement == {"CPUExecutionProvider": 2 * asked}
    assert not observed.evidence.example


def test_a_failing_example_shrinks() -> None:
    """What is told is the smallest that fails, with what the build said of it."""
    ask = Asked(from_ten(Outcome.FAIL), text="too large", answer={"seen": 1})

    observed = searched().carried_out(ask)

    assert observed.outcome is Outcome.FAIL
    assert observed.evidence.example == {"n": 10}
    assert observed.evidence.text == "too large"
    assert observed.evidence.answer["seen"] == 1
    assert observed.evidence.answer["asked"]["fail"] >= 1


def test_a_crash_is_a_failing_example_like_any_other() -> None:
    """The worker dies at each step of the shrinking, and the smallest killer is told."""
    ask = Asked(from_ten(Outcome.CRASH), signal="SIGSEGV")

    observed = searched().carried_out(ask)

    assert (observed.outcome, observed.evidence.example) == (Outcome.CRASH, {"n": 10})
    assert observed.evidence.signal == "SIGSEGV"


def test_shrinking_does_not_slip_to_another_fault() -> None:
    """A crash at 100 stays a crash, though a smaller example fails in another way."""
    ask = Asked(lambda n: Outcome.CRASH if n >= 100 else Outcome.FAIL if n == 50 else Outcome.PASS)

    observed = searched(examples=lambda: numbers().map(lambda e: {"n": e["n"]})).carried_out(ask)

    assert (observed.outcome, observed.evidence.example) == (Outcome.CRASH, {"n": 100})


def test_a_hang_ends_the_search() -> None:
    """Each hang costs a whole deadline, so that the first one is told as it is."""
    ask = Asked(from_ten(Outcome.TIMEOUT))

    observed = searched().carried_out(ask)

    assert observed.outcome is Outcome.TIMEOUT
    assert observed.evidence.example == {"n": ask.numbers[-1]}
    assert sum(n >= 10 for n in ask.numbers) == 1


def test_what_does_not_fail_again_is_told_so() -> None:
    """An example that fails once and never again is a failure that says so."""
    seen: list[int] = []

    def once(n: int) -> Outcome:
        seen.append(n)
        return Outcome.FAIL if len(seen) == 5 else Outcome.PASS

    ask = Asked(once, text="odd")

    observed = searched().carried_out(ask)

    assert observed.outcome is Outcome.FAIL
    assert observed.evidence.text == "did not fail again on the same example: odd"
    assert observed.evidence.example == {"n": seen[4]}


def test_the_most_telling_of_what_holds_is_the_outcome() -> None:
    """A pass goes before a fallback, that before what is unsupported, and all before nothing."""
    fallback = searched().carried_out(
        Asked(lambda n: Outcome.UNSUPPORTED if n % 2 else Outcome.FALLBACK)
    )
    unsupported = searched().carried_out(Asked(lambda _: Outcome.UNSUPPORTED, requirement="more"))
    some = searched().carried_out(Asked(lambda n: Outcome.PASS if n % 2 else Outcome.NOT_TESTED))

    assert fallback.outcome is Outcome.FALLBACK
    assert (unsupported.outcome, unsupported.evidence.requirement) == (Outcome.UNSUPPORTED, "more")
    assert some.outcome is Outcome.PASS


def test_one_seed_draws_the_same_and_another_others() -> None:
    """CI asks the same examples each time; NIGHTLY draws its seed, asks others, and tells it."""
    first, again, nightly = (Asked(lambda _: Outcome.PASS) for _ in range(3))
    random = Search.of(Profile.NIGHTLY, None)

    for ask in (first, again):
        searched(Search.of(Profile.CI, None)).carried_out(ask)
    observed = searched(random).carried_out(nightly)

    assert first.numbers == again.numbers
    assert nightly.numbers[: len(first.numbers)] != first.numbers
    assert len(nightly.numbers) == COUNTS[Profile.NIGHTLY]
    assert observed.evidence.answer["seed"] == random.seed


def test_a_failing_example_is_kept_and_tried_first(tmp_path: Path) -> None:
    """The next search begins with what failed before."""
    search = Search(database=tmp_path)
    searched(search).carried_out(Asked(from_ten(Outcome.FAIL)))
    ask = Asked(from_ten(Outcome.FAIL))

    searched(search).carried_out(ask)

    assert ask.numbers[0] == 10


def test_what_holds_on_one_cell_is_not_forgotten_for_another(tmp_path: Path) -> None:
    """Each cell keeps its own examples: a pass of one does not take away what another needs."""
    one, other = (searched(Search(database=tmp_path)).on(cell) for cell in ("cpu", "openvino"))
    one.carried_out(Asked(from_ten(Outcome.FAIL)))
    other.carried_out(Asked(lambda _: Outcome.PASS))
    ask = Asked(from_ten(Outcome.FAIL))

    one.carried_out(ask)

    assert ask.numbers[0] == 10
    assert not list(tmp_path.glob("openvino/*/*"))


def test_searches_run_in_several_threads_at_once(tmp_path: Path) -> None:
    """Each thread finds the same smallest example as it would alone."""
    search = Search(database=tmp_path)
    found = [(searched(search).on(f"cell-{n}"), Asked(from_ten(Outcome.FAIL))) for n in range(4)]

    with ThreadPoolExecutor(len(found)) as threads:
        observed = list(threads.map(lambda one: one[0].carried_out(one[1]), found))

    assert [one.evidence.example for one in observed] == [{"n": 10}] * len(found)


def test_with_arguments_only_these_are_asked() -> None:
    """The command that reproduces a failure asks its example once and searches nothing."""
    ask = Asked(from_ten(Outcome.FAIL))

    observed = searched(arguments={"n": 700}).carried_out(ask)

    assert ask.numbers == [700]
    assert (observed.outcome, observed.evidence.example) == (Outcome.FAIL, {"n": 700})
