"""What sort of sound it is: kick, chord, break ... by a softmax over measured features.

A linear model on purpose: every weight can be read in `weights/class.json` beside the name of
what it weighs.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from sp404_app.audio.dsp.chroma import Chroma
from sp404_app.audio.dsp.onset import OnsetEnvelope
from sp404_app.audio.dsp.pitch import Pitch
from sp404_app.audio.features.descriptors import Descriptors
from sp404_app.audio.model_weights import Linear, softmax

TIMBRE_DIMENSIONS: Final = 32
CLASS_FEATURES: Final = (
    *(f"timbre {number}" for number in range(1, TIMBRE_DIMENSIONS + 1)),
    "log duration", "log onsets", "log brightness", "log noisiness", "log attack", "log decay",
    "loop", "tonality", "in tune", "concentration", "clarity", "log pitch", "low energy",
)  # fmt: skip


class SoundClass(StrEnum):
    """The sorts of sounds on an SP-404's pads."""

    KICK = "kick"
    SNARE = "snare"
    CLAP = "clap"
    CLOSED_HAT = "closed hat"
    OPEN_HAT = "open hat"
    TOM = "tom"
    PERCUSSION = "percussion"
    CYMBAL = "cymbal"
    BASS = "bass"
    CHORD = "chord"
    LEAD = "lead"
    VOCAL = "vocal"
    FX = "fx"
    BREAK = "break"
    MELODIC_LOOP = "melodic loop"


CLASSES: Final = tuple(SoundClass)


@dataclass(frozen=True, slots=True)
class ClassInputs:
    """All measurements that speak for a class; `loop` is a probability in 0..1."""

    timbre: npt.NDArray[np.float32]
    env: OnsetEnvelope
    duration: float
    content: Descriptors
    loop: float
    chroma: Chroma | None
    pitch: Pitch | None


@lru_cache(maxsize=1)
def class_model() -> Linear:
    """Load the weights."""
    return Linear.load("class")


def class_features(heard: ClassInputs) -> npt.NDArray[np.float64]:
    """Return the `FEATURES`."""
    content, pitch, found = heard.content, heard.pitch, heard.chroma
    pitches = found.pitches / found.pitches.sum() if found else np.full(12, 1 / 12)
    decay = content.decay if content.decay is not None else heard.duration
    low = heard.env.flux[1].sum() / (heard.env.flux[0].sum() + 1e-9)
    return np.array(
        [
            *heard.timbre,
            np.log2(heard.duration + 0.01),
            np.log2(1 + len(heard.env.onsets)),
            np.log2(content.brightness + 20),
            np.log10(content.noisiness + 1e-4),
            np.log2(content.attack + 0.002),
            np.log2(decay + 0.01),
            heard.loop,
            found.peaks.tonality if found else 0.0,
            found.in_tune if found else 0.0,
            float(np.sum(pitches**2)),
            pitch.clarity if pitch else 0.0,
            np.log2(pitch.hertz / 100) if pitch else 0.0,
            float(low),
        ]
    )


def classify(heard: ClassInputs) -> tuple[SoundClass, float]:
    """Return the likeliest class and its probability (0..1)."""
    chances = softmax(class_model()(class_features(heard)))
    best = int(chances.argmax())
    return CLASSES[best], float(chances[best])
