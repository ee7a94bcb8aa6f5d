"""Whatever a worker does, its case gets the right outcome, and the next case gets a sound worker.

Real programs misbehave here: see fixtures/workers. Every test ends with the proof that no process,
no temporary folder and no descriptor was left behind.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from harness.cases import Worker
from harness.controller import process, supervisor
from harness.controller.process import Launch
from harness.controller.supervisor import Supervisor, Supervisors
from harness.errors import EnvironmentUnusableError
from harness.wire.messages import Request
from harness.wire.outcomes import Outcome
from harness.wire.providers import DeviceRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.results import Observed

ROOT = Path(__file__).parents[2]
WORKERS = ROOT / "fixtures" / "workers"
SHORT_S = 0.7
"""The deadline of what hangs."""
PATIENCE_S = 60.0
"""The deadline of what comes by itself, however busy the machine is."""
GRACE_S = process.STACKS_S + process.DEATH_S + process.ORPHANS_S
CONTROLLER = """
import sys
from harness.controller.process import Launch
from harness.controller.supervisor import Supervisor
from harness.wire.messages import Request
launch = Launch(
    command=tuple(sys.argv[2:]), environment={"PYTHONPATH": sys.argv[1]}, memory_limit_mib=1024
)
Supervisor(launch).execute(Request(procedure="misbehave", device="CPU"), deadline_s=600)
"""


def command(program: str, *arguments: str) -> tuple[str, ...]:
    """Return how one of the programs is started, with the options that a worker gets."""
    isolated = ("-P", "-s", "-X", "faulthandler")
    return (sys.executable, *isolated, str(WORKERS / program), *arguments)


def launch(*words: str, memory_limit_mib: int = 1024) -> Launch:
    """Return a launch of that command."""
    environment = {"PYTHONPATH": str(ROOT)}
    return Launch(command=words, environment=environment, memory_limit_mib=memory_limit_mib)


def left_behind(folder: Path) -> list[psutil.Process]:
    """Return the living processes whose temporary files go under a folder, orphans included."""
    return [alive for alive in psutil.process_iter() if is_under(alive, folder)]


def is_under(alive: psutil.Process, folder: Path) -> bool:
    """Say whether a process's temporary files go under a folder."""
    try:
        return Path(alive.environ().get("TMPDIR", "/")).is_relative_to(folder)
    except psutil.Error:  # a stranger's, or a zombie
        return False


def wait_for(condition: Callable[[], object]) -> None:
    """Return once the condition holds; on a machine where it never does, fail."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the folder of all temporary files, and check that nothing is left when all is over."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    descriptors = psutil.Process().num_fds()
    yield folder
    assert left_behind(tmp_path) == []
    assert list(folder.iterdir()) == []
    assert psutil.Process().num_fds() == descriptors


@pytest.fixture
def start(temporary: Path) -> Iterator[Callable[..., Supervisor]]:
    """Return what makes a supervisor of the worker that misbehaves in the named way."""
    assert temporary.exists()
    made: list[Supervisor] = []

    def make(way: str, **options: Any) -> Supervisor:
        made.append(Supervisor(launch(*command("misbehaving.py", way), **options)))
        return made[-1]

    yield make
    for each in made:
        each.close()


def behave(worker: Supervisor, which: Worker = Worker.ANY) -> Observed:
    """Return what came of a case that every worker carries out rightly."""
    request = Request(procedure="behave", device=DeviceRequest.CPU)
    return worker.execute(request, deadline_s=PATIENCE_S, worker=which)


def misbehave(worker: Supervisor, deadline_s: float = PATIENCE_S) -> Observed:
    """Return what came of the case in which the worker misbehaves."""
    request = Request(procedure="misbehave", device=DeviceRequest.CPU)
    return worker.execute(request, deadline_s=deadline_s)


def pid(observed: Observed) -> int:
    """Return the process that carried a case out."""
    return int(observed.evidence.answer["pid"])


@dataclass(frozen=True, kw_only=True)
class Story:
    """Three cases in a row; the worker misbehaves in the second."""

    before: Observed
    bad: Observed
    living: list[psutil.Process]
    """What was still there right after it."""
    after: Observed

    @property
    def next_case_is_right(self) -> bool:
        """Whether nothing was left of the bad worker, and a new one was in its place."""
        return (
            not self.living
            and self.before.outcome is self.after.outcome is Outcome.PASS
            and pid(self.before) != pid(self.after)
        )


@pytest.fixture
def story(start: Callable[..., Supervisor], temporary: Path) -> Callable[..., Story]:
    """Return what lives through the three cases with the worker that misbehaves in a way."""

    def live_through(way: str, deadline_s: float = PATIENCE_S, **options: Any) -> Story:
        worker = start(way, **options)
        before = behave(worker)
        bad = misbehave(worker, deadline_s)
        return Story(before=before, bad=bad, living=left_behind(temporary), after=behave(worker))

    return live_through


def test_a_good_worker_is_greeted_and_passes(temporary: Path) -> None:
    """A program that knows the wire only from its description says hello and carries out cases."""
    worker = Supervisor(launch(*command("well_behaved.py")))

    hello, first, second = worker.hello(), behave(worker), misbehave(worker)
    worker.close()

    assert hello.distributions == ("onnxruntime==1.0.0",)
    assert first.outcome is second.outcome is Outcome.PASS
    assert pid(first) == pid(second)
    assert left_behind(temporary) == []


@pytest.mark.parametrize(
    ("way", "name"),
    [
        ("segfault", "SIGSEGV"),
        ("divide_by_zero", "SIGFPE"),
        ("be_killed", "SIGKILL"),
        ("abort", "SIGABRT"),
        ("send_half_a_line_and_crash", "SIGABRT"),
        ("close_the_channel_and_crash", "SIGABRT"),
        ("leave_a_grandchild_and_crash", "SIGSEGV"),
    ],
)
def test_a_fatal_signal_is_a_crash_with_its_name(
    story: Callable[..., Story], way: str, name: str
) -> None:
    """However a signal ends the worker, its name is told, and at once."""
    lived = story(way)

    assert lived.bad.outcome is Outcome.CRASH
    assert (lived.bad.evidence.signal, lived.bad.evidence.exit_status) == (name, None)
    assert lived.bad.evidence.text == f"ended by {name}"
    assert lived.bad.duration_s < PATIENCE_S
    assert lived.next_case_is_right


def test_a_crash_leaves_its_stack_in_the_log(story: Callable[..., Story]) -> None:
    """The evidence of a segmentation fault says in which Python line it happened."""
    lived = story("segfault")

    assert "Fatal Python error: Segmentation fault" in lived.bad.evidence.log
    assert "in segfault" in lived.bad.evidence.log


def test_a_log_survives_its_deletion(story: Callable[..., Story]) -> None:
    """A worker that deletes the log file cannot take its last words with it."""
    lived = story("delete_the_log_and_crash")

    assert lived.bad.outcome is Outcome.CRASH
    assert lived.bad.evidence.log.startswith("last words")
    assert lived.next_case_is_right


def test_an_exit_status_without_a_reply_is_a_crash(story: Callable[..., Story]) -> None:
    """A library that ends the process with a failure is told by the exit status."""
    lived = story("exit_with_status_3")

    assert lived.bad.outcome is Outcome.CRASH
    assert (lived.bad.evidence.signal, lived.bad.evidence.exit_status) == ("", 3)
    assert lived.bad.evidence.text == "ended with exit status 3 and no reply"
    assert lived.next_case_is_right


def test_an_exit_with_success_and_no_reply_is_our_own_fault(story: Callable[..., Story]) -> None:
    """Nothing that a build does ends a worker with success, so no build is blamed."""
    lived = story("exit_with_success")

    assert lived.bad.outcome is Outcome.HARNESS_FAULT
    assert lived.bad.evidence.exit_status == 0
    assert lived.next_case_is_right


@pytest.mark.parametrize(
    "way",
    [
        "hang_in_native_code",
        "hang_deaf_to_signals",
        "hang_and_print",
        "send_half_a_line_and_hang",
        "send_a_line_in_drops",
        "reply_to_earlier_cases_only",
    ],
)
def test_no_reply_is_a_timeout(story: Callable[..., Story], way: str) -> None:
    """Silence and endless talk alike end with the deadline, plus the grace that is documented."""
    lived = story(way, SHORT_S)

    assert lived.bad.outcome is Outcome.TIMEOUT
    assert lived.bad.evidence.text == "hung: no answer within 0.7 s"
    assert SHORT_S <= lived.bad.duration_s < SHORT_S + GRACE_S
    assert len(lived.bad.evidence.log) <= process.LOG_TAIL
    assert lived.next_case_is_right


def test_a_hang_leaves_its_stack_in_the_log(story: Callable[..., Story]) -> None:
    """Even where native code holds the GIL, the evidence says in which Python line it hangs."""
    lived = story("hang_in_native_code", SHORT_S)

    assert "Fatal Python error: Aborted" in lived.bad.evidence.log
    assert "in hang\n" in lived.bad.evidence.log
    assert "in hang_in_native_code\n" in lived.bad.evidence.log


def test_a_request_that_nobody_takes_is_a_timeout(start: Callable[..., Supervisor]) -> None:
    """A worker that reads nothing holds a long request no longer than the deadline."""
    worker = start("say_hello_and_read_nothing")
    request = Request(procedure="behave", device=DeviceRequest.CPU, arguments={"long": "x" * 2**22})

    observed = worker.execute(request, deadline_s=SHORT_S)

    assert observed.outcome is Outcome.TIMEOUT
    assert observed.evidence.text == "hung: took no request within 0.7 s"
    assert observed.duration_s < SHORT_S + GRACE_S


@pytest.mark.parametrize(
    ("way", "text"),
    [
        ("send_garbage", "not JSON: b'\\xff\\xfe libnoise: warning'"),
        ("send_a_list", "not an object: b'[1, 2]'"),
        ("send_deep_nesting", "not JSON: b'[[["),
        ("send_an_endless_line", "no end of line within 67108864 bytes"),
        ("send_a_malformed_reply", "a malformed reply: KeyError('outcome')"),
        ("send_an_unknown_outcome", "'SPLENDID' is not a valid Outcome"),
        ("reply_to_a_later_case", "a reply to 3, which nobody asked"),
        ("close_the_channel_and_live_on", "closed the channel and lived on"),
    ],
)
def test_babble_is_our_own_fault(story: Callable[..., Story], way: str, text: str) -> None:
    """What breaks the rules of the wire says nothing about a build."""
    lived = story(way)

    assert lived.bad.outcome is Outcome.HARNESS_FAULT
    assert text in lived.bad.evidence.text
    assert (lived.bad.evidence.signal, lived.bad.evidence.exit_status) == ("", None)
    assert lived.next_case_is_right


@pytest.mark.parametrize("way", ["reply_twice", "reply_to_an_earlier_case_first"])
def test_a_reply_counts_for_its_own_case_only(start: Callable[..., Supervisor], way: str) -> None:
    """A second reply and a stale one change nothing, neither in this case nor in the next."""
    worker = start(way)

    before, doubled, after = behave(worker), misbehave(worker), behave(worker)

    assert doubled.evidence.answer["answer"] == "first"
    assert "answer" not in after.evidence.answer
    assert before.outcome is doubled.outcome is after.outcome is Outcome.PASS
    assert pid(before) == pid(doubled) == pid(after)


@pytest.mark.parametrize("way", ["eat_memory", "eat_memory_and_chatter"])
def test_memory_over_the_limit_is_a_crash(story: Callable[..., Story], way: str) -> None:
    """A worker that takes too much memory is ended, also while it sends messages."""
    lived = story(way, memory_limit_mib=128)

    assert lived.bad.outcome is Outcome.CRASH
    assert "resident memory over 128 MiB" in lived.bad.evidence.text
    assert lived.next_case_is_right


@pytest.mark.parametrize(
    ("way", "ask"), [("abort", behave), ("leave_a_grandchild_and_reply", misbehave)]
)
def test_a_worker_killed_between_two_cases_is_replaced(
    start: Callable[..., Supervisor], way: str, ask: Callable[[Supervisor], Observed]
) -> None:
    """A stranger's kill between two cases is blamed on neither, also if the channel stays open."""
    worker = start(way)
    before = ask(worker)
    os.kill(pid(before), signal.SIGKILL)
    wait_for(lambda: psutil.Process(pid(before)).status() == psutil.STATUS_ZOMBIE)

    after = behave(worker)

    assert after.outcome is Outcome.PASS
    assert pid(after) != pid(before)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of data left unread")
@pytest.mark.parametrize("way", ["reply_and_leave_the_next_request_unread", "reply_and_hang_up"])
def test_a_death_without_reading_the_request_is_not_blamed_on_it(
    story: Callable[..., Story], way: str
) -> None:
    """A case that the worker never heard of is asked again of a fresh worker."""
    lived = story(way)

    assert lived.bad.outcome is Outcome.PASS
    assert lived.after.outcome is Outcome.PASS
    assert pid(lived.after) != pid(lived.bad)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of data left unread")
def test_two_deaths_in_a_row_without_reading_are_told(start: Callable[..., Supervisor]) -> None:
    """A build whose every worker dies after its hello is not started for ever."""
    worker = start("crash_on_the_first_request")

    observed = behave(worker)

    assert observed.outcome is Outcome.CRASH
    assert observed.evidence.text == "ended by SIGABRT before it read the request"


@pytest.mark.parametrize(
    ("way", "text"),
    [
        ("say_nothing", "said no hello: hung: no answer within 0.7 s"),
        ("crash_before_the_hello", "said no hello: ended by SIGSEGV\n"),
        ("say_garbage", "said no hello: sent what is not a message: not JSON"),
        ("say_half_a_hello", "the worker's hello is malformed: 'distributions'"),
        ("speak_another_protocol", "the worker speaks protocol 3, wanted 2"),
        ("say_why_it_cannot_start", "cannot start:\nImportError: libcudart.so.12"),
    ],
)
def test_a_worker_without_a_right_hello_is_an_unusable_environment(
    start: Callable[..., Supervisor],
    temporary: Path,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
    text: str,
) -> None:
    """Before any case, what keeps a worker from its hello is told as the environment's fault."""
    deadline_s = SHORT_S if way == "say_nothing" else PATIENCE_S
    monkeypatch.setattr(supervisor, "HELLO_DEADLINE_S", deadline_s)
    worker = start(way)

    with pytest.raises(EnvironmentUnusableError) as error:
        worker.hello()

    assert text in str(error.value)
    assert left_behind(temporary) == []


def test_a_crash_before_the_hello_tells_its_stack(start: Callable[..., Supervisor]) -> None:
    """The error of a build that cannot be imported says where the import crashed."""
    worker = start("crash_before_the_hello")

    with pytest.raises(EnvironmentUnusableError) as error:
        worker.hello()

    assert "Fatal Python error: Segmentation fault" in str(error.value)
    assert "in segfault" in str(error.value)


@pytest.mark.usefixtures("temporary")
def test_a_program_that_is_not_there_is_an_unusable_environment() -> None:
    """An interpreter that was deleted is named."""
    worker = Supervisor(launch("/nowhere/python"))

    with pytest.raises(EnvironmentUnusableError) as error:
        worker.hello()

    assert "'/nowhere/python'" in str(error.value)


def test_a_worker_is_kept_unless_a_fresh_one_is_asked(
    start: Callable[..., Supervisor], temporary: Path
) -> None:
    """ANY takes the worker that is there; a FRESH one does nothing before and after."""
    worker = start("abort")
    worker.hello()
    (greeted,) = left_behind(temporary)

    alone, first = behave(worker, Worker.FRESH), behave(worker)
    second, fresh = behave(worker), behave(worker, Worker.FRESH)

    assert greeted.pid == pid(alone)
    assert pid(first) == pid(second)
    assert len({pid(alone), pid(first), pid(fresh)}) == 3


def test_a_worker_outlives_the_thread_that_started_it(start: Callable[..., Supervisor]) -> None:
    """Linux kills a worker with the controller, and not already with one of its threads."""
    worker = start("abort")
    seen: list[Observed] = []
    thread = threading.Thread(target=lambda: seen.append(behave(worker)))
    thread.start()
    thread.join()

    after = behave(worker)

    assert pid(after) == pid(seen[0])


def test_a_process_left_behind_ends_with_its_worker(
    start: Callable[..., Supervisor], temporary: Path
) -> None:
    """What a case starts in the background is ended when the worker is closed."""
    worker = start("leave_a_grandchild_and_reply")
    misbehave(worker)
    wait_for(lambda: list(temporary.glob("*/hanging")))
    before = left_behind(temporary)

    worker.close()

    assert len(before) == 2
    assert left_behind(temporary) == []


@pytest.mark.parametrize("way", ["hang_in_native_code", "say_nothing"])
def test_a_close_ends_the_case_that_hangs(
    start: Callable[..., Supervisor], temporary: Path, way: str
) -> None:
    """Another thread that waits for the worker learns at once that there is none any more."""
    worker = start(way)

    with ThreadPoolExecutor(1) as pool:
        case = pool.submit(misbehave, worker)
        wait_for(lambda: list(temporary.glob("*/hanging")))
        worker.close()
        error = case.exception(timeout=PATIENCE_S / 2)

    assert isinstance(error, EnvironmentUnusableError)
    assert str(error) == "the supervisor is closed"
    assert left_behind(temporary) == []


def test_a_closed_supervisor_starts_nothing(
    start: Callable[..., Supervisor], temporary: Path
) -> None:
    """After the end there are no cases; a second close does nothing."""
    worker = start("abort")
    behave(worker)
    worker.close()
    worker.close()

    with pytest.raises(EnvironmentUnusableError) as error:
        behave(worker)

    assert str(error.value) == "the supervisor is closed"
    assert list(temporary.iterdir()) == []


@pytest.mark.usefixtures("temporary")
def test_supervisors_are_lent_one_to_each_and_end_together() -> None:
    """Two that are lent at once are two workers, one that is given back is lent again."""
    supervisors = Supervisors(launch(*command("well_behaved.py")))
    with supervisors.lent() as one, supervisors.lent() as other:
        first, second = behave(one), behave(other)
    with supervisors.lent() as again:
        third = behave(again)

    supervisors.close()

    assert pid(first) != pid(second)
    assert pid(third) in (pid(first), pid(second))
    with supervisors.lent() as one, supervisors.lent() as other, supervisors.lent() as late:
        for closed in (one, other, late):
            with pytest.raises(EnvironmentUnusableError):
                behave(closed)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_a_killed_controller_leaves_no_worker(temporary: Path) -> None:
    """After kill -9 of the controller, a worker that hangs with the GIL held is ended too."""
    folder = temporary.parent / "controller"
    folder.mkdir()
    program = (sys.executable, "-c", CONTROLLER, str(ROOT))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder)}
    worker = command("misbehaving.py", "hang_in_native_code")

    with subprocess.Popen([*program, *worker], env=environment) as controller:
        wait_for(lambda: list(folder.glob("*/hanging")))
        before = left_behind(folder)
        controller.kill()

    assert len(before) == 2
    wait_for(lambda: left_behind(folder) == [])
