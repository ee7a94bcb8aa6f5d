"""What may be asked of a worker is what a worker can do; it is known without onnxruntime."""

from __future__ import annotations

import importlib
import pkgutil

from harness.wire.catalogue import PROCEDURES
from harness.worker import __main__ as worker
from harness.worker import cases


def test_every_procedure_is_implemented_and_no_other() -> None:
    """The catalogue and the functions of the worker's suites are the same set."""
    asked = [procedure.id for procedure in PROCEDURES]

    done = set(cases.IMPLEMENTED)

    assert done == set(asked)
    assert len(asked) == len(set(asked))


def test_the_worker_imports_every_module_that_implements_something() -> None:
    """A suite that nobody imports would be missing in a real worker, though not here."""
    found = pkgutil.walk_packages(cases.__path__, f"{cases.__name__}.")
    names = [module.name for module in found]
    modules = [importlib.import_module(name) for name in names]

    implementing = {function.__module__ for function in cases.IMPLEMENTED.values()}

    assert implementing <= {module.__name__ for module in modules}
    assert implementing == {module.__name__ for module in worker.SUITES}


def test_every_procedure_says_what_it_is_about() -> None:
    """Each is told to a person in one sentence."""
    abouts = [procedure.about for procedure in PROCEDURES]

    unfinished = [about for about in abouts if not about.endswith(".")]

    assert not unfinished
