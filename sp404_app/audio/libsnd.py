"""Read sound through libsndfile: WAV, AIFF, FLAC, Ogg, MP3, CAF and their relatives."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import soundfile

from sp404_app.audio.header import WIDTHS, Header

Frames = npt.NDArray[np.float32]

# libsndfile also guesses at headerless and scientific formats; a stray text file must not pass.
CONTAINERS: Final = {
    "WAV": "WAV",
    "WAVEX": "WAV",
    "RF64": "WAV",
    "W64": "W64",
    "AIFF": "AIFF",
    "CAF": "CAF",
    "AU": "AU",
    "FLAC": "FLAC",
    "MP3": "MP3",
    "OGG": "OGG",
}
BLOCK_SAMPLES: Final = 1 << 17  # 512 kB of float32, whatever the number of channels
POINT_FRAMES: Final = 256  # blocks hold whole points of the waveform's finest level


@contextmanager
def opened(path: Path) -> Iterator[soundfile.SoundFile]:
    """Open by content: soundfile believes a name's extension, but a descriptor has no name.

    Raises:
        soundfile.LibsndfileError: If libsndfile does not know the bytes.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        sound = soundfile.SoundFile(descriptor, closefd=False)
        try:
            yield sound
        finally:
            sound.close()
    finally:
        os.close(descriptor)


@contextmanager
def tried(path: Path) -> Iterator[soundfile.SoundFile | None]:
    """Open a file, or yield None if it is not one for libsndfile."""
    with ExitStack() as stack:
        try:
            sound = stack.enter_context(opened(path))
        except soundfile.LibsndfileError:
            sound = None  # the caller tries the other decoder and explains
        yield sound if sound is not None and sound.format in CONTAINERS else None


def described(sound: soundfile.SoundFile) -> Header:
    """Read the header of an open file."""
    return Header(
        duration=sound.frames / sound.samplerate,
        frames=sound.frames,
        sample_rate=sound.samplerate,
        channels=sound.channels,
        format=format_name(sound.format, sound.subtype),
    )


def format_name(container: str, subtype: str) -> str:
    """Name a format for people, from libsndfile's two codes."""
    name = CONTAINERS[container]
    if subtype == "OPUS":
        return "Opus"
    if name == "OGG":
        return f"OGG {subtype.capitalize()}"
    if name in ("FLAC", "MP3"):
        return name
    return f"{name} {WIDTHS.get(subtype, subtype.replace('_', ' '))}"


def block_frames(channels: int) -> int:
    """How many frames one block holds: a multiple of `POINT_FRAMES`."""
    return max(1, BLOCK_SAMPLES // (channels * POINT_FRAMES)) * POINT_FRAMES


def blocks(sound: soundfile.SoundFile) -> Iterator[Frames]:
    """Yield float32 blocks of shape (frames, channels).

    A file that breaks off simply ends: who reads compares with the header.
    """
    size = block_frames(sound.channels)
    while len(block := next_block(sound, size)):
        yield block


def next_block(sound: soundfile.SoundFile, size: int) -> Frames:
    """Read up to `size` frames; where the file is damaged, what came before the damage."""
    start = sound.tell()
    buffer = np.zeros((size, sound.channels), np.float32)
    try:
        return np.asarray(sound.read(size, "float32", always_2d=True, out=buffer), np.float32)
    except soundfile.LibsndfileError:
        # The decoder has filled the buffer up to the damage and moved its position so far.
        return buffer[: max(0, min(size, sound.tell() - start))]


def segment(sound: soundfile.SoundFile, start: float, end: float) -> tuple[Frames, int]:
    """Seek and read `start` to `end` seconds, both inside the file."""
    rate = sound.samplerate
    first = min(int(start * rate), sound.frames)
    last = min(round(end * rate), sound.frames)
    sound.seek(first)
    frames = sound.read(max(0, last - first), dtype="float32", always_2d=True)
    return np.asarray(frames, np.float32), rate
