"""Words of a search that also mean what was measured: "dark short kick around 90", "pad 88 bpm".

A sample's search text holds a token for each word that its measurements deserve and for its class,
as it does for its key. A word in quotes means only itself.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sp404_app.models import Kind
from sp404_app.services.library.key_words import find_keys

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
# No class of its own: words for it, and classes and measured words; a pad has one of each tuple.
PAD_WORDS: Final = {"pad", "pads"}
PAD_TOKENS: Final = (("chord", "melodic"), ("soft", "long"))
NAMED_OR_PAD: Final = "named so, or harmonic and slow to start or to end"

MASK: Final = "\0"  # no space: the words around do not belong together, as "in" and "Am"
QUOTED_RE: Final = re.compile(r'"[^"]*"')
NUMBER: Final = r"\d{2,3}(?:\.\d{1,3})?"
TEMPO_RE: Final = re.compile(
    rf"(?<!\S)(?:(?:around|about|~)\s*(?P<around>{NUMBER})(?:\s?bpm)?"
    rf"|(?P<exactly>{NUMBER})\s?bpm"
    rf"|(?P<range>{NUMBER}[-–]{NUMBER}\s?bpm|bpm\s?{NUMBER}[-–]{NUMBER}))(?!\S)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Heard:
    """A part of a search that means a measurement: the part as typed, and what it means."""

    text: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Tempo:
    """The part of a search that asks for a tempo, and its limits in BPM."""

    text: str
    number: str
    lowest: float
    highest: float
    is_exact: bool = False  # "88 bpm"
    is_range: bool = False  # "80-100 bpm"

    @property
    def may_be_name(self) -> bool:
        """Return whether names may say the same."""
        return self.is_exact or self.is_range

    @property
    def meaning(self) -> str:
        """Return the limits as text."""
        if self.may_be_name:
            return f"{self.lowest:.10g} to {self.highest:.10g} BPM, or named so"
        return f"{self.lowest:.0f} to {self.highest:.0f} BPM"


def measured_tsquery(word: str) -> str:
    """Return the tsquery of a typed word that names a measurement or a class; "" for any other."""
    if word in PAD_WORDS:
        return f"({' & '.join(f'({_any_token(words)})' for words in PAD_TOKENS)})"
    measured = SYNONYMS.get(word) or CLASS_WORDS.get(word)
    return _any_token([measured]) if measured else ""


def _any_token(words: Sequence[str]) -> str:
    return " | ".join(f"{HEARD_PREFIX}{word}" for word in words)


def sample_tokens(words: Sequence[str], sound_class: str | None, kind: str | None) -> str:
    """Return the tokens of a sample, separated by spaces: its words, its class and "loop"."""
    known = set(CLASS_WORDS.values())
    classes = [each for each in (sound_class or "").split() if each in known]
    loop = ["loop"] if kind == Kind.LOOP and "loop" not in classes else []
    return " ".join(f"{HEARD_PREFIX}{each}" for each in [*words, *classes, *loop])


def parse_tempo(query: str) -> Tempo | None:
    """Return the tempo that "around 90", "88 bpm" or "80-100 bpm" asks for, None without any.

    "Around" is 5 % more or less, "88" are numbers that round to it. Of several the last one counts.
    """
    found = _find_tempos(query)
    if not found:
        return None
    match = found[-1]
    numbers = re.findall(NUMBER, match[0])
    lowest, highest = min(map(float, numbers)), max(map(float, numbers))
    if lowest < MIN_BPM or highest > MAX_BPM:
        return None
    text, is_exact = match[0].strip(), match["exactly"] is not None
    if match["range"]:
        return Tempo(text, "-".join(numbers), lowest, highest, is_range=True)
    decimals = len(numbers[0].partition(".")[2])
    tolerance = 0.5 * 10**-decimals if is_exact else lowest * TEMPO_TOLERANCE
    return Tempo(text, numbers[0], lowest - tolerance, lowest + tolerance, is_exact)


def without_tempo(query: str) -> str:
    """Return a search text without the words that `parse_tempo` reads."""
    return _cut_tempos(query) if parse_tempo(query) else query


def explain_words(query: str) -> list[Heard]:
    """Return the words of a search that mean a measurement, in their order, each once."""
    return list({part.text: part.heard for part in _find_parts(query)}.values())


def plain_words(query: str) -> list[str]:
    """Return the words of a search that mean no measurement, each once, without quoted ones."""
    rest = _mask_quotes(query)
    for part in _find_parts(query):
        rest = _blank(rest, part.start, part.end)
    pieces = [piece for piece in without_tempo(rest).split() if piece.strip(MASK)]
    words = {piece.lower(): piece for piece in reversed(pieces)}
    return list(reversed(words.values()))


def has_quoted(query: str) -> bool:
    """Return whether a part of a search is in quotes."""
    return QUOTED_RE.search(query) is not None


def without_word(query: str, part: str) -> str:
    """Return a search text without a word, a key ("in Am") or a tempo ("around 90")."""
    if TEMPO_RE.fullmatch(part):
        return " ".join(_cut_tempos(query).split())
    wanted = part.lower()
    parts = _find_parts(query)
    spans = [(each.start, each.end) for each in parts if each.text in {part, wanted}]
    if not spans:
        rest = _mask_quotes(query)
        for each in parts:
            rest = _blank(rest, each.start, each.end)
        words = re.finditer(r"\S+", rest)
        spans = [match.span() for match in words if match[0].lower() == wanted]
    for start, end in reversed(spans):
        query = query[:start] + query[end:]
    return " ".join(query.split())


@dataclass(frozen=True, slots=True)
class _Part:
    start: int
    end: int
    heard: Heard
    is_key: bool = False

    @property
    def text(self) -> str:
        """The text in lower case, if that means the same: "cm" is not the key "Cm"."""
        return self.heard.text if self.is_key else self.heard.text.lower()


def _find_parts(query: str) -> list[_Part]:
    """Return the parts of a search that mean a measurement, in their order; of tempi the last."""
    rest = _mask_quotes(query)
    parts = []
    if tempo := parse_tempo(query):
        matches = _find_tempos(query)
        parts.append(_Part(*matches[-1].span(), Heard(tempo.text, tempo.meaning)))
        for match in matches:
            rest = _blank(rest, *match.span())
    for start, end, name in find_keys(rest):
        parts.append(_Part(start, end, Heard(rest[start:end], f"{name}, or named so"), True))
        rest = _blank(rest, start, end)
    parts.extend(
        _Part(*match.span(), Heard(match[0], meaning))
        for match in re.finditer(r"\S+", rest)
        if (meaning := _meaning_of(match[0].lower()))
    )
    return sorted(parts, key=lambda part: part.start)


def _meaning_of(word: str) -> str:
    measured = SYNONYMS.get(word)
    if measured:
        return MEANINGS[measured]
    if word in PAD_WORDS:
        return NAMED_OR_PAD
    return NAMED_OR_CLASS if word in CLASS_WORDS else ""


def _blank(text: str, start: int, end: int) -> str:
    return text[:start] + MASK * (end - start) + text[end:]


def _mask_quotes(query: str) -> str:
    """Return a text of the same length in which what is quoted is masked."""
    return QUOTED_RE.sub(lambda match: f" {MASK * (len(match[0]) - 2)} ", query)


def _find_tempos(query: str) -> list[re.Match[str]]:
    return list(TEMPO_RE.finditer(_mask_quotes(query)))


def _cut_tempos(query: str) -> str:
    for match in reversed(_find_tempos(query)):
        query = f"{query[: match.start()]} {query[match.end() :]}"
    return query
