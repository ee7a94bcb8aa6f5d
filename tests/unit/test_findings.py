"""The programs of FINDINGS.md say what they need and do, and a fault that is gone is noticed."""

from __future__ import annotations

import pytest

from harness.environments.scripts import Ended
from tests.proof.findings import findings

PAGE = """## A1

```python
# cpu, MALLOC_PERTURB_=165
print([1, 2.5])
# [1, 2…]; right: [1, 3]
```

## A2

```python
# onnxruntime==1.24.4, AVX-512
die(sys.argv[1])
# ends with SIGFPE, SIGABRT or SIGSEGV
```
"""


def test_a_finding_says_what_it_needs() -> None:
    """The build is the pinned one or that which is named; a program runs once for each ending."""
    first, second = findings(PAGE)

    assert first.requirements == ("onnxruntime==1.32.0", "onnx==1.23.2")
    assert (first.perturbed, first.wide) == (True, False)
    assert (second.perturbed, second.wide) == (False, True)
    assert second.requirements[0] == "onnxruntime==1.24.4"
    assert len(second.signals) == 2


def test_a_finding_may_need_a_processor_without_something() -> None:
    """What must be lacking is told from what must be there."""
    page = PAGE.replace("AVX-512", "no AVX-512")

    _, second = findings(page)

    assert (second.wide, second.narrow) == (False, True)


@pytest.mark.parametrize(
    ("code", "output", "shows"),
    [(0, "[1,  2.5]\n", True), (0, "[1, 3]\n", False), (0, "", False)],
)
def test_another_answer_is_noticed(code: int, output: str, *, shows: bool) -> None:
    """What is printed must be what stands in the comment, an ellipsis aside."""
    finding, _ = findings(PAGE)

    unseen = finding.unseen(Ended(code=code, output=output), 0)

    assert (unseen == []) is shows


@pytest.mark.parametrize(
    ("argument", "code", "shows"), [(0, -8, True), (0, -11, False), (1, -11, True), (1, 0, False)]
)
def test_another_ending_is_noticed(argument: int, code: int, *, shows: bool) -> None:
    """A program must end by a signal that its comment names for the argument."""
    _, finding = findings(PAGE)

    unseen = finding.unseen(Ended(code=code, output=""), argument)

    assert (unseen == []) is shows


@pytest.mark.parametrize("first", ["# gpu", "import numpy"])
def test_a_program_that_names_no_build_is_refused(first: str) -> None:
    """The message names the finding."""
    page = f"## A1\n\n```python\n{first}\nprint(1)\n# 1\n```\n"

    with pytest.raises(ValueError, match=r"A1: .* names no build"):
        list(findings(page))
