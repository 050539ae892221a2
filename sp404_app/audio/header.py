"""What a sound file says about itself, and which of it we take."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sp404_app.errors import BadAudio

MAX_CHANNELS: Final = 16
MAX_SAMPLE_RATE: Final = 384_000
MAX_SECONDS: Final = 4 * 3600
# A few kilobytes of FLAC can promise hours of 16-channel silence: also bound what is decoded.
MAX_SAMPLES: Final = 4 * 3600 * 96_000 * 2

WIDTHS: Final = {
    "PCM_S8": "8-bit",
    "PCM_U8": "8-bit",
    "PCM_16": "16-bit",
    "PCM_24": "24-bit",
    "PCM_32": "32-bit",
    "FLOAT": "32-bit float",
    "DOUBLE": "64-bit float",
    "ULAW": "u-law",
    "ALAW": "a-law",
}
BROWSER_FORMATS: Final = frozenset(
    {"MP3", "M4A", "FLAC", "OGG Vorbis", "Opus"}
    | {f"WAV {width}" for width in ("8-bit", "16-bit", "24-bit", "32-bit", "32-bit float")}
)
BROWSER_MAX_RATE: Final = 192_000
# What a damaged file set out to be: (offset, first bytes, name).
MAGIC: Final = (
    (0, b"RIFF", "WAV"),
    (0, b"FORM", "AIFF"),
    (0, b"fLaC", "FLAC"),
    (0, b"OggS", "Ogg"),
    (4, b"ftyp", "M4A"),
    (0, b"ID3", "MP3"),
)


@dataclass(frozen=True, slots=True)
class Header:
    """The shape of one sound file.

    `duration` is in seconds, `frames` counts samples per channel (0 when the file does not say),
    `sample_rate` is in Hz, and `format` is a name for people such as "WAV 24-bit" or "MP3".
    """

    duration: float
    frames: int
    sample_rate: int
    channels: int
    format: str


def check(header: Header) -> Header:
    """Return `header` if its numbers are ones we take.

    Raises:
        BadAudio: With the number that is out of range.
    """
    if header.channels < 1:
        raise BadAudio("This file has no channels, so there is no sound in it.")
    if header.channels > MAX_CHANNELS:
        raise BadAudio(
            f"This file has {header.channels} channels; we take up to {MAX_CHANNELS}.",
        )
    if not 1 <= header.sample_rate <= MAX_SAMPLE_RATE:
        raise BadAudio(
            f"This file's sample rate is {header.sample_rate:,} Hz; "
            f"we take 1 to {MAX_SAMPLE_RATE:,} Hz.",
        )
    if header.duration > MAX_SECONDS:
        raise BadAudio(f"This file lasts {hours(header.duration)}; we take up to 4 hours.")
    if header.frames * header.channels > MAX_SAMPLES:
        raise BadAudio("This file unpacks to more sound than we take; split it into parts.")
    return header


def hours(seconds: float) -> str:
    """Say a long duration as "5 h 12 min"."""
    minutes = int(seconds // 60)
    return f"{minutes // 60} h {minutes % 60} min"


def playable_in_browsers(header: Header) -> bool:
    """Whether current browsers decode this file without our help."""
    return (
        header.format in BROWSER_FORMATS
        and header.channels <= 2
        and 8_000 <= header.sample_rate <= BROWSER_MAX_RATE
    )


def why_unreadable(path: Path) -> str:
    """Explain, from the first bytes, why neither decoder opened the file."""
    with path.open("rb") as file:
        head = file.read(4096)
    if not head:
        return "This file is empty."
    if not any(head):
        return "This file holds only zero bytes; the copy probably failed."
    if head[:4] == b"RIFF" and b"fmt " in head:
        at = head.index(b"fmt ")
        if head[at + 10 : at + 12] == b"\0\0":
            return "This WAV file has no channels, so there is no sound in it."
    for at, magic, name in MAGIC:
        if head[at : at + len(magic)] == magic:
            return f"This {name} file is damaged, cut off, or made by a codec that we cannot read."
    return "This is not a sound file that we can read."
