"""The programs of FINDINGS.md: what each needs, and whether it still prints what stands below it.

A program's first line names its build: ``# cpu`` or ``# openvino`` (the pinned releases that the
head of FINDINGS.md states) or a requirement such as ``onnxruntime==1.24.4``. It may also name
``MALLOC_PERTURB_=165``, ``AVX-512`` or ``no AVX-512`` (what a processor must have or lack), and the
findings whose beginning it shares. Each further line that is only a comment, from its first column
on, is what the program does:

- ``# [1 1] [-1]; right: [1 2]``: a line that it prints or an error that it ends with; an ellipsis
  stands for anything;
- ``# ends with SIGFPE, SIGABRT or SIGSEGV``: how it ends when its argument is 0, 1 and so on;
- ``# does not end``.
"""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.environments.scripts import metadata

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.environments.scripts import Ended

PINNED = {"cpu": "onnxruntime==1.32.0", "openvino": "onnxruntime-openvino==1.24.1"}
PYTHON = "3.11"
PERTURBED = "MALLOC_PERTURB_"
WIDE = "AVX-512"
NARROW = f"no {WIDE}"

_HEADING_OR_PROGRAM = re.compile(
    r"^##+ (?P<heading>[^\n]+)$|^```python\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_BUILD = re.compile(r"onnxruntime(?:-\w+)?==[\d.]+")
_NUMPY = re.compile(r"numpy[<>=]+[\d.]+")
_BEGINNING_OF = re.compile(r"# the beginning of (.+)")
_BEGINS_AS = re.compile(r"the beginning is that of ([^;,]+)")
_ENDS = re.compile(r"ends with (SIG.+)")
NEVER = "does not end"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A program of FINDINGS.md."""

    name: str
    """The heading that it stands under; a second one is 'A1-2'."""
    requirements: tuple[str, ...]
    perturbed: bool
    """Whether memory that nobody sets must show as the same garbage every time."""
    wide: bool
    """Whether it shows only on processors with AVX-512."""
    narrow: bool
    """Whether it shows only on processors without AVX-512."""
    text: str
    wanted: tuple[str, ...]
    """What it prints or how it ends, line by line."""

    @property
    def ends(self) -> bool:
        """Whether it comes to an end at all."""
        return self.wanted != (NEVER,)

    @property
    def signals(self) -> tuple[tuple[int, ...], ...]:
        """The signals that may end it, for each argument from 0 on; none if it ends by itself."""
        found = _ENDS.fullmatch(self.wanted[-1])
        each = found[1].split(", ") if found else []
        return tuple(tuple(signal.Signals[name] for name in one.split(" or ")) for one in each)

    def script(self, argument: int) -> str:
        """Return the program with the metadata (PEP 723) that says what it needs."""
        head = metadata(PYTHON, self.requirements)
        return f'{head}import sys\n\nsys.argv[1:] = ["{argument}"]\n{self.text}'

    def unseen(self, ended: Ended, argument: int) -> list[str]:
        """Return what it should have done and did not."""
        missing, said, at = [], " ".join(ended.output.split()), 0
        for line in self.wanted:
            if _ENDS.fullmatch(line):
                if -ended.code not in self.signals[argument]:
                    missing.append(f"{line}; exit code {ended.code}")
                continue
            parts = [re.escape(part.strip()) for part in _what_shows(line).split("…")]
            found = re.compile(r".*?".join(parts)).search(said, at)
            at = found.end() if found else at
            missing += [] if found else [line]
        return missing


def findings(page: str) -> Iterator[Finding]:
    """Return the programs of FINDINGS.md.

    Raises:
        ValueError: a program does not say what it needs or what it does; the text names it.

    """
    heading, beginnings, seen = "", {}, dict[str, int]()
    for match in _HEADING_OR_PROGRAM.finditer(page):
        if match["heading"]:
            heading = match["heading"]
            continue
        first, _, rest = match["text"].partition("\n")
        if shared := _BEGINNING_OF.fullmatch(first):
            beginnings[shared[1]] = rest
            continue
        seen[heading] = seen.get(heading, 0) + 1
        name = heading if seen[heading] == 1 else f"{heading}-{seen[heading]}"
        begins = _BEGINS_AS.search(first)
        try:
            text = (beginnings[begins[1].strip()] if begins else "") + rest
            yield _finding(name, first, text)
        except (KeyError, ValueError) as error:
            raise ValueError(f"FINDINGS.md: {name}: {error}") from error


def _finding(name: str, first: str, text: str) -> Finding:
    named = _BUILD.search(first)
    build = named[0] if named else PINNED.get(first.removeprefix("# ").split(",")[0].split(";")[0])
    if build is None:
        raise ValueError(f"{first!r} names no build: want '# cpu', '# openvino' or a requirement")
    wanted = tuple(line[2:] for line in text.splitlines() if line.startswith("# "))
    if not wanted:
        raise ValueError("no comment says what it prints")
    return Finding(
        name=name,
        requirements=(build, "onnx==1.23.2", *_NUMPY.findall(first)),
        perturbed=PERTURBED in first,
        wide=WIDE in first and NARROW not in first,
        narrow=NARROW in first,
        text=text,
        wanted=wanted,
    )


def _what_shows(line: str) -> str:
    return " ".join(line.partition("; right")[0].split())
