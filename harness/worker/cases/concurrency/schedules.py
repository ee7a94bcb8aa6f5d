"""Threads at once on a perturbed schedule, at the edge between the backend and its binding.

A race needs one thread to come between two steps of another. Here it is made to come: at the inputs
(the backend has begun a run and reads what it was given), just before the session's own run, just
after it, and at each line of the backend's own code, the threads of a round wait for each other, or
pause for a moment. All waits end.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import numpy as np

from harness.wire.providers import ExecutionProvider
from harness.worker.bindings.wrapped import WrappedSession

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType

    from harness.wire.settings import SessionSettings
    from harness.worker.bindings import Binding, Session

PATIENCE_S = 20.0
"""How long nobody of a crew may finish anything before it is called a hang."""

MEET_S = 2.0
"""How long threads wait for each other at a place; nothing is concluded from a missed meeting."""

SWITCH_S = 1e-6
"""How soon Python hands its lock on between two steps: 5e-3 lets a short run end undisturbed."""

LONGEST_PAUSE_S = 2e-4


SEED = 20261124

T = TypeVar("T")


class Place(Enum):
    """Where a run can be held."""

    INPUTS = auto()
    """In the backend: it reads the inputs that it was given."""
    BEFORE = auto()
    """In the session, before its own run."""
    AFTER = auto()
    """In the session, after its own run."""
    BETWEEN = auto()
    """With a session that is open and has not been run, or after the close of another one."""
    LINE = auto()
    """In the backend: at a line of its own code, at a later one each time."""


PAUSES = dict.fromkeys(Place, 0.5) | {Place.LINE: 0.1}
"""How often a thread pauses at a place; otherwise it only lets others go first."""


class Edge:
    """What every run of some sessions passes: it counts the runs that are in a session."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.in_flight = 0
        """The runs that are in a session of this edge."""
        self.most = 0
        """The most runs that were in a session of this edge at once."""

    def at(self, place: Place) -> None:
        """Do what this edge does to a run at `place`: nothing."""

    @contextlib.contextmanager
    def flight(self) -> Iterator[None]:
        """Count a run from here to the end of the block."""
        with self._changed:
            self.in_flight += 1
            self.most = max(self.most, self.in_flight)
        try:
            yield
        finally:
            with self._changed:
                self.in_flight -= 1


class Perturbation(Edge):
    """An edge at which the members of a crew meet in one place each round, and pause in others.

    A place at which they did not all arrive in time is no meeting place any more.
    """

    def __init__(
        self,
        parties: int,
        *,
        code: frozenset[str] = frozenset(),
        places: tuple[Place, ...] = tuple(Place),
    ) -> None:
        """Let the first `parties` members meet; the others, or a single one, only pause.

        `code` names the modules whose lines are places; `places` are taken by turns.
        """
        super().__init__()
        self._code = code
        self._places = places
        self._meetings = {place: threading.Barrier(parties) for place in Place}
        self._member = threading.local()
        self._parties = parties if parties > 1 else 0

    @property
    def missed(self) -> int:
        """How many places are no meeting places any more."""
        return sum(meeting.broken for meeting in self._meetings.values())

    def begin(self, thread: int, round_: int) -> None:
        """Say that the calling thread is member `thread` of the crew and begins this round."""
        self._member.draw = np.random.default_rng([SEED, thread, round_])
        meets = thread < self._parties
        self._member.meets = self._places[round_ % len(self._places)] if meets else None
        self._member.lines = round_ // len(self._places)
        sys.settrace(self._trace)

    def at(self, place: Place) -> None:
        """Wait for the others, or pause, or neither; a thread that is no member just goes on."""
        member = self._member
        if not hasattr(member, "draw"):
            return
        if place is member.meets and not (place is Place.LINE and member.lines):
            member.meets = None
            with contextlib.suppress(threading.BrokenBarrierError):
                self._meetings[place].wait(MEET_S)
            return
        if place is Place.LINE:
            member.lines -= 1
        pause = LONGEST_PAUSE_S * member.draw.random()
        time.sleep(pause if member.draw.random() < PAUSES[place] else 0)

    def _trace(self, frame: FrameType, event: str, _argument: Any) -> Any:
        """Make each line of the named modules a place; Python calls this in the crew's threads."""
        if event == "line":
            self.at(Place.LINE)
        return self._trace if frame.f_globals.get("__name__") in self._code else None


class Hold(Edge):
    """An edge that holds runs at one place, from `arm` until `release`."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self._place = place
        self.held = 0
        """How many runs have been held."""
        self._released = threading.Event()
        self._released.set()

    def arm(self) -> None:
        """Hold the runs that come from now on."""
        self._released.clear()

    def release(self) -> None:
        """Let everybody go on."""
        self._released.set()

    def holds(self, count: int, seconds: float) -> bool:
        """Say whether `count` runs have arrived at the place within `seconds`."""
        with self._changed:
            return self._changed.wait_for(lambda: self.held >= count, seconds)

    def at(self, place: Place) -> None:
        """Stay until the release if this is the place; when that takes too long, release all."""
        if place is not self._place or self._released.is_set():
            return
        with self._changed:
            self.held += 1
            self._changed.notify_all()
        if not self._released.wait(PATIENCE_S / 2):
            self.release()


class Inputs(Mapping[str, Any]):
    """Inputs by name that pass an edge as the backend reads them."""

    def __init__(self, edge: Edge, values: Mapping[str, Any]) -> None:
        self._values = values
        self._edge = edge

    def __getitem__(self, name: str) -> Any:
        self._edge.at(Place.INPUTS)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


@dataclass(frozen=True, kw_only=True)
class EdgedBinding:
    """A binding whose sessions pass an edge; with `claims`, they are CPU sessions that deny it."""

    inner: Binding
    edge: Edge
    claims: ExecutionProvider | None = None
    """The provider that every session says that it has, whether this build has it or not."""

    def available_providers(self) -> tuple[str, ...]:
        """Return the providers of this build, and the claimed one."""
        claimed = (self.claims,) if self.claims else ()
        return (*claimed, *self.inner.available_providers())

    def create(
        self,
        model: bytes | str,
        *,
        provider: str,
        options: Mapping[str, str],
        settings: SessionSettings,
    ) -> EdgedSession:
        """Return the inner binding's session behind the edge."""
        if self.claims:
            provider, options = ExecutionProvider.CPU, {}
        session = self.inner.create(model, provider=provider, options=options, settings=settings)
        claimed = (self.claims,) if self.claims else ()
        return EdgedSession(session, self.edge, (*claimed, *session.providers))


class EdgedSession(WrappedSession):
    """A session whose runs pass an edge."""

    def __init__(self, session: Session, edge: Edge, providers: tuple[str, ...]) -> None:
        super().__init__(session)
        self._edge = edge
        self.providers = providers

    def run(self, feeds: Mapping[str, Any]) -> Sequence[Any]:
        """Return the session's outputs."""
        with self._edge.flight():
            self._edge.at(Place.BEFORE)
            outputs = super().run(feeds)
            self._edge.at(Place.AFTER)
            return outputs


@dataclass(frozen=True, kw_only=True)
class Attempt(Generic[T]):
    """What came of one member's work in one round: a value, or an error."""

    thread: int
    round: int
    value: T | None = None
    error: Exception | None = None

    def got(self) -> T:
        """Return the value; raise the error."""
        if self.error is not None:
            raise self.error
        return cast("T", self.value)


class HungError(Exception):
    """Members of a crew that do not come back; `stacks` says where they are."""

    def __init__(self, text: str, stacks: str) -> None:
        super().__init__(text)
        self.stacks = stacks


def at_once(
    work: Callable[[int, int], T],
    *,
    threads: int,
    rounds: int,
    perturbation: Perturbation | None = None,
    patience_s: float = PATIENCE_S,
) -> list[Attempt[T]]:
    """Return what came of ``work(thread, round)`` of each thread, every round begun by all at once.

    Raise HungError when nobody finished anything for `patience_s`.
    """
    attempts: list[Attempt[T]] = []
    start = threading.Barrier(threads)

    def member(thread: int) -> None:
        for round_ in range(rounds):
            try:
                start.wait()
            except threading.BrokenBarrierError:  # another one hangs
                return
            if perturbation:
                perturbation.begin(thread, round_)
            attempts.append(_attempt(work, thread, round_))

    crew = [
        threading.Thread(target=member, args=(n,), name=f"thread {n}", daemon=True)
        for n in range(threads)
    ]
    for one in crew:
        one.start()
    _join(crew, attempts, patience_s, start)
    return attempts


def _attempt(work: Callable[[int, int], T], thread: int, round_: int) -> Attempt[T]:
    try:
        return Attempt(thread=thread, round=round_, value=work(thread, round_))
    except Exception as error:  # noqa: BLE001 - boundary of the thread: judged by who asked for it
        return Attempt(thread=thread, round=round_, error=error)


def _join(
    crew: list[threading.Thread],
    attempts: list[Attempt[T]],
    patience_s: float,
    start: threading.Barrier,
) -> None:
    finished, since = len(attempts), time.monotonic()
    for one in crew:
        while one.is_alive():
            one.join(0.1)
            if len(attempts) != finished:
                finished, since = len(attempts), time.monotonic()
            elif one.is_alive() and time.monotonic() - since > patience_s:
                start.abort()  # those who only wait for the next round go home
                raise _hung(crew, patience_s)


def _hung(crew: list[threading.Thread], patience_s: float) -> HungError:
    for one in crew:
        one.join(0.1)
    frames = sys._current_frames()  # noqa: SLF001 - Python's only way to see other threads' stacks
    stuck = [(one.name, frames[one.ident]) for one in crew if one.ident in frames]
    stacks = [f"{name}:\n{''.join(traceback.format_stack(frame))}" for name, frame in stuck]
    names = ", ".join(name for name, _ in stuck)
    return HungError(f"nothing finished for {patience_s:.0f} s; stuck: {names}", "".join(stacks))


@contextlib.contextmanager
def quick_switches() -> Iterator[None]:
    """Let Python change threads as often as it can inside."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
