"""Tempo, key and root note from the metadata inside a file.

Sources: Microsoft's RIFF registry (`smpl`), libsndfile (`acid`, `basc`), Apple's Core Audio
Format specification (`info`); for text tags see `text_tags.py`.
"""

import re
import struct
from pathlib import Path
from typing import Any, BinaryIO, Final

from sp404_app.audio.features import text_tags
from sp404_app.audio.features.filename_hints import StatedMetadata
from sp404_app.audio.features.filename_key import parse_key_text
from sp404_app.audio.features.filename_tempo import MAX_BPM, MIN_BPM
from sp404_app.audio.features.musical_keys import PITCHES
from sp404_app.audio.features.text_tags import Tags
from sp404_app.audio.io import chunks, source
from sp404_app.audio.io.chunks import ChunkLayout
from sp404_app.audio.io.parts import FileSlice

HEAD_BYTES: Final = 1 << 16  # of a CAF file: its strings are before or after the audio
TAIL_BYTES: Final = 1 << 14
TEMPO_TAGS: Final = ("tbpm", "tbp", "bpm", "tempo", "tmpo", "beatsperminute", "wm/beatsperminute")
KEY_TAGS: Final = (
    "tkey", "tke", "initialkey", "initial_key", "initial key", "key", "wm/initialkey",
)  # fmt: skip
TEMPO_INFO: Final = re.compile(rb"\0tempo\0(\d{2,3}(?:\.\d+)?)\0")
KEY_INFO: Final = re.compile(rb"\0key signature\0([A-Ga-g][#b]?m?)\0")
ONE_SHOT, HAS_ROOT = 1, 2  # flags of `acid`
SCALES: Final = {1: "minor", 2: "major"}  # of `basc`
MAX_BEATS: Final = 4096


def read_file_tags(path: Path) -> StatedMetadata:
    """Read the tempo, key and root note stated in a file's metadata."""
    with path.open("rb") as file:
        layout = chunks.read_chunk_layout(file, 0, file.seek(0, 2))
        if layout:
            return stated_from_chunks(file, layout)
        file.seek(0)
        if file.read(4) == b"caff":
            return stated_from_caf(file)
        return stated_from_text_tags(read_text_tags(path, file))


def read_text_tags(path: Path, file: BinaryIO) -> Tags:
    """Return the text tags of a file that FFmpeg can open."""
    with source.open_source(path) as audio_source:
        if audio_source.demuxer is None:
            return {}
        tempo = text_tags.m4a_tempo(file) if audio_source.demuxer == "mov" else {}
        return text_tags.container_tags(audio_source) | tempo | text_tags.leading_id3_tags(file)


def stated_from_text_tags(tags: Tags) -> StatedMetadata:
    """Return the tempo and key found in text tags."""
    tempi = (parse_tempo_tag(tags[name]) for name in TEMPO_TAGS if name in tags)
    keys = (parse_key_tag(tags[name]) for name in KEY_TAGS if name in tags)
    return StatedMetadata(next(filter(None, tempi), None), next(filter(None, keys), None))


def stated_from_chunks(file: BinaryIO, layout: ChunkLayout) -> StatedMetadata:
    """Read the metadata of a WAV or AIFF file; binary fields take precedence over text."""
    stated = (
        stated_from_apple_loop(file, layout)
        if layout.form == b"FORM"
        else stated_from_riff(file, layout)
    )
    tag = layout.find(b"id3 ", b"ID3 ")
    if tag is None:
        return stated
    text_stated = stated_from_text_tags(
        text_tags.id3_tags(FileSlice(file, tag.start, tag.start + tag.size))
    )
    bpm = stated.bpm if stated.bpm or stated.beats else text_stated.bpm
    return StatedMetadata(bpm, stated.key or text_stated.key, beats=stated.beats, root=stated.root)


def stated_from_riff(file: BinaryIO, layout: ChunkLayout) -> StatedMetadata:
    """Read the loop tempo and the root note of a WAV file."""
    acid = unpack_chunk(file, layout, b"acid", "<IHHfIHHf")
    smpl = unpack_chunk(file, layout, b"smpl", "<IIIi")
    bpm, root = None, smpl[3] if smpl else None
    if acid:
        flags, note, _, _, beats, _, _, written = acid
        root = note if flags & HAS_ROOT else root
        bpm = written if beats and not flags & ONE_SHOT else None
    return StatedMetadata(valid_bpm(bpm), root=valid_note(root))


def stated_from_apple_loop(file: BinaryIO, layout: ChunkLayout) -> StatedMetadata:
    """Read an Apple Loop, which states a number of beats instead of a tempo."""
    basc = unpack_chunk(file, layout, b"basc", ">IIHHH")
    if not basc:
        return StatedMetadata()
    _, beats, note, scale, _ = basc
    name = f"{PITCHES[note % 12]} {SCALES[scale]}" if note and scale in SCALES else None
    return StatedMetadata(key=name, beats=beats if 0 < beats <= MAX_BEATS else None)


def stated_from_caf(file: BinaryIO) -> StatedMetadata:
    """Read the information strings of a Core Audio file."""
    size = file.seek(0, 2)
    file.seek(0)
    head = file.read(HEAD_BYTES)
    file.seek(max(len(head), size - TAIL_BYTES))
    content = head + file.read()
    bpm, key = TEMPO_INFO.search(content), KEY_INFO.search(content)
    return StatedMetadata(
        parse_tempo_tag(bpm.group(1).decode()) if bpm else None,
        parse_key_tag(key.group(1).decode("ascii", "ignore")) if key else None,
    )


def unpack_chunk(
    file: BinaryIO, layout: ChunkLayout, name: bytes, form: str
) -> tuple[Any, ...] | None:
    """Unpack the first chunk `name` that is long enough for the format `form`."""
    size = struct.calcsize(form)
    for chunk in layout.chunks:
        if chunk.name == name and chunk.size >= size:
            file.seek(chunk.start)
            return struct.unpack(form, file.read(size))
    return None


def parse_tempo_tag(text: str) -> float | None:
    """Parse a tempo in BPM from text."""
    match = re.match(r"\s*(\d{2,3}(?:[.,]\d+)?)", text)
    return valid_bpm(float(match.group(1).replace(",", "."))) if match else None


def parse_key_tag(text: str) -> str | None:
    """Parse a key from text; a bare note is a major key, as in ID3."""
    text = text.strip()
    bare = re.fullmatch(r"[A-Ga-g][#b]?", text)
    return parse_key_text(f"{text} major" if bare else text) or None


def valid_bpm(bpm: float | None) -> float | None:
    """Return a tempo in BPM if it is in range, else None."""
    return bpm if bpm is not None and MIN_BPM <= bpm <= MAX_BPM else None


def valid_note(note: float | None) -> int | None:
    """Return a MIDI note if it is in range, else None."""
    return int(note) if note is not None and 0 < note < 128 else None
