"""Two runs compared case by case: what the build does otherwise, one line per cause; pure.

What is not the build's doing is told apart and never counted as a regression: an outage, a case
that the host could not test, another version of a suite, a suite under a new name, a run cut off.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain
from typing import TYPE_CHECKING

from harness.results import CellState
from harness.signatures import Signature, signature
from harness.triage.pairs import CellPair, SuitePair, pair_cells, pair_suites
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from harness.results import CaseResult
    from harness.store.run import Run


class Transition(StrEnum):
    """What became of one case of a variant from one run to another, what hurts most first."""

    REGRESSED = "REGRESSED"
    """It passed, and passes no more."""
    CHANGED = "CHANGED"
    """It fails, otherwise than before."""
    FIXED = "FIXED"
    APPEARED = "APPEARED"
    """It was not in the old run."""
    VANISHED = "VANISHED"
    """It is not in the new run, though that came to its end."""
    PERSISTING = "PERSISTING"
    """It fails as it did."""
    UNCHANGED = "UNCHANGED"
    """It passed and passes."""


class Context(StrEnum):
    """What else changed between the two runs, which may be why an outcome did."""

    SAME = "same build"
    """The same release of the same variant, and the same suite."""
    BUILD = "another build"
    SUITE = "another suite"
    """Another version of the suite: what it asks may be what changed."""


class NoteKind(StrEnum):
    """What is told apart from the transitions."""

    OUTAGE = "OUTAGE"
    """The cell could be tested in the old run and not in the new one."""
    STILL_OUT = "STILL_OUT"
    BACK = "BACK"
    """The cell could not be tested in the old run: there is nothing to compare with."""
    CELL_ADDED = "CELL_ADDED"
    CELL_GONE = "CELL_GONE"
    BUILD = "BUILD"
    """Another release, Python or variant stands in the cell's place."""
    SUITE_VERSION = "SUITE_VERSION"
    SUITE_RENAMED = "SUITE_RENAMED"
    SUITE_ADDED = "SUITE_ADDED"
    SUITE_GONE = "SUITE_GONE"
    CUT_OFF = "CUT_OFF"
    """The new run did not come to these cases."""
    NOT_TESTED = "NOT_TESTED"
    """The host lacks what it had."""
    HARNESS_FAULT = "HARNESS_FAULT"
    """Our own fault in the new run: nothing is known of the build."""
    TESTED_AGAIN = "TESTED_AGAIN"
    """Nothing was known of these cases in the old run."""


@dataclass(frozen=True, kw_only=True)
class Note:
    """Something that is no regression and has to be known to read the comparison."""

    kind: NoteKind
    cell: str = ""
    """Empty where it holds for every cell."""
    suite: str = ""
    text: str
    cases: int = 0
    """How many cases it keeps from being compared, or how many it is about."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One case on one cell in both runs; None where it is not in a run."""

    transition: Transition
    context: Context
    flaky: bool
    """Whether the case goes both ways: within a run, or by its history."""
    old: CaseResult | None
    new: CaseResult | None

    @property
    def result(self) -> CaseResult:
        """The newer of the results that there are."""
        result = self.new or self.old
        assert result is not None
        return result

    @property
    def signature(self) -> Signature:
        """What the case looks like now; for one that was mended or is gone, what it did."""
        if self.transition in (Transition.FIXED, Transition.VANISHED) and self.old:
            return signature(self.old)
        return signature(self.result)


@dataclass(frozen=True, kw_only=True)
class Group:
    """Changes of one kind with one signature: one cause, one line."""

    transition: Transition
    context: Context
    flaky: bool
    signature: Signature
    changes: tuple[Change, ...]

    @property
    def cells(self) -> tuple[str, ...]:
        """On which cells, in order."""
        return tuple(sorted({change.result.cell for change in self.changes}))

    @property
    def cases(self) -> tuple[str, ...]:
        """Which cases, each once, in order."""
        return tuple(sorted({change.result.case for change in self.changes}))


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Everything that is to be said of a new run beside an old one."""

    old: str
    new: str
    groups: tuple[Group, ...]
    """What hurts most first; PERSISTING has its groups too, UNCHANGED has none."""
    notes: tuple[Note, ...]
    counts: Counter[Transition] = field(default_factory=Counter)
    """How many cases of all cells, those of flaky cases included."""

    @property
    def regressions(self) -> tuple[Group, ...]:
        """What the build does wrong that it did right, on the same suite, and not now and then."""
        return tuple(
            group
            for group in self.groups
            if group.transition is Transition.REGRESSED
            and not group.flaky
            and group.context is not Context.SUITE
        )


def compare(old: Run, new: Run, *, flaky: Collection[tuple[str, str]] = ()) -> Comparison:
    """Return what became of each case of each variant from one run to the other.

    `flaky` holds the cell (of the new run) and the case of those whose history goes both ways.
    """
    comparing = _Comparing(old, new, flaky)
    changes = list(comparing.changes())
    return Comparison(
        old=old.id,
        new=new.id,
        groups=_grouped(changes),
        notes=tuple(comparing.notes),
        counts=Counter(change.transition for change in changes),
    )


class _Comparing:
    """One comparison while it is made: the notes are collected on the way."""

    def __init__(self, old: Run, new: Run, flaky: Collection[tuple[str, str]]) -> None:
        self._old = old
        self._new = new
        self._flaky = frozenset(flaky)
        self._old_results = _by_cell(old)
        self._new_results = _by_cell(new)
        self._pairs = list(pair_cells(old.cells, new.cells))
        self._suites = self._paired_suites()
        self.notes: list[Note] = []

    def changes(self) -> Iterator[Change]:
        """Return every case's change, and note what keeps others from being compared."""
        self.notes += [self._suite_note(pair) for pair in self._suites if pair.differs]
        for pair in self._pairs:
            if (note := self._cell_note(pair)) is not None:
                self.notes.append(note)
            if pair.both_ran:
                yield from self._of_cell(pair)

    def _paired_suites(self) -> list[SuitePair]:
        """Return the suites of those cells that both runs could test: an outage takes none away."""
        pairs = [pair for pair in self._pairs if pair.both_ran]
        olds = [self._old_results[pair.old.cell] for pair in pairs if pair.old]
        news = [self._new_results[pair.new.cell] for pair in pairs if pair.new]
        return pair_suites(
            (one for of_cell in olds for one in of_cell.values()),
            (one for of_cell in news for one in of_cell.values()),
            (self._old.suites, self._new.suites),
        )

    def _suite_note(self, pair: SuitePair) -> Note:
        if pair.old and not pair.new and any(suite == pair.old for _, suite in self._new.selected):
            text = "the run has not come to it"
            return Note(kind=NoteKind.CUT_OFF, suite=pair.old, text=text, cases=pair.count)
        return _suite_note(pair)

    def _cell_note(self, pair: CellPair) -> Note | None:
        """Return what is to be said of a pair of cells; None where nothing is."""
        old, new = pair.old, pair.new
        if old is None or new is None:
            cell, results, kind = (
                (old, self._old_results, NoteKind.CELL_GONE)
                if new is None
                else (new, self._new_results, NoteKind.CELL_ADDED)
            )
            assert cell is not None
            text = f"is only in the {'old' if new is None else 'new'} run"
            return Note(kind=kind, cell=cell.cell, text=text, cases=len(results[cell.cell]))
        was_out, is_out = (one.state is not CellState.READY for one in (old, new))
        if was_out or is_out:
            kind = NoteKind.OUTAGE if not was_out else NoteKind.STILL_OUT
            if not is_out:
                kind = NoteKind.BACK
            said = f"{new.state}: {new.reason}" if is_out else f"was {old.state}: {old.reason}"
            known = self._old_results if kind is NoteKind.OUTAGE else self._new_results
            cases = len(known[(old if kind is NoteKind.OUTAGE else new).cell])
            return Note(kind=kind, cell=new.cell, text=said, cases=cases)
        if pair.differs:
            return Note(kind=NoteKind.BUILD, cell=new.cell, text=f"was {old.cell}")
        return None

    def _of_cell(self, pair: CellPair) -> Iterator[Change]:
        assert pair.old is not None
        assert pair.new is not None
        olds, news = self._old_results[pair.old.cell], self._new_results[pair.new.cell]
        gaps: dict[tuple[NoteKind, str, str], int] = Counter()
        for suite in self._suites:
            if not suite.in_both:
                continue
            context = _context(pair, suite)
            cut_off = self._is_cut_off(pair.new.cell, suite.new)
            for old_case, new_case in suite.cases(olds, news):
                old, new = olds.get(old_case), news.get(new_case)
                if (gap := _gap(old, new, cut_off=cut_off)) is not None:
                    gaps[gap[0], suite.new, gap[1]] += 1
                elif _is_about_the_build(old) or _is_about_the_build(new):
                    yield self._change(context, old, new)
        if CellState.NO_DEVICE in (pair.old.state, pair.new.state):
            return  # the note of the cell says it already
        self.notes += [
            Note(kind=kind, cell=pair.new.cell, suite=suite, text=text, cases=cases)
            for (kind, suite, text), cases in sorted(gaps.items())
        ]

    def _is_cut_off(self, cell: str, suite: str) -> bool:
        found = sum(result.suite == suite for result in self._new_results[cell].values())
        return found < self._new.selected.get((cell, suite), 0)

    def _change(self, context: Context, old: CaseResult | None, new: CaseResult | None) -> Change:
        result = new or old
        assert result is not None
        flaky = (result.cell, result.case) in self._flaky or any(
            one is not None and one.goes_both_ways for one in (old, new)
        )
        transition = transition_of(old, new)
        return Change(transition=transition, context=context, flaky=flaky, old=old, new=new)


def transition_of(old: CaseResult | None, new: CaseResult | None) -> Transition:
    """Return what became of a case; of the two results one may be missing."""
    if old is None:
        return Transition.APPEARED
    if new is None:
        return Transition.VANISHED
    match old.outcome is Outcome.PASS, new.outcome is Outcome.PASS:
        case True, True:
            return Transition.UNCHANGED
        case True, False:
            return Transition.REGRESSED
        case False, True:
            return Transition.FIXED
    same = signature(old) == signature(new)
    return Transition.PERSISTING if same else Transition.CHANGED


def _by_cell(run: Run) -> dict[str, dict[str, CaseResult]]:
    found: dict[str, dict[str, CaseResult]] = defaultdict(dict)
    for (cell, case), result in run.results.items():
        found[cell][case] = result
    return found


def _context(cells: CellPair, suite: SuitePair) -> Context:
    if suite.version_differs:
        return Context.SUITE
    return Context.BUILD if cells.differs else Context.SAME


def _is_about_the_build(result: CaseResult | None) -> bool:
    return result is not None and result.outcome.is_about_the_build


def _gap(
    old: CaseResult | None, new: CaseResult | None, *, cut_off: bool
) -> tuple[NoteKind, str] | None:
    """Return why two results cannot be compared, and in which words; None where they can."""
    if new is None:
        return (NoteKind.CUT_OFF, "the run has not come to them") if cut_off else None
    if new.outcome is Outcome.HARNESS_FAULT:
        return NoteKind.HARNESS_FAULT, signature(new).line
    if old is None or old.outcome.is_about_the_build is new.outcome.is_about_the_build:
        return None
    if new.outcome is Outcome.NOT_TESTED:
        return NoteKind.NOT_TESTED, new.evidence.requirement
    return NoteKind.TESTED_AGAIN, f"{old.outcome}: {signature(old).line}"


def _suite_note(pair: SuitePair) -> Note:
    if not pair.in_both:
        kind = NoteKind.SUITE_GONE if pair.old else NoteKind.SUITE_ADDED
        where = "old" if pair.old else "new"
        text = f"is only in the {where} run"
        return Note(kind=kind, suite=pair.old or pair.new, text=text, cases=pair.count)
    if pair.old != pair.new:
        text = f"was called {pair.old}"
        return Note(kind=NoteKind.SUITE_RENAMED, suite=pair.new, text=text, cases=pair.count)
    text = f"{pair.old_version or 'no version'} → {pair.new_version or 'no version'}"
    return Note(kind=NoteKind.SUITE_VERSION, suite=pair.new, text=text, cases=pair.count)


_ORDER = {kind: at for at, kind in enumerate(chain(Transition, Context))}


def _grouped(changes: Iterable[Change]) -> tuple[Group, ...]:
    found: dict[tuple[Transition, Context, bool, Signature], list[Change]] = defaultdict(list)
    for change in changes:
        if change.transition is not Transition.UNCHANGED or change.flaky:
            key = change.transition, change.context, change.flaky, change.signature
            found[key].append(change)
    groups = [
        Group(
            transition=transition,
            context=context,
            flaky=flaky,
            signature=signature_,
            changes=tuple(of_one),
        )
        for (transition, context, flaky, signature_), of_one in found.items()
    ]
    return tuple(sorted(groups, key=_group_order))


def _group_order(group: Group) -> tuple[bool, int, int, int, Signature]:
    kind, context = _ORDER[group.transition], _ORDER[group.context]
    return group.flaky, kind, context, -len(group.changes), group.signature
