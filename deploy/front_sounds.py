# ruff: noqa: INP001 - a script
"""Write the sounds of the pads on the landing page: MP3s in assets/sounds, waveforms beside them.

    PYTHONPATH=. .venv/bin/python deploy/front_sounds.py

They are sounds of the demo account, mono, so that a visitor loads little.
"""

import json
import re
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import soundfile

from sp404_app.audio.io.peaks import ALPHABET
from sp404_app.audio.synth.demo_sounds import DemoSound, demo_sounds

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "assets" / "sounds"
PADS = ROOT / "sp404_app" / "components" / "front_pads.json"
NAMES = (
    *("Dusty Corner", "Sub Walk", "Minor Stab", "Tower Bell"),
    *("Velvet Kick", "Paper Snare", "Tight Hat", "Open Hat"),
)
MAX_HIT_S, FADE_S = 1.6, 0.2
BIT_RATE = 64_000
BARS = 48


def main() -> None:
    """Write the files, and what the page is built with."""
    TARGET.mkdir(exist_ok=True)
    found = {sound.name: sound for sound in demo_sounds() if sound.name in NAMES}
    pads = [write_pad(found[name]) for name in NAMES]
    PADS.write_text(json.dumps(pads, indent=1) + "\n", "utf-8")


def write_pad(sound: DemoSound) -> dict[str, object]:
    """Write the sound of a pad; return what the page needs of it."""
    loops = sound.kind == "loop"
    signal = sound.signal if sound.signal.ndim == 1 else sound.signal.mean(axis=1)
    if not loops:
        signal = shorten(signal, sound.sample_rate)
    file = re.sub(r"\W+", "-", sound.name.lower())
    encode(signal, sound.sample_rate, TARGET / f"{file}.mp3")
    heights = [float(np.abs(part).max()) for part in np.array_split(signal, BARS)]
    wave = "".join(ALPHABET[round(63 * height / max(heights))] for height in heights)
    seconds = round(len(signal) / sound.sample_rate, 4)
    return {"name": sound.name, "file": file, "loops": loops, "seconds": seconds, "wave": wave}


def shorten(signal: np.ndarray, rate: int) -> np.ndarray:
    """Return at most `MAX_HIT_S` seconds, faded out."""
    kept = signal[: round(MAX_HIT_S * rate)].copy()
    if len(kept) < len(signal):
        fade = round(FADE_S * rate)
        kept[-fade:] *= np.linspace(1, 0, fade, dtype=kept.dtype)
    return kept


def encode(signal: np.ndarray, rate: int, path: Path) -> None:
    """Write a mono signal as MP3."""
    with av.open(str(path), "w", format="mp3") as file:
        stream = file.add_stream("libmp3lame", rate=rate, layout="mono")
        stream.bit_rate = BIT_RATE
        frame = av.AudioFrame.from_ndarray(
            (np.clip(signal, -1, 1) * 32767).astype(np.int16)[np.newaxis], "s16", "mono"
        )
        frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
        for packet in (*stream.encode(frame), *stream.encode(None)):
            file.mux(packet)
    assert soundfile.info(path).frames > 0


if __name__ == "__main__":
    main()
