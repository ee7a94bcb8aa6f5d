"""A binding that opens every session with some settings turned, whatever the caller sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.worker.bindings.wrapped import WrappedBinding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.wire.settings import SessionSettings
    from harness.worker.bindings import Binding, Session


class TurnedBinding(WrappedBinding):
    """Another binding under settings that are asked for from outside the case."""

    def __init__(self, binding: Binding, changes: dict[str, Any]) -> None:
        """Turn what `changes` names, as `SessionSettings.turned` takes it."""
        super().__init__(binding)
        self._changes = changes

    def create(
        self,
        model: bytes | str,
        *,
        provider: str,
        options: Mapping[str, str],
        settings: SessionSettings,
    ) -> Session:
        """Return the other binding's session under the settings as they are turned."""
        turned = settings.turned(self._changes)
        return super().create(model, provider=provider, options=options, settings=turned)
