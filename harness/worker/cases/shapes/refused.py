"""Wrong inputs, each made of a right one: what is refused, what the error says, what works after.

An error must name the input before any other, what is wanted of it, and what was given.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.wire.catalogue.shapes import BUILD_REFUSES, REFUSES
from harness.wire.providers import CHAINS
from harness.wire.shapes import Fault, ShapeExample, ShapeModel, Wrong
from harness.worker.backend import Backend, BackendError, provider_options
from harness.worker.bindings import BindingError
from harness.worker.cases import Observation, implements
from harness.worker.cases.shapes.answers import (
    WrongError,
    checked,
    compare_outputs,
    judged,
    opened,
    options,
)
from harness.worker.cases.shapes.faults import Wronged, wrong_inputs
from harness.worker.cases.shapes.inputs import inputs_of
from harness.worker.cases.shapes.models import answer, input_type, model_bytes, versions
from harness.worker.tensors import NUMPY_TYPES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.wire.messages import Request
    from harness.worker.bindings import Session
    from harness.worker.under_test import UnderTest

TYPED = (BackendError, BindingError)


@implements(REFUSES)
def refuses(request: Request, under_test: UnderTest) -> Observation:
    """Run rightly, then with each fault, and rightly again after each of them."""
    example = ShapeExample.from_json(request.arguments)
    model, (before, *after) = example.model, example.runs
    with judged(under_test) as seen, opened(model, request, under_test, seen) as backend:
        checked(backend, model, before)
        for fault, run in zip(example.faults, after, strict=True):
            wronged = wrong_inputs(model, before, fault)
            _refused(backend, model, wronged)
            checked(backend, model, run)
        seen.has_run(backend)
    return seen.observation


@implements(BUILD_REFUSES)
def build_refuses(request: Request, under_test: UnderTest) -> Observation:
    """Hand wrong inputs to ONNX Runtime itself: an error, or numpy's answer, and nothing else."""
    example = ShapeExample.from_json(request.arguments)
    model, (before, after), (fault,) = example.model, example.runs, example.faults
    with judged(under_test) as seen:
        session, backend = _session(model, request, under_test)
        seen.attached, seen.stage, (seen.ir, _) = backend.attached, "run", versions(model)
        wronged = wrong_inputs(model, before, fault).inputs
        try:
            outputs = session.run(wronged)
        except BindingError:
            pass
        else:
            _taken_rightly(model, wronged, outputs, fault)
        values = [one.value for one in inputs_of(model, after)]
        outputs = session.run(dict(zip(model.names, values, strict=True)))
        compare_outputs(model, outputs, answer(model, values), values)
        seen.has_run(backend)
    return seen.observation


def _refused(backend: Backend, model: ShapeModel, wronged: Wronged) -> None:
    """Raise WrongError unless the run raises what tells a person what to mend."""
    try:
        outputs = backend.run(wronged.inputs)
    except TYPED as error:
        text = str(error)
    except Exception as error:
        found = f"{type(error).__name__}: {error}"
        raise WrongError(f"an error that is none of the backend's: {found}") from error
    else:
        given = [f"{np.asarray(one).dtype}{list(np.shape(one))}" for one in outputs]
        raise WrongError(f"{wronged.blamed or 'the inputs'}: taken without an error, gave {given}")
    if missing := [word for word in wronged.says if not _says(word, text)]:
        raise WrongError(f"the error does not say {missing}: {text}")
    places = {name: text.find(repr(name)) for name in (*model.names, wronged.blamed)}
    named = sorted((at, name) for name, at in places.items() if at >= 0)
    if wronged.blamed and (not named or named[0][1] != wronged.blamed):
        raise WrongError(f"the error does not blame {wronged.blamed!r} first: {text}")


def _says(word: str, text: str) -> bool:
    """Say whether a word stands in a text by itself."""
    return re.search(rf"(?<![\w.-]){re.escape(word)}(?![\w.-])", text) is not None


def _taken_rightly(
    model: ShapeModel, inputs: Mapping[str, Any], outputs: Sequence[Any], fault: Fault
) -> None:
    """Raise WrongError unless what was taken is what numpy makes of the same values."""
    if Wrong(fault.wrong) is Wrong.TYPE:
        raise WrongError(f"{fault.detail} was taken for {input_type(model, fault.input).ort_name}")
    values = [inputs[name] for name in model.names if name in inputs]
    try:
        of = [NUMPY_TYPES[input_type(model, index)] for index in range(len(values))]
        meant = [np.asarray(value).astype(dtype) for value, dtype in zip(values, of, strict=True)]
        want = answer(model, meant)
    except (TypeError, ValueError, IndexError) as error:
        raise WrongError(f"taken without an error, though numpy says {error}") from error
    compare_outputs(model, outputs, want, meant)


def _session(model: ShapeModel, request: Request, under_test: UnderTest) -> tuple[Session, Backend]:
    """Return a session that no backend stands before, and a backend that says where it ran."""
    asked = options(request)
    candidate = CHAINS[request.device][0]
    session = under_test.binding.create(
        model_bytes(model),
        provider=candidate.provider,
        options=provider_options(candidate, asked),
        settings=asked.settings,
    )
    return session, Backend(session, attached=candidate, options=asked, steps=())
