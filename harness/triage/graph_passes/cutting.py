"""Passes that leave parts of a graph out: outputs, and nodes in ever smaller ranges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.triage.graph_passes.candidate import Candidate, Trace, copied, part, pruned

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


def outputs(case: Candidate) -> Generator[Candidate, bool, None]:
    """Propose each output alone, then the model without some of them."""
    names = [value.name for value in case.model.graph.output]
    for name in reversed(names):
        if len(names) > 1 and (yield pruned(case, [name])):
            return
    yield from _without_some(len(names), lambda kept: pruned(case, [names[at] for at in kept]))


def ends(case: Candidate, trace: Trace) -> Generator[Candidate, bool, None]:
    """Propose ever shorter beginnings of the graph, then ever shorter ends of what is left."""
    count = len(case.model.graph.node)
    short, long = 0, count
    shortest = case
    while long - short > 1:
        middle = (short + long) // 2
        made = part(case, range(middle), trace)
        if made is not None and (yield made):
            long, shortest = middle, made
        else:
            short = middle
    count = len(shortest.model.graph.node)
    long, short = 0, count
    while short - long > 1:
        middle = (short + long) // 2
        made = part(shortest, range(middle, count), trace)
        if made is not None and (yield made):
            long = middle
        else:
            short = middle


def nodes(case: Candidate, trace: Trace) -> Generator[Candidate, bool, None]:
    """Propose the graph without ranges of nodes, from halves down to single ones."""
    size = len(case.model.graph.node) // 2
    while size:
        at = len(case.model.graph.node) - size
        while at > -size:
            count = len(case.model.graph.node)
            left_out = range(max(at, 0), min(at + size, count))
            chosen = [position for position in range(count) if position not in left_out]
            made = part(case, chosen, trace) if chosen and left_out else None
            if made is not None and (yield made):
                case = made
            at -= size
        size //= 2


def operands(case: Candidate) -> Generator[Candidate, bool, None]:
    """Propose nodes without one of their inputs, from the last on: some are optional."""
    longest = max((len(node.input) for node in case.model.graph.node), default=0)
    for at in range(longest - 1, 0, -1):
        for position in range(len(case.model.graph.node) - 1, -1, -1):
            made = _without_operand(case, position, at)
            if made is not None and (yield made):
                case = made


def _without_operand(case: Candidate, position: int, at: int) -> Candidate | None:
    # What only made the input that was left out before is gone from the end of the list.
    before = case.model.graph.node
    if position >= len(before) or at >= len(before[position].input):
        return None
    model = copied(case.model)
    inputs = model.graph.node[position].input
    inputs[at] = ""
    while not inputs[-1]:
        del inputs[-1]
    outputs = [value.name for value in model.graph.output]
    return pruned(Candidate(model=model, inputs=case.inputs), outputs)


def _without_some(
    count: int, made: Callable[[list[int]], Candidate]
) -> Generator[Candidate, bool, None]:
    """Propose what `made` makes of ever smaller choices among `count` things."""
    kept = list(range(count))
    size = count // 2
    while size:
        at = len(kept) - size
        while at >= 0:
            fewer = kept[:at] + kept[at + size :]
            if fewer and (yield made(fewer)):
                kept = fewer
            at -= size
        size //= 2
