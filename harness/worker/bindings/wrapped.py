"""A binding and a session around others, as they are: what changes them says only what differs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.wire.settings import SessionSettings
    from harness.worker.bindings import Binding, Session


class WrappedSession:
    """A session that hands everything on to another."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.providers = session.providers
        self.inputs = session.inputs
        self.outputs = session.outputs

    def run(self, feeds: Mapping[str, Any]) -> Sequence[Any]:
        """Return what the session answers."""
        return self._session.run(feeds)

    def placement(self) -> Mapping[str, int]:
        """Return what the session says."""
        return self._session.placement()


class WrappedBinding:
    """A binding that hands everything on to another, and may wrap the sessions that it makes."""

    def __init__(self, binding: Binding) -> None:
        self._binding = binding

    def available_providers(self) -> tuple[str, ...]:
        """Return the providers of this build."""
        return self._binding.available_providers()

    def create(
        self,
        model: bytes | str,
        *,
        provider: str,
        options: Mapping[str, str],
        settings: SessionSettings,
    ) -> Session:
        """Return what `made` makes of the other binding's session."""
        session = self._binding.create(model, provider=provider, options=options, settings=settings)
        return self.made(session)

    def made(self, session: Session) -> Session:
        """Return what becomes of a session."""
        return session
