"""Every planted fault is seen by the oracle whose business it is, and a sound build by none."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fixtures.defects.planted import DEFECTS
from harness.controller.cell import THE_WORKER, CellUnderTest, Program
from harness.generate.cases import descriptions
from harness.generate.description import Description
from harness.report.summary import summarise
from harness.store.run import PartWriter, read_run
from harness.sweeping.fuzz import Fuzz
from harness.sweeping.known import FOLDER, all_known_of, read_known
from harness.sweeping.pack import packed_cases
from harness.sweeping.recording import operator_results, record
from harness.sweeping.single import generated_case, known_alone
from harness.sweeping.sweep import Stop, Sweep, Swept
from harness.triage.generated.changes import Judgement, Turn
from harness.triage.generated.disagreements import SAME_ON_CPU, Cause, Oracle, causes
from harness.verdicts import Verdict
from harness.wire.catalogue.generated import UNOPTIMISED
from harness.wire.malformed import Wrong
from harness.wire.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.defects import Defect
    from harness.corpus.generated.record import Packed
    from harness.sweeping.known import Known
    from tests.proof.conftest import Bench, Caught

ROOT = Path(__file__).parents[2]
CELL = "cpu"
OPERATORS = ("Add", "Relu", "Identity", "Gelu")
SEED = 5
CASES = 60
DEADLINE_S = 3.0
SEED_OF_SWEEPS = 1
CASES_OF_SWEEPS = 10_000
LONGEST_S = 20.0
SAID = {
    Oracle.DIES: "",
    Oracle.MEMORY: Wrong.UNSET,
    Oracle.OPTIMISATION: "unlike without optimisations",
    Oracle.REFERENCE: "data set 0: ",
}
"""What the text of a case's evidence has, by the oracle whose business it is."""
OF_GENERATED = {name: one for name, one in DEFECTS.items() if one.family == "generated"}


@pytest.fixture(scope="module")
def cases(bench: Bench) -> Sequence[Packed]:
    """Return some cases of four operators, two of which have the planted faults."""
    return packed_cases(list(descriptions(OPERATORS, SEED, CASES)), bench.sources.cache).cases


@pytest.mark.parametrize("defect", OF_GENERATED.values(), ids=list(OF_GENERATED))
def test_a_planted_fault_is_caught_by_its_oracle(
    defect: Defect, bench: Bench, caught: list[Caught], cases: Sequence[Packed], tmp_path: Path
) -> None:
    """The oracle names the operator, shows it again alone, and says nothing of the others."""
    program = Program(arguments=("-m", "fixtures.defects", defect.name), folder=ROOT)
    few = cases[:4] if defect.name == "add-hangs" else cases
    began = time.perf_counter()

    found, again = _fuzzed(bench, program, few, tmp_path)

    oracle = defect.caught_by.partition("/")[2]
    operator = defect.name.partition("-")[0].capitalize()
    assert {(one.oracle, one.operator) for one in found} == {(oracle, operator)}
    assert all(again)
    seconds = f"{time.perf_counter() - began:.1f}"
    caught.append((defect.name, CELL, f"generated: {found[0].oracle}", seconds))


def test_a_sound_build_shows_nothing(bench: Bench, cases: Sequence[Packed], tmp_path: Path) -> None:
    """None of the oracles says anything of the build that the faults are planted in."""
    found, _ = _fuzzed(bench, THE_WORKER, cases, tmp_path)

    assert found == []


@pytest.mark.parametrize(
    ("defect", "name", "oracle"),
    [
        ("add-wrong", "1:Add:13:5:2", Oracle.REFERENCE),
        ("add-wrong-the-second-time", "1:Add:13:5:2", Oracle.MEMORY),
        ("add-wrong-the-second-time", "1:Add:14:5:2", Oracle.MEMORY),
        ("add-wrong-when-optimised", "1:com.microsoft.GatedAdd:1:5:0", Oracle.OPTIMISATION),
        ("add-kills", "1:Add:14:5:2", Oracle.DIES),
    ],
)
def test_a_case_alone_is_asked_what_the_oracles_ask(
    defect: str, name: str, oracle: Oracle, bench: Bench, tmp_path: Path
) -> None:
    """It fails as it does among others, and is as well known; on a sound build it passes."""
    known = _known_where("* arguments", tmp_path, oracle)
    case = generated_case(f"generated/{name}", bench.sources.cache)
    cell = bench.matrix.cell(CELL)
    results = []
    for program in (THE_WORKER, Program(arguments=("-m", "fixtures.defects", defect), folder=ROOT)):
        opened = CellUnderTest.open(cell, bench.sources, program)
        try:
            results.append(opened.execute("generated", case, cell.variant.limits))
        finally:
            opened.close()

    sound, faulty = results
    assert sound.outcome is Outcome.PASS
    assert faulty.outcome is (Outcome.CRASH if oracle is Oracle.DIES else Outcome.FAIL)
    assert SAID[oracle] in faulty.evidence.text
    assert known_alone(sound, known, bench.sources.cache) is None
    expectation = known_alone(faulty, known, bench.sources.cache)
    assert expectation is not None
    assert (expectation.reason, expectation.outcomes) == ("planted", (faulty.outcome,))
    assert known_alone(faulty, [], bench.sources.cache) is None


def test_all_that_is_wrong_of_a_case_alone_is_told(bench: Bench, tmp_path: Path) -> None:
    """Beside the right answer stands what is done without optimisations: the graver of both."""
    program = Program(arguments=("-m", "fixtures.defects", "add-wrong-when-optimised"), folder=ROOT)
    cell = bench.matrix.cell(CELL)
    opened = CellUnderTest.open(cell, bench.sources, program)
    case = generated_case("generated/1:Add:13:5:2", bench.sources.cache)
    try:
        result = opened.execute("generated", case, cell.variant.limits)
    finally:
        opened.close()

    assert result.evidence.text.startswith("data set 0: ")
    assert "differ" in result.evidence.answer[UNOPTIMISED]
    for oracle, is_known in ((Oracle.OPTIMISATION, True), (Oracle.REFERENCE, False)):
        known = _known_where("* arguments", tmp_path, oracle)
        assert bool(known_alone(result, known, bench.sources.cache)) is is_known


def test_what_the_cpu_ep_does_as_well_is_told_from_what_is_the_asked_eps(
    bench: Bench, tmp_path: Path
) -> None:
    """Of real faults of one openvino build: its own, and those that its CPU EP has as well."""
    own = ("1:Add:13:61:2", "1:chain/skip-layer-norm:13:61:0")
    both = ("1:ReduceLogSumExp:13:61:3", "1:OptionalGetElement:15:61:1", "1:MaxUnpool:9:62:-17")
    described = [Description.parse(name) for name in (*own, *both)]
    pack = packed_cases(described, bench.sources.cache)
    opened = CellUnderTest.open(bench.matrix.cell("openvino-1.24.1"), bench.sources)
    limits = opened.cell.variant.limits
    names = (own[0], *both[:2], "1:ai.onnx.ml.Binarizer:1:61:0")
    alone = [generated_case(f"generated/{name}", bench.sources.cache) for name in names]
    oracles = (Oracle.REFERENCE, Oracle.OPTIMISATION)
    known = [one for of in oracles for one in _known_where(SAME_ON_CPU, tmp_path, of)]
    try:
        fuzz = Fuzz(opened=opened, against=None, deadline_s=LONGEST_S)
        found = causes(pack.cases, fuzz.sights(pack.cases, tmp_path))
        expected = [
            known_alone(
                opened.execute("generated", one, limits),
                known,
                bench.sources.cache,
                opened.on_cpu().execute("generated", one, limits),
            )
            for one in alone
        ]
    finally:
        opened.close()

    told = {one.smallest.case.description: SAME_ON_CPU in one.about[0] for one in found}
    assert told == dict.fromkeys(own, False) | dict.fromkeys(both, True)
    reasons = [one.reason if one else "" for one in expected]
    assert reasons == ["", "planted", "planted", "right, and all of it was left to the CPU EP"]


def test_another_build_is_outvoted(bench: Bench, cases: Sequence[Packed], tmp_path: Path) -> None:
    """Where one of two builds is wrong the reference evaluator decides which of them is alone."""
    wrong = Program(arguments=("-m", "fixtures.defects", "add-wrong"), folder=ROOT)
    cell = bench.matrix.cell(CELL)
    sound = CellUnderTest.open(cell, bench.sources)
    faulty = CellUnderTest.open(cell, bench.sources, wrong)

    try:
        fuzz = Fuzz(opened=sound, against=faulty, deadline_s=DEADLINE_S)
        found = causes(cases, fuzz.sights(cases, tmp_path))
    finally:
        sound.close()
        faulty.close()

    assert {(one.oracle, one.operator) for one in found} == {(Oracle.AGAINST, "Add")}
    assert {one.smallest.vote.dissenter for one in found} == {"the other cell"}


def test_a_sweep_tells_where_a_fault_came(
    bench: Bench, cases: Sequence[Packed], tmp_path: Path
) -> None:
    """Between a sound and a faulty build one change point stands, for the worse, with its votes."""
    stop = Stop(label="sound", cell=bench.matrix.cell(CELL), deadline_s=DEADLINE_S)
    swept = Swept(cases=cases)
    for label, name in (("sound", ""), ("faulty", "add-wrong-when-optimised")):
        program = Program(arguments=("-m", "fixtures.defects", name), folder=ROOT)
        sweep = Sweep(bench.sources, tmp_path, lambda _: None, program if name else THE_WORKER)
        sweep.carry_out([replace(stop, label=label)], swept, None)

    points = Sweep(bench.sources, tmp_path, lambda _: None).points(swept, stop)

    assert [(one.operators, one.turn, one.judgement) for one in points] == [
        (("Add",), Turn.VALUE, Judgement.WORSE)
    ]
    assert points[0].smallest.votes == (
        "before: the reference agrees, unoptimised agrees; "
        "after: the reference disagrees, unoptimised disagrees"
    )


def test_a_control_is_found_from_the_seed_alone(bench: Bench, tmp_path: Path) -> None:
    """The edges that a sweep draws by itself show what strides of 0 did to Conv up to 1.27.0."""
    drawn = [one for one in descriptions((), SEED_OF_SWEEPS, CASES_OF_SWEEPS) if one.index < 0]
    swept = Swept(cases=packed_cases(drawn, bench.sources.cache).cases)
    stops = [
        Stop(label=release, cell=bench.matrix.cell(f"cpu-{release}"), deadline_s=LONGEST_S)
        for release in ("1.27.0", "1.28.0")
    ]
    sweep = Sweep(bench.sources, tmp_path, lambda _: None)

    sweep.carry_out(stops, swept, None)
    points = sweep.points(swept, stops[-1])

    (found,) = [one for one in points if (one.turn, one.sign) == (Turn.LIVES, "crashes: SIGFPE")]
    assert "Conv" in found.operators
    assert found.pattern.conditions[0] == "a stride of 0"


def test_a_run_shows_what_nobody_knows_of(
    bench: Bench, cases: Sequence[Packed], tmp_path: Path
) -> None:
    """A planted fault is a failure of its operator that nobody expected until an entry says so."""
    program = Program(arguments=("-m", "fixtures.defects", "add-wrong"), folder=ROOT)
    opened = CellUnderTest.open(bench.matrix.cell(CELL), bench.sources, program)
    try:
        fuzz = Fuzz(opened=opened, against=None, deadline_s=DEADLINE_S)
        results = operator_results(opened.cell.id, cases, fuzz.sights(cases, tmp_path), 1.0)
    finally:
        opened.close()
    with PartWriter.open(tmp_path, "run", part="fuzz", suites={}) as writer:
        record(writer, opened.record, results)
    file = tmp_path / FOLDER / "cpu.toml"
    file.parent.mkdir(parents=True)

    before = _verdicts(tmp_path, ROOT)
    file.write_text('[[known]]\noracle = "reference"\noperators = ["Add"]\nreason = "planted"\n')
    after = _verdicts(tmp_path, tmp_path)

    others = {f"generated/{name}": Verdict.EXPECTED for name in OPERATORS if name != "Add"}
    assert before == {"generated/Add": Verdict.UNEXPECTED_FAILURE, **others}
    assert after == {"generated/Add": Verdict.KNOWN_FAILURE, **others}


def _known_where(
    condition: str, folder: Path, oracle: Oracle = Oracle.REFERENCE
) -> Sequence[Known]:
    """Return one entry, for all operators, that asks for a condition."""
    file = folder / "known.toml"
    file.write_text(
        f'[[known]]\noracle = "{oracle}"\noperators = ["*"]\nwhen = ["{condition}"]\n'
        'reason = "planted"\n'
    )
    return read_known(file, "1.0")


def _verdicts(runs: Path, root: Path) -> dict[str, Verdict]:
    """Return the verdicts on a stored run's results, by what is known in a project's folder."""
    run = read_run(runs, "run")
    (cell,) = summarise(run, all_known_of(run.cells.values(), root))
    return {one.result.case: one.verdict for one in cell.judged}


def _fuzzed(
    bench: Bench, program: Program, cases: Sequence[Packed], folder: Path
) -> tuple[list[Cause], list[bool]]:
    opened = CellUnderTest.open(bench.matrix.cell(CELL), bench.sources, program)
    try:
        fuzz = Fuzz(opened=opened, against=None, deadline_s=DEADLINE_S)
        found = causes(cases, fuzz.sights(cases, folder))
        return found, fuzz.shows_again(found, folder / "again")
    finally:
        opened.close()
