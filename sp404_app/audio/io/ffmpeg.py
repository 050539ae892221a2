"""Read sound through FFmpeg (PyAV): MP3, AAC, FLAC, Ogg, M4A, and what libsndfile refuses."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sp404_app.audio.io.header import Header
from sp404_app.audio.io.source import Source

Frames = npt.NDArray[np.float32]

CODEC_NAMES: Final = {
    "alac": "ALAC", "opus": "Opus", "vorbis": "OGG Vorbis", "mp3": "MP3", "mp3float": "MP3",
    "mp2": "MP2", "mp2float": "MP2", "mp1": "MP1", "mp1float": "MP1",
}  # fmt: skip
BLOCK_FRAMES: Final = 1 << 15
PREROLL_S: Final = 0.25  # decoded before a stretch, for codecs that build on what came before
# Full scale of the sample formats that need no resampler.
SCALES: Final = {
    "flt": 1.0, "fltp": 1.0, "s16": 2.0**-15, "s16p": 2.0**-15, "s32": 2.0**-31, "s32p": 2.0**-31,
}  # fmt: skip
# Of a planar frame with more than eight channels PyAV reads planes that are not there, and the
# process dies.
MAX_PLANES: Final = 8


@contextmanager
def open_container(source: Source) -> Iterator[Any]:
    """Open a container with one demuxer that cannot reach beyond this file."""
    # PyAV loads all of FFmpeg (0.1 s); only files that libsndfile refuses pay for it.
    import av  # noqa: PLC0415

    source.file.seek(0)
    with av.open(source.file, format=source.demuxer, mode="r") as container:
        yield container


def ffmpeg_errors() -> tuple[type[Exception], ...]:
    """List what FFmpeg and PyAV raise on damaged input."""
    from av.error import FFmpegError  # noqa: PLC0415  see `opened`

    # A damaged header can also surface as an end of file, a lookup or a value error from PyAV,
    # or, where it says to seek to nowhere, as an error of the file.
    return (FFmpegError, EOFError, LookupError, ValueError, OSError, RuntimeError)


def read_container_header(source: Source) -> Header | None:
    """Read the header, or None if FFmpeg finds no sound in the file."""
    if source.demuxer is None:
        return None
    try:
        with open_container(source) as container:
            return describe_stream(container, source)
    except ffmpeg_errors():
        return None  # the caller explains what is wrong with the bytes


def describe_stream(container: Any, source: Source) -> Header | None:
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
        frames=round(seconds * codec.sample_rate) if source.measured else 0,
        sample_rate=codec.sample_rate,
        channels=codec.channels,
        format=CODEC_NAMES.get(codec.name, source.shown),
    )


class FrameConverter:
    """Brings decoded frames to float32 of the rate and the channels that the header names.

    A chained or joined file may change both half-way.
    """

    def __init__(self, codec: Any) -> None:
        self.layout, self.rate, self.channels = codec.layout, codec.sample_rate, codec.channels
        self.shape: tuple[object, ...] = ()
        self.resampler: Any = None

    def converted(self, frame: Any) -> Iterator[Frames]:
        """Yield the sound of a frame as (frames, channels)."""
        name, channels = frame.format.name, frame.layout.nb_channels
        same = frame.sample_rate == self.rate and channels == self.channels
        shape = (frame.sample_rate, frame.layout.name, channels, name)
        direct = same and name in SCALES and channels <= MAX_PLANES
        if self.resampler is not None and (direct or shape != self.shape):
            yield from self.flushed()
        if direct:
            yield scale_frame(frame, SCALES[name])
            return
        if self.resampler is None:
            self.shape, self.resampler = shape, self.made()
        yield from self.packed(self.resampler.resample(frame))

    def made(self) -> Any:
        """Make a resampler, which takes frames of one shape only."""
        import av  # noqa: PLC0415  see `opened`

        # Packed, never planar: see `MOST_PLANES`.
        return av.AudioResampler(format="flt", layout=self.layout, rate=self.rate)

    def flushed(self) -> Iterator[Frames]:
        """Yield what a change of the rate has left inside."""
        if self.resampler is not None:
            yield from self.packed(self.resampler.resample(None))
            self.resampler = None

    def packed(self, frames: list[Any]) -> Iterator[Frames]:
        """Yield arrays of converted frames."""
        for frame in frames:
            yield np.asarray(frame.to_ndarray().reshape(-1, self.channels), np.float32)


def scale_frame(frame: Any, scale: float) -> Frames:
    """Return the sound of a frame without a resampler, which takes longer than decoding."""
    found = frame.to_ndarray()
    planar = frame.format.is_planar
    found = found.T if planar else found.reshape(-1, frame.layout.nb_channels)
    return np.ascontiguousarray(found, np.float32) * np.float32(scale)


def iter_frames(container: Any, start: float = 0.0) -> Iterator[Any]:
    """Yield decoded frames; a damaged packet is passed over, as players do.

    Packets that end before `start` seconds are passed over, too.
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
        return  # nothing can be read from here on; what was sound has been yielded


def iter_timed_blocks(
    container: Any, converter: FrameConverter, start: float = 0.0
) -> Iterator[tuple[float, Frames]]:
    """Yield decoded sound from `start` s on, with its time, as (frames, channels) float32."""
    try:
        for frame in iter_frames(container, start):
            time = float(frame.time or 0.0)
            for frames in converter.converted(frame):
                yield time, frames
    except ffmpeg_errors():
        return  # a change that cannot be converted


def iter_link_blocks(source: Source) -> Iterator[Frames]:
    """Yield decoded sound, link after link, in the shape of the first."""
    converter: FrameConverter | None = None
    for link in source.links():
        try:
            with open_container(link) as container:
                converter = converter or FrameConverter(container.streams.audio[0].codec_context)
                for _, frames in iter_timed_blocks(container, converter):
                    yield frames
        except ffmpeg_errors():
            return  # no link can be found from here on
    if converter:
        yield from converter.flushed()


def ffmpeg_blocks(source: Source) -> Iterator[Frames]:
    """Yield float32 blocks of shape (frames, channels), gathered to a useful size."""
    waiting: list[Frames] = []
    count = 0  # a damaged header can make packets of one frame: they are not added up anew
    for frames in iter_link_blocks(source):
        waiting.append(frames)
        count += len(frames)
        if count >= BLOCK_FRAMES:
            yield np.concatenate(waiting)
            waiting, count = [], 0
    if count:
        yield np.concatenate(waiting)


def ffmpeg_segment(source: Source, start: float, end: float) -> tuple[Frames, int]:
    """Read `start` to `end` seconds; shorter where the sound ends before."""
    with open_container(source) as container:
        codec = container.streams.audio[0].codec_context
        rate, channels = codec.sample_rate, codec.channels
        if source.steady and not source.chain:
            return slice_by_time(container, start, end, counted=source.counted), rate
    return slice_by_count(
        iter_link_blocks(source), round(start * rate), round(end * rate), channels
    ), rate


def slice_by_count(found: Iterator[Frames], first: int, last: int, channels: int) -> Frames:
    """Keep what lies between two frames of a file whose packets do not say their place."""
    kept = [np.zeros((0, channels), np.float32)]
    at = 0
    for frames in found:
        if at + len(frames) > first:
            kept.append(frames[max(0, first - at) : last - at])
        at += len(frames)
        if at >= last:
            break
    return np.concatenate(kept)


def slice_by_time(container: Any, start: float, end: float, *, counted: bool) -> Frames:
    """Place what is decoded by its time.

    Where the length of a file is only known by counting, a seek would guess the place: its
    packets are all read, but decoded only shortly before the stretch.
    """
    stream = container.streams.audio[0]
    codec = stream.codec_context
    out = np.zeros((max(0, round((end - start) * codec.sample_rate)), codec.channels), np.float32)
    base = 0.0  # the time of the first sound behind what an encoder put in front
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
        source = frames[max(0, -at) : max(0, len(out) - at)]
        at = max(0, at)
        out[at : at + len(source)] = source
        written = max(written, at + len(source))
    return out[:written]
