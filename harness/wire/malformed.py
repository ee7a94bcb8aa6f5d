"""A malformed model as a worker is asked to try it: what it is, and which answers are right."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from harness.wire.records import PlainRecord
from harness.wire.values import Blob


class Right(StrEnum):
    """Which answers to a malformed model are right."""

    REFUSAL = "refusal"
    """Only a typed error: with this fault the model means nothing."""
    EITHER = "either"
    """A typed error, or an acceptance that keeps what the case says it has to mean."""
    ACCEPTANCE = "acceptance"
    """Only an acceptance: by the standard there is no fault, such as a field of a later IR."""


class Stage(StrEnum):
    """How far a build may come before it must have refused."""

    OPEN = "open"
    RUN = "run"


class Wrong(StrEnum):
    """How an answer to a malformed model is wrong, as its text says it."""

    ACCEPTED = "accepted, where only a refusal is right"
    LATE = "refused at run, where it has to be at open"
    UNTYPED = "without a status of ONNX Runtime"
    UNSET = "gives other values when run again"
    UNDECLARED = "is declared"

    @classmethod
    def told_in(cls, text: str) -> Wrong | None:
        """Return what a text says; None where it is something else."""
        return next((one for one in cls if one in text), None)

    @property
    def is_for_the_model(self) -> bool:
        """Whether it is wrong because of what the model is: of another one it may be right."""
        return self in (Wrong.ACCEPTED, Wrong.LATE)


NEVER_SET = "memory that was never set?"
"""What is supposed where a build's own garbage comes out."""


@dataclass(frozen=True, kw_only=True)
class Beside(PlainRecord):
    """What stands around a model that is opened by its path, ``model/model.onnx``.

    Paths are relative to a folder made for the case alone; what is not below ``model/`` is none of
    the model's business.
    """

    files: dict[str, str]
    """The bytes of each file, in hexadecimal digits."""
    links: dict[str, str]
    """The target of each symbolic link, relative to the folder of the case."""
    folders: tuple[str, ...] = ()
    secret: str = ""
    """Bytes, in hexadecimal digits, that stand only outside of ``model/``."""
    by_path: bool = True
    """False: the model is opened from its bytes all the same, so that it has no folder."""


MODEL_FILE = "model/model.onnx"

PLACE = b"/ort-matrix-puts-the-folder-of-the-case-here-and-fills-the-rest-with-slashes" + b"/" * 180
"""In a model's bytes this stands for the absolute path of the folder of the case, which is nowhere
before the worker has made it; it is as long as any that comes in its place."""


@dataclass(frozen=True, kw_only=True)
class MalformedCase:
    """A model that is wrong in one way, and what that has to lead to."""

    model: Blob | bytes
    """Bytes travel in the request itself: for models that are made for one request only."""
    right: Right
    latest: Stage = Stage.OPEN
    """The last stage at which a refusal is right: a model that cannot mean anything is refused when
    it is opened, one that contradicts its inputs when it is run."""
    meaning: str = ""
    """What accepting the model would have to mean, for a person."""
    data: str = ""
    """The file in which the tensors' bytes stand."""
    inputs: tuple[dict[str, Any], ...] | None = None
    """None: made of the declared types and shapes."""
    outputs: tuple[dict[str, Any], ...] | None = None
    """The only right answer; None: any of the declared types and shapes, the same each time."""
    beside: Beside | None = None
    """None: the model is opened from its bytes."""
    declares: dict[str, str] = field(default_factory=dict)
    """The type that the build is made to tell of each of these slots; "" for none, as after a query
    that failed. So the backend meets in every cell what only few builds let through."""

    def to_json(self) -> dict[str, Any]:
        """Return what ``from_json`` reads back."""
        model = self.model
        return {
            **vars(self),
            "model": {"hex": model.hex()} if isinstance(model, bytes) else model.to_json(),
            "beside": self.beside and self.beside.to_json(),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Return the case that was written."""
        model, beside = data["model"], data["beside"]
        return cls(
            model=bytes.fromhex(model["hex"]) if "hex" in model else Blob.from_json(model),
            right=Right(data["right"]),
            latest=Stage(data["latest"]),
            meaning=data["meaning"],
            data=data["data"],
            inputs=None if data["inputs"] is None else tuple(data["inputs"]),
            outputs=None if data["outputs"] is None else tuple(data["outputs"]),
            beside=beside and Beside.from_json(beside),
            declares=data["declares"],
        )
