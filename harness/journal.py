"""Answers kept on disk while they come, so that work that is interrupted is gone on with.

A line for each answer, written the moment it is there; the file goes when the work is done. Who
starts the same work again asks the same questions in the same order: what was answered before is
taken from the file, also the second and third answer to a question that is asked thrice.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
from collections import defaultdict, deque
from typing import TYPE_CHECKING, Any, Self

from harness.results import CaseResult
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import TracebackType


class Journal:
    """The answers of one piece of work, for one process at a time: another's are not kept."""

    def __init__(self, file: Path) -> None:
        self._file = file
        file.parent.mkdir(parents=True, exist_ok=True)
        self._stream = file.open("ab+")
        self._is_ours = _is_locked(self._stream.fileno())
        self._earlier: dict[str, deque[CaseResult]] = defaultdict(deque)
        if self._is_ours:
            for question, result in self._whole_lines():
                self._earlier[question].append(result)

    @property
    def left(self) -> int:
        """How many answers of earlier there are that nobody has asked for yet."""
        return sum(map(len, self._earlier.values()))

    def answer(self, question: str, ask: Callable[[], CaseResult]) -> CaseResult:
        """Return the next answer of earlier to a question, or else a new one, which is kept.

        What was not tested, or came of a fault of our own, is not kept.
        """
        if earlier := self._earlier[question]:
            return earlier.popleft()
        result = ask()
        if self._is_ours and result.outcome not in (Outcome.NOT_TESTED, Outcome.HARNESS_FAULT):
            line = json.dumps({"question": question, "result": result.to_json()})
            self._stream.write(f"{line}\n".encode())
            self._stream.flush()
        return result

    def finish(self) -> None:
        """Forget everything: the work is done, and whoever asks again wants to know it anew."""
        self._earlier.clear()
        if self._is_ours:
            self._stream.truncate(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        if self._is_ours and not self._stream.seek(0, 2):
            self._file.unlink(missing_ok=True)
        self._stream.close()

    def _whole_lines(self) -> Iterator[tuple[str, CaseResult]]:
        """Yield what is whole, and cut off what is not: a killed process left it."""
        whole = self._stream.seek(0)
        for line in self._stream:
            try:
                kept = json.loads(line)
                found = kept["question"], CaseResult.from_json(kept["result"])
            except (ValueError, LookupError, TypeError):
                break
            if not line.endswith(b"\n"):
                break
            whole += len(line)
            yield found
        self._stream.truncate(whole)


def key_of(*about: Any) -> str:
    """Return what is the same for what has the same JSON."""
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:24]


def _is_locked(descriptor: int) -> bool:
    """Say whether the file is this process's alone, until it is closed."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
