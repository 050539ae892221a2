"""Estimate password strength for the meter beside a new password; it never rejects a password."""

import math
import re
import unicodedata
from dataclasses import dataclass

from sp404_app.services.auth import passwords

LEVEL_NAMES = ("Very weak", "Weak", "Fair", "Good", "Strong")
LEVEL_BITS = (28.0, 36.0, 46.0, 60.0)
KNOWN_RUNS = "abcdefghijklmnopqrstuvwxyz 0123456789 qwertyuiop asdfghjkl zxcvbnm"
MAX_LENGTH = 200
LEETSPEAK = str.maketrans("0134578@$!", "oleastbasi")
WORD_BITS = 11.0  # entropy of a common word: one of about two thousand


@dataclass(frozen=True, slots=True)
class PasswordStrength:
    """A level from 0 (very weak) to 4 (strong), and a sentence of advice."""

    level: int
    message: str


def estimate_strength(password: str) -> PasswordStrength:
    """Estimate how hard a password is to guess; words, keyboard runs and repeats count little."""
    text = unicodedata.normalize("NFC", password[:MAX_LENGTH])
    if not text:
        return PasswordStrength(0, "")
    if text.casefold() in passwords.common_passwords() or passwords.is_product_name(text):
        return PasswordStrength(0, "Very weak: this is a common password.")
    if len(text) < passwords.MIN_LENGTH:
        return PasswordStrength(0, f"Too short: use at least {passwords.MIN_LENGTH} characters.")
    bits = _estimate_bits(text)
    level = sum(bits >= limit for limit in LEVEL_BITS)
    return PasswordStrength(level, f"{LEVEL_NAMES[level]}{_advice(level)}")


def _advice(level: int) -> str:
    if level >= 3:
        return "."
    return ": add a word or two. Avoid names, dates and keyboard rows."


def _estimate_bits(text: str) -> float:
    """Return the lowest of the estimates: by character, by word, by word without leetspeak."""
    folded = text.casefold()
    plain = folded.translate(LEETSPEAK)  # p4$$w0rd counts as a word
    return min(
        _bits_by_character(text),
        _bits_by_word(folded),
        _bits_by_word(plain) + (plain != folded) * 3,
    )


def _bits_by_word(text: str) -> float:
    words = dict.fromkeys(re.findall(r"[^\W\d_]{4,}", text))
    rest = re.sub(r"[^\W\d_]{4,}", "", text)
    return sum(min(WORD_BITS, _bits_by_character(word)) for word in words) + _bits_by_character(
        rest
    )


def _bits_by_character(text: str) -> float:
    unpredictable = sum(not _is_predictable(text[:i], char) for i, char in enumerate(text))
    return unpredictable * math.log2(_alphabet_size(text)) if text else 0.0


def _is_predictable(before: str, char: str) -> bool:
    """Return whether a character repeats the one before or continues a known run."""
    if not before:
        return False
    pair = (before[-1] + char).casefold()
    return pair[0] == pair[-1] or pair in KNOWN_RUNS or pair[::-1] in KNOWN_RUNS


def _alphabet_size(text: str) -> int:
    kinds = (
        (str.islower, 26),
        (str.isupper, 26),
        (str.isdigit, 10),
        (lambda char: char.isascii() and not char.isalnum(), 33),
        (lambda char: not char.isascii(), 100),
    )
    return max(2, sum(size for is_kind, size in kinds if any(map(is_kind, text))))
