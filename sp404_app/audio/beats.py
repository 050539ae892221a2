"""Beat times from a known tempo: only the phase is left to find."""

from typing import Final

import numpy as np
import numpy.typing as npt

from sp404_app.audio.onset import Envelope

LAST_GAP: Final = 0.02  # s before the end: what is later is the next round's first beat
FIRST_BONUS: Final = 1.25  # a loop cut at its ends starts on a beat, unless clearly not


def beats(
    env: Envelope, bpm: float, duration: float, *, start: float, from_ends: bool
) -> tuple[list[float], int]:
    """Return the beats in seconds, and the index of the first downbeat (0..3), a guess.

    `start` is where the repeating stretch begins, in s; `from_ends` says that the file's own
    cut (or the end of its silence) gave it, which then is a beat in most loops.
    """
    period = 60 / bpm
    offsets = start + np.arange(0, period, 1 / env.fps)
    strengths = np.array([sampled(env.flux[0], env, at, period, duration) for at in offsets])
    strengths[0] *= FIRST_BONUS if from_ends else 1.0
    phase = float(offsets[int(strengths.argmax())]) % period
    times = np.arange(phase, duration - LAST_GAP, period)
    return [round(float(time), 4) for time in times], downbeat(env, times, from_ends=from_ends)


def sampled(
    flux: npt.NDArray[np.float32], env: Envelope, at: float, period: float, duration: float
) -> float:
    """Return the mean onset strength on a grid, one frame of tolerance each side."""
    frames = np.round(np.arange(at, duration, period) * env.fps).astype(np.int64)
    frames = frames[frames < len(flux)]
    if not len(frames):
        return 0.0
    near = np.clip(frames[:, None] + np.array([-1, 0, 1]), 0, len(flux) - 1)
    return float(flux[near].max(axis=1).mean())


def downbeat(env: Envelope, times: npt.NDArray[np.float64], *, from_ends: bool) -> int:
    """Guess which of the first four beats begins a bar: where the low band starts most."""
    if len(times) < 4:
        return 0
    frames = np.clip(np.round(times * env.fps).astype(np.int64), 1, env.flux.shape[1] - 2)
    low = np.maximum.reduce([env.flux[1][frames + shift] for shift in (-1, 0, 1)])
    sums = np.array([low[first::4].mean() for first in range(4)])
    sums[0] *= 2.0 if from_ends else FIRST_BONUS
    return int(sums.argmax())
