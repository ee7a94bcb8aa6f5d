"""A function in a process of its own: what is left where it dies, hangs, or whoever asks does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil

from harness.corpus.aside import Aside

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE_S = 60
HANGS = """
import os
from harness.corpus.aside import Aside

def hang():
    print(os.getpid(), flush=True)
    while True:
        pass

if __name__ == "__main__":
    Aside(hang, 600).call()
"""


def test_the_next_call_is_answered_after_a_death() -> None:
    """What a call kills is started anew, and so is what somebody killed while it was idle."""
    with Aside(answered, 60) as aside:
        first = aside.call("pid")
        died = aside.call("die")
        second = int(aside.call("pid") or 0)
        os.kill(second, signal.SIGKILL)
        os.waitid(os.P_PID, second, os.WEXITED | os.WNOWAIT)
        third = aside.call("pid")

    assert died is None
    assert len({first, second, third, None}) == 4


def answered(what: str) -> int:
    """Return this process's id, unless it is to die."""
    if what == "die":
        os.abort()
    return os.getpid()


def test_a_hang_ends_with_whoever_asked(tmp_path: Path) -> None:
    """After kill -9 of the asking process none is left that computes for nobody."""
    script = tmp_path / "hangs.py"
    script.write_text(HANGS)
    asking = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True)
    assert asking.stdout is not None
    hung = psutil.Process(int(asking.stdout.readline()))

    asking.kill()
    asking.communicate(timeout=PATIENCE_S)

    _, alive = psutil.wait_procs([hung], timeout=PATIENCE_S)
    assert alive == []
