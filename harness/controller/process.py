"""One child process that speaks the wire: started in a group of its own, watched, killed, decoded.

All that is POSIX-only on the controller's side stands here.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from harness.wire.channel import Channel, ChannelClosedError, ChannelGarbageError

if TYPE_CHECKING:
    from collections.abc import Mapping

INHERITED = (
    *("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "XDG_RUNTIME_DIR", "SYSTEMROOT"),
    *("CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES"),
    *("HIP_VISIBLE_DEVICES",),
)
"""What a child sees of our environment: how libraries and devices are found, and nothing else."""

LOG_TAIL = 16 * 2**10
LOG_LIMIT = 16 * 2**20
"""A longer log is cut at the front, so that endless output cannot fill the disk."""

TICK_S = 0.1
"""How often a busy child's memory and log are looked at."""

STACKS_S = 1.0
"""How long a hung child has, after SIGABRT, to write the stacks of its threads."""

DEATH_S = 5.0
"""How long the kernel has to end a process that was killed."""


class Cause(StrEnum):
    """Why no message came."""

    DIED = "died"
    HUNG = "hung"
    OVER_MEMORY = "over the memory limit"
    BABBLED = "sent what is not a message"


@dataclass(frozen=True, kw_only=True)
class Death:
    """How a child ended that gave no message; by now its whole group is gone."""

    cause: Cause
    exit_status: int | None
    signal: str
    """The signal's name, such as ``SIGSEGV``; "" where none ended the child."""
    log: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Launch:
    """How to start a child: the descriptor's number is added as ``--channel N``."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    """Set on top of what is inherited."""
    memory_limit_mib: int


class Child:
    """A running child process."""

    def __init__(self, launch: Launch) -> None:
        """Start it; raise OSError where the program cannot be started."""
        self._launch = launch
        self._folder = tempfile.TemporaryDirectory(prefix="ort-matrix-", ignore_cleanup_errors=True)
        self._log = Path(self._folder.name, "log")
        self._channel, theirs = Channel.pair()
        try:
            self._process = self._start(theirs.fileno())
        except OSError:
            self._channel.close()
            self._folder.cleanup()
            raise
        finally:
            theirs.close()

    @property
    def pid(self) -> int:
        """The process id, which is also the id of the child's group."""
        return self._process.pid

    def ask(self, message: dict[str, Any], *, deadline_s: float) -> dict[str, Any] | Death:
        """Send one message and return the answer to it, or how the child ended instead."""
        try:
            self._channel.send(message)
        except ChannelClosedError:
            return self._ended(Cause.DIED)
        return self.answer(deadline_s=deadline_s)

    def answer(self, *, deadline_s: float) -> dict[str, Any] | Death:
        """Return the next message, or how the child ended instead, within the deadline."""
        deadline = time.monotonic() + deadline_s
        try:
            while (left := deadline - time.monotonic()) > 0:
                message = self._channel.receive(min(left, TICK_S))
                if message is not None:
                    return message
                self._cut_log()
                if self._memory_mib() > self._launch.memory_limit_mib:
                    return self._ended(Cause.OVER_MEMORY)
        except ChannelClosedError:
            return self._ended(Cause.DIED)
        except ChannelGarbageError as error:
            return self._ended(Cause.BABBLED, text=str(error))
        return self._ended(Cause.HUNG, text=f"no answer within {deadline_s:g} s")

    def close(self) -> None:
        """End the child and its group, and remove its folder; a second close does nothing."""
        self._channel.close()
        self._kill_group()
        self._folder.cleanup()

    def _start(self, descriptor: int) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [*self._launch.command, "--channel", str(descriptor)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment(),
                cwd=self._folder.name,
                pass_fds=(descriptor,),
                start_new_session=True,
            )

    def _environment(self) -> dict[str, str]:
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        return {**inherited, "TMPDIR": self._folder.name, **self._launch.environment}

    def _ended(self, cause: Cause, text: str = "") -> Death:
        """Make sure that the group is gone and return how the child ended."""
        if cause is Cause.HUNG:
            self._ask_for_stacks()
        if cause is Cause.DIED:  # the channel is closed before the process is gone
            self._wait(STACKS_S)
        ended_by_itself = self._process.poll() is not None and cause is Cause.DIED
        self._kill_group()
        log = self._read_log()
        self.close()
        status = self._process.returncode if ended_by_itself else None
        if cause is Cause.DIED and status is None:
            cause, text = Cause.BABBLED, "closed the channel and lived on"
        if cause is Cause.OVER_MEMORY:
            text = f"resident memory over {self._launch.memory_limit_mib} MiB"
        name = _signal_name(-status) if status is not None and status < 0 else ""
        return Death(cause=cause, exit_status=status, signal=name, log=log, text=text)

    def _ask_for_stacks(self) -> None:
        """Have faulthandler write every thread's stack: it answers SIGABRT, even in native code."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGABRT)
        self._wait(STACKS_S)

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._wait(DEATH_S)

    def _wait(self, seconds: float) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)

    def _memory_mib(self) -> float:
        try:
            return float(psutil.Process(self.pid).memory_info().rss) / 2**20
        except psutil.Error:
            return 0.0

    def _cut_log(self) -> None:
        """Keep only the end of a log that grows too long: the child appends, so this is safe."""
        if self._log.stat().st_size > LOG_LIMIT:
            tail = self._tail()
            os.truncate(self._log, 0)
            with self._log.open("ab") as log:
                log.write(tail)

    def _read_log(self) -> str:
        return self._tail().decode(errors="replace").strip()

    def _tail(self) -> bytes:
        with self._log.open("rb") as log:
            log.seek(max(0, self._log.stat().st_size - LOG_TAIL))
            return log.read(LOG_TAIL)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal has no name
        return f"signal {number}"
