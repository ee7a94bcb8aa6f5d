"""What is known beforehand is read strictly, matched by name before pattern, and never stale."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.baseline import BASELINES, Baseline, Expectation, baselines_of
from harness.errors import ConfigurationError
from harness.results import CellRecord, CellState
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    Read = Callable[..., Baseline]

REPOSITORY = Path(__file__).parents[2]
GOOD = """
[[expect]]
outcome = "FAIL"
reason = "rounds the wrong way"
link = "https://example.org/1"
releases = ">=1.21,<1.25"
cases = ["onnx/node/test_a", "onnx/node/test_b_*"]

[[expect]]
outcome = ["PASS", "CRASH"]
reason = "depends on the processor"
cases = ["onnx/node/test_c"]
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the baseline stands that `read` writes."""
    return tmp_path / "cpu.toml"


@pytest.fixture
def read(path: Path) -> Read:
    """Read a text as a baseline file for a release."""

    def read_text(text: str, release: str = "1.24.1") -> Baseline:
        path.write_text(text, encoding="utf-8")
        return Baseline.read(path, release)

    return read_text


def entry(*cases: str, outcome: str = "FAIL", more: str = "") -> str:
    """Return one entry of a baseline file."""
    return f'[[expect]]\noutcome = "{outcome}"\nreason = "r"\n{more}\ncases = {list(cases)}\n'


def the_error(read: Read, text: str) -> str:
    """Return what is said of a text that is refused."""
    with pytest.raises(ConfigurationError) as error:
        read(text)
    return str(error.value)


def test_every_key_reaches_its_expectation(read: Read, path: Path) -> None:
    """What an entry says stands in the expectation of each of its cases, with its place."""
    baseline = read(GOOD)

    known, undecided = baseline.of("onnx/node/test_a"), baseline.of("onnx/node/test_c")

    assert known == Expectation(
        pattern="onnx/node/test_a",
        outcomes=(Outcome.FAIL,),
        reason="rounds the wrong way",
        link="https://example.org/1",
        place=f"{path}: entry 1",
    )
    assert undecided is not None
    assert undecided.outcomes == (Outcome.PASS, Outcome.CRASH)
    assert (undecided.link, undecided.place) == ("", f"{path}: entry 2")


def test_a_missing_file_expects_only_passes(tmp_path: Path) -> None:
    """A variant of which nothing is known needs no file."""
    baseline = Baseline.read(tmp_path / "none.toml", "1.0.0")

    known = baseline.of("onnx/node/test_a")

    assert known is None
    assert baseline.expectations == ()


def test_an_empty_file_expects_only_passes(read: Read) -> None:
    """A file without an entry is a file."""
    baseline = read("# nothing is known yet\n")

    known = baseline.of("onnx/node/test_a")

    assert known is None


def test_a_name_in_full_goes_before_a_pattern(read: Read) -> None:
    """Wherever they stand, the name wins, and between two patterns the one that stands first."""
    patterns = entry("onnx/*/test_a*") + entry("onnx/node/*", outcome="CRASH")
    baseline = read(patterns + entry("onnx/node/test_abs", outcome="TIMEOUT"))

    found = [baseline.of(f"onnx/node/test_{name}") for name in ("abs", "acos", "cos")]

    assert [known and known.outcomes for known in found] == [
        (Outcome.TIMEOUT,),
        (Outcome.FAIL,),
        (Outcome.CRASH,),
    ]


@pytest.mark.parametrize(
    ("pattern", "case", "matches"),
    [
        ("onnx/node/test_b_*", "onnx/node/test_b_1", True),
        ("onnx/node/test_b_*", "onnx/node/test_b", False),
        ("onnx/node/test_b_*", "x/onnx/node/test_b_1", False),
        ("onnx/node/test_?", "onnx/node/test_a", True),
        ("onnx/node/test_?", "onnx/node/test_ab", False),
        ("onnx/node/test_[ab]", "onnx/node/test_b", True),
        ("onnx/node/test_[!ab]", "onnx/node/test_b", False),
        ("onnx/node/test_*", "onnx/node/TEST_a", False),
        ("onnx/node/test.a", "onnx/node/test_a", False),
        ("onnx/*", "onnx/node/two\nlines", True),
    ],
)
def test_a_pattern_matches_as_a_shell_would(
    read: Read, pattern: str, case: str, *, matches: bool
) -> None:
    """Wildcards match the whole id, letter case included; a dot is a dot."""
    baseline = read(entry(pattern))

    known = baseline.of(case)

    assert (known is not None) is matches


@pytest.mark.parametrize(
    ("releases", "release", "holds"),
    [
        (">=1.21,<1.25", "1.21.0", True),
        (">=1.21,<1.25", "1.24.4", True),
        (">=1.21,<1.25", "1.25.0", False),
        (">=1.21,<1.25", "1.20.1", False),
        (">=1.21,<1.25", "1.24.0rc1", True),
        ("==1.22.2.post3", "1.22.2.post3", True),
        ("<1.22.2.post2", "1.22.2.post3", False),
        ("!=1.30.0", "1.30.0", False),
    ],
)
def test_an_entry_holds_for_its_releases(
    read: Read, releases: str, release: str, *, holds: bool
) -> None:
    """Outside its range an entry says nothing; candidates and post-releases count too."""
    text = entry("onnx/a", more=f'releases = "{releases}"')

    known = read(text, release).of("onnx/a")

    assert (known is not None) is holds


def test_one_name_may_stand_in_entries_for_different_releases(read: Read) -> None:
    """What changed with a release is two entries, of which one holds."""
    old, new = 'releases = "<1.20"', 'releases = ">=1.20"'
    text = entry("onnx/a", more=old) + entry("onnx/a", outcome="CRASH", more=new)

    before, after = read(text, "1.19.2").of("onnx/a"), read(text, "1.20.0").of("onnx/a")

    assert before is not None
    assert after is not None
    assert (before.outcomes, after.outcomes) == ((Outcome.FAIL,), (Outcome.CRASH,))


def test_a_pattern_must_name_its_suite(read: Read) -> None:
    """What could match any suite could never be found stale, so it is refused."""
    text = entry("*/test_a")

    said = the_error(read, text)

    assert "'*/test_a' must begin with a suite, as in 'onnx/*'" in said


@pytest.mark.parametrize("name", ["onnx/a", "onnx/a*"])
def test_a_name_in_two_entries_is_refused(read: Read, path: Path, name: str) -> None:
    """Nobody has to guess which of two entries holds: both are named, counted alike."""
    text = entry("onnx/other") + entry(name) + entry(name, outcome="CRASH")

    said = the_error(read, text)

    assert said == f"{path}: entry 3: cases: '{name}' stands in {path}: entry 2 too"


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("reason =", "reasons =", "expect[0]: unknown key 'reasons'. Did you mean 'reason'?"),
        ("link =", "url =", "expect[0]: unknown key 'url'. Known: outcome, reason, releases, "),
        ("[[expect]]", "[[expected]]", "unknown key 'expected'. Did you mean 'expect'?"),
        ("[[expect]]", "[expect]", "is not TOML: "),
        ('"FAIL"', '"FIAL"', "expect[0].outcome: unknown 'FIAL'. Did you mean 'FAIL'?"),
        ('"FAIL"', '"odd"', "expect[0].outcome: unknown 'odd'. Known: PASS, FAIL, FALLBACK, "),
        ('"FAIL"', '""', "expect[0].outcome: is blank"),
        ('"FAIL"', "1", "expect[0].outcome: must be a string, not int 1"),
        ('"FAIL"', "[]", "expect[0].outcome: names nothing"),
        ('"FAIL"', '["FAIL", "FAIL"]', "expect[0].outcome: 'FAIL' stands there twice"),
        ('"FAIL"', '["PASS", "FIAL"]', "unknown 'FIAL'. Did you mean 'FAIL'?"),
        ('"FAIL"', '"PASS"', "expect[0].outcome: PASS needs no expectation"),
        ('"FAIL"', '["PASS"]', "expect[0].outcome: PASS needs no expectation"),
        ('"FAIL"', '"HARNESS_FAULT"', "expect[0].outcome: HARNESS_FAULT needs no expectation"),
        ('"FAIL"', '["FAIL", "HARNESS_FAULT"]', "outcome: HARNESS_FAULT needs no expectation"),
        ('outcome = "FAIL"', "", "expect[0]: key 'outcome' is missing"),
        ('reason = "rounds the wrong way"', "", "expect[0]: key 'reason' is missing"),
        ('"rounds the wrong way"', '" "', "expect[0].reason: is blank"),
        ('"https://example.org/1"', '""', "expect[0].link: is blank"),
        ('">=1.21,<1.25"', '"1.21 to 1.25"', "expect[0].releases: '1.21 to 1.25' is no range; "),
        ('">=1.21,<1.25"', '""', "expect[0].releases: is blank"),
        ('["onnx/node/test_c"]', "[]", "expect[1].cases: names no case"),
        ('cases = ["onnx/node/test_c"]', "", "expect[1].cases: names no case"),
        ('["onnx/node/test_c"]', '"onnx/node/test_c"', "expect[1].cases: must be a list of str"),
        ('["onnx/node/test_c"]', '["a", 3]', "expect[1].cases: must be a string, not int 3"),
        ('["onnx/node/test_c"]', '["a", "a"]', "expect[1].cases: 'a' stands there twice"),
    ],
)
def test_a_mistake_is_told_with_its_place(
    read: Read, path: Path, right: str, wrong: str, said: str
) -> None:
    """File, entry and key are named, and the nearest right word."""
    assert right in GOOD

    error = the_error(read, GOOD.replace(right, wrong, 1))

    assert error.startswith(f"{path}: ")
    assert said in error


def test_a_mistake_is_told_whatever_release_is_asked(read: Read) -> None:
    """An entry for other releases is read as strictly as one that holds."""
    text = entry("onnx/a", outcome="FIAL", more='releases = "<1.0"')

    error = the_error(read, text)

    assert "Did you mean 'FAIL'?" in error


def test_a_file_that_is_no_text_is_told(path: Path) -> None:
    """A binary file in place of a baseline is named."""
    path.write_bytes(b"\xff\xfe")

    with pytest.raises(ConfigurationError) as error:
        Baseline.read(path, "1.0.0")

    assert str(error.value).startswith(f"{path}: is not UTF-8")


@pytest.mark.parametrize(
    ("stale", "cases"),
    [
        ("onnx/gone", ["onnx/a"]),
        ("onnx/gone_*", ["onnx/a"]),
        ("onnx/gone", []),
    ],
)
def test_an_expectation_that_matches_no_case_is_refused(
    read: Read, path: Path, stale: str, cases: list[str]
) -> None:
    """What was renamed or mistyped is told with its place, and what to do."""
    baseline = read(entry(*cases, stale) if cases else entry(stale))

    with pytest.raises(ConfigurationError) as error:
        baseline.check("onnx", cases)

    assert str(error.value).startswith(f"{path}: entry 1: cases: '{stale}' matches no case of")
    assert str(error.value).endswith("delete it")


def test_a_pattern_of_which_nothing_is_left_is_refused(read: Read) -> None:
    """A pattern whose every case is named in full elsewhere has become empty words."""
    baseline = read(entry("onnx/a*") + entry("onnx/ab"))
    baseline.check("onnx", ["onnx/ab", "onnx/ac"])

    with pytest.raises(ConfigurationError) as error:
        baseline.check("onnx", ["onnx/ab"])

    assert "'onnx/a*' matches no case" in str(error.value)


def test_only_the_suite_that_is_read_is_checked(read: Read) -> None:
    """An entry of another suite is not stale because that suite is not run."""
    baseline = read(entry("onnx/a") + entry("models/gone") + entry("onnx2/gone"))

    baseline.check("onnx", ["onnx/a"])

    with pytest.raises(ConfigurationError, match=re.escape("'models/gone'")):
        baseline.check("models", ["models/a"])


def test_each_cell_has_the_baseline_of_its_variant_and_release(read: Read, path: Path) -> None:
    """Two releases of one variant read one file and get what holds for them."""
    read(GOOD)
    cells = [
        CellRecord(
            cell=f"{variant}-{release}",
            variant=variant,
            release=release,
            python="3.11",
            device="CPU",
            state=CellState.READY,
        )
        for variant, release in (("cpu", "1.24.1"), ("cpu", "1.25.0"), ("cuda", "1.24.1"))
    ]

    found = baselines_of(cells, path.parent)

    assert {cell: len(baseline.expectations) for cell, baseline in found.items()} == {
        "cpu-1.24.1": 3,
        "cpu-1.25.0": 1,
        "cuda-1.24.1": 0,
    }


@pytest.mark.parametrize(("variant", "release"), [("cpu", "1.32.0"), ("openvino", "1.24.1")])
def test_the_repositorys_own_baselines_are_whole(variant: str, release: str) -> None:
    """They are read without complaint, hold something, and nothing in them is left to do."""
    path = REPOSITORY / BASELINES / f"{variant}.toml"

    baseline = Baseline.read(path, release)

    assert baseline.expectations
    assert "TODO" not in path.read_text(encoding="utf-8").upper()
