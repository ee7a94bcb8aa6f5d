"""A binding that does what a test says, because no GPU and no onnxruntime is here."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, TypeAlias

from harness.wire.providers import CHAINS, ExecutionProvider
from harness.worker.bindings import BindingError, Slot

if TYPE_CHECKING:
    from harness.wire.settings import SessionSettings

Run: TypeAlias = Callable[[Mapping[str, Any]], Sequence[Any]]

EVERY_PROVIDER = tuple(map(str, ExecutionProvider))

X = Slot(name="x", type="tensor(float)", shape=("n",))
Y = Slot(name="y", type="tensor(float)", shape=("n",))


class Drops(Enum):
    """What a build without a driver does: it makes a session on the CPU and says nothing."""

    SILENTLY = auto()


class ScriptedSession:
    """A session of a ScriptedBinding."""

    def __init__(self, providers: tuple[str, ...], binding: ScriptedBinding) -> None:
        self.providers = providers
        self.inputs = binding.inputs
        self.outputs = binding.outputs
        self._answer = binding.answer
        self._fed = binding.fed
        self._placement = binding.placement

    def run(self, feeds: Mapping[str, Any]) -> Sequence[Any]:
        """Return what the script answers."""
        self._fed.append(feeds)
        return self._answer(feeds)

    def placement(self) -> Mapping[str, int]:
        """Return one node on the first provider, or what the script says."""
        return self._placement or {self.providers[0]: 1}


@dataclass(frozen=True, kw_only=True)
class Creation:
    """One session asked of the binding."""

    attached: str
    model: bytes | str
    options: Mapping[str, str]
    settings: SessionSettings


class ScriptedBinding:
    """A build with these providers, on a host where each candidate does as the script says.

    `script` has a BindingError to raise or Drops.SILENTLY by attached EP; any other works. `inputs`
    and `outputs` are those of every model; `answer` is what every session answers.
    """

    def __init__(
        self,
        *,
        available: Sequence[str] = EVERY_PROVIDER,
        script: Mapping[str, BindingError | Drops] | None = None,
        inputs: tuple[Slot, ...] = (X,),
        outputs: tuple[Slot, ...] = (Y,),
        answer: Run = lambda feeds: list(feeds.values()),
    ) -> None:
        self._available = tuple(available)
        self._script = script or {}
        self.inputs = inputs
        self.outputs = outputs
        self.answer = answer
        self.placement: Mapping[str, int] = {}
        """What every session says; one node on its first provider where this is empty."""
        self.asked: list[Creation] = []
        """Every session asked for, in order."""
        self.fed: list[Mapping[str, Any]] = []
        """What each run of any session was given, in order."""
        self.alive: weakref.WeakSet[ScriptedSession] = weakref.WeakSet()

    def available_providers(self) -> tuple[str, ...]:
        """Return the providers of this build."""
        return self._available

    def create(
        self,
        model: bytes | str,
        *,
        provider: str,
        options: Mapping[str, str],
        settings: SessionSettings,
    ) -> ScriptedSession:
        """Return a session, or raise, as the script says."""
        attached = _ATTACHED[provider, options.get("device_type")]
        self.asked.append(
            Creation(attached=attached, model=model, options=dict(options), settings=settings)
        )
        does = self._script.get(attached)
        if isinstance(does, BindingError):
            raise does
        providers: tuple[str, ...] = (ExecutionProvider.CPU,)
        if does is not Drops.SILENTLY and provider != ExecutionProvider.CPU:
            providers = (provider, *providers)
        session = ScriptedSession(providers, self)
        self.alive.add(session)
        return session


_ATTACHED = {
    (str(candidate.provider), candidate.options.get("device_type")): candidate.attached
    for chain in CHAINS.values()
    for candidate in chain
}
