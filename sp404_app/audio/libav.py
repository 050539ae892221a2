"""Read sound through FFmpeg (PyAV): M4A, AAC, ALAC and what libsndfile cannot open."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sp404_app.audio.header import Header

Frames = npt.NDArray[np.float32]

# FFmpeg also opens playlists that name other files and addresses. We choose the demuxer from
# the first bytes ourselves, so that an upload can never make the server fetch anything.
DEMUXERS: Final = (
    (4, b"ftyp", "mov", "M4A"),
    (0, b"\x1aE\xdf\xa3", "matroska", "WebM"),
    (0, b"0&\xb2u", "asf", "WMA"),
    (0, b"\xff\xf1", "aac", "AAC"),
    (0, b"\xff\xf9", "aac", "AAC"),
    (0, b"RIFF", "wav", "WAV"),
    (0, b"RF64", "wav", "WAV"),
    (0, b"FORM", "aiff", "AIFF"),
    (0, b"caff", "caf", "CAF"),
    (0, b"OggS", "ogg", "OGG"),
    (0, b"fLaC", "flac", "FLAC"),
    (0, b"ID3", "mp3", "MP3"),
    (0, b"\xff\xfb", "mp3", "MP3"),
    (0, b"\xff\xf3", "mp3", "MP3"),
    (0, b"\xff\xf2", "mp3", "MP3"),
)
CODEC_NAMES: Final = {"alac": "ALAC", "opus": "Opus", "vorbis": "OGG Vorbis", "mp3": "MP3"}
BLOCK_FRAMES: Final = 1 << 15


def demuxer(path: Path) -> tuple[str, str] | None:
    """Choose FFmpeg's demuxer and our name of the container from the first bytes."""
    with path.open("rb") as file:
        head = file.read(16)
    for at, magic, name, shown in DEMUXERS:
        if head[at : at + len(magic)] == magic:
            return name, shown
    return None


@contextmanager
def opened(path: Path, name: str) -> Iterator[Any]:
    """Open a container with one demuxer that cannot reach beyond this file."""
    # PyAV loads all of FFmpeg (0.1 s); only files that libsndfile refuses pay for it.
    import av  # noqa: PLC0415

    with path.open("rb") as file, av.open(file, format=name, mode="r") as container:
        yield container


def errors() -> tuple[type[Exception], ...]:
    """List what FFmpeg raises on damaged input."""
    from av.error import FFmpegError  # noqa: PLC0415  see `opened`

    # A damaged header can also surface as an end of file, a lookup or a value error from PyAV,
    # or, where it says to seek to nowhere, as an error of the file.
    return (FFmpegError, EOFError, LookupError, ValueError, OSError)


def header(path: Path) -> Header | None:
    """Read the header, or None if FFmpeg finds no sound in the file."""
    found = demuxer(path)
    if found is None:
        return None
    try:
        with opened(path, found[0]) as container:
            return described(container, found[1])
    except errors():
        return None  # the caller explains what is wrong with the bytes


def described(container: Any, shown: str) -> Header | None:
    """Describe the first audio stream of an open container."""
    if not container.streams.audio:
        return None
    stream = container.streams.audio[0]
    codec = stream.codec_context
    if codec is None:  # a stream of a kind that FFmpeg has no decoder for
        return None
    if stream.duration and stream.time_base:
        seconds = float(stream.duration * stream.time_base)
    else:
        seconds = (container.duration or 0) / 1e6
    return Header(
        duration=seconds,
        frames=round(seconds * codec.sample_rate),
        sample_rate=codec.sample_rate,
        channels=codec.channels,
        format=CODEC_NAMES.get(codec.name, shown),
    )


def decoded(container: Any) -> Iterator[tuple[float, Frames]]:
    """Yield each decoded frame with its time in seconds, as (frames, channels) float32."""
    import av  # noqa: PLC0415  see `opened`

    stream = container.streams.audio[0]
    channels = stream.codec_context.channels
    # Packed, never planar: of a planar frame with more than eight channels PyAV reads planes
    # that are not there, and the process dies. The layout is fixed: no sound file of a person's
    # changes its channels half-way, and one that does breaks off there.
    resampler = av.AudioResampler(format="flt", layout=stream.codec_context.layout)
    try:
        for frame in container.decode(stream):
            time = float(frame.time or 0.0)
            for packed in resampler.resample(frame):
                yield time, np.asarray(packed.to_ndarray().reshape(-1, channels), np.float32)
    except errors():
        return  # damaged from here on; what was sound has been yielded


def blocks(path: Path) -> Iterator[Frames]:
    """Yield float32 blocks of shape (frames, channels), gathered to a useful size."""
    found = demuxer(path)
    assert found is not None  # `header` was read before
    waiting: list[Frames] = []
    count = 0  # a damaged header can make packets of one frame: they are not added up anew
    with opened(path, found[0]) as container:
        for _, frames in decoded(container):
            waiting.append(frames)
            count += len(frames)
            if count >= BLOCK_FRAMES:
                yield np.concatenate(waiting)
                waiting, count = [], 0
    if waiting:
        yield np.concatenate(waiting)


def segment(path: Path, start: float, end: float) -> tuple[Frames, int]:
    """Seek and read `start` to `end` seconds, both inside the file."""
    found = demuxer(path)
    assert found is not None  # `header` was read before
    with opened(path, found[0]) as container:
        stream = container.streams.audio[0]
        rate = stream.codec_context.sample_rate
        pieces = np.zeros((max(0, round((end - start) * rate)), stream.codec_context.channels))
        out = pieces.astype(np.float32)
        container.seek(int(max(0.0, start - 0.1) * 1e6))
        written = 0
        for time, frames in decoded(container):
            if time >= end:
                break
            at = round((time - start) * rate)
            source = frames[max(0, -at) : max(0, len(out) - at)]
            at = max(0, at)
            out[at : at + len(source)] = source
            written = max(written, at + len(source))
        return out[:written], rate
