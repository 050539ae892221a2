"""Audio file headers, the limits that they must meet, and messages for unsupported files."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from sp404_app.errors import BadAudio

MAX_CHANNELS: Final = 16
MAX_SAMPLE_RATE_HZ: Final = 384_000
MAX_SECONDS: Final = 4 * 3600
# A few kilobytes of FLAC can decode to hours of 16-channel silence.
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
BROWSER_MAX_RATE_HZ: Final = 192_000
# Formats of damaged files: (offset, first bytes, name).
MAGIC: Final = (
    (0, b"RIFF", "WAV"),
    (0, b"FORM", "AIFF"),
    (0, b"fLaC", "FLAC"),
    (0, b"OggS", "Ogg"),
    (4, b"ftyp", "M4A"),
    (0, b"ID3", "MP3"),
    (0, b"RF64", "WAV"),
    (0, b"BW64", "WAV"),
    (0, b"caff", "CAF"),
    (0, b".snd", "AU"),
    (0, b"riff", "W64"),
    (0, b"0&\xb2u", "WMA"),
    (0, b"\x1aE\xdf\xa3", "WebM"),
    (0, b"RFWV", "SMP"),
)
# Other files that users upload, and what to do: (offset, first bytes, message).
NOT_AUDIO: Final = (
    (8, b"sfbk", "This is a SoundFont (SF2), not a single sound. Export its samples as WAV files."),
    (8, b"DLS ", "This is a DLS instrument. Export its samples as WAV files."),
    (8, b"RMID", "This is a MIDI file: it contains notes, not sound. Record it to a WAV file."),
    (8, b"AVI ", "This is an AVI video. Save its audio as a WAV file."),
    (8, b"WEBP", "This is an image (WebP), not a sound file."),
    (8, b"8SVX", "This is an Amiga sound (8SVX). Convert it to WAV or AIFF."),
    (8, b"16SV", "This is an Amiga sound (16SV). Convert it to WAV or AIFF."),
    (8, b"ILBM", "This is an Amiga image (ILBM), not a sound file."),
    (0, b"PK\3\4", "This is a ZIP archive. Unpack it and choose one of its sounds."),
    (0, b"PK\5\6", "This is an empty ZIP archive."),
    (0, b"Rar!", "This is a RAR archive. Unpack it and add its sounds."),
    (0, b"7z\xbc\xaf\x27\x1c", "This is a 7-Zip archive. Unpack it and add its sounds."),
    (0, b"\x1f\x8b", "This is a gzip file. Unpack it and add its sounds."),
    (0, b"MThd", "This is a MIDI file: it contains notes, not sound. Record it to a WAV file."),
    (0, b"REX2", "This is a REX2 loop. Export it as a WAV file."),
    (0, b"CAT ", "This is a REX loop. Export it as a WAV file."),
    (0, b"MAC ", "This is a Monkey’s Audio (APE) file. Convert it to FLAC or WAV."),
    (0, b"wvpk", "This is a WavPack file. Convert it to FLAC or WAV."),
    (0, b"TTA1", "This is a TTA file. Convert it to FLAC or WAV."),
    (0, b"DSD ", "This is a DSD file. Convert it to FLAC or WAV."),
    (0, b"Creative Voice File", "This is a Creative Voice file (VOC). Convert it to WAV."),
    (0, b"\x89PNG", "This is an image (PNG), not a sound file."),
    (0, b"\xff\xd8\xff", "This is an image (JPEG), not a sound file."),
    (0, b"GIF8", "This is an image (GIF), not a sound file."),
    (0, b"%PDF", "This is a PDF document, not a sound file."),
)


@dataclass(frozen=True, slots=True)
class Header:
    """The format of one audio file.

    `duration` is in seconds, `sample_rate` in Hz. `frames` counts samples per channel; it is 0 if
    the file does not state it, and may be wrong. `format` is a display name such as "WAV 24-bit".
    """

    duration: float
    frames: int
    sample_rate: int
    channels: int
    format: str

    def counted(self, frames: int) -> "Header":
        """Return the header with the decoded length."""
        return replace(self, duration=frames / self.sample_rate, frames=frames)


def check_limits(header: Header, *, counted: bool = False) -> Header:
    """Return `header` if it is within the limits; with `counted`, its length is not checked.

    Raises:
        BadAudio: With the value that is out of range.
    """
    if header.channels < 1:
        raise BadAudio("This file has no channels, so it contains no sound.")
    if header.channels > MAX_CHANNELS:
        raise BadAudio(
            f"This file has {header.channels} channels. The limit is {MAX_CHANNELS}.",
        )
    if not 1 <= header.sample_rate <= MAX_SAMPLE_RATE_HZ:
        raise BadAudio(
            f"This file's sample rate is {header.sample_rate:,} Hz. "
            f"Supported rates are 1 to {MAX_SAMPLE_RATE_HZ:,} Hz.",
        )
    if counted:
        return header
    if header.duration > MAX_SECONDS:
        raise BadAudio(f"This file is {format_hours(header.duration)} long. The limit is 4 hours.")
    if header.frames * header.channels > MAX_SAMPLES:
        raise BadAudio("This file is too long once decoded. Split it into parts.")
    return header


def format_hours(seconds: float) -> str:
    """Format a long duration as "5 h 12 min"."""
    minutes = int(seconds // 60)
    return f"{minutes // 60} h {minutes % 60} min"


def playable_in_browsers(header: Header) -> bool:
    """Return whether current browsers decode this file natively."""
    return (
        header.format in BROWSER_FORMATS
        and header.channels <= 2
        and 8_000 <= header.sample_rate <= BROWSER_MAX_RATE_HZ
    )


def explain_unreadable(path: Path) -> str:
    """Return, from the first bytes, why no decoder could open the file."""
    with path.open("rb") as file:
        head = file.read(4096)
    if not head:
        return "This file is empty."
    if not any(head):
        return "This file contains only zero bytes. The copy probably failed."
    if head[:4] == b"RIFF" and b"fmt " in head:
        at = head.index(b"fmt ")
        if head[at + 10 : at + 12] == b"\0\0":
            return "This WAV file has no channels, so it contains no sound."
    return identify_content(head) or "This is not a sound file we can read."


def identify_content(head: bytes) -> str | None:
    """Return what kind of file this is, if its first bytes show it."""
    for at, magic, sentence in NOT_AUDIO:
        if head[at : at + len(magic)] == magic and (at == 0 or head[:4] in (b"RIFF", b"FORM")):
            return sentence
    for at, magic, name in MAGIC:
        if head[at : at + len(magic)] == magic:
            return f"This {name} file is damaged, incomplete, or uses a codec we can't read."
    return None
