"""Generated cases as results of a run: one for each operator on a cell, however many cases.

Ten thousand cases on seventeen releases would be most of a store that is read for years; an
operator's result has the counts, and its causes with the smallest case of each.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from harness.generate.description import GENERATOR_VERSION
from harness.results import SHOWN_BY, CaseResult, CellRecord, SelectionRecord
from harness.triage.generated.disagreements import Cause, Oracle, causes, size
from harness.triage.generated.sights import Sight, State
from harness.wire.messages import Evidence
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.corpus.generated.record import Packed
    from harness.store.run import PartWriter

SUITE = "generated"


def suite_version(seed: int, cases: int, minutes: float | None) -> str:
    """Return what a trend rests on: which cases were asked for."""
    limit = "" if minutes is None else f" minutes {minutes:g}"
    return f"{GENERATOR_VERSION} seed {seed} cases {cases}{limit}"


def record(writer: PartWriter, cell: CellRecord, results: Sequence[CaseResult]) -> None:
    """Write what was seen on one cell into a run."""
    writer.append(cell)
    writer.append(SelectionRecord(cell=cell.cell, suite=SUITE, cases=len(results)))
    for result in results:
        writer.append(result)


def operator_results(
    cell: str, cases: Sequence[Packed], sights: Sequence[Sight], seconds: float
) -> list[CaseResult]:
    """Return one result for each operator, in the order of their names."""
    seen: dict[str, list[tuple[Packed, State]]] = defaultdict(list)
    for case, sight in zip(cases, sights, strict=True):
        seen[case.operator].append((case, sight.state))
    found: dict[str, list[Cause]] = defaultdict(list)
    for cause in causes(cases, sights):
        found[cause.operator].append(cause)
    each_s = seconds / max(len(cases), 1)
    return [
        _result(cell, those, found[operator], each_s * len(those))
        for operator, those in sorted(seen.items())
    ]


def _result(
    cell: str, seen: Sequence[tuple[Packed, State]], found: Sequence[Cause], seconds: float
) -> CaseResult:
    states = [state for _, state in seen]
    counts = {str(state): states.count(state) for state in State if state in states}
    told = [_told(cause) for cause in found]
    gravest = next((one for one in found if one.oracle is not Oracle.REFUSAL), None)
    outcome, evidence = _outcome(states, gravest)
    answer: dict[str, Any] = {"cases": len(states), **counts}
    smallest = gravest.smallest.case if gravest else min((case for case, _ in seen), key=size)
    if outcome is not Outcome.PASS:
        answer[SHOWN_BY] = f"{SUITE}/{smallest.description}"
    if told:
        answer["causes"] = told
    return CaseResult(
        cell=cell,
        suite=SUITE,
        case=f"{SUITE}/{smallest.operator}",
        outcome=outcome,
        duration_s=seconds,
        evidence=Evidence.from_json({**evidence, "answer": answer}),
    )


def _outcome(states: Sequence[State], gravest: Cause | None) -> tuple[Outcome, dict[str, Any]]:
    if gravest is not None:
        smallest = gravest.smallest
        text = f"{gravest.oracle}: {gravest.sign}: {smallest.case.description}: {smallest.text}"
        if gravest.oracle is not Oracle.DIES:
            return Outcome.FAIL, {"text": text, "stage": "compare"}
        hangs = gravest.sign.startswith(State.HUNG)
        return Outcome.TIMEOUT if hangs else Outcome.CRASH, {"text": text}
    if State.ANSWERED in states:
        return Outcome.PASS, {}
    if State.REFUSED in states:
        return Outcome.UNSUPPORTED, {"requirement": "none of its generated cases is accepted"}
    return Outcome.NOT_TESTED, {"requirement": "none of its generated cases can be asked here"}


def _told(cause: Cause) -> dict[str, Any]:
    """Return a cause as a run keeps it, so that it can be judged when it is read."""
    shared = frozenset.intersection(*cause.about)
    about = {
        "all": sorted(shared),
        "each": sorted({tuple(sorted(one - shared)) for one in cause.about}),
    }
    return {
        "oracle": str(cause.oracle),
        "sign": cause.sign,
        "cases": len(cause.findings),
        "pattern": str(cause.pattern),
        "smallest": cause.smallest.case.description,
        **({} if cause.oracle is Oracle.REFUSAL else {"about": about}),
    }
