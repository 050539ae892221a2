"""Encode previews that browsers can play: Ogg Vorbis, mono or stereo, at most 48 kHz."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import soundfile

from sp404_app.audio.dsp.fir import Decimator

Frames = npt.NDArray[np.float32]

MAX_RATE_HZ: Final = 48_000
MIN_RATE_HZ: Final = 8_000  # lowest rate of the Vorbis encoder
# libsndfile's Vorbis writer copies each write to the stack, and crashes on large writes.
WRITE_FRAMES: Final = 4096


def encode_vorbis(blocks: Iterator[Frames], rate: int, target: Path) -> None:
    """Encode blocks of shape (frames, channels) at `rate` Hz into `target`."""
    factor = -(-rate // MAX_RATE_HZ)
    repeats = -(-MIN_RATE_HZ // rate)
    first = next(blocks)
    channels = min(2, first.shape[1])
    decimator = Decimator(factor, channels)
    with soundfile.SoundFile(
        target, "w", rate * repeats // factor, channels, format="OGG", subtype="VORBIS"
    ) as sound:
        write_in_pieces(sound, decimator.feed(downmix(first)), repeats)
        for block in blocks:
            write_in_pieces(sound, decimator.feed(downmix(block)), repeats)
        write_in_pieces(sound, decimator.flush(), repeats)


def downmix(block: Frames) -> Frames:
    """Mix more than two channels to two: even ones to the left, odd ones to the right."""
    if block.shape[1] <= 2:
        return block
    return np.stack([block[:, ::2].mean(axis=1), block[:, 1::2].mean(axis=1)], axis=1)


def write_in_pieces(sound: soundfile.SoundFile, block: Frames, repeats: int) -> None:
    """Write a block in small pieces, clipped to full scale, with each frame repeated."""
    for at in range(0, len(block), WRITE_FRAMES):
        piece = np.clip(block[at : at + WRITE_FRAMES], -1.0, 1.0)
        for part in np.array_split(np.repeat(piece, repeats, axis=0), repeats):
            sound.write(part)
