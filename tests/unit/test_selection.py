"""A pattern selects cases as a shell would; a name that is none is told with its neighbours."""

from __future__ import annotations

import pytest

from harness.cases import Case
from harness.errors import NothingSelectedError
from harness.selection import select, the_case
from harness.wire.catalogue.procedures import NOTHING

NAMES = (
    "onnx/node/test_abs",
    "onnx/node/test_acos",
    "onnx/simple/test_abs",
    "models/ABS",
    "my/[1]",
)
CASES = [Case(id=name, procedure=NOTHING, arguments={}) for name in NAMES]


@pytest.mark.parametrize(
    ("patterns", "chosen"),
    [
        ([], NAMES),
        (["onnx/node/test_abs"], NAMES[:1]),
        (["onnx/node/*"], NAMES[:2]),
        (["*/test_abs"], (NAMES[0], NAMES[2])),
        (["onnx/*"], NAMES[:3]),
        (["onnx/*/test_a?s"], (NAMES[0], NAMES[2])),
        (["*/test_[!c]cos"], NAMES[1:2]),
        (["my/[[]1]"], NAMES[4:]),
        (["*abs"], (NAMES[0], NAMES[2])),
        (["models/*", "*/test_acos", "models/ABS"], (NAMES[1], NAMES[3])),
        (["test_abs"], ()),
        ([""], ()),
    ],
)
def test_patterns_select_cases(patterns: list[str], chosen: tuple[str, ...]) -> None:
    """Any pattern that matches a whole id, in its letter case, selects it; once, in order."""
    before = list(CASES)

    found = select(CASES, patterns)

    assert tuple(case.id for case in found) == chosen
    assert before == CASES


def test_a_name_in_full_finds_its_case() -> None:
    """A name is no pattern: one with brackets is found as it stands."""
    names = list(NAMES)

    found = [the_case(CASES, name) for name in names]

    assert found == CASES


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("onnx/node/test_abss", "Did you mean onnx/node/test_abs, "),
        ("onnx/node/*", "no case is called 'onnx/node/*'."),
        ("wholly else", "no case is called 'wholly else'. A run's folder lists its cases."),
    ],
)
def test_a_name_of_no_case_is_told(name: str, said: str) -> None:
    """Who mistypes a name learns those that come nearest, or where all of them stand."""
    cases = list(CASES)

    with pytest.raises(NothingSelectedError) as error:
        the_case(cases, name)

    assert said in str(error.value)
    assert str(error.value).startswith(f"no case is called '{name}'.")
