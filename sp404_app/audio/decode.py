"""Decode any sound file, by its content and in blocks, whatever it is called.

libsndfile comes first because it is exact and fast; FFmpeg (through PyAV) opens the rest.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import soundfile

from sp404_app.audio import libav, libsnd
from sp404_app.audio.header import (
    MAX_SAMPLES,
    MAX_SECONDS,
    Header,
    check,
    playable_in_browsers,
    why_unreadable,
)
from sp404_app.audio.preview import encode
from sp404_app.errors import BadAudio

__all__ = [
    "Header",
    "blocks",
    "encode_preview",
    "opened",
    "playable_in_browsers",
    "probe",
    "segment",
]

Frames = npt.NDArray[np.float32]

HEADROOM: Final = 8.0  # +18 dBFS: louder floats are damage, not mastering
MAX_SEGMENT_SECONDS: Final = 120.0


def probe(path: Path) -> Header:
    """Read what a file says about itself.

    Raises:
        BadAudio: If it is not sound, holds none, or more than we take.
    """
    with opened(path) as (header, _):
        return header


@contextmanager
def opened(path: Path) -> Iterator[tuple[Header, Iterator[Frames]]]:
    """Open a file once: its header, and its sound as `blocks` yields it.

    Raises:
        BadAudio: As `probe`; reading on, as `blocks`.
    """
    with libsnd.tried(path) as sound:
        if sound is not None:
            header = checked(libsnd.described(sound))
            yield header, bounded(header, libsnd.blocks(sound))
            return
    header = by_ffmpeg(path)
    yield header, bounded(header, libav.blocks(path))


def checked(header: Header) -> Header:
    """Return a header that libsndfile has read, if it is one we take.

    Raises:
        BadAudio: If not.
    """
    check(header)
    if header.frames == 0:
        raise BadAudio("This file holds no sound.")
    return header


def by_ffmpeg(path: Path) -> Header:
    """Read the header of a file that libsndfile refuses.

    Raises:
        BadAudio: If FFmpeg does not know it either, or if it is not one we take.
    """
    header = libav.header(path)
    if header is None:
        raise BadAudio(why_unreadable(path))
    return check(header)


def blocks(path: Path) -> Iterator[Frames]:
    """Decode to float32 blocks of shape (frames, channels), full scale at 1.0.

    Not-a-number and infinity become 0 and nothing exceeds `HEADROOM`. A file that breaks off
    after some sound yields that sound.

    Raises:
        BadAudio: If the file cannot be opened, breaks off before any sound, or goes on for
            longer than its header may promise.
    """
    with opened(path) as (_, found):
        yield from found


def bounded(header: Header, found: Iterator[Frames]) -> Iterator[Frames]:
    """Pass on what is decoded, made finite, as long as there is no more than we take."""
    limit = min(MAX_SECONDS * header.sample_rate, MAX_SAMPLES // header.channels)
    count = 0
    for block in found:
        count += len(block)
        if count > limit:
            raise BadAudio("This file unpacks to more sound than we take; split it into parts.")
        yield sane(block)
    if not count:
        raise BadAudio("This file is damaged: no sound could be decoded from it.")


def sane(block: Frames) -> Frames:
    """Return the block with finite values inside the headroom, copying only if needed."""
    low, high = block.min(), block.max()
    if low >= -HEADROOM and high <= HEADROOM:  # false for NaN, which min and max pass on
        return block
    finite = np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0)
    return np.clip(finite, -HEADROOM, HEADROOM)


def segment(path: Path, start: float, end: float) -> tuple[Frames, int]:
    """Decode a short window of a file without reading what is before it.

    Returns the frames of `start` to `end` seconds, of shape (frames, channels) and cut to the
    file and to `MAX_SEGMENT_SECONDS`, and the rate in Hz.

    Raises:
        BadAudio: If the file cannot be opened, or not be read there.
    """
    try:
        with libsnd.tried(path) as sound:
            if sound is not None:
                cut = inside(checked(libsnd.described(sound)), start, end)
                frames, rate = libsnd.segment(sound, *cut)
            else:
                frames, rate = libav.segment(path, *inside(by_ffmpeg(path), start, end))
    except (soundfile.LibsndfileError, *libav.errors()) as error:
        raise BadAudio("This file is damaged: this part of it cannot be read.") from error
    return (sane(frames) if len(frames) else frames), rate


def inside(header: Header, start: float, end: float) -> tuple[float, float]:
    """Cut a stretch of time to the file and to `MAX_SEGMENT_SECONDS`."""
    start = min(max(0.0, start), header.duration or start)
    return start, min(max(start, end), start + MAX_SEGMENT_SECONDS)


def encode_preview(path: Path, target: Path) -> None:
    """Write a mono or stereo Ogg Vorbis file of at most 48 kHz for browsers.

    Raises:
        BadAudio: If nothing can be decoded.
    """
    with opened(path) as (header, found):
        encode(found, header.sample_rate, target)
