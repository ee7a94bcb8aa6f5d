"""What one build's answers to generated cases show: the oracles' findings, one line per cause."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from harness.generate.description import RANDOM
from harness.triage.generated.patterns import features, parts, pattern
from harness.triage.generated.sights import Sight, State, agrees, differs, state_of
from harness.triage.generated.signs import sign_of
from harness.triage.generated.votes import Vote, counted, known_pairs
from harness.wire.outcomes import NOT_IMPLEMENTED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.corpus.generated.record import Packed
    from harness.triage.generated.patterns import Features, Pattern
    from harness.wire.generated import Seen

VALID = "valid"

REFERENCE, BUILD, PLAIN, CPU_EP, OTHER = (
    "the reference",
    "the build",
    "the build unoptimised",
    "its CPU EP",
    "the other cell",
)

SAME_ON_CPU = "its CPU EP does the same"
"""What can be said of a case where a build shows on its CPU EP what it shows on the asked one."""


class Oracle(StrEnum):
    """Which of the oracles a finding is of, the gravest first."""

    DIES = "dies"
    """A signal, memory beyond the limit, or no end: whatever the model."""
    SPOILS = "spoils"
    """The worker died behind other cases, though not of this one alone."""
    MEMORY = "memory"
    """Another answer when run again, or in another process: memory that was never set."""
    OPTIMISATION = "optimisation"
    """Another answer without optimisations."""
    REFERENCE = "reference"
    """Another answer than the standard's reference evaluator."""
    AGAINST = "against"
    """Another answer than another cell."""
    REFUSAL = "refusal"
    """A case that the standard accepts, and the reference evaluator answers, is refused at run."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one case shows."""

    case: Packed
    oracle: Oracle
    sign: str
    """What it looks like, without its own figures."""
    text: str
    """As it was seen."""
    vote: Vote


@dataclass(frozen=True, kw_only=True)
class Cause:
    """All findings that look alike, as one line."""

    operator: str
    oracle: Oracle
    sign: str
    pattern: Pattern
    findings: tuple[Finding, ...]
    """The smallest first."""
    about: tuple[Features, ...]
    """What can be said of the case of each of `findings`."""
    of: int
    """How many cases of the operator were tested."""
    known: str = ""
    """Why it is known; empty where it is new."""

    @property
    def smallest(self) -> Finding:
        """The finding to look at."""
        return self.findings[0]


def finding(case: Packed, sight: Sight) -> Finding | None:
    """Return the gravest that a case shows, or None.

    A case that is not valid has no right answer: only death and memory never set count there.
    """
    found = _death(sight) or (None if RANDOM in case.reason else _memory(sight))
    if found is None and case.kind == VALID:
        found = _of_valid_case(sight)
    if found is None:
        return None
    oracle, text = found
    vote = vote_on(sight)
    return Finding(case=case, oracle=oracle, sign=sign_of(text), text=text, vote=vote)


def vote_on(sight: Sight) -> Vote:
    """Return who agrees with whom; the build with and without optimisations is one voter if it can.

    That the same code agrees with itself twice outvotes nobody: so it is with the build's CPU EP,
    where the asked EP left the whole case to it.
    """
    seen = sight.seen
    if seen is None:
        return Vote(parties=())
    on_cpu = sight.on_cpu or Sight()
    comparisons = known_pairs(
        (one, other, None if text is None else agrees(text))
        for one, other, text in (
            (REFERENCE, BUILD, seen.unlike_reference),
            (BUILD, PLAIN, seen.unlike_unoptimised),
            (REFERENCE, PLAIN, seen.unoptimised_unlike_reference),
            (BUILD, CPU_EP, sight.unlike_on_cpu),
            (REFERENCE, CPU_EP, _by_reference(on_cpu.seen)),
            (BUILD, OTHER, sight.unlike_against),
            (REFERENCE, OTHER, _by_reference(sight.against)),
            (CPU_EP, OTHER, on_cpu.unlike_against),
        )
    )
    present = {voter for pair in comparisons for voter in pair}
    for itself in (PLAIN,) if seen.on_ep else (PLAIN, CPU_EP):
        if comparisons.get((BUILD, itself)):
            present.discard(itself)
            comparisons = {pair: agree for pair, agree in comparisons.items() if itself not in pair}
    voters = [voter for voter in (REFERENCE, BUILD, PLAIN, CPU_EP, OTHER) if voter in present]
    return counted(voters, comparisons)


def _by_reference(seen: Seen | None) -> str | None:
    return None if seen is None else seen.unlike_reference


def is_same_on_cpu(case: Packed, sight: Sight) -> bool:
    """Say whether the build's CPU EP shows the same, so that it is nothing of the asked EP's.

    So it is where the asked EP ran no node, too; and how memory shows that is not the case's own,
    or was never set, is chance: as garbage, or as death.
    """
    if sight.on_cpu is None:
        return False
    if sight.seen is not None and not sight.seen.on_ep:
        return True
    here, there = finding(case, sight), finding(case, sight.on_cpu)
    if here is None or there is None:
        return False
    if _is_of_memory(here) and _is_of_memory(there):
        return True
    alike = (here.oracle, here.sign) == (there.oracle, there.sign)
    return alike and not differs(sight.unlike_on_cpu)


def _is_of_memory(found: Finding) -> bool:
    if found.oracle is Oracle.DIES:
        return found.sign.endswith(("SIGSEGV", "SIGBUS", "SIGABRT"))
    return found.oracle in (Oracle.SPOILS, Oracle.MEMORY)


def nothing_known(finding: Finding, about: Features) -> str:
    """Say of every finding that it is new."""
    del finding, about
    return ""


def causes(
    cases: Sequence[Packed],
    sights: Sequence[Sight],
    reason: Callable[[Finding, Features], str] = nothing_known,
) -> list[Cause]:
    """Return what all the cases of one cell show, one cause for all that look alike.

    `reason` says of a finding, and of what can be said of its case, why it is known. What is new
    comes first.
    """
    by_operator: dict[str, list[int]] = defaultdict(list)
    for at, (case, sight) in enumerate(zip(cases, sights, strict=True)):
        if sight.state is not State.UNTESTED:
            by_operator[case.operator].append(at)
    found: list[Cause] = []
    for operator, places in sorted(by_operator.items()):
        those = [(cases[at], sights[at]) for at in places]
        found += _causes_of(operator, those, reason)
    order = list(Oracle)
    return sorted(
        found, key=lambda one: (one.known, order.index(one.oracle), one.operator, one.sign)
    )


def _causes_of(
    operator: str,
    those: Sequence[tuple[Packed, Sight]],
    reason: Callable[[Finding, Features], str],
) -> list[Cause]:
    about = features([case for case, _ in those])
    said = [
        of | {SAME_ON_CPU} if is_same_on_cpu(*one) else of
        for of, one in zip(about, those, strict=True)
    ]
    findings = [finding(case, sight) for case, sight in those]
    alike: dict[tuple[Oracle, str, str], list[int]] = defaultdict(list)
    for at, one in enumerate(findings):
        if one is not None:
            alike[one.oracle, one.sign, reason(one, said[at])].append(at)
    made = []
    for (oracle, sign, known), members in alike.items():
        others = [about[at] for at in range(len(those)) if at not in set(members)]
        for part in parts([about[at] for at in members], others):
            places = sorted((members[at] for at in part), key=lambda at: size(those[at][0]))
            made.append(
                Cause(
                    operator=operator,
                    oracle=oracle,
                    sign=sign,
                    pattern=pattern([about[at] for at in places], others),
                    findings=tuple(one for at in places if (one := findings[at]) is not None),
                    about=tuple(said[at] for at in places),
                    of=len(those),
                    known=known,
                )
            )
    return made


def size(case: Packed) -> tuple[bool, int, str]:
    """Return what orders cases so that the one to look at comes first: the small, with a vote."""
    tensors = sum(one["at"][1] for one in case.asked.inputs if "at" in one)
    return not case.votes, tensors + case.asked.model[1], case.description


def _death(sight: Sight) -> tuple[Oracle, str] | None:
    if sight.state.is_fatal:
        return Oracle.DIES, f"{sight.state}: {sight.says}"
    return (Oracle.SPOILS, sight.spoilt) if sight.spoilt else None


def _memory(sight: Sight) -> tuple[Oracle, str] | None:
    seen = sight.seen
    if seen is not None and differs(seen.unlike_again):
        return Oracle.MEMORY, f"run again: {seen.unlike_again}"
    if differs(sight.unlike_elsewhere):
        return Oracle.MEMORY, f"in another process: {sight.unlike_elsewhere}"
    return None


def _of_valid_case(sight: Sight) -> tuple[Oracle, str] | None:
    looks: tuple[Callable[[Sight], tuple[Oracle, str] | None], ...] = (
        _optimised_unlike,
        _unlike_reference,
        _unlike_against,
        _refused,
    )
    return next((found for look in looks if (found := look(sight)) is not None), None)


def _optimised_unlike(sight: Sight) -> tuple[Oracle, str] | None:
    seen = sight.seen
    if seen is None or seen.unoptimised is None:
        return None
    if differs(seen.unlike_unoptimised):
        return Oracle.OPTIMISATION, str(seen.unlike_unoptimised)
    optimised, plain = state_of(seen.default), state_of(seen.unoptimised)
    if {optimised, plain} != {State.ANSWERED, State.REFUSED}:
        return None
    way, refused = (
        ("with", seen.default) if optimised is State.REFUSED else ("without", seen.unoptimised)
    )
    if way == "without" and refused.status == NOT_IMPLEMENTED:
        return None  # what the build lacks was computed, or left out, before it was needed
    return Oracle.OPTIMISATION, f"refused {way} optimisations only: {refused.text}"


def _unlike_reference(sight: Sight) -> tuple[Oracle, str] | None:
    seen = sight.seen
    if seen is None or not differs(seen.unlike_reference):
        return None
    return Oracle.REFERENCE, str(seen.unlike_reference)


def _unlike_against(sight: Sight) -> tuple[Oracle, str] | None:
    if differs(sight.unlike_against):
        return Oracle.AGAINST, str(sight.unlike_against)
    if sight.against is None or sight.seen is None:
        return None
    here, there = state_of(sight.seen.default), state_of(sight.against.default)
    if (here, there) == (State.REFUSED, State.ANSWERED):
        return Oracle.AGAINST, f"refused, which the other cell answers: {sight.says}"
    return None


def _refused(sight: Sight) -> tuple[Oracle, str] | None:
    """Return a refusal at run: one at open says what the build lacks, as NOT_IMPLEMENTED does."""
    seen = sight.seen
    if seen is None or sight.state is not State.REFUSED or seen.default.stage != "run":
        return None
    if seen.default.status == NOT_IMPLEMENTED:
        return None
    return Oracle.REFUSAL, f"{seen.default.status}: {seen.default.text}"
