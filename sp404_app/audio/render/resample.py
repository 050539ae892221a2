"""Resample a clip with soxr at its highest quality, in float64, block by block.

Only this quality gives the same 16-bit samples with and without SIMD.
"""

import math
from collections.abc import Iterator
from itertools import count
from typing import Final

import numpy as np
import numpy.typing as npt
import soxr

from sp404_app.audio.render.clip import Clip

Samples = npt.NDArray[np.float64]  # (frames, channels)

BLOCK_FRAMES: Final = 32_768  # of the longer of input and output
MAX_LEAD_RATIO: Final = 4  # of the frames before a loop to those that the filter needs
LOOP_CONTEXT_FRAMES: Final = 512  # of the lower rate; the filter reaches less far


def resample_clip(
    clip: Clip, rates: tuple[float, float] | None, frames: int, *, loop: bool
) -> Iterator[Samples]:
    """Yield a clip as exactly `frames` frames.

    `rates` are those to convert from and to; without them, the clip is resampled to the length. A
    loop always is, and repeats endlessly, so that its seam stays.
    """
    ratio = (clip.frames, frames) if loop or rates is None else rates
    if ratio[0] == ratio[1] and clip.frames == frames:
        yield from read_clip(clip, BLOCK_FRAMES)
        return
    blocks = resample_loop(clip, frames) if loop else resample_sound(clip, *ratio)
    yield from take_frames(blocks, frames, clip.channels)


def read_clip(clip: Clip, size: int) -> Iterator[Samples]:
    """Yield the frames of a clip."""
    for at in range(0, clip.frames, size):
        yield clip.read(at, min(size, clip.frames - at)).astype(np.float64)


def resample_sound(clip: Clip, source: float, target: float) -> Iterator[Samples]:
    """Resample a clip that is surrounded by silence, from one rate to another."""
    stream = new_stream(source, target, clip.channels)
    for block in read_clip(clip, input_block_frames(source, target)):
        yield stream.resample_chunk(block)
    yield stream.resample_chunk(np.zeros((0, clip.channels)), last=True)


def resample_loop(clip: Clip, frames: int) -> Iterator[Samples]:
    """Resample a loop to a length, from some frames before its start, and go on repeating it."""
    lead, drop = loop_lead(clip.frames, frames)
    stream = new_stream(clip.frames, frames, clip.channels)
    size = input_block_frames(clip.frames, frames)
    for at in count(-lead, size):
        block = stream.resample_chunk(clip.read_circular(at, size).astype(np.float64))
        yield block[drop:]
        drop -= min(drop, len(block))


def loop_lead(frames: int, out_frames: int) -> tuple[int, int]:
    """Return how many frames to resample before a loop, and how many of the output they make.

    The lead is taken whose end is nearest to a whole frame of the output. What is left, less than
    half a frame, shifts the loop as a whole; its seam stays exact.
    """
    context = math.ceil(LOOP_CONTEXT_FRAMES * max(1.0, frames / out_frames))
    leads = np.arange(context, MAX_LEAD_RATIO * context)
    over = leads % frames * (out_frames % frames) % frames  # in 1 / `frames` of a frame
    lead = int(leads[np.argmin(np.minimum(over, frames - over))])
    return lead, round(lead * out_frames / frames)


def new_stream(source: float, target: float, channels: int) -> soxr.ResampleStream:
    """Return a resampler; the two rates may be any numbers with the wanted ratio."""
    return soxr.ResampleStream(source, target, channels, "float64", "VHQ")


def input_block_frames(source: float, target: float) -> int:
    """Return how many frames to resample at once, so that the output stays small, too."""
    return max(1, int(BLOCK_FRAMES * min(1.0, source / target)))


def take_frames(blocks: Iterator[Samples], frames: int, channels: int) -> Iterator[Samples]:
    """Yield exactly `frames` frames: a rounded length may differ by one."""
    for block in blocks:
        part = block[:frames]
        frames -= len(part)
        if len(part):
            yield part
        if not frames:
            return
    yield np.zeros((frames, channels))
