"""ZIP archives of sounds: listed and unpacked file by file, within limits.

Nothing is unpacked into memory as a whole, and no name in an archive becomes a path on our disk.
"""

import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Final

from sp404_app.errors import AppError, BadAudio, TooLarge
from sp404_app.services.infra.byte_size import format_size
from sp404_app.services.library.file_kinds import hidden, named_as_sound
from sp404_app.settings import MB, settings

MAGIC: Final = (b"PK\3\4", b"PK\5\6")
MOST_SOUNDS: Final = 2000
MOST_ENTRIES: Final = 20_000
MOST_DIRECTORY: Final = 8 * MB  # the list of names, which is read into memory
# What is unpacked from one archive: so many times the largest upload, and so many times its own
# size beyond a beginning that any archive may have.
MOST_TIMES: Final = 4
MOST_RATIO: Final = 100
FREE: Final = 64 * MB
CHUNK: Final = MB
METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
ENCRYPTED: Final = 1  # flags of an entry
UTF8: Final = 0x800
UNICODE_PATH: Final = 0x7075  # extra field of Info-ZIP: the name in UTF-8

ERRORS: Final = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, NotImplementedError,
    RuntimeError, EOFError, OSError, ValueError, OverflowError, LookupError,
)  # fmt: skip
LOCKED: Final = "This ZIP archive is locked by a password. Unpack it and add its sounds."
DAMAGED: Final = "This ZIP archive is damaged or cut off."


@dataclass(frozen=True, slots=True)
class Member:
    """A sound in an archive: its folder below the archive, its name and its size in bytes.

    `refusal` says why it cannot be unpacked, None if it can.
    """

    folder: str
    filename: str
    size: int
    refusal: AppError | None
    entry: zipfile.ZipInfo

    @property
    def path(self) -> str:
        """The name with its folder, to be shown."""
        return f"{self.folder}/{self.filename}" if self.folder else self.filename


@dataclass(slots=True)
class Archive:
    """An open archive: the sounds in it, and how much may still be unpacked."""

    file: zipfile.ZipFile
    left: int
    members: list[Member] = field(default_factory=list)

    @contextmanager
    def unpacked(self, member: Member) -> Iterator[Path]:
        """Give the path of an unpacked sound, which is removed afterwards.

        Raises:
            BadAudio: If it is damaged, encrypted, or packed by an unusual method.
            TooLarge: If it, or the whole archive, unpacks to more than we take.
        """
        if member.refusal:
            raise member.refusal
        with tempfile.NamedTemporaryFile() as target:
            try:
                self._unpack(member, target)
            except ERRORS as error:
                raise BadAudio("This file is damaged in the ZIP archive.") from error
            target.flush()
            yield Path(target.name)

    def _unpack(self, member: Member, target: IO[bytes]) -> None:
        count = 0
        with self.file.open(member.entry) as source:
            while block := source.read(CHUNK):
                count += len(block)
                self.left -= len(block)
                if count > settings().max_upload_bytes:
                    raise _too_large()
                if self.left < 0:
                    raise TooLarge("This ZIP archive unpacks to more than we take; split it.")
                target.write(block)


class _Bounded:
    """A file that is never read into memory as a whole, whatever an archive says of its parts."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek, self.tell, self.seekable = file.seek, file.tell, lambda: True

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes.

        Raises:
            BadZipFile: If that is more than a list of names may be.
        """
        if size > MOST_DIRECTORY:
            raise zipfile.BadZipFile("the list of names is too long")
        found = self._file.read(MOST_DIRECTORY + 1 if size < 0 else size)
        if len(found) > MOST_DIRECTORY:
            raise zipfile.BadZipFile("the list of names is too long")
        return found


def is_archive(file: IO[bytes]) -> bool:
    """Whether a file begins as ZIP archives do, whatever it is called."""
    file.seek(0)
    magic = file.read(4)
    file.seek(0)
    return magic in MAGIC


@contextmanager
def opened(file: IO[bytes], name: str) -> Iterator[Archive]:
    """Open an archive called `name` and list its sounds.

    Raises:
        BadAudio: If it is damaged, locked, or holds no sound.
        TooLarge: If it holds more files than we take at once.
    """
    size = file.seek(0, 2)
    file.seek(0)
    try:
        zipped = zipfile.ZipFile(_Bounded(file))  # type: ignore[arg-type]
    except ERRORS as error:
        raise BadAudio(DAMAGED) from error
    with zipped:
        left = min(MOST_TIMES * settings().max_upload_bytes, FREE + MOST_RATIO * size)
        yield Archive(zipped, left, _members(zipped.infolist(), _stem(name)))


def _members(entries: list[zipfile.ZipInfo], stem: str) -> list[Member]:
    if len(entries) > MOST_ENTRIES:
        raise TooLarge(f"This ZIP archive holds more than {MOST_ENTRIES:,} files; split it.")
    found = [member for entry in entries if (member := _member(entry, stem))]
    if len(found) > MOST_SOUNDS:
        raise TooLarge(
            f"This ZIP archive holds {len(found):,} sounds; we take up to {MOST_SOUNDS:,} from "
            "one. Unpack it and add the folder."
        )
    if not found:
        raise BadAudio("There is no sound in this ZIP archive.")
    if all(member.entry.flag_bits & ENCRYPTED for member in found):
        raise BadAudio(LOCKED)
    return found


def _member(entry: zipfile.ZipInfo, stem: str) -> Member | None:
    """Return what an entry is as a sound; None for all that an import passes over."""
    parts = _parts(_name(entry))
    if entry.is_dir() or not parts or any(map(hidden, parts)) or _special(entry):
        return None
    *folders, filename = parts
    ending = PurePosixPath(filename).suffix.lower()
    if not named_as_sound(filename) and ending not in ("", ".zip"):
        return None
    if not (folders and folders[0].casefold() == stem.casefold()):
        folders = [stem, *folders]
    return Member("/".join(folders), filename, entry.file_size, _refusal(entry, ending), entry)


def _refusal(entry: zipfile.ZipInfo, ending: str) -> AppError | None:
    if ending == ".zip":
        return BadAudio("This is a ZIP archive within another one. Add it by itself.")
    if entry.flag_bits & ENCRYPTED:
        return BadAudio("This file is locked by a password. Unpack it and add it by itself.")
    if entry.compress_type not in METHODS:
        return BadAudio("This file is packed by an unusual method. Unpack it and add it by itself.")
    return _too_large() if entry.file_size > settings().max_upload_bytes else None


def _too_large() -> TooLarge:
    return TooLarge(f"This file is larger than {format_size(settings().max_upload_bytes)}.")


def _special(entry: zipfile.ZipInfo) -> bool:
    """Whether an entry is a link, a device or the like."""
    kind = stat.S_IFMT(entry.external_attr >> 16)
    return kind not in (0, stat.S_IFREG)


def _parts(name: str) -> list[str]:
    """Return the folders and the name of an entry, without what leads out of the archive."""
    parts = name.replace("\\", "/").split("/")
    return [part for part in parts if part.strip(" .") and not part.endswith(":")]


def _name(entry: zipfile.ZipInfo) -> str:
    """Return the name of an entry: in UTF-8 where it is, else in the letters of DOS."""
    if entry.flag_bits & UTF8:
        return entry.filename
    raw = entry.filename.encode("cp437", "replace")
    for bytes_ in (_unicode_path(entry.extra), raw):
        try:
            if bytes_:
                return bytes_.decode()
        except UnicodeDecodeError:
            continue
    return entry.filename


def _unicode_path(extra: bytes) -> bytes:
    """Return the name that packers write beside one in another alphabet."""
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        if kind == UNICODE_PATH:
            return extra[at + 9 : at + 4 + size]
        at += 4 + size
    return b""


def _stem(name: str) -> str:
    parts = _parts(name)
    return PurePosixPath(parts[-1]).stem if parts else "ZIP"
