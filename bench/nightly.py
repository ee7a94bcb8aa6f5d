"""How long a store of 90 nights takes to be asked, and whether all that is planted in it is found.

1.8 million results: 90 nights of 8 cells of 2,500 cases, with regressions, flakes, outages, other
releases and a renamed suite. Every night is compared with the one before it, and every case's
history is judged; whatever is not planted and is reported, and whatever is planted and is not,
ends the script with 1. The times are those of the commands as a person starts them.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from fixtures.nights import Nights  # noqa: E402
from harness.store.archive import Archive  # noqa: E402
from harness.store.run import Run, read_run  # noqa: E402
from harness.triage.compare import Transition, compare  # noqa: E402
from harness.triage.history import Course, histories  # noqa: E402
from harness.triage.lookback import flaky_among  # noqa: E402

ROUNDS = 3
BOUNDS_S = {"compare": 3.0, "history": 1.0, "report --html": 60.0}
BOUND_MIB = 1536
BOUND_PAGE = 1_000_000
"""Bytes of what a page of the site loads before it can be seen."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One command as it was run: how long it took and how much memory it held at most."""

    seconds: float
    cpu_s: float
    """Of that, how long it computed: what it takes where nothing else runs."""
    mib: float

    def __str__(self) -> str:
        return f"{self.seconds:.2f} s ({self.cpu_s:.2f} s of CPU time), {self.mib:.0f} MiB"


def main() -> int:
    """Print the figures and return 1 where anything was found wrongly or took too long."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nights", type=int, default=90)
    parser.add_argument("--cases", type=int, default=2500)
    parser.add_argument("--keep", type=Path, help="leave the store there, or ask the one there")
    arguments = parser.parse_args()
    plan = Nights(nights=arguments.nights, cases=arguments.cases)
    with tempfile.TemporaryDirectory() as folder:
        runs = arguments.keep or Path(folder)
        began = time.perf_counter()
        if not any(runs.glob("*/*.jsonl")):
            plan.write(runs)
        size = sum(path.stat().st_size for path in runs.rglob("*.jsonl")) / 2**20
        site = Path(folder) / "site"
        print(f"{plan.nights * plan.cells * plan.cases:,} results, {size:,.0f} MiB of JSON lines")
        print(f"written in {time.perf_counter() - began:.1f} s")
        wrong = measure(runs, site)
        wrong += heavy_pages(site)
        wrong += check(plan, runs)
    print(*wrong or ["all that was planted was found, and nothing else"], sep="\n")
    return int(bool(wrong))


def measure(runs: Path, site: Path) -> list[str]:
    """Print what each command takes, and return which of them takes too much."""
    first = command("runs", runs)
    print(f"runs, the first time (every table is made): {first}")
    asked = {
        "runs": ("runs",),
        "compare": ("compare",),
        "history": ("history", "leaks/group/test_0012"),
        "report --html": ("report", "--html", site),
    }
    wrong = []
    for name, words in asked.items():
        took = sorted((command(*words, runs) for _ in range(ROUNDS)), key=lambda one: one.seconds)
        median = took[ROUNDS // 2]
        print(f"{name}: {median}")
        if median.seconds > BOUNDS_S.get(name, median.seconds) or median.mib > BOUND_MIB:
            wrong.append(f"{name} takes too much: {median}")
    return wrong


def command(*words: str | Path) -> Measured:
    """Return what a command took; the last word is the folder of runs."""
    *said, runs = map(str, words)
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", *said, "--runs", runs],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, said
    return Measured(
        seconds=time.perf_counter() - began,
        cpu_s=usage.ru_utime + usage.ru_stime,
        mib=usage.ru_maxrss / 1024,
    )


def heavy_pages(site: Path) -> list[str]:
    """Print what the site weighs, and return which page is too heavy at first sight."""
    static = sum(path.stat().st_size for path in (site / "static").iterdir())
    pages = {path: path.stat().st_size for path in site.rglob("*.html")}
    whole = sum(path.stat().st_size for path in site.rglob("*") if path.is_file())
    heaviest = max(pages, key=lambda path: pages[path])
    print(
        f"site: {len(pages):,} pages, {whole / 2**20:.0f} MiB; the heaviest is {heaviest.name}: "
        f"{(pages[heaviest] + static) / 1e3:.0f} kB before it can be seen"
    )
    return [f"{path}: too heavy" for path, size in pages.items() if size + static > BOUND_PAGE]


def check(plan: Nights, runs: Path) -> list[str]:
    """Return what was found wrongly in any night or any case's history."""
    wrong = []
    with Archive(runs) as archive:
        old: Run | None = None
        for night in range(plan.nights):
            new = read_run(runs, plan.run_id(night))
            if old is not None:
                wrong += night_faults(plan, night, old, new, archive)
            old = new
        return wrong + history_faults(plan, archive)


def night_faults(plan: Nights, night: int, old: Run, new: Run, archive: Archive) -> list[str]:
    """Return where the comparison with the night before says other things than the plan."""
    comparison = compare(old, new)
    comparison = compare(old, new, flaky=flaky_among(comparison, new, archive))
    quiet = (Transition.PERSISTING, Transition.UNCHANGED)
    found = Counter(
        (str(group.transition), str(group.context), group.flaky, one.result.cell, one.result.case)
        for group in comparison.groups
        if group.transition not in quiet
        for one in group.changes
    )
    # What vanished is told under the cell that it was on.
    wanted = plan.expected(night)
    notes = {(str(note.kind), note.cell or note.suite) for note in comparison.notes}
    return [
        *(f"night {night}: not found: {one}" for one in (wanted - found)),
        *(f"night {night}: not planted: {one}" for one in (found - wanted)),
        *(f"night {night}: note {one}" for one in notes ^ plan.expected_notes(night)),
    ]


def history_faults(plan: Nights, archive: Archive) -> list[str]:
    """Return the cases whose history is judged otherwise than planned, all cases looked at."""
    wanted = {(track, case): course for _, track, case, course in plan.planted()}
    found = {}
    for suite, names in plan.names.items():
        cases = [f"{suite}/{name}" for name in names]
        for first in range(0, len(cases), 250):  # a million sightings at once would not be small
            for one in histories(archive.sightings(cases[first : first + 250])):
                if one.course is not Course.STEADY:
                    found[one.track, one.case] = str(one.course)
    return [
        f"history of {key}: {found.get(key, 'STEADY')}, planted {wanted.get(key, 'STEADY')}"
        for key in sorted(found.keys() | wanted.keys())
        if found.get(key) != wanted.get(key)
    ]


if __name__ == "__main__":
    sys.exit(main())
