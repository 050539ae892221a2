"""Unique file names for ZIP archives that unpack on Windows, macOS and Linux.

Windows has the strictest rules: no device names, no trailing dots or spaces, case-insensitive, at
most 255 UTF-16 units in a name (learn.microsoft.com, "Naming Files, Paths, and Namespaces").
Linux allows 255 bytes; macOS treats composed and decomposed letters as equal.
"""

import re
import unicodedata
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

MAX_NAME_LENGTH, MAX_FOLDERS_LENGTH = 120, 150  # characters
MAX_NAME_BYTES = 200
MAX_EXTENSION_LENGTH = 12
FORBIDDEN = re.compile(
    r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]'
)
DEVICES = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3]) *", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file to be named: its folder (with slashes), its name, and the id of its row."""

    folder: str
    name: str
    id: uuid.UUID


def unique_paths(files: Sequence[NamedFile]) -> list[str]:
    """Return a path for each file. No system takes two paths for one, or a file for a folder."""
    folders = [_safe_folder(file.folder) for file in files]
    taken = {_key("/".join(parts[:end])) for parts in folders for end in range(len(parts) + 1)}
    paths = []
    for file, folder in zip(files, folders, strict=True):
        path = _free_path(folder, file, taken)
        taken.add(_key(path))
        paths.append(path)
    return paths


def _free_path(folder: list[str], file: NamedFile, taken: set[str]) -> str:
    for mark in ("", f" {file.id.hex[-12:]}", f" {file.id.hex}"):
        path = "/".join([*folder, safe_name(file.name, mark)])
        if _key(path) not in taken:
            return path
    raise ValueError("one file was named twice")  # the last path contains the file's full id


def safe_name(name: str, mark: str = "", max_length: int = MAX_NAME_LENGTH) -> str:
    """Return a name that every system accepts; a long one is cut before its extension.

    Args:
        name: The file's name.
        mark: Inserted before the extension to tell two files apart.
        max_length: In characters.
    """
    plain = FORBIDDEN.sub("_", unicodedata.normalize("NFC", name)).strip(" .") or "untitled"
    stem, dot, ending = plain.rpartition(".")
    if not stem.strip(" .") or len(ending) > MAX_EXTENSION_LENGTH:
        stem, dot, ending = plain, "", ""
    tail = f"{mark}{dot}{ending}"
    kept = _cut(stem, max_length - len(tail), MAX_NAME_BYTES - len(tail.encode()))
    first, rest = kept.partition(".")[::2]
    if DEVICES.fullmatch(first):
        kept = f"{first.rstrip()}_{'.' * bool(rest)}{rest}"
    return f"{kept}{tail}"


def with_extension(stem: str, extension: str, mark: str = "") -> str:
    """Return a name that every system accepts, with this extension: "..." becomes "Untitled"."""
    return safe_name((stem.strip(" .") or "Untitled") + extension, mark)


def _safe_folder(folder: str) -> list[str]:
    parts = [part for part in folder.split("/") if part.strip(" .")]
    if len(folder) <= MAX_FOLDERS_LENGTH:
        return [safe_name(part) for part in parts]
    return [safe_name(part, max_length=max(4, MAX_FOLDERS_LENGTH // len(parts))) for part in parts]


def _cut(text: str, characters: int, size: int) -> str:
    short = text[: max(1, characters)].encode()[: max(4, size)].decode(errors="ignore")
    return short if short == text else short.rstrip(" .") or "_"


def _key(path: str) -> str:
    """Return a key that is equal for two paths that some system treats as one."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFD", path).casefold())
