"""Read ZIP archives of samples: list the audio files and unpack them one at a time, within limits.

Nothing is unpacked into memory as a whole, and no name in an archive becomes a path on disk. The
limits stop ZIP bombs.
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
from sp404_app.services.library.file_kinds import has_audio_extension, is_hidden, upload_too_large
from sp404_app.settings import MB, settings

ZIP_SIGNATURES: Final = (b"PK\3\4", b"PK\5\6")
MAX_ARCHIVE_SOUNDS: Final = 2000
MAX_ENTRIES: Final = 20_000
MAX_DIRECTORY_BYTES: Final = 8 * MB  # the central directory, which is read into memory
# One archive may unpack to MAX_UPLOAD_MULTIPLE times the upload limit, and to at most
# RATIO_ALLOWANCE_BYTES + MAX_COMPRESSION_RATIO times its own size.
MAX_UPLOAD_MULTIPLE: Final = 4
MAX_COMPRESSION_RATIO: Final = 100
RATIO_ALLOWANCE_BYTES: Final = 64 * MB
CHUNK_BYTES: Final = MB
SUPPORTED_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
FLAG_ENCRYPTED: Final = 1  # general purpose bit flags of an entry
FLAG_UTF8: Final = 0x800
EXTRA_UNICODE_PATH: Final = 0x7075  # Info-ZIP extra field: the path in UTF-8

# All that zipfile and zlib raise on malformed archives.
ZIP_ERRORS: Final = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, NotImplementedError,
    RuntimeError, EOFError, OSError, ValueError, OverflowError, LookupError,
)  # fmt: skip
ENCRYPTED_ARCHIVE: Final = "This ZIP archive has a password. Unpack it and add its sounds."
DAMAGED_ARCHIVE: Final = "This ZIP archive is damaged or incomplete."


@dataclass(frozen=True, slots=True)
class ArchiveMember:
    """An audio file in an archive: folder within the archive, name, and size in bytes.

    `refusal` is why it cannot be unpacked, None if it can.
    """

    folder: str
    filename: str
    size: int
    refusal: AppError | None
    entry: zipfile.ZipInfo

    @property
    def path(self) -> str:
        """The folder and name, for display."""
        return f"{self.folder}/{self.filename}" if self.folder else self.filename


@dataclass(slots=True)
class Archive:
    """An open archive: its audio files, and how many more bytes may be unpacked."""

    file: zipfile.ZipFile
    bytes_left: int
    members: list[ArchiveMember] = field(default_factory=list)

    @contextmanager
    def unpacked(self, member: ArchiveMember) -> Iterator[Path]:
        """Unpack one file to a temporary path, which is removed on exit.

        Raises:
            BadAudio: If it is damaged, encrypted, or uses an unsupported compression method.
            TooLarge: If it, or the whole archive, unpacks to more than the limit.
        """
        if member.refusal:
            raise member.refusal
        with tempfile.NamedTemporaryFile() as target:
            try:
                self._unpack(member, target)
            except ZIP_ERRORS as error:
                raise BadAudio("This file is damaged in the ZIP archive.") from error
            target.flush()
            yield Path(target.name)

    def _unpack(self, member: ArchiveMember, target: IO[bytes]) -> None:
        count = 0
        with self.file.open(member.entry) as source:
            while block := source.read(CHUNK_BYTES):
                count += len(block)
                self.bytes_left -= len(block)
                if count > settings().max_upload_bytes:
                    raise upload_too_large()
                if self.bytes_left < 0:
                    raise TooLarge(
                        "This ZIP archive is too large when unpacked. Split it into smaller ones."
                    )
                target.write(block)


class _BoundedFile:
    """A file that limits the size of each read, as an archive may declare any directory size."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek, self.tell, self.seekable = file.seek, file.tell, lambda: True

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes.

        Raises:
            BadZipFile: If that is more than `MAX_DIRECTORY_BYTES`.
        """
        if size > MAX_DIRECTORY_BYTES:
            raise zipfile.BadZipFile("the central directory is too long")
        found = self._file.read(MAX_DIRECTORY_BYTES + 1 if size < 0 else size)
        if len(found) > MAX_DIRECTORY_BYTES:
            raise zipfile.BadZipFile("the central directory is too long")
        return found


def is_archive(file: IO[bytes]) -> bool:
    """Return whether a file starts with a ZIP signature, whatever its name."""
    file.seek(0)
    magic = file.read(4)
    file.seek(0)
    return magic in ZIP_SIGNATURES


@contextmanager
def open_archive(file: IO[bytes], name: str) -> Iterator[Archive]:
    """Open an archive called `name` and list its audio files.

    Raises:
        BadAudio: If it is damaged, encrypted, or contains no audio file.
        TooLarge: If it contains too many files.
    """
    with open_zip(file) as (zipped, bytes_left):
        yield Archive(zipped, bytes_left, _list_members(zipped.infolist(), _archive_stem(name)))


@contextmanager
def open_zip(file: IO[bytes]) -> Iterator[tuple[zipfile.ZipFile, int]]:
    """Open an archive: its entries, and how many bytes it may unpack to.

    Raises:
        BadAudio: If it is damaged.
    """
    size = file.seek(0, 2)
    file.seek(0)
    try:
        zipped = zipfile.ZipFile(_BoundedFile(file))  # type: ignore[arg-type]
    except ZIP_ERRORS as error:
        raise BadAudio(DAMAGED_ARCHIVE) from error
    with zipped:
        yield (
            zipped,
            min(
                MAX_UPLOAD_MULTIPLE * settings().max_upload_bytes,
                RATIO_ALLOWANCE_BYTES + MAX_COMPRESSION_RATIO * size,
            ),
        )


def ensure_few_entries(entries: list[zipfile.ZipInfo]) -> None:
    """Check the number of files in an archive.

    Raises:
        TooLarge: If there are more than `MAX_ENTRIES`.
    """
    if len(entries) > MAX_ENTRIES:
        raise TooLarge(
            f"This ZIP archive has more than {MAX_ENTRIES:,} files. Split it into smaller ones."
        )


def _list_members(entries: list[zipfile.ZipInfo], stem: str) -> list[ArchiveMember]:
    ensure_few_entries(entries)
    found = [member for entry in entries if (member := _parse_member(entry, stem))]
    if len(found) > MAX_ARCHIVE_SOUNDS:
        raise TooLarge(
            f"This ZIP archive has {len(found):,} sounds. The limit is {MAX_ARCHIVE_SOUNDS:,}. "
            "Unpack it and add the folder."
        )
    if not found:
        raise BadAudio("There are no sounds in this ZIP archive.")
    if all(member.entry.flag_bits & FLAG_ENCRYPTED for member in found):
        raise BadAudio(ENCRYPTED_ARCHIVE)
    return found


def _parse_member(entry: zipfile.ZipInfo, stem: str) -> ArchiveMember | None:
    """Return an entry as an audio file, or None if imports ignore it."""
    parts = entry_path_parts(entry)
    if entry.is_dir() or not parts or any(map(is_hidden, parts)) or is_special_file(entry):
        return None
    *folders, filename = parts
    ending = PurePosixPath(filename).suffix.lower()
    if not has_audio_extension(filename) and ending not in ("", ".zip"):
        return None
    if not (folders and folders[0].casefold() == stem.casefold()):
        folders = [stem, *folders]
    return ArchiveMember(
        "/".join(folders), filename, entry.file_size, _member_refusal(entry, ending), entry
    )


def _member_refusal(entry: zipfile.ZipInfo, ending: str) -> AppError | None:
    if ending == ".zip":
        return BadAudio("This ZIP archive is inside another one. Add it separately.")
    if entry.flag_bits & FLAG_ENCRYPTED:
        return BadAudio("This file has a password. Unpack it and add it separately.")
    if entry.compress_type not in SUPPORTED_METHODS:
        return BadAudio(
            "This file uses an unsupported compression method. Unpack it and add it separately."
        )
    return upload_too_large() if entry.file_size > settings().max_upload_bytes else None


def is_special_file(entry: zipfile.ZipInfo) -> bool:
    """Return whether an entry is a link, a device or another non-regular file."""
    kind = stat.S_IFMT(entry.external_attr >> 16)
    return kind not in (0, stat.S_IFREG)


def entry_path_parts(entry: zipfile.ZipInfo) -> list[str]:
    """Return folders and file name of an entry, without "..", drives and absolute roots."""
    return _path_parts(_entry_name(entry))


def _path_parts(name: str) -> list[str]:
    """Split an entry name into folders and file name, dropping "..", drives and absolute roots."""
    parts = name.replace("\\", "/").split("/")
    return [part for part in parts if part.strip(" .") and not part.endswith(":")]


def _entry_name(entry: zipfile.ZipInfo) -> str:
    """Decode an entry name: UTF-8 if flagged or valid, else code page 437."""
    if entry.flag_bits & FLAG_UTF8:
        return entry.filename
    raw = entry.filename.encode("cp437", "replace")
    for encoded in (_read_unicode_path(entry.extra), raw):
        try:
            if encoded:
                return encoded.decode()
        except UnicodeDecodeError:
            continue
    return entry.filename


def _read_unicode_path(extra: bytes) -> bytes:
    """Return the UTF-8 path from the Info-ZIP extra field, empty if there is none."""
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        if kind == EXTRA_UNICODE_PATH:
            return extra[at + 9 : at + 4 + size]
        at += 4 + size
    return b""


def _archive_stem(name: str) -> str:
    parts = _path_parts(name)
    return PurePosixPath(parts[-1]).stem if parts else "ZIP"
