"""Decide whether a sound is percussive: such sounds are stretched in shorter blocks."""

from typing import Final

import numpy as np
import numpy.typing as npt

from sp404_app.audio.features.descriptors import centroid_and_flatness

Frames = npt.NDArray[np.float32]

EXCERPT_S: Final = 10
MIN_FLATNESS: Final = 0.15  # drum loops have 0.5 to 0.9, tonal sounds below 0.02
MIN_RATE_HZ: Final = 8_000  # below it, too little of the spectrum is left


def is_percussive(frames: Frames, rate: int) -> bool:
    """Return whether an excerpt, shape (frames, channels) at `rate` Hz, is noise rather than tones.

    Single low drums count as tonal; longer blocks suit their low frequencies.
    """
    if rate < MIN_RATE_HZ:
        return False
    mono = frames.mean(axis=1, dtype=np.float32)
    return centroid_and_flatness(mono, rate)[1] >= MIN_FLATNESS
