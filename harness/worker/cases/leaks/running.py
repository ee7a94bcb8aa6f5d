"""The cases of `leaks` that run one session over and over."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.wire.catalogue import leaks as catalogue
from harness.wire.providers import DeviceRequest, ExecutionProvider
from harness.wire.values import ElementType
from harness.worker.backend import BackendError
from harness.worker.bindings import BindingError
from harness.worker.cases.leaks import models
from harness.worker.cases.leaks.work import (
    ADDITION,
    THREE,
    Stand,
    Work,
    drop,
    in_threads,
    leak_case,
    nothing,
    refused,
)
from harness.worker.tensors import PackedTensor

if TYPE_CHECKING:
    from collections.abc import Callable


def _runs(stand: Stand, model: bytes, feed: Callable[[], list[Any]], **options: Any) -> Work:
    """Return the work of running one session, on inputs that are made anew for each run."""
    backend = stand.open(model, replace(stand.options, **options))
    return Work(cycle=lambda: drop(backend.run(feed())), control=lambda: drop(feed()))


@leak_case(catalogue.SAME_INPUTS, runs=True)
def run_same_inputs(stand: Stand) -> Work:
    """Run on the same arrays."""
    return _runs(stand, ADDITION, lambda: [THREE, THREE])


@leak_case(catalogue.CHANGING_SHAPES, runs=True)
def run_changing_shapes(stand: Stand) -> Work:
    """Run on sixteen shapes in turn."""
    return _runs(stand, models.doubling(ElementType.FLOAT, ("a", "b")), _shaped(4, 5))


@leak_case(catalogue.NEW_SHAPES, runs=True, coarseness=4)
def run_new_shapes(stand: Stand) -> Work:
    """Run on ever new shapes, as many as there are runs.

    OpenVINO 1.24.1 keeps about 100 bytes for each of the first 3,000 shapes, and then no more.
    """
    return _runs(stand, models.doubling(ElementType.FLOAT, ("a", "b")), _shaped(61, 67))


def _shaped(rows: int, columns: int) -> Callable[[], list[Any]]:
    """Return what makes an input of the next of `rows` times `columns` shapes, all different."""
    made = 0

    def feed() -> list[Any]:
        nonlocal made
        made += 1
        return [np.zeros((1 + made % rows, 1 + made % columns), np.float32)]

    return feed


@leak_case(catalogue.FAILED_RUN, runs=True)
def failed_run(stand: Stand) -> Work:
    """Run on a wrong type, a wrong shape, one input too few and one of no known name."""
    backend = stand.open(ADDITION)
    wrong: tuple[Any, ...] = (
        [THREE.astype(np.int64), THREE],
        [THREE[:2], THREE],
        [THREE],
        {"x": THREE, "w": THREE, "z": THREE},
    )

    def cycle() -> None:
        for inputs in wrong:
            refused((BackendError, BindingError), backend.run, inputs)

    return Work(cycle=cycle)


@leak_case(catalogue.RUNS_IN_THREADS, runs=True)
def runs_in_threads(stand: Stand) -> Work:
    """Run one session in threads that end."""
    backend = stand.open(ADDITION)
    return Work(
        cycle=lambda: in_threads(lambda: backend.run([THREE, THREE])),
        control=lambda: in_threads(nothing),
    )


@leak_case(catalogue.INT64, runs=True)
def inputs_int64(stand: Stand) -> Work:
    """Run on int64."""
    model = models.doubling(ElementType.INT64, (3,))
    return _runs(stand, model, lambda: [np.arange(3)])


@leak_case(catalogue.STRINGS, runs=True)
def inputs_strings(stand: Stand) -> Work:
    """Run on strings, each of which is a new one."""
    model = models.handing_on(ElementType.STRING, (3,))
    made = 0

    def feed() -> list[Any]:
        nonlocal made
        made += 1
        return [np.array([f"{made + n:040d}" for n in range(3)], object)]

    return _runs(stand, model, feed)


@leak_case(catalogue.FLOAT16, runs=True)
def inputs_float16(stand: Stand) -> Work:
    """Run on float32 that is cast at the boundary."""
    model = models.doubling(ElementType.FLOAT16, (3,))
    providers = dict(stand.options.providers or {})
    if stand.options.device is DeviceRequest.OPENVINO_CPU:
        # It refuses the precision FP16 that fp16_io asks for; the cast is what is under test.
        given = providers.get(ExecutionProvider.OPENVINO, {})
        providers[ExecutionProvider.OPENVINO] = {"precision": "FP32", **given}
    return _runs(stand, model, lambda: [THREE.copy()], fp16_io=True, providers=providers)


@leak_case(catalogue.STRIDED, runs=True)
def inputs_strided(stand: Stand) -> Work:
    """Run on every second row of a transposed array."""
    model = models.doubling(ElementType.FLOAT, (4, 3))
    return _runs(stand, model, lambda: [np.zeros((3, 8), np.float32).T[::2]])


@leak_case(catalogue.SEQUENCES, runs=True)
def inputs_sequences(stand: Stand) -> Work:
    """Run on a sequence of two tensors."""
    model = models.handing_on_sequence(ElementType.FLOAT, (3,))
    return _runs(stand, model, lambda: [[THREE.copy(), THREE.copy()]])


@leak_case(catalogue.BFLOAT16, runs=True)
def inputs_bfloat16(stand: Stand) -> Work:
    """Run on bfloat16, which numpy lacks."""
    return _packed(stand, ElementType.BFLOAT16)


@leak_case(catalogue.FLOAT8, runs=True)
def inputs_float8(stand: Stand) -> Work:
    """Run on float8, which numpy lacks."""
    return _packed(stand, ElementType.FLOAT8E4M3FN)


def _packed(stand: Stand, of: ElementType) -> Work:
    data = bytes(4 * of.bits // 8)
    model = models.handing_on(of, (4,))
    return _runs(stand, model, lambda: [PackedTensor(element_type=of, shape=(4,), data=data)])
