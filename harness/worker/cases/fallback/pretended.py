"""A build that claims what a case wants it to, around the binding of the real one."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from harness.worker.bindings import BindingError
from harness.worker.bindings.wrapped import WrappedBinding, WrappedSession
from harness.worker.cases.fallback.promises import CPU, DEVICE_TYPES, PROVIDERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.wire.settings import SessionSettings
    from harness.worker.bindings import Binding, Session


class Way(StrEnum):
    """What a candidate of a pretended build does, if not make a session that works."""

    MISSING = "is not in the build"
    RAISES = "raises when its session is made"
    SILENT = "makes a session on the CPU EP alone, without a word"
    TAKES_NO_NODE = "makes a session and takes no node of it"
    FAILS_AT_RUN = "makes a session that fails at run"


EP_FAIL = "EP_FAIL"


def said_by(attached: str) -> str:
    """Return what a candidate says when it raises."""
    return f"{attached}: no such device, says the pretended driver"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One session asked of a binding."""

    attached: str
    """Which candidate it is by provider and device type, or both as given if it is none."""
    options: Mapping[str, str]
    settings: SessionSettings


class Recording(WrappedBinding):
    """A binding that keeps every session asked of the one it stands around."""

    def __init__(self, real: Binding) -> None:
        super().__init__(real)
        self.asked: list[Asked] = []

    def create(
        self,
        model: bytes | str,
        *,
        provider: str,
        options: Mapping[str, str],
        settings: SessionSettings,
    ) -> Session:
        """Return the real binding's session, with what was asked kept."""
        self._keep(provider, options, settings)
        return super().create(model, provider=provider, options=options, settings=settings)

    def _keep(self, provider: str, options: Mapping[str, str], settings: SessionSettings) -> str:
        attached = _ATTACHED.get((provider, options.get("device_type")), f"{provider} {options}")
        self.asked.append(Asked(attached=attached, options=dict(options), settings=settings))
        return attached


class Pretended(Recording):
    """A build with every provider, in which candidates fail in the given ways.

    A session that it makes is one of the real build on the CPU EP, whatever provider it claims.
    """

    def __init__(self, real: Binding, ways: Mapping[str, Way] | None = None) -> None:
        super().__init__(real)
        self.ways = dict(ways or {})
        """What each candidate does by its attached EP; any other one works."""
        self.alive: weakref.WeakSet[PretendedSession] = weakref.WeakSet()
        """Every session that somebody still holds."""

    def available_providers(self) -> tuple[str, ...]:
        """Return every provider that no candidate in the script is missing of."""
        missing = {PROVIDERS[name] for name, way in self.ways.items() if way is Way.MISSING}
        return tuple(dict.fromkeys(p for p in PROVIDERS.values() if p not in missing))

    def create(
        self,
        model: bytes | str,
        *,
        provider: str,
        options: Mapping[str, str],
        settings: SessionSettings,
    ) -> PretendedSession:
        """Return a session, or raise, as the script says."""
        attached = self._keep(provider, options, settings)
        way = self.ways.get(attached)
        if way is Way.RAISES:
            raise BindingError("FAIL", said_by(attached))
        real = self._binding.create(model, provider=CPU, options={}, settings=settings)
        claimed = CPU if way is Way.SILENT else provider
        session = PretendedSession(real, claimed, way)
        self.alive.add(session)
        return session


class PretendedSession(WrappedSession):
    """A session on the CPU EP that claims to be on a provider."""

    def __init__(self, real: Session, claimed: str, way: Way | None) -> None:
        super().__init__(real)
        self._claimed = claimed
        self._way = way
        self.providers = tuple(dict.fromkeys((claimed, CPU)))

    def run(self, feeds: Mapping[str, Any]) -> Sequence[Any]:
        """Return the outputs of the CPU EP, or raise what a provider does that fails at run."""
        if self._way is Way.FAILS_AT_RUN:
            raise BindingError(EP_FAIL, "the pretended device is lost")
        return super().run(feeds)

    def placement(self) -> Mapping[str, int]:
        """Return where the nodes ran: on what is claimed, unless that takes none."""
        nodes = super().placement()
        if self._way is Way.TAKES_NO_NODE:
            return nodes
        return {self._claimed: sum(nodes.values())}


_ATTACHED = {(provider, DEVICE_TYPES.get(name)): name for name, provider in PROVIDERS.items()}
