"""What is right of a malformed model is decided in one place; a model is tried as described."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from harness.cases import InTwoProcesses, Worker
from harness.results import Observed
from harness.wire.catalogue.malformed import MALFORMED
from harness.wire.malformed import PLACE, Beside, MalformedCase, Right, Stage
from harness.wire.messages import Evidence, Request
from harness.wire.outcomes import Outcome
from harness.wire.providers import DeviceRequest
from harness.wire.values import ElementType
from harness.worker.bindings import BindingError, Slot
from harness.worker.cases.malformed.answers import MOST_MIB, Accepted, Refused, judged
from harness.worker.cases.malformed.digests import digest
from harness.worker.cases.malformed.made_inputs import NotMadeError, made_inputs
from harness.worker.cases.malformed.peak_memory import PeakMemory
from harness.worker.cases.malformed.trial import malformed, unlike_declared
from harness.worker.tensors import PackedTensor
from harness.worker.under_test import UnderTest
from tests.unit.scripted_binding import ScriptedBinding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.wire.catalogue.procedures import Procedure
    from harness.worker.cases import Observation

TYPED = Refused(stage=Stage.OPEN, status="INVALID_GRAPH", text="no")
BY_BACKEND = Refused(stage=Stage.OPEN, status="BackendError", text="no", by_backend=True)
BARE = Refused(stage=Stage.OPEN, status="UnicodeDecodeError", text="no")
LATE = Refused(stage=Stage.RUN, status="FAIL", text="no")
LACKING = Refused(stage=Stage.OPEN, status="NOT_IMPLEMENTED", text="no")
TAKEN, WRONG, NOT_RUN = Accepted(), Accepted(wrong="is wrong"), Accepted(not_run="a map")

VALUE = {"tensor": "float", "shape": [3], "at": [0, 12]}


def case_of(right: Right, **fields: Any) -> MalformedCase:
    """Return a case whose model nobody reads."""
    return MalformedCase(model=b"model", right=right, **fields)


@pytest.mark.parametrize(
    ("right", "latest", "answer", "outcome"),
    [
        (Right.REFUSAL, Stage.OPEN, TYPED, Outcome.PASS),
        (Right.REFUSAL, Stage.OPEN, BY_BACKEND, Outcome.PASS),
        (Right.REFUSAL, Stage.OPEN, LACKING, Outcome.PASS),
        (Right.REFUSAL, Stage.OPEN, BARE, Outcome.FAIL),
        (Right.REFUSAL, Stage.OPEN, LATE, Outcome.FAIL),
        (Right.REFUSAL, Stage.RUN, LATE, Outcome.PASS),
        (Right.REFUSAL, Stage.OPEN, TAKEN, Outcome.FAIL),
        (Right.REFUSAL, Stage.RUN, TAKEN, Outcome.FAIL),
        (Right.REFUSAL, Stage.OPEN, NOT_RUN, Outcome.FAIL),
        (Right.REFUSAL, Stage.RUN, NOT_RUN, Outcome.PASS),
        (Right.EITHER, Stage.OPEN, TYPED, Outcome.PASS),
        (Right.EITHER, Stage.OPEN, BARE, Outcome.FAIL),
        (Right.EITHER, Stage.OPEN, TAKEN, Outcome.PASS),
        (Right.EITHER, Stage.OPEN, WRONG, Outcome.FAIL),
        (Right.EITHER, Stage.OPEN, NOT_RUN, Outcome.PASS),
        (Right.ACCEPTANCE, Stage.OPEN, TAKEN, Outcome.PASS),
        (Right.ACCEPTANCE, Stage.OPEN, WRONG, Outcome.FAIL),
        (Right.ACCEPTANCE, Stage.OPEN, TYPED, Outcome.ERROR),
        (Right.ACCEPTANCE, Stage.OPEN, LACKING, Outcome.UNSUPPORTED),
        (Right.ACCEPTANCE, Stage.OPEN, BARE, Outcome.FAIL),
    ],
)
def test_the_rule_tells_right_answers_from_wrong_ones(
    right: Right, latest: Stage, answer: Refused | Accepted, outcome: Outcome
) -> None:
    """What is right depends on the case; a bare exception and a wrong answer never are."""
    case = case_of(right, latest=latest)

    found, _ = judged(case, answer, grown_mib=0)

    assert found is outcome


def test_a_refusal_that_takes_too_much_memory_is_wrong() -> None:
    """A small model that fills memory is a fault, whatever is said of it in the end."""
    case = case_of(Right.REFUSAL)

    found, text = judged(case, TYPED, grown_mib=MOST_MIB + 1)

    assert found is Outcome.FAIL
    assert f"{MOST_MIB + 1} MiB" in text


def test_what_could_not_be_run_is_not_tested_where_an_answer_is_known() -> None:
    """With no known answer an acceptance has only to open with real types."""
    case = case_of(Right.EITHER, outputs=(VALUE,))

    found, requirement = judged(case, NOT_RUN, grown_mib=0)

    assert (found, requirement) == (Outcome.NOT_TESTED, "a map")


def test_a_case_reads_back_as_it_was_written() -> None:
    """A request carries all of it, the bytes of the model and what stands beside it too."""
    beside = Beside(files={"model/w": "00"}, links={"model/l": "out"}, folders=("a",))
    case = case_of(
        Right.EITHER,
        latest=Stage.RUN,
        inputs=(VALUE,),
        outputs=(),
        beside=beside,
        declares={"x": ""},
    )

    read = MalformedCase.from_json(case.to_json())

    assert read == case


def tried(binding: ScriptedBinding, case: MalformedCase) -> Observation:
    """Return what the procedure observes of a case on a build that does as scripted."""
    request = Request(procedure=MALFORMED.id, device=DeviceRequest.CPU, arguments=case.to_json())
    return malformed(request, UnderTest(binding=binding))


def test_a_refused_model_is_told_with_its_status_and_stage() -> None:
    """The evidence names what the build said."""
    binding = ScriptedBinding(script={"CPU": BindingError("INVALID_GRAPH", "a cycle")})

    seen = tried(binding, case_of(Right.REFUSAL))

    assert seen.outcome is Outcome.PASS
    assert (seen.evidence.status, seen.evidence.stage) == ("INVALID_GRAPH", "open")


def test_a_bare_exception_of_the_build_speaks_against_the_build() -> None:
    """It is no fault of the harness, and no refusal either."""

    def raises(_: Mapping[str, Any]) -> Sequence[Any]:
        raise SystemError("returned a result with an exception set")

    seen = tried(ScriptedBinding(answer=raises), case_of(Right.REFUSAL, latest=Stage.RUN))

    assert seen.outcome is Outcome.FAIL
    assert "SystemError" in seen.evidence.text


def test_an_answer_that_changes_from_run_to_run_is_wrong() -> None:
    """Nothing that is put in differs, so what comes out was never set."""
    answers = iter(range(9))
    binding = ScriptedBinding(answer=lambda _: [np.full(3, next(answers), np.float32)])

    seen = tried(binding, case_of(Right.EITHER))

    assert seen.outcome is Outcome.FAIL
    assert "never set" in seen.evidence.text


def test_what_the_build_tells_of_a_slot_can_be_doctored() -> None:
    """The backend is shown a slot without a type, and has to refuse it by itself."""
    case = case_of(Right.REFUSAL, declares={"x": "tensor(undefined)"})

    seen = tried(ScriptedBinding(), case)

    assert seen.outcome is Outcome.PASS
    assert seen.evidence.status == "BackendError"


def test_a_secret_from_outside_of_the_folder_is_found_in_an_output() -> None:
    """The model is opened in a folder of its own, whose absolute path stands in it where asked."""
    opened: list[bytes] = []
    secret = np.array([7, 8, 9], np.float32)

    def answer(_: Mapping[str, Any]) -> Sequence[Any]:
        model = Path(str(binding.asked[0].model))
        opened.append(model.read_bytes())
        return [np.frombuffer((model.parent / "link").read_bytes(), np.float32)]

    binding = ScriptedBinding(answer=answer)
    digits = secret.tobytes().hex()
    beside = Beside(files={"outside/s": digits}, links={"model/link": "outside/s"}, secret=digits)

    seen = tried(binding, MalformedCase(model=PLACE + b"/s", right=Right.EITHER, beside=beside))

    assert seen.outcome is Outcome.FAIL
    assert "outside of the model's folder" in seen.evidence.text
    assert len(opened[0]) == len(PLACE) + 2
    assert opened[0].endswith(binding.asked[0].model.encode()[: -len("/model/model.onnx")] + b"/s")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("slot", "value", "differs"),
    [
        (Slot(name="y", type="tensor(float)", shape=(3,)), np.zeros(3, np.float32), False),
        (Slot(name="y", type="tensor(float)", shape=("N",)), np.zeros(3, np.float32), False),
        (Slot(name="y", type="tensor(float)", shape=()), np.zeros(3, np.float32), False),
        (Slot(name="y", type="tensor(float)", shape=(4,)), np.zeros(3, np.float32), True),
        (Slot(name="y", type="tensor(float)", shape=(3, 1)), np.zeros(3, np.float32), True),
        (Slot(name="y", type="tensor(double)", shape=(3,)), np.zeros(3, np.float32), True),
        (
            Slot(name="y", type="tensor(int4)", shape=(2,)),
            PackedTensor(element_type=ElementType.UINT4, shape=(2,), data=b"\0"),
            True,
        ),
    ],
)
def test_an_output_is_held_against_its_declaration(slot: Slot, value: Any, differs: bool) -> None:  # noqa: FBT001 - a column of a table
    """Type and known dimensions have to be as declared; an open dimension may be anything."""
    found = unlike_declared(slot, value)

    assert bool(found) is differs


def test_made_inputs_are_as_declared_and_the_same_each_time() -> None:
    """An open dimension is two, an optional is present, and nothing huge is made."""
    slots = [
        Slot(name="a", type="tensor(int8)", shape=("N", 3)),
        Slot(name="b", type="optional(seq(tensor(string)))", shape=()),
        Slot(name="c", type="tensor(int4)", shape=(3,)),
    ]

    a, b, c = made_inputs(slots)

    assert (a.dtype, a.shape) == (np.int8, (2, 3))
    assert len(b) == 2
    assert c.element_type is ElementType.INT4
    assert digest(made_inputs(slots)) == digest([a, b, c])
    with pytest.raises(NotMadeError, match="shape"):
        made_inputs([Slot(name="x", type="tensor(float)", shape=(2**40,))])


def test_a_digest_tells_types_and_shapes_apart() -> None:
    """Equal bytes of another type or shape are another answer."""
    zeros = np.zeros(2, np.float32)

    found = {digest([v]) for v in (zeros, zeros.view(np.int32), zeros.reshape(2, 1), [zeros])}

    assert len(found) == 4
    assert digest([zeros]) == digest([np.zeros(2, np.float32)])


def test_memory_that_was_taken_and_given_back_is_seen() -> None:
    """The peak counts, not what is left in the end."""
    with PeakMemory() as memory:
        np.ones(16 * 2**20, np.float64).sum()

    assert 100 <= memory.grown_mib < 200


def asked_of(answers: Mapping[Worker, Observed], asked: list[Worker]) -> Observed:
    """Return what a case in two processes comes to, when each answers as given."""

    def ask(
        procedure: Procedure, arguments: dict[str, Any], worker: Worker = Worker.ANY
    ) -> Observed:
        del procedure, arguments
        asked.append(worker)
        return answers[worker]

    return InTwoProcesses(id="malformed/x", procedure=MALFORMED, arguments={}).carried_out(ask)


def answered(found: str, outcome: Outcome = Outcome.PASS) -> Observed:
    """Return an observation with a digest."""
    evidence = Evidence(answer={"digest": found} if found else {})
    return Observed(outcome=outcome, evidence=evidence, duration_s=1.0)


def test_another_answer_in_another_process_is_wrong() -> None:
    """Memory that was never set differs between the two."""
    answers = {Worker.ANY: answered("a"), Worker.OTHER: answered("b")}

    found = asked_of(answers, [])

    assert found.outcome is Outcome.FAIL
    assert found.evidence.answer == {"digest": "a", "digest elsewhere": "b"}
    assert found.duration_s == 2.0


@pytest.mark.parametrize(
    ("first", "workers"),
    [
        (answered(""), [Worker.ANY]),
        (answered("a", Outcome.FAIL), [Worker.ANY]),
        (answered("a"), [Worker.ANY, Worker.OTHER]),
    ],
)
def test_only_an_answer_is_asked_for_twice(first: Observed, workers: list[Worker]) -> None:
    """A refusal and a failure are what they are."""
    asked: list[Worker] = []

    found = asked_of({Worker.ANY: first, Worker.OTHER: answered("a")}, asked)

    assert asked == workers
    assert found.outcome is first.outcome


def test_the_inputs_of_a_session_are_those_of_the_case() -> None:
    """Without any given, they are made of what is declared."""
    binding = ScriptedBinding(inputs=(Slot(name="x", type="tensor(float)", shape=(3,)),))

    tried(binding, case_of(Right.EITHER))

    assert binding.fed[0]["x"].shape == (3,)
