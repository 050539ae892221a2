"""Decode audio with libsndfile: WAV, AIFF, CAF and related formats, and Ogg."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import BinaryIO, Final

import numpy as np
import numpy.typing as npt
import soundfile

from sp404_app.audio.io.header import WIDTHS, Header
from sp404_app.audio.io.parts import ConcatenatedFile
from sp404_app.audio.io.source import AudioSource

Frames = npt.NDArray[np.float32]

# libsndfile also guesses headerless and scientific formats, which would accept text files. It
# reads FLAC and MP3 only up to the length in their headers, so FFmpeg decodes them.
CONTAINERS: Final = {
    "WAV": "WAV",
    "WAVEX": "WAV",
    "RF64": "WAV",
    "W64": "W64",
    "AIFF": "AIFF",
    "CAF": "CAF",
    "AU": "AU",
    "OGG": "OGG",
}
# soundfile also raises Python's own errors for unexpected values.
OPEN_ERRORS: Final = (soundfile.SoundFileError, RuntimeError, TypeError, ValueError, OSError)
OGG_NAMES: Final = {"VORBIS": "Vorbis"}
BLOCK_SAMPLES: Final = 1 << 17  # 512 kB of float32, for any number of channels
POINT_FRAMES: Final = 256  # blocks hold whole points of the finest waveform level


@contextmanager
def open_sound_file(file: BinaryIO) -> Iterator[soundfile.SoundFile]:
    """Open a file by its content: soundfile trusts file extensions, but a descriptor has no name.

    Raises:
        soundfile.LibsndfileError: If libsndfile does not recognise the content.
    """
    file.seek(0)
    whole = not isinstance(file, ConcatenatedFile)
    sound = soundfile.SoundFile(file.fileno() if whole else file, closefd=False)
    try:
        yield sound
    finally:
        sound.close()


@contextmanager
def try_sound_file(source: AudioSource) -> Iterator[soundfile.SoundFile | None]:
    """Open a file, or yield None if it should not be decoded by libsndfile."""
    with ExitStack() as stack:
        sound = None  # the caller then tries FFmpeg
        if not source.counted:
            with suppress(*OPEN_ERRORS):
                sound = stack.enter_context(open_sound_file(source.file))
        yield sound if sound is not None and is_supported(sound) else None


def is_supported(sound: soundfile.SoundFile) -> bool:
    """Return whether the format is one that libsndfile reads to its end."""
    return sound.format in CONTAINERS and not sound.subtype.startswith("MPEG")


def describe_sound_file(sound: soundfile.SoundFile, format_of_source: str = "") -> Header:
    """Return the header of an open file; `format_of_source` is its format if it was converted."""
    return Header(
        duration=sound.frames / sound.samplerate,
        frames=sound.frames,
        sample_rate=sound.samplerate,
        channels=sound.channels,
        format=format_of_source or format_name(sound.format, sound.subtype),
    )


def format_name(container: str, subtype: str) -> str:
    """Return the display name of a format, from libsndfile's container and subtype."""
    if container == "OGG":
        return "Opus" if subtype == "OPUS" else f"OGG {OGG_NAMES.get(subtype, 'FLAC')}"
    return f"{CONTAINERS[container]} {WIDTHS.get(subtype, subtype.replace('_', ' '))}"


def block_frames(channels: int) -> int:
    """Return how many frames a block holds: a multiple of `POINT_FRAMES`."""
    return max(1, BLOCK_SAMPLES // (channels * POINT_FRAMES)) * POINT_FRAMES


def sndfile_blocks(sound: soundfile.SoundFile) -> Iterator[Frames]:
    """Yield float32 blocks of shape (frames, channels).

    The blocks of a truncated file end early; callers compare with the header.
    """
    size = block_frames(sound.channels)
    while len(block := read_block(sound, size)):
        yield block


def read_block(sound: soundfile.SoundFile, size: int) -> Frames:
    """Read up to `size` frames; in a damaged file, those before the damage."""
    start = current_frame(sound)
    buffer = np.zeros((size, sound.channels), np.float32)
    try:
        return np.asarray(sound.read(size, "float32", always_2d=True, out=buffer), np.float32)
    except soundfile.LibsndfileError:
        # The decoder has filled the buffer and advanced up to the damage.
        return buffer[: max(0, min(size, current_frame(sound) - start))]


def current_frame(sound: soundfile.SoundFile) -> int:
    """Return the index of the next frame; 0 for codecs in which libsndfile cannot seek."""
    return sound.tell() if sound.seekable() else 0


def sndfile_segment(sound: soundfile.SoundFile, start: float, end: float) -> tuple[Frames, int]:
    """Read `start` to `end` seconds, limited to the file."""
    rate = sound.samplerate
    first = min(int(start * rate), sound.frames)
    last = min(round(end * rate), sound.frames)
    if sound.seekable():
        sound.seek(first)
    else:
        skip_frames(sound, first)
    frames = sound.read(max(0, last - first), dtype="float32", always_2d=True)
    return np.asarray(frames, np.float32), rate


def skip_frames(sound: soundfile.SoundFile, frames: int) -> None:
    """Read and discard frames, for codecs that cannot seek."""
    size = block_frames(sound.channels)
    for at in range(0, frames, size):
        sound.read(min(size, frames - at), dtype="float32")
