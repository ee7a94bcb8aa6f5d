"""The suite `shapes`: inputs of every shape, type and layout, right ones and wrong ones."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from harness.properties.search import Profile, Property
from harness.wire.catalogue.shapes import ANSWERS, ANSWERS_TWICE, BUILD_REFUSES, REFUSES

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from harness.cases import Case
    from harness.properties.search import Search
    from harness.wire.catalogue.procedures import Procedure

COUNTS = {Profile.CI: 80, Profile.NIGHTLY: 3000}
FEW = {Profile.CI: 25, Profile.NIGHTLY: 400}
"""Where one example takes long, or there are few to choose from."""

ASKED: dict[str, tuple[Procedure, dict[Profile, int]]] = {
    "valid/ranks": (ANSWERS, COUNTS),
    "valid/zero-sized": (ANSWERS, COUNTS),
    "valid/zero-sized-regrouped": (ANSWERS, COUNTS),
    "valid/types": (ANSWERS, COUNTS),
    "valid/packed-types": (ANSWERS, FEW),
    "valid/types-of-4-bits": (ANSWERS, FEW),
    "valid/integers-of-64-bits": (ANSWERS, COUNTS),
    "valid/integers-of-fewer-bits": (ANSWERS, COUNTS),
    "valid/extremes-of-integers": (ANSWERS, COUNTS),
    "valid/special-floats": (ANSWERS, COUNTS),
    "valid/strings": (ANSWERS, COUNTS),
    "valid/layouts": (ANSWERS, COUNTS),
    "valid/broadcast": (ANSWERS, COUNTS),
    "valid/many-runs": (ANSWERS, COUNTS),
    "valid/many-runs-some-empty": (ANSWERS, COUNTS),
    "valid/large": (ANSWERS, FEW),
    "valid/names": (ANSWERS, COUNTS),
    "valid/two-sessions": (ANSWERS_TWICE, FEW),
    "invalid/type": (REFUSES, COUNTS),
    "invalid/byte-order": (REFUSES, FEW),
    "invalid/rank": (REFUSES, COUNTS),
    "invalid/size": (REFUSES, COUNTS),
    "invalid/names": (REFUSES, COUNTS),
    "invalid/too-many": (REFUSES, FEW),
    "invalid/not-an-array": (REFUSES, COUNTS),
    "invalid/not-strings": (REFUSES, FEW),
    "invalid/one-after-another": (REFUSES, COUNTS),
    "build/type": (BUILD_REFUSES, COUNTS),
    "build/byte-order": (BUILD_REFUSES, FEW),
    "build/byte-order-of-strings": (BUILD_REFUSES, FEW),
    "build/rank": (BUILD_REFUSES, COUNTS),
    "build/size": (BUILD_REFUSES, COUNTS),
    "build/names": (BUILD_REFUSES, FEW),
    "build/not-an-array": (BUILD_REFUSES, FEW),
    "build/rank-of-scalar": (BUILD_REFUSES, FEW),
    "build/one-name-two-sizes": (BUILD_REFUSES, COUNTS),
    "build/one-name-one-empty": (BUILD_REFUSES, FEW),
    "build/concat-one-empty": (BUILD_REFUSES, FEW),
    "build/vectors-of-two-sizes": (BUILD_REFUSES, FEW),
}
"""The properties: what is asked of a worker, and of how many examples."""


def shape_cases(search: Search) -> list[Case]:
    """Return the properties of the suite."""
    return [
        Property(
            id=f"shapes/{name}",
            procedure=procedure,
            arguments={},
            examples=partial(_examples, name),
            counts=counts,
            search=search,
        )
        for name, (procedure, counts) in ASKED.items()
    ]


def _examples(name: str) -> SearchStrategy[dict[str, Any]]:
    # Importing Hypothesis takes half a second, and only a search needs it.
    from harness.properties.shape_examples import EXAMPLES  # noqa: PLC0415

    return EXAMPLES[name]
