"""Decode any sound file, by its content and in blocks, whatever it is called.

libsndfile reads what it reads to the end, exactly and fast; FFmpeg (through PyAV) reads the
rest. How long a sound is, is counted.
"""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import soundfile

from sp404_app.audio.io import ffmpeg, sndfile, source
from sp404_app.audio.io.header import (
    MAX_SAMPLES,
    MAX_SECONDS,
    Header,
    check_limits,
    explain_unreadable,
    playable_in_browsers,
)
from sp404_app.audio.io.source import Source
from sp404_app.audio.io.transcode import encode_vorbis
from sp404_app.errors import BadAudio

__all__ = [
    "Header",
    "decode_blocks",
    "encode_preview",
    "open_audio",
    "playable_in_browsers",
    "probe_header",
    "segment",
]

Frames = npt.NDArray[np.float32]

HEADROOM: Final = 8.0  # +18 dBFS: louder floats are damage, not mastering
MAX_SEGMENT_S: Final = 120.0
DAMAGED: Final = "This file is damaged: no sound could be decoded from it."
DAMAGED_HERE: Final = "This file is damaged: this part of it cannot be read."


def probe_header(path: Path) -> Header:
    """Read what a file says about itself; its length may be wrong, see `Survey`.

    Raises:
        BadAudio: If it is not sound, holds none, or more than we take.
    """
    with open_audio(path) as (header, _):
        return header


@contextmanager
def open_audio(path: Path) -> Iterator[tuple[Header, Iterator[Frames]]]:
    """Open a file once: its header, and its sound as `blocks` yields it.

    Raises:
        BadAudio: As `probe`; reading on, as `blocks`.
    """
    with source.open_source(path) as file:
        with sndfile.try_sound_file(file) as sound:
            if sound is not None:
                header = check_sound_file(sndfile.describe_sound_file(sound))
                yield (
                    header,
                    limit_length(header, drop_block_padding(file, sndfile.sndfile_blocks(sound))),
                )
                return
        header = header_by_ffmpeg(path, file)
        yield header, limit_length(header, ffmpeg.ffmpeg_blocks(file))


def check_sound_file(header: Header) -> Header:
    """Return a header that libsndfile has read, if it is one we take.

    Raises:
        BadAudio: If not.
    """
    check_limits(header)
    if header.frames == 0:
        raise BadAudio("This file holds no sound.")
    return header


def header_by_ffmpeg(path: Path, file: Source) -> Header:
    """Read the header of a file that is not for libsndfile.

    Raises:
        BadAudio: If FFmpeg does not know it either, or if it is not one we take.
    """
    header = ffmpeg.read_container_header(file)
    if header is None:
        raise BadAudio(explain_unreadable(path))
    return check_limits(header, counted=file.counted)


def decode_blocks(path: Path) -> Iterator[Frames]:
    """Decode to float32 blocks of shape (frames, channels), full scale at 1.0.

    Not-a-number and infinity become 0 and nothing exceeds `HEADROOM`. A file that breaks off
    after some sound yields that sound.

    Raises:
        BadAudio: If the file cannot be opened, breaks off before any sound, or goes on for
            longer than we take.
    """
    with open_audio(path) as (_, found):
        yield from found


def decoder_errors() -> tuple[type[Exception], ...]:
    """List what the decoders of all libraries raise when a file is not as it should be."""
    ours = (ArithmeticError, AssertionError, AttributeError, BufferError, MemoryError, TypeError)
    return (soundfile.SoundFileError, struct.error, *ours, *ffmpeg.ffmpeg_errors())


def drop_block_padding(file: Source, found: Iterator[Frames]) -> Iterator[Frames]:
    """Cut the filling of the last block of a packed sound, where the file counts its frames.

    A count that leaves out more than the filling is wrong, and all of the sound is kept.
    """
    if not file.fact:
        yield from found
        return
    at, held = 0, []
    for block in found:
        inside = min(len(block), max(0, file.fact - at))
        at += len(block)
        if at >= file.fact + file.filling and held:
            yield from held
            held = []
        if inside:
            yield block[:inside]
        if inside < len(block):
            held.append(block[inside:])
    if at >= file.fact + file.filling:
        yield from held


def limit_length(header: Header, found: Iterator[Frames]) -> Iterator[Frames]:
    """Pass on what is decoded, made finite, as long as there is no more than we take."""
    longest, most = MAX_SECONDS * header.sample_rate, MAX_SAMPLES // header.channels
    count = 0
    for block in translate_decoder_errors(found):
        count += len(block)
        if count > most:
            raise BadAudio("This file unpacks to more sound than we take; split it into parts.")
        if count > longest:
            raise BadAudio("This file lasts too long; we take up to 4 hours.")
        yield sanitise_block(block)
    if not count:
        raise BadAudio(DAMAGED)


def translate_decoder_errors(found: Iterator[Frames]) -> Iterator[Frames]:
    """Pass on what is decoded; whatever a decoder raises is said in words."""
    try:
        yield from found
    except decoder_errors() as error:
        raise BadAudio(DAMAGED) from error


def sanitise_block(block: Frames) -> Frames:
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
    start = max(0.0, start)
    end = min(max(start, end), start + MAX_SEGMENT_S)
    with source.open_source(path) as file:
        try:
            frames, rate, length = decode_between(path, file, start, end)
        except decoder_errors() as error:
            raise BadAudio(DAMAGED_HERE) from error
    if not len(frames) and end > start and start < length:
        raise BadAudio(DAMAGED_HERE)
    return (sanitise_block(frames) if len(frames) else frames), rate


def decode_between(path: Path, file: Source, start: float, end: float) -> tuple[Frames, int, float]:
    """Return the frames between two times, the rate, and the length of the header in seconds."""
    with sndfile.try_sound_file(file) as sound:
        if sound is not None:
            header = check_sound_file(sndfile.describe_sound_file(sound))
            return *sndfile.sndfile_segment(sound, start, end), header.duration
    header = header_by_ffmpeg(path, file)
    return *ffmpeg.ffmpeg_segment(file, start, end), header.duration


def encode_preview(path: Path, target: Path) -> None:
    """Write a mono or stereo Ogg Vorbis file of at most 48 kHz for browsers.

    Raises:
        BadAudio: If nothing can be decoded.
    """
    with open_audio(path) as (header, found):
        encode_vorbis(found, header.sample_rate, target)
