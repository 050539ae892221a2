"""Text on the pad sheet: its two fonts, widths, and texts that fit.

The fonts are static instances of Geist (weight 600: Latin, Latin Extended and Cyrillic) and Geist
Mono (weight 500: Latin), made with fontTools from the variable fonts of the npm packages
@fontsource-variable/geist and geist-mono 5.3.0, without the tables that the drawing libraries
ignore (GSUB, GPOS, GDEF, STAT).
"""

import unicodedata
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from anyascii import anyascii
from reportlab.pdfbase.ttfonts import TTFont

FOLDER = Path(__file__).parent / "fonts"
ELLIPSIS = "…"
UNITS_PER_EM = 1000  # of reportlab's widths


class Font(StrEnum):
    """A font, named as its file."""

    SANS = "Geist-SemiBold"
    MONO = "GeistMono-Medium"

    @property
    def path(self) -> Path:
        """Return the font's file."""
        return FOLDER / f"{self.value}.ttf"


@lru_cache
def load_font(font: Font) -> TTFont:
    """Return a font as reportlab reads it."""
    return TTFont(font.value, str(font.path))


@lru_cache
def _widths(font: Font) -> dict[int, float]:
    return dict(load_font(font).face.charWidths)


def text_width(text: str, font: Font, size: float) -> float:
    """Return the width of a drawable text in points, for a size in points."""
    widths = _widths(font)
    return sum(widths[ord(char)] for char in text) * size / UNITS_PER_EM


def drawable(text: str, font: Font) -> str:
    """Return a text in the letters of a font; others are transliterated, or left out."""
    known = _widths(font)
    line = " ".join(unicodedata.normalize("NFC", text).split())
    spelled = "".join(char if ord(char) in known else anyascii(char) for char in line)
    return " ".join("".join(char for char in spelled if ord(char) in known).split())


def shorten(text: str, font: Font, size: float, width: float) -> str:
    """Return a drawable text that is not wider than `width` points; a cut one ends with "…"."""
    if text_width(text, font, size) <= width:
        return text
    while text and text_width(text + ELLIPSIS, font, size) > width:
        text = text[:-1]
    return text.rstrip() + ELLIPSIS


def wrap(text: str, font: Font, size: float, width: float) -> list[str]:
    """Return a drawable text in one or two lines that are not wider than `width` points.

    It breaks at a space or behind a hyphen or underscore, or anywhere if there is none.
    """
    if text_width(text, font, size) <= width:
        return [text]
    fits = max(1, _fitting(text, font, size, width))
    breaks = [at for at in range(1, fits + 1) if text[at : at + 1] == " " or text[at - 1] in "-_"]
    at = breaks[-1] if breaks and breaks[-1] * 3 >= fits else fits
    return [text[:at].rstrip(), shorten(text[at:].lstrip(), font, size, width)]


def _fitting(text: str, font: Font, size: float, width: float) -> int:
    """Return how many characters fit."""
    count = len(text)
    while count and text_width(text[:count], font, size) > width:
        count -= 1
    return count
