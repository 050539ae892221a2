"""Which part of a sound is to be judged: silence before and behind it says nothing about it.

A loop may end with a rest, so the silence behind it is not all cut: of a sound with a tempo, the
stretches are taken that end with the first whole beat or bar behind the last sound.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from sp404_app.audio.dsp.onset import OnsetEnvelope
from sp404_app.audio.features import loop_detection, tempo
from sp404_app.audio.features.tempo import TempoEstimate

SILENCE_POWER: Final = 1e-6  # of the loudest frame's power, -60 dB: silence, also with hiss in it
MIN_SILENCE_S: Final = 0.05  # seconds: less is how files are cut
MIN_BEATS: Final = 3
OVERHANG_BEATS: Final = 0.02  # of a beat, or bar, by which a sound may ring over its end


@dataclass(frozen=True, slots=True)
class LoopDecision:
    """The tempo of a sound, how likely it is a loop, and the length in s that this was read from.

    The tempo is that of the whole sound: a stretch that was cut to whole beats would confirm it.
    """

    tempo: TempoEstimate | None
    loop: float
    length: float


def decide_loop(env: OnsetEnvelope, length: float, *, whole: bool) -> LoopDecision:
    """Judge a sound with its silence and without, and take what is most likely a loop.

    `whole` says that the ends are the file's own: an excerpt has no silence to cut.
    """
    # What is struck once has no tempo, and most one-shots are: the search is spared.
    found = tempo.estimate_tempo(env, length, whole=whole) if len(env.onsets) > 1 else None
    full = LoopDecision(found, loop_detection.loop_probability(env, length, found), length)
    if not whole or found is None:
        return full
    cuts = dict.fromkeys(trim_candidates(env, found.bpm))
    return max(
        [full, *(decide_loop_for_cut(env, *cut, found) for cut in cuts)], key=lambda each: each.loop
    )


def decide_loop_for_cut(
    env: OnsetEnvelope, first: int, last: int, found: TempoEstimate
) -> LoopDecision:
    """Judge the frames `first` to `last` (exclusive) of a sound."""
    part, length = slice_envelope(env, first, last), (last - first) / env.fps
    beaten = tempo.estimate_tempo(part, length) if len(part.onsets) > 1 else None
    return LoopDecision(found, loop_detection.loop_probability(part, length, beaten), length)


def trim_candidates(env: OnsetEnvelope, bpm: float) -> Iterator[tuple[int, int]]:
    """Yield first and last frames that leave out silence and hold whole beats or bars."""
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
            times = int(np.ceil((last - start) / step - OVERHANG_BEATS))
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
