"""Pipelines read the right answer out of what models return."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pytest

from harness.corpus.zoo import PipelineName
from harness.worker.cases import pipelines

if TYPE_CHECKING:
    from harness.worker.cases.pipelines import Run

Array = npt.NDArray[Any]

CONFIG = {
    "beg_size": 8,
    "end_size": 4,
    "block_size": 16,
    "padding_token": 256,
    "medium_confidence_threshold": 0.5,
    "thresholds": {"markdown": 0.75},
    "target_labels_space": ["png", "markdown", "randomtxt"],
    "overwrite_map": {"randomtxt": "txt"},
}
CHARACTERS = "a\nb\n中"


def always(**outputs: Array) -> Run:
    """Return a model that answers the same to anything."""
    return lambda _feeds: outputs


def one_hot(*columns: int, width: int = 5) -> Array:
    """Return one step for each column, each sure of that column."""
    return np.eye(width, dtype=np.float32)[list(columns)]


def magika_says(scores: list[float]) -> dict[str, object]:
    """Return the meaning of Magika's answer with these scores for png, markdown, random text."""
    model = always(target_label=np.array([scores], np.float32))
    texts = {"config": json.dumps(CONFIG)}
    return pipelines.magika({"classify": model}, texts, np.arange(20, dtype=np.uint8)).meaning


def test_every_pipeline_of_the_zoo_is_implemented() -> None:
    """The names that zoo.toml may use and the pipelines that exist are the same."""
    named = {str(name) for name in PipelineName}

    implemented = set(pipelines.PIPELINES)

    assert implemented == named


def test_magika_features_are_stripped_and_padded_inwards() -> None:
    """The beginning is padded behind and the end before, both without their white space."""
    data = np.frombuffer(b" \nabc\t", np.uint8)

    features = pipelines.magika_features(data, CONFIG)

    pad = 256
    assert features.dtype == np.int32
    assert features.tolist() == [[*b"abc\t", pad, pad, pad, pad, *b"\nabc"]]


def test_magika_features_look_no_further_than_a_block() -> None:
    """A long file is known by its first and last block only."""
    data = np.concatenate([np.full(16, 1), np.full(100, 2), np.full(16, 3)]).astype(np.uint8)

    features = pipelines.magika_features(data, CONFIG)

    assert features.tolist() == [[1] * 8 + [3] * 4]


def test_magika_is_confident_from_its_threshold_on() -> None:
    """A label with a threshold of its own needs that score, not the usual one."""
    scores = [0.2, 0.7, 0.1]

    meaning = magika_says(scores)

    assert meaning["label"] == "markdown"
    assert meaning["confident"] is False


def test_magika_says_txt_for_random_text() -> None:
    """A label that Magika's config overwrites is told as what it is overwritten with."""
    scores = [0.1, 0.1, 0.8]

    meaning = magika_says(scores)

    assert meaning["label"] == "txt"
    assert meaning["confident"] is True


def test_zeros_are_no_speech() -> None:
    """A build whose voice detector returns zeros has heard nothing."""
    model = always(output=np.zeros((1, 1), np.float32), stateN=np.zeros((2, 1, 128), np.float32))

    answer = pipelines.silero_vad_16k({"detect": model}, {}, np.ones(16000, np.float32))

    assert answer.meaning == {"speech_fraction": 0.0, "segments": []}
    assert answer.tensors["probabilities"].shape == (32,)


@pytest.mark.parametrize(
    ("name", "rate", "chunk"), [("silero_vad_16k", 16000, 512), ("silero_vad_8k", 8000, 256)]
)
def test_silero_is_told_what_came_before(name: str, rate: int, chunk: int) -> None:
    """Each chunk comes with the last 4 ms before it, the rate and the state after them."""
    seen: list[dict[str, Array]] = []

    def model(feeds: Any) -> dict[str, Array]:
        seen.append(dict(feeds))
        return {"output": np.ones((1, 1), np.float32), "stateN": feeds["state"] + 1}

    samples = np.arange(2 * chunk, dtype=np.float32)

    answer = pipelines.PIPELINES[name]({"detect": model}, {}, samples)

    context = chunk // 8
    assert [int(feeds["sr"]) for feeds in seen] == [rate, rate]
    assert seen[0]["input"].tolist() == [[0.0] * context + samples[:chunk].tolist()]
    assert seen[1]["input"].tolist() == [samples[chunk - context :].tolist()]
    assert answer.tensors["state"].max() == 2
    assert answer.meaning["segments"] == [[0.0, 0.064]]


def test_stretches_are_first_and_one_past_last() -> None:
    """Runs at both ends and single flags are all found."""
    flags = np.array([True, False, True, True, False, True])

    found = pipelines.stretches(flags)

    assert found == [(0, 1), (2, 4), (5, 6)]


def test_ctc_says_repeats_once_unless_nothing_is_between() -> None:
    """A repeated column is one letter, two around nothing are two, the last column is a space."""
    steps = one_hot(0, 1, 1, 0, 1, 4, 2, 3)

    text, score = pipelines.decoded(steps, pipelines.alphabet(CHARACTERS))

    assert text == "aa b中"
    assert score == 1.0


def test_ctc_of_nothing_is_empty_and_worth_nothing() -> None:
    """A line in which no step is sure of a character has no text and no score."""
    steps = np.zeros((4, 5), np.float32)

    text, score = pipelines.decoded(steps, pipelines.alphabet(CHARACTERS))

    assert (text, score) == ("", 0.0)


def test_connected_regions_are_told_apart() -> None:
    """Pixels that only touch at corners are two regions; a winding region is one."""
    picture = ["##..#", "#..##", ".#...", "#####"]
    mask = np.array([[pixel == "#" for pixel in row] for row in picture])

    found = pipelines.regions(mask)

    assert sorted(len(rows) for rows, _ in found) == [3, 3, 6]


def test_sampling_between_pixels_blends_them() -> None:
    """Half-way between two pixels is their mean, and outside is the edge's colour."""
    picture = np.array([[[0.0], [10.0]], [[20.0], [30.0]]])

    colours = pipelines.sampled(picture, np.array([0.5, -3.0]), np.array([0.5, 9.0]))

    assert colours.tolist() == [[15.0], [10.0]]


def test_a_curved_line_is_cut_out_straight() -> None:
    """Text along a parabola, as on a bent page, comes out as level as it was printed."""
    columns = np.arange(200)
    middle = 40 + (columns - 100) ** 2 / 1000
    core = np.abs(np.arange(80)[:, None] - middle[None, :]) <= 3
    picture = np.repeat(np.where(core, 255, 0)[:, :, None], 3, axis=2).astype(np.uint8)

    lines = pipelines.cut_lines(picture, core.astype(np.float32))

    assert len(lines) == 1
    assert lines[0].shape[0] == pipelines.LINE_HEIGHT
    assert lines[0][24, 40:-40].min() == 255
    assert lines[0][:8].max() == 0
    assert lines[0][-8:].max() == 0


def test_lines_come_from_top_to_bottom_and_illegible_ones_are_dropped() -> None:
    """The recogniser's lines stand in reading order, and what it only guessed is left out."""
    found = np.zeros((384, 384), np.float32)
    found[300:310, 20:300] = found[50:60, 20:300] = found[150:160, 20:300] = 1
    answers = iter([one_hot(1), one_hot(2) * 0.4, one_hot(3)])
    models: dict[str, Run] = {
        "detect": always(fetch_name_0=found[None, None]),
        "recognise": lambda _feeds: {"fetch_name_0": next(answers)[None]},
    }

    answer = pipelines.ppocr(models, {"characters": CHARACTERS}, np.zeros((384, 384, 3), np.uint8))

    assert answer.meaning == {"lines": ["a", "中"], "scores": [1.0, 1.0]}
    assert answer.tensors["text_map_4x4_means"].shape == (96, 96)


def test_an_empty_text_map_reads_as_no_lines() -> None:
    """A build whose detector returns zeros has read nothing, and the recogniser is not asked."""
    models: dict[str, Run] = {
        "detect": always(fetch_name_0=np.zeros((1, 1, 384, 384), np.float32)),
        "recognise": lambda _feeds: pytest.fail("asked to read what was not found"),
    }

    answer = pipelines.ppocr(models, {"characters": CHARACTERS}, np.zeros((50, 50, 3), np.uint8))

    assert answer.meaning == {"lines": [], "scores": []}


def test_the_recogniser_sees_blue_first_and_grey_beyond_the_line() -> None:
    """A line is BGR in -1 … 1, 48 high, and padded with mid-grey to 320 wide."""
    seen: list[Array] = []

    def model(feeds: Any) -> dict[str, Array]:
        seen.append(feeds["x"])
        return {"fetch_name_0": one_hot(1)[None]}

    red = np.zeros((24, 50, 3), np.uint8)
    red[..., 0] = 255

    answer = pipelines.ppocr_line({"recognise": model}, {"characters": CHARACTERS}, red)

    assert seen[0].shape == (1, 3, 48, 320)
    assert seen[0][0, :, 0, 0].tolist() == [-1, -1, 1]
    assert not seen[0][..., 100:].any()
    assert answer.tensors["ascii_probabilities"].shape == (1, 4)


@pytest.mark.parametrize(
    ("expected", "count"),
    [
        ({"label": "png", "score_at_least": 0.5, "score_at_most": 1.0}, 0),
        ({"label": "zip"}, 1),
        ({"score_at_least": 0.95, "score_at_most": 0.1}, 2),
    ],
)
def test_disagreements_name_each_wrong_figure(expected: dict[str, object], count: int) -> None:
    """Equal keys must be equal, bounded figures within bounds; each miss is one sentence."""
    meaning = {"label": "png", "score": 0.9}

    found = pipelines.disagreements(expected, meaning)

    assert len(found) == count


def test_a_figure_that_is_not_a_number_is_a_disagreement() -> None:
    """A build that computes NaN cannot pass for one within bounds."""
    meaning = {"speech_fraction": float("nan")}

    found = pipelines.disagreements({"speech_fraction_at_most": 0.0}, meaning)

    assert found == ["speech_fraction is nan, expected _at_most 0.0"]
