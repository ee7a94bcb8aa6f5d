"""What one side of the wire writes the other reads, and it is JSON in any language."""

from __future__ import annotations

import json
import math
from typing import Any, Protocol

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.wire.messages import (
    PROTOCOL,
    Evidence,
    FallbackStep,
    Hello,
    Mismatch,
    Reply,
    Request,
)
from harness.wire.outcomes import Outcome
from harness.wire.providers import DeviceRequest, ExecutionProvider
from harness.wire.values import Blob, DataSet, ModelCase, PipelineCase

exhaustively = settings(derandomize=True, deadline=None)

TEXT = st.text(st.characters(), max_size=8)  # lone surrogates too: strings of a model may be bytes
FIGURE = st.none() | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.booleans() | st.integers() | FIGURE | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
STEPS = st.builds(FallbackStep, attached=TEXT, provider=TEXT, stage=TEXT, status=TEXT, text=TEXT)
MISMATCHES = st.builds(
    Mismatch,
    output=TEXT,
    text=TEXT,
    largest_error=FIGURE,
    at=st.none() | st.lists(st.integers(0, 9), max_size=3).map(tuple),
    rtol_needed=FIGURE,
    atol_needed=FIGURE,
)
EVIDENCE = st.builds(
    Evidence,
    text=TEXT,
    requirement=TEXT,
    stage=TEXT,
    status=TEXT,
    attached=TEXT,
    fallback=st.lists(STEPS, max_size=2).map(tuple),
    mismatches=st.lists(MISMATCHES, max_size=2).map(tuple),
    answer=st.dictionaries(TEXT, JSON, max_size=3),
    traceback=TEXT,
    signal=TEXT,
    exit_status=st.none() | st.integers(0, 255),
    log=TEXT,
)
REPLIES = st.builds(
    Reply, number=st.integers(0), outcome=st.sampled_from(Outcome), evidence=EVIDENCE
)
REQUESTS = st.builds(
    Request,
    procedure=TEXT,
    device=st.sampled_from(DeviceRequest),
    providers=st.dictionaries(TEXT, st.dictionaries(TEXT, TEXT, max_size=2), max_size=2),
    arguments=st.dictionaries(TEXT, JSON, max_size=3),
    number=st.integers(0),
)
HELLO = Hello(
    protocol=PROTOCOL,
    release="1.32.0",
    distributions=("onnxruntime==1.32.0",),
    providers=(ExecutionProvider.CPU,),
    python="3.11.7",
    numpy="2.0.0",
)
MODEL_CASE = ModelCase(
    model=Blob(file="m", offset=64, size=None),
    in_place=False,
    ir=8,
    opsets={"": 13},
    data="d",
    data_sets=(
        DataSet(inputs=({"optional": None},), outputs=None),
        DataSet(inputs=(), outputs=({"tensor": "float", "shape": [2], "at": [0, 8]},)),
    ),
    rtol=1e-3,
    atol=1e-7,
)
PIPELINE_CASE = PipelineCase(
    pipeline="ppocr",
    models={"detect": "m"},
    ir=8,
    opsets={"": 13},
    texts={"characters": "t"},
    data="d",
    input={"tensor": "uint8", "shape": [1], "at": [0, 1]},
    golden={"y": {"tensor": "float", "shape": [], "at": [64, 4]}},
    meaning={"lines": ["a"]},
    tolerance={"rtol": 0.1, "atol": 0.0},
    tolerance_on={"CUDA": {"rtol": 0.2, "atol": 0.0}},
)


class Message(Protocol):
    """What can be written as JSON."""

    def to_json(self) -> dict[str, Any]:
        """Return what JSON can write."""


def sent(message: Message) -> Any:
    """Return what the peer gets: through text that is JSON by the standard, on a single line."""
    line = json.dumps(message.to_json(), allow_nan=False)
    assert "\n" not in line
    return json.loads(line)


@exhaustively
@given(EVIDENCE)
def test_evidence_comes_back(evidence: Evidence) -> None:
    """Whatever was seen is read as it was written."""
    data = sent(evidence)

    read = Evidence.from_json(data)

    assert read == evidence


@exhaustively
@given(REPLIES)
def test_a_reply_comes_back(reply: Reply) -> None:
    """A reply is read as it was written, its outcome one of ours."""
    data = sent(reply)

    read = Reply.from_json(data)

    assert read == reply
    assert isinstance(read.outcome, Outcome)


@exhaustively
@given(REQUESTS)
def test_a_request_comes_back(request: Request) -> None:
    """A request is read as it was written, its device one of ours."""
    data = sent(request)

    read = Request.from_json(data)

    assert read == request
    assert isinstance(read.device, DeviceRequest)


@pytest.mark.parametrize("record", [HELLO, MODEL_CASE, PIPELINE_CASE, MODEL_CASE.model])
def test_a_record_comes_back(record: Hello | ModelCase | PipelineCase | Blob) -> None:
    """Hellos and the descriptions of cases are read as they were written."""
    data = sent(record)

    read = type(record).from_json(data)

    assert read == record


def test_empty_evidence_is_an_empty_object() -> None:
    """What does not apply is not sent; an exit status of 0 applies."""
    empty, exited = Evidence(), Evidence(exit_status=0)

    data = sent(empty), sent(exited)

    assert data == ({}, {"exit_status": 0})
    assert Evidence.from_json({}) == empty


def test_numbers_that_json_lacks_travel_as_their_names() -> None:
    """NaN and infinities in an answer reach a reader in any language, at any depth."""
    answer = {"a": math.nan, "b": [1.5, -math.inf, {"c": (math.inf,)}]}

    data = sent(Reply(number=1, outcome=Outcome.PASS, evidence=Evidence(answer=answer)))

    assert data["evidence"]["answer"] == {"a": "nan", "b": [1.5, "-inf", {"c": ["inf"]}]}


def test_a_mismatch_may_be_sent_without_its_empty_figures() -> None:
    """A peer in another language need not send what does not apply."""
    data = {"mismatches": [{"output": "y", "text": "wrong"}]}

    read = Evidence.from_json(data)

    assert read.mismatches == (Mismatch(output="y", text="wrong"),)


@pytest.mark.parametrize(
    "message",
    [
        HELLO,
        Request(procedure="p", device=DeviceRequest.CPU),
        Reply(number=1, outcome=Outcome.PASS),
        Evidence(text="t"),
    ],
)
def test_an_unknown_key_is_refused_by_name(message: Hello | Request | Reply | Evidence) -> None:
    """A newer peer's key is not dropped silently: whoever adds one raises PROTOCOL."""
    data = {**sent(message), "added_later": 1}

    with pytest.raises(TypeError) as error:
        type(message).from_json(data)

    assert "added_later" in str(error.value)


@pytest.mark.parametrize("broken", [{"outcome": "GOOD"}, {"evidence": None}, {"number": ...}])
def test_a_malformed_reply_raises_what_the_supervisor_catches(broken: dict[str, Any]) -> None:
    """A value that is none of ours or a key that is missing is an ordinary error."""
    data = {"number": 1, "outcome": "PASS", "evidence": {}} | broken
    data = {key: value for key, value in data.items() if value is not ...}

    with pytest.raises((KeyError, TypeError, ValueError, AttributeError)) as error:
        Reply.from_json(data)

    assert str(error.value)
