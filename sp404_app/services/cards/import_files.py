"""The files of an import as the job reads them: from the store, or out of one ZIP archive."""

import hashlib
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import IO, Final, Protocol

from sp404_app.errors import BadAudio, Conflict, NotFound, TooLarge
from sp404_app.models import CardImportFile
from sp404_app.services.cards import imports
from sp404_app.services.cards.card_paths import fold_path, is_left_over
from sp404_app.services.infra import storage
from sp404_app.services.library import archives
from sp404_app.settings import settings

CHUNK_BYTES: Final = 1 << 20
DAMAGED_MEMBER = "This file is damaged in the ZIP archive."
NOT_SENT = "This file was not sent."
PASSWORD = "This ZIP archive has a password. Unpack it first."  # noqa: S105 - a sentence
SAME_NAMES = "Two files in this ZIP archive have one name. A card cannot hold both."
TOO_MANY_BYTES = "This ZIP archive is too large when unpacked. Add the folder instead."


class CardFiles(Protocol):
    """The files of a card, by their paths."""

    def sizes(self) -> dict[str, int]:
        """Return the sizes in bytes of all files, also of those that were not sent."""
        ...

    def sha256(self, path: str) -> str:
        """Return the SHA-256 of a file, or "" if it is not known."""
        ...

    def local(self, path: str) -> AbstractContextManager[Path]:
        """Return a context that provides a file on disk.

        Raises:
            AppError: On entering, if it was not sent, or is damaged.
        """
        ...


class StoredFiles:
    """Files that were sent one by one."""

    def __init__(self, rows: list[CardImportFile]) -> None:
        self._rows = {row.path: row for row in rows}

    def sizes(self) -> dict[str, int]:
        """Return the sizes of all files."""
        return {path: row.size_bytes for path, row in self._rows.items()}

    def sha256(self, path: str) -> str:
        """Return the SHA-256 that was computed, or that the client listed."""
        return self._rows[path].sha256

    @contextmanager
    def local(self, path: str) -> Iterator[Path]:
        """Provide the stored file."""
        row = self._rows[path]
        if not row.storage_key:
            raise NotFound(NOT_SENT)
        with storage.local_copy(row.storage_key) as found:
            yield found


class ZippedFiles:
    """Files in one archive. The bytes that it unpacks to are bounded for each file and in all."""

    def __init__(self, zipped: zipfile.ZipFile, bytes_left: int) -> None:
        self._zipped, self._bytes_left = zipped, bytes_left
        self._entries = _list_entries(zipped)
        self._hashes: dict[str, str] = {}

    def sizes(self) -> dict[str, int]:
        """Return the sizes that the archive declares."""
        return {path: entry.file_size for path, entry in self._entries.items()}

    def sha256(self, path: str) -> str:
        """Return the SHA-256 of a file that was unpacked before."""
        return self._hashes.get(path, "")

    @contextmanager
    def local(self, path: str) -> Iterator[Path]:
        """Provide the unpacked file."""
        with tempfile.NamedTemporaryFile() as target:
            try:
                self._unpack(path, target)
            except archives.ZIP_ERRORS as error:
                raise BadAudio(DAMAGED_MEMBER) from error
            yield Path(target.name)

    def _unpack(self, path: str, target: IO[bytes]) -> None:
        sha, count = hashlib.sha256(), 0
        counts = path not in self._hashes  # a file that is read again counts once
        with self._zipped.open(self._entries[path]) as source:
            while block := source.read(CHUNK_BYTES):
                count += len(block)
                self._bytes_left -= len(block) if counts else 0
                if self._bytes_left < 0 or count > settings().max_upload_bytes:
                    raise TooLarge(TOO_MANY_BYTES)
                sha.update(block)
                target.write(block)
        target.flush()
        self._hashes[path] = sha.hexdigest()


def _list_entries(zipped: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the files of an archive by their paths. Links and hidden files are left out."""
    entries = zipped.infolist()
    archives.ensure_few_entries(entries)
    found: dict[str, zipfile.ZipInfo] = {}
    folded: set[str] = set()
    for entry in entries:
        path = "/".join(archives.entry_path_parts(entry))
        if entry.is_dir() or archives.is_special_file(entry) or is_left_over(path):
            continue
        if not imports.is_possible(path):
            continue
        if fold_path(path) in folded:
            raise Conflict(SAME_NAMES, {"path": path})
        folded.add(fold_path(path))
        found[path] = entry
    if any(entry.flag_bits & archives.FLAG_ENCRYPTED for entry in found.values()):
        raise BadAudio(PASSWORD)
    return found


@contextmanager
def open_card(rows: list[CardImportFile]) -> Iterator[CardFiles]:
    """Open the files of an import; one that is a single ZIP archive is opened itself.

    Raises:
        AppError: If the archive is damaged, encrypted or too large.
    """
    sent = [row for row in rows if row.storage_key]
    with ExitStack() as stack:
        if len(sent) == 1 and len(rows) == 1:
            path = stack.enter_context(storage.local_copy(sent[0].storage_key))
            file = stack.enter_context(path.open("rb"))
            if archives.is_archive(file):
                yield stack.enter_context(open_zipped_card(file))
                return
        yield StoredFiles(rows)


@contextmanager
def open_zipped_card(file: IO[bytes]) -> Iterator[ZippedFiles]:
    """Open a card in a ZIP archive.

    Raises:
        AppError: If the archive is damaged, encrypted or too large.
    """
    with archives.open_zip(file) as (zipped, bytes_left):
        yield ZippedFiles(zipped, bytes_left)
