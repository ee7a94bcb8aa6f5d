"""The index's answer becomes releases, oldest first, and only those that the worker can drive."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.environments import releases as module
from harness.environments.releases import DEADLINE_S, releases
from harness.errors import ConfigurationError, EnvironmentUnusableError
from harness.matrix import Limits, Variant
from harness.wire.providers import DeviceRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

CPU = Variant(
    name="cpu",
    distribution="onnxruntime",
    release="1.32.0",
    device=DeviceRequest.CPU,
    pythons=("3.11",),
    platforms=("linux-x86_64",),
    limits=Limits(deadline_s=30, memory_mib=1024),
)
ANSWER = """onnxruntime (1.32.0)
Available versions: 1.32.0, 1.24.1, 1.24.0rc1, 1.9.0, 1.16.0, 1.22.2.post3, 1.22.2, 1.15.1
  INSTALLED: 1.2.3
  LATEST:    1.32.0
"""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[tuple[str, float]]]:
    """Let the index answer with a text, and return what it is asked."""

    def answer_with(text: str) -> list[tuple[str, float]]:
        questions: list[tuple[str, float]] = []

        def answer(command: Sequence[str], *, doing: str, deadline_s: float) -> str:
            assert doing
            questions.append((" ".join(command), deadline_s))
            return text

        monkeypatch.setattr(module, "run_installer", answer)
        return questions

    return answer_with


def test_releases_are_told_oldest_first(asked: Callable[..., list[tuple[str, float]]]) -> None:
    """They sort as versions, not as words; what is older than the worker can drive is left out."""
    asked(ANSWER)

    found = releases(CPU)

    assert found == ("1.16.0", "1.22.2", "1.22.2.post3", "1.24.1", "1.32.0")


def test_candidates_are_told_where_they_are_asked_for(
    asked: Callable[..., list[tuple[str, float]]],
) -> None:
    """They stand before their release, and the index is asked to serve them."""
    questions = asked(ANSWER)

    found = releases(CPU, prereleases=True)

    assert found[3:5] == ("1.24.0rc1", "1.24.1")
    assert questions[0][0].endswith("versions onnxruntime --pre")


def test_a_wheelhouse_stands_in_for_the_index(tmp_path: Path) -> None:
    """The releases are those of the wheels in it, and no index is asked."""
    for release in ("1.24.1", "1.23.2", "1.25.0.dev20260417", "1.15.1"):
        tmp_path.joinpath(f"onnxruntime-{release}-cp311-cp311-linux_x86_64.whl").touch()
    tmp_path.joinpath("onnxruntime_gpu-1.20.1-cp311-cp311-linux_x86_64.whl").touch()

    found = releases(CPU, wheelhouse=tmp_path)
    with_candidates = releases(CPU, wheelhouse=tmp_path, prereleases=True)

    assert found == ("1.23.2", "1.24.1")
    assert with_candidates == ("1.23.2", "1.24.1", "1.25.0.dev20260417")


def test_a_wheelhouse_without_the_distribution_is_told(tmp_path: Path) -> None:
    """An empty folder is an outage and not an empty list; a missing one is a mistake."""
    with pytest.raises(EnvironmentUnusableError, match="holds no wheel of onnxruntime"):
        releases(CPU, wheelhouse=tmp_path)
    with pytest.raises(ConfigurationError, match="no such wheelhouse folder"):
        releases(CPU, wheelhouse=tmp_path / "none")


def test_the_distribution_is_asked_for_once(asked: Callable[..., list[tuple[str, float]]]) -> None:
    """The question names the variant's distribution and has a deadline."""
    questions = asked(ANSWER)

    releases(CPU)

    ((command, deadline_s),) = questions
    assert command.endswith("-m pip index versions onnxruntime")
    assert deadline_s == DEADLINE_S


@pytest.mark.parametrize(
    "answer", ["", "onnxruntime (1.32.0)\n", "no Available versions: 1.32.0\n", ANSWER[:12]]
)
def test_an_answer_without_releases_is_told(
    asked: Callable[..., list[tuple[str, float]]], answer: str
) -> None:
    """An index that names none is an outage and not an empty list."""
    asked(answer)

    with pytest.raises(EnvironmentUnusableError) as error:
        releases(CPU)

    wanted = "cpu: asking for the releases of onnxruntime: the index names none"
    assert str(error.value) == wanted


def test_an_index_that_cannot_be_asked_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """What pip says on its way out reaches the caller."""

    def fail(_command: Sequence[str], *, doing: str, deadline_s: float) -> str:
        raise EnvironmentUnusableError(f"{doing}: not done in {deadline_s:g} s")

    monkeypatch.setattr(module, "run_installer", fail)

    with pytest.raises(EnvironmentUnusableError) as error:
        releases(CPU)

    assert "cpu: asking for the releases of onnxruntime: not done in 120 s" in str(error.value)


def test_only_what_the_worker_cannot_drive_is_no_release(
    asked: Callable[..., list[tuple[str, float]]],
) -> None:
    """An index with nothing but old releases was asked well: there is none to test."""
    asked("Available versions: 1.15.1, 1.2.0\n")

    found = releases(CPU)

    assert found == ()
