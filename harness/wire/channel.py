"""One JSON object per line over a private descriptor, each wait with a deadline.

A socket pair rather than a pipe: one descriptor serves both ways, and a dead peer is seen at once.
Standard output can never carry this, because ONNX Runtime and its providers print on it.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import time
from typing import Any, Self

LINE_LIMIT = 64 * 2**20
"""A longer line is garbage: the longest real reply is some kilobytes."""

SEND_TIMEOUT_S = 30.0
"""A peer that reads nothing for so long is as good as gone."""


class ChannelClosedError(Exception):
    """The peer is gone."""


class ChannelUnreadError(ChannelClosedError):
    """The peer is gone, and it had not read all that was sent to it."""


class ChannelStuckError(ChannelClosedError):
    """The peer takes nothing, so it is as good as gone."""


class ChannelGarbageError(Exception):
    """The peer sent what is not a JSON object on a line."""


class Channel:
    """Messages to and from the peer."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._buffer = bytearray()

    @classmethod
    def pair(cls) -> tuple[Self, socket.socket]:
        """Return the controller's end and the socket that the child process inherits."""
        ours, theirs = socket.socketpair()
        return cls(ours), theirs

    @classmethod
    def inherit(cls, descriptor: int) -> Self:
        """Return the worker's end; this process then dies with the controller, even in a hang."""
        os.set_inheritable(descriptor, False)  # noqa: FBT003 - the standard library's signature
        if sys.platform == "linux":
            die_with_parent()
        return cls(socket.socket(fileno=descriptor))

    def send(self, message: dict[str, Any], timeout_s: float = SEND_TIMEOUT_S) -> None:
        """Send one message whole; raise ChannelUnreadError or ChannelStuckError otherwise."""
        line = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        try:
            self._socket.settimeout(timeout_s)
            self._socket.sendall(line)
        except (TimeoutError, BlockingIOError) as error:
            raise ChannelStuckError from error
        except OSError as error:
            raise ChannelUnreadError from error

    def receive(self, timeout_s: float | None = None) -> dict[str, Any] | None:
        """Return the next message, or None after `timeout_s` seconds (None: wait for ever).

        Raise ChannelClosedError when the peer has gone and ChannelGarbageError when it babbles.
        What has come of a line stays for the next call.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        searched, left_s = 0, timeout_s
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > LINE_LIMIT:
                raise ChannelGarbageError(f"no end of line within {LINE_LIMIT} bytes")
            # Also a peer that never stops sending must not hold us beyond the deadline.
            if (left_s is not None and left_s < 0) or not self._fill(left_s):
                return None
            left_s = None if deadline is None else deadline - time.monotonic()
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return _parse(line)

    def close(self) -> None:
        """Close this end; the peer then sees that we are gone."""
        self._socket.close()

    def _fill(self, timeout_s: float | None) -> bool:
        """Say whether anything came in time; with no time, whether anything was there."""
        try:
            self._socket.settimeout(timeout_s)
            data = self._socket.recv(2**16)
        except (TimeoutError, BlockingIOError):
            return False
        except ConnectionResetError as error:
            # Linux says so of a peer that went with data unread, macOS never does: see
            # https://man7.org/linux/man-pages/man7/unix.7.html and unix_release_sock in its source.
            raise ChannelUnreadError from error
        except OSError as error:
            raise ChannelClosedError from error
        if not data:
            raise ChannelClosedError
        self._buffer += data
        return True


def _parse(line: bytes) -> dict[str, Any]:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ChannelGarbageError(f"not JSON: {line[:80]!r}") from error
    if not isinstance(message, dict):
        raise ChannelGarbageError(f"not an object: {line[:80]!r}")
    return message


def die_with_parent() -> None:
    """Ask Linux for SIGKILL when the controller ends, so that a kill -9 of it leaves no worker."""
    import ctypes  # noqa: PLC0415 - costs 10 ms, and only a worker needs it

    pr_set_pdeathsig, sigkill = 1, 9
    with contextlib.suppress(OSError, AttributeError):  # a libc without prctl: end of file must do
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, sigkill)
