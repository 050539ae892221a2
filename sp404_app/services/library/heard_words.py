"""Words of a search that also mean what was measured: "dark short kick around 90".

A sample's search text holds a token for each word that its measurements deserve and for its class,
as it does for its key. A word in quotes means only itself.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sp404_app.models import Kind

HEARD_PREFIX: Final = "zx"  # so that hardly any word that a person begins to type finds all tokens
TEMPO_TOLERANCE: Final = 0.05  # of "around 90"
MIN_BPM, MAX_BPM = 20.0, 999.0

# What each measured word means, and the words that find it.
MEANINGS: Final = {
    "dark": "little treble for its class",
    "bright": "much treble for its class",
    "clean": "little noise for its class",
    "noisy": "much noise for its class",
    "warm": "little noise, and no more treble than usual",
    "short": "ends early for its class",
    "long": "rings long for its class",
    "punchy": "starts within 3 ms",
    "soft": "takes 30 ms or more to start",
    "loud": "-12 LUFS or louder",
    "quiet": "-28 LUFS or quieter",
}
SYNONYMS: Final = {
    "dull": "dark", "muffled": "dark", "dark": "dark",
    "bright": "bright", "crisp": "bright", "airy": "bright",
    "clean": "clean", "pure": "clean",
    "noisy": "noisy", "gritty": "noisy", "dirty": "noisy",
    "warm": "warm",
    "short": "short", "tight": "short",
    "long": "long", "ringing": "long", "sustained": "long",
    "punchy": "punchy", "snappy": "punchy",
    "soft": "soft", "gentle": "soft", "swelling": "soft",
    "loud": "loud", "quiet": "quiet",
}  # fmt: skip
CLASS_WORDS: Final = {
    "kick": "kick", "kicks": "kick", "bd": "kick",
    "snare": "snare", "snares": "snare",
    "clap": "clap", "claps": "clap",
    "hat": "hat", "hats": "hat", "hihat": "hat", "closed": "closed", "open": "open",
    "tom": "tom", "toms": "tom",
    "perc": "percussion", "percussion": "percussion",
    "cymbal": "cymbal", "cymbals": "cymbal",
    "bass": "bass", "chord": "chord", "chords": "chord", "lead": "lead", "vocal": "vocal",
    "fx": "fx", "break": "break", "breaks": "break", "melodic": "melodic",
    "loop": "loop", "loops": "loop",
}  # fmt: skip
NAMED_OR_CLASS: Final = "named so, or of this class"

QUOTED_RE: Final = re.compile(r'"[^"]*"')
TEMPO_RE: Final = re.compile(
    r"(?<!\S)(?:around|about|~)\s*(?P<bpm>\d{2,3}(?:\.\d{1,3})?)(?:\s?bpm)?(?!\S)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Heard:
    """A part of a search that means a measurement: the part as typed, and what it means."""

    text: str
    meaning: str


def measured_token(word: str) -> str:
    """Return the token of a typed word that names a measurement or a class; empty for any other."""
    measured = SYNONYMS.get(word) or CLASS_WORDS.get(word)
    return f"{HEARD_PREFIX}{measured}" if measured else ""


def sample_tokens(words: Sequence[str], sound_class: str | None, kind: str | None) -> str:
    """Return the tokens of a sample, separated by spaces: its words, its class and "loop"."""
    known = set(CLASS_WORDS.values())
    classes = [each for each in (sound_class or "").split() if each in known]
    loop = ["loop"] if kind == Kind.LOOP and "loop" not in classes else []
    return " ".join(f"{HEARD_PREFIX}{each}" for each in [*words, *classes, *loop])


def parse_tempo(query: str) -> tuple[float, float] | None:
    """Return the lowest and highest tempo in BPM that "around 90" means, None without such words.

    Of several the last one counts.
    """
    found = [float(match["bpm"]) for match in _find_tempos(query)]
    if not found or not MIN_BPM <= found[-1] <= MAX_BPM:
        return None
    return found[-1] * (1 - TEMPO_TOLERANCE), found[-1] * (1 + TEMPO_TOLERANCE)


def without_tempo(query: str) -> str:
    """Return a search text without the words that `parse_tempo` reads."""
    return _cut_tempos(query) if parse_tempo(query) else query


def _mask_quotes(query: str) -> str:
    """Return a text of the same length with spaces in place of what is quoted."""
    return QUOTED_RE.sub(lambda match: " " * len(match[0]), query)


def _find_tempos(query: str) -> list[re.Match[str]]:
    return list(TEMPO_RE.finditer(_mask_quotes(query)))


def _cut_tempos(query: str) -> str:
    for match in reversed(_find_tempos(query)):
        query = f"{query[: match.start()]} {query[match.end() :]}"
    return query


def explain_words(query: str) -> list[Heard]:
    """Return the words of a search that mean a measurement, in their order, each once."""
    found: dict[str, Heard] = {}
    for piece in _mask_quotes(without_tempo(query)).split():
        word = piece.lower()
        if measured := SYNONYMS.get(word):
            found[word] = Heard(piece, MEANINGS[measured])
        elif word in CLASS_WORDS:
            found[word] = Heard(piece, NAMED_OR_CLASS)
    if tempo := parse_tempo(query):
        text = _find_tempos(query)[-1][0].strip()
        found[text] = Heard(text, f"{tempo[0]:.0f} to {tempo[1]:.0f} BPM")
    return list(found.values())


def plain_words(query: str) -> list[str]:
    """Return the words of a search that mean no measurement, each once, without quoted ones."""
    heard = {each.text.lower() for each in explain_words(query)}
    pieces = _mask_quotes(without_tempo(query)).split()
    words = {piece.lower(): piece for piece in reversed(pieces) if piece.lower() not in heard}
    return list(reversed(words.values()))


def has_quoted(query: str) -> bool:
    """Return whether a part of a search is in quotes."""
    return QUOTED_RE.search(query) is not None


def without_word(query: str, part: str) -> str:
    """Return a search text without a word that is measured, or without "around 90"."""
    if TEMPO_RE.fullmatch(part):
        return " ".join(_cut_tempos(query).split())
    for match in reversed(list(re.finditer(r"\S+", _mask_quotes(query)))):
        if match[0].lower() == part.lower():
            query = query[: match.start()] + query[match.end() :]
    return " ".join(query.split())
