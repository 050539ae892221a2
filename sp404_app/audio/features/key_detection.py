"""From pitch classes to a key: profiles, the bass, and how the sound begins.

Each key is scored by how its profile correlates with the chroma (Krumhansl 1990), with
profiles measured on loops and dance music (Faraldo et al., "Key estimation in electronic dance
music", ECIR 2016), and by how much of the bass and of the opening rests on its tonic: a loop
is mostly cut where its harmony comes home. The weights of these few kinds of evidence are
learned; being the same for all twelve tonics, they cannot prefer a pitch.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from sp404_app.audio.dsp.chroma import Chroma, Vector
from sp404_app.audio.features.musical_keys import KEYS
from sp404_app.audio.model_weights import Linear, sigmoid, softmax

# Faraldo's "bgate" profiles for major and minor; Temperley's (1999), for songs and scores.
BGATE: Final = (
    (1.00, 0.00, 0.42, 0.00, 0.53, 0.37, 0.00, 0.77, 0.00, 0.38, 0.21, 0.30),
    (1.00, 0.00, 0.36, 0.39, 0.00, 0.38, 0.00, 0.74, 0.27, 0.00, 0.42, 0.23),
)
TEMPERLEY: Final = (
    (5.0, 2.0, 3.5, 2.0, 4.5, 4.0, 2.0, 4.5, 2.0, 3.5, 1.5, 4.0),
    (5.0, 2.0, 3.5, 4.5, 2.0, 4.0, 2.0, 4.5, 3.5, 2.0, 1.5, 4.0),
)
SCALES: Final = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10))
EVIDENCE: Final = (
    "bgate", "temperley", "outside the scale", "third", "bass on tonic", "bass on fifth",
    "bass outside", "opening bgate", "opening bass on tonic", "minor",
)  # fmt: skip
PITCHED: Final = (
    "tonality", "flatness", "in tune", "concentration", "peaks per frame", "peak height",
    "best fit", "low peaks",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Key:
    """A key, its probability (0..1), and it and its rivals as (name, probability).

    `chances` has the probability of every key.
    """

    name: str
    confidence: float
    candidates: list[tuple[str, float]]
    chances: dict[str, float] = field(default_factory=dict)


@lru_cache(maxsize=1)
def ranking() -> Linear:
    """Load the weights of the `EVIDENCE`."""
    return Linear.load("key")


@lru_cache(maxsize=1)
def gate() -> Linear:
    """Load the weights of `PITCHED`."""
    return Linear.load("pitched")


def centred(values: Vector) -> Vector:
    """Take off the mean and scale to unit length, as a correlation does."""
    values = values - values.mean(axis=-1, keepdims=True)
    return values / (np.linalg.norm(values, axis=-1, keepdims=True) + 1e-12)


@lru_cache(maxsize=4)
def profiles(modes: tuple[tuple[float, ...], ...]) -> Vector:
    """Return the 24 profiles of a major and a minor one as (24, 12), in the order of `KEYS`."""
    rows = [np.roll(np.asarray(mode), pitch) for mode in modes for pitch in range(12)]
    return centred(np.asarray(rows, np.float64))


@lru_cache(maxsize=1)
def outside() -> Vector:
    """Return 1 for the pitch classes that are not in each key's scale, (24, 12)."""
    marks = np.ones((24, 12))
    for index in range(24):
        marks[index, [(index + step) % 12 for step in SCALES[index // 12]]] = 0
    return marks


def shares(values: Vector) -> Vector:
    """Scale to a sum of one."""
    return values / (values.sum() + 1e-12)


def evidence(found: Chroma) -> Vector:
    """Return the `EVIDENCE` for each of the 24 keys, (24, 10)."""
    pitches, bass = shares(found.pitches), shares(found.bass)
    opening_bass = shares(found.opening_bass)
    tonic = np.arange(24) % 12
    third = (tonic + np.where(np.arange(24) < 12, 4, 3)) % 12
    columns = (
        profiles(BGATE) @ centred(found.pitches),
        profiles(TEMPERLEY) @ centred(found.pitches),
        outside() @ pitches,
        pitches[third],
        bass[tonic],
        bass[(tonic + 7) % 12],
        outside() @ bass,
        profiles(BGATE) @ centred(found.opening),
        opening_bass[tonic],
        np.arange(24) >= 12,
    )
    return np.stack(columns, axis=1).astype(np.float64)


def key(found: Chroma, most: int = 4) -> Key:
    """Name the key with the most evidence, and its rivals."""
    chances = softmax(ranking()(evidence(found)))
    order = np.argsort(-chances)[:most]
    candidates = [(KEYS[index], float(chances[index])) for index in order]
    return Key(*candidates[0], candidates, dict(zip(KEYS, map(float, chances), strict=True)))


def describe(found: Chroma) -> npt.NDArray[np.float64]:
    """Return `PITCHED`: what tells notes from noise and drums."""
    peaks = found.peaks
    fit = profiles(BGATE) @ centred(found.pitches)
    loud = np.sort(peaks.weight)[::-1][: 4 * peaks.frames]
    return np.array(
        [
            peaks.tonality,
            np.log10(peaks.flatness + 1e-8),
            found.in_tune,
            float(np.sum(shares(found.pitches) ** 2)),
            np.log2(len(peaks.weight) / peaks.frames + 0.01),
            float(loud.mean()),
            float(fit.max()),
            float(np.mean(peaks.hertz < 200)),
        ]
    )


def pitched(found: Chroma) -> float:
    """Return the probability (0..1) that the sound has notes that a listener could sing."""
    return sigmoid(float(gate()(describe(found))))
