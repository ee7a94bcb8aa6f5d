"""What may be asked of a worker is what a worker can do; it is known without onnxruntime."""

from __future__ import annotations

from harness.wire.catalogue import PROCEDURES
from harness.worker.cases import implemented


def test_every_procedure_is_implemented_and_no_other() -> None:
    """The catalogue and the functions of the worker's suites are the same set."""
    asked = [procedure.id for procedure in PROCEDURES]

    done = set(implemented())

    assert done == set(asked)
    assert len(asked) == len(set(asked))


def test_every_procedure_says_what_it_is_about() -> None:
    """Each is told to a person in one sentence."""
    abouts = [procedure.about for procedure in PROCEDURES]

    unfinished = [about for about in abouts if not about.endswith(".")]

    assert not unfinished
