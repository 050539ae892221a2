"""What a file says about itself: tempo and key in its name, its folder and its tags."""

import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sp404_app.audio.keys import CODES, KEYS, PITCHES

MIN_BPM, MAX_BPM = 40.0, 260.0
HEAD_BYTES: Final = 1 << 16  # tags stand in front, except ACID's, which may follow the sound
TAIL_BYTES: Final = 1 << 14
AGREES: Final = 0.015  # of the tempo: how well the length must fit what is written

NUMBER: Final = r"(\d{2,3}(?:[.,]\d{1,2})?)"
TEMPO: Final = re.compile(rf"(?<![\d.]){NUMBER}[\s_-]*bpm|bpm[\s_-]*{NUMBER}(?!\d)", re.IGNORECASE)
BARE_TEMPO: Final = re.compile(rf"(?:^|[\s_\-/(\[]){NUMBER}(?=$|[\s_\-/)\].])")
KEY: Final = re.compile(
    r"(?<![A-Za-z#])([A-Ga-g])(#|b|♯|♭|[\s_-]?sharp|[\s_-]?flat)?"
    r"[\s_-]?(major|maj|minor|min|m)(?![A-Za-z])"
)
CAMELOT: Final = re.compile(r"(?<![A-Za-z0-9])(1[0-2]|[1-9])([ABab])(?![A-Za-z0-9])")
TAGS: Final = re.compile(rb"(?:[Bb][Pp][Mm]|[Tt][Ee][Mm][Pp][Oo])=(\d{2,3}(?:\.\d+)?)")
KEY_TAGS: Final = re.compile(rb"[Kk][Ee][Yy]=([A-Ga-g0-9][#A-Za-z ]{0,9})")
COMMENT_BYTES: Final = 1 << 13  # Vorbis comments stand at the very front


@dataclass(frozen=True, slots=True)
class Stated:
    """A tempo (BPM) and a key as written; `sure` says that "bpm" stands beside the number."""

    bpm: float | None = None
    key: str | None = None
    sure: bool = True


def from_name(name: str) -> Stated:
    """Read a name with its folders, the last part first: "Drums/95bpm/Break_F#m.wav"."""
    parts = re.sub(r"\.[A-Za-z0-9]{2,4}$", "", name).split("/")[::-1]
    sure = next((found for part in parts if (found := tempo_in(part, TEMPO))), None)
    bare = None if sure else tempo_in(parts[0], BARE_TEMPO)
    key = next((found for part in parts if (found := key_in(part))), None)
    return Stated(sure or bare, key, sure is not None)


def tempo_in(text: str, pattern: re.Pattern[str]) -> float | None:
    """Return the last tempo in a text that could be one."""
    numbers = [next(group for group in match.groups() if group) for match in pattern.finditer(text)]
    tempi = [float(number.replace(",", ".")) for number in numbers]
    return next((bpm for bpm in reversed(tempi) if MIN_BPM <= bpm <= MAX_BPM), None)


def key_in(text: str) -> str | None:
    """Return a key written out, or as a Camelot code."""
    if match := KEY.search(text):
        letter, accidental, mode = match.groups()
        # "Am" is a key, "a m" or "am" a word.
        if mode == "m" and (letter.islower() or match.group(0)[-2] in " _-"):
            return None
        return spelt(letter, accidental or "", "major" if mode.startswith("maj") else "minor")
    if match := CAMELOT.search(text):
        return CODES[f"{match.group(1)}{match.group(2).upper()}"]
    return None


def spelt(letter: str, accidental: str, mode: str) -> str:
    """Spell a key with sharps."""
    sign = accidental.strip(" _-").lower()
    shift = {"": 0, "#": 1, "♯": 1, "sharp": 1, "b": -1, "♭": -1, "flat": -1}[sign]
    name = f"{PITCHES[(PITCHES.index(letter.upper()) + shift) % 12]} {mode}"
    return name if name in KEYS else ""


def from_tags(path: Path) -> Stated:
    """Read ACID, ID3 and Vorbis tags; other metadata says neither tempo nor key."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        size = file.seek(0, 2)
        file.seek(max(0, size - TAIL_BYTES))
        tail = file.read()
    bpm = (acid(head) or acid(tail)) if head[:4] == b"RIFF" else None
    if bpm is None and head[:3] == b"ID3":
        bpm = number(id3(head, b"TBPM"))
    if (
        bpm is None
        and head[:4] in (b"fLaC", b"OggS")
        and (match := TAGS.search(head, 0, COMMENT_BYTES))
    ):
        bpm = number(match.group(1).decode())
    return Stated(bpm, tagged_key(head))


def acid(chunk: bytes) -> float | None:
    """Read the tempo of a loop from the `acid` chunk; one-shots (flag 1) have none."""
    at = chunk.find(b"acid\x18\0\0\0")
    if at < 0 or len(chunk) < at + 32:
        return None
    flags, _, _, _, beats, _, _, bpm = struct.unpack_from("<IHHfIHHf", chunk, at + 8)
    return bpm if not flags & 1 and beats and MIN_BPM <= bpm <= MAX_BPM else None


def id3(head: bytes, frame: bytes) -> str:
    """Return the text of an ID3v2 frame, or nothing."""
    at = head.find(frame)
    if at < 0:
        return ""
    size = int.from_bytes(head[at + 4 : at + 8], "big") & 0xFF
    text = head[at + 11 : at + 10 + size]
    coding = "utf-16" if head[at + 10 : at + 11] in (b"\x01", b"\x02") else "latin-1"
    return text.decode(coding, "ignore").strip("\0 ")


def number(text: str) -> float | None:
    """Read a tempo from a tag."""
    match = re.match(r"\d{2,3}(\.\d+)?", text)
    bpm = float(match.group(0)) if match else 0.0
    return bpm if MIN_BPM <= bpm <= MAX_BPM else None


def tagged_key(head: bytes) -> str | None:
    """Read a key from ID3's TKEY or a Vorbis comment."""
    text = id3(head, b"TKEY") if head[:3] == b"ID3" else ""
    if head[:4] in (b"fLaC", b"OggS") and (match := KEY_TAGS.search(head, 0, COMMENT_BYTES)):
        text = match.group(1).decode("ascii", "ignore")
    return key_in(text.strip()) if text else None


def fits(bpm: float, duration: float) -> bool:
    """Whether a loop of that length has whole bars, or a few whole beats, at that tempo."""
    beats = bpm * duration / 60
    step = 4 if beats > 8.5 else 1
    nearest = step * round(beats / step)
    return nearest > 0 and abs(nearest / beats - 1) <= AGREES
