"""What came out is compared as tightly as asked, and the figures of a mismatch are right."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from harness.wire.values import ElementType
from harness.worker.comparison import BFLOAT16_RTOL, compare
from harness.worker.tensors import PackedTensor

if TYPE_CHECKING:
    from harness.wire.messages import Mismatch

exhaustively = settings(derandomize=True, deadline=None, max_examples=200)


def differs(got: Any, want: Any, *, rtol: float = 0.0, atol: float = 0.0) -> Mismatch | None:
    """Return how two values differ; exactly, unless told otherwise."""
    return compare("y", got, want, rtol=rtol, atol=atol)


def mismatch(got: Any, want: Any, *, rtol: float = 0.0, atol: float = 0.0) -> Mismatch:
    """Return how two values differ, which they must."""
    found = differs(got, want, rtol=rtol, atol=atol)
    assert found is not None
    return found


def f32(*values: float) -> Any:
    """Return a float32 vector."""
    return np.array(values, np.float32)


def bfloat16(*values: float) -> PackedTensor:
    """Return a bfloat16 vector."""
    array = np.array(values).astype(ml_dtypes.bfloat16)
    return PackedTensor(
        element_type=ElementType.BFLOAT16, shape=array.shape, data=bytes(array.view(np.uint8))
    )


@pytest.mark.parametrize("of", [np.float16, np.float32, np.float64, np.complex64, np.complex128])
def test_the_tolerance_is_atol_plus_rtol_times_want(of: Any) -> None:
    """On the edge of the tolerance is within, a little beyond is not."""
    want = np.array([4, -4], of)
    within, beyond = np.array([4.75, -4.75], of), np.array([4.75, -4.752], of)

    found = (
        differs(within, want, rtol=0.125, atol=0.25),
        differs(beyond, want, rtol=0.125, atol=0.25),
    )

    assert found[0] is None
    assert found[1] is not None
    assert found[1].at == (1,)


def test_rtol_goes_with_want_and_not_with_got() -> None:
    """An answer that is far too large does not widen its own tolerance."""
    want, got = f32(1), f32(10)

    found = differs(got, want, rtol=0.9), differs(want, got, rtol=0.9)

    assert found[0] is not None
    assert found[1] is None


def test_nan_equals_nan_only() -> None:
    """NaN in the right place passes, in a wrong place no tolerance would do."""
    nan = math.nan

    right = differs(f32(nan, 1), f32(nan, 1))
    wrong = [mismatch(f32(nan), f32(1), atol=1e9), mismatch(f32(1), f32(nan), atol=1e9)]

    assert right is None
    for found in wrong:
        assert (found.largest_error, found.rtol_needed, found.atol_needed) == (None, None, None)


@pytest.mark.parametrize(("got", "want"), [(-math.inf, math.inf), (1, math.inf), (math.inf, 1)])
def test_an_infinity_equals_itself_only(got: float, want: float) -> None:
    """An infinity of the wrong sign, or one too many or few, is wrong at any tolerance."""
    right = differs(f32(want), f32(want))

    wrong = mismatch(f32(got), f32(want), rtol=1e30, atol=1e30)

    assert right is None
    assert (wrong.largest_error, wrong.rtol_needed, wrong.atol_needed) == (None, None, None)


def test_a_tolerance_beyond_all_numbers_lets_no_infinity_pass() -> None:
    """Where rtol·|want| overflows, an infinity is still not a number."""
    want, got = np.array([1e308]), np.array([math.inf])

    found = differs(got, want, rtol=1e3)

    assert found is not None


def test_an_infinity_outranks_any_finite_error() -> None:
    """The worst element is the one that no tolerance mends, and the text counts all."""
    want, got = f32(0, 0, 1, 0), f32(9e30, 0, math.inf, 1)

    found = mismatch(got, want)

    assert found.at == (2,)
    assert found.text.startswith("3 of 4 differ")
    assert found.text.endswith("worst at [2]: want 1, got inf")


def test_the_largest_error_and_its_place_are_told() -> None:
    """The figures are those of the worst element, its place one index per axis."""
    want = np.zeros((2, 3), np.float32)
    got = np.array([[0, 0.5, 0], [0.25, 0, -2]], np.float32)

    found = mismatch(got, want, atol=0.25)

    assert found.output == "y"
    assert found.at == (1, 2)
    assert found.largest_error == 2
    assert found.atol_needed == 2
    assert found.rtol_needed is None
    assert found.text == (
        "2 of 6 differ by more than 0.25 + 0·|want|, worst at [1, 2]: want 0, got -2"
    )


def test_a_scalar_differs_at_no_index() -> None:
    """A tensor without axes is compared like any other."""
    found = mismatch(np.array(3, np.int64), np.array(5, np.int64))

    assert found.at == ()
    assert found.largest_error == 2


def test_empty_tensors_agree() -> None:
    """There is nothing to differ in."""
    want = np.empty((0, 2), np.float32)

    found = differs(want.copy(), want)

    assert found is None


@pytest.mark.parametrize(
    ("got", "want", "text"),
    [
        (np.zeros((2, 1)), np.zeros((1, 2)), "want shape [1, 2], got [2, 1]"),
        (np.zeros(()), np.zeros(1), "want shape [1], got []"),
        (np.zeros(2, np.float64), f32(0, 0), "want tensor(float32), got tensor(float64)"),
        (np.zeros(1, np.int32), np.zeros(1, np.int64), "want tensor(int64), got tensor(int32)"),
        (f32(1), bfloat16(1), "want tensor(bfloat16), got tensor(float32)"),
        (f32(1), np.array(["a"], object), "want tensor(string), got tensor(float32)"),
        (f32(1), None, "want nothing, got tensor(float32)"),
        (None, f32(1), "want tensor(float32), got nothing"),
        (None, [f32(1)], "want a sequence of 1, got nothing"),
        (f32(1), [f32(1)], "want a sequence of 1, got tensor(float32)"),
        ([f32(1)], f32(1), "want tensor(float32), got a sequence"),
        ([], [f32(1)], "want a sequence of 1, got a sequence of 0"),
    ],
)
def test_shapes_and_types_must_be_equal(got: Any, want: Any, text: str) -> None:
    """Equal numbers of another shape or type are a mismatch that says both."""
    given = got

    found = mismatch(given, want, atol=1e9)

    assert found.text == text


@pytest.mark.parametrize("kind", [object, np.str_])
def test_strings_are_compared_exactly(kind: Any) -> None:
    """The first string that differs is shown with what it should be."""
    want, got = np.array(["a", "ü", "c"], object), np.array(["a", "u", "d"], kind)

    found = mismatch(got, want, rtol=9, atol=9)

    assert differs(want.copy(), want) is None
    assert found.at == (1,)
    assert found.text.startswith("2 of 3 differ, first at [1]: want 'ü', got ")


def test_booleans_are_compared_exactly() -> None:
    """No tolerance makes false true."""
    want, got = np.array([True, False]), np.array([True, True])

    found = mismatch(got, want, rtol=9, atol=9)

    assert differs(want.copy(), want) is None
    assert found.at == (1,)


@pytest.mark.parametrize("of", [np.int8, np.uint8, np.int32, np.int64, np.uint64])
def test_integers_differ_by_their_exact_distance(of: Any) -> None:
    """The ends of an integer type lie as far apart as they do, without overflow."""
    limits = np.iinfo(of)
    want, got = np.array([limits.min], of), np.array([limits.max], of)

    found = mismatch(got, want, atol=1)

    assert found.largest_error == float(int(limits.max) - int(limits.min))


@pytest.mark.parametrize("of", [np.int64, np.uint64])
def test_neighbouring_large_integers_differ(of: Any) -> None:
    """Beyond 2^53, where float64 holds not every integer, one off is still one off."""
    want, got = np.array([2**53, 2**62], of), np.array([2**53 + 1, 2**62], of)

    found = mismatch(got, want)

    assert (found.at, found.largest_error) == ((0,), 1)
    assert differs(got, want, atol=1) is None


def test_bfloat16_is_compared_to_two_last_places_at_least() -> None:
    """The tolerance of a bfloat16 is widened to what onnx.backend.test.runner allows, not more."""
    within, beyond = bfloat16(1 + BFLOAT16_RTOL), bfloat16(1 + 1.5 * BFLOAT16_RTOL)

    found = [differs(got, bfloat16(1), rtol=1e-3) for got in (within, beyond)]

    assert found[0] is None
    assert found[1] is not None
    assert found[1].rtol_needed == 1.5 * BFLOAT16_RTOL


def test_other_packed_types_are_compared_by_their_numbers() -> None:
    """Two int4 tensors are compared as numbers, not as bytes."""
    want = PackedTensor(element_type=ElementType.INT4, shape=(3,), data=b"\x21\x07")
    got = PackedTensor(element_type=ElementType.INT4, shape=(3,), data=b"\x21\xf8")

    found = mismatch(got, want)

    assert (found.at, found.largest_error) == ((2,), 15)


def test_the_element_of_a_sequence_is_named() -> None:
    """The first element that differs is told by its path."""
    want = [f32(1), [f32(2), None]]

    found = mismatch([f32(1), [f32(3), None]], want)

    assert differs([f32(1), [f32(2), None]], want) is None
    assert found.text.startswith("element 1: element 0: 1 of 1 differ")
    assert found.largest_error == 1


def test_a_map_is_compared_key_by_key() -> None:
    """The order of keys does not matter, nor that ORT hands out Python's numbers for numpy's."""
    want = {10: np.float32(0.1), 20: np.float32(0.75)}
    got = {20: 0.75, 10: float(np.float32(0.1))}

    found = mismatch({**got, 20: 0.5}, want)

    assert differs(got, want) is None
    assert found.text.startswith("key 20: 1 of 1 differ")
    assert found.largest_error == 0.25


@pytest.mark.parametrize(
    ("got", "want"),
    [
        ({"a": "x"}, {"a": "x"}),
        ({1: 7}, {1: np.int64(7)}),
        ({1: f32(1)}, {1: f32(1)}),
        ([{1: 0.5}], [{1: np.float64(0.5)}]),
        ({}, {}),
    ],
)
def test_maps_of_any_value_agree(got: Any, want: Any) -> None:
    """Strings, integers and tensors in a map equal themselves."""
    given = got

    found = differs(given, want)

    assert found is None


@pytest.mark.parametrize(
    ("got", "text"),
    [
        ({"b": 1.0}, "want a map with keys ['a'], got {'b': 1.0}"),
        ({}, "want a map with keys ['a'], got {}"),
        ([1.0], "want a map with keys ['a'], got [1.0]"),
        ({"a": "1"}, "key 'a': want tensor(float64), got tensor(string)"),
        ({"a": 1}, "key 'a': want tensor(float64), got tensor(int64)"),
    ],
)
def test_a_map_must_have_the_keys_and_kinds(got: Any, text: str) -> None:
    """Another key, no map at all or a value of another kind is a mismatch that says both."""
    given = got

    found = mismatch(given, {"a": 1.0})

    assert found.text == text


ORDINARY = st.integers(-8000, 8000).map(lambda n: n / 8)
TOLERANCE = st.sampled_from([0.0, 2.0**-10, 2.0**-5, 0.01, 1.0])


@exhaustively
@given(
    pairs=st.lists(st.tuples(ORDINARY, ORDINARY), min_size=1, max_size=6),
    rtol=TOLERANCE,
    atol=TOLERANCE,
)
def test_the_tolerances_needed_are_the_smallest(
    pairs: list[tuple[float, float]], rtol: float, atol: float
) -> None:
    """With a tolerance as told the comparison passes; with a billionth less it does not."""
    got, want = (np.array(column) for column in zip(*pairs, strict=True))
    found = differs(got, want, rtol=rtol, atol=atol)
    assume(found is not None)
    assert found is not None

    needed_rtol, needed_atol = found.rtol_needed, found.atol_needed

    assert needed_atol is not None
    assert differs(got, want, rtol=rtol, atol=needed_atol) is None
    assert differs(got, want, rtol=rtol, atol=needed_atol * (1 - 1e-9)) is not None
    if needed_rtol is None:
        assert differs(got, want, rtol=1e300, atol=atol) is not None
    else:
        assert differs(got, want, rtol=needed_rtol, atol=atol) is None
        assert differs(got, want, rtol=needed_rtol * (1 - 1e-9), atol=atol) is not None


@exhaustively
@given(st.data(), st.sampled_from([np.float16, np.float32, np.float64, np.int64, np.complex64]))
def test_any_two_arrays_give_figures_that_hold_and_are_json(data: st.DataObject, of: Any) -> None:
    """Of all numbers, extreme ones too: a figure told is one that passes, and JSON can write it."""
    elements = npst.from_dtype(np.dtype(of))
    got, want = (data.draw(npst.arrays(of, 3, elements=elements)) for _ in range(2))
    rtol, atol = data.draw(TOLERANCE), data.draw(TOLERANCE)

    found = differs(got, want, rtol=rtol, atol=atol)

    if found is None:
        return
    json.dumps(vars(found), allow_nan=False)
    if found.rtol_needed is not None:
        assert differs(got, want, rtol=found.rtol_needed, atol=atol) is None
    if found.atol_needed is not None:
        assert differs(got, want, rtol=rtol, atol=found.atol_needed) is None


@exhaustively
@given(npst.arrays(np.float32, 4), npst.arrays(np.float32, 4))
def test_what_passes_is_what_the_formula_says(got: Any, want: Any) -> None:
    """On float32 of any kind the verdict is that of numpy's assert_allclose."""
    try:
        np.testing.assert_allclose(
            got.astype(np.float64), want.astype(np.float64), rtol=0.01, atol=0.5
        )
    except AssertionError:
        close = False
    else:
        close = True

    found = differs(got, want, rtol=0.01, atol=0.5)

    assert (found is None) is close
