"""What is known of families of operators, where draws from the schema alone would be refused."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.generate.drawing import Drawing

    Family = Callable[[Drawing], None]

_FAMILIES: dict[str, Family] = {}


def draws(*operators: str) -> Callable[[Family], Family]:
    """Register the decorated function as what draws these operators, or a chain of some.

    An operator has its domain in front where that is not ONNX's own; a chain is ``chain/…``.
    """

    def register(family: Family) -> Family:
        for operator in operators:
            assert operator not in _FAMILIES, operator
            _FAMILIES[operator] = family
        return family

    return register


@functools.cache
def families() -> Mapping[str, Family]:
    """Return what draws each operator, by its name in alphabetical order."""
    for module in pkgutil.walk_packages(__path__, f"{__name__}."):
        importlib.import_module(module.name)
    return dict(sorted(_FAMILIES.items()))
