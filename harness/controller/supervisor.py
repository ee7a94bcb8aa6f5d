"""One case on one cell: whatever the worker does becomes an observation with evidence.

Anything that speaks the wire can stand behind it: a build's worker, or a program that misbehaves.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from dataclasses import replace
from queue import Empty, LifoQueue
from typing import TYPE_CHECKING, Any, assert_never

from harness.cases import Worker
from harness.controller.poison import MOST_SUSPECTS
from harness.controller.process import Cause, Child, Deadline, Death, Launch
from harness.errors import EnvironmentUnusableError
from harness.results import Carried, Observed
from harness.wire.messages import PROTOCOL, Evidence, Hello, Reply, Request
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

HELLO_DEADLINE_S = 60.0
"""A cold import of a large build from a slow disk takes long; a warm one 0.1 s."""

LOG_LINES = 12
"""How much of its log is told of a worker that came to no hello: the end holds the stacks."""


class Supervisor:
    """Carries out cases one at a time, each on a worker that is alive and well."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._child: Child | None = None
        self._fresh = False
        self._carried: deque[Carried] = deque(maxlen=MOST_SUSPECTS)
        """What the worker has carried out last, in its order."""
        self._number = 0
        self._closed = False
        self._closing = threading.Lock()

    def hello(self) -> Hello:
        """Return what a worker says of itself; raise EnvironmentUnusableError if it cannot."""
        return self._greeted(self._started())

    def execute(
        self, request: Request, *, deadline_s: float, worker: Worker = Worker.ANY, case: str = ""
    ) -> Observed:
        """Return what was observed of one case, after at most about `deadline_s` seconds.

        A worker that died before it read the request died of something else, so the case is asked
        again, once, of a fresh one. Where it died just after, of an earlier case or by a stranger's
        hand, nothing can tell; nor on macOS, unless it was dead before the request was sent.

        Raise EnvironmentUnusableError when no worker can be had any more.
        """
        answer, duration_s = self._answer(request, deadline_s, worker)
        if isinstance(answer, Death) and answer.unread:
            answer, duration_s = self._answer(request, deadline_s, worker)
        if isinstance(answer, Reply):
            outcome, evidence = answer.outcome, answer.evidence
        else:
            outcome, evidence = judge_death(answer)
        before = () if outcome is Outcome.PASS else tuple(self._carried)
        self._carried.append(Carried(case=case, request=request, deadline_s=deadline_s))
        return Observed(outcome=outcome, evidence=evidence, duration_s=duration_s, before=before)

    def renew(self) -> None:
        """End the worker: the next request gets one that has carried out nothing."""
        self._discard()

    def close(self) -> None:
        """End the worker for good; EnvironmentUnusableError reaches a thread that waits for it."""
        with self._closing:
            self._closed = True
        self._discard()

    def _answer(
        self, request: Request, deadline_s: float, worker: Worker
    ) -> tuple[Reply | Death, float]:
        """Return what came of the request, and after how many seconds."""
        child = self._ready(worker)
        self._number += 1
        began = time.perf_counter()
        answer = _reply(child, replace(request, number=self._number), Deadline(deadline_s))
        duration_s = time.perf_counter() - began
        if isinstance(answer, Death):
            self._lost()
        elif worker is Worker.FRESH:  # what it did there must not reach another case
            self._discard()
        return answer, duration_s

    def _discard(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.close()

    def _lost(self) -> None:
        """Forget a worker that is gone; raise EnvironmentUnusableError if we ended it ourselves."""
        self._child = None
        if self._closed:
            raise EnvironmentUnusableError("the supervisor is closed")

    def _ready(self, worker: Worker) -> Child:
        child = self._child
        if child and (not child.is_alive or (worker is Worker.FRESH and not self._fresh)):
            self._discard()
            child = None
        if child is None:
            child = self._started()
            self._greeted(child)
        self._fresh = False
        return child

    def _started(self) -> Child:
        self._discard()
        with self._closing:  # so that no worker is started behind the back of a close
            if self._closed:
                raise EnvironmentUnusableError("the supervisor is closed")
            try:
                self._child = Child(self._launch)
            except OSError as error:
                raise EnvironmentUnusableError(f"the worker cannot be started: {error}") from error
            self._fresh = True
            self._carried.clear()
            return self._child

    def _greeted(self, child: Child) -> Hello:
        message = child.answer(Deadline(HELLO_DEADLINE_S))
        if isinstance(message, Death):
            self._lost()
            said = "\n".join([_ending(message), *message.log.splitlines()[-LOG_LINES:]])
            raise EnvironmentUnusableError(f"the worker said no hello: {said}")
        if "unusable" in message:
            self._discard()
            raise EnvironmentUnusableError(f"the worker cannot start:\n{message['unusable']}")
        return self._checked(message)

    def _checked(self, message: dict[str, Any]) -> Hello:
        if message.get("protocol") != PROTOCOL:
            self._discard()
            raise EnvironmentUnusableError(
                f"the worker speaks protocol {message.get('protocol')!r}, wanted {PROTOCOL}"
            )
        try:
            return Hello.from_json(message)
        except (KeyError, TypeError) as error:
            self._discard()
            raise EnvironmentUnusableError(f"the worker's hello is malformed: {error}") from error


class Supervisors:
    """As many supervisors of one launch as are asked for at once."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._closed = False
        self._all: list[Supervisor] = []
        self._idle: LifoQueue[Supervisor] = LifoQueue()

    @contextlib.contextmanager
    def lent(self) -> Iterator[Supervisor]:
        """Give one to the caller alone, an idle one before a new one."""
        try:
            supervisor = self._idle.get_nowait()
        except Empty:
            supervisor = Supervisor(self._launch)
            self._all.append(supervisor)
            if self._closed:  # looked at after the append, as close() looks at them after it is set
                supervisor.close()
        try:
            yield supervisor
        finally:
            self._idle.put(supervisor)

    def close(self) -> None:
        """End all workers for good, those at work included."""
        self._closed = True
        for supervisor in self._all:
            supervisor.close()


def judge_death(death: Death) -> tuple[Outcome, Evidence]:
    """Return the outcome that a worker's death means, with what was seen of it."""
    evidence = Evidence(
        text=_ending(death),
        signal=death.signal,
        exit_status=death.exit_status if not death.signal else None,
        log=death.log,
    )
    match death.cause:
        case Cause.HUNG:
            return Outcome.TIMEOUT, evidence
        case Cause.BABBLED:
            return Outcome.HARNESS_FAULT, evidence
        case Cause.OVER_MEMORY:
            return Outcome.CRASH, evidence
        case Cause.DIED:  # no build has a reason to end the process with success
            success = death.exit_status == 0
            return (Outcome.HARNESS_FAULT if success else Outcome.CRASH), evidence
    assert_never(death.cause)


def _ending(death: Death) -> str:
    before = " before it read the request" if death.unread else ""
    match death:
        case Death(signal=str(name)) if name:
            return f"ended by {name}{before}"
        case Death(cause=Cause.DIED):
            return f"ended with exit status {death.exit_status} and no reply{before}"
    return f"{death.cause}{before}: {death.text}"


def _reply(child: Child, request: Request, deadline: Deadline) -> Reply | Death:
    message = child.ask(request.to_json(), deadline)
    while not isinstance(message, Death):
        try:
            reply = Reply.from_json(message)
            is_stale = reply.number < request.number
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            return child.end(Cause.BABBLED, f"a malformed reply: {error!r}")
        if reply.number == request.number:
            return reply
        if not is_stale:
            return child.end(Cause.BABBLED, f"a reply to {reply.number}, which nobody asked")
        # It answers an earlier case, which has its outcome already.
        message = child.answer(deadline)
    return message
