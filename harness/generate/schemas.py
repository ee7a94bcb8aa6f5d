"""The schemas of the standard by operator and version, read once."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import onnx

if TYPE_CHECKING:
    from collections.abc import Mapping

OLDEST_OPSET = 7
"""What a model states at least: releases promise nothing of older opsets."""

CONTRIB = "com.microsoft"
OF_CONTRIB = 17
"""The opset of ai.onnx beside an operator of another domain: one that each release loads."""


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One input or output of an operator, as its schema has it."""

    type_str: str
    """A constraint's name as in T, or a type as in tensor(int64)."""
    allowed: tuple[str, ...]
    """Types as in tensor(float), in the order of their names."""
    optional: bool
    variadic: bool
    homogeneous: bool


@dataclass(frozen=True, kw_only=True)
class Operator:
    """One version of one operator."""

    name: str
    domain: str
    since: int
    inputs: tuple[Parameter, ...]
    outputs: tuple[Parameter, ...]
    attributes: Mapping[str, bool]
    """Each attribute, and whether it must be there."""
    schema: Any

    @property
    def full_name(self) -> str:
        """With its domain, where that is not ONNX's own."""
        return f"{self.domain}.{self.name}" if self.domain else self.name


@functools.cache
def versions() -> Mapping[str, Mapping[int, Operator]]:
    """Return every operator's versions by the opset at which a model states them, oldest first."""
    found: dict[str, dict[int, Operator]] = {}
    schemas = onnx.defs.get_all_schemas_with_history()
    for schema in sorted(schemas, key=lambda one: (one.domain, one.name, one.since_version)):
        operator = _operator(schema)
        known = found.setdefault(operator.full_name, {})
        opset = schema.since_version
        if not schema.domain:
            opset = max(opset, OLDEST_OPSET)
        known.pop(opset, None)
        if not schema.deprecated:
            known[opset] = operator
    return found


def operator_at(name: str, opset: int) -> Operator | None:
    """Return the version of an operator that holds at an opset of its domain, if there is one."""
    holding = [one for since, one in versions().get(name, {}).items() if since <= opset]
    return holding[-1] if holding else None


def _operator(schema: Any) -> Operator:
    return Operator(
        name=schema.name,
        domain=schema.domain,
        since=schema.since_version,
        inputs=tuple(_parameter(one) for one in schema.inputs),
        outputs=tuple(_parameter(one) for one in schema.outputs),
        attributes={name: one.required for name, one in sorted(schema.attributes.items())},
        schema=schema,
    )


def _parameter(formal: Any) -> Parameter:
    options = onnx.defs.OpSchema.FormalParameterOption
    return Parameter(
        type_str=formal.type_str,
        allowed=tuple(sorted(formal.types)),
        optional=formal.option == options.Optional,
        variadic=formal.option == options.Variadic,
        homogeneous=formal.is_homogeneous,
    )
