"""How long a new password would stand up: an estimate, said plainly, never a rule."""

import math
import re
import unicodedata
from dataclasses import dataclass

from sp404_app.services.auth import passwords

GUESSES = ("Very weak", "Weak", "Fair", "Good", "Strong")
BITS = (28.0, 36.0, 46.0, 60.0)
RUNS = "abcdefghijklmnopqrstuvwxyz 0123456789 qwertyuiop asdfghjkl zxcvbnm"
LONGEST = 200
DISGUISES = str.maketrans("0134578@$!", "oleastbasi")
WORD_BITS = 11.0  # a word somebody thinks of, out of two thousand


@dataclass(frozen=True, slots=True)
class Strength:
    """From 0 to 4, and what to do about it."""

    level: int
    words: str


def estimate_strength(password: str) -> Strength:
    """Estimate how hard a password is to guess: words count as words, runs and repeats little."""
    text = unicodedata.normalize("NFC", password[:LONGEST])
    if not text:
        return Strength(0, "")
    if text.casefold() in passwords.common() or passwords.of_ours(text):
        return Strength(0, "Very weak: this is one of the passwords tried first.")
    if len(text) < passwords.SHORTEST:
        return Strength(0, f"Too short: use at least {passwords.SHORTEST} characters.")
    bits = _bits(text)
    level = sum(bits >= limit for limit in BITS)
    return Strength(level, f"{GUESSES[level]}{_advice(level)}")


def _advice(level: int) -> str:
    if level >= 3:
        return "."
    return ": a word or two more would help. Names, dates and keyboard rows are tried early."


def _bits(text: str) -> float:
    """Return the bits of the cheapest reading: as characters, or as words and what is between."""
    folded = text.casefold()
    plain = folded.translate(DISGUISES)  # p4$$w0rd is a word, and everybody knows
    return min(_by_character(text), _by_word(folded), _by_word(plain) + (plain != folded) * 3)


def _by_word(text: str) -> float:
    words = dict.fromkeys(re.findall(r"[^\W\d_]{4,}", text))
    rest = re.sub(r"[^\W\d_]{4,}", "", text)
    return sum(min(WORD_BITS, _by_character(word)) for word in words) + _by_character(rest)


def _by_character(text: str) -> float:
    fresh = sum(not _follows(text[:place], char) for place, char in enumerate(text))
    return fresh * math.log2(_alphabet(text)) if text else 0.0


def _follows(before: str, char: str) -> bool:
    """Say whether a character repeats the last one, or goes on in a row everybody knows."""
    if not before:
        return False
    pair = (before[-1] + char).casefold()
    return pair[0] == pair[-1] or pair in RUNS or pair[::-1] in RUNS


def _alphabet(text: str) -> int:
    kinds = (
        (str.islower, 26),
        (str.isupper, 26),
        (str.isdigit, 10),
        (lambda char: char.isascii() and not char.isalnum(), 33),
        (lambda char: not char.isascii(), 100),
    )
    return max(2, sum(size for is_kind, size in kinds if any(map(is_kind, text))))
