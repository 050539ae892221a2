"""Names as a device shows and loads them: short, in ASCII, and unique in a folder.

The MKII shows other characters as "_" and then refuses to load the file.
"""

import re
import unicodedata
from collections.abc import Sequence

from sp404_app.devices.capabilities import MK2
from sp404_app.services.infra.text import BASE_LETTERS

MAX_LENGTH = MK2.max_pad_name
UNTITLED = "Untitled"
UNSAFE = re.compile(r"[^a-zA-Z0-9_!&()+\-,.=@\[\]{} ]")
EDGES = " ."  # FAT drops them at the end of a name, and a dot in front hides a file
CAPITALS = {
    ord(chr(code).upper()): text.capitalize()
    for code, text in BASE_LETTERS.items()
    if not chr(code).upper().isascii()
}
SPELLED_OUT = BASE_LETTERS | CAPITALS | str.maketrans({"ß": "ss", "ẞ": "SS", "–": "-", "—": "-"})


def device_name(name: str, max_length: int = MAX_LENGTH) -> str:
    """Return a name of 1 to `max_length` characters that the device can show and load."""
    return _shortened(transliterate(name), max_length) or UNTITLED


def device_names(names: Sequence[str], max_length: int = MAX_LENGTH) -> list[str]:
    """Return device names in this order, all different; repeated ones are numbered from 2 on.

    Case does not make names different, because it does not on a card.
    """
    given = [device_name(name, max_length) for name in names]
    taken: set[str] = set()
    unique: list[str] = []
    for name in given:
        unique.append(_numbered(name, taken, max_length))
        taken.add(unique[-1].lower())
    return unique


def _numbered(name: str, taken: set[str], max_length: int) -> str:
    number, candidate = 1, name
    while candidate.lower() in taken:
        number += 1
        suffix = f" {number}"
        candidate = _shortened(name, max_length - len(suffix)) + suffix
    return candidate


def transliterate(name: str) -> str:
    """Return a name in safe ASCII characters, accents removed, others as "_"."""
    spelled = name.replace("\x00", "").translate(SPELLED_OUT)
    decomposed = unicodedata.normalize("NFKD", spelled)
    visible = (
        char
        for char in decomposed
        if not unicodedata.combining(char) and unicodedata.category(char) != "Cf"
    )
    return UNSAFE.sub("_", " ".join("".join(visible).split()))


def _shortened(name: str, length: int) -> str:
    return name.lstrip(EDGES)[:length].rstrip(EDGES)
