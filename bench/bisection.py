"""How many of all releases a bisection asks, and how long it takes, for each known fault.

Each control is bisected over every release that the index serves: once with the environments that
there are, which makes those that it needs, and once more, measured. Ends with 1 where a change is
found elsewhere than it is known to be, or a bar is missed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]

BOUND_S = 60.0
MOST_ASKED = 8
"""Releases asked where a behaviour changes once; both sides of the change are asked twice."""

CONTROLS = {
    "regressions/average_pool_counts_padding": ("BROKE 1.21.0", "MENDED 1.25.0"),
    "malformed/operators/Div/int32-by-0-folded": ("MENDED 1.25.0",),
    "malformed/operators/Mod/int32-by-0-folded": ("MENDED 1.25.0",),
    "malformed/operators/Div/int32-least-by-minus-1": (),
    "malformed/operators/MaxPool/stride-0-folded": ("MENDED 1.28.0",),
    "malformed/operators/Conv/stride-0-folded": ("MENDED 1.28.0",),
    "leaks/inputs-strings": ("MENDED 1.21.0",),
    # Between 1.20.2 and 1.23.0 the process dies without a GPU: see FINDINGS.md, Fallback 5.
    "fallback/own/silent": ("MENDED 1.23.0", "BROKE 1.28.0"),
}
"""By case: every change from the oldest release to the newest."""

VARIANTS = {"fallback/own/silent": "cuda"}


def main() -> int:
    """Print a line per control and return 1 where one is wrong or too slow."""
    wrong = []
    for case, wanted in CONTROLS.items():
        variant = VARIANTS.get(case, "cpu")
        bisected(case, variant)
        began = time.perf_counter()
        found = bisected(case, variant)
        seconds = time.perf_counter() - began
        changes = tuple(f"{one['turn']} {one['after']}" for one in found["changes"])
        asked, releases = found["asked"], found["releases"]
        print(
            f"{case} on {variant}: {', '.join(changes) or 'no change'}; "
            f"asked {asked} of {releases} releases (1/{releases / asked:.1f}) in {seconds:.1f} s",
            flush=True,
        )
        if changes != wanted:
            wrong.append(f"{case}: {changes}, known is {wanted}")
        if seconds > BOUND_S:
            wrong.append(f"{case}: took {seconds:.1f} s, bar {BOUND_S:g} s")
        if len(wanted) == 1 and asked > MOST_ASKED:
            wrong.append(f"{case}: asked {asked} releases, bar {MOST_ASKED}")
    print(*wrong or ["every change is where it is known to be, within the bars"], sep="\n")
    return int(bool(wrong))


def bisected(case: str, variant: str) -> dict[str, Any]:
    """Return what the command prints as JSON."""
    command = [sys.executable, "-m", "harness", "bisect", case, "--variant", variant, "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if not done.stdout:
        raise SystemExit(f"{case}: {done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    sys.exit(main())
