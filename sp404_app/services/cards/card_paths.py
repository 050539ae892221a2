"""Paths of files on a card, as clients send them: relative, with "/", compared without case."""

import unicodedata
from typing import Final

from sp404_app.errors import ValidationFailed

MAX_PATH_LENGTH: Final = 1_000
MAX_PART_LENGTH: Final = 255
MAX_DEPTH: Final = 20
LITTER: Final = frozenset({"__macosx", "system volume information", "thumbs.db", "desktop.ini"})
SWAP_SUFFIX: Final = ".crswap"  # of files that Chromium writes before it renames them


def clean_path(path: str) -> str:
    """Return a path that lies inside the import.

    Raises:
        ValidationFailed: If it is empty, too long, absolute, leads outside, or cannot be shown.
    """
    parts = path.split("/")
    if not path or len(path) > MAX_PATH_LENGTH or len(fold_path(path)) > MAX_PATH_LENGTH:
        _refuse(f"A path has 1 to {MAX_PATH_LENGTH:,} characters.")
    if len(parts) > MAX_DEPTH or any(len(part) > MAX_PART_LENGTH for part in parts):
        _refuse("This path has too many folders, or a name in it is too long.")
    if any(part.strip(" .") == "" for part in parts) or "\\" in path or ":" in path:
        _refuse("This path does not lead to a file in the folder.")
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in path):
        _refuse("A name in this path has characters that cannot be shown.")
    return path


def _refuse(message: str) -> None:
    raise ValidationFailed(message, {"path": [message]})


def fold_path(path: str) -> str:
    """Return a path as FAT compares it: without case."""
    return unicodedata.normalize("NFC", path.upper()).casefold()


def is_litter(path: str) -> bool:
    """Return whether a file was made by a computer and not by the device."""
    parts = path.split("/")
    is_hidden = any(part.startswith(".") for part in parts)
    return is_hidden or any(part.casefold() in LITTER for part in parts)


def is_left_over(path: str) -> bool:
    """Return whether a file is litter, or was left behind by a write that did not end."""
    return is_litter(path) or path.casefold().endswith(SWAP_SUFFIX)
