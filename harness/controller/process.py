"""One child process that speaks the wire: started in a group of its own, watched, killed, decoded.

All that is POSIX-only on the controller's side stands here.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from harness.wire.channel import (
    Channel,
    ChannelClosedError,
    ChannelGarbageError,
    ChannelStuckError,
    ChannelUnreadError,
)

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
"""How long a hung child has, after SIGABRT, to write the stacks of its threads; also how long one
has to be gone that closed its channel."""

DEATH_S = 5.0
"""How long the kernel has to end a process that was killed."""

ORPHANS_S = 1.0
"""How long what a dead child left in its group has to be gone, once killed; beyond that they are
zombies in a container whose first process reaps none."""

_STARTER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="starter")
"""The thread that starts every child. A child asks Linux to be killed when its parent ends, and
takes the *thread* that started it for its parent, so that must be one that lasts:
https://man7.org/linux/man-pages/man2/pr_set_pdeathsig.2const.html"""


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
    unread: bool = False
    """Whether it died without having read the request, which then has no part in its death."""


@dataclass(frozen=True, kw_only=True)
class Launch:
    """How to start a child: the descriptor's number is added as ``--channel N``."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    """Set on top of what is inherited."""
    memory_limit_mib: int


class Deadline:
    """A moment that is some seconds away, shared by all the waits until then."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._moment = time.monotonic() + seconds

    @property
    def left_s(self) -> float:
        """How long it is until then; 0 from then on."""
        return max(0.0, self._moment - time.monotonic())


class Child:
    """A running child process, asked by one thread and closed by any.

    A process that leaves the child's group (setsid) is nobody's: it outlives the child.
    """

    def __init__(self, launch: Launch) -> None:
        """Start it; raise OSError where the program cannot be started."""
        self._launch = launch
        self._ending = threading.RLock()
        """Held while the child is ended: then nobody else may use what goes with it."""
        with contextlib.ExitStack() as made:
            folder = made.enter_context(
                tempfile.TemporaryDirectory(prefix="ort-matrix-", ignore_cleanup_errors=True)
            )
            # Kept open, because nothing keeps a child from deleting the file.
            self._log = made.enter_context(Path(folder, "log").open("a+b", buffering=0))
            self._channel, theirs = Channel.pair()
            made.callback(self._channel.close)
            with theirs:
                start = _STARTER.submit(self._start, folder, theirs.fileno())
                self._process = start.result()
            made.callback(self._kill_group)
            self._seen = psutil.Process(self._process.pid)
            self._next_look = Deadline(TICK_S)
            self._made = made.pop_all()

    @property
    def pid(self) -> int:
        """The process id, which is also the id of the child's group."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process has not ended yet."""
        # Without reaping it: until then nobody else can get its id, so its group is safe to kill.
        with contextlib.suppress(ChildProcessError):
            look_only = os.WEXITED | os.WNOHANG | os.WNOWAIT
            return os.waitid(os.P_PID, self.pid, look_only) is None
        return False

    def ask(self, message: dict[str, Any], deadline: Deadline) -> dict[str, Any] | Death:
        """Send one message and return the answer to it, or how the child ended instead."""
        try:
            self._channel.send(message, deadline.left_s)
        except ChannelStuckError:
            return self.end(Cause.HUNG, f"took no request within {deadline.seconds:g} s")
        except ChannelClosedError:
            return self.end(Cause.DIED, unread=True)
        return self.answer(deadline)

    def answer(self, deadline: Deadline) -> dict[str, Any] | Death:
        """Return the next message, or how the child ended instead.

        It takes longer than the deadline by STACKS_S at most, as long as the kernel can end the
        child and what it left behind: that may take up to DEATH_S and ORPHANS_S more.
        """
        try:
            while deadline.left_s:
                if self._takes_too_much():
                    limit = f"resident memory over {self._launch.memory_limit_mib} MiB"
                    return self.end(Cause.OVER_MEMORY, limit)
                was_alive = self.is_alive
                message = self._channel.receive(min(deadline.left_s, TICK_S))
                if message is not None:
                    return message
                if not was_alive:  # and yet the channel is open: in a process that it left behind
                    return self.end(Cause.DIED)
        except ChannelClosedError as error:
            return self.end(Cause.DIED, unread=isinstance(error, ChannelUnreadError))
        except ChannelGarbageError as error:
            return self.end(Cause.BABBLED, str(error))
        return self.end(Cause.HUNG, f"no answer within {deadline.seconds:g} s")

    def end(self, cause: Cause, text: str = "", *, unread: bool = False) -> Death:
        """Make sure that the group is gone and return how the child ended."""
        with self._ending:
            if cause is Cause.HUNG and self.is_alive:
                self._ask_for_stacks()
            elif cause is Cause.HUNG:  # it died at the last moment
                cause, text = Cause.DIED, ""
            if cause is Cause.DIED:  # the channel is closed before the process is gone
                self._wait(STACKS_S)
            was_alive = self._process.poll() is None
            self._kill_group()
            log = "" if self._log.closed else self._tail().decode(errors="replace").strip()
            self.close()
        status = self._process.returncode if cause is Cause.DIED else None
        # A process that was ending already keeps its own status, however slowly it goes.
        if cause is Cause.DIED and was_alive and status in (None, -signal.SIGKILL):
            cause, text, status = Cause.BABBLED, "closed the channel and lived on", None
        name = _signal_name(-status) if status is not None and status < 0 else ""
        return Death(
            cause=cause, exit_status=status, signal=name, log=log, text=text, unread=unread
        )

    def close(self) -> None:
        """End the child and its group, and remove its folder; a second close does nothing."""
        with self._ending:
            self._made.close()

    def _start(self, folder: str, descriptor: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*self._launch.command, "--channel", str(descriptor)],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env=self._environment(folder),
            cwd=folder,
            pass_fds=(descriptor,),
            start_new_session=True,
        )

    def _environment(self, folder: str) -> dict[str, str]:
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        return {**inherited, "TMPDIR": folder, **self._launch.environment}

    def _ask_for_stacks(self) -> None:
        """Have faulthandler write every thread's stack: it answers SIGABRT, even in native code."""
        self._process.send_signal(signal.SIGABRT)
        self._wait(STACKS_S)

    def _kill_group(self) -> None:
        """Kill the child and what it left in its group, and wait until they are gone."""
        self._signal_group(signal.SIGKILL)
        self._wait(DEATH_S)
        patience = Deadline(ORPHANS_S)
        while self._signal_group(0) and patience.left_s:
            time.sleep(0.005)

    def _signal_group(self, number: int) -> bool:
        """Say whether there was anybody to send the signal to."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS forbids zombies
            os.killpg(self.pid, number)
            return True
        return False

    def _wait(self, seconds: float) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)

    def _takes_too_much(self) -> bool:
        """Say whether the child is over its memory limit, and cut its log; look once a tick."""
        if self._next_look.left_s:
            return False
        self._next_look = Deadline(TICK_S)
        self._cut_log()
        try:
            return float(self._seen.memory_info().rss) > self._launch.memory_limit_mib * 2**20
        except psutil.Error:  # it has just ended
            return False

    def _cut_log(self) -> None:
        """Keep only the end of a log that grows too long: the child appends, so this is safe."""
        with self._ending:
            if not self._log.closed and os.fstat(self._log.fileno()).st_size > LOG_LIMIT:
                tail = self._tail()
                self._log.truncate(0)
                self._log.write(tail)

    def _tail(self) -> bytes:
        log = self._log.fileno()
        return os.pread(log, LOG_TAIL, max(0, os.fstat(log).st_size - LOG_TAIL))


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal has no name
        return f"signal {number}"
