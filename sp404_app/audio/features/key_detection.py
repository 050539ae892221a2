"""Key detection from chroma: one key profile, on the whole sound and on its opening.

Each key is scored by the correlation of its profile with the chroma (Krumhansl 1990), with a
profile for loops and dance music (Faraldo et al., "Key estimation in electronic dance music",
ECIR 2016). The opening counts again, because loops usually start on the tonic, and minor keys have
an advantage, because most samples are in minor. The three weights are set by hand: ten weights that
were learned from rendered music did not transfer to real sounds. Only their common factor, which
makes probabilities of the scores, is fitted.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from sp404_app.audio.dsp.chroma import Chroma, Vector
from sp404_app.audio.features.musical_keys import KEYS
from sp404_app.audio.model_weights import Linear, sigmoid, softmax

# The profiles "bgate" by Faraldo, for major and minor.
BGATE: Final = (
    (1.00, 0.00, 0.42, 0.00, 0.53, 0.37, 0.00, 0.77, 0.00, 0.38, 0.21, 0.30),
    (1.00, 0.00, 0.36, 0.39, 0.00, 0.38, 0.00, 0.74, 0.27, 0.00, 0.42, 0.23),
)
KEY_EVIDENCE: Final = ("profile", "profile in the opening", "minor")
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


@lru_cache(maxsize=1)
def key_profiles() -> Vector:
    """Return the profiles of the 24 keys (24, 12), in the order of `KEYS`."""
    rows = [np.roll(np.asarray(mode), pitch) for mode in BGATE for pitch in range(12)]
    return centre_and_normalise(np.asarray(rows, np.float64))


def normalise_sum(values: Vector) -> Vector:
    """Scale to sum 1."""
    return values / (values.sum() + 1e-12)


def key_evidence(chroma: Chroma) -> Vector:
    """Return `KEY_EVIDENCE` for each of the 24 keys, (24, 3): two correlations, and 1 if minor."""
    columns = (
        key_profiles() @ centre_and_normalise(chroma.pitches),
        key_profiles() @ centre_and_normalise(chroma.opening),
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
    fit = key_profiles() @ centre_and_normalise(chroma.pitches)
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
