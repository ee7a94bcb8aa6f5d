"""Which turn mends a failure, which only changes it, and what cannot be turned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.matrix import Build, Cell, Limits, Variant
from harness.results import CaseResult
from harness.triage.attribution import (
    OPTIONS,
    Axis,
    Effect,
    Failure,
    Flip,
    Missing,
    Tried,
    begins_at,
    build_flips,
    deciding,
    session_flips,
    smallest,
    steady,
    without,
)
from harness.triage.optimisers import OPTIMISERS
from harness.wire.messages import Evidence
from harness.wire.outcomes import Outcome
from harness.wire.providers import DeviceRequest, ExecutionProvider
from harness.wire.settings import SessionSettings

if TYPE_CHECKING:
    from collections.abc import Sequence


def result(outcome: Outcome, text: str = "") -> CaseResult:
    """Return a result of one case."""
    evidence = Evidence(text=text)
    return CaseResult(
        cell="c", suite="s", case="s/a", outcome=outcome, duration_s=0.1, evidence=evidence
    )


def cell(device: DeviceRequest = DeviceRequest.CPU, release: str = "1.24.4") -> Cell:
    """Return a cell of a made-up variant."""
    variant = Variant(
        name="v",
        distribution="onnxruntime",
        release=release,
        device=device,
        pythons=("3.11", "3.12", "3.13"),
        platforms=("linux-x86_64",),
        limits=Limits(deadline_s=30, memory_mib=1024),
        requirements=("memray",),
        environment={"KEPT": "1"},
        host_devices=("/dev/device",),
    )
    return Cell(build=Build(variant=variant, release=release), python="3.11")


def tried(axis: Axis, *effects: Effect) -> list[Tried]:
    """Return a turn of an axis for each effect, numbered."""
    return [
        Tried(flip=Flip(axis=axis, value=f"{at}"), effect=effect, said="")
        for at, effect in enumerate(effects)
    ]


@pytest.mark.parametrize(
    ("outcome", "text", "effect"),
    [
        (Outcome.PASS, "", Effect.MENDS),
        (Outcome.FAIL, "3 of 9 differ", Effect.NOTHING),
        (Outcome.FAIL, "want shape", Effect.CHANGES),
        (Outcome.CRASH, "3 of 9 differ", Effect.CHANGES),
        (Outcome.NOT_TESTED, "no device", Effect.NOT_TOLD),
        (Outcome.HARNESS_FAULT, "a bug", Effect.NOT_TOLD),
    ],
)
def test_an_effect_is_told_by_the_signature(outcome: Outcome, text: str, effect: Effect) -> None:
    """Passing mends, the same signature is nothing, and an untested turn says nothing at all."""
    failure = steady([result(Outcome.FAIL, "8 of 9 differ")] * 3)
    assert failure is not None

    found = failure.effect(result(outcome, text))

    assert found is effect


def test_a_case_that_goes_both_ways_is_no_failure_to_explain() -> None:
    """One other outcome among the controls is enough."""
    results = [result(Outcome.FAIL), result(Outcome.FAIL), result(Outcome.PASS)]

    assert steady(results) is None


def test_an_unsteady_signature_leaves_the_outcome_to_go_by() -> None:
    """A leak's text names another line each time: then any failure of its outcome is the same."""
    failure = steady([result(Outcome.FAIL, "heap grows"), result(Outcome.FAIL, "threads grow")])
    assert failure is not None

    found = failure.effect(result(Outcome.FAIL, "descriptors grow"))

    assert failure.by_outcome
    assert found is Effect.NOTHING


def test_an_axis_decides_where_one_of_its_turns_mends() -> None:
    """To fail otherwise decides nothing; what decides is told in the order of the axes."""
    turns = [
        *tried(Axis.CPU_FEATURES, Effect.NOTHING, Effect.MENDS),
        *tried(Axis.ARENA, Effect.CHANGES, Effect.NOT_TOLD),
        *tried(Axis.PROVIDER, Effect.MENDS),
    ]

    found = deciding(turns)

    assert found == (Axis.PROVIDER, Axis.CPU_FEATURES)


@pytest.mark.parametrize(
    ("effects", "begins"),
    [
        ([Effect.MENDS, Effect.MENDS, Effect.NOTHING, Effect.NOTHING], "2"),
        ([Effect.MENDS, Effect.CHANGES, Effect.NOTHING, Effect.NOTHING], "1"),
        ([Effect.NOTHING] * 4, ""),
        ([Effect.MENDS] * 4, ""),
        ([], ""),
    ],
)
def test_the_level_at_which_it_begins_is_told(effects: list[Effect], begins: str) -> None:
    """The first that no longer mends; nothing where no level mends or all do."""
    assert begins_at(tried(Axis.OPTIMISATION, *effects)) == begins


@pytest.mark.parametrize(
    ("culprits", "most"),
    [({"ConstantFolding"}, 20), ({"ConvAddFusion", "NhwcTransformer"}, 90), (set(), 1)],
)
def test_the_optimiser_is_found_by_halving(culprits: set[str], most: int) -> None:
    """One alone in few questions, two that only together mend as well, none where none does."""
    asked = []

    def mends(names: Sequence[str]) -> bool:
        asked.append(names)
        return bool(culprits) and culprits <= set(names)

    found = smallest(OPTIMISERS, mends)

    assert set(found) == culprits
    assert len(asked) <= most


def test_every_optimiser_is_named_once() -> None:
    """A name that stood twice would be halved against itself."""
    assert len(OPTIMISERS) == len(set(OPTIMISERS))


def test_session_turns_are_settings_that_sessions_have() -> None:
    """Each is taken by the settings of a session and changes them somehow from some start."""
    flips = [*session_flips(), without(["ConstantFolding"])]

    turned = [SessionSettings().turned(dict(flip.settings)) for flip in flips]

    assert len(turned) == len(flips)
    assert {flip.axis for flip in flips} >= {Axis.OPTIMISATION, Axis.OPTIMISER, Axis.ARENA}
    assert all(flip.on(cell()) == cell() for flip in flips)


def test_the_cpu_provider_is_asked_of_the_same_build() -> None:
    """The release stays, the device is the CPU, and no device file of the host is wanted."""
    asked = cell(DeviceRequest.CUDA)

    flips = {one.axis: one for one in build_flips(asked, "2.1.0", ()) if isinstance(one, Flip)}
    turned = flips[Axis.PROVIDER].on(asked)

    assert turned.build.release == asked.build.release
    assert turned.variant.device is DeviceRequest.CPU
    assert turned.variant.host_devices == ()


def test_what_is_turned_is_added_to_what_the_variant_has() -> None:
    """Requirements, environment and options of the variant stay beside the turned one."""
    asked = cell(DeviceRequest.OPENVINO_CPU)

    cells = [one.on(asked) for one in build_flips(asked, "2.3.5", ()) if isinstance(one, Flip)]

    numpys = [one for one in cells if "numpy<2" in one.build.requirements]
    isas = [one for one in cells if "ONEDNN_MAX_CPU_ISA" in one.variant.environment]
    options = [one.variant.providers.get(ExecutionProvider.OPENVINO, {}) for one in cells]
    assert [one.variant.requirements for one in numpys] == [("memray", "numpy<2")]
    assert {one.variant.environment["KEPT"] for one in isas} == {"1"}
    assert {"num_of_threads": "1"} in options


def test_what_cannot_be_turned_is_said() -> None:
    """No other Python here, MLAS without a switch, the CPU EP asked already, the oldest numpy."""
    found = [one for one in build_flips(cell(), "1.25.2", ("3.11",)) if isinstance(one, Missing)]

    assert [one.axis for one in found] == [
        Axis.PROVIDER,
        Axis.PROVIDER_OPTION,
        Axis.CPU_FEATURES,
        Axis.NUMPY,
        Axis.PYTHON,
    ]
    assert "3.12, 3.13" in found[-1].reason


def test_another_python_of_the_build_is_asked_where_the_host_has_it() -> None:
    """Of those that the build has wheels for, all that are here but its own."""
    found = build_flips(cell(), "2.1.0", ("3.10", "3.11", "3.13"))

    pythons = [one.python for one in found if isinstance(one, Flip) and one.axis is Axis.PYTHON]
    assert pythons == ["3.13"]


def test_no_option_is_turned_twice_to_one_value() -> None:
    """Each pair of a provider stands once, and the CPU EP has none."""
    for pairs in OPTIONS.values():
        assert len(pairs) == len(set(pairs))

    assert ExecutionProvider.CPU not in OPTIONS


def test_equal_failures_are_equal() -> None:
    """A failure is told by its signature alone, whatever figures the results have."""
    one, other = (steady([result(Outcome.FAIL, f"{n} of 9 differ")]) for n in (1, 2))

    assert one == other
    assert isinstance(one, Failure)
