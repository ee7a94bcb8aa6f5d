"""Items carried out in a copy of this process, so that what dies costs a few milliseconds.

A build that kills the process over every twentieth case would cost a new worker each time: a second
where a case takes a thousandth of that. A copy (fork) of the worker, which has imported the build
and carried out no case, dies in its place. Only for the CPU EP: the threads of other providers'
runtimes are not copied with the process.

The controller watches this process alone, so the copy's memory is watched here. A hang is left to
the controller, which ends the whole group.
"""

from __future__ import annotations

import errno
import json
import os
import select
import signal
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from harness.wire.channel import die_with_parent
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")

TICK_S = 0.1
"""How often the memory of a copy is looked at."""

OWN_FAULT = 70
"""What a copy ends with over an error of ours, also where no disk takes its traceback."""

PAGE = os.sysconf("SC_PAGE_SIZE")

CAN_FORK = hasattr(os, "pidfd_open")
"""Whether this host can: Linux, for its way to wait for a process and for the time as well."""


class OwnFaultError(Exception):
    """An error of ours in a copy; the text is its traceback."""


def carried_out_forked(
    items: Sequence[T],
    carry_out: Callable[[Sequence[T], Path], None],
    report: Path,
    *,
    memory_mib: int,
) -> None:
    """Have each item carried out in a copy of this process, with a line for each in the report.

    `carry_out` writes the lines of the items that it is given. An item that ends the copy is
    carried out again alone, in another one: its line then says how that ended, or what it came to
    and that it was ``spoilt`` by those before it: a build that writes beyond its memory may hit
    Python's own objects, which is an error of ours behind others and none alone. Raise
    OwnFaultError for an error of ours alone.
    """
    done = 0
    while done < len(items):
        try:
            in_company = _ended(items[done:], carry_out, report, memory_mib)
        except OwnFaultError as error:
            last = str(error).strip().rpartition("\n")[2]
            in_company = {"outcome": Outcome.CRASH, "text": f"an error of ours: {last}"}
        if in_company is None:
            return
        done = len(_lines(report))
        alone = report.with_suffix(".alone")
        ended = _ended(items[done : done + 1], carry_out, alone, memory_mib)
        line = {**json.loads(_lines(alone)[0]), "spoilt": in_company} if ended is None else ended
        alone.unlink(missing_ok=True)
        write_line(report, line if ended is None else {"ended": ended})
        done += 1


def write_line(report: Path, line: dict[str, Any]) -> None:
    """Append a line whole, at once: nothing is left in a buffer when the process dies."""
    data = json.dumps(line, separators=(",", ":")).encode() + b"\n"
    with report.open("ab", buffering=0) as out:
        if out.write(data) < len(data):  # a full disk takes a part first
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(report))


def _ended(
    items: Sequence[T],
    carry_out: Callable[[Sequence[T], Path], None],
    report: Path,
    memory_mib: int,
) -> dict[str, str] | None:
    """Return how a copy of this process ended over the items; None where it carried all out."""
    wanted = len(_lines(report)) + len(items)
    fault = report.with_suffix(".fault")
    child = os.fork()
    if child == 0:
        _carry_out_and_exit(lambda: carry_out(items, report), fault)
    over_memory = _watched(child, memory_mib)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code == OWN_FAULT:
        raise OwnFaultError(fault.read_text() if fault.is_file() else "which no disk took")
    if len(_lines(report)) == wanted:
        return None
    if over_memory:
        text = f"over the memory limit: resident memory over {memory_mib} MiB"
        return {"outcome": Outcome.CRASH, "text": text}
    if code >= 0:
        return {"outcome": Outcome.CRASH, "text": f"ended with exit status {code}"}
    name = signal.Signals(-code).name
    return {"outcome": Outcome.CRASH, "signal": name, "text": f"ended by {name}"}


def _carry_out_and_exit(carry_out: Callable[[], None], fault: Path) -> None:
    die_with_parent()
    code = OWN_FAULT
    try:
        carry_out()
        code = 0
    except BaseException:  # noqa: BLE001 - boundary: this process must not live on as its parent
        fault.write_text(traceback.format_exc())
    finally:
        os._exit(code)


def _watched(child: int, memory_mib: int) -> bool:
    """Wait until the copy has ended; kill it, and say so, when it takes too much memory."""
    watched = os.pidfd_open(child)
    try:
        while not select.select([watched], [], [], TICK_S)[0]:
            if _resident(child) > memory_mib * 2**20:
                os.kill(child, signal.SIGKILL)
                return True
    finally:
        os.close(watched)
    return False


def _resident(child: int) -> int:
    return int(Path(f"/proc/{child}/statm").read_text().split()[1]) * PAGE


def _lines(report: Path) -> list[bytes]:
    """Return the whole lines of a report; half a line of whoever died is cut off."""
    if not report.exists():
        return []
    data = report.read_bytes()
    whole, newline, rest = data.rpartition(b"\n")
    if rest:
        os.truncate(report, len(data) - len(rest))
    return (whole + newline).splitlines()
