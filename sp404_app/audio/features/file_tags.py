"""What is written inside a file about tempo, key and root note.

Sources: Microsoft's RIFF registry (`smpl`), libsndfile (`acid`, `basc`), Apple's Core Audio
Format specification (`info`); for texts see `metadata.py`.
"""

import re
import struct
from pathlib import Path
from typing import Any, BinaryIO, Final

from sp404_app.audio.features import text_tags
from sp404_app.audio.features.filename_hints import MAX_BPM, MIN_BPM, Stated, key_in
from sp404_app.audio.features.musical_keys import PITCHES
from sp404_app.audio.features.text_tags import Tags
from sp404_app.audio.io import chunks, source
from sp404_app.audio.io.chunks import Layout
from sp404_app.audio.io.parts import Stretch

HEAD_BYTES: Final = 1 << 16  # of a CAF file, whose strings stand in front of the sound or behind
TAIL_BYTES: Final = 1 << 14
TEMPI: Final = ("tbpm", "tbp", "bpm", "tempo", "tmpo", "beatsperminute", "wm/beatsperminute")
KEYS: Final = (
    "tkey", "tke", "initialkey", "initial_key", "initial key", "key", "wm/initialkey",
)  # fmt: skip
TEMPO_INFO: Final = re.compile(rb"\0tempo\0(\d{2,3}(?:\.\d+)?)\0")
KEY_INFO: Final = re.compile(rb"\0key signature\0([A-Ga-g][#b]?m?)\0")
ONE_SHOT, HAS_ROOT = 1, 2  # flags of `acid`
SCALES: Final = {1: "minor", 2: "major"}  # of `basc`
MAX_BEATS: Final = 4096


def from_tags(path: Path) -> Stated:
    """Read what a file says about its tempo, key and root note."""
    with path.open("rb") as file:
        layout = chunks.layout(file, 0, file.seek(0, 2))
        if layout:
            return of_chunks(file, layout)
        file.seek(0)
        if file.read(4) == b"caff":
            return caf(file)
        return of_texts(texts(path, file))


def texts(path: Path, file: BinaryIO) -> Tags:
    """Return the text tags of a file that FFmpeg opens."""
    with source.opened(path) as found:
        if found.demuxer is None:
            return {}
        tempo = text_tags.m4a_tempo(file) if found.demuxer == "mov" else {}
        return text_tags.of_container(found) | tempo | text_tags.in_front(file)


def of_texts(tags: Tags) -> Stated:
    """Choose tempo and key among text tags."""
    tempi = (tempo(tags[name]) for name in TEMPI if name in tags)
    keys = (key(tags[name]) for name in KEYS if name in tags)
    return Stated(next(filter(None, tempi), None), next(filter(None, keys), None))


def of_chunks(file: BinaryIO, layout: Layout) -> Stated:
    """Read a WAV or AIFF file; what a program counted goes before what is only text."""
    found = apple_loop(file, layout) if layout.form == b"FORM" else riff(file, layout)
    tag = layout.find(b"id3 ", b"ID3 ")
    if tag is None:
        return found
    told = of_texts(text_tags.of_id3(Stretch(file, tag.start, tag.start + tag.size)))
    bpm = found.bpm if found.bpm or found.beats else told.bpm
    return Stated(bpm, found.key or told.key, beats=found.beats, root=found.root)


def riff(file: BinaryIO, layout: Layout) -> Stated:
    """Read the tempo of a loop and the root note of a WAV file."""
    acid = fields(file, layout, b"acid", "<IHHfIHHf")
    smpl = fields(file, layout, b"smpl", "<IIIi")
    bpm, root = None, smpl[3] if smpl else None
    if acid:
        flags, note, _, _, beats, _, _, written = acid
        root = note if flags & HAS_ROOT else root
        bpm = written if beats and not flags & ONE_SHOT else None
    return Stated(in_range(bpm), root=note_in_range(root))


def apple_loop(file: BinaryIO, layout: Layout) -> Stated:
    """Read an Apple Loop: it counts beats, and the length makes them a tempo."""
    basc = fields(file, layout, b"basc", ">IIHHH")
    if not basc:
        return Stated()
    _, beats, note, scale, _ = basc
    name = f"{PITCHES[note % 12]} {SCALES[scale]}" if note and scale in SCALES else None
    return Stated(key=name, beats=beats if 0 < beats <= MAX_BEATS else None)


def caf(file: BinaryIO) -> Stated:
    """Read the information strings of a Core Audio file."""
    size = file.seek(0, 2)
    file.seek(0)
    head = file.read(HEAD_BYTES)
    file.seek(max(len(head), size - TAIL_BYTES))
    bytes_ = head + file.read()
    bpm, name = TEMPO_INFO.search(bytes_), KEY_INFO.search(bytes_)
    return Stated(
        tempo(bpm.group(1).decode()) if bpm else None,
        key(name.group(1).decode("ascii", "ignore")) if name else None,
    )


def fields(file: BinaryIO, layout: Layout, name: bytes, form: str) -> tuple[Any, ...] | None:
    """Unpack the first chunk of that name which is long enough for its fields."""
    size = struct.calcsize(form)
    for chunk in layout.chunks:
        if chunk.name == name and chunk.size >= size:
            file.seek(chunk.start)
            return struct.unpack(form, file.read(size))
    return None


def tempo(text: str) -> float | None:
    """Read a tempo from text."""
    match = re.match(r"\s*(\d{2,3}(?:[.,]\d+)?)", text)
    return in_range(float(match.group(1).replace(",", "."))) if match else None


def key(text: str) -> str | None:
    """Read a key from text; a bare note is a major key, as ID3 has it."""
    text = text.strip()
    bare = re.fullmatch(r"[A-Ga-g][#b]?", text)
    return key_in(f"{text} major" if bare else text) or None


def in_range(bpm: float | None) -> float | None:
    """Return a tempo if it can be one."""
    return bpm if bpm is not None and MIN_BPM <= bpm <= MAX_BPM else None


def note_in_range(note: float | None) -> int | None:
    """Return a MIDI note if it is one."""
    return int(note) if note is not None and 0 < note < 128 else None
