"""Two sights of one cause have one signature, two causes have two."""

from __future__ import annotations

import pytest

from harness.signatures import LONGEST, Signature, normalised, signature
from harness.wire.outcomes import Outcome
from tests.unit.made_runs import a_result

FUNCTION = "virtual onnxruntime::common::Status onnxruntime::RNN<T>::RNN"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Y: 3 of 12 differ, worst at [0, 2]: want 1.5, got -2e-07", None),
        ("no kernel for Cast(21) node with name 'node_7'", None),
        ("at 0x7f00deadbeef in arena 3", "at 0x12 in arena 44"),
        (
            f"a/rnn.h:44 {FUNCTION}(const onnxruntime::OpKernelInfo&) [with T = float] no",
            f"/b/rnn.h:48 {FUNCTION}(const onnxruntime::OpKernelInfo&, int (*)(int)) const no",
        ),
        (
            'In Node, ("a", Loop) : ("x": tensor(float),"s": seq(tensor(float)),) bad',
            'In Node, ("bc", Loop) : ("": tensor(int64),) bad',
        ),
        (
            "src/cpp/request.cpp:75: it couldn't start 'a'",
            "src/request.cpp:9: it couldn't start 'b'",
        ),
        ("got shape [1, 2]", "got shape [3, 4, 5]"),
    ],
)
def test_what_differs_from_sight_to_sight_is_taken_away(one: str, other: str | None) -> None:
    """Numbers, addresses, places in the sources and quoted names do not make another cause."""
    other = other or one.translate(str.maketrans("0123456789", "8976054321")).replace("7", "70")

    same = normalised(one) == normalised(other)

    assert same, (normalised(one), normalised(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("no kernel for Cast(21)", "no kernel for Mul(21)"),
        ("want 0, got 3", "want 0, got nan"),
        ("type tensor(float16)", "type tensor(float8e4m3fn)"),
        ("int64", "int32"),
    ],
)
def test_what_tells_causes_apart_stays(one: str, other: str) -> None:
    """An operator, a type and a not-a-number are no figures."""
    same = normalised(one) == normalised(other)

    assert not same


def test_a_line_that_announces_the_next_is_read_with_it() -> None:
    """Where the first line only says where, the cause stands in the second."""
    results = [
        a_result("onnx/a", Outcome.ERROR, text=f"Exception from core.cpp:12:\n{cause}\nstack")
        for cause in ("no such layer", "out of memory")
    ]

    one, other = map(signature, results)

    assert one.line == "Exception from core.cpp: no such layer"
    assert one != other


def test_a_signature_has_outcome_code_and_line() -> None:
    """The same words with another status code are another cause; all passes are one."""
    failed = a_result("onnx/a", Outcome.ERROR, text="refused 7", status="INVALID_GRAPH")
    passed = a_result("onnx/a", text="some remark")

    of_failed, of_passed = signature(failed), signature(passed)

    assert of_failed == Signature(outcome=Outcome.ERROR, code="INVALID_GRAPH", line="refused N")
    assert str(of_failed) == "ERROR INVALID_GRAPH refused N"
    assert of_passed == Signature(outcome=Outcome.PASS)


def test_a_long_line_is_cut() -> None:
    """ONNX Runtime's lines of thousands of characters do not fill a screen."""
    cut = normalised("word " * 1000)

    assert len(cut) == LONGEST
    assert cut.endswith("…")
