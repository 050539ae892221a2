"""The audio files of a folder that is watched: which there are, and which are complete."""

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from sp404_app.audio.features.file_extensions import split_extension
from sp404_app.cli.sync_state import FileVersion

IGNORED_FOLDERS: Final = frozenset({"__MACOSX", "System Volume Information", "$RECYCLE.BIN"})
# Hidden files, and the temporary files of editors and office programs.
IGNORED_STARTS: Final = (".", "~")

Versions = dict[Path, FileVersion]


def scan_folder(root: Path) -> Versions:
    """Return the present version of each audio file, by its path relative to the folder.

    Symbolic links are not followed, so nothing outside the folder is uploaded. Empty files are
    left out: their content is probably still to come.

    Raises:
        OSError: If the folder cannot be read.
    """
    os.scandir(root).close()  # `os.walk` would report nothing
    found: Versions = {}
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not _is_ignored(name))
        for name in sorted(filter(_is_audio, names)):
            version = _read_version(Path(folder, name))
            if version and version.size:
                found[Path(folder, name).relative_to(root)] = version
    return found


def _is_ignored(name: str) -> bool:
    return name.startswith(IGNORED_STARTS) or name in IGNORED_FOLDERS


def _is_audio(name: str) -> bool:
    return not _is_ignored(name) and bool(split_extension(name)[1])


def _read_version(path: Path) -> FileVersion | None:
    """Return the version of a regular file; None if it is something else, or gone."""
    try:
        status = path.lstat()
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return FileVersion(status.st_size, status.st_mtime_ns)


def find_complete(before: Versions, now: Versions) -> Iterator[tuple[Path, FileVersion]]:
    """Yield the files that have not changed since the scan before."""
    return ((path, version) for path, version in now.items() if before.get(path) == version)


def open_version(path: Path, version: FileVersion) -> BinaryIO | None:
    """Open a file; None if it is gone, or another version than this one.

    Raises:
        OSError: If it cannot be read.
    """
    try:
        # The last part must not have become a link meanwhile.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    file = os.fdopen(descriptor, "rb")
    if is_version(file, version):
        return file
    file.close()
    return None


def is_version(file: BinaryIO, version: FileVersion) -> bool:
    """Return whether an open file still has this size and time."""
    status = os.fstat(file.fileno())
    is_regular = stat.S_ISREG(status.st_mode)
    return is_regular and FileVersion(status.st_size, status.st_mtime_ns) == version


def hash_content(file: BinaryIO) -> str:
    """Return the SHA-256 of a file, in hex, and rewind it."""
    digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
    file.seek(0)
    return digest
