"""Parse a tempo from a file name: "92.5bpm" is explicit, "120_Drums" is a guess."""

import re
from dataclasses import dataclass
from typing import Final

from sp404_app.audio.features.filename_tokens import (
    COUNTER_WORDS,
    LOOP_WORDS,
    MACHINE_WORDS,
    ONE_SHOT_WORDS,
    UNIT_WORDS,
)

MIN_BPM, MAX_BPM = 40.0, 260.0
MIN_BARE_BPM, MAX_BARE_BPM = 60.0, 215.0  # range of a number without "bpm"
MIN_TRAILING_BPM: Final = 70.0  # a smaller number at the end is a take number

NUMBER: Final = r"(?<!\d)(?<!\d[.,])(?P<number>\d{2,3}(?:[.,]\d{1,3})?)"
BPM_AFTER: Final = re.compile(rf"{NUMBER}(?P<gap>[\s_.-]*)(?:bpm|b\.p\.m)", re.IGNORECASE)
BPM_BEFORE: Final = re.compile(
    r"(?:bpm|tempo)(?P<gap>[\s_.:=-]*)(?P<number>\d{2,3}(?:[.,]\d{1,3})?)(?!\d)", re.IGNORECASE
)
BARE_NUMBER: Final = re.compile(rf"{NUMBER}(?![^\W_]|['’\"%#]|[.,]\d)")
TEMPO_WORD: Final = re.compile(rf"(?:bpm)?{NUMBER}(?:bpm)?|bpm", re.IGNORECASE)
LOOP_WORD: Final = re.compile(r"(?:loop|beat|break|groove|riff)s?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class BareNumber:
    """A number without "bpm", its neighbours and its position."""

    value: float
    text: str
    before: str
    gap: str
    after: str
    first: bool
    last: bool


def explicit_tempo(text: str) -> float | None:
    """Return the tempo next to the word "bpm"; the last one if there are several."""
    found = [*BPM_AFTER.finditer(text), *BPM_BEFORE.finditer(text)]
    # "16_bpm170": the number closer to "bpm" is the tempo.
    found.sort(key=lambda match: (-len(match["gap"]), match.start()))
    tempi = [_parse_number(match["number"]) for match in found]
    return next((bpm for bpm in reversed(tempi) if MIN_BPM <= bpm <= MAX_BPM), None)


def is_tempo(word: str) -> bool:
    """Return whether a word beside a key is a tempo: "bpm", "90bpm", "124"."""
    match = TEMPO_WORD.fullmatch(word)
    number = match["number"] if match else None
    if number is None or "bpm" in word.lower():
        return match is not None
    return MIN_BARE_BPM <= _parse_number(number) <= MAX_BARE_BPM and not number.startswith("00")


def bare_number_tempo(text: str, *, keyed: bool = False) -> float | None:
    """Return the number that is most likely a tempo; `keyed` means that the name has a key."""
    words = {word.lower() for word in re.findall(r"[^\W\d_]+", text)}
    alone = [match for match in BARE_NUMBER.finditer(text) if _stands_alone(text[: match.start()])]
    only_a_number = not words and len(re.findall(r"\d+", text)) < 2
    if only_a_number or (words & ONE_SHOT_WORDS and not words & LOOP_WORDS):
        return None
    found = [_parse_bare_number(text, match) for match in alone]
    likely = [bare for bare in found if _could_be_tempo(bare, words, keyed=keyed)]
    return max(likely, key=_preference).value if likely else None


def _stands_alone(before: str) -> bool:
    """Return whether a number is a separate word, or follows a word such as "drumloop"."""
    return not re.search(r"(?:[^\W_]|['’\"#])$", before) or bool(LOOP_WORD.search(before))


def _preference(bare: BareNumber) -> tuple[bool, bool, bool]:
    return bare.first, "." in bare.text or "," in bare.text, len(bare.text) >= 3


def _parse_bare_number(text: str, match: re.Match[str]) -> BareNumber:
    before = re.search(r"([^\W\d_]*)([\W_]*)$", text[: match.start()])
    after = re.match(r"[\W_]*([^\W_]*)", text[match.end() :])
    return BareNumber(
        _parse_number(match["number"]),
        match["number"],
        before[1].lower() if before else "",
        before[2] if before else "",
        after[1].lower() if after else "",
        first=not re.search(r"[^\W_]", text[: match.start()]),
        last=not re.search(r"[^\W_]", text[match.end() :]),
    )


def _could_be_tempo(bare: BareNumber, words: set[str], *, keyed: bool) -> bool:
    if not MIN_BARE_BPM <= bare.value <= MAX_BARE_BPM or bare.after in UNIT_WORDS:
        return False
    if bare.before in COUNTER_WORDS or (bare.before in MACHINE_WORDS and bare.gap != "_"):
        return False
    if bare.text.startswith("0"):
        return bare.first and bare.value >= MIN_TRAILING_BPM
    if bare.first or len(bare.text) >= 3:
        return True
    if bare.last and bare.value < MIN_TRAILING_BPM:
        return False
    return not bare.last or keyed or bool(words & LOOP_WORDS)


def _parse_number(text: str) -> float:
    return float(text.replace(",", "."))
