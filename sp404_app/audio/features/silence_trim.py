"""Decide loop or one-shot without the silence around a sound.

A loop may end with a rest, so trailing silence is not always removed: candidates for the trimmed
sound end on the first whole beat or bar after the last sound.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from sp404_app.audio.dsp.onset import OnsetEnvelope
from sp404_app.audio.features import loop_detection, tempo
from sp404_app.audio.features.tempo import TempoEstimate

SILENCE_POWER: Final = 1e-6  # of the loudest frame's power, -60 dB: hiss below it counts as silence
MIN_SILENCE_S: Final = 0.05  # less is normal for cut files
MIN_BEATS: Final = 3
OVERHANG_SHARE: Final = 0.02  # of a beat or bar: a sound may ring this far past its end


@dataclass(frozen=True, slots=True)
class LoopDecision:
    """The tempo of a sound, its loop probability, and the length in s that was judged.

    The tempo is that of the untrimmed sound: a span trimmed to whole beats would always confirm it.
    """

    tempo: TempoEstimate | None
    loop: float
    length: float


def decide_loop(env: OnsetEnvelope, length: float, *, whole: bool) -> LoopDecision:
    """Judge a sound with and without its silence; return the decision with the higher probability.

    `whole` means that the ends are the file's own; an excerpt has no silence to trim.
    """
    # A single onset has no tempo: skip the search for most one-shots.
    estimate = tempo.estimate_tempo(env, length, whole=whole) if len(env.onsets) > 1 else None
    full = LoopDecision(estimate, loop_detection.loop_probability(env, length, estimate), length)
    if not whole or estimate is None:
        return full
    cuts = dict.fromkeys(trim_candidates(env, estimate.bpm))
    return max(
        [full, *(decide_loop_for_cut(env, *cut, estimate) for cut in cuts)],
        key=lambda each: each.loop,
    )


def decide_loop_for_cut(
    env: OnsetEnvelope, first: int, last: int, estimate: TempoEstimate
) -> LoopDecision:
    """Judge the frames `first` to `last` (exclusive) of a sound."""
    part, length = slice_envelope(env, first, last), (last - first) / env.fps
    part_tempo = tempo.estimate_tempo(part, length) if len(part.onsets) > 1 else None
    return LoopDecision(estimate, loop_detection.loop_probability(part, length, part_tempo), length)


def trim_candidates(env: OnsetEnvelope, bpm: float) -> Iterator[tuple[int, int]]:
    """Yield (first, last) frames that exclude silence and contain whole beats or bars."""
    loud = np.flatnonzero(env.energy > SILENCE_POWER)
    if not len(loud):
        return
    first, last, count = int(loud[0]), int(loud[-1]) + 1, len(env.energy)
    if (first + count - last) / env.fps < MIN_SILENCE_S:
        return
    starts = (first, 0) if first <= MIN_SILENCE_S * env.fps else (first,)
    for start in starts:
        for beats in (1, 4):
            step = beats * 60 / bpm * env.fps
            times = int(np.ceil((last - start) / step - OVERHANG_SHARE))
            end = start + round(times * step)
            if times * beats >= MIN_BEATS and end <= count + 2:
                yield start, min(end, count)


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
