"""What a worker puts under test: a backend, and the binding through which it reaches ORT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.worker.backend import Backend

if TYPE_CHECKING:
    from harness.worker.backend import OpenOptions
    from harness.worker.bindings import Binding


@dataclass(frozen=True, kw_only=True)
class UnderTest:
    """A backend and its binding; one with a planted fault stands here as well."""

    binding: Binding
    backend: type[Backend] = Backend

    def open(self, model: bytes | str, options: OpenOptions | None = None) -> Backend:
        """Return the model opened as `Backend.open` does it."""
        return self.backend.open(model, options, binding=self.binding)
