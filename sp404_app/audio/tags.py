"""What is written inside a file: ACID, sampler, Apple Loops, ID3, Vorbis and CAF metadata.

Chunks are looked for in the first and last kilobytes only: a sound that happens to hold their
bytes lies between. Sources: Microsoft's RIFF registry (`smpl`), libsndfile (`acid`, `basc`),
Apple's Core Audio Format specification (`info`), id3.org, and xiph.org's Vorbis comments.
"""

import re
import struct
from pathlib import Path
from typing import Any, Final

from sp404_app.audio.hints import MAX_BPM, MIN_BPM, Stated, key_in
from sp404_app.audio.keys import PITCHES

HEAD_BYTES: Final = 1 << 16  # tags stand in front, except chunks that may follow the sound
TAIL_BYTES: Final = 1 << 14
COMMENT_BYTES: Final = 1 << 13  # Vorbis comments stand at the very front
TEMPO_COMMENT: Final = re.compile(rb"(?:[Bb][Pp][Mm]|[Tt][Ee][Mm][Pp][Oo])=(\d{2,3}(?:\.\d+)?)")
KEY_COMMENT: Final = re.compile(rb"[Kk][Ee][Yy]=([A-Ga-g0-9][#A-Za-z ]{0,9})")
TEMPO_INFO: Final = re.compile(rb"\0tempo\0(\d{2,3}(?:\.\d+)?)\0")
KEY_INFO: Final = re.compile(rb"\0key signature\0([A-Ga-g][#b]?m?)\0")
ONE_SHOT, HAS_ROOT = 1, 2  # flags of `acid`
SCALES: Final = {1: "minor", 2: "major"}  # of `basc`
MAX_BEATS: Final = 4096


def from_tags(path: Path) -> Stated:
    """Read what a file says about its tempo, key and root note."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        size = file.seek(0, 2)
        file.seek(max(len(head), size - TAIL_BYTES))
        tail = file.read()
    if head[:4] == b"RIFF":
        return riff(head + tail)
    if head[:4] == b"FORM":
        return apple_loop(head + tail)
    if head[:4] == b"caff":
        return caf(head + tail)
    if head[:3] == b"ID3":
        return Stated(tempo(id3(head, b"TBPM")), key(id3(head, b"TKEY")))
    if head[:4] in (b"fLaC", b"OggS"):
        return texts(head[:COMMENT_BYTES], TEMPO_COMMENT, KEY_COMMENT)
    return Stated()


def riff(bytes_: bytes) -> Stated:
    """Read the tempo of a loop and the root note of a WAV file."""
    acid, smpl = chunk(bytes_, b"acid", "<IHHfIHHf"), chunk(bytes_, b"smpl", "<IIIi")
    bpm, root = None, smpl[3] if smpl else None
    if acid:
        flags, note, _, _, beats, _, _, written = acid
        root = note if flags & HAS_ROOT else root
        bpm = written if beats and not flags & ONE_SHOT else None
    return Stated(in_range(bpm), root=note_in_range(root))


def apple_loop(bytes_: bytes) -> Stated:
    """Read an Apple Loop: it counts beats, and the length makes them a tempo."""
    basc = chunk(bytes_, b"basc", ">IIHHH")
    if not basc:
        return Stated()
    _, beats, note, scale, _ = basc
    name = f"{PITCHES[note % 12]} {SCALES[scale]}" if note and scale in SCALES else None
    return Stated(key=name, beats=beats if 0 < beats <= MAX_BEATS else None)


def caf(bytes_: bytes) -> Stated:
    """Read the information strings of a Core Audio file."""
    return texts(bytes_, TEMPO_INFO, KEY_INFO)


def chunk(bytes_: bytes, name: bytes, fields: str) -> tuple[Any, ...] | None:
    """Unpack the first chunk of that name which is long enough for its fields."""
    at = bytes_.find(name)
    while at >= 0:
        if len(bytes_) >= at + 8 + struct.calcsize(fields):
            (size,) = struct.unpack_from(fields[0] + "I", bytes_, at + 4)
            if struct.calcsize(fields) <= size <= HEAD_BYTES:
                return struct.unpack_from(fields, bytes_, at + 8)
        at = bytes_.find(name, at + 1)
    return None


def id3(head: bytes, frame: bytes) -> str:
    """Return the text of an ID3v2 frame, or nothing."""
    at = head.find(frame)
    if at < 0:
        return ""
    size = int.from_bytes(head[at + 4 : at + 8], "big") & 0xFF
    text = head[at + 11 : at + 10 + size]
    coding = "utf-16" if head[at + 10 : at + 11] in (b"\x01", b"\x02") else "latin-1"
    return text.decode(coding, "ignore").strip("\0 ")


def texts(bytes_: bytes, tempi: re.Pattern[bytes], keys: re.Pattern[bytes]) -> Stated:
    """Read tempo and key from text that is marked by their names."""
    bpm, name = tempi.search(bytes_), keys.search(bytes_)
    return Stated(
        tempo(bpm.group(1).decode()) if bpm else None,
        key(name.group(1).decode("ascii", "ignore")) if name else None,
    )


def tempo(text: str) -> float | None:
    """Read a tempo from text."""
    match = re.match(r"\d{2,3}(\.\d+)?", text)
    return in_range(float(match.group(0))) if match else None


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
