"""What a generated case is, in as few words as make it again anywhere."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from harness.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

GENERATOR_VERSION = 1
"""Raised when the same description would make another case."""

RANDOM = "the answer is random"
"""Why a case is doubtful that need not answer the same twice."""

WANTED = "wanted VERSION:OPERATOR:OPSET:SEED:INDEX, as in 1:Conv:11:0:7"


class Kind(StrEnum):
    """What the standard says of a case."""

    VALID = "valid"
    """The checker and strict shape inference accept it, and the standard defines the answer."""
    DOUBTFUL = "doubtful"
    """Accepted, but the standard leaves the answer open: the case's reason says where."""
    INVALID = "invalid"
    """One stated thing is wrong: a build should refuse it."""


@dataclass(frozen=True, kw_only=True)
class Description:
    """Names one generated case: any machine makes the same model and inputs of it."""

    version: int
    operator: str
    """As in Conv, ai.onnx.ml.Scaler, com.microsoft.Gelu or chain/conv-add-relu."""
    opset: int
    """The version of the operator's domain that the model states; for chains that of ai.onnx."""
    seed: int
    index: int

    def __str__(self) -> str:
        return f"{self.version}:{self.operator}:{self.opset}:{self.seed}:{self.index}"

    def to_json(self) -> dict[str, Any]:
        """Return the description as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Description:
        """Return the description that `to_json` wrote."""
        return cls(**data)

    @classmethod
    def parse(cls, text: str) -> Description:
        """Return the description that `str` wrote.

        Raises:
            ConfigurationError: the text is none, or of another version of the generator.

        """
        version, *rest = text.split(":")
        try:
            operator, opset, seed, index = rest
            numbers = [int(number) for number in (version, opset, seed, index)]
        except ValueError as error:
            raise ConfigurationError(f"{text!r} describes no generated case: {WANTED}") from error
        if numbers[0] != GENERATOR_VERSION:
            raise ConfigurationError(
                f"{text!r} is of generator version {numbers[0]}; this one is {GENERATOR_VERSION}"
            )
        return cls(
            version=numbers[0],
            operator=operator,
            opset=numbers[1],
            seed=numbers[2],
            index=numbers[3],
        )
