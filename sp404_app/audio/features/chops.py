"""Positions at which to chop a sound: at its onsets, in equal parts, or on its beats."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from sp404_app.audio.dsp.onset import OnsetEnvelope, onset_strength

Samples = npt.NDArray[np.float32]  # (frames,) or (frames, channels)
Signal = npt.NDArray[np.float32]

MAX_CHOPS: Final = 16
MIN_CHOP_S: Final = 0.03
FLUX_SHARES: Final = (0.9, 0.05)  # of the strongest onset, that an onset needs at sensitivity 0, 1
ATTACK_REACH_S: Final = 0.015  # around an onset, whose frames are 5 ms apart
ATTACK_STEP_S: Final = 0.001
ATTACK_SHARE: Final = 0.1  # of the level that the attack reaches
CROSSING_REACH_S: Final = 0.005
MIN_ONSET_RATE_HZ: Final = 8_000  # of the onset detector


def chop_by_transients(
    samples: Samples, rate: int, sensitivity: float = 0.5, maximum: int = MAX_CHOPS
) -> list[int]:
    """Return the frames at which hits begin, in order, each at a zero crossing; the first is 0.

    `sensitivity` is 0 (only the strongest hits) to 1 (all). If there are more than `maximum`, the
    strongest are kept.
    """
    signal = mix_to_mono(samples)
    if not np.any(signal) or rate < MIN_ONSET_RATE_HZ:
        return [0]
    env = onset_strength(signal, rate)
    weakest, strongest = FLUX_SHARES[1], FLUX_SHARES[0]
    share = strongest + (weakest - strongest) * min(max(sensitivity, 0.0), 1.0)
    found = select_onsets(env, share)
    gap = round(MIN_CHOP_S * rate)
    chops: list[int] = []
    for onset in found:  # the strongest first
        frame = refine_onset(signal, rate, round(onset / env.fps * rate))
        if len(chops) < limit_chops(maximum) - 1 and all(
            abs(frame - other) >= gap for other in (0, *chops)
        ):
            chops.append(frame)
    return [0, *sorted(chops)]


def select_onsets(env: OnsetEnvelope, share: float) -> list[int]:
    """Return the onsets with at least this share of the highest strength, the strongest first."""
    strengths = env.flux[0][env.onsets]
    order = np.argsort(-strengths, kind="stable")
    least = share * float(strengths.max(initial=0.0))
    return [int(env.onsets[index]) for index in order if strengths[index] >= least]


def refine_onset(signal: Signal, rate: int, frame: int) -> int:
    """Return the zero crossing at or before the attack that begins near a frame."""
    step, reach = max(1, round(ATTACK_STEP_S * rate)), round(ATTACK_REACH_S * rate)
    first = max(0, frame - reach)
    near = np.abs(signal[first : frame + reach])
    steps = near[: len(near) // step * step].reshape(-1, step).max(axis=1, initial=0.0)
    if not len(steps):
        return min(frame, len(signal))
    rises = np.flatnonzero(steps >= steps.min() + ATTACK_SHARE * (steps.max() - steps.min()))
    attack = first + int(rises[0]) * step
    return nearest_zero_crossing(signal[: attack + 1], attack, round(CROSSING_REACH_S * rate))


def chop_equally(frames: int, parts: int) -> list[int]:
    """Return the starts of `parts` equal parts (at most 16) of a sound."""
    parts = limit_chops(parts)
    return list(dict.fromkeys(frames * part // parts for part in range(parts)))


def chop_by_grid(beats: Sequence[float], frames: int, rate: int) -> list[int]:
    """Return the beats, given in seconds, as frames; the first chop is 0.

    Of more than 16 chops, every second is kept, as often as needed, so that the whole sound is
    covered.
    """
    gap = round(MIN_CHOP_S * rate)
    inside = sorted({round(beat * rate) for beat in beats if gap <= beat * rate < frames})
    chops = [0, *inside]
    while len(chops) > MAX_CHOPS:
        chops = chops[::2]
    return chops


def beat_times(bpm: float, seconds: float, first: float = 0.0) -> list[float]:
    """Return the times in seconds of all beats of a sound, from the time of its first beat.

    Raises:
        ValueError: If the tempo is not positive.
    """
    if not bpm > 0:
        raise ValueError("The tempo must be positive.")
    return [float(time) for time in np.arange(first, seconds, 60 / bpm)]


def nearest_zero_crossing(samples: Samples, frame: int, reach: int) -> int:
    """Return the frame nearest to `frame`, at most `reach` away, at or just after a zero crossing.

    Without one, `frame` itself is returned, limited to the sound.
    """
    frame = min(max(frame, 0), len(samples))
    first = max(1, frame - reach)
    part = mix_to_mono(samples[first - 1 : frame + reach + 1])
    signs = np.sign(part)
    crossings = first + np.flatnonzero(signs[1:] * signs[:-1] <= 0)
    if not len(crossings):
        return frame
    return int(crossings[np.argmin(np.abs(crossings - frame))])


def mix_to_mono(samples: Samples) -> Signal:
    """Return the mean of the channels."""
    if samples.ndim == 1:
        return np.asarray(samples, np.float32)
    return np.ascontiguousarray(samples.mean(axis=1, dtype=np.float32))


def limit_chops(count: int) -> int:
    """Return a number of chops within 1..16."""
    return min(max(count, 1), MAX_CHOPS)
