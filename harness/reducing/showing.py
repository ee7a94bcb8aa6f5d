"""How a failing case is shown with nothing of ours: by a smaller model wherever there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import NotReducibleError
from harness.reducing import standing, unreduced, written
from harness.reducing.start import started

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.matrix import Cell
    from harness.probing import Subject
    from harness.reducing.references import Reference
    from harness.reducing.smallest import Smallest
    from harness.reducing.start import Bench, Start
    from harness.reducing.written import Shown


def shown(
    subject: Subject,
    cell: Cell,
    bench: Bench,
    reduced: Callable[[Start], Smallest],
    against: Reference | None = None,
) -> Shown:
    """Return what the reproducer of a case on a cell is made of.

    `against` is as `started` takes it. Raise ConfigurationError where no reproducer can be made.
    """
    if unreduced.is_unreduced(subject):
        return unreduced.shown_by(subject, cell, bench.probes)
    try:
        start = started(subject, cell, bench, against)
    except NotReducibleError as error:
        return standing.shown_by(subject, cell, bench, str(error))
    return written.shown_by(reduced(start))
