"""What a record needs whose fields are JSON already."""

from __future__ import annotations

from typing import Any, Self


class PlainRecord:
    """The JSON form of a dataclass with fields that JSON has: an object with those keys."""

    def to_json(self) -> dict[str, Any]:
        """Return what ``from_json`` reads back."""
        return dict(vars(self))

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Return the record that was written; raise TypeError for an unknown or a missing key."""
        return cls(**data)
