"""Loop or one-shot classification by logistic regression."""

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from sp404_app.audio.dsp.onset import OnsetEnvelope
from sp404_app.audio.features.tempo import TempoEstimate
from sp404_app.audio.model_weights import Linear, sigmoid

LOOP_FEATURES: Final = (
    "log duration", "log duration squared", "log onsets", "log onset rate", "one onset",
    "second onset", "even onsets", "energy centre", "peak place", "end level", "half energy",
    "most energy", "tempo odds", "tempo from ends", "steady level",
    "log strikes", "log strike rate", "one strike", "second strike", "strikes last",
    "salience",
)  # fmt: skip
RISE_FRAMES: Final = 6  # 30 ms
RISE_DB, QUIET_DB = 9.0, -30.0


@lru_cache(maxsize=1)
def loop_model() -> Linear:
    """Load the weights of `LOOP_FEATURES`."""
    return Linear.load("kind")


def loop_probability(env: OnsetEnvelope, duration: float, tempo: TempoEstimate | None) -> float:
    """Return the probability (0..1) that a sound of `duration` seconds is a loop."""
    return sigmoid(float(loop_model()(loop_features(env, duration, tempo))))


def loop_features(
    env: OnsetEnvelope, duration: float, tempo: TempoEstimate | None
) -> npt.NDArray[np.float64]:
    """Return `LOOP_FEATURES`, all independent of gain and sample rate."""
    octaves = np.log2(max(duration, 0.01))
    count = len(env.onsets)
    strengths = np.sort(env.flux[0][env.onsets])[::-1] if count else np.zeros(1)
    relative = strengths / (strengths[0] + 1e-9)
    return np.array(
        [
            octaves,
            octaves**2,
            np.log2(count + 1),
            np.log2((count + 0.5) / max(duration, 0.01)),
            float(count <= 1),
            relative[1] if count > 1 else 0.0,
            float(relative.mean()) if count > 1 else 0.0,
            *energy_shape(env),
            tempo.odds if tempo else -10.0,
            float(tempo.from_ends) if tempo else 0.0,
            level_steadiness(env),
            *strike_features(env, duration),
            float(np.log2((env.flux[0].max() + 1e-6) / (env.flux[0].mean() + 1e-6))),
        ]
    )


def energy_shape(env: OnsetEnvelope) -> tuple[float, float, float, float, float]:
    """Return the distribution of energy over time (0..1), and the final level in decades."""
    energy = env.energy.astype(np.float64) + 1e-12
    growth = np.cumsum(energy) / energy.sum()
    place = np.linspace(0, 1, len(energy))
    last = energy[-max(1, len(energy) // 10) :].mean() / energy.max()
    return (
        float(np.average(place, weights=energy)),
        float(energy.argmax() / len(energy)),
        float(np.log10(last + 1e-6)),
        float(np.searchsorted(growth, 0.5) / len(energy)),
        float(np.searchsorted(growth, 0.95) / len(energy)),
    )


def level_steadiness(env: OnsetEnvelope) -> float:
    """Return the ratio of the quietest to the loudest quarter in RMS: 1 is steady."""
    parts = [float(np.sqrt(part.mean())) for part in np.array_split(env.energy, 4)]
    return min(parts) / (max(parts) + 1e-9)


def strike_features(
    env: OnsetEnvelope, duration: float
) -> tuple[float, float, float, float, float]:
    """Describe strikes: moments at which the level jumps, unlike onsets from modulation.

    A strike is a rise of 9 dB within 30 ms to no less than 30 dB below the maximum. Returns
    the count (log), the count per second (log), whether there is only one, the second strongest
    relative to the strongest (amplitude), and the position of the last (0..1 of the duration).
    """
    level = 10 * np.log10(env.energy.astype(np.float64) + 1e-6)
    padded = np.concatenate([np.full(RISE_FRAMES, -60.0), level])
    before = np.lib.stride_tricks.sliding_window_view(padded, RISE_FRAMES)[: len(level)].min(axis=1)
    rising = (level - before >= RISE_DB) & (level >= QUIET_DB)
    starts = np.flatnonzero(rising & ~np.concatenate([[False], rising[:-1]]))
    if not len(starts):
        return 0.0, float(np.log2(0.5 / max(duration, 0.01))), 1.0, 0.0, 0.0
    tops = np.sort([level[at : at + 2 * RISE_FRAMES].max() for at in starts])[::-1]
    second = 10 ** ((tops[1] - tops[0]) / 20) if len(tops) > 1 else 0.0
    count = len(starts)
    return (
        float(np.log2(1 + count)),
        float(np.log2((count + 0.5) / max(duration, 0.01))),
        float(count == 1),
        float(second),
        float(starts[-1] / len(level)),
    )
