"""A malformed model opened and run: the suite `malformed`."""

from __future__ import annotations

import contextlib
import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.wire.catalogue.malformed import MALFORMED, MALFORMED_APART
from harness.wire.malformed import MODEL_FILE, NEVER_SET, PLACE, Beside, MalformedCase, Stage, Wrong
from harness.wire.messages import Evidence, Request
from harness.wire.outcomes import Outcome
from harness.wire.settings import SessionSettings
from harness.worker.backend import Backend, BackendError, OpenError, OpenOptions
from harness.worker.bindings import BindingLimitError
from harness.worker.cases import Observation, implements
from harness.worker.cases.malformed.answers import Accepted, Refused, judged
from harness.worker.cases.malformed.digests import digest, holds
from harness.worker.cases.malformed.doctored import DoctoredBinding
from harness.worker.cases.malformed.made_inputs import NotMadeError, made_inputs
from harness.worker.cases.malformed.peak_memory import PeakMemory
from harness.worker.cases.refusals import NOT_HERE, said_by
from harness.worker.comparison import compare
from harness.worker.garbage import other_garbage
from harness.worker.tensors import NUMPY_TYPES, PackedTensor, element_type, load, read_blob

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.worker.bindings import Slot
    from harness.worker.under_test import UnderTest

PLAIN = SessionSettings(intra_threads=1, inter_threads=1, arena=False)
"""Every tensor comes from malloc, which fills it with the garbage of the process."""

MOST_SAID = 400
"""Characters of an error that are kept: some builds print the whole model."""


@implements(MALFORMED)
@implements(MALFORMED_APART)
def malformed(request: Request, under_test: UnderTest) -> Observation:
    """Open the model and run it three times, unless it is refused; say whether that is right."""
    case = MalformedCase.from_json(request.arguments)
    options = OpenOptions(
        device=request.device, strict=True, providers=request.providers, settings=PLAIN
    )
    if case.declares:
        under_test = replace(under_test, binding=DoctoredBinding(under_test.binding, case.declares))
    with _placed(case) as model, PeakMemory() as memory:
        trial = _Trial(case, lambda: under_test.open(model, options))
        answer = trial.answer()
    if isinstance(answer, Refused) and answer.status in NOT_HERE:
        requirement = f"{answer.status}: {answer.text}"
        return Observation(outcome=Outcome.NOT_TESTED, evidence=Evidence(requirement=requirement))
    outcome, text = judged(case, answer, grown_mib=memory.grown_mib)
    lacks = outcome in (Outcome.NOT_TESTED, Outcome.UNSUPPORTED)
    evidence = Evidence(
        text="" if lacks else text,
        requirement=text if lacks else "",
        stage=trial.stage,
        status=answer.status if isinstance(answer, Refused) else "",
        attached=trial.attached,
        answer={"digest": trial.digest} if trial.digest else {},
    )
    return Observation(outcome=outcome, evidence=evidence)


class _Trial:
    """One model tried, and how far it came."""

    def __init__(self, case: MalformedCase, open_it: Callable[[], Backend]) -> None:
        self.stage = Stage.OPEN
        self.attached = ""
        self.digest = ""
        """Of the outputs of the first run."""
        self._case = case
        self._open = open_it

    def answer(self) -> Refused | Accepted:
        """Return what the build, or the backend, made of it."""
        try:
            return self._accepted()
        except _RefusedError as refusal:
            return self._refused(refusal.error)
        except NotMadeError as error:
            return Accepted(not_run=str(error))

    def _accepted(self) -> Accepted:
        with _refusals():
            backend = self._open()
        with backend:
            self.attached = backend.attached
            inputs = self._inputs(backend)
            self.stage = Stage.RUN
            with _refusals():
                first = backend.run(inputs)
            self.digest = digest(first)
            if wrong := self._wrong(backend, first):
                return Accepted(wrong=wrong)
            with other_garbage(), _refusals():
                again = backend.run(inputs)
                with self._open() as second:
                    elsewhere = second.run(inputs)
        if any(digest(later) != self.digest for later in (again, elsewhere)):
            return Accepted(wrong=f"{Wrong.UNSET}: {NEVER_SET}")
        return Accepted()

    def _refused(self, error: Exception) -> Refused | Accepted:
        status, text = said_by(error)
        if isinstance(error, BindingLimitError):
            return Accepted(not_run=text)
        said = " ".join(text.split())[:MOST_SAID]
        if self.digest:
            return Accepted(wrong=f"refused when run again: {status}: {said}")
        by_backend = isinstance(error, BackendError) and not isinstance(error, OpenError)
        return Refused(stage=self.stage, status=status, text=said, by_backend=by_backend)

    def _inputs(self, backend: Backend) -> list[Any]:
        if self._case.inputs is None:
            return made_inputs(backend.inputs)
        return [load(value, self._case.data) for value in self._case.inputs]

    def _wrong(self, backend: Backend, outputs: list[Any]) -> str:
        """Return what speaks against the outputs, or ""."""
        if self._case.beside and holds(outputs, bytes.fromhex(self._case.beside.secret)):
            return "an output holds what stands in a file outside of the model's folder"
        for slot, value in zip(backend.outputs, outputs, strict=True):
            if wrong := unlike_declared(slot, value):
                return wrong
        if self._case.outputs is None:
            return ""
        if len(outputs) != (count := len(self._case.outputs)):
            return f"there are {len(outputs)} outputs where {count} are right"
        for slot, value, want in zip(backend.outputs, outputs, self._case.outputs, strict=True):
            if found := compare(slot.name, value, load(want, self._case.data), rtol=0, atol=0):
                return f"output {slot.name!r} is wrong: {found.text}"
        return ""


class _RefusedError(Exception):
    """The build or the backend raised something: what it is has still to be judged."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


@contextlib.contextmanager
def _refusals() -> Iterator[None]:
    """Tell what is raised inside from our own faults: a bare exception is an answer as well."""
    try:
        yield
    except Exception as error:
        raise _RefusedError(error) from error


def unlike_declared(slot: Slot, value: Any) -> str:
    """Return how a tensor differs from what its slot declares, or ""."""
    if not isinstance(value, np.ndarray | PackedTensor):
        return ""
    wanted = element_type(slot.type)
    if isinstance(value, PackedTensor):
        given, fits = value.element_type.ort_name, value.element_type is wanted
    else:
        given, fits = str(value.dtype), NUMPY_TYPES.get(wanted) == value.dtype if wanted else False
    if slot.type.startswith("tensor(") and not fits:
        return f"output {slot.name!r} {Wrong.UNDECLARED} {slot.type}, and is {given}"
    fits = len(slot.shape) == len(value.shape) and all(
        got == want
        for got, want in zip(value.shape, slot.shape, strict=True)
        if isinstance(want, int) and want >= 0
    )
    if slot.shape and not fits:  # () is a scalar, or no shape at all
        said = f"{list(slot.shape)}, and is {list(value.shape)}"
        return f"output {slot.name!r} {Wrong.UNDECLARED} {said}"
    return ""


@contextlib.contextmanager
def _placed(case: MalformedCase) -> Iterator[bytes | str]:
    """Give the model as it is to be opened: its bytes, or its path in a folder of its own."""
    model = case.model if isinstance(case.model, bytes) else read_blob(case.model)
    if case.beside is None:
        yield model
        return
    with tempfile.TemporaryDirectory(prefix="case-") as folder:
        place = os.fsencode(folder)
        model = model.replace(PLACE, b"/" * (len(PLACE) - len(place)) + place)
        _lay_out(Path(folder), case.beside, model)
        yield str(Path(folder, MODEL_FILE)) if case.beside.by_path else model


def _lay_out(folder: Path, beside: Beside, model: bytes) -> None:
    contents = {name: bytes.fromhex(digits) for name, digits in beside.files.items()}
    for name in beside.folders:
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name, content in {MODEL_FILE: model, **contents}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    for name, target in beside.links.items():
        (folder / name).symlink_to(folder / target)
