"""What makes the bodies of If, Loop and Scan smaller, on models that the evaluator answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from harness.triage.graph_passes import bodies
from harness.triage.graph_passes.candidate import nodes_within, subgraphs
from harness.triage.graph_passes.examined import Validity
from tests.unit.test_graph_passes import (
    all_taken,
    answers,
    candidate,
    operators,
    smallest,
    trace,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.triage.graph_passes.candidate import Candidate

LOOP = """<ir_version: 8, opset_import: ["": 17]>
    g (float[2] x, int64 trips) => (float[2] y) <bool go = {1}> {
        t = Relu(x)
        last, seen = Loop(trips, go, t) <body = one (int64 i, bool c, float[2] v)
            => (bool d, float[2] o, float[2] s) {
            d = Identity(c)
            a = Sin(v)
            b = Exp(a)
            e = Tanh(b)
            o = Add(e, t)
            s = Neg(e)
        }>
        y = Mul(last, t)
    }"""
SCAN = """<ir_version: 8, opset_import: ["": 17]>
    g (float[2] x, float[3,2] z) => (float[3,2] y) {
        t = Relu(x)
        last, r = Scan<num_scan_inputs = 1, body = one (float[2] v, float[2] w)
            => (float[2] o, float[2] s) {
            a = Sin(w)
            b = Exp(a)
            e = Tanh(b)
            o = Add(e, v)
            s = Neg(e)
        }>(t, z)
        y = Abs(r)
    }"""
IF = """<ir_version: 8, opset_import: ["": 17]>
    g (bool c, float[2] x) => (float[2] y) {
        t = Relu(x)
        r = If(c) <
            then_branch = then () => (float[2] o) { a = Sin(t) b = Exp(a) e = Tanh(b) o = Abs(e) },
            else_branch = other () => (float[2] o) { p = Sin(t) q = Cos(p) o = Exp(q) }
        >
        y = Neg(r)
    }"""


def loop() -> Candidate:
    """Return a Loop of two trips that carries one value and collects another."""
    return candidate(LOOP, x=np.array([1, 2], np.float32), trips=np.array(2))


def scan() -> Candidate:
    """Return a Scan over three rows."""
    return candidate(SCAN, x=np.ones(2, np.float32), z=np.ones((3, 2), np.float32))


def choice() -> Candidate:
    """Return an If whose first branch is taken."""
    return candidate(IF, c=np.ones((), bool), x=np.ones(2, np.float32))


def anywhere(*wanted: str) -> Callable[[Candidate], bool]:
    """Return what says whether the operators are all there, in bodies or not."""
    return lambda case: set(wanted) <= {node.op_type for node in nodes_within(case.model)}


def within(*wanted: str) -> Callable[[Candidate], bool]:
    """Return what says whether the operators are all in one body."""
    return lambda case: any(
        set(wanted) <= {inner.op_type for inner in graph.node}
        for node in case.model.graph.node
        for graph in subgraphs(node)
    )


@pytest.mark.parametrize("make", [loop, scan, choice])
def test_a_fault_that_needs_no_loop_loses_it(make: Callable[[], Candidate]) -> None:
    """What is wrong with operators of a body is left as these alone, on the body's values."""
    found = smallest(make(), anywhere("Exp", "Tanh"))

    assert operators(found) == ["Exp", "Tanh"]


@pytest.mark.parametrize("make", [loop, scan, choice])
def test_a_fault_that_needs_its_loop_has_the_smallest_body(make: Callable[[], Candidate]) -> None:
    """Where the operators must stand in a body, it holds little else, and nothing is around it."""
    found = smallest(make(), within("Exp", "Tanh"))

    assert len(found.model.graph.node) == 1
    (largest, *_) = sorted(len(g.node) for g in subgraphs(found.model.graph.node[0]))[::-1]
    assert largest <= (3 if operators(found) == ["Loop"] else 2)
    assert found.validity is Validity.FULLY_VALID


def test_a_loop_is_put_in_place_between_what_is_around_it() -> None:
    """A fault of operators in and behind a body keeps these and not the Loop."""
    taken = all_taken(bodies.in_place(loop(), trace), answers)

    assert operators(taken[-1]) == ["Relu", "Sin", "Exp", "Tanh", "Add", "Mul"]
    assert taken[-1].validity is Validity.FULLY_VALID
    assert operators(smallest(loop(), anywhere("Tanh", "Mul"))) == ["Tanh", "Mul"]


@pytest.mark.parametrize("lost", ["attribute", "output", "input"])
@pytest.mark.parametrize("make", [loop, scan])
def test_a_loop_that_nobody_runs_is_left_alone(make: Callable[[], Candidate], lost: str) -> None:
    """A malformed model may lack the body, its results or what it reads: the passes go by it."""
    case = make()
    node = next(node for node in case.model.graph.node if node.attribute)
    node.ClearField(lost)

    taken = [
        all_taken(one(case, trace), lambda _: False)
        for one in (bodies.alone, bodies.in_place, bodies.thinner)
    ]

    assert taken == [[], [], []]
