"""Import a folder tree into a user's library, skipping files that were imported before."""

import os
import stat
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from sqlmodel import Session, col, select

from sp404_app.db import transaction
from sp404_app.errors import AppError, Duplicate, NotFound
from sp404_app.models import Sample
from sp404_app.services.auth import users
from sp404_app.services.billing import quotas
from sp404_app.services.infra.text import file_name
from sp404_app.services.library import archives, samples, tags
from sp404_app.services.library.file_kinds import (
    has_audio_extension,
    is_hidden,
    upload_too_large,
)
from sp404_app.settings import settings


class Outcome(StrEnum):
    """Result code of one file."""

    ADDED = "added"
    HERE = "already_here"
    REFUSED = "refused"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class ImportResult:
    """Outcome of one file; `file` is its path relative to the imported folder."""

    file: str
    outcome: Outcome
    reason: str = ""
    sample_id: str = ""


@dataclass(slots=True)
class ImportReport:
    """Outcome of a whole import."""

    results: list[ImportResult] = field(default_factory=list)
    interrupted: bool = False

    def count(self, outcome: Outcome) -> int:
        """Return the number of files with this outcome."""
        return sum(result.outcome is outcome for result in self.results)


@dataclass(frozen=True, slots=True)
class ImportedFile:
    """A sample that was imported from a file, and when, in Unix time (s)."""

    sample_id: uuid.UUID
    imported_at: float


@dataclass(frozen=True, slots=True)
class ImportCandidate:
    """A file that may be audio, in a folder or in an archive.

    `display_path` is relative to the imported folder, `modified_at` is Unix time (s), and `on_disk`
    provides a path for decoders.
    """

    display_path: str
    folder: str
    filename: str
    size: int
    modified_at: float
    on_disk: AbstractContextManager[Path]


ImportedFiles = dict[tuple[str, str, int], ImportedFile]  # by folder, file name and size


def find_import_user(email: str) -> uuid.UUID:
    """Return the id of the user with this email.

    Raises:
        NotFound: If no account has this email.
    """
    with transaction() as session:
        found = users.find_user_by_email(session, email)
    if found is None:
        raise NotFound(f"There is no account with the email {email}.")
    return found.id


def import_folder(
    user_id: uuid.UUID, root: Path, *, tagged: bool, tell: Callable[[ImportResult], object]
) -> ImportReport:
    """Import every audio file below `root`, each in its own transaction.

    `tell` is called after each file. `tagged` adds the folder names as tags. Ctrl-C stops
    the import; running it again continues where it stopped.
    """
    report = ImportReport()
    try:
        with transaction() as session:
            imported = _list_imported_files(session, user_id)
        for path in walk_files(root):
            for result in _import_path(user_id, root, path, imported, tagged):
                report.results.append(result)
                tell(result)
    except KeyboardInterrupt:
        report.interrupted = True
    return report


def walk_files(root: Path) -> Iterator[Path]:
    """Yield all visible files below a folder, sorted; links to folders are not followed."""
    for folder, folders, names in os.walk(root, followlinks=False):
        folders[:] = sorted(name for name in folders if not is_hidden(name))
        yield from (Path(folder) / name for name in sorted(names) if not is_hidden(name))


def _import_path(
    user_id: uuid.UUID, root: Path, path: Path, imported: ImportedFiles, tagged: bool
) -> Iterator[ImportResult]:
    """Import a file, or every audio file in it if it is a ZIP archive."""
    display_path = printable_path(path.relative_to(root))
    try:
        if is_outside(root, path):
            yield ImportResult(display_path, Outcome.IGNORED, "It is not a file in this folder.")
            return
        for candidate in _list_candidates(root, path, display_path):
            yield _import_candidate(user_id, candidate, imported, tagged)
    except AppError as refusal:
        yield ImportResult(display_path, Outcome.REFUSED, str(refusal))
    except OSError as error:
        yield ImportResult(display_path, Outcome.REFUSED, f"Can’t read it: {error.strerror}.")


def _list_candidates(root: Path, path: Path, display_path: str) -> Iterator[ImportCandidate]:
    folder = printable_path(root.resolve().name / path.parent.relative_to(root))
    name, stats = printable_path(Path(path.name)), path.stat()
    with path.open("rb") as file:
        if not archives.is_archive(file):
            yield ImportCandidate(
                display_path, folder, name, stats.st_size, stats.st_mtime, nullcontext(path)
            )
            return
        with archives.open_archive(file, name) as archive:
            for member in archive.members:
                yield ImportCandidate(
                    f"{display_path}/{member.path}",
                    f"{folder}/{member.folder}",
                    member.filename,
                    member.size,
                    stats.st_mtime,
                    archive.unpacked(member),
                )


def _import_candidate(
    user_id: uuid.UUID, candidate: ImportCandidate, imported: ImportedFiles, tagged: bool
) -> ImportResult:
    path = candidate.display_path
    try:
        known = _find_imported(imported, candidate)
        if known:
            return ImportResult(path, Outcome.HERE, sample_id=str(known.sample_id))
        return ImportResult(
            path, Outcome.ADDED, sample_id=_add_candidate(user_id, candidate, tagged)
        )
    except Duplicate as duplicate:
        sample_id = duplicate.details["sample_id"]
        return ImportResult(path, Outcome.HERE, str(duplicate), sample_id)
    except AppError as refusal:
        is_audio = has_audio_extension(candidate.filename) or refusal.code != "bad_audio"
        return ImportResult(path, Outcome.REFUSED if is_audio else Outcome.IGNORED, str(refusal))
    except OSError as error:
        return ImportResult(path, Outcome.REFUSED, f"Can’t read it: {error.strerror}.")


def _add_candidate(user_id: uuid.UUID, candidate: ImportCandidate, tagged: bool) -> str:
    if candidate.size > settings().max_upload_bytes:
        raise upload_too_large()
    with transaction() as session:  # check the storage quota before decoding
        quotas.ensure_storage(session, user_id, candidate.size, "try")
    with candidate.on_disk as path:
        incoming = samples.inspect_file(path, candidate.filename, candidate.folder)
        names = tags.folder_tags(candidate.folder) if tagged else []
        with transaction() as session:
            return str(samples.add_sample(session, user_id, incoming, tag_names=names))


def is_outside(root: Path, path: Path) -> bool:
    """Return whether a path is not a regular file, or a link that leads out of the folder."""
    if not path.resolve().is_relative_to(root.resolve()):
        return True
    return not stat.S_ISREG(path.stat().st_mode)


def _list_imported_files(session: Session, user_id: uuid.UUID) -> ImportedFiles:
    """List a user's samples by what can be compared without decoding a file."""
    columns = (Sample.folder, Sample.filename, Sample.size, Sample.id, Sample.created_at)
    rows = session.execute(
        select(*columns).where(Sample.user_id == user_id, col(Sample.deleted_at).is_(None))  # type: ignore[call-overload]
    )
    return {
        (folder, name, size): ImportedFile(sample_id, created.timestamp())
        for folder, name, size, sample_id, created in rows
    }


def _find_imported(imported: ImportedFiles, candidate: ImportCandidate) -> ImportedFile | None:
    """Return the sample that was imported from a file, unless the file was modified since."""
    folder, name = samples.clean_folder(candidate.folder), file_name(candidate.filename)
    known = imported.get((folder, name, candidate.size))
    return known if known and candidate.modified_at < known.imported_at else None


def printable_path(path: Path) -> str:
    """Return a path as valid text, replacing bytes that are not UTF-8."""
    return os.fsencode(path).decode("utf-8", "replace")
