"""Key detection from chroma: key profiles, the bass, and the opening of the sound.

Each key is scored by the correlation of its profile with the chroma (Krumhansl 1990), with
profiles for loops and dance music (Faraldo et al., "Key estimation in electronic dance music",
ECIR 2016), and by how much of the bass and of the opening falls on its tonic, because loops
usually start on the tonic. The weights of the evidence are learned and shared by all twelve
tonics, so they cannot prefer a pitch.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from sp404_app.audio.dsp.chroma import Chroma, Vector
from sp404_app.audio.features.musical_keys import KEYS
from sp404_app.audio.model_weights import Linear, sigmoid, softmax

# Profiles for major and minor: "bgate" by Faraldo; Temperley (1999), for songs and scores.
BGATE: Final = (
    (1.00, 0.00, 0.42, 0.00, 0.53, 0.37, 0.00, 0.77, 0.00, 0.38, 0.21, 0.30),
    (1.00, 0.00, 0.36, 0.39, 0.00, 0.38, 0.00, 0.74, 0.27, 0.00, 0.42, 0.23),
)
TEMPERLEY: Final = (
    (5.0, 2.0, 3.5, 2.0, 4.5, 4.0, 2.0, 4.5, 2.0, 3.5, 1.5, 4.0),
    (5.0, 2.0, 3.5, 4.5, 2.0, 4.0, 2.0, 4.5, 3.5, 2.0, 1.5, 4.0),
)
SCALE_STEPS: Final = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10))
KEY_EVIDENCE: Final = (
    "bgate", "temperley", "outside the scale", "third", "bass on tonic", "bass on fifth",
    "bass outside", "opening bgate", "opening bass on tonic", "minor",
)  # fmt: skip
PITCHED_FEATURES: Final = (
    "tonality", "flatness", "in tune", "concentration", "peaks per frame", "peak height",
    "best fit", "low peaks",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class KeyEstimate:
    """A key, its probability (0..1), and the best candidates as (name, probability).

    `chances` maps every key to its probability.
    """

    name: str
    confidence: float
    candidates: list[tuple[str, float]]
    chances: dict[str, float] = field(default_factory=dict)


@lru_cache(maxsize=1)
def key_model() -> Linear:
    """Load the weights of `KEY_EVIDENCE`."""
    return Linear.load("key")


@lru_cache(maxsize=1)
def pitched_model() -> Linear:
    """Load the weights of `PITCHED_FEATURES`."""
    return Linear.load("pitched")


def centre_and_normalise(values: Vector) -> Vector:
    """Subtract the mean and scale to unit length, as in a correlation."""
    values = values - values.mean(axis=-1, keepdims=True)
    return values / (np.linalg.norm(values, axis=-1, keepdims=True) + 1e-12)


@lru_cache(maxsize=4)
def key_profiles(modes: tuple[tuple[float, ...], ...]) -> Vector:
    """Return the profiles of the 24 keys (24, 12), in the order of `KEYS`, for two modes."""
    rows = [np.roll(np.asarray(mode), pitch) for mode in modes for pitch in range(12)]
    return centre_and_normalise(np.asarray(rows, np.float64))


@lru_cache(maxsize=1)
def out_of_scale_mask() -> Vector:
    """Return 1 for the pitch classes outside of each key's scale, (24, 12)."""
    marks = np.ones((24, 12))
    for index in range(24):
        marks[index, [(index + step) % 12 for step in SCALE_STEPS[index // 12]]] = 0
    return marks


def normalise_sum(values: Vector) -> Vector:
    """Scale to sum 1."""
    return values / (values.sum() + 1e-12)


def key_evidence(chroma: Chroma) -> Vector:
    """Return `KEY_EVIDENCE` for each of the 24 keys, (24, 10)."""
    pitches, bass = normalise_sum(chroma.pitches), normalise_sum(chroma.bass)
    opening_bass = normalise_sum(chroma.opening_bass)
    tonic = np.arange(24) % 12
    third = (tonic + np.where(np.arange(24) < 12, 4, 3)) % 12
    columns = (
        key_profiles(BGATE) @ centre_and_normalise(chroma.pitches),
        key_profiles(TEMPERLEY) @ centre_and_normalise(chroma.pitches),
        out_of_scale_mask() @ pitches,
        pitches[third],
        bass[tonic],
        bass[(tonic + 7) % 12],
        out_of_scale_mask() @ bass,
        key_profiles(BGATE) @ centre_and_normalise(chroma.opening),
        opening_bass[tonic],
        np.arange(24) >= 12,
    )
    return np.stack(columns, axis=1).astype(np.float64)


def estimate_key(chroma: Chroma, count: int = 4) -> KeyEstimate:
    """Return the most likely key and its rivals."""
    chances = softmax(key_model()(key_evidence(chroma)))
    order = np.argsort(-chances)[:count]
    candidates = [(KEYS[index], float(chances[index])) for index in order]
    return KeyEstimate(
        *candidates[0], candidates, dict(zip(KEYS, map(float, chances), strict=True))
    )


def pitched_features(chroma: Chroma) -> npt.NDArray[np.float64]:
    """Return `PITCHED_FEATURES`, which separate notes from noise and drums."""
    peaks = chroma.peaks
    fit = key_profiles(BGATE) @ centre_and_normalise(chroma.pitches)
    loud = np.sort(peaks.weight)[::-1][: 4 * peaks.frames]
    return np.array(
        [
            peaks.tonality,
            np.log10(peaks.flatness + 1e-8),
            chroma.in_tune,
            float(np.sum(normalise_sum(chroma.pitches) ** 2)),
            np.log2(len(peaks.weight) / peaks.frames + 0.01),
            float(loud.mean()),
            float(fit.max()),
            float(np.mean(peaks.hertz < 200)),
        ]
    )


def pitched_probability(chroma: Chroma) -> float:
    """Return the probability (0..1) that the sound is pitched."""
    return sigmoid(float(pitched_model()(pitched_features(chroma))))
