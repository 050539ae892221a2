"""Sound class (kick, chord, break ...) by softmax regression.

The model is linear, so that each weight in `weights/class.json` can be read beside its feature.
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
from sp404_app.audio.features.patch_shape import PATCH_SHAPE, patch_shape
from sp404_app.audio.model_weights import Linear, softmax

TIMBRE_DIMENSIONS: Final = 32
CLASS_FEATURES: Final = (
    *(f"timbre {number}" for number in range(1, TIMBRE_DIMENSIONS + 1)),
    "log duration", "log onsets", "log brightness", "log noisiness", "log attack", "log decay",
    "loop", "tonality", "in tune", "concentration", "clarity", "log pitch", "low energy",
    *PATCH_SHAPE,
)  # fmt: skip


class SoundClass(StrEnum):
    """The classes of sounds on an SP-404's pads."""

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
    """All measurements used for the class; `loop` is a probability in 0..1.

    `mels` is the log-mel patch (13, 40), `timbre` its projection (32,).
    """

    timbre: npt.NDArray[np.float32]
    mels: npt.NDArray[np.float32]
    env: OnsetEnvelope
    duration: float
    descriptors: Descriptors
    loop: float
    chroma: Chroma | None
    pitch: Pitch | None


@lru_cache(maxsize=1)
def class_model() -> Linear:
    """Load the weights of `CLASS_FEATURES`."""
    return Linear.load("class")


def class_features(inputs: ClassInputs) -> npt.NDArray[np.float64]:
    """Return `CLASS_FEATURES`."""
    descriptors, pitch, chroma = inputs.descriptors, inputs.pitch, inputs.chroma
    pitches = chroma.pitches / chroma.pitches.sum() if chroma else np.full(12, 1 / 12)
    decay = descriptors.decay if descriptors.decay is not None else inputs.duration
    low = inputs.env.flux[1].sum() / (inputs.env.flux[0].sum() + 1e-9)
    return np.array(
        [
            *inputs.timbre,
            np.log2(inputs.duration + 0.01),
            np.log2(1 + len(inputs.env.onsets)),
            np.log2(descriptors.brightness + 20),
            np.log10(descriptors.noisiness + 1e-4),
            np.log2(descriptors.attack + 0.002),
            np.log2(decay + 0.01),
            inputs.loop,
            chroma.peaks.tonality if chroma else 0.0,
            chroma.in_tune if chroma else 0.0,
            float(np.sum(pitches**2)),
            pitch.clarity if pitch else 0.0,
            np.log2(pitch.hertz / 100) if pitch else 0.0,
            float(low),
            *patch_shape(inputs.mels),
        ]
    )


def class_chances(inputs: ClassInputs) -> npt.NDArray[np.float64]:
    """Return the probabilities of `CLASSES`, which add up to 1."""
    return softmax(class_model()(class_features(inputs)))
