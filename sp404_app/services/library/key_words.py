"""Keys in names and searches: "Am", "F# minor", "Bb". Each is one token of the search index."""

import re
from collections.abc import Iterator
from typing import Final

from sp404_app.audio.features.musical_keys import PITCHES, camelot

KEY_RE: Final = re.compile(
    r"(?<![^\W_])(?P<pitch>[A-Ga-g])(?P<sign>[#b♯♭]|[\s_-]?(?i:sharp|flat)(?![a-z]))?"
    r"(?:(?P<m>m)|[\s_-]?(?P<mode>(?i:major|minor|maj|min)))?(?![^\W_]|[#♯♭])"
)
SHIFTS: Final = {"#": 1, "♯": 1, "sharp": 1, "b": -1, "♭": -1, "flat": -1}
IN_KEY_RE: Final = re.compile(r"(?<!\S)in\s+(?=[A-G][#b♯♭]?m?(?!\S))")


def key_search_words(key: str | None) -> str:
    """Return the search words of a key: its token, its mode and its Camelot code."""
    if not key:
        return ""
    tonic, mode = key.split()
    return f"{_format_token(PITCHES.index(tonic), mode)} {mode} {camelot(key).lower()}"


def find_keys(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield the start, the end and the name of each key that is a whole word of a text.

    The name is "A minor"; "F# major or minor" if the text says no mode. The start is that of "in"
    if it comes before.
    """
    before = {match.end(): match.start() for match in IN_KEY_RE.finditer(text)}
    for match in KEY_RE.finditer(text):
        start, end = match.span()
        is_whole = not text[:start][-1:].strip() and not text[end : end + 1].strip()
        if is_whole and (key := _parse_key(match)):
            yield before.get(start, start), end, f"{PITCHES[key[0]]} {key[1] or 'major or minor'}"


def key_token(match: re.Match[str]) -> str | None:
    """Return the token of a key, None if the text is an ordinary word: "a", "am", "bb"."""
    key = _parse_key(match)
    return _format_token(*key) if key else None


def _parse_key(match: re.Match[str]) -> tuple[int, str] | None:
    """Return the pitch class of the tonic, 0 to 11, and the mode, empty if it is not said."""
    sign = (match["sign"] or "").strip().strip("_-").lower()
    written_out = (sign in SHIFTS and sign != "b") or match["mode"]
    if not written_out and not (match["pitch"].isupper() and (sign or match["m"])):
        return None
    mode = "minor" if match["m"] or (match["mode"] or "").lower().startswith("min") else ""
    if match["mode"] and not mode:
        mode = "major"
    return (PITCHES.index(match["pitch"].upper()) + SHIFTS.get(sign, 0)) % 12, mode


def _format_token(pitch: int, mode: str) -> str:
    return f"key{PITCHES[pitch].lower().replace('#', 'sharp')}{mode}"
