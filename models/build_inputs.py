"""Make the inputs that no package has as they are: speech at 8 kHz, silence, noise, text.

Run once by a person, in the controller's environment (numpy and Pillow, no onnxruntime):

    python models/build_inputs.py

The results are kept in models/inputs/, because another Pillow may draw other pixels and the golden
outputs belong to these.
"""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

INPUTS = Path(__file__).parent / "inputs"
INVOICE = ("Invoice 2026-11-22", "Total: 1,384.50 EUR", "Questions? Call 555 0142")
SEED = 20261122

Array = npt.NDArray[Any]


def main() -> None:
    """Write every made input into models/inputs/."""
    speech = read_wav(INPUTS / "arctic_a0007.wav")
    write_wav(INPUTS / "arctic_a0007_8k.wav", halved(speech), rate=8000)
    write_wav(INPUTS / "silence.wav", np.zeros(16000), rate=16000)
    noise = np.random.default_rng(SEED).normal(0, 1000, 16000)
    write_wav(INPUTS / "noise.wav", noise, rate=16000)
    invoice().save(INPUTS / "invoice.png", optimize=True)
    with Image.open(INPUTS / "page.png") as page:
        page.crop((0, 8, 300, 36)).save(INPUTS / "line.png", optimize=True)


def read_wav(path: Path) -> Array:
    """Return the samples of a mono 16-bit recording, as float64 in the range of int16."""
    with wave.open(str(path), "rb") as recording:
        return np.frombuffer(recording.readframes(recording.getnframes()), "<i2").astype(float)


def write_wav(path: Path, samples: Array, *, rate: int) -> None:
    """Write `samples` as a mono 16-bit recording."""
    with wave.open(str(path), "wb") as recording:
        recording.setnchannels(1)
        recording.setsampwidth(2)
        recording.setframerate(rate)
        recording.writeframes(np.clip(np.rint(samples), -32768, 32767).astype("<i2").tobytes())


def halved(samples: Array) -> Array:
    """Return the sound at half its sample rate, low-passed by a windowed sinc."""
    taps = np.arange(-32, 33)
    kernel = np.sinc(taps / 2) / 2 * np.hamming(len(taps))
    return np.convolve(samples, kernel, mode="same")[::2]


def invoice() -> Image.Image:
    """Return three lines of text as a camera might see them: tilted, unevenly lit and noisy."""
    picture = Image.new("L", (448, 192), 235)
    font = ImageFont.load_default(size=26)  # Aileron Regular, CC0, drawn by FreeType
    for number, line in enumerate(INVOICE):
        ImageDraw.Draw(picture).text((40, 24 + 48 * number), line, fill=40, font=font)
    tilted = picture.rotate(2.0, Image.Resampling.BICUBIC, fillcolor=235)
    lit = np.asarray(tilted, dtype=float) * np.linspace(1.0, 0.75, 448)
    seen = lit + np.random.default_rng(SEED).normal(0, 6, lit.shape)
    return Image.fromarray(np.clip(seen, 0, 255).astype(np.uint8))


if __name__ == "__main__":
    main()
