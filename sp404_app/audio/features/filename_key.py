"""Parse a musical key from a file name: "F#m", "Ab minor", "Fis-Moll", "La mineur", "8A - 124".

A letter with a mode is a key. A chord such as "Am", a Camelot code and a single letter also occur
as words, version letters and numbers, so they count only in a suitable context.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from sp404_app.audio.features.filename_tempo import is_tempo
from sp404_app.audio.features.filename_tokens import (
    AM_VERB_WORDS,
    DRUM_WORDS,
    INTERVAL_WORDS,
    MUSIC_WORDS,
    VERSION_WORDS,
)
from sp404_app.audio.features.musical_keys import CODES, PITCHES

ENGLISH: Final = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
GERMAN: Final = {
    "ces": 11, "cis": 1, "des": 1, "dis": 3, "es": 3, "fes": 4, "eis": 5, "fis": 6, "ges": 6,
    "gis": 8, "as": 8, "ais": 10, "his": 0, "h": 11,
}  # fmt: skip
SOLFEGE: Final = {
    "do": 0, "ut": 0, "re": 2, "mi": 4, "fa": 5, "sol": 7, "la": 9, "si": 11,
}  # fmt: skip
SHARPS: Final = ("#", "sharp", "diese", "diesis", "sostenido", "sustenido")
FLATS: Final = ("b", "flat", "bemol", "bemolle")
ENGLISH_MODES: Final = {"major": "major", "maj": "major", "minor": "minor", "min": "minor"}
GERMAN_MODES: Final = {"dur": "major", "moll": "minor", "duuri": "major", "molli": "minor"}
ROMANCE_MODES: Final = {
    "majeur": "major", "maggiore": "major", "mayor": "major", "maior": "major",
    "mineur": "minor", "minore": "minor", "menor": "minor",
}  # fmt: skip
# A church mode or a chord states a tonic; major or minor is detected from the signal.
TONIC_ONLY: Final = dict.fromkeys(
    ("ionian", "lydian", "mixolydian", "aeolian", "dorian", "phrygian", "locrian", "diminished",
     "dim", "augmented", "aug", "half"), "",
)  # fmt: skip
MODES: Final = ENGLISH_MODES | GERMAN_MODES | ROMANCE_MODES | TONIC_ONLY

FLAT_SIGN: Final = re.compile(r"(?<=[A-Ha-h])♭")

GAP: Final = r"[\s_-]{0,2}"
NO_LETTER_BEFORE: Final = r"(?<![^\W\d_])"
NO_LETTER_AFTER: Final = r"(?![^\W\d_])"
ALONE_BEFORE, ALONE_AFTER = r"(?<![^\W_])(?<!#)", r"(?![^\W_]|#)"


def _alternation(words: object) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))  # type: ignore[call-overload]


WRITTEN_OUT: Final = re.compile(
    rf"{NO_LETTER_BEFORE}(?P<pitch>{_alternation([*SOLFEGE, *GERMAN, *ENGLISH])})"
    rf"(?:{GAP}(?P<sign>{_alternation([*SHARPS, *FLATS])}))?"
    rf"(?:{GAP}(?:natural|harmonic|melodic|nat|harm|mel))?"
    rf"{GAP}(?P<mode>{_alternation(MODES)}){NO_LETTER_AFTER}",
    re.IGNORECASE,
)
CHORD: Final = re.compile(
    rf"{ALONE_BEFORE}(?P<pitch>[A-Ga-g])(?P<sign>[#bB]?)(?P<m>[mM])(?P<degree>6|7|9|11|13)?{ALONE_AFTER}"
)
SIGNED_NOTE: Final = re.compile(
    rf"{ALONE_BEFORE}(?P<pitch>[A-G])(?P<sign>[#b]|{GAP}(?:[Ss]harp|[Ff]lat|SHARP|FLAT)){ALONE_AFTER}"
    rf"|{ALONE_BEFORE}(?P<low>[a-g])#{ALONE_AFTER}"
)
SINGLE_LETTER: Final = re.compile(rf"{ALONE_BEFORE}(?P<pitch>[A-Ga-g]){ALONE_AFTER}")
CAMELOT: Final = re.compile(rf"{ALONE_BEFORE}0?(?P<hour>1[0-2]|[1-9])(?P<side>[ABab]){ALONE_AFTER}")
# "keyAmin", "keyC": the prefix marks a key.
KEY_WORD: Final = re.compile(
    r"[Kk](?:ey|EY)(?=[A-G][#b]?(?:m|[Mm]in|[Mm]aj|[Mm]inor|[Mm]ajor)?(?![A-Za-z]))"
)


@dataclass(frozen=True, slots=True)
class KeyName:
    """A parsed key: its `tonic`, its `mode` if stated, and whether it is certain."""

    tonic: str
    mode: str = ""
    certain: bool = True

    @property
    def key(self) -> str | None:
        """The key, if its mode is stated."""
        return f"{self.tonic} {self.mode}" if self.mode else None


@dataclass(frozen=True, slots=True)
class Context:
    """The words around a match and the separators to them; empty at the ends of a name."""

    before: str
    gap_before: str
    gap_after: str
    after: str

    @property
    def beside_tempo(self) -> bool:
        """Whether the next word on either side is a tempo."""
        return is_tempo(self.before) or is_tempo(self.after)

    @property
    def is_field(self) -> bool:
        """Whether the match is in brackets or between dashes: "[8A]", "8A - Title"."""
        bracketed = self.gap_before[-1:] in ("(", "[") and self.gap_after[:1] in (")", "]")
        left = not self.before or " - " in self.gap_before
        right = not self.after or " - " in self.gap_after
        return bracketed or (left and right and " - " in self.gap_before + self.gap_after)


def strip_accents(text: str) -> str:
    """Return text without accents and with ASCII accidentals; case is kept."""
    text = FLAT_SIGN.sub("b", text.replace("♯", "#"))
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def find_key_name(text: str) -> KeyName | None:
    """Return the key in one part of a path; the least ambiguous notation wins."""
    text = KEY_WORD.sub("key ", strip_accents(text))
    readers = (
        _parse_written_out,
        _parse_chord,
        _parse_camelot,
        _parse_signed_note,
        _parse_single_letter,
    )
    return next((found for reader in readers if (found := reader(text))), None)


def parse_key_text(text: str) -> str | None:
    """Parse text that consists of a key, such as a tag: "Am", "C# minor", "8A"."""
    text = strip_accents(text).strip()
    if match := CAMELOT.fullmatch(text):
        return CODES[f"{match['hour']}{match['side'].upper()}"]
    if match := CHORD.fullmatch(text):
        return f"{PITCHES[_pitch_class(match['pitch'], match['sign'])]} minor"
    found = _parse_written_out(text)
    return found.key if found else None


def _parse_written_out(text: str) -> KeyName | None:
    for match in reversed(list(WRITTEN_OUT.finditer(text))):
        pitch, sign, mode = (match[name] or "" for name in ("pitch", "sign", "mode"))
        if _is_article(text, match) or not _is_one_language(pitch, sign, mode):
            continue
        german = mode.lower() in GERMAN_MODES
        tonic = PITCHES[_pitch_class(pitch, sign, german=german)]
        return KeyName(tonic, MODES[mode.lower()])
    return None


def _is_one_language(pitch: str, sign: str, mode: str) -> bool:
    """Return whether pitch, accidental and mode belong to compatible languages."""
    pitch, sign, mode = pitch.lower(), sign.lower(), mode.lower()
    if pitch in SOLFEGE:
        return mode in ROMANCE_MODES
    if pitch in GERMAN:
        return mode in GERMAN_MODES or (mode in ROMANCE_MODES and len(pitch) == 3 and not sign)
    return True


def _is_article(text: str, match: re.Match[str]) -> bool:
    """Return whether the match is the article "a" and an adjective: "a minor setback"."""
    if match["pitch"].lower() != "a" or match["sign"] or " " not in match[0]:
        return False
    place = _context_of(text, match)
    word = place.after.lower()
    if place.gap_after[:1] != " " or not word.isalpha():
        return False
    return word not in MUSIC_WORDS | DRUM_WORDS | {"bpm"}


def _parse_chord(text: str) -> KeyName | None:
    for match in reversed(list(CHORD.finditer(text))):
        place = _context_of(text, match)
        fits = _is_chord(text, match, place)
        if fits:
            tonic = PITCHES[_pitch_class(match["pitch"], match["sign"])]
            return KeyName(tonic, "minor", certain=_is_certain(match, place))
    return None


def _is_certain(match: re.Match[str], place: Context) -> bool:
    """Return whether the chord cannot be a word; only "Am" can, unless beside a tempo."""
    word = match["pitch"] in "Aa" and not match["sign"] and not match["degree"]
    return not word or place.beside_tempo or place.before.lower() == "key"


def _is_chord(text: str, match: re.Match[str], place: Context) -> bool:
    """Return whether "Am" or "em9" is a chord here, not a word or unit such as "am", "cm", "FM"."""
    strong = bool(match["sign"] == "#" or match["degree"] or place.before.lower() == "key")
    if match["m"] == "M":
        shouted = not any(char.islower() for char in text)
        modulated = match["pitch"] == "F" and not match["sign"]  # FM synthesis
        return shouted and match["pitch"].isupper() and not modulated and _is_separate_field(place)
    if match["sign"] == "B":
        return False
    if match["pitch"].islower():
        return strong and not place.before.isdigit()
    if match["pitch"] != "A" or strong or match["sign"]:
        return True
    return _is_a_minor(place)


def _is_separate_field(place: Context) -> bool:
    return place.beside_tempo and place.gap_before[-1:] in ("", "_", "-")


def _is_a_minor(place: Context) -> bool:
    """Return whether "Am" is the chord and not the verb or the German preposition."""
    before, after = place.before.lower(), place.after.lower()
    if before in AM_VERB_WORDS or after in AM_VERB_WORDS:
        return False
    if place.beside_tempo or place.is_field or not place.after or after in MUSIC_WORDS:
        return True
    return place.gap_after[:1] != " " or before in MUSIC_WORDS


def _parse_camelot(text: str) -> KeyName | None:
    for match in CAMELOT.finditer(text):
        place = _context_of(text, match)
        before = place.before.lower()
        counts = before in VERSION_WORDS and " - " not in place.gap_before
        if counts or match["side"].islower():
            continue
        if place.beside_tempo or place.is_field or before in {"camelot", "key"}:
            tonic, _, mode = CODES[f"{match['hour']}{match['side']}"].partition(" ")
            return KeyName(tonic, mode, certain=False)
    return None


def _parse_signed_note(text: str) -> KeyName | None:
    """Parse a letter with an accidental: "G#", "Bb"."""
    for match in reversed(list(SIGNED_NOTE.finditer(text))):
        if match["low"]:
            return KeyName(PITCHES[_pitch_class(match["low"], "#")], certain=False)
        sign = (match["sign"] or "").strip(" _-").lower()
        return KeyName(PITCHES[_pitch_class(match["pitch"], sign)], certain=False)
    return None


def _parse_single_letter(text: str) -> KeyName | None:
    """Parse a single letter if its context suggests a note."""
    drums = any(word.lower() in DRUM_WORDS for word in re.findall(r"[^\W\d_]+|909", text))
    for match in reversed(list(SINGLE_LETTER.finditer(text))):
        place = _context_of(text, match)
        if _is_note(match["pitch"], place, drums=drums):
            return KeyName(PITCHES[_pitch_class(match["pitch"], "")], certain=False)
    return None


def _is_note(letter: str, place: Context, *, drums: bool) -> bool:
    before, after = place.before.lower(), place.after.lower()
    if before == "key":
        return True
    counted = before in VERSION_WORDS and not (before in {"loop", "riff"} and letter.lower() > "d")
    if counted or "&" in place.gap_before + place.gap_after or "'" in place.gap_before:
        return False
    if after in INTERVAL_WORDS:
        return bool(before)
    if drums or (not before and place.gap_after not in {"_", "-"}):
        return False
    if place.beside_tempo:
        return not before.isdigit() or is_tempo(before)
    return not after and _ends_as_note(letter, place)


def _ends_as_note(letter: str, place: Context) -> bool:
    """Return whether the last letter of a name is a note: "Pad_G", "bass_c", "P15-G"."""
    gap = place.gap_before.strip()
    if letter.isupper():
        return gap in {"_", "-"} or (not gap and place.before.lower() in MUSIC_WORDS)
    return gap == "_" or (not gap and place.before.lower() in MUSIC_WORDS)


def _context_of(text: str, match: re.Match[str]) -> Context:
    before = re.search(r"([^\W_]*)([\W_]*)$", text[: match.start()])
    after = re.match(r"([\W_]*)(\d+[.,]\d+|[^\W_]*)", text[match.end() :])
    assert before  # these patterns always match, also empty text
    assert after
    return Context(before[1], before[2], after[1], after[2])


def _pitch_class(letter: str, sign: str, *, german: bool = False) -> int:
    """Return the pitch class (0..11) of a note name; the German B is B flat."""
    name, sign = letter.lower(), sign.lower()
    if german and name == "b" and not sign:
        return 10
    base = (ENGLISH | GERMAN | SOLFEGE)[name]
    return (base + (sign in SHARPS) - (sign in FLATS)) % 12
