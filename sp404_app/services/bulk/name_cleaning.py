"""Suggest a clean name: `KSHMR_Kick_04_(128)_Cm-FINAL2` becomes "KSHMR Kick 04".

A tempo or a key is removed only if the app reads it from the name as an import does, and if the
sound has no other tempo or key. The suggestion is never applied unless a person accepts it.
"""

import re
from dataclasses import dataclass
from typing import Final

from sp404_app.audio.features.file_extensions import split_extension
from sp404_app.audio.features.filename_key import (
    CAMELOT,
    CHORD,
    WRITTEN_OUT,
    find_key_name,
    parse_key_text,
    strip_accents,
)
from sp404_app.audio.features.filename_tempo import (
    MAX_BARE_BPM,
    MIN_BARE_BPM,
    bare_number_tempo,
    explicit_tempo,
)
from sp404_app.services.infra.text import one_line

# What programs and people append to another version of the same sound.
VERSION: Final = re.compile(
    r"(?:final|finished|master(?:ed)?|mix(?:ed)?down|bounced?|rendered|export(?:ed)?|copy|version"
    r"|ver|rev)[ ._]?\d{0,3}",
    re.IGNORECASE,
)
# Elsewhere in a name, "v2" is the velocity of a note.
LAST_VERSION: Final = re.compile(r"(?<=\w)[\s_-]+v\d{1,2}(?:\.\d{1,2})?$", re.IGNORECASE)
LAST_COPY: Final = re.compile(r"[\s_-]+copy[\s_-]+\d{1,2}$", re.IGNORECASE)
COPY_NUMBER: Final = re.compile(r"[(\[]\d[)\]]")  # of a file that was downloaded again
TEMPO: Final = re.compile(
    r"(?:bpm)?(?P<number>\d{2,3}(?:[.,]\d{1,3})?)(?P<unit>bpm)?", re.IGNORECASE
)
KEY_PREFIX: Final = re.compile(r"^key(?=[A-G])", re.IGNORECASE)
MAX_EXTENSIONS: Final = 2  # "Kick.wav.aif"
TEMPO_TOLERANCE: Final = 0.02  # of the tempo; names state rounded values
MAX_KEY_WORDS: Final = 3  # "C Natural Minor"


@dataclass(frozen=True, slots=True)
class _Known:
    """What the app knows: tempo and key of the sound, and what it reads from the name."""

    bpm: float | None
    key: str | None
    stated_bpm: float | None
    stated_tonic: str


def suggest_name(name: str, bpm: float | None = None, key: str | None = None) -> str:
    """Return the clean name of a sound with this tempo and key; the same name if it is clean.

    A name that would be empty stays.
    """
    stem = _without_endings(name)
    known = _read_name(stem, bpm, key)
    words = _drop_keys(_split_words(stem), known)
    kept: list[str] = []
    for each in words:
        # What stands in front is no version of anything: "Final Countdown".
        is_name = not kept and VERSION.fullmatch(each)
        if word := each if is_name else _clean_word(each, known):
            kept.append(word)
    return _join(kept) or name


def _without_endings(name: str) -> str:
    for _ in range(MAX_EXTENSIONS):
        name = split_extension(name)[0]
    return LAST_COPY.sub("", name)


def _read_name(stem: str, bpm: float | None, key: str | None) -> _Known:
    found = find_key_name(stem)
    stated = explicit_tempo(stem) or bare_number_tempo(stem, keyed=found is not None)
    return _Known(bpm, key, stated, found.tonic if found else "")


def _split_words(stem: str) -> list[str]:
    """Split at spaces, underscores, and before brackets."""
    spaced = re.sub(r"(?<=[^\s_(\[])(?=[(\[])", " ", stem)
    return [word for word in re.split(r"[\s_]+", spaced) if word]


def _drop_keys(words: list[str], known: _Known) -> list[str]:
    """Remove the words that state the key together: "C Minor", "F# Natural Minor"."""
    kept: list[str] = []
    at = 0
    while at < len(words):
        count = next(
            (
                count
                for count in range(MAX_KEY_WORDS, 1, -1)
                if at + count <= len(words) and _is_key(" ".join(words[at : at + count]), known)
            ),
            0,
        )
        if not count:
            kept.append(words[at])
        at += count or 1
    return kept


def _clean_word(word: str, known: _Known) -> str:
    """Return a word without the parts that state tempo, key or version; "" if nothing is left."""
    if COPY_NUMBER.fullmatch(word) or _is_noise(word, known):
        return ""
    bracketed = re.fullmatch(r"[(\[](.*)[)\]]", word)
    if bracketed:
        inner = bracketed[1]
        is_field = _is_noise(inner, known) or _is_bracketed_tempo(inner, known)
        return "" if is_field or not inner else word
    parts = word.split("-")
    if len(parts) == 1 or "".join(parts) == "":
        return word
    return "-".join(part for part in parts if not _is_noise(part, known)).strip("-")


def _is_noise(text: str, known: _Known) -> bool:
    return bool(VERSION.fullmatch(text)) or _is_tempo(text, known) or _is_key(text, known)


def _is_tempo(text: str, known: _Known) -> bool:
    if text.lower() == "bpm":
        return known.stated_bpm is not None
    match = TEMPO.fullmatch(text)
    if not match or known.stated_bpm is None:
        return False
    value = float(match["number"].replace(",", "."))
    return value == known.stated_bpm and _agrees(value, known.bpm)


def _is_bracketed_tempo(text: str, known: _Known) -> bool:
    """Return whether a number in brackets is a tempo: "(128)"."""
    match = TEMPO.fullmatch(text)
    value = float(match["number"].replace(",", ".")) if match else 0.0
    return MIN_BARE_BPM <= value <= MAX_BARE_BPM and _agrees(value, known.bpm)


def _agrees(stated: float, bpm: float | None) -> bool:
    """Return whether a sound can have the stated tempo; half and double are the same pulse."""
    if bpm is None:
        return True
    return any(abs(stated * ratio - bpm) <= TEMPO_TOLERANCE * bpm for ratio in (0.5, 1.0, 2.0))


def _is_key(text: str, known: _Known) -> bool:
    """Return whether a text states the key that the name has, and nothing else."""
    plain = KEY_PREFIX.sub("", strip_accents(text))
    if not any(notation.fullmatch(plain) for notation in (WRITTEN_OUT, CHORD, CAMELOT)):
        return False
    stated = parse_key_text(plain)
    is_read = stated is not None and stated.split()[0] == known.stated_tonic
    return is_read and known.key in {None, stated}


def _join(words: list[str]) -> str:
    """Join words; separators that stood beside a removed word disappear."""
    text = one_line(" ".join(words))
    text = re.sub(r"(?:\s+[-–—+.,]+)+(?=\s+[-–—+.,]+(?:\s|$))", "", text)
    return LAST_VERSION.sub("", text.strip(" -–—+_.,"))
