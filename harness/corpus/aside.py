"""A function called in a process of its own, with a deadline: it may die, or never end."""

from __future__ import annotations

import multiprocessing
import signal
import threading
import time
from typing import TYPE_CHECKING, Any, Self

from harness.wire.channel import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from types import TracebackType

ENDS_S = 5.0
"""How long a killed process has to be gone."""

PATIENCE_S, PATIENCE = 5.0, 5.0


def bounded(deadline_s: float, longest_s: float | None) -> float:
    """Return how long to wait for one of many models that become ever smaller.

    What is smaller takes no longer: PATIENCE_S and PATIENCE times the longest so far will do, so
    that one which hangs does not cost what the largest may take.
    """
    return deadline_s if longest_s is None else min(deadline_s, PATIENCE_S + PATIENCE * longest_s)


class Aside:
    """The process, started when it is first asked and anew after it was killed."""

    def __init__(self, function: Callable[..., Any], deadline_s: float) -> None:
        """Call a function of a module, of arguments and with a result that can be pickled."""
        self._function = function
        self._deadline_s = deadline_s
        self._process: Any = None
        self._asks: Connection | None = None
        self._longest_s: float | None = None
        self._one_at_a_time = threading.Lock()

    def call(self, *arguments: Any) -> Any | None:
        """Return what the function returns; None where it dies or does not end in time."""
        with self._one_at_a_time:
            try:
                asks = self._started()
                asks.send(arguments)
                began = time.monotonic()
                if asks.poll(bounded(self._deadline_s, self._longest_s)):
                    found = asks.recv()
                    self._longest_s = max(self._longest_s or 0.0, time.monotonic() - began)
                    return found
            except (OSError, EOFError):
                pass  # it died of what it was asked
            self.close()
            return None

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join(ENDS_S)
            self._process = None
        if self._asks is not None:
            self._asks.close()
            self._asks = None

    def _started(self) -> Connection:
        if self._process is not None and not self._process.is_alive():  # killed while it was idle
            self.close()
        if self._asks is None:
            context = multiprocessing.get_context("spawn")
            self._asks, theirs = context.Pipe()
            self._process = context.Process(
                target=_serve, args=(theirs, self._function), daemon=True
            )
            self._process.start()
            theirs.close()
        return self._asks

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.close()


def _serve(asked: Connection, function: Callable[..., Any]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever asks is interrupted, and ends us
    die_with_parent()
    while True:
        try:
            arguments = asked.recv()
        except EOFError:
            return
        asked.send(function(*arguments))
