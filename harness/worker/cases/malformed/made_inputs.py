"""Inputs for a model of which nothing is known but its declared slots."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.wire.values import ElementType
from harness.worker.tensors import NUMPY_TYPES, PackedTensor, element_type, packed_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.worker.bindings import Slot

MOST_ELEMENTS = 2**16
"""A declared shape of more is not fed: the fault is elsewhere, and memory is not what is tested."""

OF_AN_OPEN_DIMENSION = 2

_OPTIONAL = re.compile(r"optional\((.*)\)")
_SEQUENCE = re.compile(r"seq\((tensor\(\w+\))\)")


class NotMadeError(Exception):
    """No input can be made of what is declared; the text says why."""


def made_inputs(slots: Sequence[Slot], seed: int = 0) -> list[Any]:
    """Return a value for each slot, the same for the same seed; raise NotMadeError."""
    random = np.random.default_rng(seed)
    return [_made(slot, random) for slot in slots]


def _made(slot: Slot, random: np.random.Generator) -> Any:
    if optional := _OPTIONAL.fullmatch(slot.type):
        return _made(replace(slot, type=optional[1]), random)
    if sequence := _SEQUENCE.fullmatch(slot.type):
        return [_tensor(_named(sequence[1]), (OF_AN_OPEN_DIMENSION,), random) for _ in range(2)]
    if not slot.type.startswith("tensor("):
        raise NotMadeError(f"no value is made for input {slot.name!r} of type {slot.type}")
    shape = tuple(d if isinstance(d, int) else OF_AN_OPEN_DIMENSION for d in slot.shape)
    if any(d < 0 for d in shape) or math.prod(shape) > MOST_ELEMENTS:
        raise NotMadeError(f"no value is made for input {slot.name!r} of shape {list(shape)}")
    return _tensor(_named(slot.type), shape, random)


def _named(ort_type: str) -> ElementType:
    found = element_type(ort_type)
    assert found is not None, "the backend opens no model with a slot that has no name"
    return found


def _tensor(of: ElementType, shape: tuple[int, ...], random: np.random.Generator) -> Any:
    if of is ElementType.STRING:
        texts = np.empty(math.prod(shape), dtype=object)
        texts[:] = [str(number) for number in random.integers(0, 100, math.prod(shape))]
        return texts.reshape(shape)
    if of not in NUMPY_TYPES:
        data = random.bytes(packed_size(of, shape))
        return PackedTensor(element_type=of, shape=shape, data=data)
    dtype = NUMPY_TYPES[of]
    if dtype.kind in "fc":
        return random.uniform(-2, 2, shape).astype(dtype)
    return random.integers(0, 2 if dtype.kind == "b" else 4, shape).astype(dtype)
