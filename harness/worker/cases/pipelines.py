"""What real models say about real input: one pipeline per kind of answer, pure numpy.

A pipeline prepares the input, runs the models and reads an answer out of what they return. It knows
nothing of ONNX Runtime: a model is a function from named arrays to named arrays, and the texts that
a model needs beside its weights (labels, characters) are handed in by the caller. So the same code
puts any backend under test.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Run: TypeAlias = Callable[[Mapping[str, Array]], Mapping[str, Array]]
"""One opened model: arrays by input name to arrays by output name."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the models said: in words that a person can check, and in figures to compare."""

    meaning: dict[str, object]
    """JSON-able; its keys are the pipeline's own."""
    tensors: dict[str, Array]
    """Outputs whose inputs do not depend on an earlier model, to compare with golden ones."""


Pipeline: TypeAlias = Callable[[Mapping[str, Run], Mapping[str, str], Array], Answer]
"""(opened models by role, texts by id, prepared input) to what the models said."""


def disagreements(expected: Mapping[str, Any], meaning: Mapping[str, Any]) -> list[str]:
    """Return where `meaning` is not what was expected, one sentence each; empty if it is.

    A key that ends in `_at_least` or `_at_most` bounds the figure of that name, any other is equal.
    """
    found = []
    for key, wanted in expected.items():
        name = key.removesuffix("_at_least").removesuffix("_at_most")
        value = meaning[name]
        match key.removeprefix(name):
            case "_at_least":
                agrees = value >= wanted
            case "_at_most":
                agrees = value <= wanted
            case _:
                agrees = value == wanted
        if not agrees:
            found.append(f"{name} is {value!r}, expected {key.removeprefix(name)} {wanted!r}")
    return found


# --- Magika: the type of a file ------------------------------------------------------------------


def magika(models: Mapping[str, Run], texts: Mapping[str, str], data: Array) -> Answer:
    """Return the `label` of a file's bytes, its `score`, and if Magika trusts it (`confident`).

    `data` is uint8 and at least 8 bytes long: Magika asks its model about no shorter file.
    Source: magika/magika.py of the package, `_extract_features_from_seekable`.
    """
    config = json.loads(texts["config"])
    scores = models["classify"]({"bytes": magika_features(data, config)})["target_label"][0]
    best = int(scores.argmax())
    label = config["target_labels_space"][best]
    threshold = config["thresholds"].get(label, config["medium_confidence_threshold"])
    meaning: dict[str, object] = {
        "label": config["overwrite_map"].get(label, label),
        "score": float(scores[best]),
        "confident": bool(scores[best] >= threshold),
    }
    return Answer(meaning=meaning, tensors={"scores": scores})


def magika_features(data: Array, config: Mapping[str, Any]) -> Array:
    """Return the file's stripped beginning and end, padded inwards: int32, 1 x 2048."""
    block, padding = config["block_size"], config["padding_token"]
    begin = data[:block].tobytes().lstrip()[: config["beg_size"]]
    end = data[-block:].tobytes().rstrip()[-config["end_size"] :]
    features = np.full((1, config["beg_size"] + config["end_size"]), padding, np.int32)
    features[0, : len(begin)] = np.frombuffer(begin, np.uint8)
    features[0, features.shape[1] - len(end) :] = np.frombuffer(end, np.uint8)
    return features


# --- Silero VAD: where somebody speaks -----------------------------------------------------------

SPEECH = 0.5  # the probability from which Silero's own tools call a chunk speech


def silero_vad_16k(models: Mapping[str, Run], _texts: Mapping[str, str], data: Array) -> Answer:
    """Return `speech_fraction` and `segments` (from and to, in s) of float32 samples at 16 kHz."""
    return _speech(models["detect"], data, rate=16000)


def silero_vad_8k(models: Mapping[str, Run], _texts: Mapping[str, str], data: Array) -> Answer:
    """Return `speech_fraction` and `segments` (from and to, in s) of float32 samples at 8 kHz."""
    return _speech(models["detect"], data, rate=8000)


def _speech(detect: Run, samples: Array, *, rate: int) -> Answer:
    """Return what the model says of each 32 ms, its state handed on from chunk to chunk.

    Source: silero_vad/utils_vad.py of the package, `OnnxWrapper`.
    """
    chunk, context = rate * 32 // 1000, rate * 4 // 1000
    padded = np.pad(samples, (context, -len(samples) % chunk)).astype(np.float32)
    state = np.zeros((2, 1, 128), np.float32)
    probabilities = []
    for start in range(0, len(padded) - context, chunk):
        window = padded[None, start : start + context + chunk]
        outputs = detect({"input": window, "state": state, "sr": np.array(rate, np.int64)})
        probabilities.append(outputs["output"][0, 0])
        state = outputs["stateN"]
    heard = np.array(probabilities)
    seconds = chunk / rate
    meaning: dict[str, object] = {
        "speech_fraction": float((heard >= SPEECH).mean()),
        "segments": [[a * seconds, b * seconds] for a, b in stretches(heard >= SPEECH)],
    }
    return Answer(meaning=meaning, tensors={"probabilities": heard, "state": state})


def stretches(flags: Array) -> list[tuple[int, int]]:
    """Return the runs of true flags, each as its first index and the one past its last."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    return [(int(first), int(past)) for first, past in edges.reshape(-1, 2)]


# --- PP-OCR: what is written in a picture --------------------------------------------------------
# Figures are those of rapidocr/config.yaml; instead of a rotated rectangle, a line of text is the
# band along a parabola, so that print on a curved page is read straight, without OpenCV.

SHORT_SIDE = 384  # pixels at least, for the detector
TEXT, LINE, LEGIBLE = 0.3, 0.5, 0.5  # probability of a pixel, of a region, of what was read
THINNEST = 3  # pixels of a region worth reading
UNCLIP = 1.6  # the detector marks the core of a line; the text is this much around it
LINE_HEIGHT, LINE_WIDTH, STRIDE = 48, 320, 32  # pixels, for the recogniser


def ppocr(models: Mapping[str, Run], texts: Mapping[str, str], data: Array) -> Answer:
    """Return the `lines` of text in a picture (uint8, H x W x RGB), top to bottom, and `scores`.

    Only the detector's map is a tensor to compare: where the lines are cut depends on it, so what
    the recogniser returns is no function of the picture alone. `ppocr_line` compares that.
    """
    scale = max(1.0, SHORT_SIDE / min(data.shape[:2]))
    height, width = (max(1, round(side * scale / STRIDE)) * STRIDE for side in data.shape[:2])
    picture = resized(data, height, width)
    found = models["detect"]({"x": _planes(picture)})["fetch_name_0"][0, 0]
    lines = [_read(models["recognise"], texts, line)[:2] for line in cut_lines(picture, found)]
    blocks = found.reshape(height // 4, 4, width // 4, 4).mean(axis=(1, 3))
    return Answer(meaning=_legible(lines), tensors={"text_map_4x4_means": blocks})


def ppocr_line(models: Mapping[str, Run], texts: Mapping[str, str], data: Array) -> Answer:
    """Return `lines` and `scores`, one of each, for a picture of a single line of text.

    The tensor to compare is the probability of "nothing" and of each ASCII character at each step:
    the recogniser knows 18,708 characters, too many to keep.
    """
    width = max(1, round(LINE_HEIGHT * data.shape[1] / data.shape[0]))
    line = resized(data, LINE_HEIGHT, width)
    text, score, probabilities = _read(models["recognise"], texts, line)
    ascii_columns = [i for i, c in enumerate(alphabet(texts["characters"])) if c.isascii()]
    return Answer(
        meaning=_legible([(text, score)]),
        tensors={"ascii_probabilities": probabilities[:, ascii_columns]},
    )


def _legible(lines: Sequence[tuple[str, float]]) -> dict[str, object]:
    read = [(text, score) for text, score in lines if score >= LEGIBLE]
    return {"lines": [text for text, _ in read], "scores": [score for _, score in read]}


def _planes(picture: Array) -> Array:
    """Return a picture as PaddleOCR's models want it: 1 x BGR x H x W in -1 … 1."""
    return (picture[None, :, :, ::-1] / 127.5 - 1).transpose(0, 3, 1, 2).astype(np.float32)


def sampled(picture: Array, rows: Array, columns: Array) -> Array:
    """Return the colours between a picture's pixels, float32; past its edge, those of the edge."""
    rows = np.clip(rows, 0, picture.shape[0] - 1)
    columns = np.clip(columns, 0, picture.shape[1] - 1)
    top, left = rows.astype(int), columns.astype(int)
    below, right = np.ceil(rows).astype(int), np.ceil(columns).astype(int)
    down, along = (rows - top)[..., None], (columns - left)[..., None]
    upper = picture[top, left] * (1 - along) + picture[top, right] * along
    lower = picture[below, left] * (1 - along) + picture[below, right] * along
    blend: Array = upper * (1 - down) + lower * down
    return blend.astype(np.float32)


def resized(picture: Array, height: int, width: int) -> Array:
    """Return the picture at another size, bilinear between the pixels' centres, float32."""
    rows = (np.arange(height) + 0.5) * picture.shape[0] / height - 0.5
    columns = (np.arange(width) + 0.5) * picture.shape[1] / width - 0.5
    return sampled(picture, rows[:, None], columns[None, :])


def regions(mask: Array) -> list[tuple[Array, Array]]:
    """Return the regions of a mask that edges connect, each as its pixels' rows and columns.

    Every pixel takes the highest number around it, then that one's own, until nothing changes.
    """
    labels = np.where(mask, np.arange(mask.size).reshape(mask.shape), -1)
    while True:
        around = np.pad(labels, 1, constant_values=-1)
        neighbours = [around[:-2, 1:-1], around[2:, 1:-1], around[1:-1, :-2], around[1:-1, 2:]]
        highest = np.where(mask, np.maximum.reduce([labels, *neighbours]), -1)
        spread = np.where(mask, highest.ravel()[highest], -1)
        if np.array_equal(spread, labels):
            break
        labels = spread
    pixels = (np.nonzero(labels == label) for label in np.unique(labels[mask]))
    return [(rows, columns) for rows, columns in pixels]


def cut_lines(picture: Array, found: Array) -> list[Array]:
    """Return each line of text that the detector found, cut out straight, top to bottom."""
    lines = []
    for rows, columns in regions(found > TEXT):
        width = int(np.ptp(columns)) + 1
        thickness = len(rows) / width
        if min(width, thickness) < THINNEST or found[rows, columns].mean() < LINE:
            continue
        margin = UNCLIP * width * thickness / (2 * (width + thickness))
        tall = thickness + 2 * margin
        along = np.arange(columns.min() - margin, columns.max() + margin, tall / LINE_HEIGHT)
        across = ((np.arange(LINE_HEIGHT) + 0.5) / LINE_HEIGHT - 0.5) * tall
        middle = np.polyval(np.polyfit(columns, rows, 2), along)
        line = sampled(picture, middle[None, :] + across[:, None], along[None, :])
        lines.append((float(rows.mean()), line))
    return [line for _, line in sorted(lines, key=itemgetter(0))]


def _read(recognise: Run, texts: Mapping[str, str], line: Array) -> tuple[str, float, Array]:
    """Return what a line (48 x W x RGB) says, its score, and probabilities, steps x characters."""
    width = max(LINE_WIDTH, -(-line.shape[1] // STRIDE) * STRIDE)
    planes = np.zeros((1, 3, LINE_HEIGHT, width), np.float32)
    planes[..., : line.shape[1]] = _planes(line)
    probabilities = recognise({"x": planes})["fetch_name_0"][0]
    text, score = decoded(probabilities, alphabet(texts["characters"]))
    return text, score, probabilities


def alphabet(characters: str) -> list[str]:
    """Return what the recogniser's columns stand for: nothing, the characters, a space."""
    return ["", *characters.split("\n"), " "]


def decoded(probabilities: Array, characters: Sequence[str]) -> tuple[str, float]:
    """Return the likeliest character of each step, repeats once, "nothing" left out (greedy CTC).

    The score is the mean probability of what is left, and 0 where nothing is.
    """
    best = probabilities.argmax(axis=1)
    kept = (best != 0) & (np.diff(best, prepend=-1) != 0)
    score = float(probabilities.max(axis=1)[kept].mean()) if kept.any() else 0.0
    return "".join(characters[i] for i in best[kept]), score


PIPELINES: Mapping[str, Pipeline] = {
    "magika": magika,
    "silero_vad_16k": silero_vad_16k,
    "silero_vad_8k": silero_vad_8k,
    "ppocr": ppocr,
    "ppocr_line": ppocr_line,
}
