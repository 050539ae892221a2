"""Read a tempo from a name: "92.5bpm" for certain, "120_Drums" as a guess."""

import re
from dataclasses import dataclass
from typing import Final

from sp404_app.audio.features.filename_tokens import COUNTERS, LOOPS, MACHINES, ONE_SHOTS, UNITS

MIN_BPM, MAX_BPM = 40.0, 260.0
MIN_BARE, MAX_BARE = 60.0, 215.0  # of a number without "bpm"
MIN_LAST: Final = 70.0  # of two digits at the end: smaller ones count takes

NUMBER: Final = r"(?<!\d)(?<!\d[.,])(?P<number>\d{2,3}(?:[.,]\d{1,3})?)"
BPM_AFTER: Final = re.compile(rf"{NUMBER}(?P<gap>[\s_.-]*)(?:bpm|b\.p\.m)", re.IGNORECASE)
BPM_BEFORE: Final = re.compile(
    r"(?:bpm|tempo)(?P<gap>[\s_.:=-]*)(?P<number>\d{2,3}(?:[.,]\d{1,3})?)(?!\d)", re.IGNORECASE
)
BARE: Final = re.compile(rf"{NUMBER}(?![^\W_]|['’\"%#]|[.,]\d)")
WORD: Final = re.compile(rf"(?:bpm)?{NUMBER}(?:bpm)?|bpm", re.IGNORECASE)
LOOP_WORD: Final = re.compile(r"(?:loop|beat|break|groove|riff)s?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Bare:
    """A number without "bpm", its neighbours, and where it stands."""

    value: float
    text: str
    before: str
    gap: str
    after: str
    first: bool
    last: bool


def sure_tempo(text: str) -> float | None:
    """Return the tempo beside the word "bpm", the last one if there are several."""
    found = [*BPM_AFTER.finditer(text), *BPM_BEFORE.finditer(text)]
    # "16_bpm170": the number that is closer to the word is meant.
    found.sort(key=lambda match: (-len(match["gap"]), match.start()))
    tempi = [_number(match["number"]) for match in found]
    return next((bpm for bpm in reversed(tempi) if MIN_BPM <= bpm <= MAX_BPM), None)


def is_tempo(word: str) -> bool:
    """Whether a word beside a key is a tempo: "bpm", "90bpm", "124"."""
    match = WORD.fullmatch(word)
    number = match["number"] if match else None
    if number is None or "bpm" in word.lower():
        return match is not None
    return MIN_BARE <= _number(number) <= MAX_BARE and not number.startswith("00")


def bare_tempo(text: str, *, keyed: bool = False) -> float | None:
    """Return the number that is most likely a tempo; `keyed` says that the name has a key too."""
    words = {word.lower() for word in re.findall(r"[^\W\d_]+", text)}
    alone = [match for match in BARE.finditer(text) if _stands_alone(text[: match.start()])]
    only_a_number = not words and len(re.findall(r"\d+", text)) < 2
    if only_a_number or (words & ONE_SHOTS and not words & LOOPS):
        return None
    found = [_bare(text, match) for match in alone]
    likely = [bare for bare in found if _could_be_tempo(bare, words, keyed=keyed)]
    return max(likely, key=_rank).value if likely else None


def _stands_alone(before: str) -> bool:
    """Whether a number is a word of its own, or follows a word such as "drumloop"."""
    return not re.search(r"(?:[^\W_]|['’\"#])$", before) or bool(LOOP_WORD.search(before))


def _rank(bare: Bare) -> tuple[bool, bool, bool]:
    return bare.first, "." in bare.text or "," in bare.text, len(bare.text) >= 3


def _bare(text: str, match: re.Match[str]) -> Bare:
    before = re.search(r"([^\W\d_]*)([\W_]*)$", text[: match.start()])
    after = re.match(r"[\W_]*([^\W_]*)", text[match.end() :])
    return Bare(
        _number(match["number"]),
        match["number"],
        before[1].lower() if before else "",
        before[2] if before else "",
        after[1].lower() if after else "",
        first=not re.search(r"[^\W_]", text[: match.start()]),
        last=not re.search(r"[^\W_]", text[match.end() :]),
    )


def _could_be_tempo(bare: Bare, words: set[str], *, keyed: bool) -> bool:
    if not MIN_BARE <= bare.value <= MAX_BARE or bare.after in UNITS:
        return False
    if bare.before in COUNTERS or (bare.before in MACHINES and bare.gap != "_"):
        return False
    if bare.text.startswith("0"):
        return bare.first and bare.value >= MIN_LAST
    if bare.first or len(bare.text) >= 3:
        return True
    if bare.last and bare.value < MIN_LAST:
        return False
    return not bare.last or keyed or bool(words & LOOPS)


def _number(text: str) -> float:
    return float(text.replace(",", "."))
