"""Decode audio with FFmpeg (PyAV): MP3, AAC, FLAC, Ogg, M4A, and what libsndfile cannot read."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sp404_app.audio.io.header import Header
from sp404_app.audio.io.source import AudioSource

Frames = npt.NDArray[np.float32]

CODEC_NAMES: Final = {
    "alac": "ALAC", "opus": "Opus", "vorbis": "OGG Vorbis", "mp3": "MP3", "mp3float": "MP3",
    "mp2": "MP2", "mp2float": "MP2", "mp1": "MP1", "mp1float": "MP1",
}  # fmt: skip
BLOCK_FRAMES: Final = 1 << 15
PREROLL_S: Final = 0.25  # decoded before a segment, for codecs that depend on previous packets
# Full scale of the sample formats that need no resampler.
SCALES: Final = {
    "flt": 1.0, "fltp": 1.0, "s16": 2.0**-15, "s16p": 2.0**-15, "s32": 2.0**-31, "s32p": 2.0**-31,
}  # fmt: skip
# PyAV reads invalid memory for planar frames with more than eight channels, which crashes.
MAX_PLANES: Final = 8


@contextmanager
def open_container(source: AudioSource) -> Iterator[Any]:
    """Open a container with one fixed demuxer, which cannot access other files."""
    # Importing PyAV loads FFmpeg (0.1 s), which only files that need it should cost.
    import av  # noqa: PLC0415

    source.file.seek(0)
    with av.open(source.file, format=source.demuxer, mode="r") as container:
        yield container


def ffmpeg_errors() -> tuple[type[Exception], ...]:
    """Return the exceptions that FFmpeg and PyAV raise on damaged input."""
    from av.error import FFmpegError  # noqa: PLC0415  see `open_container`

    # PyAV raises EOFError, LookupError, ValueError or RuntimeError for damaged headers, and OSError
    # for invalid seek positions.
    return (FFmpegError, EOFError, LookupError, ValueError, OSError, RuntimeError)


def read_container_header(source: AudioSource) -> Header | None:
    """Read the header, or None if FFmpeg finds no audio in the file."""
    if source.demuxer is None:
        return None
    try:
        with open_container(source) as container:
            return describe_stream(container, source)
    except ffmpeg_errors():
        return None  # the caller explains why


def describe_stream(container: Any, source: AudioSource) -> Header | None:
    """Return the header of the first audio stream of an open container."""
    if not container.streams.audio:
        return None
    stream = container.streams.audio[0]
    codec = stream.codec_context
    if codec is None:  # FFmpeg has no decoder for the stream
        return None
    if stream.duration and stream.time_base:
        seconds = float(stream.duration * stream.time_base)
    else:
        seconds = (container.duration or 0) / 1e6
    return Header(
        duration=seconds,
        frames=round(seconds * codec.sample_rate) if source.length_known else 0,
        sample_rate=codec.sample_rate,
        channels=codec.channels,
        format=CODEC_NAMES.get(codec.name, source.display_name),
    )


class FrameConverter:
    """Converts decoded frames to float32 with the sample rate and channels of the header.

    A chained or concatenated file may change both midway.
    """

    def __init__(self, codec: Any) -> None:
        self.layout, self.rate, self.channels = codec.layout, codec.sample_rate, codec.channels
        self.shape: tuple[object, ...] = ()
        self.resampler: Any = None

    def convert(self, frame: Any) -> Iterator[Frames]:
        """Yield the audio of a frame as (frames, channels)."""
        name, channels = frame.format.name, frame.layout.nb_channels
        same = frame.sample_rate == self.rate and channels == self.channels
        shape = (frame.sample_rate, frame.layout.name, channels, name)
        direct = same and name in SCALES and channels <= MAX_PLANES
        if self.resampler is not None and (direct or shape != self.shape):
            yield from self.flush()
        if direct:
            yield scale_frame(frame, SCALES[name])
            return
        if self.resampler is None:
            self.shape, self.resampler = shape, self.new_resampler()
        yield from self.to_arrays(self.resampler.resample(frame))

    def new_resampler(self) -> Any:
        """Return a new resampler; each takes frames of one format only."""
        import av  # noqa: PLC0415  see `open_container`

        # Interleaved, not planar: see `MAX_PLANES`.
        return av.AudioResampler(format="flt", layout=self.layout, rate=self.rate)

    def flush(self) -> Iterator[Frames]:
        """Yield the audio that is still inside the resampler."""
        if self.resampler is not None:
            yield from self.to_arrays(self.resampler.resample(None))
            self.resampler = None

    def to_arrays(self, frames: list[Any]) -> Iterator[Frames]:
        """Yield converted frames as arrays."""
        for frame in frames:
            yield np.asarray(frame.to_ndarray().reshape(-1, self.channels), np.float32)


def scale_frame(frame: Any, scale: float) -> Frames:
    """Return the audio of a frame without a resampler, which takes longer than decoding."""
    samples = frame.to_ndarray()
    planar = frame.format.is_planar
    samples = samples.T if planar else samples.reshape(-1, frame.layout.nb_channels)
    return np.ascontiguousarray(samples, np.float32) * np.float32(scale)


def iter_frames(container: Any, start: float = 0.0) -> Iterator[Any]:
    """Yield decoded frames; damaged packets are skipped, as players do.

    Packets that end before `start` seconds are skipped too.
    """
    stream = container.streams.audio[0]
    damaged = ffmpeg_errors()
    first = start / stream.time_base if stream.time_base and start > 0 else None
    try:
        for packet in container.demux(stream):
            if first and packet.pts is not None and packet.pts + (packet.duration or 0) < first:
                continue
            try:
                decoded = packet.decode()
            except damaged:
                continue
            yield from decoded
    except damaged:
        return  # the rest cannot be read


def iter_timed_blocks(
    container: Any, converter: FrameConverter, start: float = 0.0
) -> Iterator[tuple[float, Frames]]:
    """Yield (time in s, float32 (frames, channels)) of decoded audio from `start` s on."""
    try:
        for frame in iter_frames(container, start):
            time = float(frame.time or 0.0)
            for frames in converter.convert(frame):
                yield time, frames
    except ffmpeg_errors():
        return  # a change of format that cannot be converted


def iter_link_blocks(source: AudioSource) -> Iterator[Frames]:
    """Yield the decoded audio of all links of a chain, in the format of the first."""
    converter: FrameConverter | None = None
    for link in source.links():
        try:
            with open_container(link) as container:
                converter = converter or FrameConverter(container.streams.audio[0].codec_context)
                for _, frames in iter_timed_blocks(container, converter):
                    yield frames
        except ffmpeg_errors():
            return  # no further link can be found
    if converter:
        yield from converter.flush()


def ffmpeg_blocks(source: AudioSource) -> Iterator[Frames]:
    """Yield float32 blocks of shape (frames, channels), collected to a useful size."""
    pending: list[Frames] = []
    count = 0  # counted incrementally: damaged files may have packets of one frame
    for frames in iter_link_blocks(source):
        pending.append(frames)
        count += len(frames)
        if count >= BLOCK_FRAMES:
            yield np.concatenate(pending)
            pending, count = [], 0
    if count:
        yield np.concatenate(pending)


def ffmpeg_segment(source: AudioSource, start: float, end: float) -> tuple[Frames, int]:
    """Read `start` to `end` seconds; shorter where the audio ends earlier."""
    with open_container(source) as container:
        codec = container.streams.audio[0].codec_context
        rate, channels = codec.sample_rate, codec.channels
        if source.continuous and not source.chain:
            return slice_by_time(container, start, end, counted=source.counted), rate
    return slice_by_count(
        iter_link_blocks(source), round(start * rate), round(end * rate), channels
    ), rate


def slice_by_count(blocks: Iterator[Frames], first: int, last: int, channels: int) -> Frames:
    """Return the frames `first` to `last` of a file whose packets have no reliable times."""
    kept = [np.zeros((0, channels), np.float32)]
    at = 0
    for frames in blocks:
        if at + len(frames) > first:
            kept.append(frames[max(0, first - at) : last - at])
        at += len(frames)
        if at >= last:
            break
    return np.concatenate(kept)


def slice_by_time(container: Any, start: float, end: float, *, counted: bool) -> Frames:
    """Return `start` to `end` seconds, placed by packet times.

    Seeking is inaccurate where the length is only known by decoding (`counted`): there all packets
    are read, but only those shortly before the segment are decoded.
    """
    stream = container.streams.audio[0]
    codec = stream.codec_context
    out = np.zeros((max(0, round((end - start) * codec.sample_rate)), codec.channels), np.float32)
    base = 0.0  # time of the first audio after the encoder delay
    if counted:
        base = float((stream.start_time or 0) * (stream.time_base or 0))
    else:
        container.seek(int(max(0.0, start - PREROLL_S) * 1e6))
    written = 0
    lead = max(0.0, start + base - PREROLL_S) if counted else 0.0
    for time, frames in iter_timed_blocks(container, FrameConverter(codec), lead):
        if time - base >= end:
            break
        at = round((time - base - start) * codec.sample_rate)
        part = frames[max(0, -at) : max(0, len(out) - at)]
        at = max(0, at)
        out[at : at + len(part)] = part
        written = max(written, at + len(part))
    return out[:written]
