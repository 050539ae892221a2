"""File names that every computer can unpack: Windows, macOS and Linux have different rules.

The rules of Windows are the strictest: no device names, no trailing dots or spaces, no difference
between upper and lower case, 255 UTF-16 units in a name (learn.microsoft.com, "Naming Files,
Paths, and Namespaces"). Linux allows 255 bytes; macOS treats composed and decomposed letters alike.
"""

import re
import unicodedata
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

LONGEST_NAME, LONGEST_FOLDERS = 120, 150  # characters
LONGEST_BYTES = 200
LONGEST_ENDING = 12
FORBIDDEN = re.compile(
    r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]'
)
DEVICES = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3]) *", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class File:
    """One file to be named: the folder it lies in (with slashes), its name, and its row."""

    folder: str
    name: str
    id: uuid.UUID


def unique_paths(files: Sequence[File]) -> list[str]:
    """Return a path for each file; no two are the same, or a file and a folder, anywhere."""
    folders = [_safe_folder(file.folder) for file in files]
    taken = {_key("/".join(parts[:end])) for parts in folders for end in range(len(parts) + 1)}
    paths = []
    for file, folder in zip(files, folders, strict=True):
        path = _free_path(folder, file, taken)
        taken.add(_key(path))
        paths.append(path)
    return paths


def _free_path(folder: list[str], file: File, taken: set[str]) -> str:
    for mark in ("", f" {file.id.hex[-12:]}", f" {file.id.hex}"):
        path = "/".join([*folder, safe_name(file.name, mark)])
        if _key(path) not in taken:
            return path
    raise ValueError("one file was named twice")  # its id makes the last path its own


def safe_name(name: str, mark: str = "", longest: int = LONGEST_NAME) -> str:
    """Return a name that can be written anywhere; what is too long loses its middle.

    Args:
        name: what the file is called.
        mark: goes between the stem and the ending, to tell two files apart.
        longest: characters that the name may have.
    """
    plain = FORBIDDEN.sub("_", unicodedata.normalize("NFC", name)).strip(" .") or "untitled"
    stem, dot, ending = plain.rpartition(".")
    if not stem.strip(" .") or len(ending) > LONGEST_ENDING:
        stem, dot, ending = plain, "", ""
    tail = f"{mark}{dot}{ending}"
    kept = _cut(stem, longest - len(tail), LONGEST_BYTES - len(tail.encode()))
    first, rest = kept.partition(".")[::2]
    if DEVICES.fullmatch(first):
        kept = f"{first.rstrip()}_{'.' * bool(rest)}{rest}"
    return f"{kept}{tail}"


def _safe_folder(folder: str) -> list[str]:
    parts = [part for part in folder.split("/") if part.strip(" .")]
    if len(folder) <= LONGEST_FOLDERS:
        return [safe_name(part) for part in parts]
    return [safe_name(part, longest=max(4, LONGEST_FOLDERS // len(parts))) for part in parts]


def _cut(text: str, characters: int, size: int) -> str:
    short = text[: max(1, characters)].encode()[: max(4, size)].decode(errors="ignore")
    return short if short == text else short.rstrip(" .") or "_"


def _key(path: str) -> str:
    """Return what two paths have in common that some computer takes for one."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFD", path).casefold())
