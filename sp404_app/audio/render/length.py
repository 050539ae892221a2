"""How long a render is, and where a frame of one render lies in another."""

import math
from typing import Final

from sp404_app.audio.render.edit import Edit

# Shorter pads are padded with silence: the MKII plays regions of at least 1,000 frames, the
# converter of the SP-404SX refuses sounds of 100 ms.
MIN_FRAMES: Final = {48_000: 1_000, 44_100: 4_411}
NEGLIGIBLE_STRETCH: Final = 1e-9


def minimum_frames(rate: int) -> int:
    """Return the length in frames to which shorter renders at `rate` Hz are padded."""
    return MIN_FRAMES.get(rate, 1)


def stretch_ratio(edit: Edit) -> float:
    """Return output length / input length at unchanged pitch; 1.0 if the edit stretches nothing."""
    if edit.stretch_to_bpm is not None:
        return edit.stretch_to_bpm.ratio
    return edit.stretch if edit.stretch is not None else 1.0


def stretcher_ratio(edit: Edit) -> float:
    """Return by how much the stretcher lengthens: pitch is shifted by stretching, then speeding up.

    Exactly 1.0 if the stretcher is not needed.
    """
    ratio = stretch_ratio(edit) * semitone_ratio(edit.pitch)
    return ratio if abs(ratio - 1) > NEGLIGIBLE_STRETCH else 1.0


def playback_speed(edit: Edit) -> float:
    """Return how much faster the stretched sound is played, by `pitch` and `resample_trick`."""
    return semitone_ratio(edit.pitch + (edit.resample_trick or 0.0))


def semitone_ratio(semitones: float) -> float:
    """Return the frequency ratio of an interval."""
    return 2.0 ** (semitones / 12)


def trim_span(edit: Edit, frames: int) -> tuple[int, int]:
    """Return the first frame and the frame after the last that `trim` keeps of a sound."""
    first, last = edit.trim or (0, frames)
    return min(first, frames), min(last, frames)


def result_frames(edit: Edit, frames: int, source_rate: int, rate: int) -> int:
    """Return the length of `frames` trimmed frames once rendered, before padding; at least 1."""
    trick = edit.resample_trick or 0.0
    ratio = stretch_ratio(edit) / semitone_ratio(trick) if trick else stretch_ratio(edit)
    if ratio == 1.0:
        return max(1, (2 * frames * rate + source_rate) // (2 * source_rate))
    return max(1, math.floor(frames * ratio * rate / source_rate + 0.5))


def rendered_frames(edit: Edit, frames: int, source_rate: int, rate: int) -> int | None:
    """Return the length of the render of a sound with `frames` frames at `source_rate` Hz.

    It is exact. None if only rendering can tell, because silence is trimmed.
    """
    return (
        None if edit.trim_silence is not None else longest_render(edit, frames, source_rate, rate)
    )


def longest_render(edit: Edit, frames: int, source_rate: int, rate: int) -> int:
    """Return the length of the render if there is no silence to trim."""
    first, last = trim_span(edit, frames)
    return max(minimum_frames(rate), result_frames(edit, last - first, source_rate, rate))


def map_frame(frame: int, old: Edit, new: Edit, frames: int, source_rate: int, rate: int) -> int:
    """Return where the position `frame` of the render of `old` lies in the render of `new`.

    Positions are boundaries between frames, 0 to the length. A reversal therefore maps the start to
    the end: callers swap start and end, and sort chops. What `new` cuts off is clamped. How much
    silence is trimmed is unknown, so it is taken as none; positions stay right if both edits trim
    it alike from the same span.
    """
    at = original_position(frame, old, frames, source_rate, rate)
    first, last = trim_span(new, frames)
    inside = min(max(at, first), last) - first
    if new.reverse:
        inside = last - first - inside
    if inside >= last - first:
        return longest_render(new, frames, source_rate, rate)
    length = result_frames(new, last - first, source_rate, rate)
    return math.floor(inside * length / (last - first) + 0.5)


def original_position(frame: int, edit: Edit, frames: int, source_rate: int, rate: int) -> float:
    """Return where a position of a render lies in the original, in frames of the original."""
    first, last = trim_span(edit, frames)
    length = result_frames(edit, last - first, source_rate, rate)
    inside = min(max(frame, 0), length) * (last - first) / length
    return last - inside if edit.reverse else first + inside
