"""Stretch a clip to a length, as a single sound or as a loop whose seam stays."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from sp404_app.audio.render.clip import Clip
from sp404_app.audio.render.frame_store import FrameStore
from sp404_app.audio.render.percussive import EXCERPT_S, is_percussive
from sp404_app.audio.render.time_stretch import Stretcher, stretch_frames

Frames = npt.NDArray[np.float32]
Report = Callable[[float], None]

LEAD_S: Final = 0.5  # of the loop's end, stretched before its start; four blocks of the library
BLEND_S: Final = 0.01
MIN_CORRELATION: Final = -0.95  # below it the gains of the blend would grow without bound


def stretch_clip(clip: Clip, frames: int, folder: Path, report: Report, *, loop: bool) -> Clip:
    """Return a new clip of `frames` frames at the same pitch; close its store after use."""
    percussive = is_percussive(clip.read(0, min(clip.frames, EXCERPT_S * clip.rate)), clip.rate)
    store = FrameStore(clip.channels, folder)
    stretched = replace(clip, store=store, first=0, frames=frames, reverse=False, on_grid=False)
    try:
        with Stretcher(clip.channels, clip.rate, percussive=percussive) as stretcher:
            fill = fill_loop if loop else fill_sound
            fill(clip, store, frames, stretcher, report)
    except BaseException:
        store.close()
        raise
    return stretched


def fill_sound(
    clip: Clip, store: FrameStore, frames: int, stretcher: Stretcher, report: Report
) -> None:
    """Stretch a sound that is surrounded by silence."""
    for block in stretch_frames(clip.read_padded, stretcher, 0, clip.frames, frames):
        store.append(block)
        report(store.frames / frames)


def fill_loop(
    clip: Clip, store: FrameStore, frames: int, stretcher: Stretcher, report: Report
) -> None:
    """Stretch a loop after the end of its previous repetition, and blend its end into that.

    Two stretched repetitions differ in phase, so that the end of one does not meet its start.
    """
    lead = round(LEAD_S * clip.rate)
    out_lead = max(1, round(lead * frames / clip.frames))
    blend = min(round(BLEND_S * clip.rate), frames // 2, out_lead)
    before = np.zeros((0, clip.channels), np.float32)
    skip = out_lead
    for block in stretch_frames(
        clip.read_circular, stretcher, -lead, lead + clip.frames, out_lead + frames
    ):
        head = block[:skip]
        before = np.concatenate([before, head])[-max(1, blend) :]
        skip -= len(head)
        store.append(block[len(head) :])
        report(store.frames / frames)
    tail = store.read(frames - blend, blend)
    store.replace_tail(blend_frames(tail, before[len(before) - blend :]))


def blend_frames(first: Frames, second: Frames) -> Frames:
    """Go over from one signal to another at constant level, whatever their correlation."""
    x, y = first.astype(np.float64), second.astype(np.float64)
    power = np.sqrt(np.sum(x * x) * np.sum(y * y))
    correlation = max(MIN_CORRELATION, float(np.sum(x * y) / power)) if power > 0 else 0.0
    share = (np.arange(len(x)) + 1)[:, None] / max(1, len(x))
    level = (1 - share) ** 2 + share**2 + 2 * correlation * share * (1 - share)
    return ((x * (1 - share) + y * share) / np.sqrt(level)).astype(np.float32)
