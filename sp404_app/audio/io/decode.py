"""Decode any audio file to blocks of samples, by its content and not by its name.

libsndfile decodes the formats that it reads exactly and to their end; FFmpeg (through PyAV)
decodes the rest. The length is counted while decoding, not taken from the header.
"""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import soundfile

from sp404_app.audio.io import ffmpeg, smp, sndfile, source
from sp404_app.audio.io.header import (
    MAX_SAMPLES,
    MAX_SECONDS,
    Header,
    check_limits,
    explain_unreadable,
    playable_in_browsers,
)
from sp404_app.audio.io.source import AudioSource
from sp404_app.audio.io.transcode import encode_vorbis
from sp404_app.errors import BadAudio

__all__ = [
    "Header",
    "decode_blocks",
    "decode_segment",
    "encode_preview",
    "open_audio",
    "playable_in_browsers",
    "probe_header",
]

Frames = npt.NDArray[np.float32]

HEADROOM: Final = 8.0  # +18 dBFS: louder float samples are damage
MAX_SEGMENT_S: Final = 120.0
DAMAGED: Final = "This file is damaged. No sound could be decoded from it."
DAMAGED_HERE: Final = "This file is damaged. This part of it can't be read."


def probe_header(path: Path) -> Header:
    """Read a file's header; its length may be wrong, see `Survey`.

    Raises:
        BadAudio: If it is not audio, is empty, or exceeds the limits.
    """
    with open_audio(path) as (header, _):
        return header


@contextmanager
def open_audio(path: Path) -> Iterator[tuple[Header, Iterator[Frames]]]:
    """Open a file: its header, and its audio as `decode_blocks` yields it.

    Raises:
        BadAudio: As `probe_header`; while reading, as `decode_blocks`.
    """
    with source.open_source(path) as file:
        with sndfile.try_sound_file(file) as sound:
            if sound is not None:
                header = check_sound_file(describe(file, sound))
                yield (
                    header,
                    limit_length(header, drop_block_padding(file, sndfile.sndfile_blocks(sound))),
                )
                return
        header = header_by_ffmpeg(path, file)
        yield header, limit_length(header, ffmpeg.ffmpeg_blocks(file))


def describe(file: AudioSource, sound: soundfile.SoundFile) -> Header:
    """Return the header of a file that libsndfile reads, with the format of the original."""
    is_smp = file.display_name == smp.DISPLAY_NAME
    return sndfile.describe_sound_file(sound, smp.FORMAT_NAME if is_smp else "")


def check_sound_file(header: Header) -> Header:
    """Return a header read by libsndfile if it is within the limits.

    Raises:
        BadAudio: If it is not, or if the file is empty.
    """
    check_limits(header)
    if header.frames == 0:
        raise BadAudio("This file contains no sound.")
    return header


def header_by_ffmpeg(path: Path, file: AudioSource) -> Header:
    """Read the header of a file that libsndfile does not support.

    Raises:
        BadAudio: If FFmpeg does not support it either, or if it exceeds the limits.
    """
    header = ffmpeg.read_container_header(file)
    if header is None:
        raise BadAudio(explain_unreadable(path))
    return check_limits(header, counted=file.counted)


def decode_blocks(path: Path) -> Iterator[Frames]:
    """Decode to float32 blocks of shape (frames, channels), full scale at 1.0.

    NaN and infinity become 0, and values are clipped to `HEADROOM`. A truncated file yields what
    can be decoded.

    Raises:
        BadAudio: If the file cannot be opened, is damaged before any audio, or is too long.
    """
    with open_audio(path) as (_, blocks):
        yield from blocks


def decoder_errors() -> tuple[type[Exception], ...]:
    """Return the exceptions that decoders raise for invalid files."""
    python_errors = (
        ArithmeticError,
        AssertionError,
        AttributeError,
        BufferError,
        MemoryError,
        TypeError,
    )
    return (soundfile.SoundFileError, struct.error, *python_errors, *ffmpeg.ffmpeg_errors())


def drop_block_padding(file: AudioSource, blocks: Iterator[Frames]) -> Iterator[Frames]:
    """Drop the padding of the last block of a compressed file whose `fact` chunk counts its frames.

    A count that would drop more than the padding is wrong; then everything is kept.
    """
    if not file.fact_frames:
        yield from blocks
        return
    at, padding = 0, []
    for block in blocks:
        inside = min(len(block), max(0, file.fact_frames - at))
        at += len(block)
        if at >= file.fact_frames + file.padding_frames and padding:
            yield from padding
            padding = []
        if inside:
            yield block[:inside]
        if inside < len(block):
            padding.append(block[inside:])
    if at >= file.fact_frames + file.padding_frames:
        yield from padding


def limit_length(header: Header, blocks: Iterator[Frames]) -> Iterator[Frames]:
    """Yield decoded blocks with finite values; raise `BadAudio` beyond the length limits."""
    max_frames, max_decoded_frames = (
        MAX_SECONDS * header.sample_rate,
        MAX_SAMPLES // header.channels,
    )
    count = 0
    for block in translate_decoder_errors(blocks):
        count += len(block)
        if count > max_decoded_frames:
            raise BadAudio("This file is too long once decoded. Split it into parts.")
        if count > max_frames:
            raise BadAudio("This file is too long. The limit is 4 hours.")
        yield sanitise_block(block)
    if not count:
        raise BadAudio(DAMAGED)


def translate_decoder_errors(blocks: Iterator[Frames]) -> Iterator[Frames]:
    """Yield decoded blocks; raise `BadAudio` for any decoder error."""
    try:
        yield from blocks
    except decoder_errors() as error:
        raise BadAudio(DAMAGED) from error


def sanitise_block(block: Frames) -> Frames:
    """Return the block with finite values inside the headroom; copies only if needed."""
    low, high = block.min(), block.max()
    if low >= -HEADROOM and high <= HEADROOM:  # false for NaN, which min and max propagate
        return block
    finite = np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0)
    return np.clip(finite, -HEADROOM, HEADROOM)


def decode_segment(path: Path, start: float, end: float) -> tuple[Frames, int]:
    """Decode a short segment of a file without decoding what is before it.

    Returns the frames from `start` to `end` seconds, shape (frames, channels), limited to the file
    and to `MAX_SEGMENT_S`, and the sample rate in Hz.

    Raises:
        BadAudio: If the file cannot be opened or the segment cannot be decoded.
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


def decode_between(
    path: Path, file: AudioSource, start: float, end: float
) -> tuple[Frames, int, float]:
    """Return the frames between two times, the rate in Hz, and the header's duration in seconds."""
    with sndfile.try_sound_file(file) as sound:
        if sound is not None:
            header = check_sound_file(describe(file, sound))
            return *sndfile.sndfile_segment(sound, start, end), header.duration
    header = header_by_ffmpeg(path, file)
    return *ffmpeg.ffmpeg_segment(file, start, end), header.duration


def encode_preview(path: Path, target: Path) -> None:
    """Write a mono or stereo Ogg Vorbis file of at most 48 kHz for browsers.

    Raises:
        BadAudio: If nothing can be decoded.
    """
    with open_audio(path) as (header, blocks):
        encode_vorbis(blocks, header.sample_rate, target)
