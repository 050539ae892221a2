"""Decide loop or one-shot by the sounding part of a sound.

Silence, an encoder's padding and a reverb tail say nothing about how a sound is used, so the
features of the decision describe only what lies between the first and the last moment at 10 % of
the peak.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from sp404_app.audio.dsp.onset import OnsetEnvelope
from sp404_app.audio.features import loop_detection, tempo
from sp404_app.audio.features.tempo import TempoEstimate

SOUNDING_POWER: Final = 0.1**2  # of the loudest frame's power: a reverb tail soon falls below it
SILENCE_POWER: Final = 1e-6  # -60 dB: hiss below it counts as silence
MIN_SILENCE_S: Final = 0.05  # less is normal for cut files
MIN_FRAMES: Final = 8


@dataclass(frozen=True, slots=True)
class LoopDecision:
    """The tempo of a sound, its loop probability, and its length in s without silence.

    The tempo is that of the untrimmed sound: a span trimmed to whole beats would always confirm it.
    """

    tempo: TempoEstimate | None
    loop: float
    length: float


def decide_loop(env: OnsetEnvelope, length: float, *, whole: bool) -> LoopDecision:
    """Judge a sound of `length` seconds by its sounding part.

    `whole` means that the ends are the file's own; an excerpt has no silence to trim.
    """
    # A single onset has no tempo: skip the search for most one-shots.
    estimate = tempo.estimate_tempo(env, length, whole=whole) if len(env.onsets) > 1 else None
    part, seconds = sounding_part(env, length, SOUNDING_POWER)
    loop = loop_detection.loop_probability(part, seconds, estimate)
    _, unpadded = sounding_part(env, length, SILENCE_POWER)
    return LoopDecision(estimate, loop, unpadded if whole else length)


def sounding_part(env: OnsetEnvelope, length: float, power: float) -> tuple[OnsetEnvelope, float]:
    """Return the frames between the first and the last above `power`, and their length in s.

    Ends with less than `MIN_SILENCE_S` to remove stay as they are.
    """
    loud = np.flatnonzero(env.energy > power)
    if not len(loud):
        return env, length
    slack, count = MIN_SILENCE_S * env.fps, len(env.energy)
    first = int(loud[0]) if loud[0] >= slack else 0
    last = int(loud[-1]) + 1 if count - loud[-1] - 1 >= slack else count
    if (first, last) == (0, count) or last - first < MIN_FRAMES:
        return env, length
    end = length if last == count else last / env.fps
    return slice_envelope(env, first, last), end - first / env.fps


def slice_envelope(env: OnsetEnvelope, first: int, last: int) -> OnsetEnvelope:
    """Return the frames `first` to `last` (exclusive) of an envelope."""

    def inside(onsets: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return onsets[(onsets >= first) & (onsets < last)] - first

    return OnsetEnvelope(
        env.fps,
        env.flux[:, first:last],
        env.energy[first:last],
        inside(env.onsets),
        inside(env.low_onsets),
    )
