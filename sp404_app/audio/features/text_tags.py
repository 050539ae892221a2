"""Text tags of a file by name, in any container.

FFmpeg reads ID3 (also in WAV and AIFF chunks), Vorbis comments, APE and ASF. It does not expose
the tempo of an M4A file, `tmpo`, which is parsed here (QuickTime File Format, metadata).
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO, Final, cast

from sp404_app.audio.io import ffmpeg, mpeg
from sp404_app.audio.io.parts import ConcatenatedFile, FileSlice
from sp404_app.audio.io.source import AudioSource

MAX_TAG_BYTES: Final = 1 << 25  # of an ID3 tag with its pictures
MAX_ATOMS: Final = 256
# FFmpeg reads an ID3 tag only in a file with audio, so tags are appended to one sample of WAV.
WAV_FORMAT: Final = struct.pack("<HHIIHH", 1, 1, 8000, 8000, 1, 8)
ONE_SAMPLE_WAV: Final = b"WAVEfmt " + struct.pack("<I", 16) + WAV_FORMAT + b"data\2\0\0\0\x80\x80"

Tags = dict[str, str]


def container_tags(source: AudioSource) -> Tags:
    """Return the tags of the container and its first audio stream, with lower-case names."""
    try:
        with ffmpeg.open_container(source) as container:
            streams = [stream.metadata for stream in container.streams.audio[:1]]
            tag_sets = [container.metadata, *streams]
    except ffmpeg.ffmpeg_errors():
        return {}
    return {name.casefold(): text for each in tag_sets for name, text in each.items()}


def id3_tags(tag: FileSlice) -> Tags:
    """Return the text frames of an ID3v2 tag."""
    if not 10 < len(tag) <= MAX_TAG_BYTES:
        return {}
    chunk = b"id3 " + struct.pack("<I", len(tag))
    size = struct.pack("<I", len(ONE_SAMPLE_WAV) + len(chunk) + len(tag))
    file = ConcatenatedFile([b"RIFF" + size + ONE_SAMPLE_WAV + chunk, tag, bytes(len(tag) % 2)])
    return container_tags(AudioSource(cast("BinaryIO", file), "wav", "WAV"))


def leading_id3_tags(file: BinaryIO) -> Tags:
    """Return the text frames of the ID3 tags before the audio."""
    tags: Tags = {}
    for tag in mpeg.skip_leading_tags(file)[1]:
        if tag.read(0, 3) == b"ID3":
            tags |= id3_tags(tag)
    return tags


def m4a_tempo(file: BinaryIO) -> Tags:
    """Return the tempo of an M4A file (whole BPM) as its tag `tmpo`."""
    content: FileSlice | None = FileSlice(file, 0, file.seek(0, 2))
    for name, skipped in ((b"moov", 0), (b"udta", 0), (b"meta", 4), (b"ilst", 0), (b"tmpo", 0)):
        atom_slice = (
            next((atom for kind, atom in iter_atoms(content) if kind == name), None)
            if content
            else None
        )
        content = (
            FileSlice(file, atom_slice.start + skipped, atom_slice.end) if atom_slice else None
        )
    data = content.read(0, 32) if content else b""
    # Atom `data`: size, name, type, locale, then the number in one to four bytes.
    if data[4:8] != b"data":
        return {}
    return {"tmpo": str(int.from_bytes(data[16 : int.from_bytes(data[:4], "big")], "big"))}


def iter_atoms(inside: FileSlice) -> Iterator[tuple[bytes, FileSlice]]:
    """Yield the name and content of each atom in a slice of a file."""
    at = 0
    for _ in range(MAX_ATOMS):
        head = inside.read(at, 16)
        if len(head) < 8:
            return
        size, start = int.from_bytes(head[:4], "big"), 8
        if size == 1 and len(head) == 16:
            size, start = int.from_bytes(head[8:], "big"), 16
        size = size or len(inside) - at
        if size < start:
            return
        first = inside.start + at
        yield head[4:8], FileSlice(inside.file, first + start, min(first + size, inside.end))
        at += size
