"""Models that are wrong in one stated way each: the suite `malformed`.

A module for each kind of fault has a generator of `Malformed`; KINDS names them all.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cases import Case, InTwoProcesses
from harness.corpus.malformed.bodies import bodies
from harness.corpus.malformed.element_types import element_types
from harness.corpus.malformed.external_data import external_data
from harness.corpus.malformed.faults import Malformed, packed_case
from harness.corpus.malformed.graphs import graphs
from harness.corpus.malformed.nesting import nesting
from harness.corpus.malformed.operators import operators
from harness.corpus.malformed.raw_bytes import raw_bytes
from harness.corpus.malformed.shapes import declared_shapes
from harness.corpus.malformed.tensors import tensors
from harness.corpus.packing import PACK_FORMAT, Packer, packed
from harness.wire import malformed as wire_form

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

KINDS: tuple[Callable[[], Iterable[Malformed]], ...] = (
    element_types,
    tensors,
    external_data,
    graphs,
    declared_shapes,
    bodies,
    nesting,
    raw_bytes,
    operators,
)
"""What makes the cases, kind by kind."""


def malformed_cases(cache: Path) -> list[Case]:
    """Return the cases, packed under `cache` once for each version of them."""

    def write(packer: Packer) -> Iterator[Case]:
        return (packed_case(one, packer) for kind in KINDS for one in kind())

    return [
        InTwoProcesses(id=one.id, procedure=one.procedure, arguments=one.arguments)
        for one in packed(cache / "corpora" / f"malformed-{_version()}", write)
    ]


def _version() -> str:
    """Return a key that changes with what makes the cases."""
    made_by = [*sorted(Path(__file__).parent.rglob("*.py")), Path(wire_form.__file__)]
    digest = hashlib.sha256(f"{PACK_FORMAT}".encode())
    for path in made_by:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
