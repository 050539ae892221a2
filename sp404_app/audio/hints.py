"""What a file is called: tempo and key in its name and its folders."""

import re
from dataclasses import dataclass
from typing import Final

from sp404_app.audio.keys import CODES, KEYS, PITCHES

MIN_BPM, MAX_BPM = 40.0, 260.0
AGREES: Final = 0.015  # of the tempo: how well the length must fit what is written
MADE: Final = 0.001  # the same, for a tempo that nobody would choose by chance

NUMBER: Final = r"(\d{2,3}(?:[.,]\d{1,2})?)"
TEMPO: Final = re.compile(rf"(?<![\d.]){NUMBER}[\s_-]*bpm|bpm[\s_-]*{NUMBER}(?!\d)", re.IGNORECASE)
BARE_TEMPO: Final = re.compile(rf"(?:^|[\s_\-/(\[]){NUMBER}(?=$|[\s_\-/)\].])")
KEY: Final = re.compile(
    r"(?<![A-Za-z#])([A-Ga-g])(#|b|♯|♭|[\s_-]?(?i:sharp|flat))?"
    r"(?:[\s_-]?(?i:natural|harmonic|melodic))?[\s_-]?((?i:major|maj|minor|min)|m)(?![A-Za-z])"
)
CAMELOT: Final = re.compile(r"(?<![A-Za-z0-9])(1[0-2]|[1-9])([ABab])(?![A-Za-z0-9])")


@dataclass(frozen=True, slots=True)
class Stated:
    """A tempo (BPM) and a key as written; `sure` says that "bpm" stands beside the number.

    `beats` is how many the file counts in its whole length, `root` a MIDI note.
    """

    bpm: float | None = None
    key: str | None = None
    sure: bool = True
    beats: float | None = None
    root: int | None = None

    def tempo(self, duration: float) -> float | None:
        """Return the tempo, from the beats of `duration` seconds where only they are given."""
        if self.bpm or not self.beats or duration <= 0:
            return self.bpm
        counted = 60 * self.beats / duration
        return counted if MIN_BPM <= counted <= MAX_BPM else None


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
        return spelt(
            letter, accidental or "", "major" if mode.lower().startswith("maj") else "minor"
        )
    if match := CAMELOT.search(text):
        return CODES[f"{match.group(1)}{match.group(2).upper()}"]
    return None


def spelt(letter: str, accidental: str, mode: str) -> str:
    """Spell a key with sharps."""
    sign = accidental.strip(" _-").lower()
    shift = {"": 0, "#": 1, "♯": 1, "sharp": 1, "b": -1, "♭": -1, "flat": -1}[sign]
    name = f"{PITCHES[(PITCHES.index(letter.upper()) + shift) % 12]} {mode}"
    return name if name in KEYS else ""


def fits(bpm: float, duration: float) -> bool:
    """Whether a loop of that length has whole bars, or a few whole beats, at that tempo.

    One that is cut to a hair may have any number of whole beats: few lengths are so by chance.
    """
    if made_of(bpm, duration):
        return True
    beats = bpm * duration / 60
    step = 4 if beats > 8.5 else 1
    nearest = step * round(beats / step)
    return nearest > 0 and abs(nearest / beats - 1) <= AGREES


def made_of(bpm: float, duration: float) -> bool:
    """Whether a length is a whole number of beats so nearly that it was made at that tempo."""
    beats = bpm * duration / 60
    return round(beats) > 0 and abs(round(beats) / beats - 1) <= MADE
