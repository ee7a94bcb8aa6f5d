"""A campaign runs what was chosen, records it whoever asks, and ends at once when it is closed.

Everything is real but the build: in place of our worker with onnxruntime stands the ACTOR, a
program that speaks the wire and does what the folder of a case is called.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

import harness
from harness.baseline import BASELINES
from harness.campaign import CORPORA, Campaign, Settings, Work
from harness.controller import cell as cell_module
from harness.environments.interpreter import Interpreter
from harness.environments.sources import Sources
from harness.errors import ConfigurationError
from harness.matrix import read_matrix
from harness.properties.search import Search
from harness.results import CellState
from harness.store.names import run_ids
from harness.store.run import read_run
from harness.suites import Suites
from harness.verdicts import Verdict
from harness.wire.outcomes import Outcome
from harness.worker.models import smallest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.report.summary import Judged
    from harness.store.run import Run

    Start = Callable[..., Campaign]

PATIENCE_S = 60.0
RUN = "20260101-000000-aaaa"
RUNNING = "{}.{}".format(*sys.version_info)
ALPHA, BETA = (f"{name}-1.32.0-py{RUNNING.replace('.', '')}" for name in ("alpha", "beta"))
MATRIX = """
[limits]
deadline_s = 300
memory_mib = 1024

[corpora.mine]
path = "mine"
"""
VARIANT = """
[variant.{name}]
distribution = "onnxruntime"
release = "1.32.0"
device = "CPU"
pythons = ["{python}"]
platforms = ["linux-x86_64"]
environment = {{ ACTOR = "{name}", SEEN = "{seen}" }}
host_devices = ["/nowhere"]
tags = [{tag}]
suites = ["mine"]
"""
ACTOR = """
import os, sys, time
from pathlib import Path
from harness.wire.channel import Channel
from harness.wire.messages import PROTOCOL, Evidence, Hello, Reply, Request
from harness.wire.outcomes import Outcome

channel = Channel.inherit(int(sys.argv[sys.argv.index("--channel") + 1]))
me, seen = os.environ["ACTOR"], Path(os.environ["SEEN"])

poison = []

def hang():
    time.sleep(1000)

def act(case, attempt):
    match case.split("-"):
        case ["fail", *_] | ["flaky", *_] if attempt == 1:
            return Outcome.FAIL, Evidence(text="y differs")
        case ["fail", "then", "hang"] | ["hang", *_]:
            hang()
        case ["fail", *_]:
            return Outcome.FAIL, Evidence(text="y differs")
        case ["crash", *_]:
            os.abort()
        case ["poison", *_]:
            poison.append(case)
        case ["victim", *_] if poison:
            return Outcome.FAIL, Evidence(text="something is in the water")
    return Outcome.PASS, Evidence()

channel.send(
    Hello(
        protocol=PROTOCOL,
        release="1.32.0",
        distributions=("onnxruntime==" + ("9.9.9" if me == "broken" else "1.32.0"),),
        providers=(),
        python="{}.{}.{}".format(*sys.version_info),
        numpy="none",
    ).to_json()
)
while (message := channel.receive()) is not None:
    request = Request.from_json(message)
    if request.procedure == "canary/device" and me == "deviceless":
        outcome, evidence = Outcome.ERROR, Evidence(stage="open", text="no device")
    elif request.procedure.startswith("canary/"):
        outcome, evidence = Outcome.PASS, Evidence()
    else:
        case = Path(request.arguments["model"]["file"]).parent.name
        attempt = len(list(seen.glob(f"{case}.*"))) + 1
        (seen / f"{case}.{attempt}.{os.getpid()}").touch()
        outcome, evidence = act(case, attempt)
    channel.send(Reply(number=request.number, outcome=outcome, evidence=evidence).to_json())
"""


@pytest.fixture
def seen(tmp_path: Path) -> Path:
    """Return the folder where the ACTOR leaves a file per case, attempt and process id."""
    folder = tmp_path / "seen"
    folder.mkdir()
    return folder


@pytest.fixture
def root(tmp_path: Path, seen: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a matrix of four variants, on which the ACTOR stands for the build."""
    stage = tmp_path / "stage" / "harness"
    shutil.copytree(Path(harness.__file__).parent / "wire", stage / "wire")
    (stage / "worker").mkdir()
    for path in (stage, stage / "worker"):
        (path / "__init__.py").touch()
    (stage / "worker" / "__main__.py").write_text(ACTOR, encoding="utf-8")
    python = Interpreter(python=Path(sys.executable), folder=tmp_path, key="", distributions={})
    monkeypatch.setattr(cell_module, "ensure", lambda *_args, **_options: python)
    monkeypatch.setattr(cell_module, "staged_worker", lambda _cache: stage.parent)
    monkeypatch.setenv("ORT_MATRIX_CACHE", str(tmp_path / "cache"))
    tags = {"alpha": '"default"', "beta": '"nightly"', "broken": "", "deviceless": ""}
    variants = [
        VARIANT.format(name=name, python=RUNNING, seen=seen, tag=tag) for name, tag in tags.items()
    ]
    (tmp_path / "matrix.toml").write_text(MATRIX + "".join(variants), encoding="utf-8")
    return tmp_path


@pytest.fixture
def told() -> list[str]:
    """Return what the campaigns of a test tell."""
    return []


@pytest.fixture
def start(root: Path, told: list[str]) -> Iterator[Start]:
    """Return what starts a campaign over some cases, and see that no worker outlives the test."""
    campaigns: list[Campaign] = []

    def begin(*cases: str, **options: object) -> Campaign:
        add_cases(root / "mine", *cases)
        settings = Settings(root=root, matrix=root / "matrix.toml", runs=root / "runs", run=RUN)
        campaigns.append(Campaign(replace(settings, **options), told.append))  # type: ignore[arg-type]
        return campaigns[-1]

    before = set(psutil.Process().children(recursive=True))
    yield begin
    for campaign in campaigns:
        campaign.close()
    assert set(psutil.Process().children(recursive=True)) - before == set()


def add_cases(corpus: Path, *names: str) -> Path:
    """Put cases into a corpus, each a model without data."""
    for name in names:
        (corpus / name).mkdir(parents=True)
        (corpus / name / "model.onnx").write_bytes(smallest.identity())
    return corpus


def expect(root: Path, variant: str, case: str, outcome: str) -> None:
    """Write down what is known of a case."""
    path = root / BASELINES / f"{variant}.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(f'[[expect]]\noutcome = "{outcome}"\nreason = "r"\ncases = ["{case}"]\n')


def selected(campaign: Campaign) -> list[Work]:
    """Return the recorded selection of the suite `mine` on the campaign's first cell."""
    campaign.open(campaign.cells[0])
    works = campaign.work(campaign.cells[0], "mine")
    campaign.record_selection(works)
    return works


def by_name(judged: list[Judged]) -> dict[str, tuple[Outcome, Outcome | None, Verdict]]:
    """Return each case's outcome, second outcome and verdict."""
    return {
        one.result.case.removeprefix("mine/"): (one.result.outcome, one.result.again, one.verdict)
        for one in judged
    }


def stored(root: Path) -> Run:
    """Return the run as it stands."""
    return read_run(root / "runs", RUN)


def cases_of(run: Run) -> list[str]:
    """Return the cases that have a result, by name."""
    return sorted(case.removeprefix("mine/") for _, case in run.results)


def wait_for(condition: Callable[[], object]) -> None:
    """Return once the condition holds; on a machine where it never does, fail."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def close_within_patience(campaign: Campaign) -> bool:
    """Close a campaign and say whether that came to an end."""
    closing = threading.Thread(target=campaign.close, daemon=True)
    closing.start()
    closing.join(PATIENCE_S)
    return not closing.is_alive()


@pytest.mark.parametrize(
    ("names", "cells"),
    [
        ((), (ALPHA,)),
        (("beta",), (BETA,)),
        (("beta", "alpha"), (BETA, ALPHA)),
        (("alpha", "alpha-1.32.0", ALPHA, "beta", "alpha"), (ALPHA, BETA)),
    ],
)
def test_settings_choose_the_cells(
    start: Start, names: tuple[str, ...], cells: tuple[str, ...]
) -> None:
    """Without a name it is the variants tagged default; one cell under several names is one."""
    campaign = start(cells=names)

    found = tuple(cell.id for cell in campaign.cells)

    assert found == cells


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("alhpa", "unknown variant 'alhpa'. Did you mean 'alpha'?"),
        ("alpha-0.1.0", "'0.1.0' is too old"),
        ("alpha/1", "'alpha/1' names no cell"),
    ],
)
def test_a_cell_that_cannot_be_is_refused(start: Start, name: str, said: str) -> None:
    """A mistyped cell ends the campaign before anything is made."""
    names = ("alpha", name)

    with pytest.raises(ConfigurationError) as error:
        start(cells=names)

    assert said in str(error.value)


def test_a_baseline_that_is_wrong_is_refused_at_once(start: Start, root: Path) -> None:
    """A mistake in the file of a chosen variant is told before its cell is opened."""
    expect(root, "alpha", "mine/a", "FIAL")

    with pytest.raises(ConfigurationError) as error:
        start()

    assert "alpha.toml: expect[0].outcome: unknown 'FIAL'" in str(error.value)


def test_an_unknown_suite_in_the_matrix_is_refused(start: Start, root: Path) -> None:
    """A variant can name only suites that there are."""
    path = root / "matrix.toml"
    path.write_text(path.read_text("utf-8").replace('["mine"]', '["mime"]'), encoding="utf-8")

    with pytest.raises(ConfigurationError) as error:
        start()

    assert "variant.alpha.suites: 'mime' is unknown. Did you mean 'mine'?" in str(error.value)


def test_a_case_of_an_unknown_suite_is_refused(root: Path) -> None:
    """What a case id begins with must be a suite; the known ones are told."""
    matrix, sources = read_matrix(root / "matrix.toml"), Sources(cache=root / "cache")
    suites = Suites(matrix, root, sources, Search())

    with pytest.raises(ConfigurationError) as error:
        suites.suite_of("onx/node/test_abs")

    assert suites.suite_of("onnx/node/test_abs") == "onnx"
    assert "no suite is called 'onx'. Known: onnx, models, fallback, " in str(error.value)
    assert str(error.value).endswith(", mine.")


def test_a_suite_that_a_variant_lacks_means_nothing_on_its_cell(start: Start, root: Path) -> None:
    """A name means itself where the variant has that suite; `corpora` means each corpus."""
    campaign = start(corpora=[root / "my own"])
    (cell,) = campaign.cells

    found = {name: list(campaign.suites_of(cell, name)) for name in ("mine", "onnx", CORPORA)}

    assert found == {"mine": ["mine"], "onnx": [], CORPORA: ["mine", "my own"]}


@pytest.mark.parametrize(
    ("folders", "taken"),
    [
        (("x/onnx",), "onnx"),
        (("x/models/",), "models"),
        (("elsewhere/mine",), "mine"),
        (("x/new", "y/new"), "new"),
        (("x/mine/../mine",), "mine"),
    ],
)
def test_a_corpus_with_a_taken_name_is_refused(
    start: Start, root: Path, folders: tuple[str, ...], taken: str
) -> None:
    """Two suites of one name would hide each other's cases."""
    corpora = [root / folder for folder in folders]

    with pytest.raises(ConfigurationError) as error:
        start(corpora=corpora)

    assert str(error.value).endswith(f"there is a suite called '{taken}' already")


def test_a_corpus_of_the_command_line_is_a_suite(start: Start, root: Path) -> None:
    """A folder of the user's runs as one that stands in the matrix."""
    campaign = start(corpora=[add_cases(root / "my own", "pass")])
    (cell,) = campaign.cells

    (work,) = campaign.work(cell, "my own")

    assert work.case.id == "my own/pass"
    assert campaign.judged(work).verdict is Verdict.EXPECTED


def test_patterns_choose_the_cases(start: Start) -> None:
    """Only what a pattern matches is work."""
    campaign = start("pass-1", "pass-2", "fail", patterns=["mine/pass*"])

    works = campaign.work(campaign.cells[0], "mine")

    assert [work.case.id for work in works] == ["mine/pass-1", "mine/pass-2"]


def test_a_stale_expectation_is_refused_whatever_is_chosen(start: Start, root: Path) -> None:
    """A case that is left out is no stale name; one that the suite does not have is."""
    expect(root, "alpha", "mine/fail", "FAIL")
    expect(root, "beta", "mine/gone", "FAIL")
    campaign = start("pass", "fail", patterns=["mine/pass"], cells=["alpha", "beta"])
    alpha, beta = campaign.cells
    campaign.work(alpha, "mine")

    with pytest.raises(ConfigurationError) as error:
        campaign.work(beta, "mine")

    assert "beta.toml: entry 1: cases: 'mine/gone' matches no case" in str(error.value)


@pytest.mark.parametrize("ahead", [True, False])
def test_a_case_is_judged_and_recorded(
    start: Start, root: Path, seen: Path, *, ahead: bool
) -> None:
    """Run ahead or when asked, what is unexpected is tried once more, on a worker of its own."""
    expect(root, "alpha", "mine/fail-known", "FAIL")
    expect(root, "alpha", "mine/pass-known", "FAIL")
    campaign = start("crash", "fail", "fail-known", "flaky", "pass", "pass-known")
    works = selected(campaign)
    if ahead:
        campaign.run_ahead(works)

    judged = [campaign.judged(work) for work in works]
    campaign.close()

    run = stored(root)
    assert by_name(judged) == {
        "crash": (Outcome.CRASH, Outcome.CRASH, Verdict.UNEXPECTED_FAILURE),
        "fail": (Outcome.FAIL, Outcome.FAIL, Verdict.UNEXPECTED_FAILURE),
        "fail-known": (Outcome.FAIL, None, Verdict.KNOWN_FAILURE),
        "flaky": (Outcome.FAIL, Outcome.PASS, Verdict.FLAKY),
        "pass": (Outcome.PASS, None, Verdict.EXPECTED),
        "pass-known": (Outcome.PASS, Outcome.PASS, Verdict.UNEXPECTED_PASS),
    }
    recorded = {one.result.case: (one.result.outcome, one.result.again) for one in judged}
    assert {case: (one.outcome, one.again) for (_, case), one in run.results.items()} == recorded
    assert run.complete
    pids = [path.suffix for path in seen.glob("fail.*")]
    # Twice for itself, and once more in front of the flake, in case that it spoilt it.
    assert 2 <= len(pids) == len(set(pids)) <= 3


def test_results_are_recorded_even_if_nobody_asks(start: Start, root: Path) -> None:
    """What runs ahead is in the run's folder the moment that it is there."""
    campaign = start(*(f"pass-{number}" for number in range(20)))
    works = selected(campaign)

    campaign.run_ahead(works)
    wait_for(lambda: len(stored(root).results) == 20)
    before = stored(root).complete
    campaign.close()

    assert not before
    assert stored(root).complete


def changed(work: Work, **of_procedure: bool) -> Work:
    """Return the work with something else said of its procedure."""
    procedure = replace(work.case.procedure, **of_procedure)  # type: ignore[arg-type]
    return replace(work, case=replace(work.case, procedure=procedure))


def test_a_case_that_wants_all_cores_comes_last(start: Start, root: Path) -> None:
    """What is run alone begins when everything else has ended, also what failed."""
    campaign = start("a", "fail", *(f"pass-{number}" for number in range(9)))
    first, *others = selected(campaign)
    alone = changed(first, alone=True)

    campaign.run_ahead([alone, *others])
    judged = campaign.judged(alone)
    campaign.close()

    assert judged.result.outcome is Outcome.PASS
    assert list(stored(root).results)[-1] == (ALPHA, alone.case.id)
    assert stored(root).complete


def test_a_close_ends_who_waits_to_be_alone(start: Start, root: Path, seen: Path) -> None:
    """A case that waits for one that hangs is dropped with it."""
    campaign = start("a", "hang")
    first, hanging = sorted(selected(campaign), key=lambda work: work.case.id)
    campaign.run_ahead([hanging, changed(first, alone=True)])
    wait_for(lambda: list(seen.glob("hang.*")))

    ended = close_within_patience(campaign)

    assert ended
    assert cases_of(stored(root)) == []


def test_a_case_with_a_worker_of_its_own_follows_nobody(start: Start, seen: Path) -> None:
    """Each time it is asked, a process answers that has carried out nothing before."""
    campaign = start("a", "b", "c")
    works = selected(campaign)

    for work in works:
        campaign.judged(changed(work, own_worker=True))
    campaign.close()

    assert len({path.suffix for path in seen.iterdir()}) == len(works)


def test_what_needs_no_device_is_tested_without_it(start: Start) -> None:
    """On a cell without its device such a case is asked; on a broken one nothing is."""
    campaign = start("a", cells=["deviceless", "broken"])
    (works,) = selected(campaign)
    elsewhere = [replace(works, cell=cell) for cell in campaign.cells]

    judged = [campaign.judged(changed(work, needs_device=False)) for work in elsewhere]
    campaign.close()

    assert [one.result.outcome for one in judged] == [Outcome.PASS, Outcome.NOT_TESTED]


def test_a_cell_is_opened_once_and_recorded(start: Start, root: Path, told: list[str]) -> None:
    """However often it is asked for, and by however many lanes, there is one."""
    campaign = start(*(f"pass-{number}" for number in range(8)))
    (cell,) = campaign.cells
    works = campaign.work(cell, "mine")

    campaign.run_ahead(works)
    judged = [campaign.judged(work) for work in works]
    again = campaign.open(cell)
    campaign.close()

    (path,) = (root / "runs" / RUN).iterdir()
    assert {one.verdict for one in judged} == {Verdict.EXPECTED}
    assert path.read_text("utf-8").count('"record":"cell"') == 1
    assert again is campaign.open(cell)
    assert told.count(f"{ALPHA}: making or reusing its environment") == 1
    assert told.count(f"{ALPHA}: READY") == 1


@pytest.mark.parametrize(
    ("name", "state", "reason"),
    [
        ("broken", CellState.BROKEN, "onnxruntime belongs to onnxruntime==9.9.9; wanted only"),
        ("deviceless", CellState.NO_DEVICE, "no device; this host has no /nowhere"),
    ],
)
def test_an_unusable_cell_is_recorded_and_its_cases_are_not_tested(
    start: Start, root: Path, name: str, state: CellState, reason: str
) -> None:
    """An outage ends nothing: the cell says why, and so does each case that is asked all the same.

    A missing device is told as such only where the host shows none.
    """
    campaign = start("fail", cells=[name])
    (work,) = selected(campaign)

    judged = campaign.judged(work)
    campaign.close()

    (record,) = stored(root).cells.values()
    assert record.state is state
    assert reason in record.reason
    assert judged.verdict is Verdict.NOT_TESTED
    assert judged.result.evidence.requirement == record.reason


@pytest.mark.parametrize("case", ["hang", "fail-then-hang"])
def test_a_close_in_the_middle_drops_what_we_killed(
    start: Start, root: Path, seen: Path, case: str
) -> None:
    """What hangs is ended with the campaign at once, and its death is nobody's outcome."""
    campaign = start("a-pass", case, "pass-later")
    works = selected(campaign)
    first, bad, later = sorted(works, key=lambda work: work.case.id)
    campaign.judged(first)
    campaign.run_ahead([bad])
    attempt = 2 if case == "fail-then-hang" else 1
    wait_for(lambda: list(seen.glob(f"{case}.{attempt}.*")))

    ended = close_within_patience(campaign)

    run = stored(root)
    assert ended
    assert later.case.id == "mine/pass-later"
    assert cases_of(run) == ["a-pass"]
    assert (run.damage, run.complete, run.ended) == ([], False, 1)


def test_a_close_ends_whoever_waits_for_a_result(start: Start, root: Path, seen: Path) -> None:
    """A thread that waits for a case that was begun, or that never will be, does not wait on."""
    hanging = [f"hang-{number}" for number in range(8)]
    campaign = start(*hanging)
    works = selected(campaign)
    campaign.run_ahead(works)
    wait_for(lambda: list(seen.glob("hang-0.*")))

    with ThreadPoolExecutor(2) as pool:
        begun, never = (pool.submit(campaign.judged, works[at]) for at in (0, -1))
        wait_for(lambda: works[0] not in campaign._ahead and works[-1] not in campaign._ahead)
        ended = close_within_patience(campaign)
        judged = begun.result(PATIENCE_S)

    assert ended
    assert judged.verdict is Verdict.INCONCLUSIVE
    assert isinstance(never.exception(PATIENCE_S), CancelledError)
    assert cases_of(stored(root)) == []


def test_a_campaign_that_did_nothing_leaves_no_run(start: Start, root: Path) -> None:
    """Only collecting writes nothing, and a second close does nothing."""
    campaign = start("pass")
    campaign.work(campaign.cells[0], "mine")

    campaign.close()
    campaign.close()

    assert run_ids(root / "runs") == []


@pytest.mark.parametrize(
    ("spoilt", "verdict", "poisoned_by"),
    [
        ("victim", Verdict.POISONED, "mine/poison-7"),
        ("flaky", Verdict.FLAKY, ""),
        ("fail", Verdict.UNEXPECTED_FAILURE, ""),
    ],
)
def test_a_poisoned_case_is_told_from_a_flake_and_from_a_real_failure(
    start: Start, root: Path, spoilt: str, verdict: Verdict, poisoned_by: str
) -> None:
    """Alone it passes, behind its predecessors it fails again: the one that spoils it is named."""
    campaign = start(*(f"pass-{n:02}" for n in range(20)), "poison-7", spoilt)
    works = {work.case.id: work for work in selected(campaign)}
    order = [*(f"pass-{n:02}" for n in range(9)), "poison-7"]
    order += [*(f"pass-{n:02}" for n in range(9, 20)), spoilt]

    judged = [campaign.judged(works[f"mine/{name}"]) for name in order]

    assert {one.verdict for one in judged[:-1]} == {Verdict.EXPECTED}
    result = judged[-1].result
    assert result.outcome is Outcome.FAIL
    assert (judged[-1].verdict, result.poisoned_by) == (verdict, poisoned_by)
    assert stored(root).results[ALPHA, f"mine/{spoilt}"].poisoned_by == poisoned_by


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this host has no /dev/full")
def test_a_result_that_cannot_be_recorded_is_told(start: Start) -> None:
    """A full disk reaches whoever asks for the result: it does not vanish in a lane."""
    campaign = start("pass")
    works = selected(campaign)
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, campaign._part._descriptor)
    os.close(full)
    campaign.run_ahead(works)

    with pytest.raises(ConfigurationError) as error:
        campaign.judged(works[0])

    assert "a result cannot be written" in str(error.value)
