"""Beat tracking at a known tempo: only the phase has to be found."""

from typing import Final

import numpy as np
import numpy.typing as npt

from sp404_app.audio.dsp.onset import OnsetEnvelope

END_MARGIN_S: Final = 0.02  # a beat after this belongs to the next repetition
FIRST_BONUS: Final = 1.25  # a loop usually starts on a beat
CUT_BONUS: Final = 2.0  # a span found from the ends of the file usually starts a bar


def track_beats(
    env: OnsetEnvelope, bpm: float, duration: float, *, start: float, from_ends: bool
) -> tuple[list[float], int]:
    """Return the beat times in seconds, and the index (0..3) of the first downbeat, an estimate.

    `start` is where the repeating span begins, in s. `from_ends` means that it was found from the
    ends of the file (or of its silence), so that a beat there is likely.
    """
    period = 60 / bpm
    offsets = start + np.arange(0, period, 1 / env.fps)
    strengths = grid_strengths(env, offsets, period, duration)
    strengths[0] *= FIRST_BONUS if from_ends else 1.0
    phase = float(offsets[int(strengths.argmax())]) % period
    times = np.arange(phase, duration - END_MARGIN_S, period)
    first = round((start - phase) / period) if from_ends else None
    return [round(float(time), 4) for time in times], find_downbeat(env, times, first)


def grid_strengths(
    env: OnsetEnvelope, offsets: npt.NDArray[np.float64], period: float, duration: float
) -> npt.NDArray[np.float64]:
    """Return the mean onset strength on the beat grid from each offset, within one frame."""
    flux = np.pad(env.flux[0], 1)
    strongest_nearby = np.maximum(np.maximum(flux[:-2], flux[2:]), flux[1:-1])
    steps = np.arange(max(1, int((duration - offsets[0]) / period) + 1)) * period
    frames = np.round((offsets[:, None] + steps) * env.fps).astype(np.int64)
    inside = (frames < len(strongest_nearby)) & (offsets[:, None] + steps < duration)
    total = np.where(
        inside, strongest_nearby[np.minimum(frames, len(strongest_nearby) - 1)], 0.0
    ).sum(axis=1)
    return total / np.maximum(1, inside.sum(axis=1))


def find_downbeat(env: OnsetEnvelope, times: npt.NDArray[np.float64], first: int | None) -> int:
    """Estimate which of the first four beats begins a bar: the one with the most low-band onsets.

    `first` is the beat at the start of the cut, if known.
    """
    if len(times) < 4:
        return 0
    frames = np.clip(np.round(times * env.fps).astype(np.int64), 1, env.flux.shape[1] - 2)
    low = np.maximum.reduce([env.flux[1][frames + shift] for shift in (-1, 0, 1)])
    sums = np.array([low[beat::4].mean() for beat in range(4)])
    sums[(first or 0) % 4] *= FIRST_BONUS if first is None else CUT_BONUS
    return int(sums.argmax())
